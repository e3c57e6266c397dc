// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "refused.h"

#include <stdio.h>
#include <string.h>
#include <test.h>

void refused_up(void **state)
{
	struct refused *r = calloc(1, sizeof(*r));
	struct unfrag_attachment *att;
	struct unfrag_attach_opts opts;

	assert_non_null(r);
	*state = r;
	life_up((void **)&r->life);
	opts = life_opts(r->life, UNFRAG_FAMILIES_BOTH, 1u << UNFRAG_HOOK_INPUT);
	test_ok(life_attach(&att, REFUSED_TAKEN, LIFE_OBJECT("a"), &opts));
	unfrag_attachment_free(att);
	life_entries(REFUSED_TAKEN, r->pins, sizeof(r->pins));
	snprintf(r->used, sizeof(r->used), "%d", life_priority(0));
	snprintf(r->priority, sizeof(r->priority), "%d", life_priority(1));
	snprintf(r->file, sizeof(r->file), "/tmp/unfrag-test-%d", (int)getpid());
}

void refused_down(void *state)
{
	struct refused *r = state;

	if (!r)
		return;
	unlink(r->file);
	life_remove(REFUSED_TAKEN);
	life_down(r->life);
	free(r);
}

void refused_expect_unchanged(const struct refused *r)
{
	struct unfrag_attachment_info info;
	char pins[256];

	life_entries("", pins, sizeof(pins));
	/* The directory of holds may stay. */
	assert_string_equal(strncmp(pins, "_defrag ", 8) ? pins : pins + 8, REFUSED_TAKEN " ");
	life_entries("_defrag", pins, sizeof(pins));
	assert_string_equal(pins, "");
	life_entries(REFUSED_TAKEN, pins, sizeof(pins));
	assert_string_equal(pins, r->pins);
	life_expect_links(2);
	assert_int_equal(life_state(REFUSED_TAKEN, &info), UNFRAG_STATE_READY);
	assert_string_equal(info.program, "life_judge_a");
}

static const char *fill_in(const struct refused *r, const char *arg)
{
	if (!strcmp(arg, NETNS))
		return r->life->path;
	if (!strcmp(arg, PRIO))
		return r->priority;
	if (!strcmp(arg, USED))
		return r->used;
	return strcmp(arg, TMP) ? arg : r->file;
}

int refused_try(struct refused *r, const struct row *row, bool inside,
		void (*before)(struct command *c))
{
	const char *args[REFUSED_ARGS + 1] = { NULL };

	for (int i = 0; i < REFUSED_ARGS && row->args[i]; i++)
		args[i] = fill_in(r, row->args[i]);
	memset(&r->command, 0, sizeof(r->command));
	r->command.ns = inside ? r->life->ns : NULL;
	r->command.before = before;
	return command_v(&r->command, args);
}

void refused_run(struct refused *r, const struct row *row, bool inside,
		 void (*before)(struct command *c))
{
	int status = refused_try(r, row, inside, before);

	if (status != row->status || !strstr(r->command.err, row->word))
		for (int i = 0; i < REFUSED_ARGS && row->args[i]; i++)
			printf("# argument: '%s'\n", fill_in(r, row->args[i]));
	command_expect(&r->command, row->status, row->word);
	refused_expect_unchanged(r);
}

void refused_rows(struct refused *r, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		refused_run(r, &rows[i], false, NULL);
		assert_string_equal(r->command.out, "");
	}
}
