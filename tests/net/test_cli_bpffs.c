// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command and BPF file systems: one that is missing, hidden, elsewhere, or may not be written.
 *
 * What happens on a machine without one is tried where process 1 and its mounts are the test's own:
 * in a process namespace. Scripts there end with a number that tells the step that failed.
 */
#define _GNU_SOURCE
#include <child.h>
#include <command.h>
#include <life.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <test.h>

#define NAME "mounted"

/* Runs a script as process 1 of a machine without a BPF file system; u runs the command. */
static void run_alone(const struct life *l, const char *script)
{
	char said[4096];
	int status = lab_ns_output(l->ns, said, sizeof(said),
				   "exec 2>&1; exec unshare --pid --fork --mount --mount-proc "
				   "sh -c '"
				   "u() { %s \"$@\"; };"
				   "while umount /sys/fs/bpf 2>/dev/null; do :; done;"
				   "! grep -q \" - bpf \" /proc/self/mountinfo || exit 100;"
				   "%s'",
				   TEST_UNFRAG, script);

	if (status)
		printf("# step %d, after:\n# %s\n", status, said);
	assert_int_equal(status, 0);
}

#define OBJECT TEST_OBJECTS "/life_plain.bpf.o"

static void where_there_is_none_attach_mounts_one_and_says_so(void *state)
{
	run_alone(state,
		  "test \"$(u list)\" || exit 1;"
		  "grep -q \" - bpf \" /proc/self/mountinfo && exit 2;"
		  "u attach -n m " OBJECT
		  " >/tmp/said.$$ 2>&1 || exit 3;"
		  "said=$(cat /tmp/said.$$); rm /tmp/said.$$;"
		  "case $said in *\"mounted a BPF file system at /sys/fs/bpf\"*) ;;"
		  " *) exit 4 ;; esac;"
		  "grep -q \" /sys/fs/bpf .*nosuid,nodev,noexec.* - bpf \" "
		  "/proc/self/mountinfo || exit 5;"
		  "test $(stat -c %a /sys/fs/bpf) = 1700 || exit 6;"
		  "case $(u list) in *ready*) ;; *) exit 7 ;; esac;"
		  "u detach m || exit 8;"
		  "u defrag on || exit 9;"
		  "u defrag off || exit 10");
}

/* Or one would hide what the other has pinned. */
static void of_several_at_once_one_mounts_it(void *state)
{
	run_alone(state,
		  "for round in 1 2 3 4 5; do "
		  "for i in 1 2 3 4 5 6 7 8; do u defrag on --holder h$i & done >/dev/null;"
		  "wait;"
		  "test $(grep -c \" - bpf \" /proc/self/mountinfo) = 1 || exit 1;"
		  "test $(u defrag status --all | grep -c ready) = 8 || exit 2;"
		  "for i in 1 2 3 4 5 6 7 8; do u defrag off --holder h$i || exit 3; done;"
		  "umount /sys/fs/bpf || exit 4; done");
}

static void in_a_mount_namespace_of_its_own_it_mounts_none(void *state)
{
	run_alone(state, "said=$(unshare --mount " TEST_UNFRAG " attach -n m " OBJECT
			 " 2>&1)"
			 " && exit 1;"
			 "case $said in *--netns*) ;; *) echo \"$said\"; exit 2 ;; esac;"
			 "grep -q \" - bpf \" /proc/self/mountinfo && exit 3;"
			 "unshare --mount " TEST_UNFRAG
			 " list || exit 4;"
			 "grep -q \" - bpf \" /proc/self/mountinfo && exit 5;"
			 "exit 0");
}

static void one_that_is_hidden_there_is_found_outside(void *state)
{
	run_alone(state,
		  "mount -t bpf -o mode=0700 bpf /sys/fs/bpf || exit 1;"
		  "unshare --mount sh -c \"umount /sys/fs/bpf; " TEST_UNFRAG " attach -n m " OBJECT
		  "\" || exit 2;"
		  "test -e /sys/fs/bpf/unfrag/m/about || exit 3;"
		  "case $(u list) in *ready*) ;; *) exit 4 ;; esac;"
		  "unshare --mount sh -c \"umount /sys/fs/bpf; " TEST_UNFRAG
		  " detach m\" || exit 5;"
		  "test ! -e /sys/fs/bpf/unfrag/m || exit 6");
}

static void under_ip_netns_exec_it_works_as_outside(void *state)
{
	run_alone(state,
		  "mount -t bpf -o mode=0700 bpf /sys/fs/bpf || exit 1;"
		  "ip netns add unfrag-blue || exit 2;"
		  "ip netns exec unfrag-blue " TEST_UNFRAG " attach -n m " OBJECT
		  " || exit 3;"
		  "case $(u list) in *ready*unfrag-blue*) ;; *) u list; exit 4 ;; esac;"
		  "case $(ip netns exec unfrag-blue " TEST_UNFRAG
		  " list) in *ready*current*) ;; *) exit 5 ;; esac;"
		  "u detach m || exit 6;"
		  "ip netns del unfrag-blue || exit 7");
}

static const char *bpffs;

static void set_bpffs(struct command *c)
{
	(void)c;
	setenv("UNFRAG_BPFFS", bpffs, 1);
}

static int elsewhere(struct command *c, const char *where, const char *const *args)
{
	memset(c, 0, sizeof(*c));
	bpffs = where;
	c->before = set_bpffs;
	return command_v(c, args);
}

#define ELSEWHERE(c, where, ...) elsewhere((c), (where), (const char *const[]){ __VA_ARGS__, NULL })

static void one_that_is_asked_for_is_used_and_no_other(void *state)
{
	char dir[] = "/tmp/unfrag-bpffs-XXXXXX", path[64];
	const struct life *l = state;
	struct command c;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(mount("bpf", dir, "bpf", 0, "mode=0700"), 0);
	snprintf(path, sizeof(path), "%s/unfrag/" NAME "/about", dir);
	ELSEWHERE(&c, dir, "attach", "--netns", l->path, "-n", NAME, LIFE_OBJECT("plain"));
	command_expect(&c, 0, NULL);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(LIFE_ROOT "/" NAME, F_OK), -1);
	ELSEWHERE(&c, dir, "list");
	assert_non_null(strstr(c.out, NAME));
	command_run(&c, "list");
	command_expect(&c, 0, NULL);
	assert_null(strstr(c.out, NAME));
	command_run(&c, "detach", NAME);
	command_expect(&c, 1, "no attachment");
	ELSEWHERE(&c, dir, "probe");
	assert_non_null(strstr(c.out, dir));
	ELSEWHERE(&c, dir, "detach", NAME);
	command_expect(&c, 0, NULL);
	assert_int_equal(umount(dir), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void one_that_is_asked_for_and_is_none_is_refused(void *state)
{
	static const char *const nowhere[] = { "/tmp", "/nowhere", "" };
	const struct life *l = state;
	struct command c;

	command_run(&c, "attach", "--netns", l->path, "-n", NAME, LIFE_OBJECT("plain"));
	command_expect(&c, 0, NULL);
	for (size_t i = 0; i < 3; i++) {
		ELSEWHERE(&c, nowhere[i], "attach", "--netns", l->path, "-n", "x",
			  LIFE_OBJECT("plain"));
		command_expect(&c, 1, "UNFRAG_BPFFS");
		ELSEWHERE(&c, nowhere[i], "replace", NAME, LIFE_OBJECT("a"));
		command_expect(&c, 1, "UNFRAG_BPFFS");
		ELSEWHERE(&c, nowhere[i], "list");
		command_expect(&c, 1, "UNFRAG_BPFFS");
		ELSEWHERE(&c, nowhere[i], "stats", NAME);
		command_expect(&c, 1, "UNFRAG_BPFFS");
		ELSEWHERE(&c, nowhere[i], "detach", NAME);
		command_expect(&c, 1, "UNFRAG_BPFFS");
		ELSEWHERE(&c, nowhere[i], "defrag", "on", "--netns", l->path);
		command_expect(&c, 1, "UNFRAG_BPFFS");
		assert_int_equal(access("/tmp/unfrag", F_OK), -1);
		assert_int_equal(life_state(NAME, NULL), UNFRAG_STATE_READY);
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 1);
	}
	life_detach(NAME);
}

static void one_that_may_not_be_written_is_refused(void *state)
{
	const struct life *l = state;
	struct command c;
	int status;

	assert_int_equal(mount(NULL, "/sys/fs/bpf", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
			 0);
	status = command_run(&c, "attach", "--netns", l->path, "-n", NAME, LIFE_OBJECT("plain"));
	assert_int_equal(mount(NULL, "/sys/fs/bpf", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
	assert_int_equal(status, 1);
	command_expect(&c, 1, "Read-only file system");
	life_expect_nothing();
}

static void bpffs_down(void *state)
{
	life_remove(NAME);
	life_down(state);
}

static const struct test tests[] = {
	TEST_WITH(where_there_is_none_attach_mounts_one_and_says_so, life_up, bpffs_down),
	TEST_WITH(of_several_at_once_one_mounts_it, life_up, bpffs_down),
	TEST_WITH(in_a_mount_namespace_of_its_own_it_mounts_none, life_up, bpffs_down),
	TEST_WITH(one_that_is_hidden_there_is_found_outside, life_up, bpffs_down),
	TEST_WITH(under_ip_netns_exec_it_works_as_outside, life_up, bpffs_down),
	TEST_WITH(one_that_is_asked_for_is_used_and_no_other, life_up, bpffs_down),
	TEST_WITH(one_that_is_asked_for_and_is_none_is_refused, life_up, bpffs_down),
	TEST_WITH(one_that_may_not_be_written_is_refused, life_up, bpffs_down),
};

TEST_MAIN(tests);
