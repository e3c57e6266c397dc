// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft_count.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sock.h"

#define BUFFER      (1 << 17)
#define DEADLINE_MS 10000

struct reading {
	struct nft_counts counts;
	char chain[64];
	unsigned int rule; /* in that chain */
	int err;
};

#define for_each_attr(a, data, len) \
	for (const struct nlattr *a = (data), \
				 *end_##a = (const void *)((const char *)(data) + (len)); \
	     a + 1 <= end_##a && a->nla_len >= NLA_HDRLEN; \
	     a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len)))

static const void *attr_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

static size_t attr_len(const struct nlattr *a)
{
	return a->nla_len - (size_t)NLA_HDRLEN;
}

/* NULL: there is none. */
static const struct nlattr *find_attr(const void *data, size_t len, unsigned int type)
{
	for_each_attr(a, data, len) if ((a->nla_type & NLA_TYPE_MASK) == type) return a;
	return NULL;
}

static const struct nlattr *find_in(const struct nlattr *outer, unsigned int type)
{
	return outer ? find_attr(attr_data(outer), attr_len(outer), type) : NULL;
}

static const char *text_of(const struct nlattr *a)
{
	return a ? attr_data(a) : "";
}

static uint64_t number_of(const struct nlattr *a)
{
	uint64_t v = 0;

	if (a && attr_len(a) == sizeof(v))
		memcpy(&v, attr_data(a), sizeof(v));
	return be64toh(v);
}

static void add(struct reading *r, const char *where, const struct nlattr *data)
{
	struct nft_counts *c = &r->counts;
	struct nft_count *more = c->count;

	if (!(c->n & (c->n + 1)))
		more = realloc(c->count, (2 * c->n + 2) * sizeof(*more));
	if (!more) {
		r->err = -ENOMEM;
		return;
	}
	c->count = more;
	more = &c->count[c->n++];
	snprintf(more->where, sizeof(more->where), "%s", where);
	more->packets = number_of(find_in(data, NFTA_COUNTER_PACKETS));
	more->bytes = number_of(find_in(data, NFTA_COUNTER_BYTES));
}

static const char *family_name(uint8_t family)
{
	return family == 1 ? "inet" : family == 2 ? "ip" : "ip6";
}

static void take_rule(struct reading *r, uint8_t family, const void *data, size_t len)
{
	const struct nlattr *list = find_attr(data, len, NFTA_RULE_EXPRESSIONS);
	char chain[64], where[64];

	snprintf(chain, sizeof(chain), "%s %.20s %.20s", family_name(family),
		 text_of(find_attr(data, len, NFTA_RULE_TABLE)),
		 text_of(find_attr(data, len, NFTA_RULE_CHAIN)));
	r->rule = strcmp(chain, r->chain) ? 0 : r->rule + 1;
	memcpy(r->chain, chain, sizeof(chain));
	snprintf(where, sizeof(where), "%.50s %u", chain, r->rule);
	if (!list)
		return;
	for_each_attr(e, attr_data(list),
		      attr_len(list)) if (!strcmp(text_of(find_in(e, NFTA_EXPR_NAME)), "counter"))
		add(r, where, find_in(e, NFTA_EXPR_DATA));
}

static void take_object(struct reading *r, uint8_t family, const void *data, size_t len)
{
	char where[64];

	snprintf(where, sizeof(where), "%s %.20s counter %.20s", family_name(family),
		 text_of(find_attr(data, len, NFTA_OBJ_TABLE)),
		 text_of(find_attr(data, len, NFTA_OBJ_NAME)));
	add(r, where, find_attr(data, len, NFTA_OBJ_DATA));
}

/* Whether there is more to come. */
static bool take(struct reading *r, const struct nlmsghdr *h)
{
	const struct nfgenmsg *g = NLMSG_DATA(h);
	const void *data = (const char *)g + NLMSG_ALIGN(sizeof(*g));
	size_t len = h->nlmsg_len - NLMSG_LENGTH(sizeof(*g));

	if (h->nlmsg_type == NLMSG_DONE)
		return false;
	if (h->nlmsg_type == NLMSG_ERROR) {
		r->err = ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
		return false;
	}
	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWRULE)
		take_rule(r, g->nfgen_family, data, len);
	else
		take_object(r, g->nfgen_family, data, len);
	return true;
}

static int dump(struct reading *r, int fd, uint16_t what)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
	} req = {
		.h.nlmsg_len = sizeof(req),
		.h.nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | what),
		.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
	};
	bool more = send(fd, &req, sizeof(req), 0) == (ssize_t)sizeof(req);
	lab_autofree char *buffer = malloc(BUFFER);

	if (!more || !buffer)
		return -EIO;
	while (more) {
		ssize_t n = lab_recv_deadline(fd, buffer, BUFFER, DEADLINE_MS);
		const struct nlmsghdr *h = (const void *)buffer;

		if (n < 0)
			return (int)n;
		for (; more && NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
			more = take(r, h);
	}
	return r->err;
}

int nft_counts_read(struct nft_counts *out, const struct lab_ns *ns)
{
	lab_autoclose int fd = lab_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	struct reading r = { .rule = 0 };
	int err = fd < 0 ? fd : dump(&r, fd, NFT_MSG_GETRULE);

	if (!err)
		err = dump(&r, fd, NFT_MSG_GETOBJ);
	if (err)
		nft_counts_release(&r.counts);
	else
		*out = r.counts;
	return err;
}

int nft_forget_flows(const struct lab_ns *ns)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
	} req = {
		.h.nlmsg_len = sizeof(req),
		.h.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
		.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
	};
	lab_autoclose int fd = lab_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (send(fd, &req, sizeof(req), 0) != (ssize_t)sizeof(req))
		return -errno;
	n = lab_recv_deadline(fd, &answer, sizeof(answer), DEADLINE_MS);
	if (n < 0)
		return (int)n;
	return n == (ssize_t)sizeof(answer) ? answer.e.error : -EBADMSG;
}

void nft_counts_release(struct nft_counts *counts)
{
	free(counts->count);
	counts->count = NULL;
	counts->n = 0;
}
