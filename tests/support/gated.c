// SPDX-License-Identifier: GPL-2.0-or-later
#include "gated.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>
#include <unistd.h>

#include "../../src/gate/native.h"
#include "../../src/gate/read_native.h"
#include "../../src/lib/link.h"
#include "gate.skel.h"
#include "testrun.h"

static const union gate_tuple_value *find_tuple(void *arg, const struct gate_tuple *key)
{
	const struct rules *r = ((struct gated *)arg)->rules;
	uint32_t i;

	for (i = 0; i < r->n_tuples; i++)
		if (memcmp(&r->tuples[i].key, key, sizeof(*key)) == 0)
			return &r->tuples[i].value;
	return NULL;
}

static void hear_log(void *arg, const struct gate_walk *w, const struct gate_entry *e)
{
	struct gated *g = arg;

	assert_true(w->hook < GATE_HOOKS && e->log <= GATED_LOGS);
	g->logged[e->log - 1]++;
}

static struct gate_native *native_new(struct gated *g)
{
	struct gate_native *n = calloc(1, sizeof(*n));
	const struct rules *r = g->rules;

	assert_non_null(n);
	assert_true(r->n_counters <= GATED_COUNTERS);
	memcpy(g->limits, r->limits, sizeof(g->limits));
	*n = (struct gate_native){
		.config = &r->config,
		.vectors = (const __u64 *)r->vectors,
		.direct = r->direct,
		.lines = { r->lines.lines, r->lines.n },
		.trees = (const struct gate_native_tree *)r->trees,
		.entries = r->entries,
		.checks = r->checks,
		.chains = r->chains,
		.limits = g->limits,
		.counters = g->counters,
		.n_vectors = r->n_vectors,
		.n_direct = r->n_direct,
		.n_sets = r->n_sets,
		.n_entries = r->n_entries,
		.n_checks = r->n_checks,
		.n_chains = r->n_chains,
		.n_limits = r->n_limits,
		.n_counters = r->n_counters,
		.tuple = find_tuple,
		.log = hear_log,
		.arg = g,
	};
	return n;
}

static void size_map(struct bpf_map *map, size_t n)
{
	test_ok(bpf_map__set_max_entries(map, n ? (uint32_t)n : 1));
}

/* At once: the kernel waits for packets under way with each call that changes a map of maps. */
static void put_all(int fd, const uint32_t *keys, const void *values, uint32_t n)
{
	if (n)
		test_ok(bpf_map_update_batch(fd, keys, values, &n, NULL));
}

static void fill_map(const struct bpf_map *map, const void *from, size_t n)
{
	uint32_t *keys = calloc(n + 1, sizeof(*keys)), i;

	assert_non_null(keys);
	for (i = 0; i < n; i++)
		keys[i] = i;
	put_all(bpf_map__fd(map), keys, from, (uint32_t)n);
	free(keys);
}

static void size_maps(struct gate_bpf *skel, const struct rules *r)
{
	uint32_t stride = 8 * (r->config.summaries + r->config.words);

	size_map(skel->maps.vectors, r->n_vectors);
	test_ok(bpf_map__set_value_size(skel->maps.vectors, stride));
	test_ok(bpf_map__set_value_size(skel->maps.direct, (2 * r->n_direct + 8) & ~7u));
	size_map(skel->maps.lines, r->lines.n);
	size_map(skel->maps.trees, r->n_sets);
	size_map(skel->maps.tuples, r->n_sets);
	size_map(skel->maps.entries, r->n_entries);
	size_map(skel->maps.checks, r->n_checks);
	size_map(skel->maps.chains, r->n_chains);
	size_map(skel->maps.limits, r->n_limits);
	size_map(skel->maps.counters, r->n_counters);
}

static int make_tree(const struct rules_tree *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP);
	int fd = test_ok(bpf_map_create(BPF_MAP_TYPE_ARRAY, "tree", 4, 64, (uint32_t)t->n, &opts));
	uint32_t i;

	for (i = 0; i < t->n; i++)
		test_ok(bpf_map_update_elem(fd, &i, &t->lines[i], BPF_ANY));
	return fd;
}

static int make_tuples(const struct rules *r, uint32_t set)
{
	int fd = test_ok(bpf_map_create(BPF_MAP_TYPE_HASH, "tuples", sizeof(struct gate_tuple),
					sizeof(union gate_tuple_value), RULES_TUPLES, NULL));
	uint32_t i;

	for (i = 0; i < r->n_tuples; i++)
		if (r->tuples[i].key.set == set)
			test_ok(bpf_map_update_elem(fd, &r->tuples[i].key, &r->tuples[i].value,
						    BPF_ANY));
	return fd;
}

static void fill_sets(struct gate_bpf *skel, const struct rules *r, bool trees)
{
	uint32_t *keys = calloc(r->n_sets + 1, sizeof(*keys)), n = 0, i;
	int *fds = calloc(r->n_sets + 1, sizeof(*fds));

	assert_non_null(keys);
	assert_non_null(fds);
	for (i = 0; i < r->n_sets; i++)
		if (!!r->trees[i].lines == trees) {
			keys[n] = i;
			fds[n++] = trees ? make_tree(&r->trees[i]) : make_tuples(r, i);
		}
	put_all(bpf_map__fd(trees ? skel->maps.trees : skel->maps.tuples), keys, fds, n);
	while (n--)
		close(fds[n]);
	free(fds);
	free(keys);
}

static void fill_maps(struct gate_bpf *skel, const struct rules *r)
{
	char *direct = calloc(1, (2 * (size_t)r->n_direct + 8) & ~(size_t)7);
	const uint32_t key = 0;

	assert_non_null(direct);
	fill_map(skel->maps.vectors, r->vectors, r->n_vectors);
	if (r->n_direct)
		memcpy(direct, r->direct, 2 * (size_t)r->n_direct);
	test_ok(bpf_map_update_elem(bpf_map__fd(skel->maps.direct), &key, direct, BPF_ANY));
	free(direct);
	fill_map(skel->maps.lines, r->lines.lines, r->lines.n);
	fill_map(skel->maps.entries, r->entries, r->n_entries);
	fill_map(skel->maps.checks, r->checks, r->n_checks);
	fill_map(skel->maps.chains, r->chains, r->n_chains);
	fill_map(skel->maps.limits, r->limits, r->n_limits);
	fill_sets(skel, r, true);
	fill_sets(skel, r, false);
}

/* libbpf 1.1 does not know the section. */
static void choose_programs(struct gate_bpf *skel, bool all)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj) {
		bpf_program__set_type(prog, (enum bpf_prog_type)LINK_PROG_TYPE_NETFILTER);
		bpf_program__set_expected_attach_type(prog, (enum bpf_attach_type)
								    LINK_ATTACH_TYPE_NETFILTER);
		bpf_program__set_autoload(prog, all || prog == skel->progs.gate0);
	}
}

void gated_open(struct gated *g, struct rules *r, bool bpf)
{
	struct gate_bpf *skel;

	memset(g, 0, sizeof(*g));
	g->rules = r;
	g->native = native_new(g);
	if (!bpf)
		return;
	skel = gate_bpf__open();
	assert_non_null(skel);
	g->skeleton = skel;
	memcpy((void *)&skel->rodata->config, &r->config, sizeof(r->config));
	choose_programs(skel, false);
	size_maps(skel, r);
	test_ok(gate_bpf__load(skel));
	fill_maps(skel, r);
}

int gated_verify(const struct gate_config *config, bool all)
{
	struct gate_bpf *skel = gate_bpf__open();
	int r;

	assert_non_null(skel);
	memcpy((void *)&skel->rodata->config, config, sizeof(*config));
	choose_programs(skel, all);
	test_ok(bpf_map__set_value_size(skel->maps.vectors,
					8 * (config->summaries + config->words)));
	test_ok(bpf_map__set_value_size(skel->maps.direct, 2 << 16)); /* any value of 16 bits */
	r = gate_bpf__load(skel);
	gate_bpf__destroy(skel);
	return r;
}

void gated_close(struct gated *g)
{
	gate_bpf__destroy(g->skeleton);
	free(g->native);
	rules_free(g->rules);
	memset(g, 0, sizeof(*g));
}

uint32_t gated_judge_at(struct gated *g, const struct gate_values *v, uint32_t family,
			uint32_t hook, uint32_t rank)
{
	g->native->now = g->now;
	return gate_judge(g->native, v, family, hook, rank);
}

uint32_t gated_judge(struct gated *g, const struct gate_values *v)
{
	return gated_judge_at(g, v, 0, 0, 0);
}

int gated_read(struct gate_values *v, const void *packet, size_t len)
{
	struct gate_around around = { .oifname = "lo", .oif = if_nametoindex("lo") };

	return gate_read_packet(v, packet, (uint32_t)len, &around);
}

uint32_t gated_see(struct gated *g, const void *packet, size_t len)
{
	uint32_t family = *(const uint8_t *)packet >> 4 == 6, verdict = GATE_DROP;
	struct gate_bpf *skel = g->skeleton;
	struct gate_values v;
	int ran;

	if (!gated_read(&v, packet, len))
		verdict = gated_judge_at(g, &v, family, GATED_HOOK, 0);
	if (!skel)
		return verdict;
	ran = test_ok(testrun(bpf_program__fd(skel->progs.gate0), family ? 10 : 2, GATED_HOOK,
			      packet, len, 1));
	assert_int_equal(ran, verdict == GATE_ACCEPT);
	return verdict;
}

void gated_agree(const struct gated *g)
{
	struct gate_bpf *skel = g->skeleton;
	int cpus = test_ok(libbpf_num_possible_cpus()), c;
	struct gate_counter *cpu = calloc((size_t)cpus, sizeof(*cpu)), sum;
	uint32_t i;

	assert_non_null(cpu);
	for (i = 0; i < g->rules->n_counters; i++) {
		sum = (struct gate_counter){ 0 };
		test_ok(bpf_map_lookup_elem(bpf_map__fd(skel->maps.counters), &i, cpu));
		for (c = 0; c < cpus; c++) {
			sum.packets += cpu[c].packets;
			sum.bytes += cpu[c].bytes;
		}
		assert_int_equal(sum.packets, g->counters[i].packets);
		assert_int_equal(sum.bytes, g->counters[i].bytes);
	}
	free(cpu);
}
