// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the gate tells of packets that log statements meet, and that it counts those it can't tell
 * of.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fields.h>
#include <loaded.h>
#include <rules.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>
#include <time.h>

#define INPUT  1u
#define SOURCE 0x0a000001u
#define DEST   0x0a000002u
#define MANY   6000u /* more than the ring buffer has room for */

static const char ruleset[] =
	"table inet t {\n"
	" chain c { type filter hook input priority 0; policy accept;\n"
	"  udp dport 53 log prefix \"dns \" counter\n"
	"  udp sport 99 accept\n"
	"  ip daddr 10.0.0.2 log prefix \"to us \" drop\n"
	" }\n}\n";

struct fixture {
	struct loaded loaded;
	struct ring_buffer *ring;
	struct gate_event events[MANY];
	size_t n;
};

static int keep(void *arg, void *data, size_t size)
{
	struct fixture *f = arg;

	assert_true(size == sizeof(f->events[0]) && f->n < MANY);
	memcpy(&f->events[f->n++], data, size);
	return 0;
}

static void up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	loaded_read(&f->loaded, NULL, ruleset);
	loaded_start(&f->loaded, NULL);
	f->ring = ring_buffer__new(instance_events(f->loaded.instance), keep, f, NULL);
	assert_non_null(f->ring);
}

static void down(void *state)
{
	struct fixture *f = state;

	ring_buffer__free(f->ring);
	loaded_release(&f->loaded);
	free(f);
}

static uint32_t pass(struct fixture *f, uint16_t sport, uint16_t dport)
{
	uint8_t packet[64];
	size_t len = loaded_udp(packet, SOURCE, DEST, sport, dport);

	return loaded_packet(&f->loaded, 0, INPUT, packet, len);
}

static uint64_t lost(const struct fixture *f)
{
	uint64_t n;

	test_ok(instance_lost(f->loaded.instance, &n));
	return n;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void expect_event(const struct gate_event *e, uint32_t log, uint32_t rule, uint16_t dport)
{
	const struct {
		uint32_t field;
		value want;
	} fields[] = {
		{ GATE_IP_SADDR, SOURCE }, { GATE_IP_DADDR, DEST },
		{ GATE_SPORT, 1024 },      { GATE_DPORT, dport },
		{ GATE_L4PROTO, 17 },      { GATE_LENGTH, 28 },
		{ GATE_REASSEMBLED, 0 },   { GATE_OIFNAME, (value)('l' << 8 | 'o') << 112 },
	};
	size_t i;

	assert_int_equal(e->log, log);
	assert_int_equal(e->rule, rule);
	assert_int_equal(e->hook, INPUT);
	assert_int_equal(e->reserved, 0);
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		assert_true(fields_has(&e->values, fields[i].field));
		assert_true(fields_get(&e->values, fields[i].field) == fields[i].want);
	}
	assert_false(fields_has(&e->values, GATE_IP6_SADDR));
	assert_false(fields_has(&e->values, GATE_LARGEST));
}

static void an_event_tells_the_rule_and_what_the_packet_shows(void *state)
{
	struct fixture *f = state;
	const struct ruleset *rs = &f->loaded.rs;
	uint64_t before = now();

	assert_int_equal(pass(f, 99, 80), GATE_ACCEPT);
	assert_int_equal(pass(f, 1024, 53), GATE_DROP);
	assert_int_equal(pass(f, 1024, 80), GATE_DROP);
	assert_int_equal(ring_buffer__consume(f->ring), 3);
	expect_event(&f->events[0], 0, 0, 53);
	expect_event(&f->events[1], 1, 2, 53);
	expect_event(&f->events[2], 1, 2, 80);
	assert_string_equal(rs->logs[0].prefix, "dns ");
	assert_string_equal(rs->logs[1].prefix, "to us ");
	for (size_t i = 0; i < f->n; i++) {
		assert_true(f->events[i].time >= before && f->events[i].time <= now());
		before = f->events[i].time;
	}
	assert_int_equal(lost(f), 0);
}

static void what_there_is_no_room_for_is_counted_and_judged_all_the_same(void *state)
{
	struct fixture *f = state;
	uint32_t i;

	for (i = 0; i < MANY; i++)
		assert_int_equal(pass(f, 1024, 80), GATE_DROP);
	assert_true(lost(f) > 0);
	assert_true(ring_buffer__consume(f->ring) > 0);
	assert_int_equal(f->n + lost(f), MANY);
	/* The first ones are kept, and there is room again. */
	f->n = 0;
	i = (uint32_t)lost(f);
	assert_int_equal(pass(f, 1024, 53), GATE_DROP);
	assert_int_equal(ring_buffer__consume(f->ring), 2);
	expect_event(&f->events[0], 0, 0, 53);
	assert_int_equal(lost(f), i);
}

#define LOG_TEST(fn) TEST_WITH(fn, up, down)

static const struct test tests[] = {
	LOG_TEST(an_event_tells_the_rule_and_what_the_packet_shows),
	LOG_TEST(what_there_is_no_room_for_is_counted_and_judged_all_the_same),
};

TEST_MAIN(tests);
