// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzing of rulesets: an input is a listing, as it is kept of a ruleset that is loaded. Its reader
 * and the compiler take or refuse it. What they take is compiled so that every number in it leads
 * somewhere, and packets at the bounds of its conditions are judged as its rules say, one by one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "fuzz.h"
#include "image.h"
#include "native.h"
#include "policy.h"
#include "sound.h"
#include "trial.h"
#include "warn.h"

#define PACKETS   64
#define STEPS_MAX 4096 /* of trials: more would be slow rather than wrong */
#define ELEMENTS  4096

/* Numbers that the ruleset has of a field, one after the other, and those beside them. */
static value number_of(const struct ruleset *rs, uint32_t field, uint32_t turn)
{
	const struct statement *s;
	const struct match *m;
	size_t i, j;

	for (i = 0; i < rs->n_rules; i++) {
		for (j = 0; j < rs->rules[i].n; j++) {
			s = &rs->rules[i].statements[j];
			m = &s->match;
			if (s->kind != STATEMENT_MATCH || m->key.field[0] != field)
				continue;
			if (m->kind == MATCH_MASK && turn-- == 0)
				return m->value;
			if (m->kind == MATCH_SPANS && m->n_spans && turn-- == 0)
				return turn & 1 ? m->spans->from : m->spans->to;
		}
	}
	return turn;
}

static void make_values(struct gate_values *v, const struct ruleset *rs, uint32_t turn)
{
	value max, x;
	uint32_t f;

	memset(v, 0, sizeof(*v));
	for (f = 0; f < GATE_FIELD_MAX; f++) {
		max = fields_max(fields_bits(f));
		x = number_of(rs, f, turn * 7 % (f + 3)) + turn % 3;
		if ((turn + f) % 11 || f == GATE_LENGTH)
			fields_set(v, f, (x - 1) & max);
	}
}

static bool is_small(const struct ruleset *rs)
{
	size_t i, n = 0;

	for (i = 0; i < rs->n_sets; i++)
		n += rs->sets[i].n_elements;
	return n <= ELEMENTS;
}

static void judge(const struct ruleset *rs, const struct image *image)
{
	struct native *native;
	struct trial *trial;
	struct gate_values v;
	uint32_t i, hook;
	int verdict;

	if (trial_new(&trial, rs))
		return;
	if (native_new(&native, image)) {
		trial_free(trial);
		return;
	}
	for (i = 0; i < PACKETS; i++) {
		make_values(&v, rs, i);
		sound_values(&v, i & 1);
		for (hook = 0; hook < GATE_HOOKS; hook++) {
			verdict = trial_packet(trial, i & 1, hook, &v, i * UINT64_C(300000000));
			must(verdict < 0 ||
				     native_packet(native, i & 1, hook, &v,
						   i * UINT64_C(300000000)) == (uint32_t)verdict,
			     "rules and image agree");
			if (trial->n_steps > STEPS_MAX)
				i = PACKETS;
		}
	}
	must(!rs->n_counters || !memcmp(native_counters(native), trial->counters,
					rs->n_counters * sizeof(*trial->counters)),
	     "counters agree");
	native_free(native);
	trial_free(trial);
}

static void compile(const struct ruleset *rs)
{
	const struct image_opts opts = { .memory = 256u << 20, .cpus = 1 };
	struct complaint c = { "" };
	struct warning *warnings;
	struct image *image;
	size_t n;

	if (image_new(&image, rs, &opts, &c)) {
		must(c.text[0], "a refusal has words");
		return;
	}
	must(!sound_image(image, rs), "an image is sound");
	if (!warnings_find(&warnings, &n, rs)) {
		while (n--)
			warning_say(&c, rs, &warnings[n]);
		free(warnings);
	}
	judge(rs, image);
	image_free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_messages messages = { 0 };
	struct policy_listing listing = { malloc(size ? size : 1), size };
	struct ruleset rs = { 0 };

	if (!listing.data)
		return 0;
	/* In memory of its own, so that reading beyond it is found. */
	memcpy(listing.data, data, size);
	if (!policy_parse(&rs, &listing, &messages)) {
		if (is_small(&rs))
			compile(&rs);
		ruleset_release(&rs);
	}
	policy_messages_release(&messages);
	policy_listing_release(&listing);
	return 0;
}
