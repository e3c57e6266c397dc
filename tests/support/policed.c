// SPDX-License-Identifier: GPL-2.0-or-later
#include "policed.h"

#include <instance.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>
#include <unistd.h>

static char file[128];

const char *policed_file(const char *fmt, ...)
{
	va_list ap;
	FILE *f;

	snprintf(file, sizeof(file), "/tmp/unfrag-policed-%d.nft", getpid());
	f = fopen(file, "w");
	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	assert_int_equal(fclose(f), 0);
	return file;
}

void policed_up(void **state)
{
	life_up(state);
}

void policed_down(void *state)
{
	if (file[0])
		unlink(file);
	life_remove(POLICED_NAME);
	life_down(state);
}

void policed_load(const struct life *l, const char *path)
{
	struct command c;

	command_run(&c, "policy", "load", "--netns", l->path, "--name", POLICED_NAME, path);
	if (c.status)
		printf("# %s", c.err);
	assert_int_equal(c.status, 0);
}

static uint64_t count(const struct instance *in, const struct gate_counter *counters,
		      const char *text)
{
	const struct ruleset *rs = instance_ruleset(in);
	size_t i, k;

	for (i = 0; i < rs->n_rules; i++) {
		if (strcmp(rs->rules[i].text, text))
			continue;
		for (k = 0; k < rs->rules[i].n; k++)
			if (rs->rules[i].statements[k].kind == STATEMENT_COUNTER)
				return counters[rs->rules[i].statements[k].index].packets;
	}
	printf("# no rule '%s' counts\n", text);
	for (i = 0; i < rs->n_rules; i++)
		printf("# rule '%s'\n", rs->rules[i].text);
	return UINT64_MAX;
}

uint64_t policed_packets(const char *text)
{
	struct gate_counter *counters;
	struct unfrag_attachment *att;
	struct complaint c = { "" };
	struct instance *in;
	uint64_t packets;
	size_t n;

	test_ok(unfrag_attachment_open(&att, POLICED_NAME));
	test_ok(instance_open(&in, att, &c));
	n = instance_ruleset(in)->n_counters;
	counters = calloc(n + 1, sizeof(*counters));
	assert_non_null(counters);
	test_ok(instance_counters(in, counters, n, &c));
	packets = count(in, counters, text);
	free(counters);
	instance_free(in);
	unfrag_attachment_free(att);
	return packets;
}
