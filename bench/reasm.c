// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a fragment costs the engine, on one core, against a peer in the same run; how many honest
 * datagrams become whole in a flood; and what memory things take.
 *
 *	reasm [--quick] [--only TEXT]    TEXT: a part of a row's name, or "flood"
 *
 * Packets stand in buffers of 2,304 bytes, as a driver leaves them. Each whole datagram is copied
 * to a linear one. Figures are medians over rounds; the sides take turns, so what else the machine
 * does hits all of them. The engine copies packets, or borrows them ("lent").
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <unfrag/reasm.h>

#include "reasm.h"

#define HOT_ROUND 256 /* packets of a round if one datagram is on its way at a time */
#define BLOCK     20  /* rounds of one side before the other's; all medians are over all */
#define WIDE      10000
#define SOURCES   100

static const char *only; /* rows with this in their name; NULL: all */

uint64_t bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * BENCH_SECOND + (uint64_t)ts.tv_nsec;
}

void bench_die(const char *what, int rc)
{
	fprintf(stderr, "reasm: %s: %s\n", what, strerror(-rc));
	exit(1);
}

uint32_t template_write(const struct template *t, int k, uint64_t i, unsigned char *out)
{
	size_t len;
	const unsigned char *from = lab_packet_at(&t->packets, (size_t)k, &len);
	uint16_t id = (uint16_t)i;
	unsigned char source = (unsigned char)(i / 7 % SOURCES);

	memcpy(out, from, len);
	if (t->family == AF_INET) {
		memcpy(out + 4, &id, sizeof(id));
		out[15] = source;
	} else {
		memcpy(out + 46, &id, sizeof(id));
		out[13] = source;
	}
	return (uint32_t)len;
}

void load_at(const struct load *load, int n, int *fragment, int *datagram)
{
	int block = n / (load->fragments * load->width), rest = n % (load->fragments * load->width);

	*fragment = rest / load->width;
	*datagram = block * load->width + rest % load->width;
}

int load_packets(const struct load *load)
{
	int all = load->fragments * load->width;

	return all >= HOT_ROUND ? all : HOT_ROUND / all * all;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), by_value);
	return values[n / 2];
}

/* ---- loads */

static void make_template(struct template *t, int family, int fragments, int size,
			  enum lab_order order)
{
	static unsigned char payload[65535];
	struct lab_datagram dg;
	int rc;

	memset(t, 0, sizeof(*t));
	lab_pattern(payload, sizeof(payload), 1);
	rc = lab_datagram_init(&dg, family, family == AF_INET ? "192.0.2.1" : "2001:db8::1",
			       family == AF_INET ? "198.51.100.2" : "2001:db8:1::2");
	dg.protocol = IPPROTO_UDP;
	dg.payload = payload;
	dg.payload_len = (size_t)fragments * (size_t)size;
	t->family = family;
	if (!rc)
		rc = lab_fragment(&dg, (size_t)size, &t->packets);
	if (!rc)
		rc = lab_packets_order(&t->packets, order, false, 1);
	if (rc)
		bench_die("making packets", rc);
}

/* Of a round each, ns a fragment. */
struct rounds {
	double *copied, *lent, *work, *all_in;
};

static void run(const struct load *load, const struct template *t, int rounds, struct rounds *ns,
		bool *has_peer)
{
	struct ours *copied = ours_open(load, t, false), *lent = ours_open(load, t, true);
	struct peer *peer = peer_open(load, t);
	int block = load->width > 1 ? 1 : BLOCK, first, i;

	*has_peer = peer;
	for (first = 0; first < rounds; first += block) {
		for (i = first; i < first + block && i < rounds; i++)
			ns->copied[i] = ours_round(copied, i);
		for (i = first; i < first + block && i < rounds; i++)
			ns->lent[i] = ours_round(lent, i);
		for (i = first; peer && i < first + block && i < rounds; i++)
			peer_round(peer, i, &ns->work[i], &ns->all_in[i]);
	}
	ours_close(copied);
	ours_close(lent);
	if (peer)
		peer_close(peer);
}

static void print_row(const struct load *load, int n, struct rounds *ns, bool has_peer)
{
	double copied = median(ns->copied, n), lent = median(ns->lent, n), work, all_in;

	printf("%-38s %5.0f ns %5.1f M/s, lent %5.0f ns %5.1f M/s", load->name, copied,
	       1000 / copied, lent, 1000 / lent);
	if (has_peer) {
		work = median(ns->work, n);
		all_in = median(ns->all_in, n);
		printf("; peer %5.0f ns %4.2fx, lent %4.2fx; all-in %5.0f ns %4.2fx, lent %4.2fx",
		       work, work / copied, work / lent, all_in, all_in / copied, all_in / lent);
	}
	putchar('\n');
	fflush(stdout);
}

static struct cost measure(const struct load *load, int rounds)
{
	double *all = calloc(4 * (size_t)rounds, sizeof(*all));
	size_t n = (size_t)rounds;
	struct rounds ns = { all, all + n, all + 2 * n, all + 3 * n };
	struct template t;
	struct cost cost;
	bool has_peer;

	if (!all)
		bench_die("allocating figures", -ENOMEM);
	make_template(&t, load->family, load->fragments, load->size, load->order);
	run(load, &t, rounds, &ns, &has_peer);
	print_row(load, rounds, &ns, has_peer);
	cost = (struct cost){ median(ns.copied, rounds), median(ns.lent, rounds) };
	lab_packets_release(&t.packets);
	free(all);
	return cost;
}

static struct cost load_of(int family, int fragments, int size, enum lab_order order, int width,
			   int rounds)
{
	char name[64];
	struct load load = { name, family, fragments, size, order, width };

	snprintf(name, sizeof(name), "%s %4d x %4d %-8s %s", family == AF_INET ? "v4" : "v6",
		 fragments, size, lab_order_name(order), width > 1 ? "10,000 at once" : "one");
	return !only || strstr(name, only) ? measure(&load, rounds) : (struct cost){ 0 };
}

static void hot(int rounds)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const int counts[] = { 2, 4, 44 };
	int f, c, size;

	for (f = 0; f < 2; f++)
		for (c = 0; c < 3; c++)
			for (size = 64; size <= 1480; size += 1416) {
				load_of(families[f], counts[c], size, LAB_IN_ORDER, 1, rounds);
				load_of(families[f], counts[c], size, LAB_REVERSED, 1, rounds);
			}
}

static void interleaved(int rounds)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int f;

	for (f = 0; f < 2; f++) {
		load_of(families[f], 2, 64, LAB_IN_ORDER, WIDE, rounds);
		load_of(families[f], 2, 1480, LAB_IN_ORDER, WIDE, rounds);
		load_of(families[f], 4, 64, LAB_REVERSED, WIDE, rounds);
		load_of(families[f], 4, 1480, LAB_IN_ORDER, WIDE, rounds);
		load_of(families[f], 44, 64, LAB_IN_ORDER, WIDE, rounds);
	}
}

static void order_matters_little(int rounds)
{
	struct cost in_order = load_of(AF_INET6, 44, 64, LAB_IN_ORDER, 1, rounds);
	struct cost reversed = load_of(AF_INET6, 44, 64, LAB_REVERSED, 1, rounds);
	struct cost most = load_of(AF_INET6, 8191, 8, LAB_RANDOM, 1, rounds / 20 + 3);

	if (only)
		return;
	printf("44 reversed at %.2f times the cost in order, lent %.2f\n",
	       reversed.copied / in_order.copied, reversed.lent / in_order.lent);
	printf("8,191 of 8 bytes at random at %.2f, lent %.2f\n", most.copied / in_order.copied,
	       most.lent / in_order.lent);
}

/* ---- flood */

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

	if (peer)
		peer_flood(flood, t, &theirs);
	copied = (struct flood_result){ .memory = theirs.memory };
	lent = copied;
	ours_flood(flood, t, false, &copied);
	ours_flood(flood, t, true, &lent);
	printf("%6d honest, %6d orphans a second, %2d ms, %zu KiB: %5.1f %%, lent %5.1f %%",
	       flood->good_rate, flood->orphan_rate, (int)(flood->gap / 1000000),
	       theirs.memory >> 10, percent(&copied), percent(&lent));
	printf(" and %zu KiB of packets held", lent.held >> 10);
	if (peer)
		printf("; peer %5.1f %% and %zu KiB", percent(&theirs), theirs.held >> 10);
	putchar('\n');
	fflush(stdout);
}

static void floods(const char *peer)
{
	static const int rates[] = { 0, 8000, 20000, 160000, 160000, 200000 };
	struct template t;
	size_t i;

	make_template(&t, AF_INET, 2, 1480, LAB_IN_ORDER);
	puts("\nflood: honest datagrams, 1 or 20 ms between their two fragments, among orphans");
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct flood flood = { 10000, rates[i], i < 4 ? 1000000 : 20000000, 10 };

		if (rates[i] && rates[i] < flood.good_rate)
			flood.good_rate = rates[i]; /* one orphan each */
		one_flood(&flood, &t, peer);
	}
	lab_packets_release(&t.packets);
}

/* ---- memory */

static long resident_kib(void)
{
	long pages = 0, ignored;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%ld %ld", &ignored, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 4;
}

static void memory(bool borrow)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .borrow = borrow };
	struct unfrag_reasm_stats stats;
	long before = resident_kib();
	struct unfrag_reasm *r;
	int rc = unfrag_reasm_new(&r, &opts);

	if (rc)
		bench_die("making an engine", rc);
	unfrag_reasm_stats(r, &stats);
	printf("memory%s: an engine of %zu KiB takes %ld KiB when idle; %u datagrams\n",
	       borrow ? ", lent" : "", stats.memory >> 10, resident_kib() - before,
	       stats.datagrams);
	printf("memory%s: an open datagram %zu bytes, and %zu for each %zu of its %s\n",
	       borrow ? ", lent" : "", stats.per_datagram, stats.per_cell,
	       borrow ? stats.cell_packets : stats.cell_bytes,
	       borrow ? "packets" : "that have data");
	unfrag_reasm_free(r);
}

/* Options in any order; false: not understood. */
static bool parse(int argc, char **argv, bool *quick)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--quick"))
			*quick = true;
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			only = argv[++i];
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	const char *why, *peer;
	bool quick = false;

	if (!parse(argc, argv, &quick)) {
		fputs("usage: reasm [--quick] [--only TEXT]\n", stderr);
		return 2;
	}
	memory(false);
	memory(true);
	peer = peer_name(&why);
	printf("peer: %s\n", peer ? peer : why);
	hot(quick ? 201 : 2001);
	order_matters_little(quick ? 101 : 1001);
	interleaved(quick ? 3 : 9);
	if (!only || strstr("flood", only))
		floods(peer);
	return 0;
}
