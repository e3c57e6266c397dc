// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows come in the order of their datagrams' ends. A table is aligned once it is known, so text
 * comes in tables of some hundred rows. Differences are few unless someone made them many: they
 * are kept for the end, up to a limit, and counted beyond it.
 */
#include "pcap_report.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "output.h"
#include "pcap_words.h"

#define ROWS_AT_ONCE    200u
#define DIFFERENCES_MAX 1000u
#define COLUMNS         12u

struct report {
	struct report_opts o;
	struct table *table;
	uint32_t n_rows; /* in the table */
	bool printed;    /* some row was */
	bool failed;
	struct difference *differences;
	uint32_t n_differences;
	uint64_t more_differences;
};

struct report *report_new(const struct report_opts *o)
{
	struct report *r = must(calloc(1, sizeof(*r)));

	r->o = *o;
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	if (r->table)
		table_free(r->table);
	free(r->differences);
	free(r);
}

static void print_rows(struct report *r)
{
	if (!r->table)
		return;
	table_print(r->table, r->o.out);
	table_free(r->table);
	r->table = NULL;
	r->n_rows = 0;
}

static void begin_rows(struct report *r)
{
	static const char *const head[COLUMNS] = {
		"SOURCE",    "DESTINATION", "VLAN",   "TUNNEL", "PROTO", "ID",
		"FRAGMENTS", "SIZES",       "LENGTH", "SPAN",   "ORDER", "OUTCOME"
	};
	size_t i;

	r->table = table_new(COLUMNS + 1);
	for (i = 0; i < COLUMNS; i++)
		table_add(r->table, COLOUR_NONE, i >= 6 && i <= 9, "%s", head[i]);
	table_add(r->table, COLOUR_NONE, false, "FINDINGS");
}

static void add_row(struct report *r, const struct record *d)
{
	struct table *t = r->table;
	char buf[WORDS];

	table_add(t, COLOUR_NONE, false, "%s", words_address(&d->key, d->key.src, buf));
	table_add(t, COLOUR_NONE, false, "%s", words_address(&d->key, d->key.dst, buf));
	table_add(t, COLOUR_NONE, false, "%s", d->key.vlans[0] ? words_vlans(&d->key, buf) : "-");
	table_add(t, COLOUR_NONE, false, "%s",
		  d->key.tunnels[0] ? words_tunnels(&d->key, buf) : "-");
	table_add(t, COLOUR_NONE, false, "%s", words_protocol(d->proto, buf));
	table_add(t, COLOUR_NONE, false, "0x%0*x", d->key.family == UNFRAG_IPV4 ? 4 : 8, d->key.id);
	table_add(t, COLOUR_NONE, true, "%u", d->fragments);
	if (d->smallest == d->largest)
		table_add(t, COLOUR_NONE, true, "%u", d->largest);
	else
		table_add(t, COLOUR_NONE, true, "%u-%u", d->smallest, d->largest);
	if (d->len)
		table_add(t, COLOUR_NONE, true, "%u", d->len);
	else
		table_add(t, COLOUR_NONE, true, "-");
	table_add(t, COLOUR_NONE, true, "%s", words_span(d->last - d->first, buf));
	table_add(t, COLOUR_NONE, false, "%s", order_name(d->order));
	table_add(t, d->len ? COLOUR_GOOD : COLOUR_WARN, false, "%s", words_outcome(d));
	table_add(t, COLOUR_BAD, false, "%s", words_findings(d->findings, buf));
}

/* Prints and frees. */
static void print_json(struct report *r, json_t *object)
{
	if (!object || json_dumpf(object, r->o.out, JSON_COMPACT))
		r->failed = true;
	json_decref(object);
}

void report_datagram(struct report *r, const struct record *record)
{
	if (!r->o.rows)
		return;
	if (r->o.json) {
		fputs(r->printed ? ",\n" : "{\n\"datagrams\": [\n", r->o.out);
		r->printed = true;
		print_json(r, json_datagram(record));
		return;
	}
	if (!r->table)
		begin_rows(r);
	r->printed = true;
	add_row(r, record);
	if (++r->n_rows == ROWS_AT_ONCE)
		print_rows(r);
}

void report_difference(struct report *r, const struct difference *difference)
{
	if (r->n_differences == DIFFERENCES_MAX) {
		r->more_differences++;
		return;
	}
	r->differences =
		must(reallocarray(r->differences, r->n_differences + 1, sizeof(*r->differences)));
	r->differences[r->n_differences++] = *difference;
}

static void print_difference(const struct report *r, const struct difference *d)
{
	char a[WORDS], b[WORDS];
	uint32_t i;

	fprintf(r->o.out, "%s > %s id 0x%x: %u bytes from offset %u of %u\n",
		words_address(&d->key, d->key.src, a), words_address(&d->key, d->key.dst, b),
		d->key.id, d->size, d->at, d->len);
	for (i = 0; i < d->n; i++)
		fprintf(r->o.out, "  %s%s  %s\n", words_bytes(&d->readings[i], b),
			d->size > READING_BYTES ? " ..." : "",
			words_policies(d->readings[i].policies, a));
}

static void print_differences(const struct report *r)
{
	uint32_t i;

	for (i = 0; i < r->n_differences; i++)
		print_difference(r, &r->differences[i]);
	if (r->more_differences)
		fprintf(r->o.out, "... and %llu datagrams more that read differently\n",
			(unsigned long long)r->more_differences);
}

/* "NAME COUNT, NAME COUNT", of those that are not 0; empty if there are none. */
static const char *counts(const uint64_t *n, uint32_t max, const char *(*name)(uint32_t), char *buf)
{
	size_t len = 0;
	uint32_t i;

	buf[0] = '\0';
	for (i = 0; i < max && len < WORDS; i++)
		if (n[i])
			len += (size_t)snprintf(buf + len, WORDS - len, "%s%s %llu",
						len ? ", " : "", name(i), (unsigned long long)n[i]);
	return buf;
}

#define N(x) ((unsigned long long)(x))

static void print_passed(FILE *out, const struct capture_stats *s)
{
	if (s->lost)
		fprintf(out, "lost        %llu packets that came too fast to be read\n",
			N(s->lost));
	if (s->cut)
		fprintf(out,
			"cut         %llu packets captured in part (snap length %u): not judged\n",
			N(s->cut), s->snap);
	if (s->unreadable)
		fprintf(out, "unreadable  %llu packets whose headers can't be followed\n",
			N(s->unreadable));
	if (s->atomic)
		fprintf(out, "atomic      %llu IPv6 datagrams in one fragment\n", N(s->atomic));
}

static void print_summary(const struct report *r, const struct capture_stats *s)
{
	char buf[WORDS], span[WORDS];
	FILE *out = r->o.out;

	fprintf(out, "packets     %llu in %s, %llu of them fragments\n", N(s->packets),
		words_span(s->last - s->first, span), N(s->fragments));
	fprintf(out, "whole       %llu datagrams from %llu fragments, largest %u bytes\n",
		N(s->whole), N(s->whole_fragments), s->largest);
	if (s->single)
		fprintf(out, "incomplete  %llu fragments: %s\n", N(s->single),
			counts(s->reasons, UNFRAG_REASON_MAX, unfrag_reason_name, buf));
	print_passed(out, s);
	if (counts(s->findings, FINDING_MAX, finding_name, buf)[0])
		fprintf(out, "findings    %s\n", buf);
	if (r->o.compare)
		fprintf(out, "differ      %llu datagrams that systems read differently\n",
			N(s->differ));
	if (r->o.written || s->filtered)
		fprintf(out, "written     %llu packets, %llu left out, %llu not in the filter\n",
			N(s->written), N(s->left_out), N(s->filtered));
}

static void finish_json(struct report *r, const struct capture_stats *stats, const char *trouble)
{
	uint32_t i;

	if (!r->printed)
		fputs(r->o.rows ? "{\n\"datagrams\": [" : "{", r->o.out);
	fputs(r->o.rows ? "\n],\n" : "\n", r->o.out);
	if (r->o.compare) {
		fputs("\"differences\": [", r->o.out);
		for (i = 0; i < r->n_differences; i++) {
			fputs(i ? ",\n" : "\n", r->o.out);
			print_json(r, json_difference(&r->differences[i]));
		}
		fputs("],\n", r->o.out);
	}
	fputs("\"summary\": ", r->o.out);
	print_json(r, json_summary(stats, r->o.in, r->o.written, trouble));
	fputs("}\n", r->o.out);
	if (r->failed)
		cli_error("JSON can't be written");
}

void report_finish(struct report *r, const struct capture_stats *stats, const char *trouble)
{
	if (r->o.json) {
		finish_json(r, stats, trouble);
		return;
	}
	print_rows(r);
	if (r->printed)
		fputc('\n', r->o.out);
	print_differences(r);
	if (r->n_differences)
		fputc('\n', r->o.out);
	print_summary(r, stats);
}
