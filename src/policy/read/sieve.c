// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "sieve.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dump.h"

static struct {
	const struct scratch_rules *loaded; /* NULL: off */
	const bool *blank;
	size_t rule, set; /* where a search begins: they come in order */
} sieve;

/* An attribute that libnftables does not look at. */
static void blank_rule(struct nlmsghdr *message)
{
	struct nlattr *a = mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg));
	char *end = mnl_nlmsg_get_payload_tail(message);

	for (; mnl_attr_ok(a, (int)(end - (char *)a)); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == NFTA_RULE_EXPRESSIONS ||
		    mnl_attr_get_type(a) == NFTA_RULE_USERDATA)
			a->nla_type = NFTA_RULE_PAD;
}

/* Which rule it is; loaded->n: none of them. */
static size_t rule_of(const struct nlmsghdr *message)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	const struct scratch_rules *l = sieve.loaded;
	const struct scratch_rule *rule;
	struct attrs a;
	size_t i;

	dump_attrs(&a, message);
	for (i = 0; i < l->n; i++) {
		rule = &l->rules[(sieve.rule + i) % l->n];
		if (rule->handle != attr_u64(&a, NFTA_RULE_HANDLE) ||
		    rule->family != head->nfgen_family ||
		    strcmp(rule->table, attr_text(&a, NFTA_RULE_TABLE)))
			continue;
		sieve.rule = (sieve.rule + i) % l->n;
		return sieve.rule;
	}
	return l->n;
}

static void on_rule(struct nlmsghdr *message)
{
	size_t rule = rule_of(message);

	if (rule < sieve.loaded->n && sieve.blank[rule])
		blank_rule(message);
}

static bool is_of(const struct scratch_set *set, uint8_t family, const char *table,
		  const char *name)
{
	const struct scratch_rule *rule = &sieve.loaded->rules[set->rule];

	return rule->family == family && !strcmp(set->name, name) && !strcmp(rule->table, table);
}

/* Whether all rules that look the set up are blank. */
static bool is_unseen(uint8_t family, const char *table, const char *name)
{
	const struct scratch_rules *l = sieve.loaded;
	bool found = false;
	size_t i;

	/* A set with a name, of which libnftables may be asked for in some other way. */
	if (strncmp(name, "__set", 5) && strncmp(name, "__map", 5))
		return false;
	for (i = 0; i < l->n_sets && !found; i++) {
		found = is_of(&l->sets[sieve.set], family, table, name);
		if (!found)
			sieve.set = (sieve.set + 1) % l->n_sets;
	}
	return found && sieve.blank[l->sets[sieve.set].rule];
}

static void on_elements(struct nlmsghdr *message)
{
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(message);
	struct attrs a;

	dump_attrs(&a, message);
	if (is_unseen(head->nfgen_family, attr_text(&a, NFTA_SET_ELEM_LIST_TABLE),
		      attr_text(&a, NFTA_SET_ELEM_LIST_SET)))
		message->nlmsg_type = NLMSG_NOOP;
}

/* In place of the C library's. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t n = syscall(SYS_recvmsg, fd, message, flags);
	struct nlmsghdr *nlh;
	int rest = (int)n;

	if (!sieve.loaded || n <= 0 || !message->msg_iovlen ||
	    (size_t)n > message->msg_iov->iov_len)
		return n;
	nlh = message->msg_iov->iov_base;
	for (; mnl_nlmsg_ok(nlh, rest); nlh = mnl_nlmsg_next(nlh, &rest)) {
		if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
			continue;
		if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWRULE)
			on_rule(nlh);
		else if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWSETELEM)
			on_elements(nlh);
	}
	return n;
}

void sieve_start(const struct scratch_rules *loaded, const bool *blank)
{
	sieve.loaded = loaded;
	sieve.blank = blank;
}
