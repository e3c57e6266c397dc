// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where libnftables or the kernel can't do what a file needs: that is said, and what is in force
 * stays. A stub stands for a libnftables that lacks something; the kernel lacks netfilter's netlink
 * where a filter of system calls says so.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <policed.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <test.h>
#include <unistd.h>

#define GOOD "udp dport 9 counter accept"

static char stub_dir[64];
static const char *lacking;

static void use_stub(struct command *c)
{
	(void)c;
	setenv("LD_LIBRARY_PATH", stub_dir, true);
	setenv("STUB_NFTABLES", lacking, true);
}

/* In a directory of its own, under the name that the command is linked to. */
static void make_stub(void)
{
	char path[128];

	strcpy(stub_dir, "/tmp/unfrag-stub-XXXXXX");
	assert_non_null(mkdtemp(stub_dir));
	snprintf(path, sizeof(path), "%s/libnftables.so.1", stub_dir);
	assert_int_equal(symlink(TEST_STUB, path), 0);
}

static void remove_stub(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/libnftables.so.1", stub_dir);
	unlink(path);
	rmdir(stub_dir);
}

static void up(void **state)
{
	make_stub();
	policed_up(state);
}

static void down(void *state)
{
	policed_down(state);
	remove_stub();
}

#define WORD(offset)         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define UNLESS(value, steps) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, steps)
#define ARGUMENT(n)          (offsetof(struct seccomp_data, args) + 8 * (n))

/* socket(AF_NETLINK, ..., NETLINK_NETFILTER) fails; of arguments the lower half is looked at. */
static void take_netlink(struct command *c)
{
	static struct sock_filter code[] = {
		WORD(offsetof(struct seccomp_data, nr)),
		UNLESS(SYS_socket, 5),
		WORD(ARGUMENT(0)),
		UNLESS(AF_NETLINK, 3),
		WORD(ARGUMENT(2)),
		UNLESS(NETLINK_NETFILTER, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPROTONOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	(void)c;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(126);
}

static void load_good(const struct life *l)
{
	policed_load(l, policed_file("table inet t {\nchain c {\ntype filter hook input "
				     "priority %d; policy drop\n" GOOD "\n}\n}\n",
				     life_priority(0)));
}

static void expect_untouched(const struct life *l)
{
	uint64_t before = policed_packets(GOOD);

	life_expect_pings(l);
	assert_int_equal(policed_packets(GOOD), before + 2);
	life_expect_links(2);
}

static void reload_fails(void (*before)(struct command *c), int status, const char *word)
{
	struct command c = { .before = before };

	command(&c, "policy", "reload", POLICED_NAME, NULL);
	command_expect(&c, status, word);
	command_expect(&c, status, "what was in force stays in force");
	assert_string_equal(c.out, "");
}

static const struct {
	const char *lacking;
	int status;
	const char *word;
} stubs[] = {
	{ "statement", 1, "rules.nft:4:1-3: Error: syntax error, unexpected udp\n" GOOD "\n^^^\n" },
	{ "start", 1, "libnftables can't be started" },
	{ "list", 1, "nftables can't list what it loaded" },
	{ "memory", 1, "loading it takes more memory than is allowed" },
	{ "exit", 1, "libnftables ended with status 99" },
	{ "listing", 1, "libnftables ended with status 98" },
};

static void a_libnftables_that_lacks_something_is_told(void *state)
{
	const struct life *l = state;

	load_good(l);
	for (size_t i = 0; i < sizeof(stubs) / sizeof(stubs[0]); i++) {
		lacking = stubs[i].lacking;
		reload_fails(use_stub, stubs[i].status, stubs[i].word);
	}
	expect_untouched(l);
}

static void a_kernel_that_lacks_netfilters_netlink_is_told(void *state)
{
	const struct life *l = state;

	load_good(l);
	reload_fails(take_netlink, 3, "libnftables has no way to this kernel's nftables");
	expect_untouched(l);
}

/* What drops all needs nothing of libnftables. */
static void all_can_be_dropped_without_libnftables(void *state)
{
	const struct life *l = state;
	struct command c = { .before = use_stub };

	lacking = "start";
	command(&c, "policy", "load", "--on-fail", "closed", "--netns", l->path, "--name",
		POLICED_NAME, policed_file("no matter"), NULL);
	command_expect(&c, 1, "libnftables can't be started");
	command_expect(&c, 1, "EVERY PACKET IS DROPPED at input, forward and output");
	life_expect_passing(l, false, false);
}

#define LACKING_TEST(fn) TEST_WITH(fn, up, down)

static const struct test tests[] = {
	LACKING_TEST(a_libnftables_that_lacks_something_is_told),
	LACKING_TEST(all_can_be_dropped_without_libnftables),
	LACKING_TEST(a_kernel_that_lacks_netfilters_netlink_is_told),
};

TEST_MAIN(tests);
