// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The front by itself, packet in, verdict and counters out: every outcome at every family and hook,
 * the options, and the slot. "reassembled" is not among them, as no test run leaves the trace that
 * the kernel's defragmenter leaves; tests/net has it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <lab.h>
#include <stdio.h>
#include <string.h>
#include <test.h>
#include <testrun.h>
#include <unfrag/packet.h>

#include "front.h"
#include "layout.h"
#include "link.h"

#define DROP   0
#define ACCEPT 1

#define PLACES (FRONT_FAMILIES * FRONT_HOOKS)

struct fixture {
	struct front front;
	int accept_fd, drop_fd;                    /* programs of two instructions */
	uint64_t want[PLACES][UNFRAG_OUTCOME_MAX]; /* what the counters must be */
};

/* A packet, and what the front makes of it. */
struct sample {
	const char *what;
	size_t len;
	int family;
	enum unfrag_outcome outcome;
	unsigned char data[640];
};

static int load_drop(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = DROP },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)LINK_ATTACH_TYPE_NETFILTER);

	return bpf_prog_load((enum bpf_prog_type)LINK_PROG_TYPE_NETFILTER, "drop", "GPL", insns, 2,
			     &opts);
}

static void setup(void **state)
{
	struct fixture *f;

	test_require_root();
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	*state = f;
	f->front = (struct front)FRONT_INIT;
	f->accept_fd = f->drop_fd = -1;
	f->accept_fd = test_ok(link_load_pass());
	f->drop_fd = test_ok(load_drop());
}

static void teardown(void *state)
{
	struct fixture *f = state;

	if (!f)
		return;
	front_release(&f->front);
	lab_closep(&f->accept_fd);
	lab_closep(&f->drop_fd);
	free(f);
}

static void load(struct fixture *f, uint32_t flags, int prog_fd)
{
	front_release(&f->front);
	f->front = (struct front)FRONT_INIT;
	memset(f->want, 0, sizeof(f->want));
	test_ok(front_load(&f->front, flags));
	if (prog_fd >= 0)
		test_ok(front_put(f->front.slot_fd, 0, prog_fd));
}

static uint32_t pf_of(int family)
{
	return family == AF_INET6 ? 10 : 2;
}

static uint32_t place_of(int family, uint32_t hook)
{
	return (family == AF_INET6 ? FRONT_HOOKS : 0) + hook;
}

/* The verdict; `outcome` is what it has to be counted as. */
static int run_times(struct fixture *f, const struct sample *s, uint32_t hook,
		     enum unfrag_outcome outcome, int times)
{
	f->want[place_of(s->family, hook)][outcome] += (uint64_t)times;
	return test_ok(
		testrun(f->front.prog_fds[0], pf_of(s->family), hook, s->data, s->len, times));
}

static int run(struct fixture *f, const struct sample *s, uint32_t hook)
{
	return run_times(f, s, hook, s->outcome, 1);
}

/* One place, each CPU. */
static void check_place(const struct fixture *f, uint32_t place, struct front_counters *cpu,
			int cpus)
{
	uint64_t sum[UNFRAG_OUTCOME_SLOTS] = { 0 };

	test_ok(bpf_map_lookup_elem(f->front.counters_fd, &place, cpu));
	for (int c = 0; c < cpus; c++) {
		assert_int_equal(cpu[c].frag_max_size, 0);
		for (int i = 0; i < UNFRAG_OUTCOME_SLOTS; i++)
			sum[i] += cpu[c].outcomes[i];
	}
	for (int i = 0; i < UNFRAG_OUTCOME_SLOTS; i++)
		assert_int_equal(sum[i], i < UNFRAG_OUTCOME_MAX ? f->want[place][i] : 0);
}

/* All that was run is counted, at its place and outcome, and nothing else anywhere. */
static void counted(const struct fixture *f)
{
	int cpus = test_ok(libbpf_num_possible_cpus());
	struct front_counters *cpu = calloc((size_t)cpus, sizeof(*cpu));

	assert_non_null(cpu);
	for (uint32_t place = 0; place < PLACES; place++)
		check_place(f, place, cpu, cpus);
	free(cpu);
}

static void begin(struct sample *s, struct lab_datagram *dg, const char *what, int family)
{
	static const unsigned char data[400] = { 1, 2, 3 };

	memset(s, 0, sizeof(*s));
	s->what = what;
	s->family = family;
	test_ok(lab_datagram_init(dg, family, family == AF_INET6 ? "2001:db8::1" : "192.0.2.1",
				  family == AF_INET6 ? "2001:db8::2" : "192.0.2.2"));
	dg->identification = 77;
	test_ok(lab_datagram_set_udp(dg, 1000, 2000, data, sizeof(data)));
}

static void finish(struct sample *s, struct lab_datagram *dg, struct lab_packets *packets,
		   enum unfrag_outcome outcome)
{
	const unsigned char *packet = lab_packet_at(packets, 0, &s->len);

	assert_true(s->len <= sizeof(s->data));
	memcpy(s->data, packet, s->len);
	s->outcome = outcome;
	lab_packets_release(packets);
	lab_datagram_release(dg);
}

static struct sample whole(int family)
{
	struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	struct sample s;

	begin(&s, &dg, "whole", family);
	test_ok(lab_whole(&dg, &packets));
	finish(&s, &dg, &packets, UNFRAG_OUTCOME_WHOLE);
	return s;
}

static struct sample fragment(int family, const char *what, size_t off, size_t len, bool more,
			      enum unfrag_outcome outcome)
{
	struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	struct sample s;

	begin(&s, &dg, what, family);
	test_ok(lab_fragment_at(&dg, off, len, more, &packets));
	finish(&s, &dg, &packets, outcome);
	return s;
}

/* IPv6, n extension headers of 8 bytes; the last one says that it is longer. */
static struct sample chain(const char *what, size_t n, unsigned char last_len,
			   enum unfrag_outcome outcome)
{
	unsigned char headers[8 * 20] = { 0 };
	struct lab_packets packets = { 0 };
	struct lab_datagram dg;
	struct sample s;

	begin(&s, &dg, what, AF_INET6);
	for (size_t i = 0; i < n; i++)
		headers[8 * i] = UNFRAG_PROTO_DSTOPTS;
	dg.headers = headers;
	dg.headers_len = 8 * n;
	dg.headers_first = UNFRAG_PROTO_DSTOPTS;
	test_ok(lab_whole(&dg, &packets));
	finish(&s, &dg, &packets, outcome);
	s.data[UNFRAG_IPV6_HLEN + 8 * (n - 1) + 1] = last_len;
	return s;
}

static struct sample first_byte(int family, const char *what, unsigned char byte)
{
	struct sample s = whole(family);

	s.what = what;
	s.data[0] = byte;
	s.outcome = UNFRAG_OUTCOME_UNREADABLE;
	return s;
}

#define SAMPLES_MAX 32

/* One of each kind. */
static size_t make_samples(struct sample *s)
{
	const int v4 = AF_INET, v6 = AF_INET6;
	size_t n = 0;

	s[n++] = whole(v4);
	s[n++] = whole(v6);
	s[n++] = fragment(v4, "first", 0, 24, true, UNFRAG_OUTCOME_FRAGMENT_FIRST);
	s[n++] = fragment(v6, "first", 0, 24, true, UNFRAG_OUTCOME_FRAGMENT_FIRST);
	s[n++] = fragment(v4, "middle", 24, 24, true, UNFRAG_OUTCOME_FRAGMENT_LATER);
	s[n++] = fragment(v6, "middle", 24, 24, true, UNFRAG_OUTCOME_FRAGMENT_LATER);
	s[n++] = fragment(v4, "last", 400, 8, false, UNFRAG_OUTCOME_FRAGMENT_LATER);
	s[n++] = fragment(v6, "last", 400, 8, false, UNFRAG_OUTCOME_FRAGMENT_LATER);
	s[n++] = fragment(v6, "atomic", 0, 408, false, UNFRAG_OUTCOME_WHOLE);
	/* IPv4's defects are fragments like others: the kernel never passes them on for them. */
	s[n++] = fragment(v4, "first of odd length", 0, 23, true, UNFRAG_OUTCOME_FRAGMENT_FIRST);
	s[n++] = fragment(v4, "first without ports", 0, 0, true, UNFRAG_OUTCOME_FRAGMENT_FIRST);
	s[n++] = fragment(v4, "beyond the end", 65528, 40, false, UNFRAG_OUTCOME_FRAGMENT_LATER);
	s[n++] = fragment(v6, "odd length", 0, 23, true, UNFRAG_OUTCOME_FRAGMENT_MALFORMED);
	s[n++] = fragment(v6, "odd middle", 24, 17, true, UNFRAG_OUTCOME_FRAGMENT_MALFORMED);
	s[n++] = fragment(v6, "no ports", 0, 0, true, UNFRAG_OUTCOME_FRAGMENT_MALFORMED);
	s[n++] = fragment(v6, "empty", 24, 0, false, UNFRAG_OUTCOME_FRAGMENT_MALFORMED);
	s[n++] = fragment(v6, "beyond the end", 65528, 16, false,
			  UNFRAG_OUTCOME_FRAGMENT_MALFORMED);
	s[n++] = chain("16 headers", 16, 0, UNFRAG_OUTCOME_WHOLE);
	s[n++] = chain("17 headers", 17, 0, UNFRAG_OUTCOME_UNREADABLE);
	s[n++] = chain("header past the end", 1, 255, UNFRAG_OUTCOME_UNREADABLE);
	s[n++] = chain("last of three past the end", 3, 60, UNFRAG_OUTCOME_UNREADABLE);
	s[n++] = first_byte(v4, "header of 16 bytes", 0x44);
	s[n++] = first_byte(v4, "version 5", 0x55);
	s[n++] = first_byte(v6, "version 4", 0x45);
	s[n] = whole(v4);
	s[n].what = "header longer than the packet";
	s[n].data[0] = 0x4f;
	s[n].len = 59;
	s[n++].outcome = UNFRAG_OUTCOME_UNREADABLE;
	assert_true(n <= SAMPLES_MAX);
	return n;
}

static int verdict_on(const struct sample *s, uint32_t flags)
{
	switch (s->outcome) {
	case UNFRAG_OUTCOME_FRAGMENT_FIRST:
	case UNFRAG_OUTCOME_FRAGMENT_LATER:
	case UNFRAG_OUTCOME_FRAGMENT_MALFORMED:
		return flags & UNFRAG_ATTACH_ACCEPT_FRAGMENTS ? ACCEPT : DROP;
	case UNFRAG_OUTCOME_UNREADABLE:
		return flags & UNFRAG_ATTACH_ACCEPT_UNREADABLE ? ACCEPT : DROP;
	default:
		return ACCEPT;
	}
}

static void check_samples(struct fixture *f, uint32_t flags, uint32_t hook)
{
	static struct sample samples[SAMPLES_MAX];
	size_t n = make_samples(samples);

	load(f, flags, f->accept_fd);
	for (size_t i = 0; i < n; i++) {
		const struct sample *s = &samples[i];
		int verdict = run(f, s, hook);

		if (verdict != verdict_on(s, flags))
			printf("# IPv%d, %s\n", s->family == AF_INET6 ? 6 : 4, s->what);
		assert_int_equal(verdict, verdict_on(s, flags));
		counted(f);
	}
}

static void each_outcome_at_prerouting(void *state)
{
	check_samples(state, 0, UNFRAG_HOOK_PREROUTING);
}

static void each_outcome_at_input(void *state)
{
	check_samples(state, 0, UNFRAG_HOOK_INPUT);
}

static void each_outcome_at_forward(void *state)
{
	check_samples(state, 0, UNFRAG_HOOK_FORWARD);
}

static void each_outcome_at_output(void *state)
{
	check_samples(state, 0, UNFRAG_HOOK_OUTPUT);
}

static void each_outcome_at_postrouting(void *state)
{
	check_samples(state, 0, UNFRAG_HOOK_POSTROUTING);
}

static void fragments_are_accepted_if_asked_and_nothing_else(void *state)
{
	check_samples(state, UNFRAG_ATTACH_ACCEPT_FRAGMENTS, UNFRAG_HOOK_FORWARD);
}

static void unreadable_packets_are_accepted_if_asked_and_nothing_else(void *state)
{
	check_samples(state, UNFRAG_ATTACH_ACCEPT_UNREADABLE, UNFRAG_HOOK_OUTPUT);
}

static void acceptance_of_an_empty_slot_is_no_other(void *state)
{
	check_samples(state, UNFRAG_ATTACH_ACCEPT_EMPTY, UNFRAG_HOOK_PREROUTING);
}

static void ipv6_cut_short_of_its_header_is_unreadable(void *state)
{
	struct sample s = whole(AF_INET6);
	struct fixture *f = state;

	s.len = UNFRAG_IPV6_HLEN - 1;
	s.outcome = UNFRAG_OUTCOME_UNREADABLE;
	load(f, 0, f->accept_fd);
	assert_int_equal(run(f, &s, UNFRAG_HOOK_OUTPUT), DROP);
	counted(f);
}

static void empty_slot(struct fixture *f, uint32_t flags, int verdict)
{
	static const int families[] = { AF_INET, AF_INET6 };

	load(f, flags, -1);
	for (int i = 0; i < 2; i++) {
		struct sample s = whole(families[i]);

		s.outcome = UNFRAG_OUTCOME_SLOT_EMPTY;
		for (uint32_t hook = 0; hook < FRONT_HOOKS; hook++)
			assert_int_equal(run(f, &s, hook), verdict);
	}
	counted(f);
}

static void empty_slot_drops_and_is_counted(void *state)
{
	empty_slot(state, 0, DROP);
}

static void empty_slot_accepts_if_asked_and_is_counted(void *state)
{
	empty_slot(state, UNFRAG_ATTACH_ACCEPT_EMPTY, ACCEPT);
}

/* What no program may judge is not counted as missing one. */
static void fragment_at_an_empty_slot_is_a_fragment(void *state)
{
	struct sample s = fragment(AF_INET, "", 24, 24, true, UNFRAG_OUTCOME_FRAGMENT_LATER);
	struct fixture *f = state;

	load(f, UNFRAG_ATTACH_ACCEPT_EMPTY, -1);
	assert_int_equal(run(f, &s, UNFRAG_HOOK_FORWARD), DROP);
	counted(f);
}

static void program_in_the_slot_has_the_last_word(void *state)
{
	struct sample s = whole(AF_INET6);
	struct fixture *f = state;

	load(f, 0, f->drop_fd);
	assert_int_equal(run(f, &s, UNFRAG_HOOK_FORWARD), DROP);
	test_ok(front_put(f->front.slot_fd, 0, f->accept_fd));
	assert_int_equal(run(f, &s, UNFRAG_HOOK_FORWARD), ACCEPT);
	test_ok(front_put(f->front.slot_fd, 0, f->drop_fd));
	assert_int_equal(run(f, &s, UNFRAG_HOOK_FORWARD), DROP);
	counted(f);
}

static void program_that_drops_is_not_asked_about_fragments(void *state)
{
	struct sample s = fragment(AF_INET6, "", 0, 24, true, UNFRAG_OUTCOME_FRAGMENT_FIRST);
	struct fixture *f = state;

	load(f, UNFRAG_ATTACH_ACCEPT_FRAGMENTS, f->drop_fd);
	assert_int_equal(run(f, &s, UNFRAG_HOOK_INPUT), ACCEPT);
}

static void slot_tells_what_is_in_it(void *state)
{
	struct bpf_prog_info info = { 0 };
	uint32_t id = 99, len = sizeof(info);
	struct fixture *f = state;

	load(f, 0, -1);
	test_ok(front_get(f->front.slot_fd, 0, &id));
	assert_int_equal(id, 0);
	test_ok(front_put(f->front.slot_fd, 0, f->drop_fd));
	test_ok(front_get(f->front.slot_fd, 0, &id));
	test_ok(bpf_obj_get_info_by_fd(f->drop_fd, &info, &len));
	assert_int_equal(id, info.id);
}

static void slot_refuses_a_program_of_another_type(void *state)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	lab_autoclose int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xdp", "GPL", insns, 2, NULL);
	struct sample s = whole(AF_INET);
	struct fixture *f = state;

	test_ok(fd);
	load(f, 0, f->accept_fd);
	test_err(front_put(f->front.slot_fd, 0, fd), -EINVAL);
	assert_int_equal(run(f, &s, UNFRAG_HOOK_INPUT), ACCEPT);
}

static void counters_add_up(void *state)
{
	struct sample s = fragment(AF_INET, "", 0, 24, true, UNFRAG_OUTCOME_FRAGMENT_FIRST);
	struct sample w = whole(AF_INET);
	struct fixture *f = state;

	load(f, 0, f->accept_fd);
	for (uint32_t hook = 0; hook < FRONT_HOOKS; hook++) {
		run_times(f, &s, hook, s.outcome, 1000);
		run_times(f, &w, hook, w.outcome, 2000);
		run_times(f, &s, hook, s.outcome, 1);
	}
	counted(f);
}

static void fronts_share_nothing(void *state)
{
	struct sample s = whole(AF_INET);
	struct front other = FRONT_INIT;
	struct fixture *f = state;

	load(f, 0, f->accept_fd);
	test_ok(front_load(&other, 0));
	assert_int_equal(run(f, &s, UNFRAG_HOOK_FORWARD), ACCEPT);
	assert_int_equal(test_ok(testrun(other.prog_fds[0], 2, 2, s.data, s.len, 1)), DROP);
	counted(f);
	front_release(&other);
}

#define FRONT_TEST(fn) TEST_WITH(fn, setup, teardown)

static const struct test tests[] = {
	FRONT_TEST(each_outcome_at_prerouting),
	FRONT_TEST(each_outcome_at_input),
	FRONT_TEST(each_outcome_at_forward),
	FRONT_TEST(each_outcome_at_output),
	FRONT_TEST(each_outcome_at_postrouting),
	FRONT_TEST(fragments_are_accepted_if_asked_and_nothing_else),
	FRONT_TEST(unreadable_packets_are_accepted_if_asked_and_nothing_else),
	FRONT_TEST(acceptance_of_an_empty_slot_is_no_other),
	FRONT_TEST(ipv6_cut_short_of_its_header_is_unreadable),
	FRONT_TEST(empty_slot_drops_and_is_counted),
	FRONT_TEST(empty_slot_accepts_if_asked_and_is_counted),
	FRONT_TEST(fragment_at_an_empty_slot_is_a_fragment),
	FRONT_TEST(program_in_the_slot_has_the_last_word),
	FRONT_TEST(program_that_drops_is_not_asked_about_fragments),
	FRONT_TEST(slot_tells_what_is_in_it),
	FRONT_TEST(slot_refuses_a_program_of_another_type),
	FRONT_TEST(counters_add_up),
	FRONT_TEST(fronts_share_nothing),
};

TEST_MAIN(tests);
