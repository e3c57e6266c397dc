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
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unfrag/guard_stats.h>
#include <unfrag/unfrag.h>
#include <unistd.h>

#include "demo_dns.h"
#include "flood.h"
#include "only_dns.skel.h"

#define HEAD_MAX         150000
#define GREETINGS        50 /* questions before the attack */
#define RATE             100
#define LOOK_MS          100 /* between two looks at memory */
#define HEAD_DEADLINE_MS 20000

struct field {
	const struct flood_plan *plan;
	struct lab_router *router;
	struct lab_ns *evil;
	struct demo_dns *dns;
	struct only_dns_bpf *policy;
	struct unfrag_attachment *attachment;
	struct unfrag_guard *guard;
	struct lab_attack *attack;
	double memory;         /* KiB */
	uint64_t run_ns, runs; /* of the guard's program */
};

/* One client that asks one server, on a thread of its own. */
struct pair {
	const struct field *field;
	const char *server;
	uint32_t questions;
	pthread_t thread;
	atomic_bool done;
	double percent; /* that came through; NAN when it could not be asked */
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

static double ipv4_memory(const struct field *f)
{
	char text[256];
	unsigned long bytes;

	if (lab_ns_output(f->router->middle, text, sizeof(text),
			  "sed -n 's/^FRAG:.*memory //p' /proc/net/sockstat") ||
	    sscanf(text, "%lu", &bytes) != 1)
		return NAN;
	return (double)bytes / 1024;
}

/* Of IPv6 the kernel tells nothing, so it is the guard's account. */
static double ipv6_memory(const struct field *f)
{
	struct unfrag_guard_stats stats = { .sz = sizeof(stats) };

	if (!f->guard || unfrag_guard_stats(f->guard, UNFRAG_FAMILIES_IPV6, &stats))
		return NAN;
	return (double)stats.memory / 1024;
}

/* NAN if it is not to be had. */
static double kernel_sysctl(const struct field *f, const char *of_ipv4, const char *of_ipv6)
{
	const char *name = f->plan->family == AF_INET ? of_ipv4 : of_ipv6;
	char text[256];
	unsigned long value;

	if (lab_ns_output(f->router->middle, text, sizeof(text), "cat /proc/sys/net/%s", name) ||
	    sscanf(text, "%lu", &value) != 1)
		return NAN;
	return (double)value;
}

static double kernel_limit(const struct field *f)
{
	return kernel_sysctl(f, "ipv4/ipfrag_high_thresh",
			     "netfilter/nf_conntrack_frag6_high_thresh") /
	       1024;
}

/* Fragments that the attack would have sent for as long as the kernel keeps one. */
static double head_of(const struct field *f)
{
	double head = f->plan->rate *
		      kernel_sysctl(f, "ipv4/ipfrag_time", "netfilter/nf_conntrack_frag6_timeout");

	return head > HEAD_MAX ? HEAD_MAX : head;
}

static void look_at_memory(struct field *f)
{
	double now = f->plan->family == AF_INET ? ipv4_memory(f) : ipv6_memory(f);

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

static void *ask(void *arg)
{
	struct pair *p = arg;
	const struct field *f = p->field;
	int family = f->plan->family;
	struct lab_asked asked;

	p->percent = NAN;
	if (!lab_ask(&asked, f->router->client, family, lab_client_addr(family), p->server, "t4000",
		     4000, RATE, p->questions))
		p->percent = 100.0 * asked.answered / asked.asked;
	p->done = true;
	return NULL;
}

static int begin_asking(struct pair *p)
{
	int err;

	p->done = false;
	err = pthread_create(&p->thread, NULL, ask, p);
	return err ? bench_error(-err, "can't start a thread: %s", strerror(err)) : 0;
}

/* Both pairs at once, and a look at memory now and then while they talk. */
static int ask_both(struct field *f, uint32_t questions, double *victim, double *other)
{
	bool ipv6 = f->plan->family == AF_INET6;
	struct pair v = { .field = f, .questions = questions };
	struct pair o = v;
	int err;

	v.server = lab_server_addr(f->plan->family);
	o.server = ipv6 ? LAB_OTHER_V6 : LAB_OTHER_V4;
	err = begin_asking(&v);
	if (err)
		return err;
	err = begin_asking(&o);
	while (!err && !(v.done && o.done)) {
		look_at_memory(f);
		poll(NULL, 0, LOOK_MS);
	}
	pthread_join(v.thread, NULL);
	if (err)
		return err;
	pthread_join(o.thread, NULL);
	*victim = v.percent;
	*other = o.percent;
	return 0;
}

static int begin(struct field *f)
{
	double head = head_of(f);
	int64_t deadline = lab_now_ms() + HEAD_DEADLINE_MS;
	double victim = 0, other = 0;
	int err = ask_both(f, GREETINGS, &victim, &other);

	if (err)
		return err;
	if (!(victim > 99 && other > 99)) /* NAN too */
		return bench_error(-EIO, "not all comes through even without an attack");
	f->memory = 0;
	if (f->plan->kind == LAB_ATTACK_MAX)
		return 0;
	if (isnan(head))
		return bench_error(-EIO, "can't read for how long the kernel keeps fragments");
	err = lab_attack_start(&f->attack, f->evil, f->plan->kind, f->plan->family, f->plan->rate,
			       (uint32_t)head);
	if (err)
		return bench_error(err, "can't start an attack: %s", strerror(-err));
	while ((double)lab_attack_sent(f->attack) < head && lab_ms_left(deadline) > 0) {
		look_at_memory(f);
		poll(NULL, 0, 10);
	}
	return 0;
}

static int measure(struct field *f, struct flood_result *result)
{
	uint64_t sent = f->attack ? lab_attack_sent(f->attack) : 0, ns, runs;
	double began = bench_now_ns();
	int err;

	look_at_program(f);
	ns = f->run_ns;
	runs = f->runs;
	err = ask_both(f, f->plan->questions, &result->honest, &result->other);
	if (err)
		return err;
	look_at_program(f);
	result->ns = f->runs > runs ? (double)(f->run_ns - ns) / (double)(f->runs - runs) : NAN;
	if (f->attack)
		result->rate = (double)(lab_attack_sent(f->attack) - sent) /
			       ((bench_now_ns() - began) / 1e9);
	result->memory = f->memory;
	result->limit = kernel_limit(f);
	return 0;
}

int flood_run(struct flood_result *result, const struct flood_plan *plan)
{
	lab_cleanup(field_clear) struct field f = { .plan = plan };
	int err = build(&f);

	if (!err)
		err = attach(&f);
	if (!err)
		err = begin(&f);
	return err ? err : measure(&f, result);
}
