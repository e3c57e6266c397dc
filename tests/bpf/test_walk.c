// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One header walk, two compilers: on random packets, true ones and lies, the facts that a BPF
 * program gets through the author's header are those that unfrag_facts_read() finds in memory,
 * field by field, and both refuse the same packets.
 *
 * The native reader takes the length from the header and the BPF side from the kernel, which never
 * hands on a packet that is shorter; so the length field is put right before each run. The native
 * reader also takes the family from the packet: one of the other family counts as refused.
 */
#include <attached.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <facts.h>
#include <lab.h>
#include <stdio.h>
#include <string.h>
#include <test.h>
#include <testrun.h>

#define PACKETS     100000
#define SEED        20240917u
#define PACKET_MAX  1600
#define PAYLOAD_MAX 1000

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct fixture {
	struct bpf_object *obj;
	int prog_fd, records_fd;
};

/* What was met, so that the test can tell that it tested. */
struct tally {
	unsigned int refused;
	unsigned int frags[UNFRAG_FRAG_MAX];
	unsigned int defects[UNFRAG_DEFECT_MAX];
	unsigned int has_l4, behind_headers;
};

struct packet {
	unsigned char data[PACKET_MAX];
	size_t len;
	uint32_t pf;
};

static void setup(void **state)
{
	struct fixture *f;

	test_require_root();
	f = calloc(1, sizeof(*f));
	assert_non_null(f);
	*state = f;
	test_ok(attached_load(&f->obj, "facts"));
	f->prog_fd = bpf_program__fd(bpf_object__next_program(f->obj, NULL));
	f->records_fd = test_ok(bpf_object__find_map_fd_by_name(f->obj, "records"));
}

static void teardown(void *state)
{
	struct fixture *f = state;

	if (!f)
		return;
	bpf_object__close(f->obj);
	free(f);
}

static uint32_t below(struct lab_random *random, uint32_t limit)
{
	return (uint32_t)lab_random_below(random, limit);
}

/* Mostly what matters here, now and then anything. */
static uint8_t random_proto(struct lab_random *random)
{
	static const uint8_t known[] = {
		UNFRAG_PROTO_ICMP, UNFRAG_PROTO_TCP,     UNFRAG_PROTO_UDP,    UNFRAG_PROTO_DCCP,
		UNFRAG_PROTO_SCTP, UNFRAG_PROTO_UDPLITE, UNFRAG_PROTO_ICMPV6, UNFRAG_PROTO_NONE,
		50 /* ESP */,      UNFRAG_PROTO_DSTOPTS, 135 /* Mobility */,  139 /* HIP */,
	};

	if (!below(random, 8))
		return (uint8_t)below(random, 256);
	return known[below(random, LENGTH(known))];
}

static uint8_t random_exthdr(struct lab_random *random)
{
	static const uint8_t known[] = {
		UNFRAG_PROTO_HOPOPTS, UNFRAG_PROTO_ROUTING, UNFRAG_PROTO_FRAGMENT,
		UNFRAG_PROTO_AH,      UNFRAG_PROTO_DSTOPTS, UNFRAG_PROTO_FRAGMENT,
	};

	return known[below(random, LENGTH(known))];
}

/* Offset in units of 8 bytes: often none, often near the end of what fits, else any. */
static uint16_t random_offset(struct lab_random *random)
{
	switch (below(random, 4)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return (uint16_t)(8192 - below(random, 150) - 1);
	default:
		return (uint16_t)below(random, 8192);
	}
}

static void put16(unsigned char *p, uint32_t value)
{
	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)value;
}

static void make_ipv4(struct packet *p, struct lab_random *random)
{
	uint32_t words = below(random, 3) ? 5 : 5 + below(random, 11);
	uint32_t flags = below(random, 8) << 13;

	p->pf = 2;
	p->len = 4 * words + below(random, below(random, 2) ? 60 : PAYLOAD_MAX);
	lab_pattern(p->data, p->len, lab_random_next(random));
	p->data[0] = (unsigned char)(0x40 | words);
	put16(p->data + 6, below(random, 2) ? flags | random_offset(random) : 0);
	p->data[9] = random_proto(random);
}

/* One extension header at p->len; what its length field says, it has. */
static void add_exthdr(struct packet *p, struct lab_random *random, uint8_t type, uint8_t next)
{
	unsigned char *h = p->data + p->len;
	uint32_t len = below(random, 3) ? 0 : below(random, 4);
	uint32_t bytes = type == UNFRAG_PROTO_AH ? 8 + 4 * len : 8 + 8 * len;

	if (type == UNFRAG_PROTO_FRAGMENT)
		bytes = 8;
	lab_pattern(h, bytes, lab_random_next(random));
	h[0] = next;
	if (type == UNFRAG_PROTO_FRAGMENT)
		/* half of them atomic, reserved bits as they come */
		put16(h + 2, below(random, 2) ?
				     below(random, 4) << 1 :
				     (uint32_t)random_offset(random) << 3 | below(random, 8));
	else
		h[1] = (unsigned char)len;
	p->len += bytes;
}

static void make_ipv6(struct packet *p, struct lab_random *random)
{
	uint32_t n = below(random, 4) ? below(random, 4) : below(random, UNFRAG_EXTHDR_MAX + 4);
	uint8_t type = n ? random_exthdr(random) : random_proto(random);
	uint32_t payload = below(random, below(random, 2) ? 60 : 900);

	p->pf = 10;
	p->len = UNFRAG_IPV6_HLEN;
	lab_pattern(p->data, p->len, lab_random_next(random));
	p->data[0] = 0x60;
	p->data[6] = type;
	while (n--) {
		uint8_t next = n ? random_exthdr(random) : random_proto(random);

		add_exthdr(p, random, type, next);
		type = next;
	}
	/* Fragments with more to come are mostly a multiple of 8 long. */
	if (below(random, 3))
		payload = payload / 8 * 8;
	lab_pattern(p->data + p->len, payload, lab_random_next(random));
	p->len += payload;
}

/* Other bytes somewhere, mostly in the headers, or an early end. */
static void lie(struct packet *p, struct lab_random *random)
{
	uint32_t n = below(random, 4);

	while (n--) {
		uint32_t reach = below(random, 4) && p->len > 80 ? 80 : (uint32_t)p->len;

		p->data[below(random, reach)] = (unsigned char)below(random, 256);
	}
	if (!below(random, 4))
		p->len = 20 + below(random, (uint32_t)p->len - 19);
}

static void make(struct packet *p, struct lab_random *random)
{
	memset(p, 0, sizeof(*p));
	if (below(random, 3))
		make_ipv6(p, random);
	else
		make_ipv4(p, random);
	if (below(random, 2))
		lie(p, random);
	if (p->pf == 2)
		put16(p->data + 2, (uint32_t)p->len);
	else if (p->len >= UNFRAG_IPV6_HLEN)
		put16(p->data + 4, (uint32_t)p->len - UNFRAG_IPV6_HLEN);
}

static void dump(const struct packet *p)
{
	printf("# family %u:", p->pf);
	for (size_t i = 0; i < p->len && i < 256; i++)
		printf(" %02x", p->data[i]);
	putchar('\n');
}

static void count(struct tally *t, const struct unfrag_facts *f)
{
	t->frags[f->frag]++;
	t->defects[f->defect]++;
	t->has_l4 += f->has_l4;
	t->behind_headers += f->family == UNFRAG_IPV6 && f->l4_off > UNFRAG_IPV6_HLEN;
}

static bool same(const struct facts_record *r, const struct packet *p, int refused,
		 const struct unfrag_facts *want)
{
	if (refused || r->init_rc)
		return refused && r->init_rc == -74; /* -UNFRAG_EBADMSG */
	return !memcmp(&r->facts, want, sizeof(*want)) &&
	       r->is_fragment == unfrag_facts_is_fragment(want) && r->past_end_rc &&
	       r->last_byte == p->data[p->len - 1] && !r->reassembled && r->linear == p->len;
}

static void compare(const struct fixture *f, const struct packet *p, struct tally *t)
{
	struct unfrag_facts want;
	struct facts_record r;
	int refused = unfrag_facts_read(&want, p->data, (uint32_t)p->len);

	refused = refused || want.family != p->pf;
	test_ok(testrun(f->prog_fd, p->pf, UNFRAG_HOOK_OUTPUT, p->data, p->len, 1));
	test_ok(bpf_map_lookup_and_delete_elem(f->records_fd, NULL, &r));
	if (!same(&r, p, refused, &want))
		dump(p);
	assert_true(same(&r, p, refused, &want));
	if (refused)
		t->refused++;
	else
		count(t, &want);
}

static void random_packets_have_the_same_facts_in_bpf_and_natively(void *state)
{
	struct lab_random random = { .state = SEED };
	struct tally tally = { 0 };
	struct packet p;

	printf("# seed %u\n", SEED);
	for (int i = 0; i < PACKETS; i++) {
		make(&p, &random);
		compare(state, &p, &tally);
	}
	printf("# refused %u, with header %u, behind others %u\n", tally.refused, tally.has_l4,
	       tally.behind_headers);
	/* Each kind often enough to mean something. */
	assert_true(tally.refused >= PACKETS / 100);
	assert_true(tally.has_l4 >= PACKETS / 10);
	assert_true(tally.behind_headers >= PACKETS / 10);
	for (int i = 0; i < UNFRAG_FRAG_MAX; i++)
		assert_true(tally.frags[i] >= PACKETS / 100);
	for (int i = 0; i < UNFRAG_DEFECT_MAX; i++)
		assert_true(tally.defects[i] >= PACKETS / 1000);
}

static const struct test tests[] = {
	TEST_WITH(random_packets_have_the_same_facts_in_bpf_and_natively, setup, teardown),
};

TEST_MAIN(tests);
