// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "unfrag guard status": one guard as text, JSON or OpenMetrics, or a list of all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "output.h"
#include "quantity.h"
#include "size.h"

struct status {
	struct unfrag_guard *guard;
	struct unfrag_guard_info info;
	const char *id;
	struct unfrag_guard_stats stats[2];
	bool counted; /* the guard is whole enough for the two above */
};

/* One way to print. */
struct format {
	int (*print)(const struct status *s);
};

/* Numbers of a family, in the order of printing: a row of text, a key, a metric. */
static const struct number {
	const char *key;
	const char *metric; /* NULL: none of its own */
	const char *help;
	size_t at;
	bool is_counter;
	bool is_size;
} numbers[] = {
#define AT(member) offsetof(struct unfrag_guard_stats, member)
	{ "memory_bytes", "memory_bytes", "Bytes held by fragments, as the guard counts.",
	  AT(memory), false, true },
	{ "memory_limit_bytes", "memory_limit_bytes", "Bytes that they may come to.",
	  AT(memory_limit), false, true },
	{ "kernel_memory_bytes", "kernel_memory_bytes", "Bytes held by fragments, as Linux counts.",
	  AT(kernel_memory), false, true },
	{ "kernel_limit_bytes", "kernel_limit_bytes", "Bytes at which Linux refuses all.",
	  AT(kernel_limit), false, true },
	{ "datagrams", "datagrams", "Datagrams in progress.", AT(datagrams), false, false },
	{ "given_up", "given_up", "Datagrams that were refused and are not forgotten yet.",
	  AT(given_up), false, false },
	{ "opened", "opened", "Datagrams begun.", AT(opened), true, false },
	{ "completed", "completed", "Datagrams that became whole.", AT(completed), true, false },
	{ "timed_out", "timed_out", "Datagrams that did not.", AT(timed_out), true, false },
	{ "fragments", "fragments", "Fragments that came.", AT(fragments), true, false },
	{ "passed", "passed", "Fragments let through.", AT(passed), true, false },
	{ "atomic", "atomic", "Of those, IPv6 datagrams in one fragment.", AT(atomic), true,
	  false },
	{ "dont_fragment", "dont_fragment", "IPv4 fragments with don't-fragment set.",
	  AT(dont_fragment), true, false },
	{ "refused", NULL, NULL, AT(refused), true, false },
#undef AT
};

#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

/* All are of 64 bits; -1: not known. */
static int64_t number_of(const struct unfrag_guard_stats *s, const struct number *n)
{
	int64_t value;

	memcpy(&value, (const char *)s + n->at, sizeof(value));
	return value;
}

static bool is_reason(uint32_t reason)
{
	return UNFRAG_GUARD_REASONS >> reason & 1;
}

static bool has(const struct status *s, int family)
{
	return s->info.families & 1u << family;
}

static enum colour colour_of(enum unfrag_state state)
{
	if (state == UNFRAG_STATE_READY)
		return COLOUR_GOOD;
	return state == UNFRAG_STATE_BUSY ? COLOUR_WARN : COLOUR_BAD;
}

static void text_row(struct table *t, const struct status *s, const char *name,
		     const struct number *n, uint32_t reason)
{
	char buf[QUANTITY_MAX];
	int64_t value;
	int f;

	table_add(t, COLOUR_NONE, false, "%s", name);
	for (f = 0; f < 2; f++) {
		if (!has(s, f)) {
			table_add(t, COLOUR_NONE, true, "-");
			continue;
		}
		value = n ? number_of(&s->stats[f], n) : (int64_t)s->stats[f].reasons[reason];
		if (value < 0)
			table_add(t, COLOUR_NONE, true, "-");
		else if (n && n->is_size)
			table_add(t, COLOUR_NONE, true, "%s",
				  quantity_of_size((uint64_t)value, buf));
		else
			table_add(t, n ? COLOUR_NONE : COLOUR_WARN, true, "%" PRId64, value);
	}
}

/* Reasons that no fragment met have no row. */
static void text_numbers(const struct status *s)
{
	struct table *t = table_new(3);
	uint32_t i;

	table_add(t, COLOUR_NONE, false, "COUNT");
	table_add(t, COLOUR_NONE, true, "IPV4");
	table_add(t, COLOUR_NONE, true, "IPV6");
	for (i = 0; i < NUMBERS; i++)
		text_row(t, s, numbers[i].key, &numbers[i], 0);
	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		if (is_reason(i) && (s->stats[0].reasons[i] || s->stats[1].reasons[i])) {
			char name[64];

			snprintf(name, sizeof(name), "refused: %s", unfrag_reason_name(i));
			text_row(t, s, name, NULL, i);
		}
	table_print(t, stdout);
	table_free(t);
}

static int text_limits(const struct status *s)
{
	struct unfrag_guard_limits l = { .sz = sizeof(l) };
	char a[QUANTITY_MAX], b[QUANTITY_MAX], c[QUANTITY_MAX];

	if (unfrag_guard_get_limits(s->guard, &l))
		return CLI_FAILED;
	printf("limits    timeout %s, IPv6 %s; share %u%%, floor %s, datagrams %u, forget %s\n",
	       quantity_of_time(l.timeout[0], a), quantity_of_time(l.timeout[1], b), l.share,
	       size_in_words(l.floor).text, l.datagrams, quantity_of_time(l.forget, c));
	return CLI_DONE;
}

static int text_sysctl(const struct unfrag_guard_sysctl *s, void *arg)
{
	(void)arg;
	printf("sysctl    %s %" PRId64 " -> %" PRId64, s->name, s->old, s->set);
	if (s->now == s->set)
		putchar('\n');
	else
		printf(", now %" PRId64 "\n", s->now);
	return 0;
}

static int text_print(const struct status *s)
{
	const struct unfrag_guard_info *i = &s->info;
	char buf[GUARD_WORDS], time[OUTPUT_WORDS];
	int code = CLI_DONE;

	printf("state     %s%s%s\n", colour_on(colour_of(i->state)), unfrag_state_name(i->state),
	       colour_off(colour_of(i->state)));
	printf("place     %s", unfrag_guard_place_name(i->place));
	if (i->device_count)
		printf(" of %s\n", guard_devices(i, buf));
	else
		printf(", priority %d\n", i->priority);
	printf("since     %s\n", output_time(i->since, time));
	if (!s->counted)
		return code;
	code = text_limits(s);
	unfrag_guard_each_sysctl(s->guard, text_sysctl, NULL);
	putchar('\n');
	text_numbers(s);
	return code;
}

static json_t *json_family(const struct unfrag_guard_stats *s)
{
	json_t *root = json_object(), *reasons = json_object();
	int64_t value;
	uint32_t i;

	for (i = 0; i < NUMBERS; i++) {
		value = number_of(s, &numbers[i]);
		json_object_set_new(root, numbers[i].key,
				    value < 0 ? json_null() : json_integer((json_int_t)value));
	}
	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		if (is_reason(i))
			json_object_set_new(reasons, unfrag_reason_name(i),
					    json_integer((json_int_t)s->reasons[i]));
	json_object_set_new(root, "reasons", reasons);
	return root;
}

static json_t *json_info(const struct unfrag_guard_info *i, const char *id)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:s, s:o, s:i, s:o, s:b, s:I}", "id", id,
			 "state", unfrag_state_name(i->state), "problem", i->problem, "netns",
			 json_text(i->netns), "netns_inode", (json_int_t)i->netns_inode, "place",
			 unfrag_guard_place_name(i->place), "families", json_families(i->families),
			 "priority", (int)i->priority, "devices", guard_json_devices(i), "tuned",
			 !(i->flags & UNFRAG_GUARD_NO_TUNE), "since", (json_int_t)i->since);
}

static int json_print(const struct status *s)
{
	json_t *root = json_info(&s->info, s->id);
	int f;

	if (s->counted) {
		json_object_set_new(root, "limits", guard_json_limits(s->guard));
		json_object_set_new(root, "sysctls", guard_json_sysctls(s->guard));
	}
	for (f = 0; f < 2 && s->counted; f++)
		if (has(s, f))
			json_object_set_new(root, output_family(1u << f),
					    json_family(&s->stats[f]));
	return json_finish(root);
}

/* One block for each metric family. */
static void metrics_number(const struct status *s, const struct number *n)
{
	const char *total = n->is_counter ? "_total" : "";
	int64_t value;
	int f;

	printf("# TYPE unfrag_guard_%s %s\n", n->metric, n->is_counter ? "counter" : "gauge");
	if (n->is_size)
		printf("# UNIT unfrag_guard_%s bytes\n", n->metric);
	printf("# HELP unfrag_guard_%s %s\n", n->metric, n->help);
	for (f = 0; f < 2; f++) {
		value = number_of(&s->stats[f], n);
		if (has(s, f) && value >= 0)
			printf("unfrag_guard_%s%s{family=\"%s\"} %" PRId64 "\n", n->metric, total,
			       output_family(1u << f), value);
	}
}

static int metrics_print(const struct status *s)
{
	uint32_t i;
	int f;

	for (i = 0; i < NUMBERS && s->counted; i++)
		if (numbers[i].metric)
			metrics_number(s, &numbers[i]);
	puts("# TYPE unfrag_guard_refused counter\n"
	     "# HELP unfrag_guard_refused Fragments refused, by reason.");
	for (f = 0; f < 2 && s->counted; f++)
		for (i = 0; i < UNFRAG_REASON_MAX && has(s, f); i++)
			if (is_reason(i))
				printf("unfrag_guard_refused_total{family=\"%s\",reason=\"%s\"} "
				       "%" PRIu64 "\n",
				       output_family(1u << f), unfrag_reason_name(i),
				       s->stats[f].reasons[i]);
	puts("# EOF");
	return CLI_DONE;
}

static const struct format text = { text_print };
static const struct format json = { json_print };
static const struct format metrics = { metrics_print };

/* Told on stderr, too: with what to do. */
static void note_problem(const struct unfrag_guard_info *i, const char *id)
{
	if (i->state == UNFRAG_STATE_BROKEN || i->state == UNFRAG_STATE_ORPHANED)
		cli_note("the guard is %s: %s; 'unfrag guard off --id %s' cleans it",
			 unfrag_state_name(i->state), i->problem, id);
}

static int one(const struct guard_request *q)
{
	struct status s = { .info.sz = sizeof(s.info) };
	const struct format *format = q->json ? &json : q->openmetrics ? &metrics : &text;
	char id[32];
	int f, r = guard_open(q, &s.guard);

	if (r)
		return cli_exit_of(r);
	r = unfrag_guard_info(s.guard, &s.info);
	snprintf(id, sizeof(id), "%" PRIu64, s.info.netns_inode);
	s.id = id;
	s.counted = s.info.state == UNFRAG_STATE_READY || s.info.state == UNFRAG_STATE_ORPHANED;
	for (f = 0; f < 2 && !r && s.counted; f++) {
		s.stats[f].sz = sizeof(s.stats[f]);
		r = unfrag_guard_stats(s.guard, 1u << f, &s.stats[f]);
	}
	if (!r)
		note_problem(&s.info, id);
	r = r ? cli_exit_of(r) : format->print(&s);
	unfrag_guard_free(s.guard);
	return r;
}

struct listing {
	struct table *table;
	json_t *json;
	int code;
};

static void list_row(struct table *t, const struct unfrag_guard_info *i, const char *id)
{
	char buf[GUARD_WORDS], time[OUTPUT_WORDS];

	table_add(t, COLOUR_NONE, false, "%s", id);
	table_add(t, colour_of(i->state), false, "%s", unfrag_state_name(i->state));
	table_add(t, COLOUR_NONE, false, "%s", i->netns[0] ? i->netns : "-");
	table_add(t, COLOUR_NONE, false, "%s", unfrag_guard_place_name(i->place));
	table_add(t, COLOUR_NONE, false, "%s", guard_devices(i, buf));
	table_add(t, COLOUR_NONE, false, "%s", output_time(i->since, time));
}

/* Of all guards those that can't be read are said and passed over. */
static int list_one(const char *id, void *arg)
{
	struct listing *l = arg;
	struct unfrag_guard_info i = { .sz = sizeof(i) };
	struct unfrag_guard *guard;
	int r = unfrag_guard_open_id(&guard, id);

	if (!r) {
		r = unfrag_guard_info(guard, &i);
		unfrag_guard_free(guard);
	}
	if (r) {
		l->code = r == -ENOENT ? l->code : cli_exit_of(r);
		return 0;
	}
	json_array_append_new(l->json, json_info(&i, id));
	list_row(l->table, &i, id);
	note_problem(&i, id);
	return 0;
}

static int all(const struct guard_request *q)
{
	static const char *const head[] = { "ID", "STATE", "NETNS", "PLACE", "DEVICES", "SINCE" };
	struct listing l = { .table = table_new(6), .json = json_array() };
	size_t i;
	int code;

	for (i = 0; i < 6; i++)
		table_add(l.table, COLOUR_NONE, false, "%s", head[i]);
	code = cli_exit_of(unfrag_guard_each(list_one, &l));
	if (!code && q->json)
		code = json_finish(json_incref(l.json));
	else if (!code)
		table_print(l.table, stdout);
	json_decref(l.json);
	table_free(l.table);
	return code ? code : l.code;
}

int guard_status(const struct guard_request *q)
{
	if (!q->all)
		return one(q);
	if (!q->id && !q->netns && !q->openmetrics)
		return all(q);
	cli_error("--all goes with --json alone");
	return CLI_USAGE;
}
