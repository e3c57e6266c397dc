// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "output.h"

struct stats;

/* One way to print records; see stats.print. */
struct format {
	void (*begin)(struct stats *s);
	void (*record)(struct stats *s, const char *name, uint32_t family, enum unfrag_hook hook,
		       const struct unfrag_counters *c);
	int (*end)(struct stats *s);
};

struct row {
	char name[UNFRAG_NAME_MAX + 1];
	uint32_t family;
	enum unfrag_hook hook;
	struct unfrag_counters counters;
};

struct stats {
	const struct format *format;
	struct row *rows;
	size_t count;
	bool seen[UNFRAG_OUTCOME_MAX];
	json_t *json;
	char *sizes;
	size_t sizes_len;
	FILE *later; /* OpenMetrics: the second family of metrics */
};

static void text_begin(struct stats *s)
{
	(void)s;
}

static void text_record(struct stats *s, const char *name, uint32_t family, enum unfrag_hook hook,
			const struct unfrag_counters *c)
{
	struct row *row;
	int i;

	s->rows = must(reallocarray(s->rows, s->count + 1, sizeof(*s->rows)));
	row = &s->rows[s->count++];
	snprintf(row->name, sizeof(row->name), "%s", name);
	row->family = family;
	row->hook = hook;
	row->counters = *c;
	for (i = 0; i < UNFRAG_OUTCOME_MAX; i++)
		s->seen[i] |= c->outcomes[i] || unfrag_outcome_judged((enum unfrag_outcome)i);
}

/* What did not reach the program stands out. */
static enum colour outcome_colour(const struct unfrag_counters *c, int outcome)
{
	if (!c->outcomes[outcome] || unfrag_outcome_judged((enum unfrag_outcome)outcome))
		return COLOUR_NONE;
	return COLOUR_WARN;
}

static void text_head(const struct stats *s, struct table *t)
{
	int i;

	table_add(t, COLOUR_NONE, false, "NAME");
	table_add(t, COLOUR_NONE, false, "FAMILY");
	table_add(t, COLOUR_NONE, false, "HOOK");
	table_add(t, COLOUR_NONE, true, "packets");
	for (i = 0; i < UNFRAG_OUTCOME_MAX; i++)
		if (s->seen[i])
			table_add(t, COLOUR_NONE, true, "%s",
				  unfrag_outcome_name((enum unfrag_outcome)i));
	table_add(t, COLOUR_NONE, true, "largest_fragment");
}

static void text_row(const struct stats *s, struct table *t, const struct row *row)
{
	const struct unfrag_counters *c = &row->counters;
	int i;

	table_add(t, COLOUR_NONE, false, "%s", row->name);
	table_add(t, COLOUR_NONE, false, "%s", output_family(row->family));
	table_add(t, COLOUR_NONE, false, "%s", unfrag_hook_name(row->hook));
	table_add(t, COLOUR_NONE, true, "%llu", (unsigned long long)c->packets);
	for (i = 0; i < UNFRAG_OUTCOME_MAX; i++)
		if (s->seen[i])
			table_add(t, outcome_colour(c, i), true, "%llu",
				  (unsigned long long)c->outcomes[i]);
	table_add(t, COLOUR_NONE, true, "%llu", (unsigned long long)c->frag_max_size);
}

/* Outcomes that no packet met have no column, but for those that are as it should be. */
static int text_end(struct stats *s)
{
	size_t i, columns = 5;
	struct table *t;

	for (i = 0; i < UNFRAG_OUTCOME_MAX; i++)
		columns += s->seen[i];
	t = table_new(columns);
	text_head(s, t);
	for (i = 0; i < s->count; i++)
		text_row(s, t, &s->rows[i]);
	table_print(t, stdout);
	table_free(t);
	free(s->rows);
	return CLI_DONE;
}

static void json_begin(struct stats *s)
{
	s->json = json_array();
}

static void json_record(struct stats *s, const char *name, uint32_t family, enum unfrag_hook hook,
			const struct unfrag_counters *c)
{
	json_t *outcomes = json_object();
	int i;

	for (i = 0; i < UNFRAG_OUTCOME_MAX; i++)
		json_object_set_new(outcomes, unfrag_outcome_name((enum unfrag_outcome)i),
				    json_integer((json_int_t)c->outcomes[i]));
	json_array_append_new(s->json,
			      json_pack("{s:s, s:s, s:s, s:I, s:o, s:I}", "name", name, "family",
					output_family(family), "hook", unfrag_hook_name(hook),
					"packets", (json_int_t)c->packets, "outcomes", outcomes,
					"largest_fragment", (json_int_t)c->frag_max_size));
}

static int json_end(struct stats *s)
{
	return json_finish(s->json);
}

/* https://prometheus.io/docs/specs/om/open_metrics_spec/: one block for each metric family. */
static void metrics_begin(struct stats *s)
{
	s->later = open_memstream(&s->sizes, &s->sizes_len);
	puts("# TYPE unfrag_packets counter\n"
	     "# HELP unfrag_packets Packets by what became of them.");
}

static void metrics_record(struct stats *s, const char *name, uint32_t family,
			   enum unfrag_hook hook, const struct unfrag_counters *c)
{
	char labels[256];
	int i;

	snprintf(labels, sizeof(labels), "attachment=\"%s\",family=\"%s\",hook=\"%s\"", name,
		 output_family(family), unfrag_hook_name(hook));
	for (i = 0; i < UNFRAG_OUTCOME_MAX; i++)
		printf("unfrag_packets_total{%s,outcome=\"%s\"} %llu\n", labels,
		       unfrag_outcome_name((enum unfrag_outcome)i),
		       (unsigned long long)c->outcomes[i]);
	if (s->later)
		fprintf(s->later, "unfrag_largest_fragment_bytes{%s} %llu\n", labels,
			(unsigned long long)c->frag_max_size);
}

static int metrics_end(struct stats *s)
{
	if (!s->later || fclose(s->later)) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	printf("# TYPE unfrag_largest_fragment_bytes gauge\n"
	       "# UNIT unfrag_largest_fragment_bytes bytes\n"
	       "# HELP unfrag_largest_fragment_bytes Largest original fragment of a reassembled "
	       "packet.\n%s# EOF\n",
	       s->sizes);
	free(s->sizes);
	return CLI_DONE;
}

static const struct format text = { text_begin, text_record, text_end };
static const struct format json = { json_begin, json_record, json_end };
static const struct format metrics = { metrics_begin, metrics_record, metrics_end };

static bool has_place(const struct unfrag_attachment_info *info, uint32_t family, int hook)
{
	uint32_t n;

	for (n = 0; n < info->n_places; n++)
		if (info->places[n].families & family && info->places[n].hook == (uint32_t)hook)
			return true;
	return false;
}

static int record_hooks(struct stats *s, const char *name, struct unfrag_attachment *att,
			const struct unfrag_attachment_info *info)
{
	struct unfrag_counters c = { .sz = sizeof(c) };
	uint32_t family;
	int hook, r;

	for (family = UNFRAG_FAMILIES_IPV4; family <= UNFRAG_FAMILIES_IPV6; family <<= 1) {
		for (hook = 0; hook < UNFRAG_HOOK_MAX; hook++) {
			if (!has_place(info, family, hook))
				continue;
			r = unfrag_attachment_counters(att, family, (enum unfrag_hook)hook, &c);
			if (r)
				return r;
			s->format->record(s, name, family, (enum unfrag_hook)hook, &c);
		}
	}
	return 0;
}

static int record(struct stats *s, const char *name, struct unfrag_attachment *att)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	int r = unfrag_attachment_info(att, &info);

	if (r)
		return r;
	if (info.state == UNFRAG_STATE_BROKEN) {
		cli_error("'%s' is broken: %s", name, info.problem);
		return -EBADF;
	}
	return record_hooks(s, name, att, &info);
}

/* Of all attachments those that can't be read are said and passed over. */
static int each(const char *name, void *arg)
{
	struct unfrag_attachment *att;

	if (unfrag_attachment_open(&att, name))
		return 0;
	record(arg, name, att);
	unfrag_attachment_free(att);
	return 0;
}

static int all(struct stats *s)
{
	int code, end;

	s->format->begin(s);
	code = cli_exit_of(unfrag_attachment_each(each, s));
	end = s->format->end(s);
	return code ? code : end;
}

static int named(struct stats *s, const char *name)
{
	struct unfrag_attachment *att;
	int end, code = cli_exit_of(unfrag_attachment_open(&att, name));

	if (code)
		return code;
	s->format->begin(s);
	code = cli_exit_of(record(s, name, att));
	end = s->format->end(s);
	unfrag_attachment_free(att);
	return code ? code : end;
}

static bool parse(const struct verb *self, const struct format **format, int argc, char **argv,
		  int *code)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "openmetrics", no_argument, NULL, OPTION_OPENMETRICS },
		CLI_COMMON_OPTIONS,
	};
	bool as_json = false, as_metrics = false;
	int option;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			as_json = true;
		else if (option == OPTION_OPENMETRICS)
			as_metrics = true;
		else if (cli_common_option(self, option, code))
			return false;
	}
	*format = as_json ? &json : as_metrics ? &metrics : &text;
	if (as_json && as_metrics)
		*code = cli_usage(self, "--json and --openmetrics exclude each other");
	else if (argc - optind > 1)
		*code = cli_usage(self, "one name, or none for all");
	else
		return true;
	return false;
}

static int run(const struct verb *self, int argc, char **argv)
{
	struct stats s = { 0 };
	int code;

	if (!parse(self, &s.format, argc, argv, &code))
		return code;
	code = cli_exit_of(unfrag_probe_kernel());
	if (code)
		return code;
	return optind < argc ? named(&s, argv[optind]) : all(&s);
}

const struct verb verb_stats = {
	.name = "stats",
	.args = "[--json | --openmetrics] [NAME]",
	.summary = "count packets by what became of them, per family and hook",
	.help = "      --json            as JSON\n"
		"      --openmetrics     as OpenMetrics, for Prometheus\n",
	.run = run,
};
