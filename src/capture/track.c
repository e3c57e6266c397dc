// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A record is open while the engine has fragments of it, by the engine's slot, and closed after
 * that. Closed ones are told in the order of their ends, when nothing more can come to them. All
 * are found by key in a balanced tree, whose depth no sender of packets can choose.
 */
#define _GNU_SOURCE
#include "track.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define CLOSED_MAX   16384u
#define LINGER       UINT64_C(60000000000) /* ns that an identification counts as in use */
#define NO_DATAGRAM  UINT64_MAX
#define TCP_TO_FLAGS 16u
#define NOT_IN_SLOT  UINT32_MAX

struct node {
	struct record r; /* first: the tree compares its key */
	struct node *prev, *next;
	uint64_t closed;
	uint32_t slot;
	uint32_t last_off;           /* of the latest fragment */
	uint32_t top_off, top_end;   /* of the one that ends last */
	bool indexed, proto_is_sure; /* in the tree; from a first fragment */
};

_Static_assert(sizeof(struct datagram_key) == 96, "no padding, which memcmp(3) would see");

struct track {
	struct node *all, **slots;
	struct node *free; /* used before; those from n_used on never were */
	uint32_t n_used;
	struct node closed; /* head of a ring, oldest behind it */
	uint32_t n_closed, n_slots;
	void *tree;
	track_tell_fn *tell;
	void *arg;
};

static int compare(const void *a, const void *b)
{
	return memcmp(&((const struct node *)a)->r.key, &((const struct node *)b)->r.key,
		      sizeof(struct datagram_key));
}

int track_new(struct track **out, uint32_t open, track_tell_fn *tell, void *arg)
{
	struct track *t = calloc(1, sizeof(*t));
	uint32_t n = open + CLOSED_MAX + 1;

	if (!t)
		return -ENOMEM;
	t->all = calloc(n, sizeof(*t->all));
	t->slots = calloc(open, sizeof(struct node *));
	if (!t->all || !t->slots) {
		track_free(t);
		return -ENOMEM;
	}
	t->closed.prev = t->closed.next = &t->closed;
	t->n_slots = open;
	t->tell = tell;
	t->arg = arg;
	*out = t;
	return 0;
}

static void forget(void *node)
{
	(void)node;
}

void track_free(struct track *t)
{
	if (!t)
		return;
	tdestroy(t->tree, forget);
	free(t->all);
	free(t->slots);
	free(t);
}

static void unindex(struct track *t, struct node *n)
{
	if (n->indexed)
		tdelete(n, &t->tree, compare);
	n->indexed = false;
}

static void close_node(struct track *t, struct node *n, uint64_t now)
{
	if (n->slot != NOT_IN_SLOT)
		t->slots[n->slot] = NULL;
	n->slot = NOT_IN_SLOT;
	n->closed = now;
	n->prev = t->closed.prev;
	n->next = &t->closed;
	n->prev->next = n->next->prev = n;
	t->n_closed++;
}

static void reopen_node(struct track *t, struct node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	t->n_closed--;
}

static void tell_oldest(struct track *t)
{
	struct node *n = t->closed.next;

	reopen_node(t, n);
	unindex(t, n);
	t->tell(&n->r, t->arg);
	n->next = t->free;
	t->free = n;
}

static void tell_old(struct track *t, uint64_t now)
{
	while (t->n_closed &&
	       (t->n_closed >= CLOSED_MAX ||
		(now > t->closed.next->closed && now - t->closed.next->closed > LINGER)))
		tell_oldest(t);
}

/* There is one: no more than the engine's slots are open, and no more than CLOSED_MAX closed. */
static struct node *node_new(struct track *t, const struct datagram_key *key, uint64_t now)
{
	struct node *n = t->free;

	if (n)
		t->free = n->next;
	else
		n = &t->all[t->n_used++];
	memset(n, 0, sizeof(*n));
	n->r.key = *key;
	n->r.first = n->r.last = now;
	n->r.datagram = NO_DATAGRAM;
	n->slot = NOT_IN_SLOT;
	n->indexed = tsearch(n, &t->tree, compare) != NULL;
	close_node(t, n, now);
	return n;
}

void key_of_packet(struct datagram_key *key, const struct place *place,
		   const struct unfrag_facts *f, const uint8_t *ip)
{
	bool is_ipv4 = f->family == UNFRAG_IPV4;
	size_t size = is_ipv4 ? 4 : 16;

	memset(key, 0, sizeof(*key));
	key->scope = place->scope;
	memcpy(key->vlans, place->vlans, sizeof(key->vlans));
	memcpy(key->tunnels, place->tunnels, sizeof(key->tunnels));
	memcpy(key->tunnel_ids, place->tunnel_ids, sizeof(key->tunnel_ids));
	key->id = f->id;
	key->family = f->family;
	key->proto = is_ipv4 ? f->proto : 0;
	memcpy(key->src, ip + (is_ipv4 ? 12 : 8), size);
	memcpy(key->dst, ip + (is_ipv4 ? 16 : 24), size);
}

static bool is_within_datagram(const struct unfrag_reasm_result *res)
{
	return res->outcome == UNFRAG_REASM_HELD || res->outcome == UNFRAG_REASM_COMPLETE ||
	       res->outcome == UNFRAG_REASM_DUPLICATE;
}

/* The engine has another datagram by this key now than the one that the record is of. */
static bool is_another(const struct node *n, const struct unfrag_reasm_result *res)
{
	return is_within_datagram(res) && n->r.datagram != NO_DATAGRAM &&
	       n->r.datagram != res->datagram;
}

static struct node *node_for(struct track *t, const struct datagram_key *key,
			     const struct track_fragment *f)
{
	struct node wanted = { .r.key = *key };
	struct node **found = tfind(&wanted, &t->tree, compare), *n = found ? *found : NULL;

	if (!n)
		return node_new(t, key, f->time);
	if (!is_another(n, f->res))
		return n;
	unindex(t, n);
	n = node_new(t, key, f->time);
	n->r.findings |= 1u << FINDING_REUSE;
	return n;
}

static void note_order(struct node *n, const struct unfrag_facts *f)
{
	if (n->r.fragments == 2)
		n->r.order = f->frag_off < n->last_off ? ORDER_DESCENDING : ORDER_ASCENDING;
	else if (n->r.fragments > 2 && f->frag_off != n->last_off &&
		 n->r.order != (f->frag_off < n->last_off ? ORDER_DESCENDING : ORDER_ASCENDING))
		n->r.order = ORDER_MIXED;
	n->last_off = f->frag_off;
}

static bool is_tiny(const struct unfrag_facts *f)
{
	if (f->proto != UNFRAG_PROTO_TCP)
		return false;
	return f->frag_off ? f->frag_off == 8 : f->len - f->l4_off < TCP_TO_FLAGS;
}

static uint32_t findings_of(const struct node *n, const struct unfrag_facts *f,
			    const struct unfrag_reasm_result *res)
{
	uint32_t end = f->frag_off + f->len - f->payload_off, found = 0;

	if (is_tiny(f))
		found |= 1u << FINDING_TINY;
	if (f->defect == UNFRAG_DEFECT_CHAIN || res->reason == UNFRAG_REASON_CHAIN)
		found |= 1u << FINDING_CHAIN;
	if (f->defect == UNFRAG_DEFECT_OVERSIZE || res->reason == UNFRAG_REASON_OVERSIZE)
		found |= 1u << FINDING_OVERSIZE;
	if (res->outcome == UNFRAG_REASM_DUPLICATE)
		found |= 1u << FINDING_DUPLICATE;
	if (res->reason == UNFRAG_REASON_OVERLAP || res->overlaps)
		found |= 1u << FINDING_OVERLAP;
	if (n->r.fragments > 1 && f->frag_off > n->top_off && end < n->top_end)
		found |= 1u << FINDING_OVERLAP | 1u << FINDING_TEARDROP;
	return found;
}

static void note_sizes(struct node *n, const struct unfrag_facts *f)
{
	uint32_t end = f->frag_off + f->len - f->payload_off;

	if (f->len > n->r.largest)
		n->r.largest = f->len;
	if (!n->r.smallest || f->len < n->r.smallest)
		n->r.smallest = f->len;
	if (end > n->top_end) {
		n->top_off = f->frag_off;
		n->top_end = end;
	}
	if (!n->proto_is_sure)
		n->r.proto = f->proto;
	n->proto_is_sure |= !f->frag_off;
}

static void note_outcome(struct track *t, struct node *n, const struct track_fragment *f)
{
	const struct unfrag_reasm_result *res = f->res;

	n->r.duplicates += res->outcome == UNFRAG_REASM_DUPLICATE;
	if (!is_within_datagram(res)) {
		if (!n->r.len && !n->r.reason && n->slot == NOT_IN_SLOT)
			n->r.reason = res->reason;
		return;
	}
	n->r.datagram = res->datagram;
	if (res->outcome == UNFRAG_REASM_COMPLETE) {
		n->r.len = res->len;
		n->r.reason = UNFRAG_REASON_NONE;
		if (n->slot != NOT_IN_SLOT)
			close_node(t, n, f->time);
	} else if (n->slot == NOT_IN_SLOT) {
		reopen_node(t, n);
		n->r.reason = UNFRAG_REASON_NONE;
		n->slot = res->slot;
		t->slots[n->slot] = n;
	}
}

struct record *track_add(struct track *t, const struct track_fragment *f)
{
	struct datagram_key key;
	struct unfrag_facts facts;
	struct node *n;

	if (unfrag_facts_read(&facts, f->ip, f->size))
		return NULL;
	tell_old(t, f->time);
	key_of_packet(&key, f->place, &facts, f->ip);
	n = node_for(t, &key, f);
	n->r.fragments++;
	if (f->time > n->r.last)
		n->r.last = f->time;
	note_order(n, &facts);
	n->r.findings |= findings_of(n, &facts, f->res);
	note_sizes(n, &facts);
	note_outcome(t, n, f);
	return &n->r;
}

void track_end(struct track *t, uint32_t slot, enum unfrag_reason reason)
{
	struct node *n = t->slots[slot];

	if (!n)
		return;
	n->r.reason = (uint8_t)reason;
	if (reason == UNFRAG_REASON_STALE)
		n->r.findings |= 1u << FINDING_STALE;
	if (reason == UNFRAG_REASON_OVERLAP)
		n->r.findings |= 1u << FINDING_OVERLAP;
	close_node(t, n, n->r.last);
}

void track_finish(struct track *t)
{
	uint32_t i;

	for (i = 0; i < t->n_slots; i++)
		if (t->slots[i])
			track_end(t, i, UNFRAG_REASON_FLUSHED);
	while (t->n_closed)
		tell_oldest(t);
}

static const char *const finding_names[] = {
#define X(id, name, text) name,
	FINDINGS(X)
#undef X
};

static const char *const finding_texts[] = {
#define X(id, name, text) text,
	FINDINGS(X)
#undef X
};

const char *finding_name(uint32_t finding)
{
	return finding < FINDING_MAX ? finding_names[finding] : NULL;
}

const char *finding_text(uint32_t finding)
{
	return finding < FINDING_MAX ? finding_texts[finding] : NULL;
}

const char *order_name(uint32_t order)
{
	static const char *const names[] = { "ascending", "descending", "mixed" };

	_Static_assert(sizeof(names) / sizeof(names[0]) == ORDER_MAX, "");
	return order < ORDER_MAX ? names[order] : NULL;
}
