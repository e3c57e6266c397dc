// SPDX-License-Identifier: GPL-2.0-or-later
#include "native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../gate/native.h"
#include "tuple_table.h"

struct native {
	struct gate_native gate;
	struct gate_native_tree *trees;
	struct tuple_table tuples; /* of all sets */
	struct trial_log logs[NATIVE_LOGS_MAX];
	size_t n_logs;
};

static const union gate_tuple_value *find_tuple(void *arg, const struct gate_tuple *key)
{
	const struct native *n = arg;

	return tuple_table_find(&n->tuples, key);
}

static void keep_log(void *arg, const struct gate_walk *w, const struct gate_entry *e)
{
	struct native *n = arg;

	(void)w;
	if (n->n_logs < NATIVE_LOGS_MAX)
		n->logs[n->n_logs] = (struct trial_log){ e->rule, e->log - 1 };
	n->n_logs++;
}

static bool add_tuples(struct native *n, const struct image_tuples *tuples)
{
	union gate_tuple_value *there;
	size_t i;

	for (i = 0; i < tuples->n; i++) {
		there = tuple_table_put(&n->tuples, &tuples->tuples[i].key);
		if (!there)
			return false;
		*there = tuples->tuples[i].value;
	}
	return true;
}

static bool copy_sets(struct native *n, const struct image *image)
{
	size_t i;

	n->trees = calloc(image->n_sets + 1, sizeof(*n->trees));
	if (!n->trees)
		return false;
	for (i = 0; i < image->n_sets; i++) {
		n->trees[i].lines = image->sets[i].tree.lines;
		n->trees[i].n = image->sets[i].tree.n;
		if (!add_tuples(n, &image->sets[i].tuples))
			return false;
	}
	return true;
}

static void *copy(const void *from, size_t n, size_t size)
{
	void *to = calloc(n + 1, size);

	if (to && n)
		memcpy(to, from, n * size);
	return to;
}

static bool copy_state(struct native *n, const struct image *image)
{
	n->gate.limits = copy(image->limits, image->n_limits, sizeof(*image->limits));
	n->gate.counters = copy(image->counters, image->n_counters, sizeof(*image->counters));
	n->gate.n_limits = image->n_limits;
	n->gate.n_counters = image->n_counters;
	return n->gate.limits && n->gate.counters;
}

int native_new(struct native **out, const struct image *image)
{
	struct native *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->gate = (struct gate_native){
		.config = &image->config,
		.vectors = image->vectors,
		.direct = image->direct,
		.lines = { image->lines, image->n_lines },
		.entries = image->entries,
		.checks = image->checks,
		.chains = image->chains,
		.n_vectors = image->n_vectors,
		.n_direct = image->n_direct,
		.n_sets = image->n_sets,
		.n_entries = image->n_entries,
		.n_checks = image->n_checks,
		.n_chains = image->n_chains,
		.tuple = find_tuple,
		.log = keep_log,
		.arg = n,
	};
	if (!copy_sets(n, image) || !copy_state(n, image)) {
		native_free(n);
		return -ENOMEM;
	}
	n->gate.trees = n->trees;
	*out = n;
	return 0;
}

void native_free(struct native *n)
{
	if (!n)
		return;
	tuple_table_release(&n->tuples);
	free(n->trees);
	free(n->gate.limits);
	free(n->gate.counters);
	free(n);
}

uint32_t native_packet(struct native *n, uint32_t family, uint32_t hook,
		       const struct gate_values *v, uint64_t now)
{
	uint32_t verdict = GATE_ACCEPT, rank;

	n->n_logs = 0;
	n->gate.now = now;
	for (rank = 0; rank < GATE_RANKS_MAX && verdict == GATE_ACCEPT; rank++)
		if (n->gate.config->place[family][hook][rank].n)
			verdict = gate_judge(&n->gate, v, family, hook, rank);
	return verdict;
}

const struct gate_counter *native_counters(const struct native *n)
{
	return n->gate.counters;
}

const struct trial_log *native_logs(const struct native *n, size_t *count)
{
	*count = n->n_logs;
	return n->logs;
}
