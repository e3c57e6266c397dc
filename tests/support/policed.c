// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "policed.h"

#include <child.h>
#include <instance.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <test.h>
#include <unistd.h>

#define ARGS_MAX 24
#define SAID_MAX (32u << 20)

static char file[128];

/* What runs; ended by the teardown if the test did not. */
static pid_t running[4];

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
	for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++) {
		lab_child_kill(running[i]);
		running[i] = 0;
	}
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

/* A file of zeroes, which what is written takes the place of, in memory. */
static char *make_file(int *fd)
{
	char *text;

	*fd = test_ok(memfd_create("said", MFD_CLOEXEC));
	assert_int_equal(ftruncate(*fd, SAID_MAX), 0);
	text = mmap(NULL, SAID_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_true(text != MAP_FAILED);
	return text;
}

static void note_running(pid_t pid, pid_t by)
{
	for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++)
		if (running[i] == pid) {
			running[i] = by;
			return;
		}
	test_fail_(__FILE__, __LINE__, "there is room for one more command");
}

void policed_start_(struct policed_run *r, const char *const *args)
{
	const char *argv[ARGS_MAX + 5] = { "sh", "-c", "exec \"$@\" 2<>\"$0\"", NULL, TEST_UNFRAG };
	char err[64];
	int i, out_fd;

	r->out = make_file(&out_fd);
	r->err = make_file(&r->err_fd);
	snprintf(err, sizeof(err), "/proc/%d/fd/%d", getpid(), r->err_fd);
	argv[3] = err;
	for (i = 0; args[i]; i++) {
		assert_true(i < ARGS_MAX - 1);
		argv[5 + i] = args[i];
	}
	r->pid = test_ok(lab_ns_spawn(NULL, argv, out_fd));
	note_running(0, r->pid);
	close(out_fd);
}

bool policed_has(struct policed_run *r, bool on_stderr, const char *words)
{
	return strstr(on_stderr ? r->err : r->out, words) != NULL;
}

void policed_says(struct policed_run *r, bool on_stderr, const char *words)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;

	while (!policed_has(r, on_stderr, words) && lab_ms_left(deadline))
		poll(NULL, 0, 5);
	if (!policed_has(r, on_stderr, words))
		printf("# '%s' is not in stdout:\n%.5000s# or stderr:\n%.5000s", words, r->out,
		       r->err);
	assert_true(policed_has(r, on_stderr, words));
}

int policed_end(struct policed_run *r, int number)
{
	int status;

	if (number)
		assert_int_equal(kill(r->pid, number), 0);
	status = test_ok(lab_child_wait(r->pid, LIFE_DEADLINE_MS));
	note_running(r->pid, 0);
	close(r->err_fd);
	return status;
}
