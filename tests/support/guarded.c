// SPDX-License-Identifier: GPL-2.0-or-later
#include "guarded.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unfrag/packet.h>

#include "../../src/guard/native.h"
#include "../../src/lib/link.h"
#include "guard_netfilter.skel.h"
#include "guard_tc.skel.h"
#include "guard_xdp.skel.h"
#include "testrun.h"

#define TC_PASS (-1)

/* The skeletons differ in type only. */
#define OPEN_PLACE(kind) \
	static void open_##kind(struct guarded_place *p, const struct guard_config *c) \
	{ \
		struct guard_##kind##_bpf *skel = guard_##kind##_bpf__open(); \
\
		assert_non_null(skel); \
		skel->rodata->test_clock = 1; \
		p->name = #kind; \
		p->obj = skel->obj; \
		set_type(p->name, skel->progs.guard); \
		test_ok(bpf_map__set_max_entries(skel->maps.sets, 2 * (c->datagram_mask + 1))); \
		test_ok(bpf_map__set_max_entries(skel->maps.datagrams, \
						 2 * (c->datagram_mask + 1) * GUARD_WAYS)); \
		test_ok(bpf_map__set_max_entries(skel->maps.sources, c->source_mask + 1)); \
		test_ok(guard_##kind##_bpf__load(skel)); \
		p->prog_fd = bpf_program__fd(skel->progs.guard); \
		p->config_fd = bpf_map__fd(skel->maps.config); \
		p->state_fd = bpf_map__fd(skel->maps.state); \
		p->counters_fd = bpf_map__fd(skel->maps.counters); \
		p->sources_fd = bpf_map__fd(skel->maps.sources); \
		p->datagram_mask = c->datagram_mask; \
		p->source_mask = c->source_mask; \
		p->skeleton = skel; \
		p->destroy = destroy_##kind; \
	} \
	struct swallow_semicolon

static void put_config(int fd, const struct guard_config *c)
{
	const uint32_t key = 0;

	test_ok(bpf_map_update_elem(fd, &key, c, BPF_ANY));
}

/* libbpf 1.1 does not know the section. */
static void set_type(const char *place, struct bpf_program *prog)
{
	if (strcmp(place, "netfilter") != 0)
		return;
	bpf_program__set_type(prog, (enum bpf_prog_type)LINK_PROG_TYPE_NETFILTER);
	bpf_program__set_expected_attach_type(prog,
					      (enum bpf_attach_type)LINK_ATTACH_TYPE_NETFILTER);
}

static void destroy_netfilter(void *skel)
{
	guard_netfilter_bpf__destroy(skel);
}

static void destroy_tc(void *skel)
{
	guard_tc_bpf__destroy(skel);
}

static void destroy_xdp(void *skel)
{
	guard_xdp_bpf__destroy(skel);
}

OPEN_PLACE(netfilter);
OPEN_PLACE(tc);
OPEN_PLACE(xdp);

static void (*const open_at[GUARDED_PLACES])(struct guarded_place *,
					     const struct guard_config *) = {
	open_netfilter,
	open_tc,
	open_xdp,
};

/* Of two guards at once. */
static struct guarded_place spare[2 * GUARDED_PLACES];

static int drop_event(void *arg, void *data, size_t size)
{
	(void)arg, (void)data, (void)size;
	return 0;
}

static void drain(int fd)
{
	struct ring_buffer *ring = ring_buffer__new(fd, drop_event, NULL, NULL);

	assert_non_null(ring);
	test_ok(ring_buffer__consume(ring));
	ring_buffer__free(ring);
}

static void wipe(const struct bpf_map *map)
{
	size_t cpus = bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY ?
			      (size_t)libbpf_num_possible_cpus() :
			      1;
	void *zeros = calloc(cpus, (bpf_map__value_size(map) + 7) & ~7u);

	assert_non_null(zeros);
	for (uint32_t key = 0; key < bpf_map__max_entries(map); key++)
		test_ok(bpf_map_update_elem(bpf_map__fd(map), &key, zeros, BPF_ANY));
	free(zeros);
}

static bool take_spare(struct guarded_place *p, int at, const struct guard_config *c)
{
	struct bpf_map *map;
	int i;

	for (i = at; i < 2 * GUARDED_PLACES; i += GUARDED_PLACES)
		if (spare[i].skeleton && spare[i].datagram_mask == c->datagram_mask &&
		    spare[i].source_mask == c->source_mask)
			break;
	if (i >= 2 * GUARDED_PLACES)
		return false;
	*p = spare[i];
	memset(&spare[i], 0, sizeof(spare[i]));
	bpf_object__for_each_map(map, p->obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF)
			drain(bpf_map__fd(map));
		else if (!bpf_map__is_internal(map))
			wipe(map);
	return true;
}

static void keep_spare(const struct guarded_place *p, int at)
{
	int i = spare[at].skeleton ? at + GUARDED_PLACES : at;

	if (spare[i].skeleton)
		p->destroy(p->skeleton);
	else
		spare[i] = *p;
}

static struct guard_native *native_new(const struct guard_config *c)
{
	size_t sets = 2 * ((size_t)c->datagram_mask + 1);
	struct guard_native *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	n->config = *c;
	n->index = calloc(sets, sizeof(*n->index));
	n->datagrams = calloc(sets * GUARD_WAYS, sizeof(*n->datagrams));
	assert_non_null(n->index);
	n->sources = calloc(c->source_mask + 1, sizeof(*n->sources));
	assert_non_null(n->datagrams);
	assert_non_null(n->sources);
	return n;
}

void guarded_open(struct guarded *g, const struct guard_config *c, bool bpf)
{
	memset(g, 0, sizeof(*g));
	g->now = 1000 * USUAL_SECOND;
	g->native = native_new(c);
	if (!bpf)
		return;
	for (; g->n_places < GUARDED_PLACES; g->n_places++) {
		if (!take_spare(&g->places[g->n_places], g->n_places, c))
			open_at[g->n_places](&g->places[g->n_places], c);
		put_config(g->places[g->n_places].config_fd, c);
	}
}

void guarded_tune(struct guarded *g, const struct guard_config *c)
{
	int i;

	g->native->config = *c;
	for (i = 0; i < g->n_places; i++)
		put_config(g->places[i].config_fd, c);
}

void guarded_close(struct guarded *g)
{
	int i;

	for (i = 0; i < g->n_places; i++)
		keep_spare(&g->places[i], i);
	if (g->native) {
		free(g->native->index);
		free(g->native->datagrams);
		free(g->native->sources);
	}
	free(g->native);
	memset(g, 0, sizeof(*g));
}

/* ---- the native build: what a program does around the decision, in plain memory */

static uint8_t first_of(const struct unfrag_facts *facts, const uint8_t *packet)
{
	return facts->has_l4 ? packet[facts->l4_off] : 0;
}

static bool native_glance(const uint8_t *packet, size_t len)
{
	bool ipv6 = packet[0] >> 4 == 6;

	return len >= (ipv6 ? GLANCE_IPV6_HLEN : UNFRAG_IPV4_HLEN) &&
	       guard_glance(packet, (uint32_t)len, ipv6);
}

static bool native_see(struct guarded *g, const uint8_t *packet, size_t len)
{
	struct guard_fragment f = { .now = g->now, .charge = g->native->config.least_charge };
	struct unfrag_facts facts = { 0 };
	int lies;

	guard_here = g->native;
	guard_here->moment = g->now;
	if (native_glance(packet, len)) {
		g->glances++;
		return false;
	}
	lies = unfrag_facts_read(&facts, packet, (uint32_t)len);
	f.family = packet[0] >> 4 == 6;
	if (!lies && facts.frag == UNFRAG_FRAG_NONE)
		return true;
	if (!lies)
		fragment_fill(&f, &g->native->config, &facts, packet, 1);
	return guard_sees(&f, &facts, first_of(&facts, packet), lies);
}

/* ---- the programs */

static bool run_on_device(const struct guarded_place *p, const uint8_t *packet, size_t len)
{
	unsigned char frame[sizeof(struct ether_header) + TESTRUN_MAX];
	bool ipv6 = packet[0] >> 4 == 6;
	struct ether_header eth = { .ether_type = htons(ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = (uint32_t)(sizeof(eth) + len), .repeat = 1);

	assert_true(len <= TESTRUN_MAX);
	memcpy(frame, &eth, sizeof(eth));
	memcpy(frame + sizeof(eth), packet, len);
	test_ok(bpf_prog_test_run_opts(p->prog_fd, &opts));
	if (!strcmp(p->name, "xdp")) {
		assert_true(opts.retval == XDP_PASS || opts.retval == XDP_DROP);
		return opts.retval == XDP_PASS;
	}
	assert_true((int)opts.retval == TC_PASS || opts.retval == 2);
	return (int)opts.retval == TC_PASS;
}

static bool run_at(const struct guarded_place *p, const uint8_t *packet, size_t len)
{
	if (strcmp(p->name, "netfilter") != 0)
		return run_on_device(p, packet, len);
	return test_ok(
		testrun(p->prog_fd, packet[0] >> 4 == 6 ? AF_INET6 : AF_INET, 0, packet, len, 1));
}

static void set_clock(const struct guarded_place *p, uint64_t now)
{
	const uint32_t key = 0;
	struct guard_state s;

	test_ok(bpf_map_lookup_elem(p->state_fd, &key, &s));
	s.clock = now;
	test_ok(bpf_map_update_elem(p->state_fd, &key, &s, BPF_ANY));
}

static void place_counters(const struct guarded_place *p, uint32_t family, struct guard_counters *c)
{
	int n = libbpf_num_possible_cpus(), i;
	struct guard_counters *cpus = calloc((size_t)n, sizeof(*cpus));
	uint64_t *to = (uint64_t *)c, *from;
	size_t k;

	assert_non_null(cpus);
	test_ok(bpf_map_lookup_elem(p->counters_fd, &family, cpus));
	memset(c, 0, sizeof(*c));
	for (i = 0; i < n; i++) {
		from = (uint64_t *)&cpus[i];
		for (k = 0; k < sizeof(*c) / sizeof(*to); k++)
			to[k] += from[k];
	}
	free(cpus);
}

static void same_counters(const struct guarded *g, const struct guarded_place *p)
{
	struct guard_counters c;
	uint32_t family;

	for (family = 0; family < GUARD_FAMILIES; family++) {
		place_counters(p, family, &c);
		assert_memory_equal(&c, &g->native->counters[family], sizeof(c));
	}
}

uint32_t guarded_see(struct guarded *g, const void *packet, size_t len)
{
	const uint8_t *bytes = packet;
	struct guard_counters before = g->native->counters[bytes[0] >> 4 == 6];
	const struct guard_counters *after = &g->native->counters[bytes[0] >> 4 == 6];
	bool passed = native_see(g, packet, len);
	uint32_t reason = UNFRAG_REASON_NONE, i;

	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		if (after->reasons[i] != before.reasons[i])
			reason = i;
	assert_int_equal(passed, reason == UNFRAG_REASON_NONE);
	for (i = 0; i < (uint32_t)g->n_places; i++) {
		set_clock(&g->places[i], g->now);
		assert_int_equal(run_at(&g->places[i], packet, len), passed);
	}
	return reason;
}

uint32_t guarded_see_packet(struct guarded *g, const struct lab_packets *packets, size_t i)
{
	size_t len;
	const void *packet = lab_packet_at(packets, i, &len);

	return guarded_see(g, packet, len);
}

uint32_t guarded_see_at(struct guarded *g, const struct lab_datagram *dg, size_t off, size_t len,
			bool more)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	test_ok(lab_fragment_at(dg, off, len, more, &packets));
	return guarded_see_packet(g, &packets, 0);
}

int64_t guarded_used(const struct guarded *g, int family)
{
	return g->native->state.used[family == AF_INET6];
}

const struct guard_counters *guarded_counters(const struct guarded *g, int family)
{
	return &g->native->counters[family == AF_INET6];
}

const struct guard_source *guarded_source(const struct guarded *g, int family,
					  const struct lab_datagram *dg)
{
	const struct guard_source *s;
	uint64_t key[2] = { 0, 0 };
	uint32_t i, way;

	memcpy(key, &dg->src, family == AF_INET6 ? 8 : 4);
	for (i = 0; i <= g->native->config.source_mask; i++)
		for (way = 0; way < GUARD_WAYS; way++) {
			s = &g->native->sources[i].s[way];
			if (g->native->sources[i].tags[way] && s->key[0] == key[0] &&
			    s->key[1] == key[1] && s->family == (family == AF_INET6))
				return s;
		}
	return NULL;
}

void guarded_agree(const struct guarded *g)
{
	const uint32_t key = 0;
	struct guard_state s;
	int i;

	for (i = 0; i < g->n_places; i++) {
		test_ok(bpf_map_lookup_elem(g->places[i].state_fd, &key, &s));
		assert_memory_equal(s.used, g->native->state.used, sizeof(s.used));
		same_counters(g, &g->places[i]);
	}
}

static void same_natively(const struct guard_native *a, const struct guard_native *b)
{
	size_t sets = 2 * ((size_t)a->config.datagram_mask + 1);

	assert_memory_equal(&a->state, &b->state, sizeof(a->state));
	assert_memory_equal(a->counters, b->counters, sizeof(a->counters));
	assert_memory_equal(a->index, b->index, sets * sizeof(*a->index));
	assert_memory_equal(a->datagrams, b->datagrams, sets * GUARD_WAYS * sizeof(*a->datagrams));
	assert_memory_equal(a->sources, b->sources,
			    ((size_t)a->config.source_mask + 1) * sizeof(*a->sources));
}

static void same_sources(const struct guarded_place *a, const struct guarded_place *b,
			 uint32_t sets)
{
	static struct guard_sources of_a, of_b;
	uint32_t i;

	for (i = 0; i < sets; i++) {
		test_ok(bpf_map_lookup_elem(a->sources_fd, &i, &of_a));
		test_ok(bpf_map_lookup_elem(b->sources_fd, &i, &of_b));
		assert_memory_equal(&of_a, &of_b, sizeof(of_a));
	}
}

void guarded_same(const struct guarded *a, const struct guarded *b)
{
	struct guard_state of_a, of_b;
	const uint32_t key = 0;
	int i;

	same_natively(a->native, b->native);
	for (i = 0; i < a->n_places; i++) {
		test_ok(bpf_map_lookup_elem(a->places[i].state_fd, &key, &of_a));
		test_ok(bpf_map_lookup_elem(b->places[i].state_fd, &key, &of_b));
		assert_memory_equal(&of_a, &of_b, sizeof(of_a));
		same_sources(&a->places[i], &b->places[i], a->native->config.source_mask + 1);
	}
	guarded_agree(a);
	guarded_agree(b);
}
