// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ruleset for scripts: what people would look for in its text, with the numbers as numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "elements_write.h"
#include "output.h"
#include "policy_loading.h"
#include "policy_show.h"
#include "show.h"
#include "spell.h"
#include "words.h"

static json_t *counter_json(const struct policy_shown *s, uint32_t counter)
{
	const char *name = instance_ruleset(s->instance)->counters[counter].name;

	return json_pack("{s:s?, s:I, s:I}", "name", name, "packets",
			 (json_int_t)s->counters[counter].packets, "bytes",
			 (json_int_t)s->counters[counter].bytes);
}

static json_t *rule_json(const struct policy_shown *s, const struct rule *rule)
{
	json_t *counters = json_array();
	size_t i;

	for (i = 0; i < rule->n; i++)
		if (rule->statements[i].kind == STATEMENT_COUNTER)
			json_array_append_new(counters, counter_json(s, rule->statements[i].index));
	return json_pack("{s:o, s:o, s:o}", "text", json_text(rule->text ? rule->text : ""),
			 "comment", rule->comment ? json_text(rule->comment) : json_null(),
			 "counters", counters);
}

static json_t *chain_json(const struct policy_shown *s, const struct chain *chain)
{
	const struct ruleset *rs = instance_ruleset(s->instance);
	json_t *rules = json_array(), *out;
	size_t i;

	for (i = 0; i < chain->n_rules; i++)
		json_array_append_new(rules, rule_json(s, &rs->rules[chain->first_rule + i]));
	out = json_pack("{s:o, s:o}", "name", json_text(chain->name), "rules", rules);
	if (!chain->is_base)
		return out;
	json_object_set_new(out, "hook", json_string(spell_hook(chain->hook)));
	json_object_set_new(out, "priority", json_integer(chain->priority));
	json_object_set_new(out, "policy",
			    json_string(chain->policy == GATE_DROP ? "drop" : "accept"));
	return out;
}

static void add_element(const char *key, const char *verdict, void *list)
{
	if (verdict)
		json_array_append_new(list, json_pack("{s:o, s:o}", "key", json_text(key),
						      "verdict", json_text(verdict)));
	else
		json_array_append_new(list, json_text(key));
}

/* NULL: its elements can't be read, as was said. */
static json_t *set_json(struct policy_shown *s, uint32_t number, const struct show_set *known,
			bool with_elements)
{
	const struct ruleset *rs = instance_ruleset(s->instance);
	const struct element_style style = { known->type, known->intervals };
	const struct set *set = &rs->sets[number];
	struct element *elements = NULL;
	json_t *out, *list;
	size_t n;

	if (policy_shown_elements(s, number, &elements, &n))
		return NULL;
	out = json_pack("{s:o, s:b, s:o, s:b, s:I}", "name", json_text(set->name), "map",
			(int)set->verdicts, "type", json_text(known->type), "intervals",
			(int)known->intervals, "size", (json_int_t)n);
	if (with_elements) {
		list = json_array();
		elements_write(rs, set, &style, elements, n, add_element, list);
		json_object_set_new(out, "elements", list);
	}
	free(elements);
	return out;
}

struct parts {
	json_t *counters, *sets, *chains;
};

static bool add_sets(struct policy_shown *s, uint32_t table, bool elements, json_t *list)
{
	const struct ruleset *rs = instance_ruleset(s->instance);
	struct show_set *known = must(show_sets(rs, instance_listing(s->instance)));
	bool good = true;
	json_t *set;
	uint32_t i;

	for (i = 0; i < rs->n_sets && good; i++) {
		if (rs->sets[i].table != table || !rs->sets[i].is_named)
			continue;
		set = set_json(s, i, &known[i], elements);
		good = set && !json_array_append_new(list, set);
	}
	free(known);
	return good;
}

static json_t *table_json(struct policy_shown *s, uint32_t number, bool elements)
{
	const struct ruleset *rs = instance_ruleset(s->instance);
	struct parts p = { json_array(), json_array(), json_array() };
	uint32_t i;

	for (i = 0; i < rs->n_counters; i++)
		if (rs->counters[i].name && rs->counters[i].table == number)
			json_array_append_new(p.counters, counter_json(s, i));
	for (i = 0; i < rs->n_chains; i++)
		if (rs->chains[i].table == number)
			json_array_append_new(p.chains, chain_json(s, &rs->chains[i]));
	if (!add_sets(s, number, elements, p.sets)) {
		json_decref(p.counters);
		json_decref(p.chains);
		json_decref(p.sets);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "family",
			 words_of_family(rs->tables[number].family), "name",
			 json_text(rs->tables[number].name), "counters", p.counters, "sets", p.sets,
			 "chains", p.chains);
}

static json_t *places_json(const struct unfrag_attachment_info *info)
{
	json_t *list = json_array();
	const struct unfrag_place *p;

	for (p = info->places; p < info->places + info->n_places; p++)
		json_array_append_new(list, json_pack("{s:o, s:s, s:i}", "families",
						      json_families(p->families), "hook",
						      unfrag_hook_name((enum unfrag_hook)p->hook),
						      "priority", (int)p->priority));
	return list;
}

json_t *policy_shown_json(struct policy_shown *s, const char *name, bool elements)
{
	const struct ruleset *rs = instance_ruleset(s->instance);
	const struct instance_about *about = instance_about(s->instance);
	json_t *tables = json_array(), *table;
	uint64_t lost = 0;
	uint32_t i;

	instance_lost(s->instance, &lost);
	for (i = 0; i < rs->n_tables; i++) {
		table = table_json(s, i, elements);
		if (!table) {
			json_decref(tables);
			return NULL;
		}
		json_array_append_new(tables, table);
	}
	return json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:b, s:o, s:o}", "name", name, "file",
			 about->path[0] ? json_text(about->path) : json_null(), "netns",
			 json_text(s->info.netns), "since", (json_int_t)about->since, "memory",
			 (json_int_t)about->takes, "lost", (json_int_t)lost, "closed",
			 !!(about->flags & POLICY_CLOSED), "places", places_json(&s->info),
			 "tables", tables);
}
