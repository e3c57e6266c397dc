// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "hold_rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "log.h"
#include "loopback.h"
#include "names.h"
#include "netns.h"
#include "nft.h"

#define CHAIN "defrag"

/* NFT_TABLE_F_OWNER, of headers from 5.12 on. */
#define TABLE_OWNED 2

struct request {
	const char *table;
	uint32_t families;
	bool owned;
	int sock;
};

void rule_table(char *buf, size_t size, const char *holder)
{
	snprintf(buf, size, "unfrag-defrag-%s", holder);
}

/* One expression: what is put until the nests are closed. */
struct expression {
	size_t element, data;
};

static struct expression begin_expression(struct nft_batch *b, const char *name)
{
	struct expression e;

	e.element = nft_nest(b, NFTA_LIST_ELEM);
	nft_put_text(b, NFTA_EXPR_NAME, name);
	e.data = nft_nest(b, NFTA_EXPR_DATA);
	return e;
}

static void end_expression(struct nft_batch *b, struct expression e)
{
	nft_nest_end(b, e.data);
	nft_nest_end(b, e.element);
}

/* meta KEY == value */
static void put_meta_is(struct nft_batch *b, uint32_t key, uint8_t value)
{
	struct expression e = begin_expression(b, "meta");
	size_t data;

	nft_put_u32(b, NFTA_META_DREG, NFT_REG_1);
	nft_put_u32(b, NFTA_META_KEY, key);
	end_expression(b, e);

	e = begin_expression(b, "cmp");
	nft_put_u32(b, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_u32(b, NFTA_CMP_OP, NFT_CMP_EQ);
	data = nft_nest(b, NFTA_CMP_DATA);
	nft_put(b, NFTA_DATA_VALUE, &value, sizeof(value));
	nft_nest_end(b, data);
	end_expression(b, e);
}

/* tproxy to :1 */
static void put_tproxy(struct nft_batch *b, uint32_t pf)
{
	struct expression e = begin_expression(b, "immediate");
	const uint16_t port = htons(1);
	size_t data;

	nft_put_u32(b, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	data = nft_nest(b, NFTA_IMMEDIATE_DATA);
	nft_put(b, NFTA_DATA_VALUE, &port, sizeof(port));
	nft_nest_end(b, data);
	end_expression(b, e);

	e = begin_expression(b, "tproxy");
	nft_put_u32(b, NFTA_TPROXY_FAMILY, pf);
	nft_put_u32(b, NFTA_TPROXY_REG_PORT, NFT_REG_1);
	end_expression(b, e);
}

/* As nft(8) would write it: people list their rules, and load them again. */
static void put_rule(struct nft_batch *b, const char *table, uint32_t pf)
{
	size_t list;

	nft_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFPROTO_INET);
	nft_put_text(b, NFTA_RULE_TABLE, table);
	nft_put_text(b, NFTA_RULE_CHAIN, CHAIN);
	list = nft_nest(b, NFTA_RULE_EXPRESSIONS);
	put_meta_is(b, NFT_META_NFPROTO, (uint8_t)pf);
	put_meta_is(b, NFT_META_L4PROTO, IPPROTO_UDP);
	put_tproxy(b, pf);
	nft_nest_end(b, list);
}

static int make_here(void *arg)
{
	struct request *q = arg;
	_cleanup_close_ int sock = nft_socket();
	struct nft_batch b;
	unsigned int f;
	int r;

	if (sock < 0)
		return sock;
	nft_batch_begin(&b);
	nft_message(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, NFPROTO_INET);
	nft_put_text(&b, NFTA_TABLE_NAME, q->table);
	if (q->owned)
		nft_put_u32(&b, NFTA_TABLE_FLAGS, TABLE_OWNED);
	nft_message(&b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFPROTO_INET);
	nft_put_text(&b, NFTA_CHAIN_TABLE, q->table);
	nft_put_text(&b, NFTA_CHAIN_NAME, CHAIN);
	for (f = 0; f < FAMILY_MAX; f++)
		if (q->families & 1u << f)
			put_rule(&b, q->table, family_pf(f));
	r = nft_batch_run(&b, sock);
	if (!r && q->owned)
		q->sock = TAKE_FD(sock);
	return r;
}

/* ENOENT: the expression's module is missing; EINVAL: the table's flag is not known. */
static int explain(int r, const struct request *q)
{
	switch (r) {
	case -EEXIST:
		return log_error(r, "the nftables table 'inet %s' is there already", q->table);
	case -EPERM:
		return log_error(r,
				 "not permitted: an nftables rule needs CAP_NET_ADMIN in the "
				 "user namespace of the network namespace");
	case -ENOENT:
	case -EPROTONOSUPPORT:
	case -EAFNOSUPPORT:
		return log_error(-EOPNOTSUPP,
				 "this kernel has no tproxy rules in nftables (needs 4.19, built "
				 "with CONFIG_NFT_TPROXY; its modules must be installed)");
	case -EINVAL:
	case -EOPNOTSUPP:
		if (q->owned)
			return log_error(-EOPNOTSUPP,
					 "without BPF netfilter links this kernel can't end a hold "
					 "with its process (needs 5.12); name a holder");
	}
	return log_error(r, "the nftables table 'inet %s' can't be made: %s", q->table,
			 strerror(-r));
}

int rule_make(int netns_fd, const char *table, uint32_t families)
{
	struct request q = { .table = table, .families = families };
	int r = netns_call(netns_fd, make_here, &q);

	return r ? explain(r, &q) : 0;
}

int rule_make_owned(int netns_fd, const char *table, uint32_t families)
{
	struct request q = { .table = table, .families = families, .owned = true };
	int r = netns_call(netns_fd, make_here, &q);

	return r ? explain(r, &q) : q.sock;
}

static int remove_here(void *arg)
{
	const struct request *q = arg;
	_cleanup_close_ int sock = nft_socket();
	struct nft_batch b;

	if (sock < 0)
		return sock;
	nft_batch_begin(&b);
	nft_message(&b, NFT_MSG_DELTABLE, 0, NFPROTO_INET);
	nft_put_text(&b, NFTA_TABLE_NAME, q->table);
	return nft_batch_run(&b, sock);
}

int rule_remove(int netns_fd, const char *table)
{
	struct request q = { .table = table };
	int r = netns_call(netns_fd, remove_here, &q);

	if (!r || r == -ENOENT)
		return 0;
	return log_error(r, "the nftables table 'inet %s' can't be removed: %s", table,
			 strerror(-r));
}

static int ask_here(void *arg)
{
	const struct request *q = arg;
	_cleanup_close_ int sock = nft_socket();

	return sock < 0 ? sock : nft_ask_table(sock, NFPROTO_INET, q->table);
}

int rule_exists(int netns_fd, const char *table)
{
	struct request q = { .table = table };
	int r = netns_call(netns_fd, ask_here, &q);

	return r == -ENOENT ? 0 : r ? r : 1;
}

static int try_sticking(void *arg)
{
	struct request q = { .table = "unfrag-probe", .families = UNFRAG_FAMILIES_IPV4 };
	int r = loopback_up();

	(void)arg;
	if (!r)
		r = make_here(&q);
	if (!r)
		r = remove_here(&q);
	return r ? r : loopback_defrags(0);
}

int rule_sticks(void)
{
	return netns_call(NETNS_NEW, try_sticking, NULL);
}
