// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rulesets in the kernel: they judge and count as their rules say, one by one; and what is counted
 * goes on in the ruleset that comes next.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <loaded.h>
#include <random_rules.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trial.h>
#include <unistd.h>

#include "fields.h"

#define RULESETS 60
#define PACKETS  40
#define WEEK     (604800ull * 1000000000)
#define INPUT    1u

static uint64_t fresh_seed(void)
{
	const char *given = getenv("UNFRAG_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	printf("# UNFRAG_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The kernel's clock can't be set, so no token comes back while the test runs. */
static void slow_limits(struct ruleset *rs)
{
	size_t i;

	for (i = 0; i < rs->n_limits; i++) {
		rs->limits[i].rate = 1;
		rs->limits[i].second = WEEK;
		rs->limits[i].burst = 1 + i % 5;
		rs->limits[i].bytes = false;
	}
}

static uint8_t byte_of(const struct gate_values *v, uint32_t field)
{
	return (uint8_t)fields_get(v, field);
}

static void put(uint8_t *at, const struct gate_values *v, uint32_t field, uint32_t bytes)
{
	value x = fields_get(v, field);

	while (bytes--) {
		at[bytes] = (uint8_t)x;
		x >>= 8;
	}
}

/* A packet with the fields that rules look for, as far as it can have them. */
static size_t make_packet(uint8_t *at, uint32_t family, const struct gate_values *v, size_t more)
{
	size_t head = family ? 40 : 20;

	memset(at, 0, head + more);
	at[0] = family ? 0x60 : 0x45;
	if (family) {
		at[5] = (uint8_t)more;
		at[6] = byte_of(v, GATE_L4PROTO);
		at[7] = byte_of(v, GATE_IP6_HOPLIMIT);
		put(at + 8, v, GATE_IP6_SADDR, 16);
		put(at + 24, v, GATE_IP6_DADDR, 16);
	} else {
		at[1] = (uint8_t)(byte_of(v, GATE_IP_DSCP) << 2);
		at[3] = (uint8_t)(head + more);
		at[8] = byte_of(v, GATE_IP_TTL);
		at[9] = byte_of(v, GATE_IP_PROTOCOL);
		put(at + 12, v, GATE_IP_SADDR, 4);
		put(at + 16, v, GATE_IP_DADDR, 4);
	}
	if (more >= 4) {
		put(at + head, v, GATE_SPORT, 2);
		put(at + head + 2, v, GATE_DPORT, 2);
	}
	if (more >= 14)
		at[head + 13] = byte_of(v, GATE_TCP_FLAGS);
	return head + more;
}

/* Both say the same of a packet; the verdict. */
static uint32_t judge(struct loaded *l, struct trial *t, struct random_rules *r)
{
	uint32_t family = (uint32_t)lab_random_below(&r->random, 2), got;
	uint32_t hook = lab_random_below(&r->random, 8) ?
				r->hook :
				(uint32_t)lab_random_below(&r->random, GATE_HOOKS);
	struct gate_values v;
	uint8_t packet[128];
	size_t len;
	int want;

	random_values(r, &v);
	len = make_packet(packet, family, &v, lab_random_below(&r->random, 30));
	/* Shorter ones a test run does not take. */
	if (len < 40)
		len = make_packet(packet, family, &v, 20);
	v = loaded_values(hook, packet, len);
	want = trial_packet(t, family, hook, &v, 0);
	got = loaded_packet(l, family, hook, packet, len);
	assert_int_equal(got, want);
	return got;
}

static void expect_counters(const struct loaded *l, const struct trial *t)
{
	size_t n = l->rs.n_counters;
	struct gate_counter *got = calloc(n + 1, sizeof(*got));
	struct complaint c = { "" };
	size_t i;

	assert_non_null(got);
	test_ok(instance_counters(l->instance, got, n, &c));
	for (i = 0; i < n; i++) {
		assert_int_equal(got[i].packets, t->counters[i].packets);
		assert_int_equal(got[i].bytes, t->counters[i].bytes);
	}
	free(got);
}

static void compare(uint64_t seed)
{
	struct random_rules r = { .random = { seed } };
	size_t accepted = 0;
	int i, j;

	for (i = 0; i < RULESETS; i++) {
		struct loaded l = { .image = NULL };
		struct trial *t;

		random_rules(&r, &l.rs);
		slow_limits(&l.rs);
		loaded_start(&l, NULL);
		test_ok(trial_new(&t, &l.rs));
		for (j = 0; j < PACKETS; j++)
			accepted += judge(&l, t, &r) == GATE_ACCEPT;
		expect_counters(&l, t);
		trial_free(t);
		loaded_release(&l);
	}
	printf("# accepted %zu of %d\n", accepted, RULESETS * PACKETS);
	assert_true(accepted > RULESETS * PACKETS / 10);
	assert_true(accepted < RULESETS * PACKETS / 10 * 9);
}

static void loaded_as_one_by_one_with_a_fixed_seed(void)
{
	compare(20261124);
}

static void loaded_as_one_by_one_with_a_fresh_seed(void)
{
	compare(fresh_seed());
}

/* A rule that counts packets to a port and lets them go on; the number of its counter. */
static uint32_t count_port(struct ruleset *rs, uint32_t chain, uint16_t port)
{
	uint32_t rule = rules_rule(rs, chain), counter;

	free(rs->rules[rule].text);
	assert_true(asprintf(&rs->rules[rule].text, "th dport %u counter", port) > 0);
	rules_is(rs, GATE_DPORT, port, port);
	counter = rules_count(rs);
	rules_continue(rs);
	return counter;
}

static void send_udp(const struct loaded *l, uint16_t port, int n)
{
	uint8_t packet[64];
	size_t len = loaded_udp(packet, 0x0a000001, 0x0a000002, 1024, port);

	while (n--)
		loaded_packet(l, 0, INPUT, packet, len);
}

static void ruleset_of_ports(struct loaded *l, const uint16_t *ports, size_t n)
{
	uint32_t table = rules_table(&l->rs, FAMILY_INET);
	uint32_t chain = rules_base(&l->rs, table, INPUT, 0, GATE_ACCEPT);
	size_t i;

	for (i = 0; i < n; i++)
		count_port(&l->rs, chain, ports[i]);
	loaded_start(l, NULL);
}

static void expect_packets(const struct loaded *l, uint32_t counter, uint64_t packets)
{
	struct gate_counter c = loaded_counter(l->instance, counter);

	assert_int_equal(c.packets, packets);
	assert_int_equal(c.bytes, 28 * packets);
}

static void counts_go_on_in_the_ruleset_that_comes_next(void)
{
	static const uint16_t before[] = { 53, 80, 53, 443 }, after[] = { 443, 22, 53, 53, 53 };
	struct loaded old = { .image = NULL }, next = { .image = NULL };
	struct complaint c = { "" };

	ruleset_of_ports(&old, before, 4);
	ruleset_of_ports(&next, after, 5);
	send_udp(&old, 53, 3);
	send_udp(&old, 443, 2);
	test_ok(instance_inherit(next.instance, old.instance, &c));
	expect_packets(&next, 0, 2);
	expect_packets(&next, 2, 3);
	/* Under way while programs are changed: some still in the old one, some in the new one. */
	send_udp(&old, 443, 5);
	send_udp(&next, 443, 1);
	send_udp(&next, 22, 1);
	test_ok(instance_settle(next.instance, old.instance, &c));
	expect_packets(&next, 0, 8);
	expect_packets(&next, 1, 1);
	expect_packets(&next, 2, 3);
	expect_packets(&next, 3, 3);
	expect_packets(&next, 4, 0); /* the third of equals, and there were two */
	loaded_release(&old);
	/* And once more, from a ruleset that had inherited. */
	ruleset_of_ports(&old, before, 4);
	test_ok(instance_inherit(old.instance, next.instance, &c));
	test_ok(instance_settle(old.instance, next.instance, &c));
	expect_packets(&old, 0, 3);
	expect_packets(&old, 1, 0);
	expect_packets(&old, 3, 8);
	loaded_release(&old);
	loaded_release(&next);
}

/* One rule that lets the first of so many packets a week pass, and drops the rest. */
static void ruleset_of_limit(struct loaded *l, uint64_t burst, const char *text)
{
	const struct limit limit = { .rate = 1, .second = WEEK, .burst = burst };
	uint32_t table = rules_table(&l->rs, FAMILY_INET);
	uint32_t chain = rules_base(&l->rs, table, INPUT, 0, GATE_DROP);
	uint32_t rule = rules_rule(&l->rs, chain);

	free(l->rs.rules[rule].text);
	l->rs.rules[rule].text = strdup(text);
	rules_limited(&l->rs, &limit);
	rules_verdict(&l->rs, GATE_ACCEPT, 0);
	loaded_start(l, NULL);
}

static int passing(const struct loaded *l)
{
	uint8_t packet[64];
	size_t len = loaded_udp(packet, 0x0a000001, 0x0a000002, 1024, 53);
	int n = 0;

	while (loaded_packet(l, 0, INPUT, packet, len) == GATE_ACCEPT)
		n++;
	return n;
}

static void tokens_of_a_limit_are_spent_once(void)
{
	struct loaded old = { .image = NULL }, same = { .image = NULL }, other = { .image = NULL };
	struct complaint c = { "" };

	ruleset_of_limit(&old, 5, "limit rate 1/week burst 5 packets accept");
	ruleset_of_limit(&same, 5, "limit rate 1/week burst 5 packets accept");
	ruleset_of_limit(&other, 7, "limit rate 1/week burst 7 packets accept");
	assert_int_equal(passing(&old), 5);
	test_ok(instance_inherit(same.instance, old.instance, &c));
	test_ok(instance_inherit(other.instance, old.instance, &c));
	assert_int_equal(passing(&same), 0);
	assert_int_equal(passing(&other), 7);
	loaded_release(&old);
	loaded_release(&same);
	loaded_release(&other);
}

static void a_thousand_rules_are_loaded(void)
{
	struct loaded l = { .image = NULL };
	uint16_t ports[1000];
	double start;
	size_t i;

	for (i = 0; i < 1000; i++)
		ports[i] = (uint16_t)(1000 + i);
	start = now_ms();
	ruleset_of_ports(&l, ports, 1000);
	printf("# compiled and loaded in %.1f ms\n", now_ms() - start);
	send_udp(&l, 1000, 1);
	send_udp(&l, 1999, 2);
	send_udp(&l, 2000, 2);
	expect_packets(&l, 0, 1);
	expect_packets(&l, 1, 0);
	expect_packets(&l, 999, 2);
	loaded_release(&l);
}

/* Every second address is in the set. */
static void fill_set(struct ruleset *rs, uint32_t set, uint32_t components, size_t n)
{
	struct element *e = calloc(n, sizeof(*e));
	size_t i;

	assert_non_null(e);
	for (i = 0; i < n; i++) {
		e[i].span[0] = (struct span){ 2 * i, 2 * i };
		if (components > 1)
			e[i].span[1] = (struct span){ 53, 53 };
		e[i].verdict = GATE_VERDICT_CONTINUE;
	}
	free(rs->sets[set].elements);
	rs->sets[set].elements = e;
	rs->sets[set].n_elements = n;
}

static void load_million(const struct key *key)
{
	struct loaded l = { .image = NULL };
	uint32_t table = rules_table(&l.rs, FAMILY_IP);
	uint32_t set = rules_set(&l.rs, key, false, true), chain;
	struct complaint c = { "" };
	uint8_t packet[64];
	double start, compiled;
	size_t len;

	fill_set(&l.rs, set, key->n, 1000000);
	chain = rules_base(&l.rs, table, INPUT, 0, GATE_DROP);
	rules_rule(&l.rs, chain);
	rules_in(&l.rs, key, false, set);
	rules_verdict(&l.rs, GATE_ACCEPT, 0);
	start = now_ms();
	test_ok(image_new(&l.image, &l.rs, NULL, &c));
	compiled = now_ms();
	test_ok(instance_load(&l.instance, l.image, &l.rs, NULL, &c));
	printf("# compiled in %.0f ms, loaded in %.0f ms\n", compiled - start, now_ms() - compiled);
	len = loaded_udp(packet, 1234560, 0x0a000002, 1024, 53);
	assert_int_equal(loaded_packet(&l, 0, INPUT, packet, len), GATE_ACCEPT);
	len = loaded_udp(packet, 1234561, 0x0a000002, 1024, 53);
	assert_int_equal(loaded_packet(&l, 0, INPUT, packet, len), GATE_DROP);
	loaded_release(&l);
}

static void a_million_addresses_are_loaded(void)
{
	const struct key key = RULES_KEY(GATE_IP_SADDR);

	load_million(&key);
}

static void a_million_pairs_are_loaded(void)
{
	const struct key key = RULES_KEY(GATE_IP_SADDR, GATE_DPORT);

	load_million(&key);
}

/* What the kernel says that a map takes, with what is in it. */
static uint64_t kernel_bytes(int fd)
{
	unsigned long long bytes = 0;
	char path[64], line[128];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "memlock: %llu", &bytes) == 1;
	fclose(f);
	assert_true(found);
	return bytes;
}

/* Of maps in a map of maps. */
static uint64_t kernel_bytes_inside(int outer, uint32_t n)
{
	uint64_t bytes = 0;
	uint32_t i, id;

	for (i = 0; i < n; i++) {
		int fd;

		if (bpf_map_lookup_elem(outer, &i, &id))
			continue;
		fd = test_ok(bpf_map_get_fd_by_id(id));
		bytes += kernel_bytes(fd);
		close(fd);
	}
	return bytes;
}

static uint64_t kernel_bytes_of(const struct loaded *l)
{
	const struct bpf_map *map;
	uint64_t bytes = 0;

	bpf_object__for_each_map(map, instance_object(l->instance)) {
		bytes += kernel_bytes(bpf_map__fd(map));
		if (bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS)
			bytes += kernel_bytes_inside(bpf_map__fd(map), bpf_map__max_entries(map));
	}
	return bytes;
}

/* Addresses, as many pairs, and rules with counters. */
static void memory_is_what_the_kernel_counts(void)
{
	const struct key keys[] = { RULES_KEY(GATE_IP_SADDR),
				    RULES_KEY(GATE_IP_SADDR, GATE_DPORT) };
	struct loaded l = { .image = NULL };
	uint32_t table = rules_table(&l.rs, FAMILY_IP), chain, set;
	uint64_t told, counted;
	size_t i;

	chain = rules_base(&l.rs, table, INPUT, 0, GATE_DROP);
	for (i = 0; i < 2; i++) {
		set = rules_set(&l.rs, &keys[i], false, true);
		fill_set(&l.rs, set, keys[i].n, 100000);
		rules_rule(&l.rs, chain);
		rules_in(&l.rs, &keys[i], false, set);
		rules_verdict(&l.rs, GATE_ACCEPT, 0);
	}
	for (i = 0; i < 5000; i++)
		count_port(&l.rs, chain, (uint16_t)i);
	loaded_start(&l, NULL);
	told = l.image->memory.total;
	counted = kernel_bytes_of(&l);
	printf("# told %llu, the kernel counts %llu\n", (unsigned long long)told,
	       (unsigned long long)counted);
	assert_true(counted < told + told / 10);
	assert_true(told < counted + counted / 10);
	loaded_release(&l);
}

static const struct test tests[] = {
	TEST(loaded_as_one_by_one_with_a_fixed_seed),
	TEST(loaded_as_one_by_one_with_a_fresh_seed),
	TEST(counts_go_on_in_the_ruleset_that_comes_next),
	TEST(tokens_of_a_limit_are_spent_once),
	TEST(a_thousand_rules_are_loaded),
	TEST(a_million_addresses_are_loaded),
	TEST(a_million_pairs_are_loaded),
	TEST(memory_is_what_the_kernel_counts),
};

TEST_MAIN(tests);
