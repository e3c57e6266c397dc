// SPDX-License-Identifier: GPL-2.0-or-later
#include "rulefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ruleset.h"

void rulefile_setup(void **state)
{
	struct rulefile *f = calloc(1, sizeof(*f));
	int fd;

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/unfrag-test-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	*state = f;
}

static void forget(struct rulefile *f)
{
	ruleset_release(&f->rs);
	policy_messages_release(&f->messages);
	policy_listing_release(&f->listing);
}

void rulefile_teardown(void *state)
{
	struct rulefile *f = state;

	if (!f)
		return;
	unlink(f->path);
	forget(f);
	free(f);
}

void rulefile_write(struct rulefile *f, const char *fmt, ...)
{
	FILE *out = fopen(f->path, "w");
	va_list ap;

	assert_non_null(out);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	assert_int_equal(fclose(out), 0);
}

int rulefile_read(struct rulefile *f, const struct policy_read_opts *opts)
{
	struct policy_read_opts o = opts ? *opts : (struct policy_read_opts){ .netns = -1 };

	forget(f);
	o.messages = &f->messages;
	o.listing = &f->listing;
	f->result = policy_read(&f->rs, f->path, &o);
	if (f->result == -EPERM && f->messages.n)
		test_skip("%s", f->messages.text[0]);
	return f->result;
}

bool rulefile_says(const struct rulefile *f, const char *words)
{
	size_t i;

	for (i = 0; i < f->messages.n; i++)
		if (strstr(f->messages.text[i], words))
			return true;
	return false;
}

static void show(const struct rulefile *f)
{
	size_t i;

	for (i = 0; i < f->messages.n; i++)
		print_error("said: %s\n", f->messages.text[i]);
}

void rulefile_must_read(struct rulefile *f)
{
	if (rulefile_read(f, NULL))
		show(f);
	assert_int_equal(f->result, 0);
	/* A libnftables that can't list what it loaded is no fault of the file. */
	assert_int_equal(f->messages.n, rulefile_says(f, "nftables can't list"));
}

void rulefile_must_refuse(struct rulefile *f, const char *words)
{
	rulefile_read(f, NULL);
	if (f->result != -EINVAL || !rulefile_says(f, words)) {
		print_error("to be said: %s\n", words);
		show(f);
	}
	assert_int_equal(f->result, -EINVAL);
	assert_true(rulefile_says(f, words));
}

static void compare(char *got, const char *want, const char *text)
{
	if (strcmp(got, want))
		print_error("of: %s\n", text);
	assert_string_equal(got, want);
	free(got);
}

void rulefile_rule_is(const struct rulefile *f, size_t rule, const char *want)
{
	char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	assert_true(rule < f->rs.n_rules);
	ruleset_print_rule(out, &f->rs, rule);
	fclose(out);
	compare(got, want, f->rs.rules[rule].text);
}

void rulefile_set_is(const struct rulefile *f, size_t set, const char *want)
{
	char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	assert_true(set < f->rs.n_sets);
	ruleset_print_set(out, &f->rs, set);
	fclose(out);
	compare(got, want, f->rs.sets[set].name);
}
