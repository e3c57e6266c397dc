/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * libunfrag: BPF netfilter programs that judge whole IPv4 and IPv6 packets, never fragments.
 *
 * Functions return 0 or a negative errno, leave their out parameters untouched on failure, never
 * print and never exit; what went wrong is told in words to the log callback. Handles are not
 * thread-safe, different handles may be used by different threads. Nothing needs a running
 * process: what outlives a call is pinned in a BPF file system. Manual: libunfrag(3).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unfrag/outcome.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_link;
struct bpf_object;
struct bpf_program;

/** Version of the library in use, such as "0.1.0". Static. Since: 0.1 */
const char *unfrag_version(void);

/** @name What went wrong, in words
 * @{ */

enum unfrag_log_level {
	UNFRAG_LOG_ERROR, /**< why a call is about to fail, one sentence */
	UNFRAG_LOG_WARNING,
	UNFRAG_LOG_DEBUG,
};

typedef void (*unfrag_log_fn)(enum unfrag_log_level level, const char *message, void *arg);

/**
 * Sets who hears what the library has to say; NULL, as at the start: nobody.
 *
 * @p fn is called on the thread of the call it belongs to. Set it before other threads use the
 * library. Since: 0.1
 */
void unfrag_set_log(unfrag_log_fn fn, void *arg);

/** @} */

/** @name Families and hooks
 * Sets are bit masks, `1u << x`. Numbers are the kernel's (enum nf_inet_hooks).
 * @{ */

enum unfrag_hook {
	UNFRAG_HOOK_PREROUTING,
	UNFRAG_HOOK_INPUT,
	UNFRAG_HOOK_FORWARD,
	UNFRAG_HOOK_OUTPUT,
	UNFRAG_HOOK_POSTROUTING,
	UNFRAG_HOOK_MAX,
};

#define UNFRAG_FAMILIES_IPV4 0x1u
#define UNFRAG_FAMILIES_IPV6 0x2u
#define UNFRAG_FAMILIES_BOTH 0x3u

/** Priority of the kernel's defragmenter; a link that wants whole packets stands above it. */
#define UNFRAG_PRIORITY_DEFRAG (-400)
/** Where attachments stand if nothing else is asked: behind the defragmenter, before conntrack. */
#define UNFRAG_PRIORITY_DEFAULT (-350)

/** "prerouting" and so on; NULL when @p hook is none. Static. Since: 0.1 */
const char *unfrag_hook_name(enum unfrag_hook hook);

/** The hook of that name, or -EINVAL. Since: 0.1 */
int unfrag_hook_by_name(const char *name);

/** "whole" and so on; NULL when @p outcome is none. Static. Since: 0.1 */
const char *unfrag_outcome_name(enum unfrag_outcome outcome);

/** Whether a packet with that outcome reaches the program. Since: 0.1 */
bool unfrag_outcome_judged(enum unfrag_outcome outcome);

/** One line that says what the outcome means; NULL likewise. Static. Since: 0.1 */
const char *unfrag_outcome_text(enum unfrag_outcome outcome);

/**
 * Identity of a network namespace, as in "net:[INODE]".
 *
 * @param netns as in struct unfrag_attach_opts
 * @return 0, -ENOENT, -EINVAL, -EPERM. Since: 0.1
 */
int unfrag_netns_inode(const char *netns, uint64_t *inode);

/** @} */

/** @name The plain link
 * @{ */

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

/** @} */

/** @name What this kernel and this process can do
 * @{ */

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
 * @return 0; -EPERM: a capability is missing; -EOPNOTSUPP: this kernel can't. Which, and since when
 *         kernels can, is told to the log. Since: 0.1
 */
int unfrag_probe_require(void);

const char *unfrag_feature_name(enum unfrag_feature feature);
const char *unfrag_feature_since(enum unfrag_feature feature);
const char *unfrag_feature_text(enum unfrag_feature feature);

/** @} */

/** @name Attachments
 * A program that stands behind unfrag's front at every family and hook asked for, under one name.
 * @{ */

#define UNFRAG_NAME_MAX 63

#define UNFRAG_ATTACH_PRIORITY          0x1u  /**< `priority` counts; else the default */
#define UNFRAG_ATTACH_NO_DEFRAG         0x2u  /**< don't ask the kernel to reassemble */
#define UNFRAG_ATTACH_ACCEPT_FRAGMENTS  0x4u  /**< what is still a fragment goes on, unjudged */
#define UNFRAG_ATTACH_ACCEPT_UNREADABLE 0x8u  /**< likewise for unreadable headers */
#define UNFRAG_ATTACH_ACCEPT_EMPTY      0x10u /**< likewise when there is no program */

struct unfrag_attach_opts {
	size_t sz;
	/**
	 * Network namespace: a name under /run/netns, a path, or a process id; NULL: the caller's.
	 * The caller's own namespace is never changed.
	 */
	const char *netns;
	uint32_t families;  /**< UNFRAG_FAMILIES_...; 0: both */
	uint32_t hooks;     /**< `1u << UNFRAG_HOOK_...`; 0: prerouting */
	int32_t priority;   /**< with UNFRAG_ATTACH_PRIORITY */
	uint32_t flags;     /**< UNFRAG_ATTACH_... */
	const char *source; /**< where the program is from, to be shown to people; NULL: unknown */
};

struct unfrag_attachment;

/**
 * Attaches a program under a name, at all families and hooks asked for or at none.
 *
 * Until the last link stands every packet passes as before; then one step puts the program in
 * force everywhere. What is made is pinned under `unfrag/NAME/` in the BPF file system (mounted at
 * /sys/fs/bpf if it is not), the maps of @p obj among it, and outlives the caller.
 *
 * @param out  set to a handle on success, to be given to unfrag_attachment_free()
 * @param name 1..63 of letters, digits, `-` and `_`, first a letter or digit
 * @param obj  loaded; may be closed afterwards
 * @param prog one of its programs; NULL: its only netfilter program
 * @param opts NULL: defaults
 * @return 0; -EEXIST when the name is in use; -EBUSY when another hook stands at the priority;
 *         -EINVAL, -EPERM, -EOPNOTSUPP (this kernel can't) or what the kernel said. Since: 0.1
 */
int unfrag_attachment_attach(struct unfrag_attachment **out, const char *name,
			     struct bpf_object *obj, struct bpf_program *prog,
			     const struct unfrag_attach_opts *opts);

/** Opens an attachment by name, broken ones too. 0, -EINVAL, -ENOENT, -EPERM. Since: 0.1 */
int unfrag_attachment_open(struct unfrag_attachment **out, const char *name);

/** Gives up a handle; the attachment stays as it is. NULL is allowed. Since: 0.1 */
void unfrag_attachment_free(struct unfrag_attachment *att);

/**
 * Lets maps of an opened, not yet loaded object be those of the program in force, where name, type,
 * key, value and size are the same. To be called before bpf_object__load() and
 * unfrag_attachment_replace().
 *
 * @return number of maps that will be kept, or -EBUSY, -EIO, -EPERM. Since: 0.1
 */
int unfrag_attachment_reuse_maps(struct unfrag_attachment *att, struct bpf_object *obj);

/**
 * Puts another program into force, in one step: every packet is judged by the old one or by the
 * new one. On failure the old one stays.
 *
 * @param source as in struct unfrag_attach_opts
 * @return 0; -EBUSY while another process changes it; -EBADF when it is broken. Since: 0.1
 */
int unfrag_attachment_replace(struct unfrag_attachment *att, struct bpf_object *obj,
			      struct bpf_program *prog, const char *source);

/**
 * Takes the attachment away, whole or broken: links first, then all that was pinned. The handle
 * stays to be freed.
 *
 * @return 0; -EBUSY while another process changes it. Since: 0.1
 */
int unfrag_attachment_detach(struct unfrag_attachment *att);

enum unfrag_state {
	UNFRAG_STATE_READY,    /**< in force */
	UNFRAG_STATE_BUSY,     /**< a process is changing it now */
	UNFRAG_STATE_BROKEN,   /**< cut short or tampered with; detach cleans it */
	UNFRAG_STATE_ORPHANED, /**< its namespace has no process and no name left */
	UNFRAG_STATE_MAX,
};

/** "ready" and so on. Static. Since: 0.1 */
const char *unfrag_state_name(enum unfrag_state state);

struct unfrag_attachment_info {
	size_t sz; /**< set by the caller */
	enum unfrag_state state;
	char problem[128]; /**< why it is not ready; empty if it is */
	uint32_t families; /**< as asked, defaults filled in; so the next three */
	uint32_t hooks;
	int32_t priority;
	uint32_t flags;
	uint32_t links;       /**< how many of its links are there */
	uint64_t netns_inode; /**< identity of the namespace, as in "net:[INODE]" */
	char netns[256];      /**< its name, a path or "pid:N" now; "current"; "" if it has none */
	int64_t since;        /**< when it was attached, seconds since 1970 */
	uint32_t program_id;  /**< the kernel's id of the program in force; 0: none */
	char program[128];    /**< its name */
	char source[256];     /**< where it is from */
	int64_t program_since;
};

/** Describes the attachment as it is now. 0 or -EIO, -EPERM. Since: 0.1 */
int unfrag_attachment_info(struct unfrag_attachment *att, struct unfrag_attachment_info *info);

struct unfrag_counters {
	size_t sz;        /**< set by the caller */
	uint64_t packets; /**< sum of the outcomes */
	uint64_t outcomes[UNFRAG_OUTCOME_MAX];
	uint64_t frag_max_size; /**< bytes of the largest original fragment, 0: none seen */
};

/**
 * Counters of one family and hook, summed over CPUs, since the attachment was made.
 *
 * @param family UNFRAG_FAMILIES_IPV4 or UNFRAG_FAMILIES_IPV6
 * @return 0; -EINVAL; -EBADF when it has none (broken). Since: 0.1
 */
int unfrag_attachment_counters(struct unfrag_attachment *att, uint32_t family,
			       enum unfrag_hook hook, struct unfrag_counters *counters);

/**
 * Calls @p fn with every attachment's name, in order, until it returns other than 0.
 *
 * @return 0, what @p fn returned, or a negative errno. Since: 0.1
 */
int unfrag_attachment_each(int (*fn)(const char *name, void *arg), void *arg);

/** @} */

/** @name Defragmentation without a program
 * @{ */

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
 * @return 0; -EEXIST when that holder already has one there; else as for an attachment. Since: 0.1
 */
int unfrag_defrag_hold(struct unfrag_hold **out, const struct unfrag_hold_opts *opts);

/** Opens a hold by the id unfrag_hold_each() gives, broken ones too. Since: 0.1 */
int unfrag_hold_open(struct unfrag_hold **out, const char *id);

/** Ends the hold and frees the handle. 0, or -EBUSY: then it stays, handle and all. Since: 0.1 */
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
};

/** Describes the hold as it is now. Since: 0.1 */
int unfrag_hold_info(struct unfrag_hold *hold, struct unfrag_hold_info *info);

/** Calls @p fn with every holder's hold, by id, until it returns other than 0. Since: 0.1 */
int unfrag_hold_each(int (*fn)(const char *id, void *arg), void *arg);

/**
 * Whether the kernel reassembles in a namespace now, whoever asked for it: tried by asking for the
 * defragmenter's own place, which only it takes.
 *
 * @param family UNFRAG_FAMILIES_IPV4 or UNFRAG_FAMILIES_IPV6
 * @return 1 on, 0 off, or a negative errno. Since: 0.1
 */
int unfrag_defrag_status(const char *netns, uint32_t family);

/** @} */

#ifdef __cplusplus
}
#endif
