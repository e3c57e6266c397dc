// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a fragment costs the engine, on one core, against a peer in the same run; how many honest
 * datagrams become whole in a flood; and what memory things take.
 *
 *	reasm [--quick]
 *
 * Packets stand in buffers of 2,304 bytes, as a driver leaves them. Each whole datagram is copied
 * to a linear one. Figures are medians over rounds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <unfrag/reasm.h>

#include "reasm.h"

#define STRIDE    2304
#define BATCH     32
#define HOT_ROUND 256 /* packets of a round if one datagram is on its way at a time */
#define WIDE      10000
#define SOURCES   100

static unsigned char linear[1 << 17];

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

/* ---- ours */

struct ours {
	struct unfrag_reasm *r;
	unsigned char *buffers;
	struct unfrag_reasm_packet *packets;
	struct unfrag_reasm_result res[BATCH];
};

static struct unfrag_reasm *engine(size_t memory)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts),
					  .memory = memory,
					  .source_share = 100 };
	struct unfrag_reasm *r;
	int rc = unfrag_reasm_new(&r, &opts);

	if (rc)
		bench_die("making an engine", rc);
	return r;
}

static int work(struct ours *o, int n, uint64_t now)
{
	int whole = 0;
	size_t done, taken, i;

	for (done = 0; done < (size_t)n; done += taken) {
		taken = (size_t)n - done < BATCH ? (size_t)n - done : BATCH;
		taken = unfrag_reasm_push_batch(o->r, o->packets + done, taken, now, o->res);
		for (i = 0; i < taken; i++) {
			if (o->res[i].outcome != UNFRAG_REASM_COMPLETE)
				continue;
			unfrag_reasm_copy(o->r, &o->res[i], linear, sizeof(linear));
			__asm__ volatile("" : : "r"(linear) : "memory");
			whole++;
		}
	}
	return whole;
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

static void fill(struct ours *o, const struct load *load, const struct template *t, uint64_t first)
{
	int n = load_packets(load), i, k, d;

	for (i = 0; i < n; i++) {
		load_at(load, i, &k, &d);
		o->packets[i].data = o->buffers + (size_t)i * STRIDE;
		o->packets[i].size = template_write(t, k, first + (uint64_t)d,
						    o->buffers + (size_t)i * STRIDE);
	}
}

static double ours_run(const struct load *load, const struct template *t, int rounds)
{
	int n = load_packets(load), datagrams = n / load->fragments, round, whole;
	struct ours o = { .r = engine(load->width > 1 ? 256 << 20 : 0) };
	double *ns = calloc((size_t)rounds, sizeof(*ns));
	uint64_t from, to;
	double result;

	o.buffers = malloc((size_t)n * STRIDE);
	o.packets = calloc((size_t)n, sizeof(*o.packets));
	if (!ns || !o.buffers || !o.packets)
		bench_die("allocating packets", -ENOMEM);
	for (round = 0; round < rounds; round++) {
		fill(&o, load, t, (uint64_t)round * (uint64_t)datagrams);
		from = bench_now();
		whole = work(&o, n, from);
		to = bench_now();
		if (whole != datagrams)
			bench_die("the engine lost datagrams", -EIO);
		ns[round] = (double)(to - from) / n;
	}
	result = median(ns, rounds);
	unfrag_reasm_free(o.r);
	free(o.buffers);
	free(o.packets);
	free(ns);
	return result;
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

struct row {
	double ours;
	struct cost peer;
	bool has_peer;
};

static struct row measure(const struct load *load, int rounds)
{
	struct template t;
	struct row row = { 0 };

	make_template(&t, load->family, load->fragments, load->size, load->order);
	row.ours = ours_run(load, &t, rounds);
	row.has_peer = !peer_run(load, &t, rounds, &row.peer);
	lab_packets_release(&t.packets);
	printf("%-34s %5.0f ns %6.1f M/s", load->name, row.ours, 1000 / row.ours);
	if (row.has_peer)
		printf("  peer %5.0f ns %5.2fx, all-in %5.0f ns %5.2fx", row.peer.work,
		       row.peer.work / row.ours, row.peer.all_in, row.peer.all_in / row.ours);
	putchar('\n');
	fflush(stdout);
	return row;
}

static double load_of(int family, int fragments, int size, enum lab_order order, int width,
		      int rounds)
{
	char name[64];
	struct load load = { name, family, fragments, size, order, width };

	snprintf(name, sizeof(name), "%s %4d x %4d %-8s %s", family == AF_INET ? "v4" : "v6",
		 fragments, size, lab_order_name(order), width > 1 ? "10,000 at once" : "one");
	return measure(&load, rounds).ours;
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
	double in_order = load_of(AF_INET6, 44, 64, LAB_IN_ORDER, 1, rounds);
	double reversed = load_of(AF_INET6, 44, 64, LAB_REVERSED, 1, rounds);
	double most = load_of(AF_INET6, 8191, 8, LAB_RANDOM, 1, rounds / 20 + 3);

	printf("44 reversed at %.2f times the cost in order; 8,191 of 8 bytes at random at %.2f\n",
	       reversed / in_order, most / in_order);
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

static void ours_flood(const struct flood *flood, const struct template *t,
		       struct flood_result *result)
{
	struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .memory = result->memory };
	struct unfrag_reasm_packet in;
	struct unfrag_reasm_result res;
	struct flood_packet packet;
	unsigned char buf[STRIDE];
	struct unfrag_reasm *r;
	uint64_t step = 0;
	int rc = unfrag_reasm_new(&r, &opts);

	if (rc)
		bench_die("making an engine", rc);
	while (flood_next(flood, &step, &packet)) {
		in = (struct unfrag_reasm_packet){ buf, flood_write(t, &packet, buf), 0 };
		unfrag_reasm_push(r, &in, packet.now, &res);
		result->good += !packet.orphan && packet.fragment == 0;
		result->whole += res.outcome == UNFRAG_REASM_COMPLETE;
	}
	unfrag_reasm_free(r);
}

static void floods(const char *peer)
{
	static const int rates[] = { 0, 8000, 20000, 160000, 160000, 200000 };
	struct flood_result ours, theirs = { .memory = 2 << 20 };
	struct template t;
	size_t i;

	make_template(&t, AF_INET, 2, 1480, LAB_IN_ORDER);
	puts("\nflood: honest datagrams, 1 or 20 ms between their two fragments, among orphans");
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct flood flood = { 10000, rates[i], i < 4 ? 1000000 : 20000000, 10 };

		if (rates[i] && rates[i] < flood.good_rate)
			flood.good_rate = rates[i]; /* one orphan each */
		if (peer)
			peer_flood(&flood, &t, &theirs);
		ours = (struct flood_result){ .memory = theirs.memory };
		ours_flood(&flood, &t, &ours);
		printf("%6d honest, %6d orphans a second, %2d ms: %5.1f %% in %zu KiB",
		       flood.good_rate, flood.orphan_rate, (int)(flood.gap / 1000000),
		       100.0 * (double)ours.whole / (double)ours.good, ours.memory >> 10);
		if (peer)
			printf("; peer %5.1f %% in as much and %zu KiB of packets held",
			       100.0 * (double)theirs.whole / (double)theirs.good,
			       theirs.held >> 10);
		putchar('\n');
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

static void memory(void)
{
	long before = resident_kib();
	struct unfrag_reasm *r = engine(0);
	struct unfrag_reasm_stats stats;

	unfrag_reasm_stats(r, &stats);
	printf("memory: an engine of %zu KiB takes %ld KiB when idle\n", stats.memory >> 10,
	       resident_kib() - before);
	printf("memory: an open datagram %zu bytes, and %zu for each %zu of its that have data\n",
	       stats.per_datagram, stats.per_cell, stats.cell_bytes);
	printf("memory: so a fragment of 64 bytes %zu, one of 1,480 bytes %zu; %u datagrams\n\n",
	       stats.per_cell, 2 * stats.per_cell, stats.datagrams);
	unfrag_reasm_free(r);
}

int main(int argc, char **argv)
{
	bool quick = argc > 1 && !strcmp(argv[1], "--quick");
	const char *why, *peer;

	if (argc > 2 || (argc == 2 && !quick)) {
		fputs("usage: reasm [--quick]\n", stderr);
		return 2;
	}
	memory();
	peer = peer_name(&why);
	printf("peer: %s\n", peer ? peer : why);
	hot(quick ? 101 : 2001);
	order_matters_little(quick ? 101 : 1001);
	interleaved(quick ? 3 : 9);
	floods(peer);
	return 0;
}
