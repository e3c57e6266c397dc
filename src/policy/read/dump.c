// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All of nf_tables in this network namespace, as messages of netlink. Each message finds what it
 * names in those before it.
 */
#include "dump.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "listing.h"
#include "scratch.h"

_Static_assert(sizeof(((struct dump_set *)0)->set) == NFT_NAME_MAXLEN, "a name fits");

int dump_init(struct dump *d, int fd)
{
	*d = (struct dump){ .fd = fd, .buffer = malloc(DUMP_BUFFER) };
	if (!d->buffer)
		return -ENOMEM;
	d->socket = mnl_socket_open(NETLINK_NETFILTER);
	if (!d->socket || mnl_socket_bind(d->socket, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	return 0;
}

void dump_release(struct dump *d)
{
	free(d->buffer);
	if (d->socket)
		mnl_socket_close(d->socket);
}

int dump_ask(struct dump *d, unsigned int type, const struct dump_set *set)
{
	char buffer[1024];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *head;

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
	return mnl_socket_sendto(d->socket, message, message->nlmsg_len) < 0 ? -errno : 0;
}

int dump_receive(struct dump *d, size_t *len)
{
	ssize_t n = mnl_socket_recvfrom(d->socket, d->buffer, DUMP_BUFFER);

	if (n < 0)
		return -errno;
	*len = (size_t)n;
	return n ? 0 : -EIO;
}

void dump_attrs(struct attrs *a, const struct nlmsghdr *message)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);

	attrs_parse(a, (struct attr){ (const uint8_t *)(head + 1),
				      mnl_nlmsg_get_payload_len(message) - sizeof(*head) });
}

struct sets {
	struct dump_set *set;
	size_t n;
};

static int note_set(struct sets *sets, const struct nlmsghdr *message)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	struct dump_set *set = ARRAY_ADD(sets->set, sets->n);
	struct attrs a;
	uint32_t flags;

	if (!set)
		return -ENOMEM;
	dump_attrs(&a, message);
	flags = attr_u32(&a, NFTA_SET_FLAGS, 0);
	set->family = head->nfgen_family;
	set->may_grow = !(flags & (NFT_SET_ANONYMOUS | NFT_SET_CONSTANT));
	strncpy(set->table, attr_text(&a, NFTA_SET_TABLE), sizeof(set->table) - 1);
	strncpy(set->set, attr_text(&a, NFTA_SET_NAME), sizeof(set->set) - 1);
	return 0;
}

/* Copies what is part of the answer; *more: whether more is to come. */
static int take(struct dump *d, size_t len, struct sets *sets, bool *more)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)d->buffer;
	const struct nlmsgerr *error;
	int rest = (int)len, err = 0;

	for (; mnl_nlmsg_ok(message, rest) && !err; message = mnl_nlmsg_next(message, &rest)) {
		*more = message->nlmsg_type != NLMSG_DONE && message->nlmsg_type != NLMSG_ERROR;
		if (message->nlmsg_type == NLMSG_ERROR) {
			error = mnl_nlmsg_get_payload(message);
			/* What a kernel does not know there is none of. */
			return error->error == -EOPNOTSUPP ? 0 : error->error;
		}
		if (!*more)
			return 0;
		if (NFNL_MSG_TYPE(message->nlmsg_type) == NFT_MSG_NEWSET)
			err = note_set(sets, message);
		if (!err)
			err = listing_put(d->fd, LISTING_NETLINK, message, message->nlmsg_len);
	}
	return err;
}

static int dump_type(struct dump *d, unsigned int type, struct sets *sets)
{
	int err = dump_ask(d, type, NULL);
	bool more = true;
	size_t len = 0;

	while (!err && more) {
		err = dump_receive(d, &len);
		if (!err)
			err = take(d, len, sets, &more);
	}
	return err;
}

static int dump_all(struct dump *d, struct sets *sets)
{
	static const unsigned int types[] = {
		NFT_MSG_GETTABLE, NFT_MSG_GETOBJ, NFT_MSG_GETFLOWTABLE,
		NFT_MSG_GETCHAIN, NFT_MSG_GETSET,
	};
	int err = 0;
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types) && !err; i++)
		err = dump_type(d, types[i], sets);
	for (i = 0; i < sets->n && !err; i++)
		err = dump_elements(d, &sets->set[i]);
	return err ? err : dump_type(d, NFT_MSG_GETRULE, sets);
}

int scratch_dump(int fd)
{
	struct sets sets = { 0 };
	struct dump d;
	int err = dump_init(&d, fd);

	if (!err)
		err = dump_all(&d, &sets);
	free(sets.set);
	dump_release(&d);
	return err;
}
