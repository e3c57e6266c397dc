// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Making and ending an engine: one mapping, in which all parts are laid out one after the other. It
 * comes zeroed and is not touched where it is not needed yet, so an idle engine is small.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "engine.h"

#define LINE ((size_t)64)

/* What is not records and cells, at most. */
#define ALIGNING (sizeof(struct unfrag_reasm) + 32 * LINE)

/* Cells that a datagram has on average, if its sender is not asked: what splits the memory. */
#define CELLS_A_DATAGRAM ((size_t)2)

#define DATAGRAMS_MIN 16u
#define DATAGRAMS_MAX (1u << 30)

/* The largest datagram with a table and a long header. */
#define CELLS_FULL (CELLS_MAX + 2)

/* What part of memory and records may be shelter, for sources in good standing. */
#define SHELTER_PART 2u

/* What part of memory is for what is remembered of lost datagrams. */
#define LOST_PART 32u

/* What part is kept free for what waits to be taken by the caller. */
#define RESERVE_PART 8u

/* Where the parts are, in bytes from the start. */
struct layout {
	uint32_t datagrams, cells, sources;
	uint32_t buckets, source_buckets;
	uint32_t losses;
	size_t at_losses, at_datagrams, at_buckets, at_sources, at_source_buckets, at_next,
		at_cells;
	size_t end;
};

static size_t align(size_t v)
{
	return (v + LINE - 1) / LINE * LINE;
}

static uint32_t power_of_two(uint32_t least)
{
	uint32_t v = 1;

	while (v < least)
		v *= 2;
	return v;
}

static uint32_t power_of_two_below(size_t most)
{
	uint32_t v = 1;

	while (v <= most / 2 && v < UINT32_C(1) << 31)
		v *= 2;
	return v;
}

/* Everything but the cells; entry 0 of each table is not used. */
static void lay_out_records(struct layout *l)
{
	l->sources = 2 * l->datagrams;
	l->buckets = power_of_two(l->datagrams);
	l->source_buckets = power_of_two(l->datagrams);
	l->at_losses = align(sizeof(struct unfrag_reasm));
	l->at_datagrams = align(l->at_losses + l->losses * sizeof(struct lost));
	l->at_buckets =
		align(l->at_datagrams + (l->datagrams + (size_t)1) * sizeof(struct datagram));
	l->at_sources = align(l->at_buckets + l->buckets * sizeof(uint32_t));
	l->at_source_buckets =
		align(l->at_sources + (l->sources + (size_t)1) * sizeof(struct source));
	l->at_next = align(l->at_source_buckets + l->source_buckets * sizeof(uint32_t));
}

static size_t datagram_cost(void)
{
	return sizeof(struct datagram) + 2 * sizeof(struct source) + 4 * sizeof(uint32_t);
}

static size_t cell_size(bool borrow)
{
	return borrow ? sizeof(union slip_cell) : sizeof(struct cell);
}

/* Of the pool, with the entry in its list. */
static size_t cell_cost(bool borrow)
{
	return cell_size(borrow) + sizeof(uint32_t);
}

/* Cells that the largest datagram takes. */
static uint32_t cells_full(bool borrow)
{
	return borrow ? SLIP_CELLS_MAX : CELLS_FULL;
}

/* Room for such a one in shelter, one without, and what is kept free; copies are small, so more. */
static size_t cells_least(bool borrow)
{
	return (borrow ? 3 : 4) * (size_t)cells_full(borrow);
}

/* So many that there are cells for them, and the least number of cells in any case. */
static size_t datagrams_in(size_t memory, bool borrow)
{
	size_t cells = cells_least(borrow) * cell_cost(borrow) + memory / LOST_PART + ALIGNING;
	size_t most = (memory - memory / LOST_PART) /
		      (datagram_cost() + CELLS_A_DATAGRAM * cell_cost(borrow));
	size_t rest = memory > cells ? (memory - cells) / datagram_cost() : 0;

	return most < rest ? most : rest;
}

static int lay_out(struct layout *l, const struct unfrag_reasm_opts *opts)
{
	size_t memory = opts->memory / LINE * LINE;
	size_t datagrams = opts->datagrams;
	size_t cells;

	if (!datagrams)
		datagrams = datagrams_in(memory, opts->borrow);
	if (datagrams < DATAGRAMS_MIN || datagrams > DATAGRAMS_MAX)
		return -EINVAL;
	l->datagrams = (uint32_t)datagrams;
	l->losses = power_of_two_below(memory / LOST_PART / sizeof(struct lost));
	lay_out_records(l);
	if (memory < l->at_next + 2 * LINE)
		return -EINVAL;
	cells = (memory - l->at_next - 2 * LINE) / cell_cost(opts->borrow);
	cells = cells ? cells - 1 : 0;
	if (cells < cells_least(opts->borrow) || cells >= UINT32_MAX)
		return -EINVAL;
	l->cells = (uint32_t)cells;
	l->at_cells = align(l->at_next + (cells + 1) * sizeof(uint32_t));
	l->end = l->at_cells + (cells + 1) * cell_size(opts->borrow);
	return l->end <= memory ? 0 : -EINVAL;
}

static uint32_t share_of(uint32_t all, uint32_t percent, uint32_t least)
{
	uint32_t share = (uint32_t)((uint64_t)all * percent / 100);

	return share > least ? share : least;
}

static void place(struct unfrag_reasm *r, const struct layout *l)
{
	char *base = (char *)r;

	r->datagrams = (struct datagram *)(base + l->at_datagrams);
	r->buckets = (uint32_t *)(base + l->at_buckets);
	r->mask = l->buckets - 1;
	r->n = l->datagrams;
	r->fresh = 1;
	r->n_free = l->datagrams;
	r->losses.all = (struct lost *)(base + l->at_losses);
	r->losses.mask = l->losses - 1;
	r->sources.all = (struct source *)(base + l->at_sources);
	r->sources.buckets = (uint32_t *)(base + l->at_source_buckets);
	r->sources.mask = l->source_buckets - 1;
	r->sources.n = l->sources;
	r->sources.fresh = 1;
	r->cells.next = (uint32_t *)(base + l->at_next);
	r->cells.all = (struct cell *)(base + l->at_cells);
	r->cells.slips = (union slip_cell *)(base + l->at_cells);
	r->cells.n = l->cells;
	r->cells.fresh = 1;
	r->cells.n_free = l->cells;
	r->memory = l->end;
}

static void set_limits(struct unfrag_reasm *r, const struct unfrag_reasm_opts *opts)
{
	r->timeouts[FAMILY_IPV4] = opts->ipv4_timeout;
	r->timeouts[FAMILY_IPV6] = opts->ipv6_timeout;
	r->policy = (uint8_t)opts->policy;
	r->keep_fates = opts->fates;
	r->tiny = opts->tiny;
	r->borrow = opts->borrow;
	r->reserve = opts->fates ? r->n / RESERVE_PART : 0;
	r->reserve_cells = opts->borrow ? r->cells.n / RESERVE_PART : 0;
	r->share_cells = share_of(r->cells.n, opts->source_share, cells_full(opts->borrow));
	r->share_datagrams = share_of(r->n, opts->source_share, 1);
	r->shelter_cells = r->cells.n / SHELTER_PART;
	r->shelter_datagrams = r->n / SHELTER_PART;
	r->next_number = 1;
}

static int check_opts(const struct unfrag_reasm_opts *opts)
{
	if (opts->memory < UNFRAG_REASM_MEMORY_MIN || opts->source_share > 100 ||
	    opts->policy >= UNFRAG_REASM_POLICY_MAX)
		return -EINVAL;
	if (opts->borrow && opts->policy != UNFRAG_REASM_DROP)
		return -EINVAL;
	return 0;
}

/* The caller's options with defaults filled in; a caller may know more of them, or fewer. */
static int read_opts(struct unfrag_reasm_opts *opts, const struct unfrag_reasm_opts *from)
{
	size_t size, i;

	memset(opts, 0, sizeof(*opts));
	if (from) {
		size = from->sz;
		if (size < sizeof(size))
			return -EINVAL;
		for (i = sizeof(*opts); i < size; i++)
			if (((const char *)from)[i])
				return -EINVAL;
		memcpy(opts, from, size < sizeof(*opts) ? size : sizeof(*opts));
	}
	if (!opts->memory)
		opts->memory = UNFRAG_REASM_MEMORY;
	if (!opts->ipv4_timeout)
		opts->ipv4_timeout = UNFRAG_REASM_IPV4_TIMEOUT;
	if (!opts->ipv6_timeout)
		opts->ipv6_timeout = UNFRAG_REASM_IPV6_TIMEOUT;
	if (!opts->source_share)
		opts->source_share = UNFRAG_REASM_SOURCE_SHARE;
	return check_opts(opts);
}

static int choose_secret(struct hash_secret *secret, const void *given)
{
	if (given) {
		memcpy(secret, given, sizeof(*secret));
		return 0;
	}
	if (getrandom(secret, sizeof(*secret), 0) != (ssize_t)sizeof(*secret))
		return errno ? -errno : -EIO;
	return 0;
}

int unfrag_reasm_new(struct unfrag_reasm **out, const struct unfrag_reasm_opts *opts)
{
	struct unfrag_reasm_opts with;
	struct hash_secret secret;
	struct unfrag_reasm *r;
	struct layout l;
	int rc;

	rc = read_opts(&with, opts);
	if (rc)
		return rc;
	rc = lay_out(&l, &with);
	if (rc)
		return rc;
	rc = choose_secret(&secret, with.hash_secret);
	if (rc)
		return rc;
	r = mmap(NULL, l.end, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r == MAP_FAILED)
		return -ENOMEM;
	place(r, &l);
	set_limits(r, &with);
	r->secret = secret;
	r->luck = (secret.word[0] ^ secret.word[1]) | 1;
	*out = r;
	return 0;
}

void unfrag_reasm_free(struct unfrag_reasm *r)
{
	if (r)
		munmap(r, r->memory);
}
