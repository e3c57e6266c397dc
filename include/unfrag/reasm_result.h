/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What the reassembly engine says: of a packet, of a datagram that was given up, of itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unfrag/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What becomes of a packet. */
enum unfrag_reasm_outcome {
	UNFRAG_REASM_NOT_FRAGMENT, /**< nothing to do */
	UNFRAG_REASM_ATOMIC,       /**< alone behind an IPv6 Fragment header: whole as it stands */
	UNFRAG_REASM_HELD,         /**< kept until its datagram's fate */
	UNFRAG_REASM_COMPLETE,     /**< the last piece: the datagram is there, this one in it */
	UNFRAG_REASM_DUPLICATE,    /**< adds nothing to what is held: ignored */
	UNFRAG_REASM_DROPPED,      /**< see reason */
	UNFRAG_REASM_OUTCOME_MAX,
};

/** What became of it. `datagram` and what follows are set for held, complete and duplicate. */
struct unfrag_reasm_result {
	uint8_t outcome; /**< enum unfrag_reasm_outcome */
	uint8_t reason;  /**< enum unfrag_reason */
	uint8_t family;  /**< enum unfrag_family; 0: unreadable */
	uint8_t reserved;
	uint32_t slot;      /**< 0..datagrams-1, its alone until its fate is told */
	uint64_t datagram;  /**< its number, never used again */
	uint64_t age;       /**< ns since its first fragment came */
	uint32_t fragments; /**< that it is made of by now, duplicates not counted */
	uint32_t overlaps;  /**< of those, that met other fragments' bytes */
	uint32_t largest;   /**< the largest of them as an IP packet, in bytes */
	uint32_t smallest;
	uint32_t len;    /**< complete or atomic: bytes of the whole packet, IP header included */
	uint32_t header; /**< of those, bytes before the fragmentable part */
	const void *packet; /**< atomic: the caller's packet */
};

/** A stretch of a whole packet, in the engine's memory or, with `borrow`, in the caller's. */
struct unfrag_reasm_piece {
	const void *data;
	size_t len;
};

/** Most pieces a datagram may have; with `borrow`: res->fragments + 4. */
#define UNFRAG_REASM_PIECES 68

/** A datagram that was given up, with all its fragments that were held. */
struct unfrag_reasm_fate {
	uint64_t datagram; /**< as in the results of its fragments */
	uint64_t age;      /**< ns from its first fragment to its end */
	uint32_t slot;
	uint32_t fragments;
	uint32_t largest, smallest;
	uint8_t reason; /**< enum unfrag_reason */
	uint8_t family;
	bool first; /**< the first fragment is among them */
};

struct unfrag_reasm_stats {
	uint64_t packets;
	uint64_t outcomes[UNFRAG_REASM_OUTCOME_MAX]; /**< of packets, at arrival */
	uint64_t reasons[UNFRAG_REASON_MAX]; /**< fragments, dropped or given up after being held */
	uint64_t whole_fragments;            /**< fragments that ended in a whole datagram */
	uint64_t opened;                     /**< datagrams: opened, */
	uint64_t completed;                  /**< completed, */
	uint64_t given_up[UNFRAG_REASON_MAX]; /**< given up */
	uint32_t open;                        /**< now: datagrams with fragments held */
	uint32_t refused;                     /**< now: given up, what still comes is dropped */
	uint32_t datagrams;                   /**< most there can be */
	uint32_t sources;                     /**< now: sources known */
	size_t memory;                        /**< bytes of the engine */
	size_t used;         /**< now: bytes in it that a datagram or a source takes */
	size_t per_datagram; /**< bytes that an open datagram takes, and */
	size_t per_cell;     /**< bytes for each stretch of cell_bytes that it has data in, */
	size_t cell_bytes;   /**< or, with `borrow`, for every cell_packets of its packets */
	size_t cell_packets;
};

/** "held" and so on, NULL when there is no such; static. Since: 0.1 */
const char *unfrag_reasm_outcome_name(uint32_t outcome);
const char *unfrag_reasm_policy_name(uint32_t policy);

/** The policy of that name, or -EINVAL. Since: 0.1 */
int unfrag_reasm_policy_by_name(const char *name);

#ifdef __cplusplus
}
#endif
