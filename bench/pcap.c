// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How fast "unfrag pcap IN -w OUT" is as a whole process, on files in the page cache, against
 * tshark on the same files in the same run.
 *
 * Files are made in a temporary directory. Each run's output is checked by its size, and tshark has
 * to find as many datagrams; it takes long, so it runs in the first round only. Both are measured
 * by the clock and by the time that they had a processor: where others are at work too, the second
 * is the one that tells something.
 */
#include <errno.h>
#include <lab.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "pcap_file.h"
#include "pcap_run.h"

struct load {
	const char *label;
	struct pcap_shape shape;
};

static const struct load loads[] = {
	{ "IPv4, 64 bytes, 4 a datagram", { AF_INET, 64, 4, 1 } },
	{ "IPv4, 64 bytes, 4, 1,000 at once", { AF_INET, 64, 4, 1000 } },
	{ "IPv6, 64 bytes, 4 a datagram", { AF_INET6, 64, 4, 1 } },
	{ "IPv4, 1,480 bytes, 4 a datagram", { AF_INET, 1480, 4, 1 } },
	{ "IPv4, 1,480 bytes, 44 a datagram", { AF_INET, 1480, 44, 1 } },
	{ "IPv6, 1,480 bytes, 4 a datagram", { AF_INET6, 1480, 4, 1 } },
};

#define LOADS       (sizeof(loads) / sizeof(loads[0]))
#define FILE_BYTES  (64u << 20)
#define QUICK_BYTES (8u << 20)

struct sides {
	struct bench_samples clock, cpu;           /* ours, ns a fragment */
	struct bench_samples peer_clock, peer_cpu; /* tshark's */
};

struct bench {
	struct bench_options opts;
	unsigned int rounds;
	char directory[PATH_MAX];
	char in[LOADS][PATH_MAX], out[PATH_MAX];
	struct pcap_made made[LOADS];
	struct sides sides[LOADS];
	bool peer;
};

static int set_up(struct bench *b)
{
	const char *tmp = getenv("TMPDIR");
	size_t i, bytes = b->rounds == b->opts.quick_rounds ? QUICK_BYTES : FILE_BYTES;
	int rc;

	snprintf(b->directory, sizeof(b->directory), "%.3000s/unfrag-bench-XXXXXX",
		 tmp ? tmp : "/tmp");
	if (!mkdtemp(b->directory)) {
		b->directory[0] = '\0';
		return bench_error(-errno, "no temporary directory: %s", strerror(errno));
	}
	snprintf(b->out, sizeof(b->out), "%.3100s/out.pcap", b->directory);
	for (i = 0; i < LOADS; i++) {
		snprintf(b->in[i], sizeof(b->in[i]), "%.3100s/%zu.pcap", b->directory, i);
		rc = pcap_make(b->in[i], &loads[i].shape, bytes, &b->made[i]);
		if (rc)
			return bench_error(rc, "'%s' can't be made: %s", b->in[i], strerror(-rc));
	}
	b->peer = pcap_has_peer();
	if (!b->peer)
		bench_say("no tshark here, so there is nothing to compare with");
	return 0;
}

static void tear_down(struct bench *b)
{
	size_t i;

	if (!b->directory[0])
		return;
	for (i = 0; i < LOADS; i++)
		unlink(b->in[i]);
	unlink(b->out);
	rmdir(b->directory);
}

static void add(struct bench_samples *clock, struct bench_samples *cpu,
		const struct pcap_cost *cost, uint64_t fragments)
{
	bench_add(clock, cost->clock / (double)fragments);
	bench_add(cpu, cost->cpu / (double)fragments);
}

static int run_load(struct bench *b, size_t i)
{
	const struct pcap_made *made = &b->made[i];
	struct sides *s = &b->sides[i];
	struct pcap_cost cost;
	int rc = pcap_run_ours(b->in[i], b->out, made, &cost);

	if (rc)
		return rc;
	add(&s->clock, &s->cpu, &cost, made->fragments);
	if (!b->peer || s->peer_clock.count)
		return 0;
	rc = pcap_run_peer(b->in[i], made, &cost);
	if (!rc)
		add(&s->peer_clock, &s->peer_cpu, &cost, made->fragments);
	return rc;
}

static int run_all(struct bench *b)
{
	unsigned int round;
	size_t i;
	int rc;

	for (round = 0; round < b->rounds && !bench_interrupted(); round++) {
		for (i = 0; i < LOADS && !bench_interrupted(); i++) {
			rc = run_load(b, i);
			if (rc && !bench_interrupted())
				return rc;
		}
		bench_progress(round + 1, b->rounds);
	}
	b->rounds = round;
	return round ? 0 : -EINTR;
}

static void report_rates(const struct bench *b, struct bench_table *table)
{
	size_t i;

	for (i = 0; i < LOADS; i++) {
		const struct sides *s = &b->sides[i];
		double *v = bench_table_add(table, loads[i].label);

		v[0] = 1e3 / bench_median(&s->clock);
		v[1] = 1e3 / bench_median(&s->cpu);
		v[2] = 1e3 * loads[i].shape.size / bench_median(&s->cpu);
		v[3] = 1e3 / bench_median(&s->peer_cpu);
		v[4] = bench_median(&s->peer_clock) / bench_median(&s->clock);
		v[5] = bench_median(&s->peer_cpu) / bench_median(&s->cpu);
	}
}

/* By the clock and by the processor's time, for all loads of that size. */
static void set_target(const struct bench *b, struct bench_target *target, uint32_t size)
{
	double clock = 0, cpu = 0;
	size_t i;

	for (i = 0; i < LOADS; i++) {
		if (loads[i].shape.size != size)
			continue;
		clock = fmax(clock, bench_median(&b->sides[i].clock));
		cpu = fmax(cpu, bench_median(&b->sides[i].cpu));
	}
	bench_target_add(target, "clock", clock, 0);
	bench_target_add(target, "processor", cpu, 0);
}

static int report(const struct bench *b)
{
	struct bench_table rates = {
		.key = "rates",
		.title = "million fragments a second, by the clock and by processor time; MB a "
			 "second of payload",
		.decimals = 2,
		.n_columns = 6,
		.columns = { "M/s clock", "M/s cpu", "MB/s cpu", "tshark M/s", "times clock",
			     "times cpu" },
	};
	const struct bench_table *const tables[] = { &rates };
	struct bench_target targets[] = {
		{ .label = "64 bytes: 2.5 million a second, at most 400 ns each", .limit = 400 },
		{ .label = "1,480 bytes: 600 MB a second, at most 2,467 ns each", .limit = 2467 },
	};
	const struct bench_report all = {
		.opts = &b->opts,
		.rounds = b->rounds,
		.tables = tables,
		.n_tables = 1,
		.targets = targets,
		.n_targets = sizeof(targets) / sizeof(targets[0]),
	};

	report_rates(b, &rates);
	set_target(b, &targets[0], 64);
	set_target(b, &targets[1], 1480);
	return bench_report_print(&all);
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.opts = {
			.name = "pcap",
			.about = "What \"unfrag pcap\" does a second as a whole process, against "
				 "tshark.",
			.rounds = 5,
			.quick_rounds = 1,
		},
	};
	int err;

	bench_options_parse(&b.opts, argc, argv);
	b.rounds = b.opts.rounds;
	bench_catch_signals();
	err = set_up(&b);
	if (!err)
		err = run_all(&b);
	if (!err)
		err = report(&b);
	tear_down(&b);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
