// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "source.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

static const char *word(const struct source *s, uint32_t i)
{
	return i < s->n_words && i < SOURCE_WORDS && s->words[i].kind == TOKEN_WORD ?
		       s->words[i].text :
		       "";
}

static bool is(const struct source *s, uint32_t i, const char *what)
{
	return !strcmp(word(s, i), what);
}

static bool is_one_of(const struct source *s, uint32_t i, const char *const *list)
{
	for (; *list; list++)
		if (is(s, i, *list))
			return true;
	return false;
}

#define IS_ONE_OF(s, i, ...) is_one_of((s), (i), (const char *const[]){ __VA_ARGS__, NULL })

static const struct {
	const char *name;
	uint8_t family;
} families[] = {
	{ "ip", NFPROTO_IPV4 }, { "ip6", NFPROTO_IPV6 },      { "inet", NFPROTO_INET },
	{ "arp", NFPROTO_ARP }, { "bridge", NFPROTO_BRIDGE }, { "netdev", NFPROTO_NETDEV },
};

/* The family that stands at *i, which moves on; otherwise that of IPv4. */
static uint8_t take_family(const struct source *s, uint32_t *i)
{
	size_t j;

	for (j = 0; j < sizeof(families) / sizeof(*families); j++)
		if (is(s, *i, families[j].name)) {
			++*i;
			return families[j].family;
		}
	return NFPROTO_IPV4;
}

static char *copy(struct source *s, const char *text)
{
	char *new = strdup(text);

	s->no_memory |= !new;
	return new;
}

static void set_name(struct source *s, char **name, const char *to)
{
	free(*name);
	*name = copy(s, to);
	/* A variable, or what is no name at all. */
	s->unsure |= !*to;
}

static void clear_statement(struct source *s)
{
	uint32_t i;

	for (i = 0; i < SOURCE_WORDS; i++) {
		free(s->words[i].text);
		s->words[i].text = NULL;
	}
	free(s->comment);
	s->comment = NULL;
	s->n_words = 0;
	s->braces = 0;
	s->after_comment = false;
}

static void release_rule(struct source_rule *rule)
{
	free(rule->table);
	free(rule->chain);
	free(rule->comment);
}

static void add_rule(struct source *s, uint8_t family, const char *table, const char *chain,
		     bool inserted)
{
	struct source_rule *rule = ARRAY_ADD(s->rules, s->n_rules);

	if (!rule) {
		s->no_memory = true;
		return;
	}
	rule->family = family;
	rule->table = copy(s, table);
	rule->chain = copy(s, chain);
	rule->comment = s->comment;
	s->comment = NULL;
	rule->file = s->file;
	rule->line = s->begin;
	rule->inserted = inserted;
	s->unsure |= !*table || !*chain;
}

/* `kind` of `name` in a table; NULL: the table. */
static void add_place(struct source *s, const char *kind, const char *name, bool is_type)
{
	struct source_place *place = ARRAY_ADD(s->places, s->n_places);
	size_t i = 0;
	int n;

	s->no_memory |= !place;
	if (!place)
		return;
	while (families[i].family != s->family)
		i++;
	n = kind ? asprintf(&place->what, "table %s %s, %s %s", families[i].name, s->table, kind,
			    name) :
		   asprintf(&place->what, "table %s %s", families[i].name, s->table);
	if (n < 0) {
		place->what = NULL;
		s->no_memory = true;
	}
	place->file = s->file;
	place->line = s->begin;
	place->is_type = is_type;
}

/* "set s", "ct helper h" */
static void add_object(struct source *s)
{
	const bool is_long = is(s, 0, "ct");
	const char *name = word(s, is_long ? 2 : 1);
	char kind[64];

	snprintf(kind, sizeof(kind), "%s%s%s", is(s, 0, "map") ? "set" : word(s, 0),
		 is_long ? " " : "", is_long ? word(s, 1) : "");
	if (*name && s->words[0].kind == TOKEN_WORD)
		add_place(s, kind, name, false);
}

/* Rules that go: of all, a table (chain NULL), or a chain. */
static void forget(struct source *s, uint8_t family, const char *table, const char *chain)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_rules; i++) {
		struct source_rule *rule = &s->rules[i];

		if ((!family || rule->family == family) &&
		    (!table || !strcmp(rule->table, table)) &&
		    (!chain || !strcmp(rule->chain, chain)))
			release_rule(rule);
		else
			s->rules[n++] = *rule;
	}
	s->n_rules = n;
}

/* "flush ruleset", "delete table ip t", "flush chain ip t c" */
static void take_away(struct source *s)
{
	const bool all = is(s, 1, "ruleset"), of_chain = is(s, 1, "chain");
	uint32_t i = 2;
	uint8_t family;

	if (is(s, 1, "rule") || is(s, i, "handle")) {
		s->unsure = true;
	} else if (all) {
		family = s->n_words > 2 ? take_family(s, &i) : 0;
		forget(s, family, NULL, NULL);
	} else if (is(s, 1, "table") || of_chain) {
		family = take_family(s, &i);
		s->unsure |= !*word(s, i) || (of_chain && !*word(s, i + 1)) ||
			     is(s, i + of_chain, "handle");
		if (!s->unsure)
			forget(s, family, word(s, i), of_chain ? word(s, i + 1) : NULL);
	}
}

/* "[rule] [FAMILY] TABLE CHAIN ...", from word i on. */
static void take_rule(struct source *s, uint32_t i, bool inserted)
{
	uint8_t family;

	if (is(s, i, "rule"))
		i++;
	family = take_family(s, &i);
	/* Amid others, by what only the kernel knows. */
	if (IS_ONE_OF(s, i + 2, "handle", "position", "index"))
		s->unsure = true;
	add_rule(s, family, word(s, i), word(s, i + 1), inserted);
}

static void on_top(struct source *s)
{
	const bool inserted = is(s, 0, "insert");
	uint32_t i = 0;

	if (IS_ONE_OF(s, 0, "flush", "delete", "destroy")) {
		take_away(s);
		return;
	}
	if (IS_ONE_OF(s, 0, "list", "reset"))
		return;
	if (IS_ONE_OF(s, 0, "add", "create", "insert"))
		i++;
	if (IS_ONE_OF(s, i, "table", "chain", "set", "map", "element", "counter", "quota", "limit",
		      "flowtable", "secmark", "synproxy", "ct"))
		return;
	take_rule(s, i, inserted);
}

static void on_chain(struct source *s)
{
	if (is(s, 0, "type"))
		add_place(s, "chain", s->chain, true);
	if (!IS_ONE_OF(s, 0, "type", "policy", "flags", "comment", "devices", "device"))
		add_rule(s, s->family, s->table, s->chain, false);
}

static void finish(struct source *s)
{
	if (!s->n_words)
		return;
	if (is(s, 0, "include")) {
		if (s->n_words == 2 && s->words[1].kind == TOKEN_STRING)
			s->include = copy(s, s->words[1].text);
		else
			s->unsure = true;
	} else if (!IS_ONE_OF(s, 0, "define", "redefine", "undefine")) {
		if (IS_ONE_OF(s, 0, "replace", "rename", "monitor", "import"))
			s->unsure = true;
		else if (s->block == BLOCK_TOP)
			on_top(s);
		else if (s->block == BLOCK_CHAIN)
			on_chain(s);
	}
	clear_statement(s);
}

/* Whether the statement so far opens a table or chain with this brace. */
static bool opens(struct source *s)
{
	uint32_t i = IS_ONE_OF(s, 0, "add", "create");

	if (s->block == BLOCK_CHAIN || s->braces)
		return false;
	if (s->block == BLOCK_TABLE) {
		if (!is(s, 0, "chain")) {
			add_object(s);
			return false;
		}
		set_name(s, &s->chain, word(s, 1));
		add_place(s, "chain", s->chain, false);
		s->block = BLOCK_CHAIN;
		s->alone = false;
		return true;
	}
	if (!IS_ONE_OF(s, i, "table", "chain"))
		return false;
	s->alone = is(s, i++, "chain");
	s->family = take_family(s, &i);
	set_name(s, &s->table, word(s, i));
	if (s->alone)
		set_name(s, &s->chain, word(s, i + 1));
	s->block = s->alone ? BLOCK_CHAIN : BLOCK_TABLE;
	add_place(s, s->alone ? "chain" : NULL, s->chain, false);
	return true;
}

static void close_block(struct source *s)
{
	finish(s);
	if (s->block == BLOCK_TOP || s->include)
		s->unsure = true;
	s->block = s->block == BLOCK_CHAIN && !s->alone ? BLOCK_TABLE : BLOCK_TOP;
}

static void add_word(struct source *s, enum token token, const char *text)
{
	const bool has_text = token == TOKEN_WORD || token == TOKEN_STRING;

	if (!s->n_words)
		s->begin = s->line;
	if (s->n_words < SOURCE_WORDS) {
		s->words[s->n_words].kind = token;
		s->words[s->n_words].text = has_text ? copy(s, text) : NULL;
	}
	s->n_words++;
	if (s->braces)
		return;
	if (s->after_comment && token == TOKEN_STRING && !s->comment)
		s->comment = copy(s, text);
	s->after_comment = token == TOKEN_WORD && !strcmp(text, "comment");
}

void source_take(struct source *s, enum token token, const char *text)
{
	if (s->no_memory || s->unsure)
		return;
	if (token == TOKEN_OPEN && opens(s)) {
		clear_statement(s);
	} else if (token == TOKEN_OPEN) {
		add_word(s, TOKEN_OTHER, NULL);
		s->braces++;
	} else if (token == TOKEN_CLOSE && s->braces) {
		s->braces--;
	} else if (token == TOKEN_CLOSE) {
		close_block(s);
	} else if (token != TOKEN_END) {
		add_word(s, token, text);
	} else if (!s->braces) {
		finish(s);
	}
}

bool source_is_amid(const struct source *s)
{
	return s->n_words || s->braces;
}

void source_release(struct source *s)
{
	size_t i;

	clear_statement(s);
	for (i = 0; i < s->n_rules; i++)
		release_rule(&s->rules[i]);
	for (i = 0; i < s->n_files; i++)
		free(s->files[i]);
	for (i = 0; i < s->n_places; i++)
		free(s->places[i].what);
	free(s->places);
	free(s->rules);
	free(s->files);
	free(s->table);
	free(s->chain);
	free(s->include);
	*s = (struct source){ 0 };
}
