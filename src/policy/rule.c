// SPDX-License-Identifier: GPL-2.0-or-later
#include "rule.h"

#include <stdlib.h>

size_t ruleset_elements(const struct ruleset *rs)
{
	size_t i, n = 0;

	for (i = 0; i < rs->n_sets; i++)
		n += rs->sets[i].n_elements;
	return n;
}

static bool has_field(const struct key *key, uint32_t field)
{
	uint32_t i;

	for (i = 0; i < key->n; i++)
		if (key->field[i] == field)
			return true;
	return false;
}

static bool rule_asks(const struct rule *rule, uint32_t field)
{
	const struct statement *s;

	for (s = rule->statements; s < rule->statements + rule->n; s++)
		if ((s->kind == STATEMENT_MATCH || s->kind == STATEMENT_VMAP) &&
		    has_field(&s->match.key, field))
			return true;
	return false;
}

uint32_t ruleset_asks(const struct ruleset *rs, uint32_t field)
{
	uint32_t families = 0;
	size_t i;

	for (i = 0; i < rs->n_rules; i++)
		if (rule_asks(&rs->rules[i], field))
			families |= rs->tables[rs->chains[rs->rules[i].chain].table].family;
	return families;
}

static void release_rule(struct rule *rule)
{
	size_t i;

	for (i = 0; i < rule->n; i++)
		free(rule->statements[i].match.spans);
	free(rule->statements);
	free(rule->text);
	free(rule->comment);
	free(rule->place);
}

void ruleset_release(struct ruleset *rs)
{
	size_t i;

	for (i = 0; i < rs->n_tables; i++)
		free(rs->tables[i].name);
	for (i = 0; i < rs->n_chains; i++)
		free(rs->chains[i].name);
	for (i = 0; i < rs->n_rules; i++)
		release_rule(&rs->rules[i]);
	for (i = 0; i < rs->n_sets; i++) {
		free(rs->sets[i].name);
		free(rs->sets[i].elements);
	}
	for (i = 0; i < rs->n_counters; i++)
		free(rs->counters[i].name);
	free(rs->tables);
	free(rs->chains);
	free(rs->rules);
	free(rs->sets);
	free(rs->counters);
	free(rs->limits);
	free(rs->logs);
	*rs = (struct ruleset){ 0 };
}
