// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guard's account against the kernel behind it: what the guard lets through of the cases 1 to
 * 3, the kernel completes where the guard counts it complete, holds where the guard counts it as
 * held, and gives up before the guard counts it as gone.
 *
 * Fragments go through a router with the guard at netfilter, the kernel's defragmenter behind it,
 * and a program that hands on all whole datagrams (agree.h). How many datagrams the kernel holds,
 * and in how much memory, it tells of IPv4 only. Of both families it shows what it holds when the
 * rest of it comes.
 */
#include <agree.h>
#include <poll.h>
#include <relations.h>
#include <stdio.h>
#include <string.h>
#include <unfrag/guard_stats.h>

#define LARGEST     1448
#define PIECE       800
#define TIMEOUT_MS  2000
#define DEADLINE_MS 20000

struct fixture {
	struct agree *s;
	struct unfrag_guard *guard;
};

static void setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *s = NULL;

	assert_non_null(f);
	*state = f;
	/* Each change of a sysctl is told. */
	unfrag_set_log(NULL, NULL);
	agree_setup(&s);
	f->s = s;
}

static void teardown(void *state)
{
	struct fixture *f = state;

	if (!f)
		return;
	if (f->guard)
		unfrag_guard_off(f->guard);
	unfrag_guard_free(f->guard);
	agree_teardown(f->s);
	free(f);
}

/* With room for all that a test sends, as for strangers, and for the smallest fragments. */
static void guard_on(struct fixture *f, uint64_t timeout_ms)
{
	const struct unfrag_guard_limits limits = {
		.sz = sizeof(limits),
		.memory = { 64u << 20, 64u << 20 },
		.timeout = { timeout_ms, timeout_ms },
		.share = 100,
		.datagrams = 16384,
		.small_after = 10000,
	};
	const struct unfrag_guard_opts opts = {
		.sz = sizeof(opts),
		.netns = lab_ns_path(f->s->router->middle),
		.limits = &limits,
	};

	test_ok(unfrag_guard_on(&f->guard, &opts));
}

static struct unfrag_guard_stats stats_of(const struct fixture *f, int family)
{
	struct unfrag_guard_stats stats = { .sz = sizeof(stats) };

	test_ok(unfrag_guard_stats(f->guard,
				   family == AF_INET ? UNFRAG_FAMILIES_IPV4 : UNFRAG_FAMILIES_IPV6,
				   &stats));
	return stats;
}

static uint64_t held(const struct unfrag_guard_stats *stats)
{
	return stats->datagrams + stats->given_up;
}

/* Datagrams of IPv4 that the kernel holds. */
static uint64_t kernel_holds(const struct fixture *f)
{
	unsigned long long n = 0;
	char text[128];

	test_ok(lab_ns_output(f->s->router->middle, text, sizeof(text),
			      "sed -n 's/^FRAG: inuse \\([0-9]*\\).*/\\1/p' /proc/net/sockstat"));
	assert_int_equal(sscanf(text, "%llu", &n), 1);
	return n;
}

/* Both say the same of what is whole and what is held. */
static void check(const struct fixture *f, int family)
{
	struct unfrag_guard_stats stats;

	agree_mark(f->s);
	stats = stats_of(f, family);
	assert_int_equal(stats.completed, f->s->kernel.count);
	assert_int_equal(stats.timed_out, 0);
	assert_int_equal(stats.opened, stats.completed + held(&stats));
	assert_int_equal(stats.fragments, stats.passed + stats.refused);
	if (family == AF_INET6)
		return;
	assert_int_equal(kernel_holds(f), held(&stats));
	assert_true(stats.kernel_memory <= (int64_t)stats.memory);
	assert_int_equal(!stats.kernel_memory, !held(&stats));
}

static void send_all(const struct fixture *f, const struct lab_packets *packets)
{
	for (size_t i = 0; i < packets->count; i++) {
		size_t len;
		const unsigned char *packet = lab_packet_at(packets, i, &len);

		agree_send_kernel(f->s, packet, len);
	}
}

static void send_at(const struct fixture *f, const struct lab_datagram *dg, size_t off, size_t len,
		    bool more)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	test_ok(lab_fragment_at(dg, off, len, more, &packets));
	send_all(f, &packets);
}

static void send_whole(const struct fixture *f, const struct lab_datagram *dg, size_t fragment,
		       unsigned int order, bool duplicates)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	test_ok(lab_fragment(dg, fragment, &packets));
	test_ok(lab_packets_order(&packets, (enum lab_order)order, duplicates, dg->identification));
	send_all(f, &packets);
}

/* Case 1. All becomes whole, and of what is refused all is duplicates. */
static void orders_and_sizes(struct fixture *f, int family)
{
	struct unfrag_guard_stats stats;
	struct lab_datagram dg;
	size_t n = 0, len, size;

	guard_on(f, 60000);
	for (unsigned int order = 0; order < LAB_ORDER_MAX; order++)
		for (int duplicates = 0; duplicates < 2; duplicates++)
			for (len = 9; len <= 65000; len += len < 1500 ? 131 : 2857, n++) {
				size = 8 * (1 + n % (LARGEST / 8));
				size = size < len / 400 ? LARGEST : size < len ? size : 8;
				agree_make(f->s, family, &dg, len);
				send_whole(f, &dg, size, order, duplicates);
			}
	check(f, family);
	stats = stats_of(f, family);
	assert_int_equal(stats.completed, n);
	assert_int_equal(stats.memory, 0);
	assert_true(stats.refused > n / 2);
	assert_int_equal(stats.refused, stats.reasons[UNFRAG_REASON_DUPLICATE] +
						stats.reasons[UNFRAG_REASON_REFUSED]);
	assert_int_equal(stats.reasons[UNFRAG_REASON_REFUSED], 0);
}

static void orders_and_sizes_ipv4(void *state)
{
	orders_and_sizes(state, AF_INET);
}

static void orders_and_sizes_ipv6(void *state)
{
	orders_and_sizes(state, AF_INET6);
}

static void send_relation(const struct fixture *f, int family, const struct relation *rel,
			  const int *order)
{
	struct relation_piece pieces[RELATION_PIECES];
	int n = relation_pieces(rel, order, true, pieces);
	unsigned char payload[1024] = { 0 };
	struct lab_datagram dg;

	agree_make(f->s, family, &dg, sizeof(payload));
	dg.payload = payload;
	for (int i = 0; i < n; i++) {
		memcpy(payload + pieces[i].off, pieces[i].data, (size_t)pieces[i].len);
		send_at(f, &dg, (size_t)pieces[i].off, (size_t)pieces[i].len, pieces[i].more);
	}
}

/* Case 2: each relation of two and three fragments, in every order. Overlaps end datagrams. */
static void relations(struct fixture *f, int family)
{
	const struct relation *all = relations_all();
	struct unfrag_guard_stats stats;

	guard_on(f, 60000);
	for (int i = 0; i < RELATIONS; i++)
		for (int k = 0; k < relation_orders(&all[i]); k++)
			send_relation(f, family, &all[i], relation_order[k]);
	check(f, family);
	stats = stats_of(f, family);
	printf("# of %u: %llu whole, %llu given up\n", f->s->number,
	       (unsigned long long)stats.completed, (unsigned long long)stats.given_up);
	assert_int_equal(stats.opened, f->s->number);
	assert_true(stats.completed && stats.given_up);
	/* What came after the rest was there opened nothing again, or it would be held as open. */
	assert_int_equal(stats.datagrams, 0);
}

static void relations_ipv4(void *state)
{
	relations(state, AF_INET);
}

static void relations_ipv6(void *state)
{
	relations(state, AF_INET6);
}

/* Case 3. */
static void sizes_at_the_edge(struct fixture *f, int family)
{
	const size_t most = family == AF_INET6 ? 65535 : 65515, end = most / 8 * 8;
	struct unfrag_guard_stats stats;
	struct lab_datagram dg;

	guard_on(f, 60000);
	for (unsigned int order = 0; order < LAB_ORDER_MAX; order++) {
		agree_make(f->s, family, &dg, most);
		send_whole(f, &dg, LARGEST, order, order % 2);
		agree_make(f->s, family, &dg, 5 * LARGEST + 1);
		send_whole(f, &dg, LARGEST, order, true);
	}
	agree_make(f->s, family, &dg, most);
	send_whole(f, &dg, 8, LAB_RANDOM, false);
	check(f, family);
	assert_int_equal(f->s->kernel.count, 2 * LAB_ORDER_MAX + 1);
	/* One byte too long: its end never gets to the kernel, so the rest stays there. */
	agree_make(f->s, family, &dg, most);
	send_at(f, &dg, end, most + 1 - end, false);
	send_at(f, &dg, 0, PIECE, true);
	check(f, family);
	stats = stats_of(f, family);
	assert_int_equal(stats.reasons[UNFRAG_REASON_OVERSIZE], 1);
	assert_int_equal(stats.datagrams, 1);
}

static void sizes_at_the_edge_ipv4(void *state)
{
	sizes_at_the_edge(state, AF_INET);
}

static void sizes_at_the_edge_ipv6(void *state)
{
	sizes_at_the_edge(state, AF_INET6);
}

#define OPEN 100

static void send_open(const struct fixture *f, int family, struct lab_datagram *dgs)
{
	for (int i = 0; i < OPEN; i++) {
		agree_make(f->s, family, &dgs[i], 2 * PIECE);
		send_at(f, &dgs[i], 0, PIECE, true);
	}
}

/* What the guard counts as open, the kernel has: the rest makes it whole. */
static void what_is_open_can_become_whole(struct fixture *f, int family)
{
	static struct lab_datagram dgs[OPEN];

	guard_on(f, 60000);
	send_open(f, family, dgs);
	check(f, family);
	assert_int_equal(stats_of(f, family).datagrams, OPEN);
	for (int i = 0; i < OPEN; i++)
		send_at(f, &dgs[i], PIECE, PIECE, false);
	check(f, family);
	assert_int_equal(f->s->kernel.count, OPEN);
	assert_int_equal(stats_of(f, family).memory, 0);
}

static void what_is_open_can_become_whole_ipv4(void *state)
{
	what_is_open_can_become_whole(state, AF_INET);
}

static void what_is_open_can_become_whole_ipv6(void *state)
{
	what_is_open_can_become_whole(state, AF_INET6);
}

/* The kernel gives up first. Waits until the guard has counted all out; returns what it says. */
static struct unfrag_guard_stats wait_timeout(const struct fixture *f, int family)
{
	int64_t deadline = lab_now_ms() + DEADLINE_MS;
	struct unfrag_guard_stats stats;

	do {
		poll(NULL, 0, 10);
		stats = stats_of(f, family);
		if (family == AF_INET)
			assert_true(kernel_holds(f) <= held(&stats));
	} while (held(&stats) && lab_ms_left(deadline));
	return stats;
}

static void time_runs_out(struct fixture *f, int family)
{
	static struct lab_datagram dgs[OPEN];
	struct unfrag_guard_stats stats;

	guard_on(f, TIMEOUT_MS);
	send_open(f, family, dgs);
	agree_mark(f->s);
	stats = wait_timeout(f, family);
	assert_int_equal(held(&stats), 0);
	/* The rest is of new datagrams to both, which stay in pieces. */
	for (int i = 0; i < OPEN; i++)
		send_at(f, &dgs[i], PIECE, PIECE, false);
	agree_mark(f->s);
	assert_int_equal(f->s->kernel.count, 0);
	assert_int_equal(stats_of(f, family).opened, 2 * OPEN);
	stats = wait_timeout(f, family);
	assert_int_equal(held(&stats), 0);
	assert_int_equal(stats.completed, 0);
}

static void time_runs_out_ipv4(void *state)
{
	time_runs_out(state, AF_INET);
}

static void time_runs_out_ipv6(void *state)
{
	time_runs_out(state, AF_INET6);
}

#define AGREES(fn) TEST_WITH(fn, setup, teardown)

static const struct test tests[] = {
	AGREES(orders_and_sizes_ipv4),
	AGREES(orders_and_sizes_ipv6),
	AGREES(relations_ipv4),
	AGREES(relations_ipv6),
	AGREES(sizes_at_the_edge_ipv4),
	AGREES(sizes_at_the_edge_ipv6),
	AGREES(what_is_open_can_become_whole_ipv4),
	AGREES(what_is_open_can_become_whole_ipv6),
	AGREES(time_runs_out_ipv4),
	AGREES(time_runs_out_ipv6),
};

TEST_MAIN(tests);
