// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_way.h"

#include <stdio.h>

#include "output.h"
#include "spell.h"
#include "words.h"

/* Why a rule was passed, or what it said. */
static struct spelling reason(const struct judgement *j, const struct trial_step *s,
			      const struct gate_values *v)
{
	const struct statement *statement = s->end == TRIAL_POLICY ?
						    NULL :
						    &j->rs->rules[s->rule].statements[s->statement];
	struct spelling limited = { "its limit is used up" };

	switch (s->end) {
	case TRIAL_FAILED:
		return spell_failure(j->rs, &statement->match, v);
	case TRIAL_UNKNOWN:
		return spell_unknown(j->rs, &statement->match, v);
	case TRIAL_LIMITED:
		if (j->rs->limits[statement->index].over)
			snprintf(limited.text, sizeof(limited.text), "its limit is not reached");
		return limited;
	default:
		return spell_verdict(j->rs, s->verdict);
	}
}

static bool is_passed(const struct trial_step *s)
{
	return s->end == TRIAL_FAILED || s->end == TRIAL_UNKNOWN || s->end == TRIAL_LIMITED;
}

static enum colour colour_of(const struct trial_step *s)
{
	uint32_t action = s->verdict >> 24;

	if (is_passed(s) || (action != GATE_ACCEPT && action != GATE_DROP))
		return COLOUR_NONE;
	return action == GATE_ACCEPT ? COLOUR_GOOD : COLOUR_BAD;
}

static void print_chain(const struct judgement *j, const struct trial_step *s)
{
	const struct chain *c = &j->rs->chains[s->chain];

	printf("%*s%s", 2 + 4 * (int)s->depth, "", words_of_chain(j->rs, s->chain).text);
	if (c->is_base)
		printf(", %s, priority %d", spell_hook(c->hook), (int)c->priority);
	putchar('\n');
}

static void print_step(const struct judgement *j, const struct trial_step *s,
		       const struct gate_values *v)
{
	int indent = 4 + 4 * (int)s->depth;
	enum colour colour = colour_of(s);

	if (s->end == TRIAL_POLICY)
		printf("%*s= policy\n", indent, "");
	else
		printf("%*s%c %s\n", indent, "",
		       is_passed(s)                        ? '-' :
		       s->verdict == GATE_VERDICT_CONTINUE ? '+' :
							     '=',
		       j->rs->rules[s->rule].text);
	printf("%*s%s%s%s\n", indent + 6, "", colour_on(colour), reason(j, s, v).text,
	       colour_off(colour));
}

/* Steps that follow each other in one chain stand under its name. */
static bool opens_chain(const struct trial *t, size_t i)
{
	return !i || t->steps[i].chain != t->steps[i - 1].chain ||
	       t->steps[i - 1].end == TRIAL_POLICY;
}

void way_print(const struct judgement *j, const struct told_packet *p, uint32_t hook)
{
	const struct gate_values v = told_values(p, hook);
	size_t i;

	for (i = 0; i < j->trial->n_steps; i++) {
		if (opens_chain(j->trial, i))
			print_chain(j, &j->trial->steps[i]);
		print_step(j, &j->trial->steps[i], &v);
	}
}

static json_t *json_chain(const struct judgement *j, uint32_t chain)
{
	const struct chain *c = &j->rs->chains[chain];
	const struct table *t = &j->rs->tables[c->table];

	return json_pack("{s:s, s:o, s:o}", "family", words_of_family(t->family), "table",
			 json_text(t->name), "chain", json_text(c->name));
}

static json_t *json_step(const struct judgement *j, const struct trial_step *s,
			 const struct gate_values *v)
{
	static const char *const results[TRIAL_END_MAX] = {
		[TRIAL_DONE] = "done",     [TRIAL_FAILED] = "no match",
		[TRIAL_LIMITED] = "limit", [TRIAL_UNKNOWN] = "no element",
		[TRIAL_POLICY] = "policy",
	};
	json_t *step = json_chain(j, s->chain);

	json_object_set_new(step, "result", json_string(results[s->end]));
	json_object_set_new(step, is_passed(s) ? "why" : "verdict",
			    json_text(reason(j, s, v).text));
	json_object_set_new(step, "depth", json_integer(s->depth));
	if (s->end == TRIAL_POLICY)
		return step;
	json_object_set_new(step, "handle", json_integer((json_int_t)j->rs->rules[s->rule].handle));
	json_object_set_new(step, "rule", json_text(j->rs->rules[s->rule].text));
	return step;
}

json_t *way_json(const struct judgement *j, const struct told_packet *p, uint32_t hook)
{
	const struct gate_values v = told_values(p, hook);
	json_t *steps = json_array();
	size_t i;

	for (i = 0; i < j->trial->n_steps; i++)
		json_array_append_new(steps, json_step(j, &j->trial->steps[i], &v));
	return steps;
}

struct words way_decider(const struct judgement *j)
{
	struct words w = { "no base chain" };
	const struct trial_step *last;

	if (!j->trial->n_steps)
		return w;
	last = &j->trial->steps[j->trial->n_steps - 1];
	if (last->end != TRIAL_POLICY)
		return words_of_rule(j->rs, last->rule);
	snprintf(w.text, sizeof(w.text), "the policy of %.300s",
		 words_of_chain(j->rs, last->chain).text);
	return w;
}
