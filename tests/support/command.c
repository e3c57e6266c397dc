// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs of the unfrag command. Output goes to memory files and not to pipes, so that nothing has to
 * be read while a run is being watched.
 */
#define _GNU_SOURCE
#include "command.h"

#include <child.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <test.h>

#define ARGS_MAX 24

/* Numbers of the calls that are watched; old ones are not there on every architecture. */
static const struct {
	int nr;
	const char *name;
} watched[] = {
	{ SYS_bpf, "bpf" },           { SYS_flock, "flock" },
	{ SYS_mkdirat, "mkdirat" },   { SYS_mount, "mount" },
	{ SYS_pwrite64, "pwrite64" }, { SYS_renameat2, "renameat2" },
	{ SYS_setns, "setns" },       { SYS_symlinkat, "symlinkat" },
	{ SYS_unlinkat, "unlinkat" }, { SYS_unshare, "unshare" },
#ifdef SYS_mkdir
	{ SYS_mkdir, "mkdir" },       { SYS_rename, "rename" },
	{ SYS_rmdir, "rmdir" },       { SYS_symlink, "symlink" },
	{ SYS_unlink, "unlink" },
#endif
#ifdef SYS_renameat
	{ SYS_renameat, "renameat" },
#endif
};

#define WATCHED (sizeof(watched) / sizeof(watched[0]))

/* A filter that hands over the watched calls and lets all others pass. Returns its listener. */
static int install_filter(void)
{
	struct sock_filter insns[WATCHED + 3];
	struct sock_fprog prog = { .len = WATCHED + 3, .filter = insns };
	size_t i;

	insns[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						offsetof(struct seccomp_data, nr));
	for (i = 0; i < WATCHED; i++)
		insns[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							    (unsigned int)watched[i].nr,
							    (unsigned char)(WATCHED - i), 0);
	insns[WATCHED + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	insns[WATCHED + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &prog);
}

static int send_fd(int sock, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/* -1 when the other end closed without sending one. */
static int receive_fd(int sock)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

struct start {
	struct command *command;
	const char *const *argv;
	int out, err, sock;
	pid_t parent;
};

static int redirect(const struct start *s)
{
	const char *path = s->command->stdout_path;
	int out = s->out;

	if (path && path[0])
		out = open(path, O_WRONLY | O_CLOEXEC);
	if (out < 0 || dup2(s->err, STDERR_FILENO) < 0)
		return -1;
	if (path && !path[0])
		return close(STDOUT_FILENO);
	return dup2(out, STDOUT_FILENO);
}

/* Between fork and exec. Fails with a status that the command does not have. */
static void __attribute__((noreturn)) child(const struct start *s)
{
	struct command *c = s->command;
	int fd;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != s->parent || setpgid(0, 0))
		_exit(121);
	if (c->ns && setns(lab_ns_fd(c->ns), CLONE_NEWNET))
		_exit(122);
	if (redirect(s) < 0)
		_exit(123);
	if (c->before)
		c->before(c);
	if (c->watch) {
		fd = install_filter();
		if (fd < 0 || send_fd(s->sock, fd))
			_exit(124);
	}
	if (c->call)
		_exit(c->call(c->arg) ? 1 : 0);
	execv(s->argv[0], (char *const *)s->argv);
	_exit(125);
}

/* Lets the call be made, or not. Returns false when that was the end of the command. */
static bool answer(struct command *c, int listener, pid_t pid)
{
	struct seccomp_notif call = { 0 };
	struct seccomp_notif_resp resp = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return errno == ENOENT || errno == EINTR; /* it ended meanwhile */
	c->calls++;
	resp.id = call.id;
	if (c->calls == c->stop_at) {
		c->last_call = call.data.nr;
		c->last_bpf = (int)call.data.args[0];
		if (!c->stop_errno) {
			kill(pid, SIGKILL);
			return false;
		}
		resp.error = -c->stop_errno;
	} else {
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
	return true;
}

static void watch(struct command *c, int sock, pid_t pid, int64_t deadline)
{
	lab_autoclose int listener = receive_fd(sock);
	struct pollfd pfd = { .fd = listener, .events = POLLIN };

	while (listener >= 0 && poll(&pfd, 1, lab_ms_left(deadline)) > 0)
		if (!(pfd.revents & POLLIN) || !answer(c, listener, pid))
			break;
}

static size_t take_output(int fd, char *buf, size_t size)
{
	off_t len = lseek(fd, 0, SEEK_END);
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return (size_t)len;
}

int command_v(struct command *c, const char *const *args)
{
	const char *argv[ARGS_MAX + 2] = { TEST_UNFRAG };
	lab_autoclose int out = memfd_create("stdout", MFD_CLOEXEC);
	lab_autoclose int err = memfd_create("stderr", MFD_CLOEXEC);
	int64_t deadline = lab_now_ms() + COMMAND_DEADLINE_MS;
	int socks[2], i;
	struct start s = { .command = c, .argv = argv, .out = out, .err = err, .parent = getpid() };
	pid_t pid;

	for (i = 0; args[i]; i++) {
		assert_true(i < ARGS_MAX);
		argv[i + 1] = args[i];
	}
	c->calls = 0;
	c->last_call = -1;
	c->watch = c->watch || c->stop_at;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks), 0);
	s.sock = socks[1];
	fflush(stdout);
	pid = fork();
	if (!pid)
		child(&s);
	close(socks[1]);
	if (pid > 0 && c->watch)
		watch(c, socks[0], pid, deadline);
	close(socks[0]);
	assert_true(pid > 0);
	c->status = lab_child_wait(pid, lab_ms_left(deadline));
	if (c->status == -ETIMEDOUT)
		lab_child_kill(pid);
	take_output(out, c->out, sizeof(c->out));
	c->err_len = take_output(err, c->err, sizeof(c->err));
	return test_ok(c->status);
}

int command(struct command *c, ...)
{
	const char *args[ARGS_MAX + 1];
	va_list ap;
	int i = 0;

	va_start(ap, c);
	do {
		assert_true(i < ARGS_MAX);
		args[i] = va_arg(ap, const char *);
	} while (args[i++]);
	va_end(ap);
	return command_v(c, args);
}

void command_expect_(const struct command *c, int want, const char *word, const char *file,
		     int line)
{
	bool said = word ? strstr(c->err, word) != NULL : !c->err[0];

	if (c->status == want && said)
		return;
	printf("# status %d, want %d; stderr has to %s '%s' and is:\n%s", c->status, want,
	       word ? "have" : "be empty", word ? word : "", c->err);
	test_fail_(file, line, "command_expect()");
}

const char *command_stopped(const struct command *c)
{
	static char text[32];
	size_t i;

	for (i = 0; i < WATCHED; i++)
		if (watched[i].nr == c->last_call)
			break;
	if (i == WATCHED)
		return "nothing";
	if (c->last_call == SYS_bpf)
		snprintf(text, sizeof(text), "bpf(%d)", c->last_bpf);
	else
		snprintf(text, sizeof(text), "%s", watched[i].name);
	return text;
}

void command_expect_lines(const char *text)
{
	const char *line, *end;

	for (line = text; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		if (end > line && (end[-1] == ' ' || end[-1] == '\t'))
			test_fail_(__FILE__, __LINE__, "a line ends with a blank");
	}
}
