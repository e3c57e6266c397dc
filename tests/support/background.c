// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "background.h"

#include <child.h>
#include <life.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <test.h>
#include <unistd.h>

#define ARGS_MAX 24
#define SAID_MAX (32u << 20)

static pid_t running[4];

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

void background_start_(struct background *b, const char *const *args)
{
	const char *argv[ARGS_MAX + 5] = { "sh", "-c", "exec \"$@\" 2<>\"$0\"", NULL, TEST_UNFRAG };
	char err[64];
	int i, out_fd;

	b->out = make_file(&out_fd);
	b->err = make_file(&b->err_fd);
	snprintf(err, sizeof(err), "/proc/%d/fd/%d", getpid(), b->err_fd);
	argv[3] = err;
	for (i = 0; args[i]; i++) {
		assert_true(i < ARGS_MAX - 1);
		argv[5 + i] = args[i];
	}
	b->pid = test_ok(lab_ns_spawn(NULL, argv, out_fd));
	note_running(0, b->pid);
	close(out_fd);
}

bool background_has(struct background *b, bool on_stderr, const char *words)
{
	return strstr(on_stderr ? b->err : b->out, words) != NULL;
}

void background_says(struct background *b, bool on_stderr, const char *words)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;

	while (!background_has(b, on_stderr, words) && lab_ms_left(deadline))
		poll(NULL, 0, 5);
	if (!background_has(b, on_stderr, words))
		printf("# '%s' is not in stdout:\n%.5000s# or stderr:\n%.5000s", words, b->out,
		       b->err);
	assert_true(background_has(b, on_stderr, words));
}

int background_end(struct background *b, int number)
{
	int status;

	if (number)
		assert_int_equal(kill(b->pid, number), 0);
	status = test_ok(lab_child_wait(b->pid, LIFE_DEADLINE_MS));
	note_running(b->pid, 0);
	close(b->err_fd);
	return status;
}

void background_clear(void)
{
	for (size_t i = 0; i < sizeof(running) / sizeof(running[0]); i++) {
		lab_child_kill(running[i]);
		running[i] = 0;
	}
}
