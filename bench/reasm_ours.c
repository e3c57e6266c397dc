// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine under the loads, copying its packets or borrowing them. What is lent is taken back and
 * put on a stack, as a caller would do with free buffers; that is in the figures.
 */
#include <errno.h>
#include <stdlib.h>

#include <unfrag/reasm.h>

#include "reasm.h"

#define BATCH 32
#define BACK  64

static unsigned char linear[1 << 17];

struct ours {
	const struct load *load;
	const struct template *t;
	struct unfrag_reasm *r;
	unsigned char *buffers;
	struct unfrag_reasm_packet *packets;
	void **stack; /* packets that are free again, if they are lent */
	int n, n_free;
};

struct ours *ours_open(const struct load *load, const struct template *t, bool borrow)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts),
					  .memory = load->width > 1 ? 256 << 20 : 0,
					  .source_share = 100,
					  .borrow = borrow };
	struct ours *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		bench_die("allocating packets", -ENOMEM);
	o->load = load;
	o->t = t;
	o->n = load_packets(load);
	o->buffers = malloc((size_t)o->n * BENCH_STRIDE);
	o->packets = calloc((size_t)o->n, sizeof(*o->packets));
	o->stack = borrow ? calloc((size_t)o->n + BACK, sizeof(*o->stack)) : NULL;
	if (!o->buffers || !o->packets || (borrow && !o->stack))
		bench_die("allocating packets", -ENOMEM);
	rc = unfrag_reasm_new(&o->r, &opts);
	if (rc)
		bench_die("making an engine", rc);
	return o;
}

void ours_close(struct ours *o)
{
	unfrag_reasm_free(o->r);
	free(o->buffers);
	free(o->packets);
	free(o->stack);
	free(o);
}

static void fill(struct ours *o, uint64_t first)
{
	unsigned char *buffer = o->buffers;
	int i, k, d;

	for (i = 0; i < o->n; i++, buffer += BENCH_STRIDE) {
		load_at(o->load, i, &k, &d);
		o->packets[i].data = buffer;
		o->packets[i].size = template_write(o->t, k, first + (uint64_t)d, buffer);
		o->packets[i].owner = buffer;
	}
	o->n_free = 0;
}

static void take_back(struct ours *o)
{
	size_t n;

	do {
		n = unfrag_reasm_take_back(o->r, o->stack + o->n_free, BACK);
		o->n_free += (int)n;
	} while (n == BACK);
}

static int work(struct ours *o, uint64_t now)
{
	struct unfrag_reasm_result res[BATCH];
	size_t n = (size_t)o->n, done, taken, i;
	int whole = 0;

	for (done = 0; done < n; done += taken) {
		taken = n - done < BATCH ? n - done : BATCH;
		taken = unfrag_reasm_push_batch(o->r, o->packets + done, taken, now, res);
		for (i = 0; i < taken; i++) {
			if (res[i].outcome != UNFRAG_REASM_COMPLETE)
				continue;
			unfrag_reasm_copy(o->r, &res[i], linear, sizeof(linear));
			__asm__ volatile("" : : "r"(linear) : "memory");
			whole++;
		}
		if (o->stack)
			take_back(o);
	}
	return whole;
}

double ours_round(struct ours *o, int round)
{
	int datagrams = o->n / o->load->fragments, whole;
	uint64_t from, to;

	fill(o, (uint64_t)round * (uint64_t)datagrams);
	from = bench_now();
	whole = work(o, from);
	to = bench_now();
	if (whole != datagrams)
		bench_die("the engine lost datagrams", -EIO);
	if (o->stack && o->n_free != o->n)
		bench_die("the engine lost packets", -EIO);
	return (double)(to - from) / o->n;
}

void ours_flood(const struct flood *flood, const struct template *t, bool borrow,
		struct flood_result *result)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts),
					  .memory = result->memory,
					  .borrow = borrow };
	struct flood_buffers buffers;
	struct unfrag_reasm_packet in;
	struct unfrag_reasm_result res;
	struct flood_packet packet;
	struct unfrag_reasm *r;
	uint64_t step = 0;
	int rc = unfrag_reasm_new(&r, &opts);

	if (rc)
		bench_die("making an engine", rc);
	flood_buffers_init(&buffers);
	while (flood_next(flood, &step, &packet)) {
		in.owner = flood_buffer_take(&buffers);
		in.data = in.owner;
		in.size = flood_write(t, &packet, in.owner);
		in.scope = 0;
		unfrag_reasm_push(r, &in, packet.now, &res);
		result->good += !packet.orphan && packet.fragment == 0;
		result->whole += res.outcome == UNFRAG_REASM_COMPLETE;
		if (!borrow ||
		    (res.outcome != UNFRAG_REASM_HELD && res.outcome != UNFRAG_REASM_COMPLETE))
			flood_buffer_give(&buffers, in.owner);
		while (borrow && unfrag_reasm_take_back(r, &in.owner, 1))
			flood_buffer_give(&buffers, in.owner);
	}
	result->held = flood_buffers_held(&buffers);
	unfrag_reasm_free(r);
	flood_buffers_release(&buffers);
}
