// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Holds: links that are there for their flag. Their program accepts everything, and they stand
 * last at the input hook, where a router sees least. A kernel without such links gets a rule of
 * nftables in their place.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "about.h"
#include "cleanup.h"
#include "describe.h"
#include "hold_rule.h"
#include "link.h"
#include "links.h"
#include "log.h"
#include "loopback.h"
#include "names.h"
#include "netns.h"
#include "opts.h"
#include "places.h"
#include "probe.h"
#include "store.h"

/* Priorities tried from the last one on: two BPF links can't share one. */
#define HOLD_TRIES 256

/* Where connection tracking stands at prerouting and output. */
#define CONNTRACK_PRIORITY (-200)

/* With the namespace in front it has to be a name still. */
#define HOLDER_MAX 40

struct unfrag_hold {
	struct store store; /* with a holder */
	struct links links; /* without */
	int table_fd;       /* without, by a rule: what its table goes with */
	char id[128];
};

#define HOLD_INIT \
	{ \
		.store = STORE_INIT, .links = { { [0 ... LINKS_MAX - 1] = -1 } }, .table_fd = -1 \
	}

static void hold_clear(struct unfrag_hold *h)
{
	if (h->store.fd >= 0)
		store_destroy(&h->store);
	links_detach(&h->links);
	close_p(&h->table_fd);
	store_release(&h->store);
}

/* -EOPNOTSUPP is not logged: there is another way. */
static int make_links(struct links *out, struct about *a, int netns_fd)
{
	_cleanup_close_ int prog_fd = link_load_pass();
	const struct links_plan plan = { a, PLACES_BOTH, &prog_fd, netns_fd };
	char why[LINKS_WHY_MAX];
	int i, r = prog_fd;

	if (prog_fd == -EINVAL)
		return -EOPNOTSUPP;
	if (prog_fd < 0)
		return log_error(r, "a program can't be loaded: %s", strerror(-r));
	for (i = 0; i < HOLD_TRIES; i++) {
		a->priority = INT_MAX - 1 - i;
		r = links_make(out, &plan, why);
		if (r != -EBUSY)
			break;
	}
	return r && r != -EOPNOTSUPP ? log_error(r, "%s", why) : r;
}

/* The description comes last: a hold is whole once it has one. */
static int pin_hold(struct unfrag_hold *h, struct about *a)
{
	int r = links_pin(&h->links, &h->store, a);
	int fd;

	if (r)
		return r;
	a->state = ABOUT_READY;
	fd = about_pin(&h->store, ABOUT_NAME, a, sizeof(*a));
	if (fd < 0)
		return fd;
	close(fd);
	store_unlock(&h->store);
	links_close(&h->links);
	return 0;
}

static int hold_by_links(struct unfrag_hold *h, struct about *a, int netns_fd)
{
	int r;

	a->hooks = 1u << UNFRAG_HOOK_INPUT;
	r = make_links(&h->links, a, netns_fd);
	return r || h->store.fd < 0 ? r : pin_hold(h, a);
}

static int make_owned_rule(struct unfrag_hold *h, const struct about *a, int netns_fd)
{
	char table[RULE_TABLE_MAX], unique[16];
	uint32_t n;

	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		return -errno;
	snprintf(unique, sizeof(unique), "%08x", n);
	rule_table(table, sizeof(table), unique);
	h->table_fd = rule_make_owned(netns_fd, table, a->families);
	return h->table_fd < 0 ? h->table_fd : 0;
}

/* The description comes first: whatever happens next, it tells which table is to be removed. */
static int hold_by_rule(struct unfrag_hold *h, struct about *a, int netns_fd)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (rule_sticks() == 1)
		log_at(UNFRAG_LOG_WARNING,
		       "this kernel can't switch defragmentation off again (needs 5.13): it will "
		       "stay on in that network namespace for good");
	if (h->store.fd < 0)
		return make_owned_rule(h, a, netns_fd);
	a->hooks = 0;
	a->priority = 0;
	a->state = ABOUT_STARTING;
	rule_table(a->table, sizeof(a->table), strchr(h->id, '-') + 1);
	fd = about_pin(&h->store, ABOUT_NAME, a, sizeof(*a));
	if (fd < 0)
		return fd;
	r = rule_make(netns_fd, a->table, a->families);
	if (r)
		return r;
	a->state = ABOUT_READY;
	r = about_write(fd, a);
	if (r) {
		rule_remove(netns_fd, a->table);
		return log_error(r, "a map can't be written: %s", strerror(-r));
	}
	store_unlock(&h->store);
	return 0;
}

static int claim(struct unfrag_hold *h, const char *holder, const struct netns_id *id)
{
	int r;

	if (!name_valid(holder) || strlen(holder) > HOLDER_MAX)
		return log_error(-EINVAL,
				 "holder '%s' is not valid; use 1 to %d letters, digits, "
				 "'-' and '_', first a letter or digit",
				 holder, HOLDER_MAX);
	snprintf(h->id, sizeof(h->id), "%llu-%s", (unsigned long long)id->inode, holder);
	r = store_create(&h->store, STORE_HOLDS, h->id);
	if (r == -EEXIST)
		log_at(UNFRAG_LOG_DEBUG, "'%s' holds defragmentation there already", holder);
	return r;
}

/* What is made is pinned, or a table that stays, if somebody is to hold it beyond this process. */
static int hold(struct unfrag_hold *h, const struct unfrag_hold_opts *o, int netns_fd)
{
	struct netns_id id;
	struct about a;
	int r = netns_id(netns_fd, &id);

	if (r)
		return r;
	about_init(&a, &id);
	a.families = o->families ? o->families : UNFRAG_FAMILIES_BOTH;
	if (o->holder)
		r = claim(h, o->holder, &id);
	if (r)
		return r;
	netns_fd = o->netns ? netns_fd : NETNS_HERE;
	r = hold_by_links(h, &a, netns_fd);
	return r == -EOPNOTSUPP ? hold_by_rule(h, &a, netns_fd) : r;
}

int unfrag_defrag_hold(struct unfrag_hold **out, const struct unfrag_hold_opts *opts)
{
	_cleanup_(hold_clear) struct unfrag_hold h = HOLD_INIT;
	_cleanup_close_ int netns_fd = -1;
	struct unfrag_hold_opts o;
	struct unfrag_hold *copy;
	int r;

	if (opts_get(&o, sizeof(o), opts) || o.families & ~UNFRAG_FAMILIES_BOTH)
		return log_error(-EINVAL, "an option is set that this version does not know");
	r = probe_require_process();
	if (r)
		return r;
	netns_fd = netns_open(o.netns);
	r = netns_fd < 0 ? netns_fd : hold(&h, &o, netns_fd);
	if (r)
		return r;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = h;
	h = (struct unfrag_hold)HOLD_INIT;
	*out = copy;
	return 0;
}

int unfrag_hold_open(struct unfrag_hold **out, const char *id)
{
	struct unfrag_hold *h;
	int r;

	if (!id || !name_valid(id))
		return log_error(-EINVAL, "'%s' is no id of a hold", id ? id : "");
	h = malloc(sizeof(*h));
	if (!h)
		return -ENOMEM;
	*h = (struct unfrag_hold)HOLD_INIT;
	snprintf(h->id, sizeof(h->id), "%s", id);
	r = store_open(&h->store, STORE_HOLDS, id);
	if (r) {
		free(h);
		return log_error(r, "there is no hold '%s'", id);
	}
	*out = h;
	return 0;
}

/* The table of a hold by a rule, if it is one and its namespace is still there. */
static int remove_rule(const struct unfrag_hold *hold)
{
	struct description d = { .known = true };
	_cleanup_close_ int netns_fd = -1;
	int r = about_read(&hold->store, ABOUT_NAME, &d.about, sizeof(d.about));

	d.about.table[sizeof(d.about.table) - 1] = '\0';
	if (r || !d.about.table[0])
		return 0;
	netns_fd = description_netns(&d);
	if (d.state == UNFRAG_STATE_ORPHANED)
		return 0;
	if (netns_fd == LINKS_NETNS_UNKNOWN)
		return log_error(-EAGAIN, "the network namespace of hold '%s' can't be entered",
				 hold->id);
	r = rule_remove(netns_fd, d.about.table);
	if (!r && rule_sticks() == 1)
		log_at(UNFRAG_LOG_WARNING,
		       "this kernel can't switch defragmentation off (needs 5.13): it stays on in "
		       "that network namespace until that ends, or until nf_defrag_ipv4 and "
		       "nf_defrag_ipv6 are unloaded");
	return r;
}

static int release_store(struct unfrag_hold *hold)
{
	int r = store_lock(&hold->store);

	if (r == -ENOENT)
		return 0;
	if (r)
		return log_error(r, "another process is changing this hold; try again");
	r = remove_rule(hold);
	if (!r)
		r = store_destroy(&hold->store);
	if (r)
		store_unlock(&hold->store);
	return r;
}

int unfrag_defrag_release(struct unfrag_hold *hold)
{
	int r = hold && hold->store.fd >= 0 ? release_store(hold) : 0;

	if (!r)
		unfrag_hold_free(hold);
	return r;
}

void unfrag_hold_free(struct unfrag_hold *hold)
{
	if (!hold)
		return;
	links_detach(&hold->links);
	close_p(&hold->table_fd);
	store_release(&hold->store);
	free(hold);
}

int unfrag_hold_info(struct unfrag_hold *hold, struct unfrag_hold_info *info)
{
	struct unfrag_hold_info i = { .sz = sizeof(i) };
	const char *dash = strchr(hold->id, '-');
	struct description d;
	int r;

	if (hold->store.fd < 0)
		return -EINVAL;
	r = describe(&d, &hold->store, true);
	if (r)
		return log_error(r, "hold '%s' can't be looked at: %s", hold->id, strerror(-r));
	description_finish(&d, &hold->store);
	i.state = d.state;
	memcpy(i.problem, d.problem, sizeof(i.problem));
	snprintf(i.holder, sizeof(i.holder), "%s", dash ? dash + 1 : "");
	i.families = d.about.families;
	/* Its id tells, too, where it is not described. */
	i.netns_inode = d.known ? d.about.netns_inode : strtoull(hold->id, NULL, 10);
	memcpy(i.netns, d.netns, sizeof(i.netns));
	i.since = d.about.since;
	memcpy(i.table, d.about.table, sizeof(i.table));
	return opts_put(info, &i, sizeof(i));
}

int unfrag_hold_each(int (*fn)(const char *id, void *arg), void *arg)
{
	int r = store_each(STORE_HOLDS, fn, arg);

	if (r == -EACCES || r == -EPERM)
		return log_error(r, "holds can't be listed: %s (run as root)", strerror(-r));
	return r;
}

/* 1 when a hook stands at that priority there, 0 when not, or a negative errno. */
static int is_taken(int netns_fd, uint32_t pf, enum unfrag_hook hook, int32_t priority)
{
	struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = pf,
		.hook = hook,
		.priority = priority,
	};
	int r = probe_link_in(netns_fd, &opts);

	return r == -EBUSY ? 1 : r;
}

/* Of what stands at prerouting and output. */
static int are_taken(int netns_fd, uint32_t pf, int32_t priority)
{
	int r = is_taken(netns_fd, pf, UNFRAG_HOOK_PREROUTING, priority);

	return r == 1 ? is_taken(netns_fd, pf, UNFRAG_HOOK_OUTPUT, priority) : r;
}

static int ask_loopback(void *arg)
{
	return loopback_defrags(*(const unsigned int *)arg);
}

int unfrag_defrag_status(const char *netns, uint32_t family)
{
	_cleanup_close_ int fd = -1;
	int f = family_index(family), at, r;
	unsigned int index = (unsigned int)f;

	if (f < 0)
		return -EINVAL;
	r = probe_require_process();
	if (r)
		return r;
	fd = netns_open(netns);
	if (fd < 0)
		return fd;
	at = netns ? fd : NETNS_HERE;
	if (!probe_programs())
		return netns_call(at, ask_loopback, &index);
	return are_taken(at, family_pf(index), UNFRAG_PRIORITY_DEFRAG);
}

int unfrag_conntrack_status(const char *netns, uint32_t family)
{
	_cleanup_close_ int fd = -1;
	int f = family_index(family), r;

	if (f < 0)
		return -EINVAL;
	r = probe_require_process();
	if (r)
		return r;
	if (!probe_programs())
		return -EOPNOTSUPP;
	fd = netns_open(netns);
	if (fd < 0)
		return fd;
	return are_taken(netns ? fd : NETNS_HERE, family_pf((unsigned int)f), CONNTRACK_PRIORITY);
}
