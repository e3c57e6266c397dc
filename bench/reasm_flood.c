// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Honest datagrams among orphans: how many become whole in the memory that the peer's table takes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reasm.h"
#include "reasm_target.h"

/*
 * In each step of time one honest datagram begins, the one that began a gap before ends, and the
 * orphans of that time come in between.
 */
bool flood_next(const struct flood *flood, uint64_t *step, struct flood_packet *packet)
{
	uint64_t orphans = (uint64_t)(flood->orphan_rate / flood->good_rate), slots = orphans + 2;
	uint64_t tick = *step / slots, slot = *step % slots;
	uint64_t gap = flood->gap / (BENCH_SECOND / (uint64_t)flood->good_rate);

	packet->now = BENCH_SECOND + tick * (BENCH_SECOND / (uint64_t)flood->good_rate);
	packet->orphan = slot >= 2;
	packet->fragment = slot == 1;
	packet->number = packet->orphan ? tick * orphans + slot - 2 : tick - (slot ? gap : 0);
	if (slot == 1 && tick < gap) { /* none began so early: an orphan instead */
		packet->orphan = true;
		packet->fragment = 0;
		packet->number = tick + (UINT64_C(1) << 24);
	}
	++*step;
	return tick < (uint64_t)flood->seconds * (uint64_t)flood->good_rate;
}

uint32_t flood_write(const struct template *t, const struct flood_packet *packet,
		     unsigned char *out)
{
	uint32_t len = template_write(t, packet->fragment, packet->number, out);
	uint32_t spoofed = (uint32_t)packet->number * 2654435761u;

	if (packet->orphan) {
		out[12] = 10;
		memcpy(out + 13, &spoofed, 3);
	}
	return len;
}

/* ---- buffers of a flood: so many as an engine may hold, which is seen at the end */

#define FLOOD_BUFFERS (1u << 17)

void flood_buffers_init(struct flood_buffers *b)
{
	uint32_t i;

	b->memory = malloc((size_t)FLOOD_BUFFERS * BENCH_STRIDE);
	b->free = calloc(FLOOD_BUFFERS, sizeof(*b->free));
	if (!b->memory || !b->free)
		bench_die("allocating packets", -ENOMEM);
	for (i = 0; i < FLOOD_BUFFERS; i++)
		b->free[i] = b->memory + (size_t)(FLOOD_BUFFERS - 1 - i) * BENCH_STRIDE;
	b->n_free = FLOOD_BUFFERS;
}

void *flood_buffer_take(struct flood_buffers *b)
{
	if (!b->n_free)
		bench_die("more packets are held than there are", -ENOBUFS);
	return b->free[--b->n_free];
}

void flood_buffer_give(struct flood_buffers *b, void *buffer)
{
	b->free[b->n_free++] = buffer;
}

size_t flood_buffers_held(const struct flood_buffers *b)
{
	return (size_t)(FLOOD_BUFFERS - b->n_free) * BENCH_STRIDE;
}

void flood_buffers_release(struct flood_buffers *b)
{
	free(b->memory);
	free(b->free);
}

static double percent(const struct flood_result *result)
{
	return 100.0 * (double)result->whole / (double)result->good;
}

static void one_flood(const struct flood *flood, const struct template *t, const char *peer)
{
	struct flood_result theirs = { .memory = 2 << 20 }, copied, lent;
	char name[64];

	if (peer)
		peer_flood(flood, t, &theirs);
	copied = (struct flood_result){ .memory = theirs.memory };
	lent = copied;
	ours_flood(flood, t, false, &copied);
	ours_flood(flood, t, true, &lent);
	snprintf(name, sizeof(name), "%d honest, %d orphans a second, %d ms", flood->good_rate,
		 flood->orphan_rate, (int)(flood->gap / 1000000));
	printf("%s, %zu KiB: %5.1f %%, lent %5.1f %%", name, theirs.memory >> 10, percent(&copied),
	       percent(&lent));
	printf(" and %zu KiB of packets held", lent.held >> 10);
	target_note(TARGET_FLOOD, false, percent(&copied), name);
	target_note(TARGET_FLOOD, true, percent(&lent), name);
	if (peer)
		printf("; peer %5.1f %% and %zu KiB", percent(&theirs), theirs.held >> 10);
	putchar('\n');
	fflush(stdout);
}

void floods(const char *peer)
{
	static const int rates[] = { 0, 8000, 20000, 160000, 160000, 200000 };
	struct template t;
	size_t i;

	template_init(&t, AF_INET, 2, 1480, LAB_IN_ORDER);
	puts("\nflood: honest datagrams, 1 or 20 ms between their two fragments, among orphans");
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct flood flood = { 10000, rates[i], i < 4 ? 1000000 : 20000000, 10 };

		if (rates[i] && rates[i] < flood.good_rate)
			flood.good_rate = rates[i]; /* one orphan each */
		one_flood(&flood, &t, peer);
	}
	lab_packets_release(&t.packets);
}
