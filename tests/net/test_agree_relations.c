// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Case 2 against the kernel: Allen's 13 relations of two fragments and the 409 of three, in every
 * order of arrival, both families, with equal bytes where they overlap and with others.
 *
 * Here kernel and engine differ in two ways, see `differences`. So the fragments go to a second
 * engine as well, but for what these differences explain; that engine and the kernel must agree on
 * everything. The first engine may then disagree only where a difference was met, and each of them
 * must be met where no other is.
 */
#include <agree.h>
#include <relations.h>
#include <stdio.h>
#include <string.h>

#define SEQUENCES (13 * 2 + 409 * 6)

enum difference {
	INSIDE,
	FORGETS,
	DIFFERENCES,
};

static const char *const differences[] = {
	[INSIDE] = "the kernel ignores what lies inside of one run of held data, uncompared",
	[FORGETS] = "the kernel forgets a datagram it gave up: what still comes is a new one",
};

_Static_assert(sizeof(differences) / sizeof(differences[0]) == DIFFERENCES, "a reason each");

/* What the kernel holds of a datagram: runs of fragments, each behind the one that came before. */
struct runs {
	int n;
	struct interval of[RELATION_PIECES];
};

enum meeting {
	FITS,
	IS_INSIDE,
	OVERLAPS,
};

/* In order of offsets. */
static void add_run(struct runs *r, struct interval span)
{
	int i = r->n++;

	for (; i > 0 && r->of[i - 1].from > span.from; i--)
		r->of[i] = r->of[i - 1];
	r->of[i] = span;
}

static enum meeting meet(struct runs *r, struct interval span)
{
	struct interval *last = r->n ? &r->of[r->n - 1] : NULL;

	for (int i = 0; i < r->n; i++) {
		const struct interval *run = &r->of[i];

		if (span.to <= run->from || span.from >= run->to)
			continue;
		return span.from >= run->from && span.to <= run->to ? IS_INSIDE : OVERLAPS;
	}
	if (last && span.from == last->to)
		last->to = span.to;
	else
		add_run(r, span);
	return FITS;
}

struct pass {
	struct agree *s;
	struct unfrag_reasm *adapted;
	struct lab_packets explained; /* what it made whole */
	unsigned int met[SEQUENCES];  /* by sequence: bits of differences */
};

static void send_one(struct pass *p, const struct lab_datagram *dg,
		     const struct relation_piece *piece, struct runs *runs, uint64_t *generation)
{
	const struct interval at = { piece->off, piece->off + piece->len };
	lab_auto_packets struct lab_packets packets = { 0 };
	struct lab_datagram with = *dg;
	unsigned char payload[1024];
	const unsigned char *packet;
	enum meeting meeting;
	size_t len;

	memcpy(payload + piece->off, piece->data, (size_t)piece->len);
	with.payload = payload;
	with.payload_len = sizeof(payload);
	test_ok(lab_fragment_at(&with, (size_t)piece->off, (size_t)piece->len, piece->more,
				&packets));
	agree_send(p->s, &packets);
	meeting = meet(runs, at);
	if (meeting == IS_INSIDE) {
		p->met[p->s->number - 1] |= 1u << INSIDE;
		return;
	}
	packet = lab_packet_at(&packets, 0, &len);
	agree_push(p->adapted, packet, len, *generation, &p->explained);
	if (meeting == OVERLAPS) {
		p->met[p->s->number - 1] |= 1u << FORGETS;
		runs->n = 0;
		++*generation;
	}
}

static void send_sequence(struct pass *p, int family, const struct relation *rel, const int *order,
			  bool same_bytes)
{
	struct relation_piece pieces[RELATION_PIECES];
	int n = relation_pieces(rel, order, same_bytes, pieces);
	struct runs runs = { 0 };
	uint64_t generation = 0;
	struct lab_datagram dg;

	agree_make(p->s, family, &dg, 0);
	for (int i = 0; i < n; i++)
		send_one(p, &dg, &pieces[i], &runs, &generation);
}

/* The packet of a sequence, as lists are in the order of sequences; there is one at most. */
static const unsigned char *take(const struct lab_packets *list, size_t *at, uint32_t number,
				 size_t *len)
{
	const unsigned char *packet;

	if (*at == list->count)
		return NULL;
	packet = lab_packet_at(list, *at, len);
	if (agree_number(packet) != number)
		return NULL;
	++*at;
	return packet;
}

/* Counts where the engine disagrees because of one difference alone. */
static void account(const struct pass *p, unsigned int alone[DIFFERENCES])
{
	size_t k = 0, o = 0, k_len = 0, o_len = 0;

	for (uint32_t number = 1; number <= p->s->number; number++) {
		const unsigned char *kernel = take(&p->s->kernel, &k, number, &k_len);
		const unsigned char *ours = take(&p->s->ours, &o, number, &o_len);

		if (!kernel && !ours)
			continue;
		if (kernel && ours && k_len == o_len && !memcmp(kernel, ours, k_len))
			continue;
		assert_true(p->met[number - 1]);
		for (int i = 0; i < DIFFERENCES; i++)
			alone[i] += p->met[number - 1] == 1u << i;
	}
	assert_int_equal(k, p->s->kernel.count);
	assert_int_equal(o, p->s->ours.count);
}

static void relations(struct agree *s, int family, bool same_bytes)
{
	const struct relation *all = relations_all();
	unsigned int alone[DIFFERENCES] = { 0 };
	static struct pass pass;

	pass = (struct pass){ .s = s, .adapted = agree_engine() };
	for (int i = 0; i < RELATIONS; i++)
		for (int k = 0; k < relation_orders(&all[i]); k++)
			send_sequence(&pass, family, &all[i], relation_order[k], same_bytes);
	assert_int_equal(s->number, SEQUENCES);
	agree_mark(s);
	agree_same(&s->kernel, &pass.explained);
	account(&pass, alone);
	printf("# %d sequences, whole: kernel %zu, engine %zu\n", SEQUENCES, s->kernel.count,
	       s->ours.count);
	for (int i = 0; i < DIFFERENCES; i++) {
		printf("# %u times: %s\n", alone[i], differences[i]);
		assert_true(alone[i]);
	}
	unfrag_reasm_free(pass.adapted);
	lab_packets_release(&pass.explained);
}

static void other_bytes_ipv4(void *state)
{
	relations(state, AF_INET, false);
}

static void other_bytes_ipv6(void *state)
{
	relations(state, AF_INET6, false);
}

static void equal_bytes_ipv4(void *state)
{
	relations(state, AF_INET, true);
}

static void equal_bytes_ipv6(void *state)
{
	relations(state, AF_INET6, true);
}

static const struct test tests[] = {
	AGREE_TEST(other_bytes_ipv4),
	AGREE_TEST(other_bytes_ipv6),
	AGREE_TEST(equal_bytes_ipv4),
	AGREE_TEST(equal_bytes_ipv6),
};

TEST_MAIN(tests);
