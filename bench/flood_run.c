// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One attack on a router of its own, so that nothing of the run before is left in the kernel. The
 * router puts packets together for an attachment; a real DNS server stands behind it, with two
 * addresses, one of which some attacks forge. Both pairs have talked before the attack begins, and
 * that begins as if it had gone on for as long as the kernel keeps fragments.
 */
#define _GNU_SOURCE
#include <asker.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <child.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unfrag/guard_stats.h>
#include <unfrag/unfrag.h>
#include <unistd.h>

#include "demo_dns.h"
#include "flood.h"
#include "only_dns.skel.h"

#define KERNEL_IPV4_SECONDS 30
#define KERNEL_IPV6_SECONDS 60
#define HEAD_MAX            150000
#define CHUNK               50 /* questions between two looks at memory */
#define RATE                100
#define HEAD_DEADLINE_MS    20000

struct field {
	const struct flood_plan *plan;
	struct lab_router *router;
	struct lab_ns *evil;
	struct demo_dns *dns;
	struct only_dns_bpf *policy;
	struct unfrag_attachment *attachment;
	struct unfrag_guard *guard;
	struct lab_attack *attack;
	double memory;
	uint64_t run_ns, runs; /* of the guard's program */
};

static void field_clear(struct field *f)
{
	lab_attack_stop(f->attack);
	if (f->guard)
		unfrag_guard_off(f->guard);
	unfrag_guard_free(f->guard);
	if (f->attachment)
		unfrag_attachment_detach(f->attachment);
	unfrag_attachment_free(f->attachment);
	only_dns_bpf__destroy(f->policy);
	demo_dns_free(f->dns);
	lab_ns_free(f->evil);
	lab_router_free(f->router);
}

static int build(struct field *f)
{
	int err = lab_router_new(&f->router);

	if (!err)
		err = lab_evil_new(&f->evil, f->router);
	if (!err &&
	    (lab_ns_run(f->router->server,
			"ip addr add " LAB_OTHER_V4 "/24 dev " LAB_SERVER_IF
			" && ip addr add " LAB_OTHER_V6 "/128 dev " LAB_SERVER_IF " nodad") ||
	     lab_ns_run(f->router->middle, "ip route add " LAB_OTHER_V6 " via " LAB_SERVER_V6)))
		err = -EIO;
	if (err)
		return bench_error(err, "can't wire the router: %s", strerror(-err));
	return demo_dns_new(&f->dns, f->router);
}

static int attach(struct field *f)
{
	struct unfrag_attach_opts opts = { .sz = sizeof(opts),
					   .netns = lab_ns_path(f->router->middle) };
	struct unfrag_guard_opts guard = { .sz = sizeof(guard), .netns = opts.netns };
	int err;

	f->policy = only_dns_bpf__open_and_load();
	if (!f->policy)
		return bench_error(-errno, "can't load only_dns: %s", strerror(errno));
	err = unfrag_attachment_attach(&f->attachment, "bench-flood", f->policy->obj, NULL, &opts);
	if (!err && f->plan->guarded)
		err = unfrag_guard_on(&f->guard, &guard);
	return err;
}

static double kernel_memory(const struct field *f)
{
	struct unfrag_guard_stats stats = { .sz = sizeof(stats) };
	char text[256];
	unsigned long bytes;

	if (f->plan->family == AF_INET) {
		if (lab_ns_output(f->router->middle, text, sizeof(text),
				  "sed -n 's/^FRAG:.*memory //p' /proc/net/sockstat") ||
		    sscanf(text, "%lu", &bytes) != 1)
			return NAN;
		return (double)bytes / 1024;
	}
	if (!f->guard || unfrag_guard_stats(f->guard, UNFRAG_FAMILIES_IPV6, &stats))
		return NAN;
	return (double)stats.memory / 1024;
}

static void look_at_memory(struct field *f)
{
	double now = kernel_memory(f);

	if (!(now <= f->memory)) /* NAN too */
		f->memory = now;
}

/* Adds up the programs of that name: there is one for each family's link, or one. */
static void look_at_program(struct field *f)
{
	struct bpf_prog_info info;
	uint32_t id = 0, len;

	f->run_ns = f->runs = 0;
	while (!bpf_prog_get_next_id(id, &id)) {
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		len = sizeof(info);
		if (!bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, "guard")) {
			f->run_ns += info.run_time_ns;
			f->runs += info.run_cnt;
		}
		close(fd);
	}
}

/* In percent; NAN when it could not be asked. */
static double ask(struct field *f, bool other, uint32_t questions)
{
	const char *server = lab_server_addr(f->plan->family);
	struct lab_asked asked, all = { 0 };
	uint32_t left, n;

	if (other)
		server = f->plan->family == AF_INET6 ? LAB_OTHER_V6 : LAB_OTHER_V4;
	for (left = questions; left && !bench_interrupted(); left -= n) {
		n = left < CHUNK ? left : CHUNK;
		if (lab_ask(&asked, f->router->client, f->plan->family,
			    lab_client_addr(f->plan->family), server, "t4000", 4000, RATE, n))
			return NAN;
		all.asked += asked.asked;
		all.answered += asked.answered;
		look_at_memory(f);
	}
	return 100.0 * all.answered / all.asked;
}

static int begin(struct field *f)
{
	uint64_t seconds = f->plan->family == AF_INET ? KERNEL_IPV4_SECONDS : KERNEL_IPV6_SECONDS;
	uint64_t head = f->plan->rate * seconds;
	int64_t deadline = lab_now_ms() + HEAD_DEADLINE_MS;
	int err;

	if (ask(f, false, CHUNK) < 99 || ask(f, true, CHUNK) < 99)
		return bench_error(-EIO, "not all comes through even without an attack");
	f->memory = 0;
	if (f->plan->kind == LAB_ATTACK_MAX)
		return 0;
	if (head > HEAD_MAX)
		head = HEAD_MAX;
	err = lab_attack_start(&f->attack, f->evil, f->plan->kind, f->plan->family, f->plan->rate,
			       (uint32_t)head);
	if (err)
		return bench_error(err, "can't start an attack: %s", strerror(-err));
	while (lab_attack_sent(f->attack) < head && lab_ms_left(deadline) > 0)
		poll(NULL, 0, 10);
	return 0;
}

static void measure(struct field *f, struct flood_result *result)
{
	uint64_t sent = f->attack ? lab_attack_sent(f->attack) : 0, ns, runs;
	double began = bench_now_ns();

	look_at_program(f);
	ns = f->run_ns;
	runs = f->runs;
	look_at_memory(f);
	result->honest = ask(f, false, f->plan->questions);
	result->other = ask(f, true, f->plan->questions);
	look_at_program(f);
	result->ns = f->runs > runs ? (double)(f->run_ns - ns) / (double)(f->runs - runs) : NAN;
	if (f->attack)
		result->rate = (double)(lab_attack_sent(f->attack) - sent) /
			       ((bench_now_ns() - began) / 1e9);
	result->memory = f->memory;
}

int flood_run(struct flood_result *result, const struct flood_plan *plan)
{
	lab_cleanup(field_clear) struct field f = { .plan = plan };
	int err = build(&f);

	if (!err)
		err = attach(&f);
	if (!err)
		err = begin(&f);
	if (!err)
		measure(&f, result);
	return err;
}
