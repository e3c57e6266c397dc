// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ruleset that drops everything, for where another one could not be loaded. libnftables may be
 * the reason, so its listing is written here, as the kernel would have it; without libmnl, as a
 * build without libnftables has neither.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "listing.h"
#include "policy.h"

#define TABLE "closed"

/* A message on its way, which none of these fills. */
struct message {
	uint8_t data[256];
	size_t len;
};

static void put(struct message *m, const void *data, size_t len)
{
	memcpy(m->data + m->len, data, len);
	m->len += NLMSG_ALIGN(len);
}

static void put_attr(struct message *m, uint16_t type, const void *data, size_t len)
{
	const struct nlattr head = { (uint16_t)(sizeof(head) + len), type };

	put(m, &head, sizeof(head));
	put(m, data, len);
}

static void put_u32(struct message *m, uint16_t type, uint32_t n)
{
	n = htonl(n);
	put_attr(m, type, &n, sizeof(n));
}

static void put_text(struct message *m, uint16_t type, const char *text)
{
	put_attr(m, type, text, strlen(text) + 1);
}

static void begin(struct message *m, uint16_t type)
{
	const struct nlmsghdr outer = { .nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 |
								 type) };
	const struct nfgenmsg inner = { .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0 };

	memset(m, 0, sizeof(*m));
	put(m, &outer, sizeof(outer));
	put(m, &inner, sizeof(inner));
}

static void put_section(FILE *out, uint32_t section, const void *data, size_t len)
{
	const struct listing_head head = { section, (uint32_t)len };

	fwrite(&head, sizeof(head), 1, out);
	if (len)
		fwrite(data, len, 1, out);
}

static void end(struct message *m, FILE *out)
{
	const uint32_t len = (uint32_t)m->len;

	memcpy(m->data + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
	put_section(out, LISTING_NETLINK, m->data, m->len);
}

static void put_chain(FILE *out, const char *name, uint32_t hook, int32_t priority)
{
	struct message m, where = { .len = 0 };

	put_u32(&where, NFTA_HOOK_HOOKNUM, hook);
	put_u32(&where, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	begin(&m, NFT_MSG_NEWCHAIN);
	put_text(&m, NFTA_CHAIN_TABLE, TABLE);
	put_text(&m, NFTA_CHAIN_NAME, name);
	put_attr(&m, NFTA_CHAIN_HOOK, where.data, where.len);
	put_u32(&m, NFTA_CHAIN_POLICY, NF_DROP);
	put_text(&m, NFTA_CHAIN_TYPE, "filter");
	end(&m, out);
}

static const struct {
	const char *name;
	uint32_t hook;
} chains[] = {
	{ "input", NF_INET_LOCAL_IN },
	{ "forward", NF_INET_FORWARD },
	{ "output", NF_INET_LOCAL_OUT },
};

#define CHAINS (sizeof(chains) / sizeof(chains[0]))

/* As nftables would write it. */
static void put_words(FILE *out, int32_t priority)
{
	char text[512];
	size_t i;
	int n = snprintf(text, sizeof(text), "table inet " TABLE " { # handle 1\n");

	for (i = 0; i < CHAINS; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "%s\tchain %s { # handle %zu\n"
			      "\t\ttype filter hook %s priority %d; policy drop;\n\t}\n",
			      i ? "\n" : "", chains[i].name, i + 1, chains[i].name, priority);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "}\n");
	put_section(out, LISTING_TEXT, text, (size_t)n);
}

static void put_listing(FILE *out, const char *path, int32_t priority)
{
	struct message m;
	size_t i;

	put_section(out, LISTING_PATH, path, strlen(path) + 1);
	begin(&m, NFT_MSG_NEWTABLE);
	put_text(&m, NFTA_TABLE_NAME, TABLE);
	end(&m, out);
	for (i = 0; i < CHAINS; i++)
		put_chain(out, chains[i].name, chains[i].hook, priority);
	put_words(out, priority);
	put_section(out, LISTING_END, NULL, 0);
}

int policy_closed(struct ruleset *out, struct policy_listing *listing, const char *path,
		  int32_t priority)
{
	struct policy_messages messages = { 0 };
	struct policy_listing made;
	char *data = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&data, &len);
	int err;

	if (!f)
		return -ENOMEM;
	put_listing(f, path, priority);
	err = ferror(f);
	err |= fclose(f);
	made = (struct policy_listing){ data, len };
	err = err ? -ENOMEM : policy_parse(out, &made, &messages);
	policy_messages_release(&messages);
	if (err)
		policy_listing_release(&made);
	else
		*listing = made;
	return err;
}
