// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Packets in: one, or many at once in passes. The first asks for the headers, the next reads them
 * and asks for the buckets, then for the records, and the last judges; so the waits for memory
 * overlap. What the passes foresee may be wrong by the time of the last; it relies on none of it.
 */
#include "judge.h"
#include "table.h"

#define GROUP 16u

static void read_key(struct arrival *a, struct arrival *before)
{
	const struct unfrag_reasm_packet *packet = a->packet;

	if (before && before->head && before->facts.id == a->facts.id &&
	    before->facts.family == a->facts.family &&
	    key_is(&before->head->key, &a->facts, packet->data, packet->scope)) {
		a->head = before->head;
		return;
	}
	key_of(&a->key, &a->facts, packet->data, packet->scope);
	a->head = a;
	a->hash = 0;
}

/* before: the one before it in a batch, or NULL. */
static void read_arrival(struct arrival *a, const struct unfrag_reasm_packet *packet,
			 struct arrival *before)
{
	a->packet = packet;
	a->head = NULL;
	a->foreseen = NULL;
	a->readable = !unfrag_facts_read(&a->facts, packet->data, packet->size);
	if (!a->readable || !unfrag_facts_is_fragment(&a->facts))
		return;
	a->ecn = (uint8_t)(1u << header_ecn(&a->facts, packet->data));
	a->from = a->facts.frag_off;
	a->to = a->from + a->facts.len - a->facts.payload_off;
	a->payload = (const uint8_t *)packet->data + a->facts.payload_off;
	read_key(a, before);
}

static void judge_whole(const struct arrival *a, struct unfrag_reasm_result *res)
{
	if (a->facts.frag == UNFRAG_FRAG_NONE) {
		res->outcome = UNFRAG_REASM_NOT_FRAGMENT;
		return;
	}
	if (fragment_brings_discovery(a)) {
		res->outcome = UNFRAG_REASM_DROPPED;
		res->reason = UNFRAG_REASON_DISCOVERY;
		return;
	}
	res->outcome = UNFRAG_REASM_ATOMIC;
	res->fragments = 1;
	res->largest = a->facts.len;
	res->smallest = a->facts.len;
	res->len = a->facts.len - 8;
	res->header = a->facts.frag_hdr;
	res->packet = a->packet->data;
}

static void judge(struct unfrag_reasm *r, const struct arrival *a, struct unfrag_reasm_result *res)
{
	say_begin(res, a->readable ? a->facts.family : 0);
	if (!a->readable) {
		say(res, UNFRAG_REASM_DROPPED, UNFRAG_REASON_UNREADABLE);
	} else {
		if (unfrag_facts_is_fragment(&a->facts))
			fragment_judge(r, a, res);
		else
			judge_whole(a, res);
	}
	r->stats.packets++;
	r->stats.outcomes[res->outcome]++;
	if (res->outcome == UNFRAG_REASM_DROPPED)
		r->stats.reasons[res->reason]++;
}

/* The same of several at once, if that can be: how many, or 0. */
static size_t judge_run(struct unfrag_reasm *r, const struct arrival *a, size_t n,
			struct unfrag_reasm_result *res)
{
	if (n < 2 || a[0].head != &a[0] || a[1].head != &a[0])
		return 0;
	n = run_judge(r, a, n, res);
	r->stats.packets += n;
	if (n) {
		r->stats.outcomes[UNFRAG_REASM_HELD] += n - 1;
		r->stats.outcomes[UNFRAG_REASM_COMPLETE]++;
	}
	return n;
}

void unfrag_reasm_push(struct unfrag_reasm *r, const struct unfrag_reasm_packet *packet,
		       uint64_t now, struct unfrag_reasm_result *res)
{
	struct arrival a;

	datagrams_recycle(r);
	time_set(r, now);
	time_expire(r, EXPIRE_CALL);
	read_arrival(&a, packet, NULL);
	if (a.head)
		arrival_hash_alone(r, &a);
	judge(r, &a, res);
}

static void fetch_headers(const struct unfrag_reasm_packet *packets, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		__builtin_prefetch(packets[i].data);
}

/*
 * Whether a datagram is to be looked for; next: the arrival behind its head, or NULL. Where a train
 * begins, a glance may show that there is none yet.
 */
static bool is_wanted(struct unfrag_reasm *r, const struct arrival *a, const struct arrival *next)
{
	if (a->head != a)
		return false;
	return !next || next->head != a || !table_lacks(r, a);
}

static void fetch_bucket(struct unfrag_reasm *r, struct arrival *head)
{
	uint64_t hash = arrival_hash(r, head);

	__builtin_prefetch(&r->buckets[hash & r->mask]);
	lost_fetch(&r->losses, (uint32_t)hash);
}

/*
 * Reads them, and asks for the buckets of all datagrams that are to be looked for, whose heads
 * these are, as soon as the packet behind is read: its headers may take long to come. Returns how
 * many. Flattened, as compilers do not see by themselves that all is done for every packet.
 */
__attribute__((flatten)) static size_t read_group(struct unfrag_reasm *r, struct arrival *a,
						  struct arrival **heads,
						  const struct unfrag_reasm_packet *packets,
						  size_t n)
{
	size_t n_heads = 0, i;

	for (i = 0; i <= n; i++) {
		if (i < n)
			read_arrival(&a[i], &packets[i], i ? &a[i - 1] : NULL);
		if (!i || !is_wanted(r, &a[i - 1], i < n ? &a[i] : NULL))
			continue;
		fetch_bucket(r, &a[i - 1]);
		heads[n_heads++] = &a[i - 1];
	}
	return n_heads;
}

static const struct datagram *first_in_bucket(const struct unfrag_reasm *r,
					      const struct arrival *head)
{
	return &r->datagrams[r->buckets[head->hash & r->mask]];
}

static void fetch_records(const struct unfrag_reasm *r, struct arrival *const *heads, size_t n)
{
	const struct datagram *d;
	size_t i;

	for (i = 0; i < n; i++) {
		d = first_in_bucket(r, heads[i]);
		__builtin_prefetch(&d->key);
		__builtin_prefetch(&d->end);
		__builtin_prefetch(&d->link);
		__builtin_prefetch(&d->header);
	}
}

/* Where packets are lent. The records are on their way by now. */
static void fetch_slips(const struct unfrag_reasm *r, struct arrival *a, size_t n)
{
	const struct datagram *d;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!a[i].head || !a[i].head->hash)
			continue;
		d = first_in_bucket(r, a[i].head);
		if (!d->root)
			continue;
		a[i].foreseen = d;
		a[i].leaf = slips_foresee(&r->cells, d, a[i].from);
		a[i].releases = r->cells.releases;
	}
}

/* Whether there are cells enough, though those of the batch's whole datagrams are not free. */
static bool may_go_on(const struct unfrag_reasm *r, const struct unfrag_reasm_packet *packet)
{
	if (r->borrow)
		return r->cells.n_free > SLIP_NEEDS ||
		       (!r->complete.first && r->cells.n_back == r->n_back_before);
	return !r->complete.first || r->cells.n_free > packet->size / CELL_BYTES + 3;
}

static size_t push_group(struct unfrag_reasm *r, const struct unfrag_reasm_packet *packets,
			 size_t n, struct unfrag_reasm_result *res)
{
	struct arrival a[GROUP], *heads[GROUP];
	size_t i, taken, n_heads;

	fetch_headers(packets, n);
	n_heads = read_group(r, a, heads, packets, n);
	fetch_records(r, heads, n_heads);
	if (r->borrow && n_heads)
		fetch_slips(r, a, n);
	for (i = 0; i < n && may_go_on(r, &packets[i]); i += taken) {
		taken = judge_run(r, &a[i], n - i, &res[i]);
		if (!taken) {
			judge(r, &a[i], &res[i]);
			taken = 1;
		}
	}
	return i;
}

size_t unfrag_reasm_push_batch(struct unfrag_reasm *r, const struct unfrag_reasm_packet *packets,
			       size_t n, uint64_t now, struct unfrag_reasm_result *res)
{
	size_t done = 0, group, taken;

	datagrams_recycle(r);
	time_set(r, now);
	time_expire(r, EXPIRE_CALL + EXPIRE_PACKET * n);
	r->n_back_before = r->cells.n_back;
	do {
		group = n - done < GROUP ? n - done : GROUP;
		taken = push_group(r, packets + done, group, res + done);
		done += taken;
	} while (taken == GROUP && done < n);
	return done;
}

size_t unfrag_reasm_expire(struct unfrag_reasm *r, uint64_t now, size_t max)
{
	datagrams_recycle(r);
	time_set(r, now);
	return time_expire(r, max);
}

static size_t flush_family(struct unfrag_reasm *r, int family, size_t max)
{
	size_t n;

	for (n = 0; n < max && r->ages[family].first; n++)
		datagram_end(r, r->ages[family].first, UNFRAG_REASON_FLUSHED);
	return n;
}

size_t unfrag_reasm_flush(struct unfrag_reasm *r, size_t max)
{
	size_t n;

	datagrams_recycle(r);
	n = flush_family(r, FAMILY_IPV4, max);
	return n + flush_family(r, FAMILY_IPV6, max - n);
}

static uint64_t family_deadline(const struct unfrag_reasm *r, int family)
{
	uint32_t i = r->ages[family].first;

	return i ? r->datagrams[i].since + r->timeouts[family] - r->shift : UINT64_MAX;
}

uint64_t unfrag_reasm_deadline(const struct unfrag_reasm *r)
{
	uint64_t ipv4 = family_deadline(r, FAMILY_IPV4), ipv6 = family_deadline(r, FAMILY_IPV6);

	return ipv4 < ipv6 ? ipv4 : ipv6;
}

size_t unfrag_reasm_take_back(struct unfrag_reasm *r, void **owners, size_t n)
{
	datagrams_recycle(r);
	return slips_take_back(&r->cells, owners, n);
}

bool unfrag_reasm_next_fate(struct unfrag_reasm *r, struct unfrag_reasm_fate *fate)
{
	return fate_take(r, fate);
}
