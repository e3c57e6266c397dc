// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "output.h"

#define PRIORITIES (UNFRAG_PLACES_MAX * sizeof("-2147483648"))

struct listing {
	struct table *table;
	json_t *json;
	int code; /* of what could not be looked at */
};

static enum colour colour_of(enum unfrag_state state)
{
	switch (state) {
	case UNFRAG_STATE_READY:
		return COLOUR_GOOD;
	case UNFRAG_STATE_BUSY:
		return COLOUR_WARN;
	default:
		return COLOUR_BAD;
	}
}

static void add_head(struct table *t)
{
	static const char *const head[] = { "NAME",     "STATE",   "NETNS",   "FAMILIES", "HOOKS",
					    "PRIORITY", "ACCEPTS", "PROGRAM", "ID",       "SINCE" };
	size_t i;

	for (i = 0; i < sizeof(head) / sizeof(*head); i++)
		table_add(t, COLOUR_NONE, i == 5 || i == 8, "%s", head[i]);
}

/* What goes on unjudged: "-", or what --fragments, --unreadable and --empty were told to accept. */
static const char *accepts(uint32_t flags, char *buf)
{
	snprintf(buf, OUTPUT_WORDS, "%s%s%s",
		 flags & UNFRAG_ATTACH_ACCEPT_FRAGMENTS ? ",fragments" : "",
		 flags & UNFRAG_ATTACH_ACCEPT_UNREADABLE ? ",unreadable" : "",
		 flags & UNFRAG_ATTACH_ACCEPT_EMPTY ? ",empty" : "");
	return buf[0] ? buf + 1 : "-";
}

/* The lowest priority of a place that is above `last`, which is what comes next. */
static bool next_priority(const struct unfrag_attachment_info *i, int64_t last, int32_t *next)
{
	bool found = false;
	uint32_t n;

	for (n = 0; n < i->n_places; n++) {
		if (i->places[n].priority <= last || (found && i->places[n].priority >= *next))
			continue;
		*next = i->places[n].priority;
		found = true;
	}
	return found;
}

/* "-350", or those of all places. */
static const char *priorities(const struct unfrag_attachment_info *i, char buf[PRIORITIES])
{
	int32_t next = i->priority;
	size_t n = (size_t)snprintf(buf, PRIORITIES, "%d", next);

	while (next_priority(i, next, &next))
		n += (size_t)snprintf(buf + n, PRIORITIES - n, ",%d", next);
	return buf;
}

static void add_row(struct table *t, const char *name, const struct unfrag_attachment_info *i)
{
	char buf[OUTPUT_WORDS], list[PRIORITIES];

	table_add(t, COLOUR_NONE, false, "%s", name);
	table_add(t, colour_of(i->state), false, "%s", unfrag_state_name(i->state));
	table_add(t, COLOUR_NONE, false, "%s", i->netns[0] ? i->netns : "-");
	table_add(t, COLOUR_NONE, false, "%s", output_families(i->families, buf));
	table_add(t, COLOUR_NONE, false, "%s", output_hooks(i->hooks, buf));
	table_add(t, COLOUR_NONE, true, "%s", priorities(i, list));
	table_add(t, COLOUR_NONE, false, "%s", accepts(i->flags, buf));
	table_add(t, COLOUR_NONE, false, "%s", i->program[0] ? i->program : "-");
	table_add(t, COLOUR_NONE, true, "%u", i->program_id);
	table_add(t, COLOUR_NONE, false, "%s", output_time(i->since, buf));
}

static const char *verdict(const struct unfrag_attachment_info *i, uint32_t accept)
{
	return i->flags & accept ? "accept" : "drop";
}

static json_t *json_places(const struct unfrag_attachment_info *i)
{
	json_t *list = json_array();
	uint32_t n;

	for (n = 0; n < i->n_places; n++)
		json_array_append_new(list, json_pack("{s:o, s:s, s:i, s:i}", "families",
						      json_families(i->places[n].families), "hook",
						      unfrag_hook_name(
							      (enum unfrag_hook)i->places[n].hook),
						      "priority", (int)i->places[n].priority,
						      "program", (int)i->places[n].program));
	return list;
}

static json_t *as_json(const char *name, const struct unfrag_attachment_info *i)
{
	return json_pack(
		"{s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:i, s:o, s:b, s:s, s:s, s:s,"
		" s:i, s:s, s:o, s:i, s:I, s:I}",
		"name", name, "state", unfrag_state_name(i->state), "problem", i->problem, "netns",
		json_text(i->netns), "netns_inode", (json_int_t)i->netns_inode, "families",
		json_families(i->families), "hooks", json_hooks(i->hooks), "priority",
		(int)i->priority, "places", json_places(i), "defrag",
		!(i->flags & UNFRAG_ATTACH_NO_DEFRAG), "fragments",
		verdict(i, UNFRAG_ATTACH_ACCEPT_FRAGMENTS), "unreadable",
		verdict(i, UNFRAG_ATTACH_ACCEPT_UNREADABLE), "empty",
		verdict(i, UNFRAG_ATTACH_ACCEPT_EMPTY), "links", (int)i->links, "program",
		i->program, "source", json_text(i->source), "program_id", (int)i->program_id,
		"since", (json_int_t)i->since, "program_since", (json_int_t)i->program_since);
}

static int list_one(const char *name, void *arg)
{
	struct listing *l = arg;
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	struct unfrag_attachment *att;
	int r = unfrag_attachment_open(&att, name);

	if (!r) {
		r = unfrag_attachment_check(att, &info);
		unfrag_attachment_free(att);
	}
	if (r) {
		/* Gone meanwhile, or said to be what it is: the others are listed all the same. */
		if (r != -ENOENT)
			l->code = cli_exit_of(r);
		return 0;
	}
	if (l->json)
		json_array_append_new(l->json, as_json(name, &info));
	else
		add_row(l->table, name, &info);
	if (info.state == UNFRAG_STATE_BROKEN || info.state == UNFRAG_STATE_ORPHANED)
		cli_note("'%s' is %s: %s; 'unfrag detach %s' cleans it", name,
			 unfrag_state_name(info.state), info.problem, name);
	else if (info.state == UNFRAG_STATE_READY && info.problem[0])
		cli_note("'%s' is ready, but %s; 'unfrag replace' puts that right", name,
			 info.problem);
	return 0;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPTION_JSON },
						 CLI_COMMON_OPTIONS };
	struct listing l = { 0 };
	bool json = false;
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			json = true;
		else if (cli_common_option(self, option, &code))
			return code;
	}
	if (optind != argc)
		return cli_usage(self, "'%s' is one argument too many", argv[optind]);
	code = cli_exit_of(unfrag_probe_kernel());
	if (code)
		return code;
	if (json)
		l.json = json_array();
	l.table = table_new(10);
	add_head(l.table);
	code = cli_exit_of(unfrag_attachment_each(list_one, &l));
	if (code)
		json_decref(l.json);
	else if (json)
		code = json_finish(l.json);
	else
		table_print(l.table, stdout);
	table_free(l.table);
	return code ? code : l.code;
}

const struct verb verb_list = {
	.name = "list",
	.args = "[--json]",
	.summary = "show attachments, what is broken among them too",
	.help = "      --json            as JSON\n",
	.run = run,
};
