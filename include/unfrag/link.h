/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The plain netfilter link, in the kernel's own terms, and what its refusals mean.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bpf_link;
struct bpf_program;

#ifdef __cplusplus
extern "C" {
#endif

/** The kernel's flag: run its defragmenter before the program. Linux 6.6. */
#define UNFRAG_NETFILTER_IP_DEFRAG 0x1u

/** Arguments of a netfilter link, in the kernel's own terms (union bpf_attr, link_create). */
struct unfrag_netfilter_opts {
	size_t sz;
	uint32_t pf;      /**< NFPROTO_IPV4 (2) or NFPROTO_IPV6 (10) */
	uint32_t hook;    /**< enum nf_inet_hooks, 0..4 */
	int32_t priority; /**< lower runs earlier; INT32_MIN and INT32_MAX are refused */
	uint32_t flags;   /**< 0 or UNFRAG_NETFILTER_IP_DEFRAG */
};

/**
 * Attaches a loaded BPF_PROG_TYPE_NETFILTER program at one hook of one family, in the network
 * namespace of the calling thread.
 *
 * The link is the caller's: bpf_link__destroy() detaches it, bpf_link__pin() lets it outlive the
 * process. Every refusal of the kernel comes back as the kernel gave it; unfrag_explain() has the
 * words. With the flag, fragments can still reach the program (see libunfrag(3), GUARANTEE): an
 * attachment keeps them away, a plain link does not.
 *
 * Where libbpf has no call of its own for this (before 1.3) a link handle is made by pinning for a
 * moment in a private BPF file system, which needs CAP_SYS_ADMIN, or in the mounted one.
 *
 * @return the link, or NULL with errno set. Since: 0.1
 */
struct bpf_link *unfrag_attach_netfilter(const struct bpf_program *prog,
					 const struct unfrag_netfilter_opts *opts);

/**
 * Says what an errno of unfrag_attach_netfilter() means for these arguments, and what to do.
 *
 * @param err  the errno, of either sign
 * @param opts what was asked; NULL: nothing known
 * @param buf  set to one sentence, cut to @p size bytes, always terminated
 * @return length of the sentence, as snprintf(3) does. Since: 0.1
 */
int unfrag_explain(int err, const struct unfrag_netfilter_opts *opts, char *buf, size_t size);

#ifdef __cplusplus
}
#endif
