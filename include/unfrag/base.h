/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What every part of libunfrag has in common: the version, the log, and names. Sets of families and
 * hooks are bit masks, `1u << x`; hooks are numbered as the kernel's (enum nf_inet_hooks).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unfrag/outcome.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of the library in use, such as "0.1.0". Static. Since: 0.1 */
const char *unfrag_version(void);

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

#ifdef __cplusplus
}
#endif
