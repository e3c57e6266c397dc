// SPDX-License-Identifier: GPL-2.0-or-later
#include "warn.h"

#include <errno.h>
#include <stdlib.h>

#include "fields.h"
#include "profile.h"
#include "words.h"

struct finding {
	const struct ruleset *rs;
	struct warning *warnings;
	size_t n, room;
};

static int add(struct finding *f, const struct warning *w)
{
	struct warning *more;

	if (f->n == f->room) {
		more = realloc(f->warnings, (2 * f->room + 16) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		f->warnings = more;
		f->room = 2 * f->room + 16;
	}
	f->warnings[f->n++] = *w;
	return 0;
}

static int look_at_rule(struct finding *f, const struct profile *profiles, size_t n)
{
	const struct profile *p = &profiles[n];
	struct warning w = { .kind = WARNING_TAKEN };
	size_t i;

	if (!p->is_active)
		return 0;
	if (p->empty != GATE_FIELD_MAX) {
		w.kind = WARNING_NEVER;
		w.field = p->empty;
		w.rule = (uint32_t)n;
		return add(f, &w);
	}
	for (i = 0; i < n; i++) {
		if (profiles[i].is_final && profiles[i].empty == GATE_FIELD_MAX &&
		    profile_covers(&profiles[i], p)) {
			w.rule = (uint32_t)n;
			w.other = (uint32_t)i;
			return add(f, &w);
		}
	}
	return 0;
}

static int look_at_chain(struct finding *f, const struct chain *c)
{
	struct profile *profiles = calloc(c->n_rules + 1, sizeof(*profiles));
	size_t i, first = f->n;
	int err = profiles ? 0 : -ENOMEM;

	for (i = 0; i < c->n_rules && !err; i++)
		err = profile_init(&profiles[i], f->rs, (uint32_t)(c->first_rule + i));
	for (i = 0; i < c->n_rules && !err; i++)
		err = look_at_rule(f, profiles, i);
	for (i = first; i < f->n; i++) {
		f->warnings[i].rule += (uint32_t)c->first_rule;
		f->warnings[i].other += (uint32_t)c->first_rule;
	}
	for (i = 0; i < c->n_rules && profiles; i++)
		profile_release(&profiles[i]);
	free(profiles);
	return err;
}

static void mark_verdict(bool *used, uint32_t verdict)
{
	uint32_t action = verdict >> 24;

	if (action == GATE_JUMP || action == GATE_GOTO)
		used[verdict & 0xffffff] = true;
}

static void mark_statement(bool *used, const struct ruleset *rs, const struct statement *s)
{
	const struct set *set;
	size_t i;

	if (s->kind == STATEMENT_VERDICT)
		mark_verdict(used, s->verdict);
	if (s->kind != STATEMENT_VMAP)
		return;
	set = &rs->sets[s->match.set];
	for (i = 0; i < set->n_elements; i++)
		mark_verdict(used, set->elements[i].verdict);
	/* It may be changed to lead to any chain of its table. */
	for (i = 0; i < rs->n_chains && set->is_named; i++)
		used[i] |= rs->chains[i].table == set->table;
}

static int look_for_unused(struct finding *f)
{
	const struct ruleset *rs = f->rs;
	bool *used = calloc(rs->n_chains + 1, sizeof(*used));
	size_t i, j;
	int err = used ? 0 : -ENOMEM;

	for (i = 0; i < rs->n_rules && used; i++)
		for (j = 0; j < rs->rules[i].n; j++)
			mark_statement(used, rs, &rs->rules[i].statements[j]);
	for (i = 0; i < rs->n_chains && !err; i++)
		if (!rs->chains[i].is_base && !used[i])
			err = add(f,
				  &(struct warning){ .kind = WARNING_UNUSED, .rule = (uint32_t)i });
	free(used);
	return err;
}

int warnings_find(struct warning **out, size_t *n, const struct ruleset *rs)
{
	struct finding f = { .rs = rs };
	size_t i;
	int err = 0;

	for (i = 0; i < rs->n_chains && !err; i++)
		err = look_at_chain(&f, &rs->chains[i]);
	if (!err)
		err = look_for_unused(&f);
	if (err) {
		free(f.warnings);
		return err;
	}
	*out = f.warnings;
	*n = f.n;
	return 0;
}

const char *warning_place(const struct ruleset *rs, const struct warning *w)
{
	return w->kind == WARNING_UNUSED ? NULL : rs->rules[w->rule].place;
}

void warning_say(struct complaint *out, const struct ruleset *rs, const struct warning *w)
{
	out->text[0] = '\0';
	switch (w->kind) {
	case WARNING_NEVER:
		complain(out, 0, "%s can never match: what it asks of '%s' contradicts itself",
			 words_of_rule(rs, w->rule).text, fields_name(w->field));
		break;
	case WARNING_TAKEN:
		complain(out, 0,
			 "%s can never match: rule '%s' before it decides on all such packets",
			 words_of_rule(rs, w->rule).text, rs->rules[w->other].text);
		break;
	case WARNING_UNUSED:
		complain(out, 0, "no rule leads to %s", words_of_chain(rs, w->rule).text);
		break;
	case WARNING_KIND_MAX:
		break;
	}
}
