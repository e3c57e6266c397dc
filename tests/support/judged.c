// SPDX-License-Identifier: GPL-2.0-or-later
#include "judged.h"

#include <stdio.h>
#include <string.h>

#include "native.h"
#include "sound.h"

void judged_start(struct judged *j)
{
	struct complaint c = { "" };
	struct native *n = NULL;
	const char *wrong;
	int err = image_new(&j->image, &j->rs, NULL, &c);

	if (err)
		printf("# %s\n", c.text);
	assert_int_equal(err, 0);
	wrong = sound_image(j->image, &j->rs);
	if (wrong)
		printf("# %s\n", wrong);
	assert_null(wrong);
	test_ok(trial_new(&j->trial, &j->rs));
	test_ok(native_new(&n, j->image));
	j->native = n;
}

static void show(const struct judged *j, uint32_t family, uint32_t hook)
{
	const struct trial_step *s;
	size_t i;

	printf("# family %u, hook %u\n", family, hook);
	for (i = 0; i < j->trial->n_steps; i++) {
		s = &j->trial->steps[i];
		printf("# chain %u rule %u end %d statement %u verdict %#x\n", s->chain, s->rule,
		       (int)s->end, s->statement, s->verdict);
	}
}

static bool is_same(const struct judged *j)
{
	const struct gate_counter *counters = native_counters(j->native);
	const struct trial_log *logs;
	size_t n;

	logs = native_logs(j->native, &n);
	if (n != j->trial->n_logs)
		return false;
	if (n > NATIVE_LOGS_MAX)
		n = NATIVE_LOGS_MAX;
	return (!n || !memcmp(logs, j->trial->logs, n * sizeof(*logs))) &&
	       (!j->rs.n_counters ||
		!memcmp(counters, j->trial->counters, j->rs.n_counters * sizeof(*counters)));
}

uint32_t judged_packet(struct judged *j, uint32_t family, uint32_t hook,
		       const struct gate_values *v)
{
	int want = trial_packet(j->trial, family, hook, v, j->now);
	uint32_t got = native_packet(j->native, family, hook, v, j->now);
	bool same = is_same(j);

	if (want != (int)got || !same)
		show(j, family, hook);
	assert_int_equal(got, want);
	assert_true(same);
	return got;
}

bool judged_accepts(struct judged *j, const struct gate_values *v)
{
	return judged_packet(j, 0, 1, v) == GATE_ACCEPT;
}

void judged_release(struct judged *j)
{
	native_free(j->native);
	trial_free(j->trial);
	image_free(j->image);
	ruleset_release(&j->rs);
}
