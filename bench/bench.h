/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every benchmark is made of: options, samples of many short rounds, medians and ratios, and
 * a report as text or JSON.
 *
 * Sides that are compared take turns within each round, and ratios are made within a round before
 * their median is taken: what slows the machine down for a while slows all sides down. A sample
 * that is not valid is NAN; it keeps its place, so that rounds still match, and counts nowhere.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define BENCH_ROUNDS_MAX  1000
#define BENCH_COLUMNS_MAX 6
#define BENCH_ROWS_MAX    10

struct bench_options {
	const char *name;    /* of the benchmark: what messages start with */
	const char *about;   /* one line, shown by --help */
	unsigned int rounds; /* set the default before parsing */
	unsigned int quick_rounds;
	bool json;
	const char *const *parts; /* what it can be asked for alone, up to a NULL; or NULL */
	const char *only;         /* one of them, or NULL */
};

/* Takes --rounds N, --quick, --json, --only PART. --help, what is wrong end the process: 0, 2 */
void bench_options_parse(struct bench_options *opts, int argc, char **argv);

/* Whether that part is asked for, alone or with the others. */
bool bench_wants(const struct bench_options *opts, const char *part);

/* Ctrl-C and its like ask to stop; rounds go on until they see it. */
void bench_catch_signals(void);
bool bench_interrupted(void);

/* Keeps this thread, and those it starts, on one processor. 0 or -errno. */
int bench_pin(void);

/*
 * Pins go to a BPF file system of our own from here on, so that they end with this process however
 * it ends. 0 or -errno, after complaining.
 */
int bench_private_bpffs(void);

/* Of the monotonic clock, or of another one. */
double bench_now_ns(void);
double bench_clock_ns(clockid_t clock);

/* Talk, on stderr. */
void bench_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void bench_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Complains and gives err back, for `return bench_error(-EINVAL, ...)`. */
#define bench_error(err, ...) \
	({ \
		int err_ = (err); \
		bench_complain(__VA_ARGS__); \
		err_; \
	})

/* A line on stderr that overwrites the one before it, if that is a terminal. */
void bench_progress(unsigned int done, unsigned int all);

struct bench_samples {
	unsigned int count;
	double values[BENCH_ROUNDS_MAX]; /* one a round */
};

/* Beyond BENCH_ROUNDS_MAX it is dropped. */
void bench_add(struct bench_samples *s, double value);

/* NAN if no sample is valid; so the next three. */
double bench_median(const struct bench_samples *s);
double bench_median_ratio(const struct bench_samples *s, const struct bench_samples *to);
double bench_median_difference(const struct bench_samples *s, const struct bench_samples *from);

/* How far the median of differences may be off, to either side, in 19 of 20 runs. from: or NULL */
double bench_median_error(const struct bench_samples *s, const struct bench_samples *from);

/* Distance of the quartiles, as a share of the median. */
double bench_spread(const struct bench_samples *s);

struct bench_row {
	const char *label;
	double values[BENCH_COLUMNS_MAX];
};

struct bench_table {
	const char *key; /* in JSON */
	const char *title;
	int decimals;
	size_t n_columns, n_rows;
	const char *columns[BENCH_COLUMNS_MAX];
	struct bench_row rows[BENCH_ROWS_MAX];
};

/* The values of a new row, to be filled in. */
double *bench_table_add(struct bench_table *table, const char *label);

struct bench_target {
	const char *label;
	double limit; /* reached if no value is above it */
	int decimals;
	size_t n_values;
	const char *names[BENCH_COLUMNS_MAX];
	double values[BENCH_COLUMNS_MAX];
	double errors[BENCH_COLUMNS_MAX]; /* how far each may be off; 0: not said */
};

/* One more value, and how far it may be off; 0: not said. */
void bench_target_add(struct bench_target *target, const char *name, double value, double error);

/* Takes the values from the row with that label. */
void bench_target_set(struct bench_target *target, const struct bench_table *table,
		      const char *label);

bool bench_target_reached(const struct bench_target *target);

struct bench_report {
	const struct bench_options *opts;
	unsigned int rounds, invalid; /* rounds run; samples thrown away */
	size_t n_tables, n_targets;
	const struct bench_table *const *tables;
	const struct bench_target *targets;
};

/* On stdout, as text or JSON. 0 or -errno. */
int bench_report_print(const struct bench_report *report);
