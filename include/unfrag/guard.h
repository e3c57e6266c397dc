/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The guard: a BPF program in front of the kernel's defragmenter that lets through only fragments
 * that can still become a datagram, and shares the kernel's memory for them fairly. One for each
 * network namespace; pinned, so nothing has to run.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <unfrag/attachment.h>
#include <unfrag/base.h>
#include <unfrag/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where it stands at netfilter's prerouting: before the defragmenter. */
#define UNFRAG_GUARD_PRIORITY_DEFAULT (-410)

#define UNFRAG_GUARD_DEVICES_MAX 16

enum unfrag_guard_place {
	UNFRAG_GUARD_NETFILTER, /**< prerouting of the whole namespace */
	UNFRAG_GUARD_TC,        /**< ingress of devices, after the kernel made a buffer */
	UNFRAG_GUARD_XDP,       /**< Ethernet devices, before that */
	UNFRAG_GUARD_PLACE_MAX,
};

/** How a device's packets come to the guard. */
enum unfrag_guard_mode {
	UNFRAG_GUARD_AUTO,    /**< asked for: native where the driver can, else generic */
	UNFRAG_GUARD_NATIVE,  /**< XDP by the driver */
	UNFRAG_GUARD_GENERIC, /**< XDP by the kernel */
	UNFRAG_GUARD_TCX,     /**< tc by link */
	UNFRAG_GUARD_CLSACT,  /**< tc by a filter, where the kernel has no such links */
	UNFRAG_GUARD_MODE_MAX,
};

/** "netfilter", "tc", "xdp"; NULL when @p place is none. Static. Since: 0.1 */
const char *unfrag_guard_place_name(enum unfrag_guard_place place);

/** "auto", "native" and so on; NULL likewise. Static. Since: 0.1 */
const char *unfrag_guard_mode_name(enum unfrag_guard_mode mode);

#define UNFRAG_GUARD_REASON(id) (1u << UNFRAG_REASON_##id)

/** Reasons that are rules, which can be switched off: see unfrag_guard_limits.allow. */
#define UNFRAG_GUARD_RULES \
	(UNFRAG_GUARD_REASON(UNREADABLE) | UNFRAG_GUARD_REASON(EMPTY) | \
	 UNFRAG_GUARD_REASON(LENGTH) | UNFRAG_GUARD_REASON(OVERSIZE) | \
	 UNFRAG_GUARD_REASON(CHAIN) | UNFRAG_GUARD_REASON(TINY) | UNFRAG_GUARD_REASON(DISCOVERY) | \
	 UNFRAG_GUARD_REASON(OVERLAP) | UNFRAG_GUARD_REASON(END) | UNFRAG_GUARD_REASON(ECN) | \
	 UNFRAG_GUARD_REASON(DUPLICATE) | UNFRAG_GUARD_REASON(SMALL))

/** All reasons that the guard refuses a fragment for. */
#define UNFRAG_GUARD_REASONS \
	(UNFRAG_GUARD_RULES | UNFRAG_GUARD_REASON(REFUSED) | UNFRAG_GUARD_REASON(SHARE) | \
	 UNFRAG_GUARD_REASON(MEMORY) | UNFRAG_GUARD_REASON(TABLE))

/** In unfrag_guard_limits.allow: only these, none if there are no others. */
#define UNFRAG_GUARD_ALLOW_ONLY (1u << 31)

/** Zero: the default, or with unfrag_guard_tune() what is in force. Arrays: IPv4, IPv6. */
struct unfrag_guard_limits {
	size_t sz;
	uint64_t memory[2];    /**< bytes the kernel may hold; 16 MiB, or 1/256 of the machine's */
	uint64_t timeout[2];   /**< ms for a datagram to become whole; 3000 */
	uint64_t forget;       /**< ms after which standing counts no more; 600000 */
	uint32_t share;        /**< percent of free memory that one source may hold; 50 */
	uint32_t floor;        /**< bytes that a source may hold in any case; 16384 */
	uint32_t datagrams;    /**< open at once in each family, a power of two; 8192 */
	uint32_t prefix[2];    /**< bits of an address that make a source; 32 and 64 */
	uint32_t small_after;  /**< fragments from which on their mean size counts; 32 */
	uint32_t small_mean;   /**< bytes; 128 */
	uint32_t least_charge; /**< bytes a fragment is charged at tc and XDP; 2304 */
	uint32_t events;       /**< refusals told a second; 100 */
	uint32_t allow;        /**< rules switched off, 1 << enum unfrag_reason */
};

#define UNFRAG_GUARD_NO_TUNE 0x1u /**< leave the kernel's own limits as they are */

struct unfrag_guard_opts {
	size_t sz;
	const char *netns;             /**< as in struct unfrag_attach_opts */
	uint32_t families;             /**< 0: both */
	enum unfrag_guard_place place; /**< 0: netfilter */
	enum unfrag_guard_mode mode;   /**< XDP: AUTO, NATIVE or GENERIC */
	const char *const *devices;    /**< tc, XDP: names of devices in that namespace */
	uint32_t device_count;
	int32_t priority; /**< netfilter: below -400; 0: UNFRAG_GUARD_PRIORITY_DEFAULT */
	uint32_t flags;   /**< UNFRAG_GUARD_NO_TUNE */
	const struct unfrag_guard_limits *limits; /**< NULL: defaults */
};

struct unfrag_guard;

/**
 * Puts the guard into a network namespace, at all places asked for or at none.
 *
 * Without UNFRAG_GUARD_NO_TUNE the limits of the namespace's defragmenters are set to fit, and
 * remembered. A failure leaves nothing: no link, no pin, no changed sysctl.
 *
 * @return 0; -EEXIST when one is there; -EINVAL, limits that contradict each other or the machine
 *         among it; -ENODEV; -EBUSY when another hook or XDP program stands there; -EPERM; -EROFS,
 *         -EACCES (sysctls can't be written); -EOPNOTSUPP (kernel or device can't). Since: 0.1
 */
int unfrag_guard_on(struct unfrag_guard **out, const struct unfrag_guard_opts *opts);

/** Opens the guard of a namespace, a broken one too. 0, -ENOENT, -EINVAL, -EPERM. Since: 0.1 */
int unfrag_guard_open(struct unfrag_guard **out, const char *netns);

/** The same by an id of unfrag_guard_each(): where the namespace has no name. Since: 0.1 */
int unfrag_guard_open_id(struct unfrag_guard **out, const char *id);

/** Gives up a handle; the guard stays as it is. NULL is allowed. Since: 0.1 */
void unfrag_guard_free(struct unfrag_guard *guard);

/**
 * Takes the guard away, whole or broken: from packets first, then sysctls get the values back that
 * they had, where they still have those that the guard set; then all that was pinned. The handle
 * stays to be freed.
 *
 * @return 0; -EBUSY while another process changes it. Since: 0.1
 */
int unfrag_guard_off(struct unfrag_guard *guard);

struct unfrag_guard_device {
	char name[16]; /**< as it was when the guard was put there */
	enum unfrag_guard_mode mode;
};

struct unfrag_guard_info {
	size_t sz; /**< set by the caller */
	enum unfrag_state state;
	char problem[128]; /**< why it is not ready; else empty */
	enum unfrag_guard_place place;
	uint32_t families;
	int32_t priority; /**< at netfilter */
	uint32_t flags;
	uint64_t netns_inode;
	char netns[256]; /**< as in struct unfrag_attachment_info */
	int64_t since;   /**< seconds since 1970 */
	uint32_t device_count;
	struct unfrag_guard_device device[UNFRAG_GUARD_DEVICES_MAX];
};

/** Describes the guard as it is now; changes nothing. 0; -ENOENT when it is off. Since: 0.1 */
int unfrag_guard_info(struct unfrag_guard *guard, struct unfrag_guard_info *info);

/** The limits in force; allow without UNFRAG_GUARD_ALLOW_ONLY. 0; -EBADF. Since: 0.1 */
int unfrag_guard_get_limits(struct unfrag_guard *guard, struct unfrag_guard_limits *limits);

/**
 * Changes limits of a guard that is on, and the namespace's sysctls with them unless it was made
 * with UNFRAG_GUARD_NO_TUNE. On failure all stays as it was.
 *
 * @return 0; -EINVAL for what can't be, `datagrams` among it; -EBUSY; -EBADF (broken). Since: 0.1
 */
int unfrag_guard_tune(struct unfrag_guard *guard, const struct unfrag_guard_limits *limits);

/** Calls @p fn with every guard's id, in order, until it returns other than 0. Since: 0.1 */
int unfrag_guard_each(int (*fn)(const char *id, void *arg), void *arg);

#ifdef __cplusplus
}
#endif
