// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "output.h"

struct request {
	const char *netns;
	const char *holder;
	const char *id;
	uint32_t families;
	bool all;
	bool json;
};

struct search {
	const struct request *request;
	uint64_t inode;
	char id[128];
};

static int match(const char *id, void *arg)
{
	struct search *s = arg;
	char want[128];

	snprintf(want, sizeof(want), "%llu-%s", (unsigned long long)s->inode, s->request->holder);
	if (strcmp(id, want))
		return 0;
	memcpy(s->id, want, sizeof(want));
	return 1;
}

/* The hold of that holder in that namespace: 1, 0 if there is none, or a negative errno. */
static int find(struct search *s)
{
	int r = unfrag_netns_inode(s->request->netns, &s->inode);

	return r ? r : unfrag_hold_each(match, s);
}

/* Whether the hold there is does what is asked for: exit code, with words if it does not. */
static int check_existing(const struct request *q)
{
	struct unfrag_hold_info i = { .sz = sizeof(i) };
	uint32_t families = q->families ? q->families : UNFRAG_FAMILIES_BOTH;
	struct search s = { .request = q };
	struct unfrag_hold *hold;
	char buf[OUTPUT_WORDS];
	int r = find(&s);

	if (r <= 0)
		return r ? cli_exit_of(r) : CLI_FAILED;
	r = unfrag_hold_open(&hold, s.id);
	if (!r) {
		r = unfrag_hold_info(hold, &i);
		unfrag_hold_free(hold);
	}
	if (r)
		return cli_exit_of(r);
	if (i.state == UNFRAG_STATE_BROKEN) {
		cli_error("hold '%s' is broken: %s; 'unfrag defrag off --id %s' cleans it", s.id,
			  i.problem, s.id);
		return CLI_FAILED;
	}
	if (families & ~i.families && i.state != UNFRAG_STATE_BUSY) {
		cli_error("'%s' holds defragmentation there for %s only; use another --holder",
			  q->holder, output_families(i.families, buf));
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static int on(const struct request *q)
{
	struct unfrag_hold_opts opts = {
		.sz = sizeof(opts),
		.netns = q->netns,
		.families = q->families,
		.holder = q->holder,
	};
	struct unfrag_hold *hold;
	int r = unfrag_defrag_hold(&hold, &opts);
	int code = r == -EEXIST ? check_existing(q) : cli_exit_of(r);

	if (code)
		return code;
	if (!r)
		unfrag_hold_free(hold);
	if (q->json)
		return json_finish(json_pack("{s:s, s:b}", "holder", q->holder, "new", !r));
	printf(r ? "'%s' holds defragmentation there already\n" :
		   "defragmentation is on, held by '%s'\n",
	       q->holder);
	return CLI_DONE;
}

static int release(const struct request *q, const char *id)
{
	struct unfrag_hold *hold;
	int r = unfrag_hold_open(&hold, id);

	if (r)
		return cli_exit_of(r);
	r = unfrag_defrag_release(hold);
	if (r) {
		unfrag_hold_free(hold);
		return cli_exit_of(r);
	}
	if (q->json)
		return json_finish(json_pack("{s:s}", "released", id));
	printf("released '%s'\n", id);
	return CLI_DONE;
}

static int off(const struct request *q)
{
	struct search s = { .request = q };
	int r;

	if (q->id)
		return release(q, q->id);
	r = find(&s);
	if (r < 0)
		return cli_exit_of(r);
	if (!r) {
		cli_error(
			"'%s' does not hold defragmentation there ('unfrag defrag status --all' "
			"shows who does)",
			q->holder);
		return CLI_FAILED;
	}
	return release(q, s.id);
}

struct listing {
	const struct request *request;
	uint64_t inode;
	struct table *table;
	json_t *json;
};

static int list_hold(const char *id, void *arg)
{
	struct listing *l = arg;
	struct unfrag_hold_info i = { .sz = sizeof(i) };
	struct unfrag_hold *hold;
	char buf[OUTPUT_WORDS];
	int r = unfrag_hold_open(&hold, id);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = unfrag_hold_info(hold, &i);
	unfrag_hold_free(hold);
	if (r)
		return r == -ENOENT ? 0 : r;
	if (!l->request->all && i.netns_inode != l->inode)
		return 0;
	json_array_append_new(l->json,
			      json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:I, s:o}", "id", id,
					"holder", i.holder, "state", unfrag_state_name(i.state),
					"problem", i.problem, "netns", json_text(i.netns),
					"netns_inode", (json_int_t)i.netns_inode, "families",
					json_families(i.families), "since", (json_int_t)i.since,
					"table", i.table[0] ? json_text(i.table) : json_null()));
	table_add(l->table, COLOUR_NONE, false, "%s", i.holder);
	table_add(l->table, i.state == UNFRAG_STATE_READY ? COLOUR_GOOD : COLOUR_BAD, false, "%s",
		  unfrag_state_name(i.state));
	table_add(l->table, COLOUR_NONE, false, "%s", i.netns[0] ? i.netns : "-");
	table_add(l->table, COLOUR_NONE, false, "%s", output_families(i.families, buf));
	table_add(l->table, COLOUR_NONE, false, "%s", output_time(i.since, buf));
	table_add(l->table, COLOUR_NONE, false, "%s", id);
	if (i.state == UNFRAG_STATE_BROKEN || i.state == UNFRAG_STATE_ORPHANED)
		cli_note("hold '%s' is %s: %s; 'unfrag defrag off --id %s' cleans it", id,
			 unfrag_state_name(i.state), i.problem, id);
	return 0;
}

static const char *word_of(int on_now)
{
	return on_now < 0 ? "unknown" : on_now ? "on" : "off";
}

static json_t *json_of(int on_now)
{
	return on_now < 0 ? json_null() : json_boolean(on_now);
}

static int print_status(const struct listing *l, const int on_now[2])
{
	if (l->request->json)
		return json_finish(json_pack("{s:o, s:o, s:O}", "ipv4", json_of(on_now[0]), "ipv6",
					     json_of(on_now[1]), "holds", l->json));
	printf("ipv4  %s\nipv6  %s\n", word_of(on_now[0]), word_of(on_now[1]));
	if (json_array_size(l->json)) {
		putchar('\n');
		table_print(l->table, stdout);
	}
	return CLI_DONE;
}

static int status(const struct request *q)
{
	struct listing l = { .request = q };
	static const char *const head[] = { "HOLDER", "STATE", "NETNS", "FAMILIES", "SINCE", "ID" };
	int on_now[2], r, i;

	for (i = 0; i < 2; i++) {
		on_now[i] = unfrag_defrag_status(q->netns, 1u << i);
		if (on_now[i] < 0 && on_now[i] != -ENODATA)
			return cli_exit_of(on_now[i]);
	}
	if (on_now[0] < 0 || on_now[1] < 0)
		cli_note("whether it is on can't be told: loopback there is down or guarded");
	r = unfrag_netns_inode(q->netns, &l.inode);
	if (r)
		return cli_exit_of(r);
	l.json = json_array();
	l.table = table_new(6);
	for (i = 0; i < 6; i++)
		table_add(l.table, COLOUR_NONE, false, "%s", head[i]);
	r = unfrag_hold_each(list_hold, &l);
	r = r ? cli_exit_of(r) : print_status(&l, on_now);
	json_decref(l.json);
	table_free(l.table);
	return r;
}

/* Which options a word takes; --netns and --json go with all. */
enum given {
	GIVEN_FAMILY = 1,
	GIVEN_HOLDER = 2,
	GIVEN_ID = 4,
	GIVEN_ALL = 8,
};

static const struct word {
	const char *name;
	int (*run)(const struct request *q);
	unsigned int takes;
} words[] = {
	{ "on", on, GIVEN_FAMILY | GIVEN_HOLDER },
	{ "off", off, GIVEN_HOLDER | GIVEN_ID },
	{ "status", status, GIVEN_ALL },
};

static bool set_option(struct request *q, int option, unsigned int *given)
{
	switch (option) {
	case OPTION_NETNS:
		q->netns = optarg;
		return true;
	case OPTION_HOLDER:
		q->holder = optarg;
		*given |= GIVEN_HOLDER;
		return true;
	case OPTION_ID:
		q->id = optarg;
		*given |= GIVEN_ID;
		return true;
	case OPTION_ALL:
		q->all = true;
		*given |= GIVEN_ALL;
		return true;
	case OPTION_JSON:
		q->json = true;
		return true;
	default:
		return false;
	}
}

static const struct word *find_word(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc - optind == 1 && i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(argv[optind], words[i].name))
			return &words[i];
	return NULL;
}

/* The word, its options in *q; or NULL and an exit code. */
static const struct word *parse(const struct verb *self, struct request *q, int argc, char **argv,
				int *code)
{
	static const struct option options[] = {
		{ "netns", required_argument, NULL, OPTION_NETNS },
		{ "family", required_argument, NULL, 'f' },
		{ "holder", required_argument, NULL, OPTION_HOLDER },
		{ "id", required_argument, NULL, OPTION_ID },
		{ "all", no_argument, NULL, OPTION_ALL },
		{ "json", no_argument, NULL, OPTION_JSON },
		CLI_COMMON_OPTIONS,
	};
	const struct word *word;
	unsigned int given = 0;
	int option;

	*code = CLI_USAGE;
	while ((option = getopt_long(argc, argv, "f:hv", options, NULL)) != -1) {
		if (option == 'f') {
			given |= GIVEN_FAMILY;
			if (!cli_parse_families(optarg, &q->families))
				return NULL;
		} else if (!set_option(q, option, &given) &&
			   cli_common_option(self, option, code)) {
			return NULL;
		}
	}
	word = find_word(argc, argv);
	if (!word) {
		*code = cli_usage(self, "one of on, off and status is needed");
	} else if (given & ~word->takes) {
		*code = cli_usage(self, "an option is given that does not go with '%s'",
				  word->name);
		word = NULL;
	}
	return word;
}

static int run(const struct verb *self, int argc, char **argv)
{
	struct request q = { .holder = "default" };
	const struct word *word;
	int code;

	word = parse(self, &q, argc, argv, &code);
	return word ? word->run(&q) : code;
}

const struct verb verb_defrag = {
	.name = "defrag",
	.args = "on|off|status [OPTIONS]",
	.summary = "keep the kernel's defragmentation on without a program",
	.help = "      --netns NS        network namespace: a name, a path or a process id\n"
		"  -f, --family F        on: ipv4, ipv6 or both (default: both)\n"
		"      --holder NAME     who holds it (default: default); off with the last\n"
		"      --id ID           off: the hold of that id, broken ones too\n"
		"      --all             status: holds in all namespaces\n"
		"      --json            print as JSON\n",
	.run = run,
};
