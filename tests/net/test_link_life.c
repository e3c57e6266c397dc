// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plain link after it was made: it is what was asked for, it lives as long as its handle or a
 * pin, it leaves nothing behind, and who may make one.
 */
#define _GNU_SOURCE
#include <attached.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <lab.h>
#include <limits.h>
#include <linking.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <test.h>

#include "bpffs.h"
#include "link.h"

#define DEFRAG UNFRAG_NETFILTER_IP_DEFRAG
#define NOBODY 65534

typedef struct unfrag_netfilter_opts opts_t;

static const uint32_t families[2] = { LINKING_IPV4, LINKING_IPV6 };

static void link_info_is_what_was_asked_for(void *state)
{
	static const opts_t rows[] = {
		{ .hook = 4, .priority = -10000 },
		{ .hook = 2, .priority = 10001, .flags = DEFRAG },
		{ .hook = 0, .priority = -399, .flags = DEFRAG },
		{ .hook = 1 },
		{ .hook = 3, .priority = INT_MAX - 1 },
	};
	struct bpf_prog_info prog = { 0 };
	uint32_t len = sizeof(prog);
	struct linking *l = state;
	struct link_info info;
	struct bpf_link *link;

	test_ok(bpf_obj_get_info_by_fd(bpf_program__fd(l->prog), &prog, &len));
	for (size_t i = 0; i < 2 * (sizeof(rows) / sizeof(rows[0])); i++) {
		opts_t o = rows[i / 2];

		o.pf = families[i % 2];
		test_ok(linking_attach(l, o, &link));
		test_ok(link_get_info(bpf_link__fd(link), &info));
		bpf_link__destroy(link);
		assert_int_equal(info.type, LINK_TYPE_NETFILTER);
		assert_int_equal(info.prog_id, prog.id);
		assert_int_equal(info.pf, o.pf);
		assert_int_equal(info.hook, o.hook);
		assert_int_equal(info.priority, o.priority);
		assert_int_equal(info.flags, o.flags);
	}
}

/* Nothing of a destroyed link may stand in the way of the next one, not even for a moment. */
static void destroyed_link_leaves_its_place_at_once(void *state)
{
	for (int i = 0; i < 200; i++)
		linking_accepted(state, (opts_t){ .pf = families[i % 2],
						  .priority = 42,
						  .flags = DEFRAG });
}

/* How many entries of the mounted BPF file system have the name that a passing pin would have. */
static int passing_pins(void)
{
	char root[BPFFS_PATH_MAX], prefix[64];
	struct dirent *e;
	int n = 0;
	DIR *dir;

	test_ok(bpffs_find(root, sizeof(root)));
	snprintf(prefix, sizeof(prefix), "unfrag-link-%d-", (int)getpid());
	dir = opendir(root);
	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += !strncmp(e->d_name, prefix, strlen(prefix));
	closedir(dir);
	return n;
}

static void handle_is_not_pinned_and_leaves_no_pin(void *state)
{
	struct bpf_link *link;

	test_ok(linking_attach(state, (opts_t){ .pf = LINKING_IPV4 }, &link));
	assert_null(bpf_link__pin_path(link));
	assert_true(bpf_link__fd(link) >= 0);
	assert_int_equal(passing_pins(), 0);
	bpf_link__destroy(link);
}

static void pinned_link_outlives_its_handle(void *state)
{
	opts_t o = {
		.sz = sizeof(o), .pf = LINKING_IPV6, .hook = 2, .priority = 42, .flags = DEFRAG
	};
	struct linking *l = state;
	char root[BPFFS_PATH_MAX];
	struct link_info info;
	struct bpf_link *link;

	test_ok(bpffs_find(root, sizeof(root)));
	snprintf(l->pin, sizeof(l->pin), "%s/unfrag-test-%d", root, (int)getpid());
	test_ok(linking_attach(l, o, &link));
	test_ok(bpf_link__pin(link, l->pin));
	assert_string_equal(bpf_link__pin_path(link), l->pin);
	bpf_link__destroy(link);
	linking_refused(l, o, EBUSY, "taken by another hook");

	link = bpf_link__open(l->pin);
	assert_non_null(link);
	test_ok(link_get_info(bpf_link__fd(link), &info));
	assert_int_equal(info.priority, 42);
	test_ok(bpf_link__unpin(link));
	l->pin[0] = '\0';
	test_ok(bpf_link__detach(link));
	linking_accepted(l, o);
	bpf_link__destroy(link);
}

/* Runs fn(l) in a child, in the namespace and as nobody: 0 or -errno. */
static int as_nobody(struct linking *l, int (*fn)(struct linking *l))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setns(lab_ns_fd(l->ns), CLONE_NEWNET) || setgroups(0, NULL) ||
		    setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(-fn(l));
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static int load_another(struct linking *l)
{
	struct bpf_object *obj;

	(void)l;
	libbpf_set_print(NULL);
	return attached_load(&obj, "shoot");
}

static int attach_under_a_name(struct linking *l)
{
	struct unfrag_attachment *att;

	return unfrag_attachment_attach(&att, "test-link-nobody", l->obj, l->prog, NULL);
}

static int create_link(struct linking *l)
{
	opts_t o = { .pf = LINKING_IPV4, .priority = 42 };
	int fd = link_create(bpf_program__fd(l->prog), &o);

	return fd < 0 ? fd : 0;
}

static void unprivileged_caller_gets_eperm(void *state)
{
	opts_t o = { .sz = sizeof(o), .pf = LINKING_IPV4, .priority = 42 };
	struct linking *l = state;
	char why[256];

	test_err(as_nobody(l, load_another), -EPERM);
	test_err(as_nobody(l, attach_under_a_name), -EPERM);
	unfrag_explain(EPERM, &o, why, sizeof(why));
	assert_non_null(strstr(why, "CAP_NET_ADMIN"));
	linking_accepted(l, o);
}

/* Who is handed a loaded program can attach it: its descriptor is the privilege. */
static void kernel_asks_for_privilege_at_load_only(void *state)
{
	test_ok(as_nobody(state, create_link));
}

static const struct test tests[] = {
	LINK_TEST(link_info_is_what_was_asked_for),
	LINK_TEST(destroyed_link_leaves_its_place_at_once),
	LINK_TEST(handle_is_not_pinned_and_leaves_no_pin),
	LINK_TEST(pinned_link_outlives_its_handle),
	LINK_TEST(unprivileged_caller_gets_eperm),
	LINK_TEST(kernel_asks_for_privilege_at_load_only),
};

TEST_MAIN(tests);
