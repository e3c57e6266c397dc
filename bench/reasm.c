// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a fragment costs the engine, on one core, against a peer in the same run; how many honest
 * datagrams become whole in a flood; and what memory things take.
 *
 *	reasm [--quick] [--only TEXT]    TEXT: a part of a row's name, "orders" or "flood"
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
#include "reasm_target.h"

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

void template_init(struct template *t, int family, int fragments, int size, enum lab_order order)
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
	double *scratch;
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

/* Of rounds that were next to each other, so what slows all down does not count. */
static double median_ratio(const double *of, const double *to, double *scratch, int n)
{
	int i;

	for (i = 0; i < n; i++)
		scratch[i] = of[i] / to[i];
	return median(scratch, n);
}

static void print_peer(const struct load *load, int n, struct rounds *ns)
{
	bool wide = load->width > 1;
	enum target target = wide ? TARGET_WIDE_PEER : TARGET_HOT_PEER;
	double copied = median_ratio(ns->work, ns->copied, ns->scratch, n);
	double lent = median_ratio(ns->work, ns->lent, ns->scratch, n);
	double copied_all = median_ratio(ns->all_in, ns->copied, ns->scratch, n);
	double lent_all = median_ratio(ns->all_in, ns->lent, ns->scratch, n);

	target_note(target, false, wide ? copied_all : copied, load->name);
	target_note(target, true, wide ? lent_all : lent, load->name);
	printf("; peer %5.0f ns %4.2fx, lent %4.2fx", median(ns->work, n), copied, lent);
	printf("; all-in %5.0f ns %4.2fx, lent %4.2fx", median(ns->all_in, n), copied_all,
	       lent_all);
}

/* The medians sort, so they come last. */
static void print_row(const struct load *load, int n, struct rounds *ns, bool has_peer)
{
	enum target target = load->width > 1 ? TARGET_WIDE : TARGET_HOT;
	double copied, lent;

	memcpy(ns->scratch, ns->copied, (size_t)n * sizeof(*ns->scratch));
	copied = median(ns->scratch, n);
	memcpy(ns->scratch, ns->lent, (size_t)n * sizeof(*ns->scratch));
	lent = median(ns->scratch, n);
	printf("%-38s %5.0f ns %5.1f M/s, lent %5.0f ns %5.1f M/s", load->name, copied,
	       1000 / copied, lent, 1000 / lent);
	if (load->fragments <= 44) {
		target_note(target, false, 1000 / copied, load->name);
		target_note(target, true, 1000 / lent, load->name);
	}
	if (has_peer)
		print_peer(load, n, ns);
	putchar('\n');
	fflush(stdout);
}

static void measure(const struct load *load, int rounds)
{
	double *all = calloc(5 * (size_t)rounds, sizeof(*all));
	size_t n = (size_t)rounds;
	struct rounds ns = { all, all + n, all + 2 * n, all + 3 * n, all + 4 * n };
	struct template t;
	bool has_peer;

	if (!all)
		bench_die("allocating figures", -ENOMEM);
	template_init(&t, load->family, load->fragments, load->size, load->order);
	run(load, &t, rounds, &ns, &has_peer);
	print_row(load, rounds, &ns, has_peer);
	lab_packets_release(&t.packets);
	free(all);
}

static void load_of(int family, int fragments, int size, enum lab_order order, int width,
		    int rounds)
{
	char name[64];
	struct load load = { name, family, fragments, size, order, width };

	snprintf(name, sizeof(name), "%s %4d x %4d %-8s %s", family == AF_INET ? "v4" : "v6",
		 fragments, size, lab_order_name(order), width > 1 ? "10,000 at once" : "one");
	if (!only || strstr(name, only))
		measure(&load, rounds);
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

/* ---- orders, against each other */

#define SIDES 3

/* A load on its way in both modes, and the figures of all rounds. */
struct side {
	struct load load;
	struct template t;
	struct ours *ours[2];
	int block; /* rounds in a row, of which the median counts: so caches are warm */
	int round;
	double *costs[2];
};

static void side_open(struct side *side, int rounds)
{
	const struct load *load = &side->load;
	int lent;

	template_init(&side->t, load->family, load->fragments, load->size, load->order);
	for (lent = 0; lent < 2; lent++) {
		side->ours[lent] = ours_open(load, &side->t, lent);
		side->costs[lent] = calloc((size_t)rounds, sizeof(double));
		if (!side->costs[lent])
			bench_die("allocating figures", -ENOMEM);
	}
}

static void side_close(struct side *side)
{
	int lent;

	for (lent = 0; lent < 2; lent++) {
		ours_close(side->ours[lent]);
		free(side->costs[lent]);
	}
	lab_packets_release(&side->t.packets);
}

static void side_round(struct side *side, int round)
{
	double block[BLOCK];
	int lent, i;

	for (lent = 0; lent < 2; lent++) {
		for (i = 0; i < side->block; i++)
			block[i] = ours_round(side->ours[lent], side->round + i);
		side->costs[lent][round] = median(block, side->block);
	}
	side->round += side->block;
}

static void compare(enum target target, const struct side *side, const struct side *to, int rounds,
		    double *scratch)
{
	double ratio[2];
	int lent;

	for (lent = 0; lent < 2; lent++) {
		ratio[lent] = median_ratio(side->costs[lent], to->costs[lent], scratch, rounds);
		target_note(target, lent, ratio[lent], side->load.name);
	}
	printf("%s at %.2f times the cost of %s, lent %.2f\n", side->load.name, ratio[0],
	       to->load.name, ratio[1]);
}

/* All in one run, round by round, as a ratio of figures from different moments means nothing. */
static void orders(int rounds)
{
	struct side sides[SIDES] = {
		{ .load = { "44 in order", AF_INET6, 44, 64, LAB_IN_ORDER, 1 }, .block = BLOCK },
		{ .load = { "44 reversed", AF_INET6, 44, 64, LAB_REVERSED, 1 }, .block = BLOCK },
		{ .load = { "8,191 at random", AF_INET6, 8191, 8, LAB_RANDOM, 1 }, .block = 3 },
	};
	double *scratch = calloc((size_t)rounds, sizeof(*scratch));
	int round, i;

	if (!scratch)
		bench_die("allocating figures", -ENOMEM);
	for (i = 0; i < SIDES; i++)
		side_open(&sides[i], rounds);
	for (round = 0; round < rounds; round++)
		for (i = 0; i < SIDES; i++)
			side_round(&sides[i], round);
	compare(TARGET_REVERSED, &sides[1], &sides[0], rounds, scratch);
	compare(TARGET_RANDOM, &sides[2], &sides[0], rounds, scratch);
	for (i = 0; i < SIDES; i++)
		side_close(&sides[i]);
	free(scratch);
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
	load_of(AF_INET6, 8191, 8, LAB_RANDOM, 1, quick ? 9 : 51);
	if (!only || strstr("orders", only))
		orders(quick ? 21 : 101);
	interleaved(quick ? 3 : 9);
	if (!only || strstr("flood", only))
		floods(peer);
	targets_print();
	return 0;
}
