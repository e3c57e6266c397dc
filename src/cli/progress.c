// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line is shown by a thread that sleeps for a second. An alarm would be less, but a signal ends
 * system calls: the wait for a file that is read, bpf(2) with a program that is verified. The
 * thread takes the signals that end the command, too, so that nothing can be written between the
 * line that goes and the end.
 */
#include "progress.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 1
#define COLUMNS 80 /* of a terminal that does not tell */
#define END     SIGUSR1

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	sigset_t before; /* what was blocked at the start */
	bool is_started;
	bool is_due;
	bool is_shown;
	char text[PATH_MAX + 64]; /* of the step, or empty */
} line = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* A terminal that is gone is no matter. */
static void put(const char *text, size_t len)
{
	(void)!write(STDERR_FILENO, text, len);
}

static void hide(void)
{
	static const char clear[] = "\r\033[K";

	if (line.is_shown)
		put(clear, sizeof(clear) - 1);
	line.is_shown = false;
}

/* Only what stands in one row can be taken away. */
static size_t columns(void)
{
	struct winsize size;

	return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : COLUMNS;
}

static void show(void)
{
	char row[sizeof(line.text) + 32];
	int most = (int)columns() - (int)sizeof("unfrag: ");

	if (!line.text[0] || most <= 0) {
		hide();
		return;
	}
	put(row, (size_t)snprintf(row, sizeof(row), "\runfrag: %.*s\033[K", most, line.text));
	line.is_shown = true;
}

/* What may end the command is for the thread to take, unless somebody blocked it before. */
static void waited_for(sigset_t *set)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (!sigismember(&line.before, numbers[i]))
			sigaddset(set, numbers[i]);
}

/* As if it had not been blocked: the end, or nothing if it is ignored. */
static void pass_on(int number)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, number);
	pthread_mutex_lock(&line.lock);
	hide();
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
	pthread_mutex_unlock(&line.lock);
}

static void show_first(void)
{
	pthread_mutex_lock(&line.lock);
	line.is_due = true;
	show();
	pthread_mutex_unlock(&line.lock);
}

static void *watch(void *arg)
{
	const struct timespec wait = { .tv_sec = SECONDS };
	sigset_t set;
	int number;

	pthread_barrier_wait(arg);
	waited_for(&set);
	sigaddset(&set, END);
	while ((number = sigtimedwait(&set, NULL, line.is_due ? NULL : &wait)) != END) {
		if (number > 0)
			pass_on(number);
		else if (errno == EAGAIN)
			show_first();
	}
	return NULL;
}

void progress_start(void)
{
	pthread_barrier_t up;
	sigset_t set;

	if (line.is_started || !isatty(STDERR_FILENO))
		return;
	pthread_barrier_init(&up, NULL, 2);
	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &line.before);
	line.is_started = !pthread_create(&line.thread, NULL, watch, &up);
	pthread_sigmask(SIG_SETMASK, &line.before, NULL);
	/* A fork while a thread starts copies locks that nobody opens: sanitizers have some. */
	if (line.is_started)
		pthread_barrier_wait(&up);
	pthread_barrier_destroy(&up);
	if (!line.is_started)
		return;
	waited_for(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void progress_step(const char *fmt, ...)
{
	va_list ap;
	char *c;

	if (!line.is_started)
		return;
	pthread_mutex_lock(&line.lock);
	va_start(ap, fmt);
	vsnprintf(line.text, sizeof(line.text), fmt, ap);
	va_end(ap);
	for (c = line.text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = '?';
	if (line.is_due)
		show();
	pthread_mutex_unlock(&line.lock);
}

void progress_reading(const char *file)
{
	if (strcmp(file, "-") != 0)
		progress_step("reading '%s' ...", file);
	else if (isatty(STDIN_FILENO))
		progress_hide();
	else
		progress_step("reading standard input ...");
}

void progress_hide(void)
{
	if (!line.is_started)
		return;
	pthread_mutex_lock(&line.lock);
	hide();
	line.text[0] = '\0';
	pthread_mutex_unlock(&line.lock);
}

void progress_end(void)
{
	if (!line.is_started)
		return;
	pthread_kill(line.thread, END);
	pthread_join(line.thread, NULL);
	progress_hide();
	line.is_started = false;
	line.is_due = false;
	pthread_sigmask(SIG_SETMASK, &line.before, NULL);
}
