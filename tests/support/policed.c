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
	background_clear();
	if (file[0])
		unlink(file);
	life_remove(POLICED_NAME);
	life_down(state);
}

void policed_send(const struct life *l, int family, int n)
{
	while (n--)
		assert_true(life_ping(l, family, LIFE_DEADLINE_MS));
}

void policed_load(const struct life *l, const char *path)
{
	struct command c;

	command_run(&c, "policy", "load", "--netns", l->path, "--name", POLICED_NAME, path);
	if (c.status)
		printf("# %s", c.err);
	assert_int_equal(c.status, 0);
}

static bool find_rule(const struct ruleset *rs, const char *text, size_t *counter)
{
	size_t i, k;

	for (i = 0; i < rs->n_rules; i++) {
		if (strcmp(rs->rules[i].text, text))
			continue;
		for (k = 0; k < rs->rules[i].n; k++)
			if (rs->rules[i].statements[k].kind == STATEMENT_COUNTER) {
				*counter = rs->rules[i].statements[k].index;
				return true;
			}
	}
	return false;
}

bool policed_find(const char *text, uint64_t *packets)
{
	struct gate_counter *counters;
	struct unfrag_attachment *att;
	struct complaint c = { "" };
	struct instance *in;
	size_t n, counter;
	bool found;

	test_ok(unfrag_attachment_open(&att, POLICED_NAME));
	test_ok(instance_open(&in, att, &c));
	n = instance_ruleset(in)->n_counters;
	counters = calloc(n + 1, sizeof(*counters));
	assert_non_null(counters);
	test_ok(instance_counters(in, counters, n, &c));
	found = find_rule(instance_ruleset(in), text, &counter);
	*packets = found ? counters[counter].packets : 0;
	free(counters);
	instance_free(in);
	unfrag_attachment_free(att);
	return found;
}

uint64_t policed_packets(const char *text)
{
	uint64_t packets;
	bool found = policed_find(text, &packets);

	if (!found)
		printf("# no rule '%s' counts\n", text);
	assert_true(found);
	return packets;
}
