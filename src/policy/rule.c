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

bool statement_asks(const struct statement *s, uint32_t fields)
{
	uint32_t i;

	if (s->kind != STATEMENT_MATCH && s->kind != STATEMENT_VMAP)
		return false;
	for (i = 0; i < s->match.key.n; i++)
		if (fields >> s->match.key.field[i] & 1)
			return true;
	return false;
}

uint32_t ruleset_asks(const struct ruleset *rs, uint32_t fields)
{
	uint32_t families = 0;
	const struct rule *rule;
	size_t i, j;

	for (i = 0; i < rs->n_rules; i++) {
		rule = &rs->rules[i];
		for (j = 0; j < rule->n; j++)
			if (statement_asks(&rule->statements[j], fields))
				families |= rs->tables[rs->chains[rule->chain].table].family;
	}
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
