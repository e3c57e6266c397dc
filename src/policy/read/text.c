// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libnftables ends a process by an assertion when it lists some rules that it loaded itself. So
 * each try is a process, and which rules it can't list is found by trying with fewer and fewer.
 */
#define _GNU_SOURCE
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "sieve.h"

/* Enough to find some hundred rules among thousands; beyond it a whole part is given up. */
#define TRIES_MAX 4000u

enum end {
	END_LISTED,
	END_CRASHED,
	END_FAILED, /* no memory, or there was no room for it, which the listing says */
};

struct text {
	int fd; /* of the listing */
	const struct scratch_rules *loaded;
	bool *blank;  /* rules that can't be listed */
	bool *hidden; /* in one try */
	unsigned int tries;
	int signal;
};

/* What an assertion says is for others. */
static void be_silent(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

__attribute__((noreturn)) static void list(const struct text *t, const bool *hidden, bool keep)
{
	const unsigned int flags = NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_HANDLE |
				   NFT_CTX_OUTPUT_TERSE;
	struct nft_ctx *nft;

	be_silent();
	if (hidden)
		sieve_start(t->loaded, hidden);
	/* One of its own: what is left in another one's socket is for nobody. */
	nft = scratch_nftables(t->fd);
	nft_ctx_output_set_flags(nft, flags);
	if (nft_run_cmd_from_buffer(nft, "list ruleset"))
		scratch_fail(t->fd, -EINVAL, "nftables can't list what it loaded");
	if (keep)
		scratch_put_text(t->fd, LISTING_TEXT, nft_ctx_get_output_buffer(nft));
	_exit(EXIT_SUCCESS);
}

static bool is_crash(int status)
{
	return WIFSIGNALED(status) && (WTERMSIG(status) == SIGABRT || WTERMSIG(status) == SIGSEGV ||
				       WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGFPE);
}

/* Lists all but what is hidden (NULL: nothing is), into the listing if it is to be kept. */
static enum end try(struct text *t, const bool *hidden, bool keep)
{
	const pid_t self = getpid();
	int status = 0;
	pid_t pid;

	t->tries++;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != self)
			_exit(EXIT_FAILURE);
		list(t, hidden, keep);
	}
	if (pid < 0)
		return END_FAILED;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (is_crash(status)) {
		t->signal = WTERMSIG(status);
		return END_CRASHED;
	}
	/* With which status libnftables ended tells why. */
	if (WIFEXITED(status) && WEXITSTATUS(status) > EXIT_FAILURE)
		_exit(WEXITSTATUS(status));
	return WIFEXITED(status) && !WEXITSTATUS(status) ? END_LISTED : END_FAILED;
}

static enum end try_range(struct text *t, size_t from, size_t to)
{
	memset(t->hidden, true, t->loaded->n);
	memset(t->hidden + from, false, to - from);
	return try(t, t->hidden, false);
}

/* Rules from..to-1, among which there is one that can't be listed. */
static enum end search(struct text *t, size_t from, size_t to)
{
	const size_t bounds[] = { from, from + (to - from) / 2, to };
	enum end end;
	int i;

	if (to - from == 1 || t->tries > TRIES_MAX) {
		memset(t->blank + from, true, to - from);
		return END_LISTED;
	}
	for (i = 0; i < 2; i++) {
		end = try_range(t, bounds[i], bounds[i + 1]);
		if (end == END_CRASHED)
			end = search(t, bounds[i], bounds[i + 1]);
		if (end != END_LISTED)
			return end;
	}
	return END_LISTED;
}

static int put_unlisted(const struct text *t)
{
	struct listing_unlisted u = { .signal = (uint32_t)t->signal };
	size_t i;

	for (i = 0; i < t->loaded->n; i++)
		u.rules += t->blank[i];
	return listing_put(t->fd, LISTING_UNLISTED, &u, sizeof(u));
}

static int list_some(struct text *t)
{
	enum end end = try_range(t, 0, 0);

	if (end == END_LISTED && t->loaded->n)
		end = search(t, 0, t->loaded->n);
	if (end == END_LISTED)
		end = try(t, t->blank, true);
	/* It can't list them together, or what is no rule. */
	if (end == END_CRASHED) {
		memset(t->blank, true, t->loaded->n);
		end = END_LISTED;
	}
	return end == END_FAILED ? -ECANCELED : put_unlisted(t);
}

int scratch_text(int fd, const struct scratch_rules *loaded)
{
	struct text t = { .fd = fd, .loaded = loaded };
	enum end end = try(&t, NULL, true);
	int err = end == END_FAILED ? -ECANCELED : 0;

	if (end != END_CRASHED)
		return err;
	t.blank = calloc(loaded->n + 1, sizeof(*t.blank));
	t.hidden = calloc(loaded->n + 1, sizeof(*t.hidden));
	err = t.blank && t.hidden ? list_some(&t) : -ENOMEM;
	free(t.blank);
	free(t.hidden);
	return err;
}
