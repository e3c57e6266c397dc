/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine's benchmark and its peer share: loads, and packets in buffers as a driver would
 * have them. The peer is DPDK's rte_ip_frag if that was there when this was built.
 */
#pragma once

#include <lab.h>
#include <stdbool.h>
#include <stdint.h>

#define BENCH_SECOND UINT64_C(1000000000)
#define BENCH_STRIDE 2304u

/* Datagrams of some fragments; so many on their way at once, each a fragment in turn. */
struct load {
	const char *name;
	int family;
	int fragments;
	int size; /* payload bytes of each */
	enum lab_order order;
	int width;
};

/* The fragments of one datagram; copies of it differ in identification and source. */
struct template
{
	struct lab_packets packets;
	int family;
};

/* A flood: honest datagrams of two fragments, and orphans. */
struct flood {
	int good_rate; /* datagrams a second */
	int orphan_rate;
	uint64_t gap; /* ns between the two fragments of a datagram */
	int seconds;
};

struct flood_result {
	uint64_t good, whole;
	size_t memory; /* bytes that the table takes */
	size_t held;   /* bytes of the packets that it holds on to besides */
};

struct flood_buffers {
	unsigned char *memory;
	void **free;
	uint32_t n_free;
};

uint64_t bench_now(void);
_Noreturn void bench_die(const char *what, int rc);

void template_init(struct template *t, int family, int fragments, int size, enum lab_order order);

/* Writes fragment k of datagram number i; returns its length. */
uint32_t template_write(const struct template *t, int k, uint64_t i, unsigned char *out);

/* Packet n of a load: which fragment of which datagram. */
void load_at(const struct load *load, int n, int *fragment, int *datagram);

/* Packets in a round of the load. */
int load_packets(const struct load *load);

/* One packet of a flood at a time; false at its end. */
struct flood_packet {
	uint64_t now;
	bool orphan;
	int fragment;
	uint64_t number;
};

bool flood_next(const struct flood *flood, uint64_t *step, struct flood_packet *packet);
uint32_t flood_write(const struct template *t, const struct flood_packet *packet,
		     unsigned char *out);

void flood_buffers_init(struct flood_buffers *b);
void *flood_buffer_take(struct flood_buffers *b);
void flood_buffer_give(struct flood_buffers *b, void *buffer);
size_t flood_buffers_held(const struct flood_buffers *b);
void flood_buffers_release(struct flood_buffers *b);

/* All floods; peer: its name, or NULL. */
void floods(const char *peer);

/* The engine, and one round of the load; ns a fragment, with what is lent taken back. */
struct ours;
struct ours *ours_open(const struct load *load, const struct template *t, bool borrow);
double ours_round(struct ours *o, int round);
void ours_close(struct ours *o);
void ours_flood(const struct flood *flood, const struct template *t, bool borrow,
		struct flood_result *result);

/* The peer. NULL: there is none; *why says so. */
const char *peer_name(const char **why);

/* The same of the peer; all_in: its buffers freed as well. NULL: not so many fragments. */
struct peer;
struct peer *peer_open(const struct load *load, const struct template *t);
void peer_round(struct peer *p, int round, double *work, double *all_in);
void peer_close(struct peer *p);
void peer_flood(const struct flood *flood, const struct template *t, struct flood_result *result);
