// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "terminal.h"

#include <child.h>
#include <fcntl.h>
#include <ns.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <test.h>
#include <unistd.h>

#define ARGS_MAX    24
#define DEADLINE_MS 60000

/* Between fork and exec; the terminal is what it speaks to already, if there is one. */
static void __attribute__((noreturn))
child(const struct terminal *t, const char *const *argv, int in, int out, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(121);
	if (dup2(in, STDIN_FILENO) < 0)
		_exit(122);
	if (t->is_pipe && (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0))
		_exit(123);
	execv(argv[0], (char *const *)argv);
	_exit(125);
}

void terminal_start_(struct terminal *t, const char *const *args)
{
	const char *argv[ARGS_MAX + 2] = { TEST_UNFRAG };
	const struct winsize size = { .ws_col = t->columns };
	int in[2], out[2] = { -1, -1 }, i;
	pid_t parent = getpid();

	for (i = 0; args[i]; i++) {
		assert_true(i < ARGS_MAX);
		argv[i + 1] = args[i];
	}
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	if (t->is_pipe)
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(stdout);
	t->pid = t->is_pipe ? fork() : forkpty(&out[0], NULL, NULL, &size);
	if (!t->pid)
		child(t, argv, in[0], out[1], parent);
	assert_true(t->pid > 0);
	close(in[0]);
	if (t->is_pipe)
		close(out[1]);
	t->in = in[1];
	t->out = out[0];
	t->n = 0;
	t->said[0] = '\0';
}

/* False at the end of what it says. */
static bool listen_on(struct terminal *t, int64_t deadline)
{
	struct pollfd pfd = { .fd = t->out, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, lab_ms_left(deadline)) != 1)
		return false;
	n = read(t->out, t->said + t->n, sizeof(t->said) - 1 - t->n);
	if (n <= 0)
		return false;
	t->n += (size_t)n;
	t->said[t->n] = '\0';
	return true;
}

void terminal_says(struct terminal *t, const char *words)
{
	int64_t deadline = lab_now_ms() + DEADLINE_MS;

	while (!strstr(t->said, words) && listen_on(t, deadline))
		;
	if (!strstr(t->said, words))
		printf("# '%s' is not in: %s\n", words, t->said);
	assert_non_null(strstr(t->said, words));
}

void terminal_press(struct terminal *t, const char *key)
{
	assert_int_equal(write(t->out, key, strlen(key)), strlen(key));
}

void terminal_feed(struct terminal *t, const char *text)
{
	if (text)
		assert_int_equal(write(t->in, text, strlen(text)), strlen(text));
	close(t->in);
	t->in = -1;
}

int terminal_end(struct terminal *t)
{
	int64_t deadline = lab_now_ms() + DEADLINE_MS;
	int status;

	while (listen_on(t, deadline))
		;
	status = lab_child_wait(t->pid, lab_ms_left(deadline));
	if (status < 0)
		kill(t->pid, SIGKILL);
	close(t->out);
	if (t->in >= 0)
		close(t->in);
	return test_ok(status);
}
