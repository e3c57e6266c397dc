// SPDX-License-Identifier: GPL-2.0-or-later
#include "trial.h"

#include <errno.h>
#include <stdlib.h>

#include "fields.h"

/* What follows a rule that does not hold is what follows one with "continue". */
#define CONTINUE GATE_VERDICT_CONTINUE

struct packet {
	const struct gate_values *values;
	uint64_t now;
};

/* A place among the rules. */
struct at {
	uint32_t chain;
	size_t rule; /* from the chain's first */
};

static bool all_present(const struct key *key, const struct gate_values *v)
{
	uint32_t i;

	for (i = 0; i < key->n; i++)
		if (!fields_has(v, key->field[i]))
			return false;
	return true;
}

static bool spans_hold(const struct match *m, value x)
{
	size_t i;

	for (i = 0; i < m->n_spans; i++)
		if (m->spans[i].from <= x && x <= m->spans[i].to)
			return true;
	return false;
}

static bool element_holds(const struct element *e, const struct key *key,
			  const struct gate_values *v)
{
	uint32_t i;

	for (i = 0; i < key->n; i++) {
		value x = fields_get(v, key->field[i]);

		if (x < e->span[i].from || x > e->span[i].to)
			return false;
	}
	return true;
}

/* NULL: the set has no such element. */
static const struct element *find_element(const struct set *s, const struct key *key,
					  const struct gate_values *v)
{
	size_t i;

	for (i = 0; i < s->n_elements; i++)
		if (element_holds(&s->elements[i], key, v))
			return &s->elements[i];
	return NULL;
}

static bool match_holds(const struct ruleset *rs, const struct match *m,
			const struct gate_values *v)
{
	bool holds = false;

	if (!all_present(&m->key, v))
		return false;
	switch (m->kind) {
	case MATCH_SPANS:
		holds = spans_hold(m, fields_get(v, m->key.field[0]));
		break;
	case MATCH_MASK:
		holds = (fields_get(v, m->key.field[0]) & m->mask) == m->value;
		break;
	case MATCH_SET:
		holds = find_element(&rs->sets[m->set], &m->key, v) != NULL;
		break;
	}
	return holds != m->negate;
}

static uint64_t limit_cost(const struct limit *l, const struct gate_values *v)
{
	return l->bytes ? l->second * v->word[GATE_W_LENGTH] / l->rate : l->second / l->rate;
}

/* As nft_limit_eval(). */
static bool limit_passes(const struct limit *l, struct trial_bucket *b, const struct packet *p)
{
	uint64_t cost = limit_cost(l, p->values);

	b->tokens += p->now - b->last;
	if (b->tokens > b->max)
		b->tokens = b->max;
	b->last = p->now;
	if (b->tokens < cost)
		return l->over;
	b->tokens -= cost;
	return !l->over;
}

static void count(struct trial *t, uint32_t counter, const struct packet *p)
{
	t->counters[counter].packets++;
	t->counters[counter].bytes += p->values->word[GATE_W_LENGTH];
}

static void *grow(struct trial *t, void *array, size_t n, size_t *room, size_t size)
{
	void *more;

	if (n < *room)
		return array;
	more = realloc(array, (2 * *room + 16) * size);
	if (more)
		*room = 2 * *room + 16;
	else
		t->is_short = true;
	return more ? more : array;
}

static void add_log(struct trial *t, uint32_t rule, uint32_t log)
{
	t->logs = grow(t, t->logs, t->n_logs, &t->room_logs, sizeof(*t->logs));
	if (!t->is_short)
		t->logs[t->n_logs++] = (struct trial_log){ rule, log };
}

static void add_step(struct trial *t, const struct trial_step *step)
{
	t->steps = grow(t, t->steps, t->n_steps, &t->room_steps, sizeof(*t->steps));
	if (!t->is_short)
		t->steps[t->n_steps++] = *step;
}

static void look_up(struct trial *t, const struct match *m, const struct packet *p,
		    struct trial_step *step)
{
	const struct element *e = NULL;

	if (all_present(&m->key, p->values))
		e = find_element(&t->rs->sets[m->set], &m->key, p->values);
	if (e)
		step->verdict = e->verdict;
	else
		step->end = TRIAL_UNKNOWN;
}

/* step->end or step->verdict changes where the statement ends the rule. */
static void do_statement(struct trial *t, const struct statement *s, const struct packet *p,
			 struct trial_step *step)
{
	switch (s->kind) {
	case STATEMENT_MATCH:
		if (!match_holds(t->rs, &s->match, p->values))
			step->end = TRIAL_FAILED;
		break;
	case STATEMENT_LIMIT:
		if (!limit_passes(&t->rs->limits[s->index], &t->buckets[s->index], p))
			step->end = TRIAL_LIMITED;
		break;
	case STATEMENT_COUNTER:
		count(t, s->index, p);
		break;
	case STATEMENT_LOG:
		add_log(t, step->rule, s->index);
		break;
	case STATEMENT_VERDICT:
		step->verdict = s->verdict;
		break;
	case STATEMENT_VMAP:
		look_up(t, &s->match, p, step);
		break;
	}
}

static uint32_t trial_rule(struct trial *t, const struct at *at, uint32_t depth,
			   const struct packet *p)
{
	size_t rule = t->rs->chains[at->chain].first_rule + at->rule, i;
	const struct rule *r = &t->rs->rules[rule];
	struct trial_step step = {
		.chain = at->chain,
		.rule = (uint32_t)rule,
		.end = TRIAL_DONE,
		.verdict = CONTINUE,
		.depth = depth,
	};

	for (i = 0; i < r->n && step.end == TRIAL_DONE && step.verdict == CONTINUE; i++) {
		step.statement = (uint32_t)i;
		do_statement(t, &r->statements[i], p, &step);
	}
	add_step(t, &step);
	return step.verdict;
}

/* At the end of all rules. */
static uint32_t policy_of(struct trial *t, uint32_t base)
{
	uint32_t policy = t->rs->chains[base].policy;
	const struct trial_step step = {
		.chain = base,
		.end = TRIAL_POLICY,
		.verdict = GATE_VERDICT(policy, 0),
	};

	add_step(t, &step);
	return policy;
}

static uint32_t trial_base(struct trial *t, uint32_t base, const struct packet *p)
{
	struct at stack[GATE_JUMPS_MAX], at = { .chain = base };
	uint32_t depth = 0, verdict, action;

	while (!t->is_short) {
		action = GATE_RETURN;
		if (at.rule < t->rs->chains[at.chain].n_rules) {
			verdict = trial_rule(t, &at, depth, p);
			at.rule++;
			if (verdict == CONTINUE)
				continue;
			action = verdict >> 24;
		}
		if (action == GATE_ACCEPT || action == GATE_DROP)
			return action;
		if (action == GATE_RETURN) {
			if (!depth)
				break;
			at = stack[--depth];
			continue;
		}
		if (action == GATE_JUMP)
			stack[depth++] = at;
		at = (struct at){ .chain = verdict & 0xffffff };
	}
	return policy_of(t, base);
}

/* Whether a packet meets chain a before b, as in place.c. */
static bool is_before(const struct ruleset *rs, size_t a, size_t b)
{
	if (rs->chains[a].priority != rs->chains[b].priority)
		return rs->chains[a].priority < rs->chains[b].priority;
	if (rs->chains[a].order != rs->chains[b].order)
		return rs->chains[a].order < rs->chains[b].order;
	return a > b;
}

/* The base chain that a packet meets after `last`, or first (n_chains); n_chains: there is none. */
static size_t next_base(const struct ruleset *rs, uint32_t family, uint32_t hook, size_t last)
{
	size_t i, next = rs->n_chains;

	for (i = 0; i < rs->n_chains; i++) {
		const struct chain *c = &rs->chains[i];

		if (!c->is_base || c->hook != hook || !(rs->tables[c->table].family >> family & 1))
			continue;
		if ((last == rs->n_chains || is_before(rs, last, i)) &&
		    (next == rs->n_chains || is_before(rs, i, next)))
			next = i;
	}
	return next;
}

int trial_packet(struct trial *t, uint32_t family, uint32_t hook, const struct gate_values *v,
		 uint64_t now)
{
	const struct packet p = { v, now };
	size_t base = t->rs->n_chains;
	uint32_t action = GATE_ACCEPT;

	t->n_steps = 0;
	t->n_logs = 0;
	t->is_short = false;
	while (action == GATE_ACCEPT) {
		base = next_base(t->rs, family, hook, base);
		if (base == t->rs->n_chains)
			break;
		action = trial_base(t, (uint32_t)base, &p);
	}
	return t->is_short ? -ENOMEM : (int)action;
}

static void fill_buckets(struct trial *t)
{
	size_t i;

	for (i = 0; i < t->rs->n_limits; i++) {
		const struct limit *l = &t->rs->limits[i];

		t->buckets[i].max = l->bytes ? l->second * (l->rate + l->burst) / l->rate :
					       l->second / l->rate * l->burst;
		t->buckets[i].tokens = t->buckets[i].max;
	}
}

int trial_new(struct trial **out, const struct ruleset *rs)
{
	struct trial *t = calloc(1, sizeof(*t));
	size_t i;

	if (!t)
		return -ENOMEM;
	t->rs = rs;
	t->counters = calloc(rs->n_counters + 1, sizeof(*t->counters));
	t->buckets = calloc(rs->n_limits + 1, sizeof(*t->buckets));
	if (!t->counters || !t->buckets) {
		trial_free(t);
		return -ENOMEM;
	}
	for (i = 0; i < rs->n_counters; i++) {
		t->counters[i].packets = rs->counters[i].packets;
		t->counters[i].bytes = rs->counters[i].bytes;
	}
	fill_buckets(t);
	*out = t;
	return 0;
}

void trial_free(struct trial *t)
{
	if (!t)
		return;
	free(t->counters);
	free(t->buckets);
	free(t->steps);
	free(t->logs);
	free(t);
}
