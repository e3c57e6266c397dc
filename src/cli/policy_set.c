// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy set: the elements of a set that is in force.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "output.h"
#include "policy_verbs.h"
#include "progress.h"

struct request {
	const char *what, *name, *set, *table, *file;
	char **words; /* elements, up to NULL */
	bool json;
};

/* What is open while a request is done. */
struct opened {
	struct unfrag_attachment *att;
	struct instance *instance;
	uint32_t set;
};

static int fail(const struct request *q, int err, const struct complaint *c)
{
	cli_error("'%s': %s", q->name, c->text[0] ? c->text : strerror(-err));
	return cli_exit_of(err);
}

static void close_all(struct opened *o)
{
	instance_free(o->instance);
	unfrag_attachment_free(o->att);
}

/* With the lock, for a change: nobody replaces the ruleset or changes the set meanwhile. */
static int open_set(struct opened *o, const struct request *q, bool change)
{
	struct complaint c = { "" };
	int r = unfrag_attachment_open(&o->att, q->name);

	if (!r && change)
		r = unfrag_attachment_lock(o->att);
	if (r)
		return cli_exit_of(r);
	progress_step("reading '%s' ...", q->name);
	r = instance_open(&o->instance, o->att, &c);
	if (!r)
		r = change_find(instance_ruleset(o->instance), q->table, q->set, &o->set, &c);
	return r ? fail(q, r, &c) : CLI_DONE;
}

/* All of a stream, in memory that grows; NULL: errno says why. */
static char *read_all(FILE *in, size_t *len)
{
	char *text = NULL, *more;
	size_t room = 0, n;

	*len = 0;
	do {
		if (*len == room) {
			room = room ? 2 * room : 1 << 16;
			more = realloc(text, room);
			if (!more) {
				free(text);
				errno = ENOMEM;
				return NULL;
			}
			text = more;
		}
		n = fread(text + *len, 1, room - *len, in);
		*len += n;
	} while (n);
	if (!ferror(in))
		return text;
	free(text);
	return NULL;
}

static char *read_file(const char *path, size_t *len)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text;
	int err;

	if (!in)
		return NULL;
	text = read_all(in, len);
	err = errno;
	if (in != stdin)
		fclose(in);
	errno = err;
	return text;
}

/* Whether the second word goes on with the element of the first: a dot is between them. */
static bool goes_on(const char *word, const char *next)
{
	size_t len = strlen(word);

	if (!strcmp(word, ".") || !strcmp(next, "."))
		return true;
	return !strncmp(next, ". ", 2) || (len >= 2 && !strcmp(word + len - 2, " ."));
}

/* Arguments are elements each, or parts of one if the key has several components. */
static char *join_words(char **words, bool is_single, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	for (; *words; words++) {
		fputs(*words, out);
		if (words[1])
			fputc(is_single || !goes_on(words[0], words[1]) ? ',' : ' ', out);
	}
	return fclose(out) ? NULL : text;
}

static int read_elements(const struct request *q, const struct set *s, struct elements *out)
{
	const char *where = !q->file ? NULL : strcmp(q->file, "-") ? q->file : "standard input";
	struct complaint c = { "" };
	size_t len = 0;
	char *text = q->file ? read_file(q->file, &len) : join_words(q->words, s->n == 1, &len);
	int r;

	if (!text) {
		cli_error("'%s' can't be read: %s", where ? where : "the elements",
			  strerror(errno));
		return CLI_FAILED;
	}
	r = elements_parse(out, s, text, len, where, &c);
	free(text);
	return r ? fail(q, r, &c) : CLI_DONE;
}

static enum change change_of(const char *what)
{
	if (!strcmp(what, "add"))
		return CHANGE_ADD;
	return !strcmp(what, "delete") ? CHANGE_DELETE : CHANGE_REPLACE;
}

static int tell(const struct request *q, size_t n)
{
	progress_end();
	if (q->json)
		return json_finish(json_pack("{s:s, s:s, s:I}", "name", q->name, "set", q->set,
					     "elements", (json_int_t)n));
	printf("set '%s' of '%s' has %zu element%s\n", q->set, q->name, n, n == 1 ? "" : "s");
	return CLI_DONE;
}

static int change(const struct request *q)
{
	const char *where = !q->file ? NULL : strcmp(q->file, "-") ? q->file : "standard input";
	struct elements e = { .lines = NULL };
	struct opened o = { .att = NULL };
	struct complaint c = { "" };
	int code = open_set(&o, q, true), r;
	size_t n = 0;

	if (!code && q->file)
		progress_reading(q->file);
	if (!code && strcmp(q->what, "flush"))
		code = read_elements(q, &instance_ruleset(o.instance)->sets[o.set], &e);
	if (!code) {
		progress_step("changing set '%s' ...", q->set);
		r = change_set(o.instance, o.set, change_of(q->what), &e, where, &n, &c);
		code = r ? fail(q, r, &c) : CLI_DONE;
	}
	if (!code)
		code = tell(q, n);
	elements_release(&e);
	close_all(&o);
	return code;
}

static int print(const struct request *q, const struct set *s, const struct regions *all)
{
	json_t *elements = q->json ? json_array() : NULL;
	size_t i;

	for (i = 0; i < all->n; i++) {
		struct spelling e = elements_spell(s, &all->items[i]);

		if (q->json)
			json_array_append_new(elements, json_string(e.text));
		else
			puts(e.text);
	}
	if (!q->json)
		return CLI_DONE;
	return json_finish(
		json_pack("{s:s, s:s, s:o}", "name", q->name, "set", q->set, "elements", elements));
}

static int list(const struct request *q)
{
	struct regions all = { NULL, 0 };
	struct opened o = { .att = NULL };
	struct complaint c = { "" };
	int code = open_set(&o, q, false), r;

	if (!code) {
		r = instance_elements(o.instance, o.set, &all.items, &all.n, &c);
		code = r ? fail(q, r, &c) : CLI_DONE;
	}
	progress_end();
	if (!code)
		code = print(q, &instance_ruleset(o.instance)->sets[o.set], &all);
	regions_release(&all);
	close_all(&o);
	return code;
}

/* What may follow the set. */
static int check_words(const struct verb *self, struct request *q)
{
	const char *what = q->what;
	bool plain = !strcmp(what, "list") || !strcmp(what, "flush");

	if (!plain && strcmp(what, "add") && strcmp(what, "delete") && strcmp(what, "import"))
		return cli_usage(self, "unknown word '%s'", what);
	if (plain && q->words[0])
		return cli_usage(self, "'%s' takes no elements", what);
	if (plain)
		return CLI_DONE;
	if (!q->words[0])
		return cli_usage(self,
				 !strcmp(what, "import") ?
					 "a file is needed, or '-' for standard input%s" :
					 "elements are needed, or '-' for standard input%s",
				 "");
	if (!strcmp(what, "import") || !strcmp(q->words[0], "-")) {
		if (q->words[1])
			return cli_usage(self, "'%s' is too much", q->words[1]);
		q->file = q->words[0];
	}
	return CLI_DONE;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = {
		{ "table", required_argument, NULL, OPTION_TABLE },
		{ "json", no_argument, NULL, OPTION_JSON },
		CLI_COMMON_OPTIONS,
	};
	struct request q = { 0 };
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_TABLE)
			q.table = optarg;
		else if (option == OPTION_JSON)
			q.json = true;
		else if (cli_common_option(self, option, &code))
			return code;
	}
	if (argc - optind < 3)
		return cli_usage(self, "what to do, a name and a set are needed");
	q.what = argv[optind];
	q.name = argv[optind + 1];
	q.set = argv[optind + 2];
	q.words = argv + optind + 3;
	code = check_words(self, &q);
	if (code)
		return code;
	if (!q.json)
		progress_start();
	return strcmp(q.what, "list") ? change(&q) : list(&q);
}

const struct verb verb_policy_set = {
	.name = "policy set",
	.args = "[--table TABLE] [--json] list|add|delete|flush|import NAME SET "
		"[ELEMENT...|FILE|-]",
	.summary = "look at the elements of a set in force, or change them in one step",
	.help = "      --table TABLE     the table that the set is in, if several have its name\n"
		"      --json            print JSON\n",
	.run = run,
};
