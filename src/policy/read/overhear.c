// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "overhear.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "array.h"
#include "dump.h"
#include "listing.h"
#include "scratch.h"

struct heard {
	struct nlmsghdr *message;
	bool is_void; /* something was deleted later, perhaps this */
};

static struct {
	bool on;
	bool failed; /* no memory: nothing of it is complete */
	struct heard *heard;
	size_t n;
} all;

static bool is_kept(unsigned int type)
{
	return type == NFT_MSG_NEWSETELEM || type == NFT_MSG_NEWCHAIN;
}

/* What only adds. Of all else it is not known here what becomes of elements and chains. */
static bool is_harmless(unsigned int type)
{
	return type == NFT_MSG_NEWTABLE || type == NFT_MSG_NEWRULE || type == NFT_MSG_NEWSET ||
	       type == NFT_MSG_NEWOBJ || type == NFT_MSG_NEWFLOWTABLE || type == NFT_MSG_GETGEN;
}

static void keep(const struct nlmsghdr *message)
{
	struct heard *heard = ARRAY_ADD(all.heard, all.n);

	if (!heard) {
		all.failed = true;
		return;
	}
	heard->message = malloc(message->nlmsg_len);
	if (heard->message)
		memcpy(heard->message, message, message->nlmsg_len);
	else
		all.failed = true;
}

static void hear(const struct nlmsghdr *message)
{
	unsigned int type = NFNL_MSG_TYPE(message->nlmsg_type);
	size_t i;

	if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
		return;
	if (is_kept(type))
		keep(message);
	else if (!is_harmless(type))
		for (i = 0; i < all.n; i++)
			all.heard[i].is_void = true;
}

/* Older libnftables asks for the room that it needs only in a way that takes privilege. */
static void make_room(int fd, const struct msghdr *msg)
{
	socklen_t len = sizeof(int);
	size_t i, bytes = 0;
	int room, wanted;

	for (i = 0; i < msg->msg_iovlen; i++)
		bytes += msg->msg_iov[i].iov_len;
	wanted = bytes < INT_MAX ? (int)bytes : INT_MAX;
	if (!getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &len) && room < wanted)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
}

/* In place of the C library's; see the head of overhear.h. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct nlmsghdr *nlh;
	size_t i;
	int rest;

	for (i = 0; all.on && i < message->msg_iovlen; i++) {
		nlh = message->msg_iov[i].iov_base;
		rest = (int)message->msg_iov[i].iov_len;
		for (; mnl_nlmsg_ok(nlh, rest); nlh = mnl_nlmsg_next(nlh, &rest))
			hear(nlh);
	}
	if (all.on)
		make_room(fd, message);
	return syscall(SYS_sendmsg, fd, message, flags);
}

void overhear_start(void)
{
	all.on = true;
}

static bool is_of(const struct nlmsghdr *message, uint8_t family, const char *table,
		  const char *set)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	struct attrs a;

	if (NFNL_MSG_TYPE(message->nlmsg_type) != NFT_MSG_NEWSETELEM ||
	    head->nfgen_family != family)
		return false;
	dump_attrs(&a, message);
	return !strcmp(attr_text(&a, NFTA_SET_ELEM_LIST_TABLE), table) &&
	       !strcmp(attr_text(&a, NFTA_SET_ELEM_LIST_SET), set);
}

static int put(int fd, const struct nlmsghdr *message)
{
	return listing_put(fd, LISTING_NETLINK, message, message->nlmsg_len);
}

int overhear_put_elements(int fd, uint8_t family, const char *table, const char *set, bool *known)
{
	size_t i, first = all.n;
	int err = 0;

	*known = false;
	if (all.failed)
		return 0;
	for (i = all.n; i-- > 0;) {
		if (!is_of(all.heard[i].message, family, table, set))
			continue;
		if (all.heard[i].is_void)
			return 0;
		first = i;
	}
	for (i = first; i < all.n && !err; i++)
		if (is_of(all.heard[i].message, family, table, set))
			err = put(fd, all.heard[i].message);
	*known = first < all.n;
	return err;
}

int overhear_put_chains(int fd)
{
	int err = 0;
	size_t i;

	for (i = 0; i < all.n && !err && !all.failed; i++)
		if (!all.heard[i].is_void &&
		    NFNL_MSG_TYPE(all.heard[i].message->nlmsg_type) == NFT_MSG_NEWCHAIN)
			err = listing_put(fd, LISTING_ORDER, all.heard[i].message,
					  all.heard[i].message->nlmsg_len);
	return err;
}
