// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In which order base chains of one priority run: the kernel puts a new hook in front of the
 * others. In which order chains were made their messages tell; where those are not there, the
 * listing, which has them table by table.
 */
#include <linux/netfilter/nf_tables.h>

#include "reader.h"

/* The chain that a message makes; UINT32_MAX: none that is there now. */
static uint32_t chain_of(const struct reader *r, struct attr section)
{
	struct listing_message m;
	uint32_t table;

	if (!listing_message(&m, section))
		return UINT32_MAX;
	table = reader_table(r, m.family, attr_text(&m.attrs, NFTA_CHAIN_TABLE));
	return table == UINT32_MAX ? table :
				     reader_chain(r, table, attr_text(&m.attrs, NFTA_CHAIN_NAME));
}

/* Numbers chains from 1 on as they were made; a message about one that is there changes it. */
static void number_made(struct reader *r, struct attr rest)
{
	struct attr message;
	uint32_t section, chain, n = 0;

	while (listing_next(&rest, &section, &message)) {
		if (section != LISTING_ORDER)
			continue;
		chain = chain_of(r, message);
		if (chain != UINT32_MAX && !r->rs->chains[chain].order)
			r->rs->chains[chain].order = ++n;
	}
}

void reader_order_chains(struct reader *r, struct attr listing)
{
	struct chain *chains = r->rs->chains;
	const size_t n = r->rs->n_chains;
	bool all = true;
	size_t i;

	number_made(r, listing);
	for (i = 0; i < n; i++)
		all = all && chains[i].order;
	for (i = 0; i < n; i++)
		chains[i].order = (uint32_t)(n - (all ? chains[i].order : i + 1));
}
