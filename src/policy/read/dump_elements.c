// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Elements of a set. The kernel tells them in pieces and finds its place again by counting, so a
 * hash that grows meanwhile may leave some out. What comes in one piece is whole; of more pieces
 * the same must come twice, unless libnftables was overheard saying what they are.
 */
#include <errno.h>
#include <limits.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <time.h>
#include <unistd.h>

#include "dump.h"
#include "listing.h"
#include "overhear.h"
#include "scratch.h"

#define TRIES    200
#define PAUSE_NS 5000000

struct answer {
	unsigned int pieces;
	uint64_t sum; /* of all bytes */
	bool whole;
};

/* The last piece of all has none. */
static struct attr elements_of(const struct nlmsghdr *message)
{
	struct attrs a;

	dump_attrs(&a, message);
	return a.at[NFTA_SET_ELEM_LIST_ELEMENTS];
}

static int take(struct dump *d, struct answer *answer, const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	struct attr elements;
	size_t i;

	answer->whole = message->nlmsg_type == NLMSG_DONE;
	if (message->nlmsg_type == NLMSG_ERROR)
		return error->error ? error->error : -EIO;
	if (answer->whole)
		return 0;
	elements = elements_of(message);
	if (!elements.len)
		return 0;
	answer->pieces++;
	/* FNV-1a */
	for (i = 0; i < elements.len; i++)
		answer->sum = (answer->sum ^ elements.data[i]) * 0x100000001b3u;
	return listing_put(d->fd, LISTING_NETLINK, message, message->nlmsg_len);
}

/* Receives up to so many pieces more. */
static int receive(struct dump *d, struct answer *answer, unsigned int most)
{
	const struct nlmsghdr *message;
	size_t len = 0;
	int err = 0, rest;

	while (!err && !answer->whole && answer->pieces < most) {
		err = dump_receive(d, &len);
		message = (const struct nlmsghdr *)d->buffer;
		rest = (int)len;
		for (; !err && !answer->whole && mnl_nlmsg_ok(message, rest);
		     message = mnl_nlmsg_next(message, &rest))
			err = take(d, answer, message);
	}
	return err;
}

static int take_back(struct dump *d, off_t start)
{
	return ftruncate(d->fd, start) || lseek(d->fd, start, SEEK_SET) < 0 ? -errno : 0;
}

static int ask(struct dump *d, const struct dump_set *set, struct answer *answer, unsigned int most)
{
	int err = dump_ask(d, NFT_MSG_GETSETELEM, set);

	*answer = (struct answer){ .sum = 0xcbf29ce484222325u };
	return err ? err : receive(d, answer, most);
}

/* Until the kernel says the same again. */
static int ask_twice(struct dump *d, const struct dump_set *set, off_t start)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	struct answer answer;
	uint64_t before = 0;
	unsigned int tries;
	int err;

	for (tries = 0; tries < TRIES; tries++) {
		err = take_back(d, start);
		if (!err)
			err = ask(d, set, &answer, UINT_MAX);
		if (err || answer.sum == before)
			return err;
		before = answer.sum;
		nanosleep(&pause, NULL);
	}
	return -EAGAIN;
}

/* What the kernel still tells on a socket ends with it. */
static int begin_anew(struct dump *d)
{
	int fd = d->fd;

	dump_release(d);
	return dump_init(d, fd);
}

int dump_elements(struct dump *d, const struct dump_set *set)
{
	const off_t start = lseek(d->fd, 0, SEEK_CUR);
	struct answer answer;
	bool known;
	int err = ask(d, set, &answer, 2);

	if (err || answer.whole)
		return err;
	err = take_back(d, start);
	if (!err)
		err = begin_anew(d);
	if (!err)
		err = overhear_put_elements(d->fd, set->family, set->table, set->set, &known);
	if (err || known)
		return err;
	return set->may_grow ? ask_twice(d, set, start) : ask(d, set, &answer, UINT_MAX);
}
