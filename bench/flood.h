/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the benchmark of floods.
 *
 *   flood.c       the tables and targets
 *   flood_run.c   one attack on one router: how many honest exchanges come through
 *   flood_cost.c  what the guard costs a packet, and what the kernel's refusal does
 *   flood_veth.c  the latter over a real wire
 */
#pragma once

#include <attack.h>
#include <stdint.h>

#include "bench.h"

struct flood_plan {
	enum lab_attack_kind kind; /* LAB_ATTACK_MAX: no attack */
	int family;
	uint32_t rate; /* fragments a second */
	bool guarded;
	uint32_t questions; /* asked at 100 a second, of each pair */
};

struct flood_result {
	double honest; /* percent of exchanges with the server that came through */
	double other;  /* the same with another server, of no attack */
	double rate;   /* fragments a second that were sent */
	double memory; /* KiB that the kernel held at most; of IPv6, the guard's account */
	double limit;  /* KiB at which the kernel refuses all */
	double ns;     /* a run of the guard took, by the kernel's statistics */
};

/* 0 or -errno, told in words. */
int flood_run(struct flood_result *result, const struct flood_plan *plan);

enum cost_kind {
	COST_PASS_NETFILTER, /* whole packets, by a program that accepts all */
	COST_GUARD_NETFILTER,
	COST_PASS_TC,
	COST_GUARD_TC,
	COST_PASS_XDP,
	COST_GUARD_XDP,
	COST_SENT,      /* of a flood: made and thrown away */
	COST_KERNEL,    /* refused by the kernel's defragmenter */
	COST_DROP,      /* dropped by the guard at XDP */
	COST_WIRE_SENT, /* the same of packets sent into a wire, with all that the wire costs */
	COST_WIRE_KERNEL,
	COST_WIRE_DROP,
	COST_MAX,
};

const char *cost_name(enum cost_kind kind);

struct veth;

/* From a namespace of its own into the router, which reassembles. 0 or -errno, told in words. */
int veth_new(struct veth **out, const struct lab_router *router);
void veth_free(struct veth *v);

/* *ns: CPU time a packet, of sender, wire and receiver. xdp_fd: a program at the end, or -1. */
int veth_measure(struct veth *v, int xdp_fd, int family, double *ns);

struct costs;

int costs_new(struct costs **out);
void costs_free(struct costs *costs);

/* *ns: a packet, on average. 0 or -errno, told in words. */
int costs_measure(struct costs *costs, enum cost_kind kind, int family, double *ns);
