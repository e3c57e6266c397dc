/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The kernel's defragmentation, held on without a program.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <unfrag/attachment.h>
#include <unfrag/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct unfrag_hold_opts {
	size_t sz;
	const char *netns;  /**< as in struct unfrag_attach_opts */
	uint32_t families;  /**< 0: both */
	const char *holder; /**< a name: the hold outlives the process; NULL: it ends with it */
};

struct unfrag_hold;

/**
 * Keeps the kernel's defragmentation on in a namespace, so that every hook after -400 there sees
 * whole packets (nftables without conntrack, other people's BPF links). It is on while anyone
 * holds it.
 *
 * Where the kernel has no links that ask for it (before 6.6) an nftables rule does it, in a table
 * of its own that no packet comes to. Before 5.12 such a hold can't end with its process
 * (-EOPNOTSUPP without a holder), and before 5.13 the kernel can't switch defragmentation off
 * again; the log says so.
 *
 * @return 0; -EEXIST when that holder already has one there; else as for an attachment. Since: 0.1
 */
int unfrag_defrag_hold(struct unfrag_hold **out, const struct unfrag_hold_opts *opts);

/** Opens a hold by the id unfrag_hold_each() gives, broken ones too. Since: 0.1 */
int unfrag_hold_open(struct unfrag_hold **out, const char *id);

/**
 * Ends the hold and frees the handle; NULL is allowed.
 *
 * @return 0, or -EBUSY: then it stays, handle and all. Since: 0.1
 */
int unfrag_defrag_release(struct unfrag_hold *hold);

/** Gives up a handle; a hold with a holder stays, one without ends. NULL is allowed. */
void unfrag_hold_free(struct unfrag_hold *hold);

struct unfrag_hold_info {
	size_t sz; /**< set by the caller */
	enum unfrag_state state;
	char problem[128];
	char holder[UNFRAG_NAME_MAX + 1];
	uint32_t families;
	uint64_t netns_inode;
	char netns[256];
	int64_t since;
	char table[64]; /**< of nftables, family inet, that holds it; "": links do */
};

/** Describes the hold as it is now. 0, or -ENOENT when it was released. Since: 0.1 */
int unfrag_hold_info(struct unfrag_hold *hold, struct unfrag_hold_info *info);

/** Calls @p fn with every holder's hold, by id, until it returns other than 0. Since: 0.1 */
int unfrag_hold_each(int (*fn)(const char *id, void *arg), void *arg);

/**
 * Whether the kernel reassembles in a namespace now, whoever asked for it. The kernel has no way to
 * ask; its defragmenter stands at priority -400 at both prerouting and output, so what is tried is
 * whether both places are taken, by a link that accepts every packet and goes at once. Meanwhile
 * the kernel's own hooks can come there, but another BPF link there gets -EBUSY, and who asks at
 * that moment may find both taken. Without links that can't be tried; then a datagram in two
 * fragments is sent from and to loopback there.
 *
 * @param family UNFRAG_FAMILIES_IPV4 or UNFRAG_FAMILIES_IPV6
 * @return 1 on, 0 off, or a negative errno; -ENODATA when it can't be told, as loopback is down or
 *         guarded by rules. Since: 0.1
 */
int unfrag_defrag_status(const char *netns, uint32_t family);

/**
 * Whether connection tracking runs in a namespace, whoever turned it on. Where it does not, every
 * packet is "invalid" to nftables' "ct state". What is tried is whether its places are taken,
 * priority -200 at both prerouting and output, as the kernel does not tell; with links as
 * unfrag_defrag_status() tries, so connection tracking that is turned on meanwhile comes up.
 *
 * @param netns the namespace, as for unfrag_defrag_hold()
 * @param family UNFRAG_FAMILIES_IPV4 or UNFRAG_FAMILIES_IPV6
 * @return 1 if both are taken, 0 if it does not run, or a negative errno; -EOPNOTSUPP without BPF
 *         netfilter links. Since: 0.1
 */
int unfrag_conntrack_status(const char *netns, uint32_t family);

#ifdef __cplusplus
}
#endif
