// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Directories of pins, on a BPF file system: claimed once, locked by one, seen at rest by many, and
 * gone for all who still have them open.
 */
#include <bpf/bpf.h>
#include <child.h>
#include <errno.h>
#include <fcntl.h>
#include <life.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <test.h>
#include <unistd.h>

#include "cleanup.h"
#include "store.h"

#define NAME  "stored"
#define NOTED 128

static void up(void **state)
{
	(void)state;
	life_begin();
}

static void down(void *state)
{
	(void)state;
	life_clean();
}

#define STORE_TEST(fn) TEST_WITH(fn, up, down)

static void a_name_is_claimed_once(void *state)
{
	struct store s = STORE_INIT, again = STORE_INIT;

	(void)state;
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	test_err(store_create(&again, STORE_ATTACHMENTS, NAME), -EEXIST);
	assert_int_equal(again.fd, -1);
	/* Attachments and holds don't meet. */
	test_ok(store_create(&again, STORE_HOLDS, NAME));
	test_ok(store_destroy(&again));
	store_release(&again);
	test_ok(store_destroy(&s));
	store_release(&s);
	test_err(store_open(&s, STORE_ATTACHMENTS, NAME), -ENOENT);
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	test_ok(store_destroy(&s));
	store_release(&s);
}

static void who_made_it_has_it_locked(void *state)
{
	struct store s = STORE_INIT, other = STORE_INIT;

	(void)state;
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	test_ok(store_open(&other, STORE_ATTACHMENTS, NAME));
	test_err(store_look(&other), -EBUSY);
	test_err(store_lock(&other), -EBUSY);
	store_unlock(&s);
	test_ok(store_look(&other));
	test_err(store_lock(&s), -EBUSY);
	test_ok(store_look(&s));
	store_unlock(&s);
	store_unlock(&other);
	test_ok(store_lock(&s));
	test_err(store_look(&other), -EBUSY);
	test_ok(store_destroy(&s));
	store_release(&s);
	store_release(&other);
}

static void what_is_gone_is_gone_for_all_who_have_it_open(void *state)
{
	struct store s = STORE_INIT, other = STORE_INIT;

	(void)state;
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	test_ok(store_open(&other, STORE_ATTACHMENTS, NAME));
	test_ok(store_destroy(&s));
	store_release(&s);
	test_err(store_look(&other), -ENOENT);
	test_err(store_lock(&other), -ENOENT);
	/* And what has its name now is another. */
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	store_unlock(&s);
	test_err(store_look(&other), -ENOENT);
	test_err(store_lock(&other), -ENOENT);
	store_release(&other);
	test_ok(store_destroy(&s));
	store_release(&s);
}

static void a_lock_ends_with_its_process(void *state)
{
	struct store s = STORE_INIT;
	pid_t pid;

	(void)state;
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(store_create(&s, STORE_ATTACHMENTS, NAME) ? 1 : 0);
	assert_true(pid > 0);
	assert_int_equal(lab_child_wait(pid, LIFE_DEADLINE_MS), 0);
	test_ok(store_open(&s, STORE_ATTACHMENTS, NAME));
	test_ok(store_look(&s));
	store_unlock(&s);
	test_ok(store_lock(&s));
	test_ok(store_destroy(&s));
	store_release(&s);
}

/* The exit status of a process that looks at it or locks it: 0 or an errno. */
static pid_t start(int (*fn)(struct store *s))
{
	struct store s = STORE_INIT;
	pid_t pid;
	int r;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		r = store_open(&s, STORE_ATTACHMENTS, NAME);
		_exit(r ? 100 : -fn(&s));
	}
	assert_true(pid > 0);
	return pid;
}

/* Its maker stands between two system calls here: it is made, and the next thing is to lock it. */
static void what_is_made_and_not_locked_yet_is_never_had(void *state)
{
	int (*const fns[])(struct store *) = { store_look, store_lock };
	struct store s = STORE_INIT;
	int fd;
	pid_t pid;

	(void)state;
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	for (int i = 0; i < 2; i++) {
		store_unlock(&s);
		assert_int_equal(flock(s.base_fd, LOCK_EX), 0);
		pid = start(fns[i]);
		test_err(lab_child_wait(pid, 50), -ETIMEDOUT);
		fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
		assert_int_equal(flock(s.base_fd, LOCK_UN), 0);
		assert_int_equal(lab_child_wait(pid, LIFE_DEADLINE_MS), EBUSY);
		close(fd);
	}
	test_ok(store_destroy(&s));
	store_release(&s);
}

static void pins_are_found_by_name_and_other_things_are_not_taken_for_pins(void *state)
{
	struct store s = STORE_INIT;
	int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "stored", 4, 4, 1, NULL), fd;

	(void)state;
	test_ok(map);
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	test_ok(store_pin(&s, map, "map"));
	test_err(store_pin(&s, map, "map"), -EEXIST);
	fd = test_ok(store_get(&s, "map"));
	close(fd);
	test_err(store_get(&s, "none"), -ENOENT);
	test_ok(store_mkdir(&s, "dir"));
	test_err(store_get(&s, "dir"), -EBADF);
	test_ok(store_pin(&s, map, "dir/map"));
	fd = test_ok(store_get(&s, "dir/map"));
	close(fd);
	close(map);
	test_ok(store_remove(&s, "none"));
	test_ok(store_remove(&s, "map"));
	test_err(store_get(&s, "map"), -ENOENT);
	test_ok(store_remove(&s, "dir"));
	test_err(store_get(&s, "dir/map"), -ENOENT);
	test_ok(store_destroy(&s));
	store_release(&s);
}

static int note(const struct store *s, const char *name, void *arg)
{
	char *names = arg;
	size_t len = strlen(names);

	(void)s;
	snprintf(names + len, NOTED - len, "%s ", name);
	return strcmp(name, "a-stop") ? 0 : -EINTR;
}

static void entries_come_sorted_and_by_prefix(void *state)
{
	struct store s = STORE_INIT;
	char names[NOTED] = "";

	(void)state;
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	test_ok(store_mkdir(&s, "b-2"));
	test_ok(store_mkdir(&s, "a-1"));
	test_ok(store_mkdir(&s, "b-1"));
	test_ok(store_entries(&s, "b-", note, names));
	assert_string_equal(names, "b-1 b-2 ");
	names[0] = '\0';
	test_ok(store_mkdir(&s, "a-stop"));
	test_err(store_entries(&s, "", note, names), -EINTR);
	assert_string_equal(names, "a-1 a-stop ");
	test_ok(store_destroy(&s));
	store_release(&s);
}

static int turn(struct store *s)
{
	int i, r = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < 3000 && !r; i++)
		r = store_point(s, "link", i % 2 ? "odd" : "even");
	return r;
}

static void a_link_that_is_turned_is_never_missing(void *state)
{
	struct store s = STORE_INIT;
	char target[16], path[STORE_PATH_MAX + 8];
	int status, looks = 0;
	pid_t pid;

	(void)state;
	test_ok(store_create(&s, STORE_ATTACHMENTS, NAME));
	test_ok(store_point(&s, "link", "even"));
	snprintf(path, sizeof(path), "%s/link", s.path);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(turn(&s) ? 1 : 0);
	assert_true(pid > 0);
	do {
		ssize_t n = readlink(path, target, sizeof(target) - 1);

		assert_true(n == 3 || n == 4);
		target[n] = '\0';
		assert_true(!strcmp(target, "odd") || !strcmp(target, "even"));
		looks++;
		status = lab_child_wait(pid, 0);
	} while (status == -ETIMEDOUT);
	assert_int_equal(status, 0);
	assert_true(looks > 10);
	test_ok(store_destroy(&s));
	store_release(&s);
}

static const struct test tests[] = {
	STORE_TEST(a_name_is_claimed_once),
	STORE_TEST(who_made_it_has_it_locked),
	STORE_TEST(what_is_gone_is_gone_for_all_who_have_it_open),
	STORE_TEST(a_lock_ends_with_its_process),
	STORE_TEST(what_is_made_and_not_locked_yet_is_never_had),
	STORE_TEST(pins_are_found_by_name_and_other_things_are_not_taken_for_pins),
	STORE_TEST(entries_come_sorted_and_by_prefix),
	STORE_TEST(a_link_that_is_turned_is_never_missing),
};

TEST_MAIN(tests);
