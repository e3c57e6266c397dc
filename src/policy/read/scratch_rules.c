// SPDX-License-Identifier: GPL-2.0-or-later
#include "scratch_rules.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

static int add_lookups(struct scratch_rules *l, struct attr expressions)
{
	struct attrs a, data;
	struct scratch_set *set;
	struct attr one;
	unsigned int type;
	bool broken = false;

	while (attr_next(&expressions, &type, &one, &broken)) {
		attrs_parse(&a, one);
		if (strcmp(attr_text(&a, NFTA_EXPR_NAME), "lookup"))
			continue;
		attrs_parse(&data, a.at[NFTA_EXPR_DATA]);
		set = ARRAY_ADD(l->sets, l->n_sets);
		if (!set)
			return -ENOMEM;
		set->rule = l->n - 1;
		set->name = attr_text(&data, NFTA_LOOKUP_SET);
	}
	return broken ? -EINVAL : 0;
}

static int add_rule(struct scratch_rules *l, uint8_t family, const struct attrs *a)
{
	struct scratch_rule *rule = ARRAY_ADD(l->rules, l->n);

	if (!rule)
		return -ENOMEM;
	rule->family = family;
	rule->handle = attr_u64(a, NFTA_RULE_HANDLE);
	rule->table = attr_text(a, NFTA_RULE_TABLE);
	rule->chain = attr_text(a, NFTA_RULE_CHAIN);
	rule->comment = listing_comment(a->at[NFTA_RULE_USERDATA]);
	return add_lookups(l, a->at[NFTA_RULE_EXPRESSIONS]);
}

/* What a section has of one message. */
static int take(struct scratch_rules *l, struct attr section)
{
	struct listing_message m;

	if (!listing_message(&m, section))
		return -EINVAL;
	if (m.type != NFT_MSG_NEWRULE)
		return 0;
	return m.attrs.broken ? -EINVAL : add_rule(l, m.family, &m.attrs);
}

int scratch_rules_init(struct scratch_rules *out, struct attr listing)
{
	struct scratch_rules l = { 0 };
	struct attr section;
	uint32_t kind;
	int err = 0;

	while (!err && listing_next(&listing, &kind, &section))
		if (kind == LISTING_NETLINK)
			err = take(&l, section);
	if (err)
		scratch_rules_release(&l);
	else
		*out = l;
	return err;
}

void scratch_rules_release(struct scratch_rules *l)
{
	free(l->rules);
	free(l->sets);
	*l = (struct scratch_rules){ 0 };
}
