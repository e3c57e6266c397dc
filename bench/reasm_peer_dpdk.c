// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DPDK's rte_ip_frag under the same loads. Buffers are allocated and filled before the clock runs,
 * as a driver would have done; freeing the chain is timed apart. Fetching ahead as DPDK's own
 * ip_reassembly example does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ip_frag.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "reasm.h"

#define BUCKET_ENTRIES 16u
#define FETCH_AHEAD    3
#define FLOOD_FLOWS    4096u
#define FLOOD_MBUFS    (1u << 17)

static struct rte_ip_frag_death_row death_row;
static int started; /* 1, or -1: it can't be */
static unsigned char linear[1 << 17];

struct peer {
	const struct load *load;
	const struct template *t;
	struct rte_ip_frag_tbl *table;
	struct rte_mempool *pool;
	struct rte_mbuf **mbufs;
	int n;
};

/* Its parser of options writes into them. */
static int start(void)
{
	static char options[] =
		"bench\0--no-huge\0--no-pci\0--no-shconf\0--no-telemetry\0"
		"--log-level=error\0-m2048\0-l0";
	char *args[8 + 1] = { NULL };
	char *at = options;
	int n;

	for (n = 0; n < 8; n++, at += strlen(at) + 1)
		args[n] = at;
	return rte_eal_init(n, args);
}

const char *peer_name(const char **why)
{
	*why = "DPDK's environment does not start";
	if (!started)
		started = start() < 0 ? -1 : 1;
	return started < 0 ? NULL : "DPDK rte_ip_frag";
}

static struct rte_mbuf *make(struct rte_mempool *pool, const struct template *t, int k, uint64_t i)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (!m)
		bench_die("allocating a packet buffer", -ENOMEM);
	m->data_len = (uint16_t)template_write(t, k, i, rte_pktmbuf_mtod(m, unsigned char *));
	m->pkt_len = m->data_len;
	m->l2_len = 0;
	m->l3_len = t->family == AF_INET ? 20 : 48;
	return m;
}

static struct rte_mbuf *push(struct rte_ip_frag_tbl *table, struct rte_mbuf *m, int family,
			     uint64_t now)
{
	unsigned char *ip = rte_pktmbuf_mtod(m, unsigned char *);

	if (family == AF_INET)
		return rte_ipv4_frag_reassemble_packet(table, &death_row, m, now, (void *)ip);
	return rte_ipv6_frag_reassemble_packet(table, &death_row, m, now, (void *)ip,
					       (void *)(ip + 40));
}

static void copy_out(const struct rte_mbuf *m)
{
	unsigned char *out = linear;

	for (; m; m = m->next) {
		memcpy(out, rte_pktmbuf_mtod(m, const unsigned char *), m->data_len);
		out += m->data_len;
	}
	__asm__ volatile("" : : "r"(linear) : "memory");
}

/* Reassembles and copies; whole ones move to the front of the array. Returns how many. */
static int work(struct rte_ip_frag_tbl *table, struct rte_mbuf **mbufs, int n, int family,
		uint64_t now)
{
	struct rte_mbuf *m;
	int i, whole = 0;

	for (i = 0; i < n; i++) {
		if (i + FETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + FETCH_AHEAD], void *));
		m = push(table, mbufs[i], family, now);
		if (m) {
			copy_out(m);
			mbufs[whole++] = m;
		}
	}
	return whole;
}

struct peer *peer_open(const struct load *load, const struct template *t)
{
	uint32_t flows = load->width > 1 ? 16384 : 4096;
	struct peer *p;

	if (started < 0 || load->fragments > RTE_LIBRTE_IP_FRAG_MAX_FRAG)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		bench_die("making the peer", -ENOMEM);
	p->load = load;
	p->t = t;
	p->n = load_packets(load);
	p->mbufs = calloc((size_t)p->n, sizeof(*p->mbufs));
	p->pool = rte_pktmbuf_pool_create("bench", (unsigned)p->n + 512, 256, 0,
					  RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	p->table = rte_ip_frag_table_create(flows / BUCKET_ENTRIES * 4, BUCKET_ENTRIES, flows,
					    BENCH_SECOND, SOCKET_ID_ANY);
	if (!p->mbufs || !p->pool || !p->table)
		bench_die("making the peer's table", -ENOMEM);
	return p;
}

void peer_round(struct peer *p, int round, double *work_ns, double *all_in)
{
	int datagrams = p->n / p->load->fragments, i, k, d, whole;
	uint64_t from, to, end;

	for (i = 0; i < p->n; i++) {
		load_at(p->load, i, &k, &d);
		p->mbufs[i] = make(p->pool, p->t, k,
				   (uint64_t)round * (uint64_t)datagrams + (uint64_t)d);
	}
	from = bench_now();
	whole = work(p->table, p->mbufs, p->n, p->load->family, 1 + (uint64_t)round);
	to = bench_now();
	for (i = 0; i < whole; i++)
		rte_pktmbuf_free(p->mbufs[i]);
	end = bench_now();
	if (whole != datagrams)
		bench_die("the peer lost datagrams", -EIO);
	*work_ns = (double)(to - from) / p->n;
	*all_in = (double)(end - from) / p->n;
}

void peer_close(struct peer *p)
{
	rte_ip_frag_table_destroy(p->table);
	rte_mempool_free(p->pool);
	free(p->mbufs);
	free(p);
}

static size_t allocated(void)
{
	struct rte_malloc_socket_stats stats;

	return rte_malloc_get_socket_stats(0, &stats) ? 0 : stats.heap_allocsz_bytes;
}

static void count(struct flood_result *result, struct rte_mbuf *m,
		  const struct flood_packet *packet)
{
	if (!m)
		return;
	result->whole += !packet->orphan;
	rte_pktmbuf_free(m);
}

/* The leanest table for so many: two hashes, so each entry could be in 32 places. */
void peer_flood(const struct flood *flood, const struct template *t, struct flood_result *result)
{
	size_t before = allocated();
	struct rte_ip_frag_tbl *table = rte_ip_frag_table_create(FLOOD_FLOWS / BUCKET_ENTRIES,
								 BUCKET_ENTRIES, FLOOD_FLOWS,
								 30 * BENCH_SECOND, SOCKET_ID_ANY);
	struct rte_mempool *pool;
	struct flood_packet packet;
	uint64_t step = 0;
	struct rte_mbuf *m;

	memset(result, 0, sizeof(*result));
	result->memory = allocated() - before;
	pool = rte_pktmbuf_pool_create("flood", FLOOD_MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (!pool || !table)
		bench_die("making the peer's table", -ENOMEM);
	while (flood_next(flood, &step, &packet)) {
		m = rte_pktmbuf_alloc(pool);
		if (!m)
			bench_die("allocating a packet buffer", -ENOMEM);
		m->data_len = (uint16_t)flood_write(t, &packet,
						    rte_pktmbuf_mtod(m, unsigned char *));
		m->pkt_len = m->data_len;
		m->l3_len = 20;
		result->good += !packet.orphan && packet.fragment == 0;
		count(result, push(table, m, AF_INET, packet.now), &packet);
		rte_ip_frag_free_death_row(&death_row, 0);
	}
	result->held = (size_t)rte_mempool_in_use_count(pool) *
		       (sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE);
	rte_ip_frag_table_destroy(table);
	rte_mempool_free(pool);
}
