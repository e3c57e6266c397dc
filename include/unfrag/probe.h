/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What this kernel and this process can do, found by trying and never by a version number.
 */
#pragma once

#include <stdint.h>

#include <unfrag/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, "name", "first kernel that has it", "what it is") */
#define UNFRAG_FEATURES(X) \
	X(PROGRAM, "program", "6.4", "BPF netfilter programs") \
	X(LINK, "link", "6.4", "BPF netfilter links") \
	X(DEFRAG_FLAG, "defrag_flag", "6.6", "links that ask for defragmentation") \
	X(DEFRAG_IPV4, "defrag_ipv4", "6.6", "the IPv4 defragmenter, reached from a link") \
	X(DEFRAG_IPV6, "defrag_ipv6", "6.6", "the IPv6 defragmenter, reached from a link") \
	X(BTF, "btf", "5.4", "the kernel's type information") \
	X(BPFFS, "bpffs", "4.4", "a mounted BPF file system") \
	X(TCX, "tcx", "6.6", "tc programs by link") \
	X(XDP, "xdp", "5.9", "XDP programs by link")

enum unfrag_feature {
#define X(id, name, since, text) UNFRAG_FEATURE_##id,
	UNFRAG_FEATURES(X)
#undef X
		UNFRAG_FEATURE_MAX,
};

enum unfrag_answer {
	UNFRAG_ANSWER_NO,
	UNFRAG_ANSWER_YES,
	UNFRAG_ANSWER_UNKNOWN, /**< could not be tried; the errno tells why */
};

/** Limits and use of one family's defragmenter in one namespace; -1: the kernel does not tell. */
struct unfrag_frag_limits {
	int64_t memory;      /**< bytes held by fragments; IPv6: never told for netfilter's cache */
	int64_t datagrams;   /**< datagrams being put together */
	int64_t high_thresh; /**< bytes at which every fragment of everyone is refused */
	int64_t timeout;     /**< seconds from the first fragment on */
	int64_t max_dist;    /**< IPv4: other fragments of a source between two of one datagram */
};

struct unfrag_probe;

/**
 * Finds out by trying: loads programs and makes links in a network namespace of its own that is
 * gone afterwards. No traffic is touched.
 *
 * @param netns where the fragment limits are read, as in struct unfrag_attach_opts; NULL: here
 * @return 0; -ENOENT when there is no such namespace; -ENOMEM. Since: 0.1
 */
int unfrag_probe_new(struct unfrag_probe **out, const char *netns);
void unfrag_probe_free(struct unfrag_probe *probe);

/** Whether a feature is there; @p err, if not NULL, is set to the errno that told (0 for yes). */
enum unfrag_answer unfrag_probe_feature(const struct unfrag_probe *probe,
					enum unfrag_feature feature, int *err);

/** Where the BPF file system that attachments use is mounted; NULL: nowhere. */
const char *unfrag_probe_bpffs(const struct unfrag_probe *probe);

/** Effective capabilities of the process, `1 << CAP_...` (linux/capability.h). */
uint64_t unfrag_probe_capabilities(const struct unfrag_probe *probe);

/** Fragment limits of one family, `UNFRAG_FAMILIES_IPV4` or `_IPV6`; NULL for anything else. */
const struct unfrag_frag_limits *unfrag_probe_limits(const struct unfrag_probe *probe,
						     uint32_t family);

/**
 * Whether this kernel and this process can make attachments at all.
 *
 * @return 0; -EPERM: a capability is missing; -EOPNOTSUPP: this kernel can't; -EMFILE: too few file
 *         descriptors are left. Which, and since when kernels can, is told to the log. Since: 0.1
 */
int unfrag_probe_require(void);

/**
 * The same of the kernel alone, for who only wants to look: what this process may not try counts as
 * there.
 *
 * @return 0, or -EOPNOTSUPP, told to the log. Since: 0.1
 */
int unfrag_probe_kernel(void);

const char *unfrag_feature_name(enum unfrag_feature feature);
const char *unfrag_feature_since(enum unfrag_feature feature);
const char *unfrag_feature_text(enum unfrag_feature feature);

#ifdef __cplusplus
}
#endif
