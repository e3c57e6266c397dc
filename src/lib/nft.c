// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

/* Room for `len` more bytes, zeroed and aligned as netlink wants it; NULL when there is none. */
static void *take(struct nft_batch *b, size_t len)
{
	size_t size = NLMSG_ALIGN(len);
	void *at = b->data + b->len;

	if (b->full || size > sizeof(b->data) - b->len) {
		b->full = true;
		return NULL;
	}
	memset(at, 0, size);
	b->len += size;
	return at;
}

static void end_message(struct nft_batch *b)
{
	struct nlmsghdr *h = (struct nlmsghdr *)(void *)(b->data + b->message);

	h->nlmsg_len = (uint32_t)(b->len - b->message);
}

static void begin_message(struct nft_batch *b, int type, int flags, int family, int resource)
{
	size_t at = b->len;
	struct nlmsghdr *h;
	struct nfgenmsg *g;

	if (at)
		end_message(b);
	h = take(b, NLMSG_HDRLEN);
	g = take(b, sizeof(*g));
	if (!h || !g)
		return;
	b->message = at;
	h->nlmsg_type = (uint16_t)type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++b->seq;
	g->nfgen_family = (uint8_t)family;
	g->version = NFNETLINK_V0;
	g->res_id = htons((uint16_t)resource);
}

void nft_batch_begin(struct nft_batch *b)
{
	b->len = b->message = 0;
	b->seq = 0;
	b->full = false;
	begin_message(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

void nft_message(struct nft_batch *b, int type, int flags, int family)
{
	begin_message(b, NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_ACK | flags, family, 0);
}

void nft_put(struct nft_batch *b, int type, const void *data, size_t len)
{
	struct nlattr *a = take(b, NLA_HDRLEN);
	void *value = take(b, len);

	if (!a || !value)
		return;
	a->nla_type = (uint16_t)type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy(value, data, len);
}

void nft_put_text(struct nft_batch *b, int type, const char *text)
{
	nft_put(b, type, text, strlen(text) + 1);
}

void nft_put_u32(struct nft_batch *b, int type, uint32_t n)
{
	n = htonl(n);
	nft_put(b, type, &n, sizeof(n));
}

size_t nft_nest(struct nft_batch *b, int type)
{
	size_t at = b->len;
	struct nlattr *a = take(b, NLA_HDRLEN);

	if (a)
		a->nla_type = (uint16_t)(type | NLA_F_NESTED);
	return at;
}

void nft_nest_end(struct nft_batch *b, size_t nest)
{
	struct nlattr *a = (struct nlattr *)(void *)(b->data + nest);

	if (!b->full)
		a->nla_len = (uint16_t)(b->len - nest);
}

int nft_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	return fd < 0 ? -errno : fd;
}

/* One datagram of answers: counts what was granted, or gives the errno of a refusal. */
static int read_answers(const void *buf, size_t len, unsigned int *granted)
{
	const struct nlmsghdr *h;
	const struct nlmsgerr *e;

	for (h = buf; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		e = NLMSG_DATA(h);
		if (h->nlmsg_type == NLMSG_ERROR && e->error)
			return e->error;
		(*granted)++;
	}
	return 0;
}

/*
 * Requests are carried out inside of send(2), so all answers are there when it returns. 0 if as
 * many as `want` were granted.
 */
static int hear(int sock, unsigned int want)
{
	_Alignas(8) unsigned char buf[8192];
	unsigned int granted = 0;
	ssize_t n;
	int r;

	while ((n = recv(sock, buf, sizeof(buf), MSG_DONTWAIT)) >= 0) {
		r = read_answers(buf, (size_t)n, &granted);
		if (r)
			return r;
	}
	if (errno != EAGAIN)
		return -errno;
	return granted == want ? 0 : -EPROTO;
}

static int run(const struct nft_batch *b, int sock, unsigned int want)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(sock, b->data, b->len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return hear(sock, want);
}

int nft_batch_run(struct nft_batch *b, int sock)
{
	unsigned int want = b->seq - 1;

	begin_message(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	end_message(b);
	return b->full ? -EMSGSIZE : run(b, sock, want);
}

int nft_ask_table(int sock, int family, const char *table)
{
	struct nft_batch b = { .full = false };

	begin_message(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0, family, 0);
	nft_put_text(&b, NFTA_TABLE_NAME, table);
	end_message(&b);
	return b.full ? -EMSGSIZE : run(&b, sock, 1);
}
