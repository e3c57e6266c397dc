// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables, chains and named counters, and what else the kernel knows beside them, which is refused.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "array.h"
#include "reader.h"

/* Of newer kernels than the headers: what they tell of a set, and a table's owner. */
#define KNOWN(...) known_types((const unsigned int[]){ __VA_ARGS__, 0 })

static uint64_t known_types(const unsigned int *type)
{
	uint64_t known = 0;

	for (; *type; type++)
		known |= 1ull << *type;
	return known;
}

static const char *const families[] = {
	[NFPROTO_INET] = "inet",     [NFPROTO_IPV4] = "ip",       [NFPROTO_ARP] = "arp",
	[NFPROTO_NETDEV] = "netdev", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_IPV6] = "ip6",
};

static const char *family_name(uint8_t family)
{
	return family < sizeof(families) / sizeof(*families) && families[family] ?
		       families[family] :
		       "unknown";
}

static uint32_t family_of(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return FAMILY_IP;
	case NFPROTO_IPV6:
		return FAMILY_IP6;
	case NFPROTO_INET:
		return FAMILY_INET;
	default:
		return 0;
	}
}

const char *reader_family(const struct reader *r, uint32_t table)
{
	static const char *const names[] = { "", "ip", "ip6", "inet" };

	return names[r->rs->tables[table].family & 3];
}

uint32_t reader_table(const struct reader *r, uint8_t family, const char *name)
{
	uint32_t want = family_of(family);
	size_t i;

	for (i = 0; i < r->rs->n_tables; i++)
		if (r->rs->tables[i].family == want && !strcmp(r->rs->tables[i].name, name))
			return (uint32_t)i;
	return UINT32_MAX;
}

uint32_t reader_chain(const struct reader *r, uint32_t table, const char *name)
{
	const struct ruleset *rs = r->rs;
	size_t i;

	for (i = 0; i < rs->n_chains; i++)
		if (rs->chains[i].table == table && !strcmp(rs->chains[i].name, name))
			return (uint32_t)i;
	return UINT32_MAX;
}

uint32_t reader_counter(const struct reader *r, uint32_t table, const char *name)
{
	const struct ruleset *rs = r->rs;
	size_t i;

	for (i = 0; i < rs->n_counters; i++)
		if (rs->counters[i].name && rs->counters[i].table == table &&
		    !strcmp(rs->counters[i].name, name))
			return (uint32_t)i;
	return UINT32_MAX;
}

void reader_on_table(struct reader *r, uint8_t family, const struct attrs *a)
{
	const char *name = attr_text(a, NFTA_TABLE_NAME);
	uint32_t flags = attr_u32(a, NFTA_TABLE_FLAGS, 0);
	struct table *table;

	if (!family_of(family)) {
		reader_refuse(r, READER_NO_RULE,
			      "table %s %s: packets of this family do not come by; "
			      "use ip, ip6 or inet",
			      family_name(family), name);
		return;
	}
	if (flags)
		reader_refuse(r, READER_NO_RULE, "table %s %s: flags %s: not supported; %s",
			      family_name(family), name,
			      flags & NFT_TABLE_F_DORMANT ? "dormant" : "owner",
			      flags & NFT_TABLE_F_DORMANT ? "leave the table out of the file" :
							    "leave them out");
	if (a->present & ~KNOWN(NFTA_TABLE_NAME, NFTA_TABLE_FLAGS, NFTA_TABLE_USE,
				NFTA_TABLE_HANDLE, NFTA_TABLE_PAD, NFTA_TABLE_USERDATA))
		reader_refuse(r, READER_NO_RULE, "table %s %s: has what is not known here",
			      family_name(family), name);
	table = ARRAY_ADD(r->rs->tables, r->rs->n_tables);
	if (table) {
		table->family = family_of(family);
		table->name = reader_copy(r, name);
	}
	r->no_memory |= !table || !table->name;
}

/* "table inet t, chain c" */
#define CHAIN_FMT "table %s %s, chain %s: "

static void check_hook(struct reader *r, const struct chain *chain, const struct attrs *a,
		       const struct attrs *hook)
{
	const char *family = reader_family(r, chain->table);
	const char *table = r->rs->tables[chain->table].name;
	const char *type = attr_text(a, NFTA_CHAIN_TYPE);

	if (strcmp(type, "filter"))
		reader_refuse(r, READER_NO_RULE, CHAIN_FMT "type %s: not supported; %s", family,
			      table, chain->name, type,
			      strcmp(type, "nat") ? "use 'type filter'" :
						    "the gate changes no packet; load it with nft, "
						    "from a file of its own");
	if (chain->hook >= NF_INET_NUMHOOKS ||
	    hook->present & ~KNOWN(NFTA_HOOK_HOOKNUM, NFTA_HOOK_PRIORITY))
		reader_refuse(r, READER_NO_RULE,
			      CHAIN_FMT
			      "a hook of devices: not supported; use prerouting, input, "
			      "forward, output or postrouting, and iifname",
			      family, table, chain->name);
	if (chain->priority <= -400)
		reader_refuse(r, READER_NO_RULE,
			      CHAIN_FMT
			      "priority %d: packets are reassembled at -400, and rules "
			      "come after; use -399 or more",
			      family, table, chain->name, chain->priority);
}

static void read_hook(struct reader *r, struct chain *chain, const struct attrs *a)
{
	struct attrs hook;

	attrs_parse(&hook, a->at[NFTA_CHAIN_HOOK]);
	chain->is_base = true;
	chain->hook = attr_u32(&hook, NFTA_HOOK_HOOKNUM, UINT32_MAX);
	chain->priority = (int32_t)attr_u32(&hook, NFTA_HOOK_PRIORITY, 0);
	chain->policy = attr_u32(a, NFTA_CHAIN_POLICY, NF_ACCEPT) == NF_DROP ? GATE_DROP :
									       GATE_ACCEPT;
	check_hook(r, chain, a, &hook);
}

void reader_on_chain(struct reader *r, uint8_t family, const struct attrs *a)
{
	uint32_t table = reader_table(r, family, attr_text(a, NFTA_CHAIN_TABLE));
	uint32_t flags = attr_u32(a, NFTA_CHAIN_FLAGS, 0);
	const char *name = attr_text(a, NFTA_CHAIN_NAME);
	struct chain *chain;

	if (table == UINT32_MAX) {
		r->refused = true; /* as the table was */
		return;
	}
	chain = ARRAY_ADD(r->rs->chains, r->rs->n_chains);
	if (chain)
		chain->name = reader_copy(r, name);
	if (!chain || !chain->name) {
		r->no_memory = true;
		return;
	}
	chain->table = table;
	if (a->at[NFTA_CHAIN_HOOK].data)
		read_hook(r, chain, a);
	if (flags & NFT_CHAIN_BINDING)
		reader_refuse(r, READER_NO_RULE,
			      "table %s %s: a chain without a name: not supported; give it one and "
			      "jump to it",
			      reader_family(r, table), r->rs->tables[table].name);
	else if (flags & ~(uint32_t)NFT_CHAIN_BASE ||
		 a->present & ~KNOWN(NFTA_CHAIN_TABLE, NFTA_CHAIN_HANDLE, NFTA_CHAIN_NAME,
				     NFTA_CHAIN_HOOK, NFTA_CHAIN_POLICY, NFTA_CHAIN_USE,
				     NFTA_CHAIN_TYPE, NFTA_CHAIN_PAD, NFTA_CHAIN_FLAGS,
				     NFTA_CHAIN_USERDATA))
		reader_refuse(r, READER_NO_RULE,
			      CHAIN_FMT
			      "counters or flags of a chain: not supported; count in a rule",
			      reader_family(r, table), r->rs->tables[table].name, name);
}

static const char *object_name(uint32_t type)
{
	static const char *const names[] = {
		[NFT_OBJECT_QUOTA] = "quota",       [NFT_OBJECT_CT_HELPER] = "ct helper",
		[NFT_OBJECT_LIMIT] = "limit",       [NFT_OBJECT_CONNLIMIT] = "ct count",
		[NFT_OBJECT_TUNNEL] = "tunnel",     [NFT_OBJECT_CT_TIMEOUT] = "ct timeout",
		[NFT_OBJECT_SECMARK] = "secmark",   [NFT_OBJECT_CT_EXPECT] = "ct expectation",
		[NFT_OBJECT_SYNPROXY] = "synproxy",
	};

	return type < sizeof(names) / sizeof(*names) && names[type] ? names[type] : "object";
}

void reader_on_object(struct reader *r, uint8_t family, const struct attrs *a)
{
	uint32_t table = reader_table(r, family, attr_text(a, NFTA_OBJ_TABLE));
	uint32_t type = attr_u32(a, NFTA_OBJ_TYPE, NFT_OBJECT_UNSPEC);
	const char *name = attr_text(a, NFTA_OBJ_NAME);
	struct counter *counter;
	struct attrs data;

	if (table == UINT32_MAX) {
		r->refused = true;
		return;
	}
	if (type != NFT_OBJECT_COUNTER) {
		reader_refuse(r, READER_NO_RULE, "table %s %s, %s %s: not supported; %s",
			      reader_family(r, table), r->rs->tables[table].name, object_name(type),
			      name,
			      type == NFT_OBJECT_LIMIT ? "write the limit into the rules" :
							 "leave it out");
		return;
	}
	counter = ARRAY_ADD(r->rs->counters, r->rs->n_counters);
	if (counter)
		counter->name = reader_copy(r, name);
	if (!counter || !counter->name) {
		r->no_memory = true;
		return;
	}
	attrs_parse(&data, a->at[NFTA_OBJ_DATA]);
	counter->table = table;
	counter->packets = attr_u64(&data, NFTA_COUNTER_PACKETS);
	counter->bytes = attr_u64(&data, NFTA_COUNTER_BYTES);
}

void reader_on_flowtable(struct reader *r, uint8_t family, const struct attrs *a)
{
	reader_refuse(r, READER_NO_RULE,
		      "table %s %s, flowtable %s: not supported; leave it out: packets of a "
		      "flowtable meet no rule at all",
		      family_name(family), attr_text(a, NFTA_FLOWTABLE_TABLE),
		      attr_text(a, NFTA_FLOWTABLE_NAME));
}

static uint32_t verdict_action(uint32_t code)
{
	switch ((int32_t)code) {
	case NF_ACCEPT:
		return GATE_ACCEPT;
	case NF_DROP:
		return GATE_DROP;
	case NFT_JUMP:
		return GATE_JUMP;
	case NFT_GOTO:
		return GATE_GOTO;
	case NFT_RETURN:
		return GATE_RETURN;
	default:
		return GATE_ACTION_MAX;
	}
}

bool reader_verdict(const struct reader *r, uint32_t table, struct attr data, uint32_t *verdict)
{
	uint32_t code, action, chain = 0;
	struct attrs a;

	attrs_parse(&a, data);
	attrs_parse(&a, a.at[NFTA_DATA_VERDICT]);
	code = attr_u32(&a, NFTA_VERDICT_CODE, NF_QUEUE);
	if ((int32_t)code == NFT_CONTINUE) {
		*verdict = GATE_VERDICT_CONTINUE;
		return true;
	}
	action = verdict_action(code);
	if (action == GATE_JUMP || action == GATE_GOTO)
		chain = reader_chain(r, table, attr_text(&a, NFTA_VERDICT_CHAIN));
	*verdict = GATE_VERDICT(action, chain);
	return action != GATE_ACTION_MAX && chain != UINT32_MAX;
}
