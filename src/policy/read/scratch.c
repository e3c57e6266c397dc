// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "scratch.h"

#include <errno.h>
#include <net/if.h>
#include <nftables/libnftables.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "listing.h"
#include "overhear.h"
#include "source.h"
#include "text.h"

#define MEMORY    (4ull << 30)
#define LIST_PART 4 /* of the memory */

/* Sanitizers reserve more than any limit. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_ADDRESSES false
#else
#define LIMIT_ADDRESSES true
#endif

static uint64_t memory_of(const struct policy_read_opts *opts)
{
	return opts->memory ? opts->memory : MEMORY;
}

int listing_put(int fd, uint32_t section, const void *data, size_t len)
{
	struct listing_head head = { section, (uint32_t)len };
	const struct iovec parts[] = { { &head, sizeof(head) }, { (void *)data, len } };
	ssize_t n = writev(fd, parts, 2);

	if (n < 0)
		return -errno;
	return (size_t)n == sizeof(head) + len ? 0 : -EFBIG;
}

void scratch_fail(int fd, int err, const char *what)
{
	struct listing_failure f = { .err = err };

	snprintf(f.what, sizeof(f.what), "%s", what);
	listing_put(fd, LISTING_FAILED, &f, sizeof(f));
	_exit(EXIT_FAILURE);
}

static void limit(unsigned int resource, uint64_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now))
		return;
	if (now.rlim_max == RLIM_INFINITY || now.rlim_max > most)
		now.rlim_max = most;
	now.rlim_cur = now.rlim_max;
	setrlimit(resource, &now);
}

/*
 * libnftables may crash, and the parent says so in words. By the kernel's own call, as sanitizers
 * keep the C library's to themselves; all zero is SIG_DFL.
 */
static void end_at_crashes(void)
{
	static const int signals[] = { SIGABRT, SIGBUS, SIGFPE, SIGSEGV };
	const unsigned long action[8] = { 0 };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		syscall(SYS_rt_sigaction, signals[i], action, NULL, sizeof(uint64_t));
}

/* As a program that was just started, which dies with its parent. */
static void settle(const struct policy_read_opts *opts, pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	end_at_crashes();
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (LIMIT_ADDRESSES)
		limit(RLIMIT_AS, memory_of(opts));
	limit(RLIMIT_FSIZE, memory_of(opts) / LIST_PART);
	limit(RLIMIT_CORE, 0);
}

#define NO_NAMESPACE \
	"no network namespace can be made; be root, or allow user namespaces (sysctl " \
	"user.max_user_namespaces)"

static void enter(int fd, int netns)
{
	struct scratch_devices devices;

	if (netns >= 0 && setns(netns, CLONE_NEWNET))
		scratch_fail(fd, -errno, "the network namespace can't be entered");
	devices.list = if_nameindex();
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		scratch_fail(fd, -EPERM, NO_NAMESPACE);
	scratch_make_devices(&devices);
	if_freenameindex(devices.list);
}

void scratch_put_text(int fd, uint32_t section, const char *text)
{
	int err = text && *text ? listing_put(fd, section, text, strlen(text)) : 0;

	if (err)
		scratch_fail(fd, err, "the listing can't be kept");
}

struct nft_ctx *scratch_nftables(int fd)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

	if (!nft || nft_ctx_buffer_error(nft) || nft_ctx_buffer_output(nft))
		scratch_fail(fd, -ENOMEM, "libnftables can't be started");
	return nft;
}

/* What may come once only is kept, as it is read twice, from its begin. */
static void keep_stdin(int fd)
{
	char buffer[65536];
	int kept = memfd_create("unfrag-stdin", MFD_CLOEXEC);
	ssize_t n;

	if (kept < 0)
		scratch_fail(fd, -errno, "standard input can't be kept");
	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		if (write(kept, buffer, (size_t)n) != n)
			scratch_fail(fd, -EFBIG, "standard input can't be kept");
	if (n < 0 || lseek(kept, 0, SEEK_SET) < 0 || dup2(kept, STDIN_FILENO) < 0)
		scratch_fail(fd, -errno, "standard input can't be read");
	close(kept);
}

/* Only with privilege a socket takes as much as libnftables asks for. */
#define TOO_LONG \
	"so much takes root, or a larger sysctl net.core.wmem_max (it goes to the kernel at once)"

static void load(int fd, const char *path)
{
	struct nft_ctx *nft = scratch_nftables(fd);
	const char *said;
	int r;

	overhear_start();
	r = nft_run_cmd_from_filename(nft, path);
	said = nft_ctx_get_error_buffer(nft);
	scratch_put_text(fd, LISTING_ERROR, said);
	if (r && said && !strncmp(said, "netlink:", 8) && strstr(said, strerror(EMSGSIZE)))
		scratch_fail(fd, -EMSGSIZE, TOO_LONG);
	if (r)
		scratch_fail(fd, -EINVAL, "");
}

/* All sections that are there so far, for as long as this process lives. */
static int map(int fd, struct attr *out)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	out->len = (size_t)st.st_size;
	out->data = mmap(NULL, out->len, PROT_READ, MAP_PRIVATE, fd, 0);
	return out->data == MAP_FAILED ? -errno : 0;
}

/* What is told beside the kernel's own words. */
static void tell_more(int fd, const char *path)
{
	struct scratch_rules loaded;
	struct attr listing = { 0 };
	int err = map(fd, &listing);

	if (!err)
		err = scratch_rules_init(&loaded, listing);
	if (!err)
		err = scratch_text(fd, &loaded);
	if (!err)
		err = lines_put(fd, path, &loaded);
	if (err == -ECANCELED)
		_exit(EXIT_FAILURE);
	if (err)
		scratch_fail(fd, err, "what nftables loaded can't be listed");
}

__attribute__((noreturn)) static void child(int fd, const char *path,
					    const struct policy_read_opts *opts, pid_t parent)
{
	int err;

	settle(opts, parent);
	enter(fd, opts->netns);
	if (!strcmp(path, "-")) {
		keep_stdin(fd);
		path = "/dev/stdin";
	}
	load(fd, path);
	err = overhear_put_chains(fd);
	if (!err)
		err = scratch_dump(fd);
	if (err)
		scratch_fail(fd, err, "what nftables loaded can't be listed");
	tell_more(fd, path);
	err = listing_put(fd, LISTING_END, NULL, 0);
	if (err)
		scratch_fail(fd, err, "the listing can't be kept");
	_exit(EXIT_SUCCESS);
}

/* Waits for the child, which is gone afterwards in any case. */
static int wait_for(pid_t pid, uint32_t timeout, int *status)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int r, err;

	if (end.fd < 0) {
		err = -errno;
	} else {
		r = poll(&end, 1, (int)(timeout ? timeout : POLICY_TIMEOUT_MS));
		err = r < 0 ? -errno : r ? 0 : -ETIMEDOUT;
		close(end.fd);
	}
	if (err)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return err;
}

static int take_listing(int fd, struct policy_listing *out)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	out->data = malloc((size_t)st.st_size + 1);
	if (!out->data)
		return -ENOMEM;
	while (out->len < (size_t)st.st_size) {
		n = pread(fd, (char *)out->data + out->len, (size_t)st.st_size - out->len,
			  (off_t)out->len);
		if (n <= 0)
			return n ? -errno : -EIO;
		out->len += (size_t)n;
	}
	return 0;
}

/* What nftables said, one message a line, as it stands. */
static void tell_lines(struct policy_messages *messages, struct attr text)
{
	const char *line = (const char *)text.data, *end = line + text.len, *stop;

	for (; line && line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop)
			stop = end;
		policy_say(messages, "%.*s", (int)(stop - line), line);
	}
}

static void tell_unlisted(const char *path, struct attr section, struct policy_messages *messages)
{
	struct listing_unlisted u;

	if (section.len != sizeof(u))
		return;
	memcpy(&u, section.data, sizeof(u));
	policy_say(messages,
		   "%s: rules that nftables can't list, as it ends by signal %u (%s): %u; they are "
		   "loaded as they are, and shown in other words",
		   path, u.signal, strsignal((int)u.signal), u.rules);
}

/* With such a status libnftables ends a process of its own accord. */
#define NFT_EXIT_NOMEM 2
#define NFT_EXIT_NONL  3

static int tell_end(const char *path, int status, struct policy_messages *messages)
{
	const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

	if (code == NFT_EXIT_NONL) {
		policy_say(messages,
			   "%s: libnftables has no way to this kernel's nftables, without which it "
			   "reads nothing",
			   path);
		return -EOPNOTSUPP;
	}
	if (code > NFT_EXIT_NOMEM) {
		policy_say(messages, "%s: libnftables ended with status %d", path, code);
		return -EIO;
	}
	if (WIFSIGNALED(status))
		policy_say(messages, "%s: loading it was ended by signal %d (%s)", path,
			   WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		policy_say(messages, "%s: loading it takes more memory than is allowed", path);
	return -ENOMEM;
}

static int tell(const char *path, const struct policy_listing *listing, int status,
		struct policy_messages *messages)
{
	const struct attr all = { listing->data, listing->len };
	struct attr failed = listing_find(all, LISTING_FAILED);
	struct listing_failure f;

	tell_lines(messages, listing_find(all, LISTING_ERROR));
	if (failed.len == sizeof(f)) {
		memcpy(&f, failed.data, sizeof(f));
		if (f.what[0])
			policy_say(messages, "%s: %s: %s", path, f.what, strerror(-f.err));
		return f.err;
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status) && listing_find(all, LISTING_END).data) {
		tell_unlisted(path, listing_find(all, LISTING_UNLISTED), messages);
		return 0;
	}
	return tell_end(path, status, messages);
}

static int run(int fd, struct policy_listing *out, const char *path,
	       const struct policy_read_opts *opts)
{
	const pid_t self = getpid();
	int status = 0, err;
	pid_t pid;

	/* What is not written yet would be written twice. */
	fflush(NULL);
	pid = fork();
	if (!pid)
		child(fd, path, opts, self);
	if (pid < 0)
		return -errno;
	err = wait_for(pid, opts->timeout_ms, &status);
	if (err == -ETIMEDOUT)
		policy_say(opts->messages, "%s: loading it takes longer than is allowed", path);
	if (!err)
		err = take_listing(fd, out);
	return err ? err : tell(path, out, status, opts->messages);
}

/* libnftables ends the process at a directory, and speaks of itself if there is no file. */
static int check_path(const char *path)
{
	struct stat st;

	if (!strcmp(path, "-"))
		return 0;
	if (access(path, R_OK) || stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? -EISDIR : 0;
}

int scratch_list(struct policy_listing *out, const char *path, const struct policy_read_opts *opts)
{
	struct policy_listing listing = { 0 };
	int fd, err = check_path(path);

	if (err) {
		policy_say(opts->messages, "'%s' can't be read: %s", path, strerror(-err));
		return err;
	}
	fd = memfd_create("unfrag-listing", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = listing_put(fd, LISTING_PATH, path, strlen(path) + 1);
	if (!err)
		err = run(fd, &listing, path, opts);
	close(fd);
	if (err)
		policy_listing_release(&listing);
	else
		*out = listing;
	return err;
}
