// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define BPFFS        "/sys/fs/bpf"
#define EXIT_USAGE   2
#define LABEL_WIDTH  40
#define COLUMN_WIDTH 13

static const char *bench_name = "bench";
static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

void bench_catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_signal };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool bench_interrupted(void)
{
	return interrupted;
}

int bench_private_bpffs(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", BPFFS, "bpf", 0, "mode=0700") || setenv("UNFRAG_BPFFS", BPFFS, 1))
		return bench_error(-errno, "can't mount a BPF file system at " BPFFS ": %s",
				   strerror(errno));
	return 0;
}

int bench_pin(void)
{
	cpu_set_t all, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(all), &all))
		return -errno;
	/* The last one: the first has the interrupts of many machines. */
	for (cpu = CPU_SETSIZE - 1; cpu > 0 && !CPU_ISSET(cpu, &all); cpu--)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}

double bench_clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

double bench_now_ns(void)
{
	return bench_clock_ns(CLOCK_MONOTONIC);
}

static void __attribute__((format(printf, 2, 0)))
talk(const char *what, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: %s", bench_name, what);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void bench_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	talk("", fmt, ap);
	va_end(ap);
}

void bench_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	talk("error: ", fmt, ap);
	va_end(ap);
}

void bench_progress(unsigned int done, unsigned int all)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s: round %u of %u%s", bench_name, done, all,
			done == all ? "\n" : "");
	else if (done == all || done % 10 == 0)
		bench_say("round %u of %u", done, all);
}

static void usage(FILE *to, const struct bench_options *opts)
{
	fprintf(to,
		"usage: %s [--rounds N] [--quick] [--json]%s\n\n%s\n\n"
		"  --rounds N  rounds, each with every side in it (default: %u)\n"
		"  --quick     %u rounds: a first look\n"
		"  --json      print JSON instead of tables\n",
		opts->name, opts->parts ? " [--only PART]" : "", opts->about, opts->rounds,
		opts->quick_rounds);
	if (!opts->parts)
		return;
	fprintf(to, "  --only PART one of its parts:");
	for (const char *const *part = opts->parts; *part; part++)
		fprintf(to, " %s", *part);
	fputc('\n', to);
}

static int parse_rounds(unsigned int *rounds, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || n > BENCH_ROUNDS_MAX)
		return bench_error(-EINVAL, "--rounds wants a number from 1 to %d, not '%s'",
				   BENCH_ROUNDS_MAX, text);
	*rounds = (unsigned int)n;
	return 0;
}

static int parse_part(struct bench_options *opts, const char *text)
{
	const char *const *part = opts->parts;

	for (; part && *part; part++)
		if (!strcmp(*part, text)) {
			opts->only = *part;
			return 0;
		}
	return bench_error(-EINVAL, "--only: there is no part '%s'", text);
}

bool bench_wants(const struct bench_options *opts, const char *part)
{
	return !opts->only || !strcmp(opts->only, part);
}

void bench_options_parse(struct bench_options *opts, int argc, char **argv)
{
	static const struct option table[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "quick", no_argument, NULL, 'q' },
		{ "json", no_argument, NULL, 'j' },
		{ "only", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int rounds = opts->rounds;
	int c;

	bench_name = opts->name;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout, opts);
			exit(EXIT_SUCCESS);
		} else if (c == 'q') {
			rounds = opts->quick_rounds;
		} else if (c == 'j') {
			opts->json = true;
		} else if (c == 'o' && !parse_part(opts, optarg)) {
			continue;
		} else if (c != 'r' || parse_rounds(&rounds, optarg)) {
			usage(stderr, opts);
			exit(EXIT_USAGE);
		}
	}
	if (optind != argc) {
		usage(stderr, opts);
		exit(EXIT_USAGE);
	}
	opts->rounds = rounds;
}

void bench_add(struct bench_samples *s, double value)
{
	if (s->count < BENCH_ROUNDS_MAX)
		s->values[s->count++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts what is valid to the front; returns how many that are. */
static unsigned int sort_valid(double *values, unsigned int count)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < count; i++)
		if (!isnan(values[i]))
			values[n++] = values[i];
	qsort(values, n, sizeof(*values), compare);
	return n;
}

/* Share 0..1 of the way through sorted values, between two of them if need be. */
static double quantile(const double *sorted, unsigned int n, double share)
{
	double at = share * (n - 1);
	unsigned int i = (unsigned int)at;

	if (!n)
		return NAN;
	return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

double bench_median(const struct bench_samples *s)
{
	struct bench_samples copy = *s;

	return quantile(copy.values, sort_valid(copy.values, copy.count), 0.5);
}

double bench_spread(const struct bench_samples *s)
{
	struct bench_samples copy = *s;
	unsigned int n = sort_valid(copy.values, copy.count);

	return (quantile(copy.values, n, 0.75) - quantile(copy.values, n, 0.25)) /
	       quantile(copy.values, n, 0.5);
}

double bench_median_ratio(const struct bench_samples *s, const struct bench_samples *to)
{
	struct bench_samples ratios = { .count = 0 };

	for (unsigned int i = 0; i < s->count && i < to->count; i++)
		bench_add(&ratios, s->values[i] / to->values[i]);
	return bench_median(&ratios);
}

/* Round by round. from: or NULL, for what there is */
static void subtract(struct bench_samples *out, const struct bench_samples *s,
		     const struct bench_samples *from)
{
	out->count = 0;
	for (unsigned int i = 0; i < s->count && (!from || i < from->count); i++)
		bench_add(out, s->values[i] - (from ? from->values[i] : 0));
}

double bench_median_difference(const struct bench_samples *s, const struct bench_samples *from)
{
	struct bench_samples d;

	subtract(&d, s, from);
	return bench_median(&d);
}

/* What box plots draw as notches: 1.57 times the distance of the quartiles by the root of n. */
double bench_median_error(const struct bench_samples *s, const struct bench_samples *from)
{
	struct bench_samples d;
	unsigned int n;

	subtract(&d, s, from);
	n = sort_valid(d.values, d.count);
	return 1.57 * (quantile(d.values, n, 0.75) - quantile(d.values, n, 0.25)) / sqrt(n);
}

double *bench_table_add(struct bench_table *table, const char *label)
{
	struct bench_row *row = &table->rows[table->n_rows++];

	row->label = label;
	return row->values;
}

void bench_target_add(struct bench_target *target, const char *name, double value, double error)
{
	target->names[target->n_values] = name;
	target->errors[target->n_values] = error;
	target->values[target->n_values++] = value;
}

void bench_target_set(struct bench_target *target, const struct bench_table *table,
		      const char *label)
{
	target->n_values = table->n_columns;
	memcpy(target->names, table->columns, sizeof(target->names));
	for (size_t i = 0; i < BENCH_COLUMNS_MAX; i++)
		target->values[i] = NAN;
	for (size_t i = 0; i < table->n_rows; i++)
		if (!strcmp(table->rows[i].label, label))
			memcpy(target->values, table->rows[i].values, sizeof(target->values));
}

bool bench_target_reached(const struct bench_target *target)
{
	for (size_t i = 0; i < target->n_values; i++)
		if (!(target->values[i] <= target->limit))
			return false;
	return true;
}

static void print_value(double value, int width, int decimals)
{
	if (isnan(value))
		printf("%*s", width, "-");
	else
		printf("%*.*f", width, decimals, value);
}

static void print_table(const struct bench_table *table)
{
	printf("%s\n%-*s", table->title, LABEL_WIDTH, "");
	for (size_t i = 0; i < table->n_columns; i++)
		printf("%*s", COLUMN_WIDTH, table->columns[i]);
	putchar('\n');
	for (size_t i = 0; i < table->n_rows; i++) {
		printf("%-*s", LABEL_WIDTH, table->rows[i].label);
		for (size_t k = 0; k < table->n_columns; k++)
			print_value(table->rows[i].values[k], COLUMN_WIDTH, table->decimals);
		putchar('\n');
	}
	putchar('\n');
}

/* The limit is no farther off than a value may be. */
static bool is_close(const struct bench_target *target)
{
	for (size_t i = 0; i < target->n_values; i++)
		if (target->errors[i] > 0 &&
		    fabs(target->values[i] - target->limit) <= target->errors[i])
			return true;
	return false;
}

static void print_target(const struct bench_target *target)
{
	printf("%-13s%s:", bench_target_reached(target) ? "reached" : "not reached", target->label);
	for (size_t i = 0; i < target->n_values; i++) {
		printf("%s %s ", i ? "," : "", target->names[i]);
		print_value(target->values[i], 0, target->decimals);
		if (target->errors[i] > 0)
			printf(" ±%.*f", target->decimals, target->errors[i]);
	}
	puts(is_close(target) ? " (within noise)" : "");
}

static void print_text(const struct bench_report *report)
{
	for (size_t i = 0; i < report->n_tables; i++)
		print_table(report->tables[i]);
	for (size_t i = 0; i < report->n_targets; i++)
		print_target(&report->targets[i]);
	if (report->rounds)
		printf("\n%u rounds; %u samples thrown away\n", report->rounds, report->invalid);
}

static json_t *json_number(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *json_values(const char *const *names, const double *values, size_t n)
{
	json_t *object = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(object, names[i], json_number(values[i]));
	return object;
}

static json_t *json_table(const struct bench_table *table)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < table->n_rows; i++) {
		const struct bench_row *row = &table->rows[i];
		json_t *values = json_values(table->columns, row->values, table->n_columns);

		json_array_append_new(rows, json_pack("{s:s, s:o}", "label", row->label, "values",
						      values));
	}
	return json_pack("{s:s, s:o}", "title", table->title, "rows", rows);
}

static json_t *json_target(const struct bench_target *target)
{
	return json_pack("{s:s, s:f, s:o, s:o, s:b}", "label", target->label, "limit",
			 target->limit, "values",
			 json_values(target->names, target->values, target->n_values), "errors",
			 json_values(target->names, target->errors, target->n_values), "reached",
			 bench_target_reached(target));
}

static int print_json(const struct bench_report *report)
{
	json_t *tables = json_object(), *targets = json_array();
	json_t *root;
	int err;

	for (size_t i = 0; i < report->n_tables; i++)
		json_object_set_new(tables, report->tables[i]->key, json_table(report->tables[i]));
	for (size_t i = 0; i < report->n_targets; i++)
		json_array_append_new(targets, json_target(&report->targets[i]));
	root = json_pack("{s:s, s:i, s:i, s:o, s:o}", "benchmark", report->opts->name, "rounds",
			 report->rounds, "invalid", report->invalid, "tables", tables, "targets",
			 targets);
	err = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) ? -EIO : 0;
	putchar('\n');
	json_decref(root);
	return err;
}

int bench_report_print(const struct bench_report *report)
{
	int err = 0;

	if (report->opts->json)
		err = print_json(report);
	else
		print_text(report);
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = -EIO;
	return err;
}
