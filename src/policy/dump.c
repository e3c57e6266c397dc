// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All of nf_tables in this network namespace, as messages of netlink. libnftables' own listing as
 * JSON takes 14 s for a set of a million elements; this takes as long as the kernel.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "listing.h"
#include "scratch.h"

#define BUFFER (256 * 1024)

/* A set whose elements are to be asked for. */
struct named {
	uint8_t family;
	char table[NFT_NAME_MAXLEN];
	char set[NFT_NAME_MAXLEN];
};

struct dump {
	struct mnl_socket *socket;
	int fd;
	uint32_t sequence;
	char *buffer;
	struct named *sets;
	size_t n_sets;
	int err;
};

static void note_set(struct dump *d, const struct nlmsghdr *message)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	struct attrs a;
	struct named *set;

	attrs_parse(&a, (struct attr){ (const uint8_t *)(head + 1),
				       mnl_nlmsg_get_payload_len(message) - sizeof(*head) });
	set = ARRAY_ADD(d->sets, d->n_sets);
	if (!set) {
		d->err = -ENOMEM;
		return;
	}
	set->family = head->nfgen_family;
	strncpy(set->table, attr_text(&a, NFTA_SET_TABLE), sizeof(set->table) - 1);
	strncpy(set->set, attr_text(&a, NFTA_SET_NAME), sizeof(set->set) - 1);
}

/* Copies what is part of the answer; returns whether more is to come. */
static bool take(struct dump *d, size_t len)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)d->buffer;
	int rest = (int)len;

	for (; mnl_nlmsg_ok(message, rest); message = mnl_nlmsg_next(message, &rest)) {
		if (message->nlmsg_type == NLMSG_DONE)
			return false;
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

			/* What a kernel does not know there is none of. */
			d->err = error->error == -EOPNOTSUPP ? 0 : error->error;
			return false;
		}
		if (NFNL_MSG_TYPE(message->nlmsg_type) == NFT_MSG_NEWSET)
			note_set(d, message);
		d->err = d->err ? d->err :
				  listing_put(d->fd, LISTING_NETLINK, message, message->nlmsg_len);
		if (d->err)
			return false;
	}
	return true;
}

static void ask(struct dump *d, unsigned int type, const struct named *set)
{
	char buffer[1024];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *head;
	ssize_t n;

	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = ++d->sequence;
	head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
	*head = (struct nfgenmsg){ .nfgen_family = set ? set->family : NFPROTO_UNSPEC,
				   .version = NFNETLINK_V0 };
	if (set) {
		mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, set->table);
		mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set->set);
	}
	if (mnl_socket_sendto(d->socket, message, message->nlmsg_len) < 0) {
		d->err = -errno;
		return;
	}
	do {
		n = mnl_socket_recvfrom(d->socket, d->buffer, BUFFER);
		if (n < 0)
			d->err = -errno;
	} while (n > 0 && take(d, (size_t)n));
}

/* Each message finds what it names in those before it. */
static int dump_all(struct dump *d)
{
	static const unsigned int types[] = {
		NFT_MSG_GETTABLE, NFT_MSG_GETOBJ, NFT_MSG_GETFLOWTABLE,
		NFT_MSG_GETCHAIN, NFT_MSG_GETSET,
	};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types) && !d->err; i++)
		ask(d, types[i], NULL);
	for (i = 0; i < d->n_sets && !d->err; i++)
		ask(d, NFT_MSG_GETSETELEM, &d->sets[i]);
	if (!d->err)
		ask(d, NFT_MSG_GETRULE, NULL);
	return d->err;
}

int scratch_dump(int fd)
{
	struct dump d = { .fd = fd, .socket = mnl_socket_open(NETLINK_NETFILTER) };
	int err;

	if (!d.socket || mnl_socket_bind(d.socket, 0, MNL_SOCKET_AUTOPID)) {
		err = -errno;
	} else {
		d.buffer = malloc(BUFFER);
		err = d.buffer ? dump_all(&d) : -ENOMEM;
	}
	free(d.sets);
	free(d.buffer);
	if (d.socket)
		mnl_socket_close(d.socket);
	return err;
}
