/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * bpf(2) calls that libbpf 1.1 does not have, and constants that kernel headers 6.1 do not.
 */
#pragma once

#include <stdint.h>

#include <unfrag/unfrag.h>

#define LINK_PROG_TYPE_NETFILTER     32
#define LINK_ATTACH_TYPE_NETFILTER   45
#define LINK_ATTACH_TYPE_TCX_INGRESS 46

/* What BPF_OBJ_GET_INFO_BY_FD tells of a netfilter link. */
struct link_info {
	uint32_t type;
	uint32_t id;
	uint32_t prog_id;
	uint32_t pad;
	uint32_t pf;
	uint32_t hook;
	int32_t priority;
	uint32_t flags;
};

#define LINK_TYPE_NETFILTER 10

/* A link in the namespace of the calling thread: its file descriptor, or the kernel's errno. */
int link_create(int prog_fd, const struct unfrag_netfilter_opts *opts);

int link_get_info(int fd, struct link_info *info);

/* Two instructions: accept. For links that are there for their flag, and slots not yet armed. */
int link_load_pass(void);
