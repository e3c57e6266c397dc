// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it costs to let a program judge whole packets: on the forwarding path of a middlebox, side
 * by side with the bare kernel links it is made from and with nftables, and by test run.
 *
 * Each round puts every side into the middlebox in turn and sends each kind of traffic through it.
 * A burst counts only if every frame of it arrived as it was sent.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <unfrag/unfrag.h>

#include "bench.h"
#include "link_run.h"
#include "link_side.h"
#include "link_wire.h"

#define BURST_SMALL 32768 /* datagrams, each of one frame */
#define BURST_LARGE 16384 /* each of two */
#define RUN_REPEAT  100000

#define FORWARD_TITLE "Forwarding through a middlebox: ns a datagram, medians"
#define RATIOS_TITLE  "Ratios of the same: medians of what each round gave"
#define RUNS_TITLE    "A program alone and behind the front: ns a run by BPF_PROG_TEST_RUN, medians"

#define FRONT_COST    "the front costs, before only_dns"
#define TO_PLAIN_LINK "attachment / plain link with DEFRAG"
#define TO_NFTABLES   "attachment / nftables with conntrack"

#define FAMILIES 2

static const int families[FAMILIES] = { AF_INET, AF_INET6 };
static const char *const family_names[FAMILIES] = { "IPv4", "IPv6" };
static const enum wire_traffic run_traffic[FAMILIES] = { WIRE_SMALL_IPV4, WIRE_SMALL_IPV6 };

struct bench {
	struct bench_options opts;
	struct lab_router *router;
	struct wire *wire;
	struct sides *sides;
	struct runs *runs;
	unsigned int rounds, invalid;
	struct bench_samples forward[SIDE_MAX][WIRE_TRAFFIC_MAX];
	struct bench_samples sender[WIRE_TRAFFIC_MAX];
	struct bench_samples run[RUN_MAX][FAMILIES];
};

static void log_error(enum unfrag_log_level level, const char *message, void *arg)
{
	(void)arg;
	if (level == UNFRAG_LOG_ERROR)
		bench_complain("%s", message);
}

static int __attribute__((format(printf, 2, 0)))
print_warnings(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

static int set_up(struct bench *b)
{
	struct lab_router *router = NULL;
	int err;

	if (geteuid())
		return bench_error(-EPERM, "this makes network namespaces: run it as root");
	err = unfrag_probe_require();
	if (err)
		return err;
	err = bench_private_bpffs();
	if (err)
		return err;
	err = bench_pin();
	if (err)
		return bench_error(err, "can't stay on one processor: %s", strerror(-err));
	err = lab_router_new(&router);
	if (err)
		return bench_error(err, "can't make the namespaces: %s", strerror(-err));
	b->router = router;
	err = wire_new(&b->wire, router);
	if (!err)
		err = sides_new(&b->sides, router->middle);
	if (!err)
		err = runs_new(&b->runs);
	return err;
}

static void tear_down(struct bench *b)
{
	runs_free(b->runs);
	sides_free(b->sides);
	wire_free(b->wire);
	lab_router_free(b->router);
}

static bool is_large(enum wire_traffic traffic)
{
	return traffic == WIRE_LARGE_IPV4 || traffic == WIRE_LARGE_IPV6;
}

static unsigned int burst_of(enum wire_traffic traffic)
{
	return is_large(traffic) ? BURST_LARGE : BURST_SMALL;
}

/* A burst that lost something is no sample, and no reason to stop. */
static int keep(struct bench *b, struct bench_samples *s, int err, double ns)
{
	if (err == -EBADMSG) {
		b->invalid++;
		ns = NAN;
		err = 0;
	}
	if (!err)
		bench_add(s, ns);
	return err;
}

static int measure_traffic(struct bench *b, enum side_kind kind, enum wire_traffic traffic)
{
	double ns = NAN;
	int err = wire_send(b->wire, traffic, burst_of(traffic), &ns);

	return keep(b, &b->forward[kind][traffic], err, ns);
}

/* The attachment's counters tell that the program judged every datagram, and each one whole. */
static int check_side(struct bench *b)
{
	for (int f = 0; f < FAMILIES; f++)
		if (!side_saw(b->sides, families[f], WIRE_WARM_UP + BURST_SMALL,
			      WIRE_WARM_UP + BURST_LARGE))
			return bench_error(-EBADMSG, "not all of %s was judged whole",
					   family_names[f]);
	return 0;
}

static int measure_side(struct bench *b, enum side_kind kind)
{
	unsigned int invalid = b->invalid;
	int err = side_up(b->sides, kind);

	for (int traffic = 0; traffic < WIRE_TRAFFIC_MAX && !err; traffic++)
		err = measure_traffic(b, kind, traffic);
	if (!err && invalid == b->invalid)
		err = check_side(b);
	if (side_down(b->sides) && !err)
		err = -EIO;
	return err;
}

static int measure_sender(struct bench *b)
{
	int err = 0;

	for (int traffic = 0; traffic < WIRE_TRAFFIC_MAX && !err; traffic++) {
		double ns = NAN;

		err = wire_send_nowhere(b->wire, traffic, burst_of(traffic), &ns);
		err = keep(b, &b->sender[traffic], err, ns);
	}
	return err;
}

static int measure_runs(struct bench *b, unsigned int round)
{
	int err = 0;

	for (int i = 0; i < RUN_MAX * FAMILIES && !err; i++) {
		enum run_kind kind = (enum run_kind)((i + (int)round) % RUN_MAX);
		int f = i / RUN_MAX;
		size_t size;
		const void *frame = wire_frame(b->wire, run_traffic[f], &size);
		double ns;

		err = runs_measure(b->runs, kind, families[f], frame, size, RUN_REPEAT, &ns);
		if (!err)
			bench_add(&b->run[kind][f], ns);
	}
	return err;
}

/* Every round begins with another side. */
static int run_round(struct bench *b, unsigned int round)
{
	int err = measure_sender(b);

	for (unsigned int i = 0; i < SIDE_MAX && !err; i++)
		err = bench_interrupted() ?
			      -EINTR :
			      measure_side(b, (enum side_kind)((i + round) % SIDE_MAX));
	return err ? err : measure_runs(b, round);
}

static int run_all(struct bench *b)
{
	for (unsigned int round = 0; round < b->opts.rounds; round++) {
		int err = run_round(b, round);

		if (err == -EINTR && b->rounds)
			break;
		if (err)
			return err;
		bench_progress(++b->rounds, b->opts.rounds);
	}
	return 0;
}

static void add_traffic_columns(struct bench_table *table)
{
	for (int traffic = 0; traffic < WIRE_TRAFFIC_MAX; traffic++)
		table->columns[table->n_columns++] = wire_traffic_name(traffic);
}

static void report_forward(const struct bench *b, struct bench_table *table)
{
	double *time, *share;

	add_traffic_columns(table);
	for (int kind = 0; kind < SIDE_MAX; kind++) {
		time = bench_table_add(table, side_name(kind));
		for (int traffic = 0; traffic < WIRE_TRAFFIC_MAX; traffic++)
			time[traffic] = bench_median(&b->forward[kind][traffic]);
	}
	time = bench_table_add(table, "the sender alone");
	share = bench_table_add(table, "its share of 'no program', %");
	for (int traffic = 0; traffic < WIRE_TRAFFIC_MAX; traffic++) {
		const struct bench_samples *none = &b->forward[SIDE_NONE][traffic];

		time[traffic] = bench_median(&b->sender[traffic]);
		share[traffic] = 100 * bench_median_ratio(&b->sender[traffic], none);
	}
}

static void add_ratio(const struct bench *b, struct bench_table *table, const char *label,
		      enum side_kind kind, enum side_kind to)
{
	double *ratio = bench_table_add(table, label);

	for (int traffic = 0; traffic < WIRE_TRAFFIC_MAX; traffic++)
		ratio[traffic] = bench_median_ratio(&b->forward[kind][traffic],
						    &b->forward[to][traffic]);
}

static void report_ratios(const struct bench *b, struct bench_table *table)
{
	double *spread;

	add_traffic_columns(table);
	add_ratio(b, table, "plain link / no program", SIDE_LINK, SIDE_NONE);
	add_ratio(b, table, "with DEFRAG / plain link", SIDE_LINK_DEFRAG, SIDE_LINK);
	add_ratio(b, table, "attachment / no program", SIDE_ATTACHMENT, SIDE_NONE);
	add_ratio(b, table, TO_PLAIN_LINK, SIDE_ATTACHMENT, SIDE_LINK_DEFRAG);
	add_ratio(b, table, TO_NFTABLES, SIDE_ATTACHMENT, SIDE_NFTABLES);
	spread = bench_table_add(table, "spread of the attachment's rounds");
	for (int traffic = 0; traffic < WIRE_TRAFFIC_MAX; traffic++)
		spread[traffic] = bench_spread(&b->forward[SIDE_ATTACHMENT][traffic]);
}

static void add_cost(const struct bench *b, struct bench_table *table, const char *label,
		     enum run_kind kind, enum run_kind from)
{
	double *cost = bench_table_add(table, label);

	for (int f = 0; f < FAMILIES; f++)
		cost[f] = bench_median_difference(&b->run[kind][f], &b->run[from][f]);
}

static void report_runs(const struct bench *b, struct bench_table *table)
{
	for (int f = 0; f < FAMILIES; f++)
		table->columns[table->n_columns++] = family_names[f];
	for (int kind = 0; kind < RUN_MAX; kind++) {
		double *time = bench_table_add(table, run_name(kind));

		for (int f = 0; f < FAMILIES; f++)
			time[f] = bench_median(&b->run[kind][f]);
	}
	add_cost(b, table, FRONT_COST, RUN_ONLY_DNS_BEHIND_FRONT, RUN_ONLY_DNS);
	add_cost(b, table, "the front costs, before the other", RUN_PASS_BEHIND_FRONT, RUN_PASS);
}

static int report(const struct bench *b)
{
	struct bench_table forward = { .key = "forwarding", .title = FORWARD_TITLE };
	struct bench_table ratios = { .key = "ratios", .title = RATIOS_TITLE, .decimals = 3 };
	struct bench_table runs = { .key = "test_run", .title = RUNS_TITLE, .decimals = 1 };
	const struct bench_table *const tables[] = { &forward, &ratios, &runs };
	struct bench_target targets[] = {
		{ .label = "the front costs at most 10 ns", .limit = 10, .decimals = 1 },
		{ .label = "attachment at most 1.05 times the plain link with DEFRAG",
		  .limit = 1.05,
		  .decimals = 3 },
		{ .label = "attachment cheaper than nftables with conntrack",
		  .limit = 1,
		  .decimals = 3 },
	};
	const struct bench_report all = {
		.opts = &b->opts,
		.rounds = b->rounds,
		.invalid = b->invalid,
		.tables = tables,
		.n_tables = sizeof(tables) / sizeof(tables[0]),
		.targets = targets,
		.n_targets = sizeof(targets) / sizeof(targets[0]),
	};

	report_forward(b, &forward);
	report_ratios(b, &ratios);
	report_runs(b, &runs);
	bench_target_set(&targets[0], &runs, FRONT_COST);
	bench_target_set(&targets[1], &ratios, TO_PLAIN_LINK);
	bench_target_set(&targets[2], &ratios, TO_NFTABLES);
	return bench_report_print(&all);
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.opts = {
			.name = "link",
			.about = "What it costs to let a program judge whole packets, against "
				 "bare links and nftables.",
			.rounds = 40,
			.quick_rounds = 5,
		},
	};
	int err;

	bench_options_parse(&b.opts, argc, argv);
	bench_catch_signals();
	libbpf_set_print(print_warnings);
	unfrag_set_log(log_error, NULL);
	err = set_up(&b);
	if (!err)
		err = run_all(&b);
	if (!err)
		err = report(&b);
	tear_down(&b);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
