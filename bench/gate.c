// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the gate costs a packet, side by side with nftables with the same file, by the number of
 * rules and the place of the one that matches, and by the size of a set; and what a reload takes.
 *
 * Each side stands in a router of its own. For each file, the sides take turns in every round, and
 * a side's own cost is what its router takes more than one in which nobody judges. A burst counts
 * only if every frame of it arrived.
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unfrag/unfrag.h>

#include "bench.h"
#include "gate_file.h"
#include "gate_side.h"

#define BURST      8192
#define BURST_MANY 2048 /* with 1,000 rules and more */
#define RUN_REPEAT 20000
#define TRAFFIC    WIRE_SMALL_IPV4

#define SIZES         5
#define SETS          3
#define TARGET_RULES  3 /* of the sizes: 1,000 */
#define TARGET_MANY   4 /* 4,000 */
#define TARGET_FEW    1 /* 10 */
#define RELOAD_RULES  1000
#define RELOAD_TARGET 100 /* ms */

static const unsigned int sizes[SIZES] = { 1, 10, 100, 1000, 4000 };
static const char *const size_names[SIZES] = { "1", "10", "100", "1,000", "4,000" };
static const unsigned int sets[SETS] = { 1000, 100000, 1000000 };
static const char *const set_names[SETS] = { "1,000", "100,000", "1,000,000" };

/* What was measured with one file in force. */
struct measured {
	struct bench_samples side[GATE_SIDE_MAX];
	struct bench_samples run; /* the gate's program alone */
	unsigned int burst;
};

struct bench {
	struct bench_options opts;
	struct gate_sides *sides;
	char path[64];
	unsigned int done, all, invalid;
	struct measured rules[GATE_PLACE_MAX][SIZES];
	struct measured set[2][SETS];
	struct bench_samples load[GATE_SIDE_MAX]; /* ms */
	struct bench_samples command;             /* likewise, of the gate */
};

static void log_error(enum unfrag_log_level level, const char *message, void *arg)
{
	(void)arg;
	if (level == UNFRAG_LOG_ERROR)
		bench_complain("%s", message);
}

static int set_up(struct bench *b)
{
	int fd, err;

	if (geteuid())
		return bench_error(-EPERM, "this makes network namespaces: run it as root");
	err = unfrag_probe_require();
	if (!err)
		err = bench_private_bpffs();
	if (err)
		return err;
	err = bench_pin();
	if (err)
		return bench_error(err, "can't stay on one processor: %s", strerror(-err));
	snprintf(b->path, sizeof(b->path), "/tmp/unfrag-bench-XXXXXX");
	fd = mkstemp(b->path);
	if (fd < 0)
		return bench_error(-errno, "can't make '%s': %s", b->path, strerror(errno));
	close(fd);
	return gate_sides_new(&b->sides);
}

static void tear_down(struct bench *b)
{
	gate_sides_free(b->sides);
	unlink(b->path);
}

static int measure_side(struct bench *b, struct measured *m, enum gate_side side)
{
	double ns = NAN;
	int err = gate_sides_send(b->sides, side, TRAFFIC, m->burst, &ns);

	/* A burst that lost something is no sample, and no reason to stop. */
	if (err == -EBADMSG) {
		b->invalid++;
		ns = NAN;
		err = 0;
	}
	if (!err)
		bench_add(&m->side[side], ns);
	return err;
}

/* Every round begins with another side. */
static int measure_round(struct bench *b, struct measured *m, unsigned int round)
{
	double ns;
	int err = 0;

	for (unsigned int i = 0; i < GATE_SIDE_MAX && !err; i++)
		err = bench_interrupted() ?
			      -EINTR :
			      measure_side(b, m, (enum gate_side)((i + round) % GATE_SIDE_MAX));
	if (!err)
		err = gate_sides_run(b->sides, TRAFFIC, RUN_REPEAT, &ns);
	if (!err)
		bench_add(&m->run, ns);
	return err;
}

/* With what stands in b->path. */
static int measure(struct bench *b, struct measured *m, unsigned int burst)
{
	int err = gate_sides_load(b->sides, b->path, NULL);

	m->burst = burst;
	for (unsigned int round = 0; round < b->opts.rounds && !err; round++)
		err = measure_round(b, m, round);
	if (!err)
		bench_progress(++b->done, b->all);
	return err;
}

static int measure_rules(struct bench *b)
{
	int err = 0;

	for (int size = 0; size < SIZES; size++)
		for (int place = 0; place < GATE_PLACE_MAX && !err; place++) {
			err = gate_file_rules(b->path, sizes[size], (enum gate_place)place);
			if (!err)
				err = measure(b, &b->rules[place][size],
					      size < TARGET_RULES ? BURST : BURST_MANY);
		}
	return err;
}

static int measure_sets(struct bench *b)
{
	int err = 0;

	for (int size = 0; size < SETS; size++)
		for (int is_in = 0; is_in < 2 && !err; is_in++) {
			err = gate_file_set(b->path, sets[size], is_in);
			/* The largest ones take nftables and us many seconds to load. */
			bench_say("a set of %s, %s it", set_names[size], is_in ? "in" : "not in");
			if (!err)
				err = measure(b, &b->set[is_in][size], BURST);
		}
	return err;
}

static int measure_reload(struct bench *b)
{
	double ms[GATE_SIDE_MAX], by_command = NAN;
	int err = gate_file_rules(b->path, RELOAD_RULES, GATE_PLACE_LAST);

	/* The first is a load. */
	if (!err)
		err = gate_sides_load(b->sides, b->path, ms);
	for (unsigned int round = 0; round < b->opts.rounds && !err; round++) {
		err = bench_interrupted() ? -EINTR : gate_sides_load(b->sides, b->path, ms);
		if (!err)
			err = gate_sides_reload(b->sides, b->path, &by_command);
		bench_add(&b->command, by_command);
		for (int side = 0; side < GATE_SIDE_MAX && !err; side++)
			bench_add(&b->load[side], ms[side]);
	}
	if (!err)
		bench_progress(++b->done, b->all);
	return err;
}

static int measure_all(struct bench *b)
{
	bool rules = bench_wants(&b->opts, "rules"), in_sets = bench_wants(&b->opts, "sets");
	bool reload = bench_wants(&b->opts, "reload");
	int err = 0;

	b->all = (rules ? SIZES * GATE_PLACE_MAX : 0) + (in_sets ? 2 * SETS : 0) + reload;
	if (reload)
		err = measure_reload(b);
	if (!err && rules)
		err = measure_rules(b);
	if (!err && in_sets)
		err = measure_sets(b);
	return err == -EINTR && b->done ? 0 : err;
}

static double own_cost(const struct measured *m, enum gate_side side)
{
	return bench_median_difference(&m->side[side], &m->side[GATE_SIDE_NONE]);
}

static double error_of(const struct measured *m, enum gate_side side)
{
	return bench_median_error(&m->side[side], &m->side[GATE_SIDE_NONE]);
}

static void report_column(const struct measured *m, struct bench_table *t, size_t column)
{
	t->rows[0].values[column] = bench_median(&m->side[GATE_SIDE_NONE]);
	for (int side = GATE_SIDE_NFTABLES; side < GATE_SIDE_MAX; side++)
		t->rows[side].values[column] = own_cost(m, (enum gate_side)side);
	t->rows[GATE_SIDE_MAX].values[column] = bench_median(&m->run);
	t->rows[GATE_SIDE_MAX + 1].values[column] = error_of(m, GATE_SIDE_NFTABLES);
	t->rows[GATE_SIDE_MAX + 2].values[column] = error_of(m, GATE_SIDE_GATE);
	t->rows[GATE_SIDE_MAX + 3].values[column] = own_cost(m, GATE_SIDE_GATE) /
						    own_cost(m, GATE_SIDE_NFTABLES);
	t->rows[GATE_SIDE_MAX + 4].values[column] = own_cost(m, GATE_SIDE_GATE) /
						    own_cost(m, GATE_SIDE_CONNTRACK);
}

static void add_rows(struct bench_table *t, const char *const *columns, size_t n)
{
	bench_table_add(t, "nobody judges (all of it)");
	for (int side = GATE_SIDE_NFTABLES; side < GATE_SIDE_MAX; side++)
		bench_table_add(t, gate_side_name((enum gate_side)side));
	bench_table_add(t, "the gate's program by test run");
	bench_table_add(t, "nftables, how far it may be off");
	bench_table_add(t, "gate, how far it may be off");
	bench_table_add(t, "gate / nftables");
	bench_table_add(t, "gate / nftables with conntrack");
	t->n_columns = n;
	memcpy(t->columns, columns, n * sizeof(*columns));
}

#define OWN_COST "own cost of a packet in ns, medians; by "

static void report_rules(const struct bench *b, struct bench_table tables[GATE_PLACE_MAX])
{
	static const char *const keys[GATE_PLACE_MAX] = { "first", "middle", "last", "none" };
	static const char *const titles[GATE_PLACE_MAX] = {
		"First rule matches: " OWN_COST "rules",
		"Middle rule matches: " OWN_COST "rules",
		"Last rule matches: " OWN_COST "rules",
		"No rule matches: " OWN_COST "rules",
	};

	for (int place = 0; place < GATE_PLACE_MAX; place++) {
		struct bench_table *t = &tables[place];

		t->key = keys[place];
		t->title = titles[place];
		t->decimals = 2;
		add_rows(t, size_names, SIZES);
		for (size_t size = 0; size < SIZES; size++)
			report_column(&b->rules[place][size], t, size);
	}
}

static void report_sets(const struct bench *b, struct bench_table tables[2])
{
	static const char *const keys[2] = { "not_in_set", "in_set" };
	static const char *const titles[2] = {
		"One rule, address not in its set: " OWN_COST "intervals in the set",
		"One rule, address in its set: " OWN_COST "intervals in the set",
	};

	for (int is_in = 0; is_in < 2; is_in++) {
		struct bench_table *t = &tables[is_in];

		t->key = keys[is_in];
		t->title = titles[is_in];
		t->decimals = 2;
		add_rows(t, set_names, SETS);
		for (size_t size = 0; size < SETS; size++)
			report_column(&b->set[is_in][size], t, size);
	}
}

static void report_load(struct bench_table *t, const char *label, const struct bench_samples *ms)
{
	double *values = bench_table_add(t, label);

	values[0] = bench_median(ms);
	values[1] = bench_median_error(ms, NULL);
}

static void report_reload(const struct bench *b, struct bench_table *t)
{
	t->columns[t->n_columns++] = "ms";
	t->columns[t->n_columns++] = "±";
	for (int side = GATE_SIDE_NFTABLES; side <= GATE_SIDE_GATE; side++)
		report_load(t, gate_side_name((enum gate_side)side), &b->load[side]);
	report_load(t, "unfrag policy reload", &b->command);
}

/* What one costs as a multiple of what the other does, and how far that may be off. */
static void add_ratio(struct bench_target *t, const char *name, const struct measured *a,
		      enum gate_side what, const struct measured *b, enum gate_side to)
{
	double ratio = own_cost(a, what) / own_cost(b, to);
	double x = error_of(a, what) / own_cost(a, what), y = error_of(b, to) / own_cost(b, to);

	bench_target_add(t, name, ratio, fabs(ratio) * sqrt(x * x + y * y));
}

static void add_peer(struct bench_target *t, const char *name, const struct measured *m,
		     enum gate_side peer)
{
	add_ratio(t, name, m, GATE_SIDE_GATE, m, peer);
}

static void rules_targets(const struct bench *b, struct bench_target *targets)
{
	for (int place = 0; place < GATE_PLACE_MAX; place++) {
		const struct measured *m = b->rules[place];
		const char *name = gate_place_name((enum gate_place)place);

		add_peer(&targets[0], name, &m[0], GATE_SIDE_NFTABLES);
		add_peer(&targets[1], name, &m[0], GATE_SIDE_CONNTRACK);
		if (place != GATE_PLACE_FIRST) {
			add_peer(&targets[2], name, &m[TARGET_RULES], GATE_SIDE_NFTABLES);
			add_peer(&targets[3], name, &m[TARGET_RULES], GATE_SIDE_CONNTRACK);
		}
		add_ratio(&targets[4], name, &m[TARGET_MANY], GATE_SIDE_GATE, &m[TARGET_FEW],
			  GATE_SIDE_GATE);
	}
}

static const struct bench_target rules_goals[] = {
	{ .label = "1 rule: no dearer than nftables", .limit = 1, .decimals = 2 },
	{ .label = "1 rule: no dearer than nftables with conntrack", .limit = 1, .decimals = 2 },
	{ .label = "1,000 rules: a tenth of nftables", .limit = 0.1, .decimals = 3 },
	{ .label = "1,000 rules: a tenth of nftables with conntrack", .limit = 0.1, .decimals = 3 },
	{ .label = "from 10 to 4,000 rules at most 3 times the cost", .limit = 3, .decimals = 2 },
};

#define RULES_GOALS (sizeof(rules_goals) / sizeof(rules_goals[0]))

struct reporting {
	struct bench_table rules[GATE_PLACE_MAX], in_sets[2], reload;
	const struct bench_table *tables[GATE_PLACE_MAX + 3];
	struct bench_target targets[RULES_GOALS + 2];
	size_t n_tables, n_targets;
};

static void add_rules(const struct bench *b, struct reporting *r)
{
	report_rules(b, r->rules);
	for (int place = 0; place < GATE_PLACE_MAX; place++)
		r->tables[r->n_tables++] = &r->rules[place];
	memcpy(r->targets, rules_goals, sizeof(rules_goals));
	r->n_targets = RULES_GOALS;
	rules_targets(b, r->targets);
}

static void add_sets(const struct bench *b, struct reporting *r)
{
	struct bench_target *t = &r->targets[r->n_targets++];

	report_sets(b, r->in_sets);
	t->label = "1,000,000 elements: no dearer than nftables";
	t->limit = 1;
	t->decimals = 2;
	for (int is_in = 0; is_in < 2; is_in++) {
		r->tables[r->n_tables++] = &r->in_sets[is_in];
		add_peer(t, is_in ? "in" : "not in", &b->set[is_in][SETS - 1], GATE_SIDE_NFTABLES);
	}
}

static void add_reload(const struct bench *b, struct reporting *r)
{
	struct bench_target *t = &r->targets[r->n_targets++];

	r->reload.key = "reload";
	r->reload.title = "Reload of 1,000 rules, from the file until it is in force: medians";
	r->reload.decimals = 1;
	report_reload(b, &r->reload);
	r->tables[r->n_tables++] = &r->reload;
	t->label = "a reload of 1,000 rules in 100 ms";
	t->limit = RELOAD_TARGET;
	t->decimals = 1;
	bench_target_add(t, "ms", bench_median(&b->command), bench_median_error(&b->command, NULL));
}

static int report(const struct bench *b)
{
	static struct reporting r;
	struct bench_report all = {
		.opts = &b->opts,
		.rounds = b->opts.rounds,
		.invalid = b->invalid,
		.tables = r.tables,
		.targets = r.targets,
	};

	if (bench_wants(&b->opts, "rules"))
		add_rules(b, &r);
	if (bench_wants(&b->opts, "sets"))
		add_sets(b, &r);
	if (bench_wants(&b->opts, "reload"))
		add_reload(b, &r);
	all.n_tables = r.n_tables;
	all.n_targets = r.n_targets;
	return bench_report_print(&all);
}

int main(int argc, char **argv)
{
	static const char *const parts[] = { "rules", "sets", "reload", NULL };
	static struct bench b = {
		.opts = {
			.name = "gate",
			.about = "What it costs to let the gate judge, against nftables with the "
				 "same ruleset.",
			.rounds = 41,
			.quick_rounds = 7,
			.parts = parts,
		},
	};
	int err;

	bench_options_parse(&b.opts, argc, argv);
	bench_catch_signals();
	unfrag_set_log(log_error, NULL);
	err = set_up(&b);
	if (!err)
		err = measure_all(&b);
	if (!err)
		err = report(&b);
	tear_down(&b);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
