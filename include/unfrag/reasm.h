/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The reassembly engine: IPv4 and IPv6 fragments in, whole datagrams out.
 *
 * A passive object. The caller brings packets and the time; nothing here reads a clock, does I/O,
 * starts a thread or allocates after unfrag_reasm_new(). One engine is for one thread at a time;
 * to use several, send all fragments of a datagram to the same one: shard by source, destination
 * and identification, which every fragment has, never by ports.
 *
 * Each fragment meets one fate, told once: at its own arrival by an outcome, or, having been held,
 * with its datagram, which completes or is given up (unfrag_reasm_next_fate()).
 *
 * Left to others: what to do with a whole datagram. One that is itself a fragment (a tunnel's, or
 * one with two Fragment headers) is not taken up again unless the caller brings it again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unfrag/reasm_result.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unfrag_reasm;

#define UNFRAG_REASM_MEMORY       (16u << 20)
#define UNFRAG_REASM_MEMORY_MIN   (512u << 10)
#define UNFRAG_REASM_BORROW_MIN   (1536u << 10)
#define UNFRAG_REASM_IPV4_TIMEOUT UINT64_C(30000000000) /* ns */
#define UNFRAG_REASM_IPV6_TIMEOUT UINT64_C(60000000000) /* RFC 8200 4.5 */
#define UNFRAG_REASM_SOURCE_SHARE 25                    /* percent */

/** What is read where fragments overlap; all but the first as some system does (Novak 2005). */
enum unfrag_reasm_policy {
	UNFRAG_REASM_DROP,      /**< nothing: the datagram is given up (RFC 5722); the default */
	UNFRAG_REASM_FIRST,     /**< what came first */
	UNFRAG_REASM_LAST,      /**< what came last */
	UNFRAG_REASM_BSD,       /**< what is held if it starts at or before the newcomer */
	UNFRAG_REASM_BSD_RIGHT, /**< the newcomer if what is held starts at or before it */
	UNFRAG_REASM_LINUX,     /**< what is held if it starts before the newcomer */
	UNFRAG_REASM_WINDOWS,   /**< the newcomer if it starts before and ends after */
	UNFRAG_REASM_SOLARIS,   /**< the newcomer if it starts before and ends with or after */
	UNFRAG_REASM_POLICY_MAX,
};

/** Set sz to sizeof; zero elsewhere means the default. */
struct unfrag_reasm_opts {
	size_t sz;
	size_t memory; /**< bytes, all of them: at least UNFRAG_REASM_MEMORY_MIN, _BORROW_MIN */
	uint64_t ipv4_timeout; /**< ns from a datagram's first fragment */
	uint64_t ipv6_timeout;
	uint32_t datagrams;      /**< most that are open at once; 0: by memory */
	uint32_t source_share;   /**< most of all that one source may hold, 1..100 percent */
	uint32_t policy;         /**< enum unfrag_reasm_policy */
	bool fates;              /**< keep fates; they must then be taken, see next_fate() */
	bool tiny;               /**< accept TCP fragments made to hide ports (RFC 1858, 3128) */
	const void *hash_secret; /**< 16 bytes, for runs that repeat; NULL: random */
	bool borrow; /**< hold packets instead of copying them; see unfrag_reasm_take_back() */
};

/** A packet, from its IP header on. Read during the call only, unless `borrow` is set. */
struct unfrag_reasm_packet {
	const void *data;
	uint32_t size;  /**< bytes there; those behind the datagram are ignored */
	uint64_t scope; /**< address space it belongs to: VLAN, interface, tunnel */
	void *owner;    /**< with `borrow`: what it is called when it is given back */
};

/**
 * Makes an engine.
 *
 * @param opts NULL: all defaults
 * @return 0, -EINVAL (an option out of range, memory too small for the datagrams), -ENOMEM, or
 *         what getrandom(2) says. Since: 0.1
 */
int unfrag_reasm_new(struct unfrag_reasm **out, const struct unfrag_reasm_opts *opts);

/** Ends an engine, with all that is in it; NULL is ignored. Since: 0.1 */
void unfrag_reasm_free(struct unfrag_reasm *r);

/**
 * Takes one packet.
 *
 * A complete datagram stays readable through @p res until the next call that takes a packet or the
 * time. Work is bounded: it grows with the length of the packet alone, a few timers are handled,
 * and no more datagrams make room than the packet needs cells.
 *
 * @param now ns of any clock. A clock that steps back stands still for the engine until it has
 *            caught up, or goes on from there if it stepped by more than the longer timeout.
 * Since: 0.1
 */
void unfrag_reasm_push(struct unfrag_reasm *r, const struct unfrag_reasm_packet *packet,
		       uint64_t now, struct unfrag_reasm_result *res);

/**
 * Takes many packets at once, which is faster: memory is fetched ahead, and a datagram whose
 * fragments come in a row, in order or reversed, is taken as one.
 *
 * Every complete datagram stays readable until the next call, so their memory is not free for the
 * rest of the batch: then the call ends early. So it does if too many lent packets wait to be
 * taken back.
 *
 * @return packets taken, at least 1 if n is; bring the rest in another call. Since: 0.1
 */
size_t unfrag_reasm_push_batch(struct unfrag_reasm *r, const struct unfrag_reasm_packet *packets,
			       size_t n, uint64_t now, struct unfrag_reasm_result *res);

/**
 * Copies a whole packet, complete or atomic, with its header as it must be: length, checksum, ECN,
 * no fragmentation left.
 *
 * @return res->len, -ENOSPC if that does not fit, -EINVAL if there is no whole packet. Since: 0.1
 */
long unfrag_reasm_copy(const struct unfrag_reasm *r, const struct unfrag_reasm_result *res,
		       void *buf, size_t size);

/**
 * The same without copying, of a complete one: pieces to be read one after the other.
 *
 * @return how many, at most UNFRAG_REASM_PIECES; -ENOSPC, -EINVAL. Since: 0.1
 */
int unfrag_reasm_pieces(const struct unfrag_reasm *r, const struct unfrag_reasm_result *res,
			struct unfrag_reasm_piece *pieces, size_t n);

/**
 * With `borrow` set: takes packets back that the engine has let go of.
 *
 * Then a packet whose outcome is held or complete is lent: its data must stay as they are until
 * this gives it back, by its `owner`, each exactly once, in no order that is promised. All others
 * are the caller's at once, and unfrag_reasm_free() ends every loan. So bytes are copied once, by
 * unfrag_reasm_copy(), or never, as the pieces of a datagram are in its packets.
 *
 * Ends the reading of complete datagrams, as their packets are given back as well. Take all after
 * each call that takes packets or the time: until then their room is not free, and without room
 * fragments are dropped. Who runs out of buffers asks for more with unfrag_reasm_flush(). The
 * policy must be UNFRAG_REASM_DROP; memory at least UNFRAG_REASM_BORROW_MIN.
 *
 * @return how many, at most @p n; fewer: no more are left. Since: 0.1
 */
size_t unfrag_reasm_take_back(struct unfrag_reasm *r, void **owners, size_t n);

/**
 * Takes the fate of a datagram that was given up, oldest first. With `fates` set each must be
 * taken: until then its slot is not free, and without free slots fragments are dropped.
 *
 * @return whether there was one. Since: 0.1
 */
bool unfrag_reasm_next_fate(struct unfrag_reasm *r, struct unfrag_reasm_fate *fate);

/** Gives up at most @p max datagrams whose time is over. @return how many. Since: 0.1 */
size_t unfrag_reasm_expire(struct unfrag_reasm *r, uint64_t now, size_t max);

/** Gives up at most @p max datagrams, oldest first. @return how many; 0: all gone. Since: 0.1 */
size_t unfrag_reasm_flush(struct unfrag_reasm *r, size_t max);

/** When unfrag_reasm_expire() has work next, by the caller's clock; UINT64_MAX: none. Since: 0.1 */
uint64_t unfrag_reasm_deadline(const struct unfrag_reasm *r);

/** Since: 0.1 */
void unfrag_reasm_stats(const struct unfrag_reasm *r, struct unfrag_reasm_stats *stats);

#ifdef __cplusplus
}
#endif
