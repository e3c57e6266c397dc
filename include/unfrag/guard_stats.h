/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the guard can be asked: counters, memory in use, sources, the sysctls that it changed, and
 * refusals as they happen.
 */
#pragma once

#include <unfrag/guard.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UNFRAG_GUARD_REASON_SLOTS 32

struct unfrag_guard_stats {
	size_t sz;             /**< set by the caller */
	uint64_t memory;       /**< bytes held by the kernel, as the guard counts */
	uint64_t memory_limit; /**< what it may come to */
	int64_t kernel_memory; /**< bytes, the kernel's own figure; -1: it does not tell (IPv6) */
	int64_t kernel_limit;  /**< bytes at which the kernel refuses all; -1 likewise */
	uint64_t datagrams;    /**< in progress */
	uint64_t given_up;     /**< refused ones whose time is not over yet */
	uint64_t fragments;    /**< that came; the sum of the next two */
	uint64_t passed;
	uint64_t refused;
	uint64_t atomic;        /**< of the passed, IPv6 datagrams in one fragment */
	uint64_t dont_fragment; /**< IPv4 fragments with the flag that forbids them */
	uint64_t opened;        /**< datagrams; the sum of in progress, given up and the next two */
	uint64_t completed;
	uint64_t timed_out;
	uint64_t reasons[UNFRAG_GUARD_REASON_SLOTS]; /**< of refused, by enum unfrag_reason */
};

/**
 * Counters and account of one family. Read while packets pass; sums are right once traffic rests.
 *
 * @param family UNFRAG_FAMILIES_IPV4 or UNFRAG_FAMILIES_IPV6
 * @return 0; -EINVAL; -EBADF (broken). Since: 0.1
 */
int unfrag_guard_stats(struct unfrag_guard *guard, uint32_t family,
		       struct unfrag_guard_stats *stats);

struct unfrag_guard_source {
	uint32_t family;     /**< 0: the common account of those that found no place in the table */
	uint8_t address[16]; /**< network order; IPv4: the first four */
	uint32_t prefix;     /**< bits of it that count */
	uint64_t memory;     /**< bytes held for it */
	uint64_t refused;    /**< fragments, for want of memory, share or room */
	uint32_t datagrams;  /**< open */
	uint32_t standing;   /**< datagrams that it completed, less those that it did not */
};

/** Calls @p fn with every source known, in no order, until it returns other than 0. Since: 0.1 */
int unfrag_guard_each_source(struct unfrag_guard *guard,
			     int (*fn)(const struct unfrag_guard_source *source, void *arg),
			     void *arg);

struct unfrag_guard_sysctl {
	const char *name; /**< "net.ipv4.ipfrag_time" */
	int64_t old;      /**< what it was, and will be */
	int64_t set;      /**< what the guard set */
	int64_t now;      /**< -1: can't be read */
};

/** Calls @p fn with every sysctl that was changed, until it returns other than 0. Since: 0.1 */
int unfrag_guard_each_sysctl(struct unfrag_guard *guard,
			     int (*fn)(const struct unfrag_guard_sysctl *sysctl, void *arg),
			     void *arg);

struct unfrag_guard_refusal {
	uint64_t time;   /**< ns of CLOCK_MONOTONIC */
	uint32_t family; /**< UNFRAG_FAMILIES_IPV4 or UNFRAG_FAMILIES_IPV6 */
	enum unfrag_reason reason;
	uint8_t source[16]; /**< addresses in network order; IPv4: the first four bytes */
	uint8_t destination[16];
	uint32_t identification;
	uint32_t offset; /**< bytes, of the fragment in its datagram */
	uint32_t length; /**< bytes of the datagram in it */
	uint8_t protocol;
	bool more; /**< the more-fragments bit */
};

/**
 * Calls @p fn with each refusal that was told since the last call, after waiting for one. What is
 * told is told to one reader; the first call starts with what is told from then on.
 *
 * @param timeout ms to wait, -1: for ever
 * @param missed  if not NULL, set to how many were refused and not told (the limit on events, a
 *                reader too slow), as far as that is known; it counts from the first call
 * @return how many there were; -EINTR after a signal; -EBADF (broken). Since: 0.1
 */
int unfrag_guard_watch(struct unfrag_guard *guard,
		       void (*fn)(const struct unfrag_guard_refusal *refusal, void *arg), void *arg,
		       int timeout, uint64_t *missed);

#ifdef __cplusplus
}
#endif
