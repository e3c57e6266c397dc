// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What maps take: their values in multiples of 8 bytes, and what the kernel adds to each element
 * (struct htab_elem) and map (struct bpf_array, struct bpf_htab) by the count of Linux 6.18.
 */
#include <errno.h>
#include <unistd.h>

#include "memory.h"
#include "size.h"

#define MAP_BYTES     512u
#define ELEMENT_BYTES 48u
#define BUCKET_BYTES  16u

static uint64_t round_up(uint64_t bytes)
{
	return (bytes + 7) & ~UINT64_C(7);
}

static uint64_t array_bytes(uint64_t n, uint64_t size)
{
	return MAP_BYTES + n * round_up(size);
}

uint64_t image_tree_bytes(size_t lines)
{
	return array_bytes(lines, sizeof(struct gate_line));
}

uint64_t image_tuples_bytes(size_t tuples)
{
	uint64_t buckets = 1, n = tuples ? tuples : 1;

	while (buckets < n)
		buckets *= 2;
	return MAP_BYTES + buckets * BUCKET_BYTES +
	       n * (ELEMENT_BYTES + round_up(sizeof(struct gate_tuple)) +
		    sizeof(union gate_tuple_value));
}

bool image_set_changes(const struct set *s)
{
	return s->is_named && !s->verdicts;
}

void memory_count(struct image *image, const struct image_opts *opts)
{
	struct image_memory *m = &image->memory;
	uint32_t cpus = opts->cpus ? opts->cpus : (uint32_t)sysconf(_SC_NPROCESSORS_CONF);
	size_t i;

	m->vectors = array_bytes(image->n_vectors,
				 8 * (uint64_t)(image->config.summaries + image->config.words));
	m->direct = array_bytes(1, image->n_direct * sizeof(*image->direct));
	m->lines = array_bytes(image->n_lines, sizeof(*image->lines));
	m->trees = array_bytes(image->n_sets, sizeof(void *));
	m->tuples = array_bytes(image->n_sets, sizeof(void *));
	for (i = 0; i < image->n_sets; i++) {
		if (image->sets[i].tree.lines)
			m->trees += image_tree_bytes(image->sets[i].tree.n);
		else
			m->tuples += image_tuples_bytes(image->sets[i].tuples.n);
	}
	m->entries = array_bytes(image->n_entries, sizeof(*image->entries));
	m->checks = array_bytes(image->n_checks, sizeof(*image->checks));
	m->chains = array_bytes(image->n_chains, sizeof(*image->chains));
	m->limits = array_bytes(image->n_limits, sizeof(*image->limits));
	m->counters = array_bytes(image->n_counters, sizeof(*image->counters));
	m->events = image->n_logs ? IMAGE_EVENTS_BYTES : 0;
	m->listing = opts->listing;
	m->total = m->vectors + m->direct + m->lines + m->trees + m->tuples + m->entries +
		   m->checks + m->chains + m->limits + m->events + m->listing +
		   (cpus + 1) * m->counters;
}

int memory_check(const struct image *image, uint64_t limit, struct complaint *c)
{
	const struct image_memory *m = &image->memory;

	if (!limit || m->total <= limit)
		return 0;
	return complain(
		c, -E2BIG,
		"the ruleset takes %s and may take %s (rules %s, sets %s, tables of fields %s, its "
		"listing %s): allow more memory, or shorten its sets",
		size_in_words(m->total).text, size_in_words(limit).text,
		size_in_words(m->vectors + m->entries + m->checks).text,
		size_in_words(m->trees + m->tuples).text, size_in_words(m->direct + m->lines).text,
		size_in_words(m->listing).text);
}
