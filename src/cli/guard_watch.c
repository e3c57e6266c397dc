// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "unfrag guard top": the sources that hold or were refused most; and "unfrag guard watch": what is
 * refused, while it is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guard.h"
#include "interrupt.h"
#include "output.h"
#include "quantity.h"

#define WATCH_MS 500

struct sources {
	struct unfrag_guard_source *rows;
	size_t count, size;
};

static int keep(const struct unfrag_guard_source *source, void *arg)
{
	struct sources *s = arg;

	if (s->count == s->size) {
		s->size = s->size ? 2 * s->size : 256;
		s->rows = must(reallocarray(s->rows, s->size, sizeof(*s->rows)));
	}
	s->rows[s->count++] = *source;
	return 0;
}

/* Who holds most comes first; then who was refused most, and who has completed most. */
static int compare(const void *a, const void *b)
{
	const struct unfrag_guard_source *x = a, *y = b;

	if (x->memory != y->memory)
		return x->memory < y->memory ? 1 : -1;
	if (x->refused != y->refused)
		return x->refused < y->refused ? 1 : -1;
	if (x->standing != y->standing)
		return x->standing < y->standing ? 1 : -1;
	return memcmp(x->address, y->address, sizeof(x->address));
}

static const char *name_of(const struct unfrag_guard_source *s, char *buf)
{
	return s->family ? guard_address(s->family, s->address, s->prefix, buf) : "(others)";
}

static int top_json(const struct sources *s, size_t n)
{
	json_t *list = json_array();
	char buf[GUARD_ADDRESS];
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s?, s:I, s:I, s:I, s:I}", "source",
						      name_of(&s->rows[i], buf), "family",
						      s->rows[i].family ?
							      output_family(s->rows[i].family) :
							      NULL,
						      "memory_bytes", (json_int_t)s->rows[i].memory,
						      "datagrams", (json_int_t)s->rows[i].datagrams,
						      "refused", (json_int_t)s->rows[i].refused,
						      "standing", (json_int_t)s->rows[i].standing));
	return json_finish(list);
}

static void top_text(const struct sources *s, size_t n)
{
	static const char *const head[] = { "SOURCE", "MEMORY", "DATAGRAMS", "REFUSED",
					    "STANDING" };
	struct table *t = table_new(5);
	char buf[GUARD_ADDRESS], size[QUANTITY_MAX];
	size_t i;

	for (i = 0; i < 5; i++)
		table_add(t, COLOUR_NONE, i > 0, "%s", head[i]);
	for (i = 0; i < n; i++) {
		table_add(t, COLOUR_NONE, false, "%s", name_of(&s->rows[i], buf));
		table_add(t, COLOUR_NONE, true, "%s", quantity_of_size(s->rows[i].memory, size));
		table_add(t, COLOUR_NONE, true, "%u", s->rows[i].datagrams);
		table_add(t, s->rows[i].refused ? COLOUR_WARN : COLOUR_NONE, true, "%" PRIu64,
			  s->rows[i].refused);
		table_add(t, COLOUR_NONE, true, "%u", s->rows[i].standing);
	}
	table_print(t, stdout);
	table_free(t);
}

int guard_top(const struct guard_request *q)
{
	struct sources s = { 0 };
	struct unfrag_guard *guard;
	size_t n;
	int code = cli_exit_of(guard_open(q, &guard));

	if (code)
		return code;
	code = cli_exit_of(unfrag_guard_each_source(guard, keep, &s));
	unfrag_guard_free(guard);
	if (s.count)
		qsort(s.rows, s.count, sizeof(*s.rows), compare);
	n = s.count < q->rows ? s.count : q->rows;
	if (!code && q->json)
		code = top_json(&s, n);
	else if (!code)
		top_text(&s, n);
	free(s.rows);
	return code;
}

/* Seconds since 1970 of a moment on the clock that does not step. */
static double seconds_of(uint64_t monotonic)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (double)(real.tv_sec - mono.tv_sec) + (double)(real.tv_nsec - mono.tv_nsec) / 1e9 +
	       (double)monotonic / 1e9;
}

static void watch_json(const struct unfrag_guard_refusal *r, double when)
{
	char from[GUARD_ADDRESS], to[GUARD_ADDRESS];
	json_t *line = json_pack("{s:f, s:s, s:s, s:s, s:s, s:i, s:I, s:i, s:i, s:b}", "time", when,
				 "reason", unfrag_reason_name(r->reason), "family",
				 output_family(r->family), "source",
				 guard_address(r->family, r->source, 0, from), "destination",
				 guard_address(r->family, r->destination, 0, to), "protocol",
				 (int)r->protocol, "identification", (json_int_t)r->identification,
				 "offset", (int)r->offset, "length", (int)r->length, "more",
				 (int)r->more);

	json_dumpf(must(line), stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void watch_text(const struct unfrag_guard_refusal *r, double when)
{
	char from[GUARD_ADDRESS], to[GUARD_ADDRESS], clock[16] = "";
	time_t seconds = (time_t)when;
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s.%03d  %-12s %s > %s proto %u id %u offset %u length %u%s\n", clock,
	       (int)((when - (double)seconds) * 1000), unfrag_reason_name(r->reason),
	       guard_address(r->family, r->source, 0, from),
	       guard_address(r->family, r->destination, 0, to), r->protocol, r->identification,
	       r->offset, r->length, r->more ? "+" : "");
}

static void print_refusal(const struct unfrag_guard_refusal *r, void *arg)
{
	const struct guard_request *q = arg;

	if (q->json)
		watch_json(r, seconds_of(r->time));
	else
		watch_text(r, seconds_of(r->time));
}

int guard_watch(const struct guard_request *q)
{
	struct guard_request copy = *q;
	struct unfrag_guard *guard;
	uint64_t missed = 0, said = 0;
	int r = guard_open(q, &guard);

	if (r)
		return cli_exit_of(r);
	interrupt_catch();
	/* The first call begins; what is refused from here on is told. */
	r = unfrag_guard_watch(guard, print_refusal, &copy, 0, NULL);
	if (r >= 0 && !q->json)
		cli_note("watching; Ctrl-C ends it");
	while (r >= 0 && !interrupt_came()) {
		r = unfrag_guard_watch(guard, print_refusal, &copy, WATCH_MS, &missed);
		if (missed > said)
			cli_note("%" PRIu64 " more refusals were not told (--events)",
				 missed - said);
		said = missed > said ? missed : said;
		if (!cli_flush())
			break;
	}
	unfrag_guard_free(guard);
	return r < 0 && r != -EINTR ? cli_exit_of(r) : CLI_DONE;
}
