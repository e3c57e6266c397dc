// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What floods of fragments do to honest datagrams, without the guard and with it; what it costs.
 *
 * "victim" is the pair whose addresses some attacks forge, "other" one that none does.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unfrag/unfrag.h>
#include <unistd.h>

#include "flood.h"
#include "peace.h"

#define QUESTIONS 150
#define PEACEFUL  1000000 /* datagrams */

/* Fragments a second; from what next to closes an IPv4 defragmenter to all that can be sent. */
static const uint32_t rates[] = { 50, 1000, 20000, 200000 };

/* What can be asked for alone: all floods, those of one of the rates, and what else there is. */
static const char *const parts[] = { "floods", "50",    "1000",  "20000",
				     "200000", "costs", "peace", NULL };

#define RATES      (sizeof(rates) / sizeof(rates[0]))
#define QUICK_RATE 2

enum { FAMILY_IPV4, FAMILY_IPV6, FAMILIES };

struct bench {
	struct bench_options opts;
	unsigned int rounds;
	struct bench_table tables[FAMILIES][RATES];
	struct bench_samples costs[COST_MAX][FAMILIES];
	struct peace peace;
	double loss_other[FAMILIES], loss_held[FAMILIES], loss_any[FAMILIES]; /* percent, guarded */
	double fill[FAMILIES]; /* of the kernel's threshold, guarded */
};

static const char *const family_names[] = { "IPv4", "IPv6" };

static int family_of(int at)
{
	return at ? AF_INET6 : AF_INET;
}

__attribute__((format(printf, 2, 0))) static int print_warnings(enum libbpf_print_level level,
								const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static void log_error(enum unfrag_log_level level, const char *message, void *arg)
{
	(void)arg;
	if (level == UNFRAG_LOG_ERROR)
		bench_complain("%s", message);
}

/* Attacks in which the victim's own addresses are forged; its loss is told, not judged. */
static bool forges_victim(enum lab_attack_kind kind)
{
	return kind == LAB_ATTACK_SERVER || kind == LAB_ATTACK_REUSE;
}

static void note_most(double *most, double value)
{
	if (!isnan(*most) && !(value <= *most)) /* NAN stays */
		*most = value;
}

static void note_worst(struct bench *b, int at, enum lab_attack_kind kind,
		       const struct flood_result *r)
{
	note_most(&b->fill[at], r->memory / r->limit);
	if (forges_victim(kind))
		note_most(&b->loss_other[at], 100 - r->other);
	else if (kind == LAB_ATTACK_ANY || kind == LAB_ATTACK_PREFIX)
		note_most(&b->loss_any[at], 100 - r->honest);
	else
		note_most(&b->loss_held[at], 100 - r->honest);
}

static int run_attack(struct bench *b, int at, size_t rate, enum lab_attack_kind kind)
{
	struct flood_plan plan = {
		.kind = kind, .family = family_of(at), .rate = rates[rate], .questions = QUESTIONS
	};
	struct flood_result without = { 0 }, with = { 0 };
	double *row;
	int err = flood_run(&without, &plan);

	plan.guarded = true;
	if (!err)
		err = flood_run(&with, &plan);
	if (err)
		return err;
	row = bench_table_add(&b->tables[at][rate], lab_attack_name(kind));
	row[0] = without.honest;
	row[1] = with.honest;
	row[2] = with.other;
	row[3] = with.memory;
	row[4] = with.ns;
	row[5] = with.rate;
	note_worst(b, at, kind, &with);
	return 0;
}

static void table_init(struct bench *b, int at, size_t rate)
{
	static const char *const columns[] = { "without",    "victim", "other",
					       "memory KiB", "ns",     "sent/s" };
	static char titles[FAMILIES][RATES][128], keys[FAMILIES][RATES][32];
	struct bench_table *t = &b->tables[at][rate];

	snprintf(titles[at][rate], sizeof(titles[at][rate]),
		 "%s, %u fragments a second asked for: honest exchanges in percent, without and "
		 "with the guard",
		 family_names[at], rates[rate]);
	snprintf(keys[at][rate], sizeof(keys[at][rate]), "%s_%u", at ? "ipv6" : "ipv4",
		 rates[rate]);
	t->title = titles[at][rate];
	t->key = keys[at][rate];
	t->decimals = 0;
	t->n_columns = sizeof(columns) / sizeof(columns[0]);
	memcpy(t->columns, columns, sizeof(columns));
}

static bool wants_rate(const struct bench *b, size_t rate)
{
	if (b->opts.only)
		return !strcmp(b->opts.only, "floods") || !strcmp(b->opts.only, parts[1 + rate]);
	return b->opts.rounds != b->opts.quick_rounds || rate == QUICK_RATE;
}

static bool wants_floods(const struct bench *b)
{
	size_t rate;

	for (rate = 0; rate < RATES; rate++)
		if (wants_rate(b, rate))
			return true;
	return false;
}

/* All attacks at one rate. They take long, so each is told as it ends. */
static int run_rate(struct bench *b, int at, size_t rate)
{
	const double *row;
	int kind, err;

	table_init(b, at, rate);
	for (kind = 0; kind < LAB_ATTACK_MAX; kind++) {
		if (bench_interrupted())
			return -EINTR;
		err = run_attack(b, at, rate, (enum lab_attack_kind)kind);
		if (err)
			return err;
		row = b->tables[at][rate].rows[kind].values;
		bench_say("%s, %u a second, %s: %.0f %% without the guard, %.0f %% with it",
			  family_names[at], rates[rate],
			  lab_attack_name((enum lab_attack_kind)kind), row[0], row[1]);
	}
	return 0;
}

static int run_floods(struct bench *b)
{
	size_t rate;
	int at, err = 0;

	for (rate = 0; rate < RATES && !err; rate++)
		for (at = 0; at < FAMILIES && !err; at++)
			if (wants_rate(b, rate))
				err = run_rate(b, at, rate);
	return err;
}

static int measure_floods(struct bench *b)
{
	int stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	int err = run_floods(b);

	if (stats_fd >= 0)
		close(stats_fd); /* they cost time themselves */
	return err;
}

static int run_costs(struct bench *b)
{
	struct costs *costs = NULL;
	double ns;
	int err = costs_new(&costs), kind, at;

	for (b->rounds = 0; b->rounds < b->opts.rounds && !err; b->rounds++)
		for (at = 0; at < FAMILIES && !err; at++)
			for (kind = 0; kind < COST_MAX && !err; kind++) {
				err = costs_measure(costs, (enum cost_kind)kind, family_of(at),
						    &ns);
				if (!err && bench_interrupted())
					err = -EINTR;
				bench_add(&b->costs[kind][at], err ? NAN : ns);
			}
	costs_free(costs);
	return err;
}

static double more(const struct bench *b, enum cost_kind kind, enum cost_kind from, int at)
{
	return bench_median_difference(&b->costs[kind][at], &b->costs[from][at]);
}

static void report_costs(const struct bench *b, struct bench_table *table, int from, int to)
{
	int kind, at;
	double *row;

	for (at = 0; at < FAMILIES; at++)
		table->columns[table->n_columns++] = family_names[at];
	for (kind = from; kind <= to; kind++) {
		row = bench_table_add(table, cost_name((enum cost_kind)kind));
		for (at = 0; at < FAMILIES; at++)
			row[at] = bench_median(&b->costs[kind][at]);
	}
}

static void target_costs(const struct bench *b, struct bench_target *whole,
			 struct bench_target *drop)
{
	static const char *const names[] = { "netfilter IPv4", "netfilter IPv6", "tc IPv4",
					     "tc IPv6",        "XDP IPv4",       "XDP IPv6" };
	int place, at;

	for (place = 0; place < 3; place++)
		for (at = 0; at < FAMILIES; at++)
			bench_target_add(whole, names[2 * place + at],
					 more(b, (enum cost_kind)(2 * place + 1),
					      (enum cost_kind)(2 * place), at),
					 0);
	for (at = 0; at < FAMILIES; at++)
		bench_target_add(drop, family_names[at],
				 more(b, COST_DROP, COST_SENT, at) /
					 more(b, COST_KERNEL, COST_SENT, at),
				 0);
}

static void report_peace(const struct bench *b, struct bench_table *table)
{
	table->columns[table->n_columns++] = "peace";
	bench_table_add(table, "datagrams, several at a time")[0] = (double)b->peace.datagrams;
	bench_table_add(table, "fragments")[0] = (double)b->peace.fragments;
	bench_table_add(table, "fragments that came twice")[0] = (double)b->peace.twice;
	bench_table_add(table, "datagrams refused")[0] = (double)b->peace.disturbed;
	bench_table_add(table, "KiB charged at most")[0] = (double)b->peace.memory / 1024;
}

struct findings {
	const struct bench_table *tables[FAMILIES * RATES + 3];
	struct bench_target targets[7];
	size_t n_tables, n_targets;
};

static struct bench_target *add_target(struct findings *f, const char *label, double limit,
				       int decimals)
{
	struct bench_target *target = &f->targets[f->n_targets++];

	*target = (struct bench_target){ .label = label, .limit = limit, .decimals = decimals };
	return target;
}

static void add_families(struct findings *f, const char *label, double limit, int decimals,
			 const double *values)
{
	struct bench_target *target = add_target(f, label, limit, decimals);
	int at;

	for (at = 0; at < FAMILIES; at++)
		bench_target_add(target, family_names[at], values[at], 0);
}

static void find_floods(struct findings *f, const struct bench *b)
{
	size_t rate;
	int at;

	for (rate = 0; rate < RATES; rate++)
		for (at = 0; at < FAMILIES; at++)
			if (b->tables[at][rate].n_rows)
				f->tables[f->n_tables++] = &b->tables[at][rate];
	add_families(f, "attacks that forge nobody lose at most 1 % of exchanges", 1, 1,
		     b->loss_held);
	add_families(f, "every packet another source: at most 5 %", 5, 1, b->loss_any);
	add_families(f, "forged addresses: others lose at most 1 %", 1, 1, b->loss_other);
	add_families(f, "the kernel's threshold is not reached: share of it in use", 0.999, 3,
		     b->fill);
}

static void find_costs(struct findings *f, const struct bench *b)
{
	static struct bench_table costs = { .key = "costs", .title = "ns a packet", .decimals = 1 };
	static struct bench_table wire = { .key = "wire",
					   .title = "ns of CPU time a packet sent into a wire",
					   .decimals = 1 };
	struct bench_target *whole = add_target(f, "whole packets cost at most 5 ns", 5, 1);
	struct bench_target *drop = add_target(f, "XDP drops at a fifth of the kernel's price", 0.2,
					       3);

	report_costs(b, &costs, 0, COST_DROP);
	report_costs(b, &wire, COST_WIRE_SENT, COST_WIRE_DROP);
	f->tables[f->n_tables++] = &costs;
	f->tables[f->n_tables++] = &wire;
	target_costs(b, whole, drop);
}

static void find_peace(struct findings *f, const struct bench *b)
{
	static struct bench_table peace = { .key = "peace", .title = "without an attack" };
	struct bench_target *target = add_target(f, "without an attack none is refused", 0, 0);

	report_peace(b, &peace);
	f->tables[f->n_tables++] = &peace;
	bench_target_add(target, "datagrams refused", (double)b->peace.disturbed, 0);
}

static int report(const struct bench *b)
{
	struct findings f = { .n_tables = 0 };
	struct bench_report all = { .opts = &b->opts, .rounds = b->rounds };

	if (wants_floods(b))
		find_floods(&f, b);
	if (bench_wants(&b->opts, "costs"))
		find_costs(&f, b);
	if (bench_wants(&b->opts, "peace"))
		find_peace(&f, b);
	all.tables = f.tables;
	all.n_tables = f.n_tables;
	all.targets = f.targets;
	all.n_targets = f.n_targets;
	return bench_report_print(&all);
}

int main(int argc, char **argv)
{
	static struct bench b = {
		.opts = {
			.name = "flood",
			.about = "What floods of fragments do to honest datagrams, "
				 "without the guard and with it.",
			.rounds = 20,
			.quick_rounds = 5,
			.parts = parts,
		},
	};
	int err = 0;

	bench_options_parse(&b.opts, argc, argv);
	bench_catch_signals();
	libbpf_set_print(print_warnings);
	unfrag_set_log(log_error, NULL);
	if (wants_floods(&b))
		err = measure_floods(&b);
	if (!err && bench_wants(&b.opts, "costs"))
		err = run_costs(&b);
	if (!err && bench_wants(&b.opts, "peace"))
		err = peace_run(&b.peace, PEACEFUL, 1);
	if (!err)
		err = report(&b);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
