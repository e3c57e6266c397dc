/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Single questions to the kernel, answered by trying.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <unfrag/unfrag.h>

/*
 * Makes a link of a program that accepts, in a namespace (see netns_call()), and takes it away.
 * Returns 0, or the negative errno of the first step that failed.
 */
int probe_link_in(int netns_fd, const struct unfrag_netfilter_opts *opts);

/* The same in a namespace of its own; -EACCES when none could be made. */
int probe_link(uint32_t pf, uint32_t flags);

/* False when this kernel does not know BPF netfilter programs; true when it can't be told. */
bool probe_programs(void);

/* Whether this process may do what attachments and holds take. Logs why not. */
int probe_require_process(void);

/* The same, and whether the kernel has the type information that programs are loaded with. */
int probe_require_types(void);

/* The limits of both families' defragmenters, in a namespace (see netns_call()). */
int probe_limits(int netns_fd, struct unfrag_frag_limits limits[2]);
