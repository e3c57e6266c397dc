// SPDX-License-Identifier: GPL-2.0-or-later
#include "judge.h"

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
		if (!field_is_present(v, key->field[i]))
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
		value x = field_get(v, key->field[i]);

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

bool judge_match(const struct ruleset *rs, const struct match *m, const struct gate_values *v)
{
	bool holds = false;

	if (!all_present(&m->key, v))
		return false;
	switch (m->kind) {
	case MATCH_SPANS:
		holds = spans_hold(m, field_get(v, m->key.field[0]));
		break;
	case MATCH_MASK:
		holds = (field_get(v, m->key.field[0]) & m->mask) == m->value;
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
static bool limit_passes(const struct limit *l, struct judge_bucket *b, const struct packet *p)
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

static void count(struct judge *j, uint32_t counter, const struct packet *p)
{
	j->counters[counter].packets++;
	j->counters[counter].bytes += p->values->word[GATE_W_LENGTH];
}

static void *grow(struct judge *j, void *array, size_t n, size_t *room, size_t size)
{
	void *more;

	if (n < *room)
		return array;
	more = realloc(array, (2 * *room + 16) * size);
	if (more)
		*room = 2 * *room + 16;
	else
		j->is_short = true;
	return more ? more : array;
}

static void add_log(struct judge *j, uint32_t rule, uint32_t log)
{
	j->logs = grow(j, j->logs, j->n_logs, &j->room_logs, sizeof(*j->logs));
	if (!j->is_short)
		j->logs[j->n_logs++] = (struct judge_log){ rule, log };
}

static void add_step(struct judge *j, const struct judge_step *step)
{
	j->steps = grow(j, j->steps, j->n_steps, &j->room_steps, sizeof(*j->steps));
	if (!j->is_short)
		j->steps[j->n_steps++] = *step;
}

static void look_up(struct judge *j, const struct match *m, const struct packet *p,
		    struct judge_step *step)
{
	const struct element *e = NULL;

	if (all_present(&m->key, p->values))
		e = find_element(&j->rs->sets[m->set], &m->key, p->values);
	if (e)
		step->verdict = e->verdict;
	else
		step->end = JUDGE_UNKNOWN;
}

/* step->end or step->verdict changes where the statement ends the rule. */
static void do_statement(struct judge *j, const struct statement *s, const struct packet *p,
			 struct judge_step *step)
{
	switch (s->kind) {
	case STATEMENT_MATCH:
		if (!judge_match(j->rs, &s->match, p->values))
			step->end = JUDGE_FAILED;
		break;
	case STATEMENT_LIMIT:
		if (!limit_passes(&j->rs->limits[s->index], &j->buckets[s->index], p))
			step->end = JUDGE_LIMITED;
		break;
	case STATEMENT_COUNTER:
		count(j, s->index, p);
		break;
	case STATEMENT_LOG:
		add_log(j, step->rule, s->index);
		break;
	case STATEMENT_VERDICT:
		step->verdict = s->verdict;
		break;
	case STATEMENT_VMAP:
		look_up(j, &s->match, p, step);
		break;
	}
}

static uint32_t judge_rule(struct judge *j, const struct at *at, uint32_t depth,
			   const struct packet *p)
{
	size_t rule = j->rs->chains[at->chain].first_rule + at->rule, i;
	const struct rule *r = &j->rs->rules[rule];
	struct judge_step step = {
		.chain = at->chain,
		.rule = (uint32_t)rule,
		.end = JUDGE_DONE,
		.verdict = CONTINUE,
		.depth = depth,
	};

	for (i = 0; i < r->n && step.end == JUDGE_DONE && step.verdict == CONTINUE; i++) {
		step.statement = (uint32_t)i;
		do_statement(j, &r->statements[i], p, &step);
	}
	add_step(j, &step);
	return step.verdict;
}

/* At the end of all rules. */
static uint32_t policy_of(struct judge *j, uint32_t base)
{
	uint32_t policy = j->rs->chains[base].policy;
	const struct judge_step step = {
		.chain = base,
		.end = JUDGE_POLICY,
		.verdict = GATE_VERDICT(policy, 0),
	};

	add_step(j, &step);
	return policy;
}

static uint32_t judge_base(struct judge *j, uint32_t base, const struct packet *p)
{
	struct at stack[GATE_JUMPS_MAX], at = { .chain = base };
	uint32_t depth = 0, verdict, action;

	while (!j->is_short) {
		action = GATE_RETURN;
		if (at.rule < j->rs->chains[at.chain].n_rules) {
			verdict = judge_rule(j, &at, depth, p);
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
	return policy_of(j, base);
}

/* Whether a packet meets chain a before b, as in place.c. */
static bool is_before(const struct ruleset *rs, size_t a, size_t b)
{
	if (rs->chains[a].priority != rs->chains[b].priority)
		return rs->chains[a].priority < rs->chains[b].priority;
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

int judge_packet(struct judge *j, uint32_t family, uint32_t hook, const struct gate_values *v,
		 uint64_t now)
{
	const struct packet p = { v, now };
	size_t base = j->rs->n_chains;
	uint32_t action = GATE_ACCEPT;

	j->n_steps = 0;
	j->n_logs = 0;
	j->is_short = false;
	while (action == GATE_ACCEPT) {
		base = next_base(j->rs, family, hook, base);
		if (base == j->rs->n_chains)
			break;
		action = judge_base(j, (uint32_t)base, &p);
	}
	return j->is_short ? -ENOMEM : (int)action;
}

static void fill_buckets(struct judge *j)
{
	size_t i;

	for (i = 0; i < j->rs->n_limits; i++) {
		const struct limit *l = &j->rs->limits[i];

		j->buckets[i].max = l->bytes ? l->second * (l->rate + l->burst) / l->rate :
					       l->second / l->rate * l->burst;
		j->buckets[i].tokens = j->buckets[i].max;
	}
}

int judge_new(struct judge **out, const struct ruleset *rs)
{
	struct judge *j = calloc(1, sizeof(*j));
	size_t i;

	if (!j)
		return -ENOMEM;
	j->rs = rs;
	j->counters = calloc(rs->n_counters + 1, sizeof(*j->counters));
	j->buckets = calloc(rs->n_limits + 1, sizeof(*j->buckets));
	if (!j->counters || !j->buckets) {
		judge_free(j);
		return -ENOMEM;
	}
	for (i = 0; i < rs->n_counters; i++) {
		j->counters[i].packets = rs->counters[i].packets;
		j->counters[i].bytes = rs->counters[i].bytes;
	}
	fill_buckets(j);
	*out = j;
	return 0;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	free(j->counters);
	free(j->buckets);
	free(j->steps);
	free(j->logs);
	free(j);
}
