// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "guard_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "log.h"

#define KIB  UINT64_C(1024)
#define MIB  (KIB * 1024)
#define MSEC UINT64_C(1000000)

#define TIMEOUT_MAX (3600 * UINT64_C(1000)) /* ms */
#define FORGET_MAX  (24 * TIMEOUT_MAX)

#define DATAGRAMS_MIN 256u
#define DATAGRAMS_MAX (1u << 20)

/* Of the kernel's own record of a datagram, rounded up. */
#define QUEUE_CHARGE 256u

/* The kernel's timers may be late: by an eighth of their time, and a little. */
#define LATE(ns) ((ns) / 8 + 250 * MSEC)

uint32_t limits_datagram_sets(uint32_t datagrams)
{
	return datagrams / GUARD_WAYS;
}

uint32_t limits_source_sets(uint32_t datagrams)
{
	return 2 * limits_datagram_sets(datagrams);
}

uint64_t limits_table(uint32_t datagrams)
{
	return (uint64_t)GUARD_FAMILIES * limits_datagram_sets(datagrams) *
		       (sizeof(struct guard_index) + GUARD_WAYS * sizeof(struct guard_datagram)) +
	       (uint64_t)limits_source_sets(datagrams) * sizeof(struct guard_sources);
}

static uint64_t or_else(uint64_t value, uint64_t other)
{
	return value ? value : other;
}

static uint64_t default_memory(const struct limits_frame *f, unsigned int family)
{
	uint64_t memory = f->memory / 256;

	if (!f->tuned)
		return f->high[family] > 0 ? (uint64_t)f->high[family] / 8 * 7 : 0;
	return memory < 16 * MIB ? memory : 16 * MIB;
}

static uint64_t default_timeout(const struct limits_frame *f, unsigned int family)
{
	if (!f->tuned)
		return f->timeout[family] > 0 ? (uint64_t)f->timeout[family] * 1000 : 0;
	return 3000;
}

static void fill(struct unfrag_guard_limits *l, const struct limits_frame *f)
{
	static const struct unfrag_guard_limits defaults = {
		.forget = 600000,
		.share = 50,
		.floor = 16 * KIB,
		.datagrams = LIMITS_DATAGRAMS,
		.prefix = { 32, 64 },
		.small_after = 32,
		.small_mean = 128,
		.least_charge = 2304,
		.events = 100,
	};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		l->memory[i] = or_else(l->memory[i], default_memory(f, i));
		l->timeout[i] = or_else(l->timeout[i], default_timeout(f, i));
	}
	limits_merge(l, &defaults);
}

void limits_merge(struct unfrag_guard_limits *l, const struct unfrag_guard_limits *from)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		l->memory[i] = or_else(l->memory[i], from->memory[i]);
		l->timeout[i] = or_else(l->timeout[i], from->timeout[i]);
		l->prefix[i] = (uint32_t)or_else(l->prefix[i], from->prefix[i]);
	}
	l->forget = or_else(l->forget, from->forget);
	l->share = (uint32_t)or_else(l->share, from->share);
	l->floor = (uint32_t)or_else(l->floor, from->floor);
	l->datagrams = (uint32_t)or_else(l->datagrams, from->datagrams);
	l->small_after = (uint32_t)or_else(l->small_after, from->small_after);
	l->small_mean = (uint32_t)or_else(l->small_mean, from->small_mean);
	l->least_charge = (uint32_t)or_else(l->least_charge, from->least_charge);
	l->events = (uint32_t)or_else(l->events, from->events);
	l->allow = (uint32_t)or_else(l->allow, from->allow);
}

static int check_range(const char *what, uint64_t value, uint64_t least, uint64_t most)
{
	if (value >= least && value <= most)
		return 0;
	return log_error(-EINVAL, "%s %" PRIu64 " can't be; it is from %" PRIu64 " to %" PRIu64,
			 what, value, least, most);
}

static int check_datagrams(uint32_t n)
{
	uint32_t next = DATAGRAMS_MIN;

	if (n >= DATAGRAMS_MIN && n <= DATAGRAMS_MAX && !(n & (n - 1)))
		return 0;
	while (next < n && next < DATAGRAMS_MAX)
		next *= 2;
	return log_error(-EINVAL, "%u datagrams can't be: a power of two from %u to %u; use %u", n,
			 DATAGRAMS_MIN, DATAGRAMS_MAX, next);
}

static int check_ranges(const struct unfrag_guard_limits *l)
{
	int r = check_range("share", l->share, 1, 100);

	if (!r)
		r = check_datagrams(l->datagrams);
	if (!r)
		r = check_range("IPv4 prefix", l->prefix[0], 1, 32);
	if (!r)
		r = check_range("IPv6 prefix", l->prefix[1], 1, 128);
	if (!r)
		r = check_range("forget", l->forget, 1000, FORGET_MAX);
	if (!r)
		r = check_range("mean size", l->small_mean, 1, 65535);
	if (!r)
		r = check_range("charge of a fragment", l->least_charge, 256, 65536);
	if (!r && l->allow & ~(UNFRAG_GUARD_RULES | UNFRAG_GUARD_ALLOW_ONLY))
		r = log_error(-EINVAL, "a reason is to be allowed that is no rule of the guard");
	return r;
}

static int check_memory(const struct unfrag_guard_limits *l, const struct limits_frame *f,
			unsigned int i)
{
	const char *family = i ? "IPv6" : "IPv4";

	if (!l->memory[i])
		return log_error(-EINVAL,
				 "the kernel does not tell its threshold for %s, so memory "
				 "has to be given",
				 family);
	if (l->memory[i] / 8 < l->floor)
		return log_error(-EINVAL,
				 "a floor of %u bytes is more than an eighth of %" PRIu64
				 " bytes of memory for %s",
				 l->floor, l->memory[i], family);
	if (!f->tuned && f->high[i] > 0 && l->memory[i] > (uint64_t)f->high[i])
		return log_error(-EINVAL,
				 "%" PRIu64
				 " bytes of memory are more than the kernel's threshold for "
				 "%s, %" PRId64 ", which was to be left as it is",
				 l->memory[i], family, f->high[i]);
	if (l->memory[i] / l->datagrams > UINT32_MAX)
		return log_error(-EINVAL, "%" PRIu64 " bytes are too much for %u datagrams",
				 l->memory[i], l->datagrams);
	return 0;
}

static int check_timeout(const struct unfrag_guard_limits *l, const struct limits_frame *f,
			 unsigned int i)
{
	const char *family = i ? "IPv6" : "IPv4";
	int r;

	if (!l->timeout[i])
		return log_error(-EINVAL,
				 "the kernel does not tell its timeout for %s, so one has "
				 "to be given",
				 family);
	r = check_range("timeout (ms)", l->timeout[i], 1000, TIMEOUT_MAX);
	if (r)
		return r;
	if (f->tuned && l->timeout[i] % 1000)
		return log_error(-EINVAL,
				 "a timeout of %" PRIu64
				 " ms is none of whole seconds, as the kernel "
				 "has them",
				 l->timeout[i]);
	if (!f->tuned && f->timeout[i] > 0 && l->timeout[i] < (uint64_t)f->timeout[i] * 1000)
		return log_error(-EINVAL,
				 "a timeout of %" PRIu64
				 " ms is less than the kernel's for %s, %" PRId64
				 " s, which was to be left as it is",
				 l->timeout[i], family, f->timeout[i]);
	return 0;
}

/* What is asked for must not bring the machine down, on the day that all of it is used. */
static int check_machine(const struct unfrag_guard_limits *l, const struct limits_frame *f,
			 uint64_t table)
{
	uint64_t sum = table;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!(f->families & 1u << i))
			continue;
		if (l->memory[i] > f->memory)
			sum = UINT64_MAX / 4;
		else
			sum += l->memory[i];
	}
	if (sum <= f->available)
		return 0;
	return log_error(-EINVAL,
			 "memory for fragments and %" PRIu64
			 " KiB of tables are more than this machine "
			 "has to spare, %" PRIu64 " KiB",
			 table / KIB, f->available / KIB);
}

int limits_settle(struct unfrag_guard_limits *l, const struct limits_frame *f, uint64_t table)
{
	unsigned int i;
	int r;

	fill(l, f);
	r = check_ranges(l);
	for (i = 0; i < 2 && !r; i++) {
		if (!(f->families & 1u << i))
			continue;
		r = check_memory(l, f, i);
		if (!r)
			r = check_timeout(l, f, i);
	}
	return r ? r : check_machine(l, f, table);
}

/* The first `bits` of an address, as they are read from a packet: in 4 bytes, or 16. */
static void mask_of(uint32_t bits, unsigned int family, __u64 words[2])
{
	uint8_t bytes[16] = { 0 };
	uint32_t word;
	unsigned int i;

	for (i = 0; i < bits; i++)
		bytes[i / 8] = (uint8_t)(bytes[i / 8] | 0x80u >> i % 8);
	memcpy(words, bytes, sizeof(bytes));
	if (family)
		return;
	memcpy(&word, bytes, sizeof(word));
	words[0] = word;
}

static uint32_t bits_of(const __u64 words[2])
{
	return (uint32_t)(__builtin_popcountll(words[0]) + __builtin_popcountll(words[1]));
}

void limits_to_config(struct guard_config *c, const struct unfrag_guard_limits *l)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		c->memory[i] = l->memory[i];
		c->timeout[i] = l->timeout[i] * MSEC + LATE(l->timeout[i] * MSEC);
		mask_of(l->prefix[i], i, c->prefix[i]);
		c->slot_charge[i] = (uint32_t)(l->memory[i] / l->datagrams);
		c->queue_charge[i] = QUEUE_CHARGE;
	}
	c->forget = l->forget * MSEC;
	c->floor = l->floor;
	c->share = l->share;
	c->small_after = l->small_after;
	c->small_mean = l->small_mean;
	c->least_charge = l->least_charge;
	c->off = l->allow & UNFRAG_GUARD_RULES;
	c->datagram_mask = limits_datagram_sets(l->datagrams) - 1;
	c->source_mask = limits_source_sets(l->datagrams) - 1;
	c->events = l->events;
}

static uint64_t longest(const struct guard_config *c)
{
	return c->timeout[0] > c->timeout[1] ? c->timeout[0] : c->timeout[1];
}

uint32_t limits_glance(const struct guard_config *c, const struct guard_config *old, uint64_t now)
{
	uint64_t wait = longest(c) > longest(old) ? longest(c) : longest(old);

	/* One that is waited for already is waited for anew, as timeouts may be longer now. */
	if (old->glance <= now >> GUARD_SECOND_SHIFT &&
	    !memcmp(c->prefix, old->prefix, sizeof(c->prefix)))
		return old->glance;
	/* One more as this one has begun, and one for the time that a look at all sets takes. */
	return (uint32_t)((now + wait) >> GUARD_SECOND_SHIFT) + 2;
}

void limits_of_config(struct unfrag_guard_limits *l, const struct guard_config *c)
{
	unsigned int i;

	*l = (struct unfrag_guard_limits){
		.sz = sizeof(*l),
		.forget = c->forget / MSEC,
		.share = c->share,
		.floor = c->floor,
		.datagrams = (c->datagram_mask + 1) * GUARD_WAYS,
		.small_after = c->small_after,
		.small_mean = c->small_mean,
		.least_charge = c->least_charge,
		.events = c->events,
		.allow = c->off,
	};
	for (i = 0; i < 2; i++) {
		l->memory[i] = c->memory[i];
		l->timeout[i] = (c->timeout[i] - LATE(UINT64_C(0))) / 9 * 8 / MSEC;
		l->prefix[i] = bits_of(c->prefix[i]);
	}
}
