// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a flood over a real wire costs: sent by a thread of ours as fast as it can be, and met on
 * the same CPU, inside of the same system calls. So the CPU time of this process is that of the
 * packets, from the sender on to where they end.
 *
 * A veth copies each packet for a native XDP program, which a network card does not, so a drop is
 * to be read against the same packet thrown away by a program that does only that.
 */
#define _GNU_SOURCE
#include <attack.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "flood.h"

#define RATE        100000000 /* more than can be sent */
#define WARM_UP     15000     /* fills what a defragmenter holds */
#define PACKETS     50000
#define DEADLINE_MS 20000

struct veth {
	const struct lab_router *router;
	struct lab_ns *evil;
	int ifindex; /* of the router's end */
	int xdp_fd;  /* for attach() */
};

static int find_device(void *arg)
{
	struct veth *v = arg;

	v->ifindex = (int)if_nametoindex(LAB_EVIL_IF);
	return v->ifindex ? 0 : -errno;
}

static int attach(void *arg)
{
	const struct veth *v = arg;
	int fd = bpf_link_create(v->xdp_fd, v->ifindex, BPF_XDP, NULL);

	return fd < 0 ? -errno : fd;
}

int veth_new(struct veth **out, const struct lab_router *router)
{
	struct veth *v = calloc(1, sizeof(*v));
	int err = v ? 0 : -ENOMEM;

	if (!err) {
		v->router = router;
		err = lab_evil_new(&v->evil, router);
	}
	if (!err)
		err = lab_ns_call(router->middle, find_device, v);
	if (err) {
		veth_free(v);
		return bench_error(err, "can't wire an attacker: %s", strerror(-err));
	}
	*out = v;
	return 0;
}

void veth_free(struct veth *v)
{
	if (v)
		lab_ns_free(v->evil);
	free(v);
}

/* Waits until so many are sent. Returns how many are. */
static uint64_t wait_sent(const struct lab_attack *attack, uint64_t wanted, double *ns)
{
	int64_t deadline = lab_now_ms() + DEADLINE_MS;

	while (lab_attack_sent(attack) < wanted && lab_ms_left(deadline) > 0)
		poll(NULL, 0, 1);
	*ns = bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	return lab_attack_sent(attack);
}

int veth_measure(struct veth *v, int xdp_fd, int family, double *ns)
{
	lab_autoclose int link = -1;
	struct lab_attack *attack;
	uint64_t first, last;
	double began, ended;
	int err;

	v->xdp_fd = xdp_fd;
	if (xdp_fd >= 0) {
		link = lab_ns_call(v->router->middle, attach, v);
		if (link < 0)
			return bench_error(link, "can't attach at a veth: %s", strerror(-link));
	}
	err = lab_attack_start(&attack, v->evil, LAB_ATTACK_ANY, family, RATE, 0);
	if (err)
		return bench_error(err, "can't start an attack: %s", strerror(-err));
	first = wait_sent(attack, WARM_UP, &began);
	last = wait_sent(attack, WARM_UP + PACKETS, &ended);
	lab_attack_stop(attack);
	if (last < WARM_UP + PACKETS)
		return bench_error(-EIO, "a flood over a veth came to a halt");
	*ns = (ended - began) / (double)(last - first);
	return 0;
}
