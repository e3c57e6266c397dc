// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What others may have put where we work, and what our own work must not do to packets under way:
 * directories and pins that are not ours, tables too small to look, programs that call others.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <jansson.h>
#include <lab.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <test.h>
#include <unistd.h>

#include "command.h"
#include "life.h"

#define NOBODY 65534

static struct unfrag_attachment *attach_a(const struct life *l, const char *name)
{
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_IPV4, 0);
	struct unfrag_attachment *att;

	test_ok(life_attach(&att, name, LIFE_OBJECT("a"), &opts));
	return att;
}

static void symbolic_links_are_not_followed(void *state)
{
	char victim[] = "/tmp/unfrag-victim-XXXXXX", file[64];
	struct unfrag_attachment *att;
	struct command c;

	(void)state;
	assert_non_null(mkdtemp(victim));
	snprintf(file, sizeof(file), "%s/sub", victim);
	test_ok(mkdir(file, 0700));
	test_ok(symlink(victim, LIFE_ROOT));
	assert_true(unfrag_attachment_open(&att, "sub") < 0);
	command_run(&c, "detach", "sub");
	command_expect(&c, 1, "sub");
	test_ok(access(file, F_OK));
	test_ok(unlink(LIFE_ROOT));
	test_ok(rmdir(file));
	test_ok(rmdir(victim));
}

static void directories_of_others_are_refused(void *state)
{
	struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_IPV4, 0);
	struct unfrag_attachment *att;

	test_ok(mkdir(LIFE_ROOT, 0700));
	test_ok(chown(LIFE_ROOT, NOBODY, NOBODY));
	test_err(life_attach(&att, "mine", LIFE_OBJECT("a"), &opts), -EPERM);
	assert_non_null(strstr(life_said(), "can be changed by others"));
	test_ok(chown(LIFE_ROOT, 0, 0));
	test_ok(chmod(LIFE_ROOT, 0777));
	test_err(life_attach(&att, "mine", LIFE_OBJECT("a"), &opts), -EPERM);
	test_ok(rmdir(LIFE_ROOT));
}

/* Puts a map of our own where the attachment has its counters. */
static void swap_counters(const char *name, enum bpf_map_type type, uint32_t value_size)
{
	char path[128];
	int fd = test_ok(bpf_map_create(type, "foreign", 4, value_size, 10, NULL));

	snprintf(path, sizeof(path), LIFE_ROOT "/%s/counters", name);
	test_ok(unlink(path));
	test_ok(bpf_obj_pin(fd, path));
	close(fd);
}

static void counters_of_another_layout_are_not_misread(void *state)
{
	struct unfrag_counters c = { .sz = sizeof(c) };
	struct unfrag_attachment *att = attach_a(state, "foreign");

	swap_counters("foreign", BPF_MAP_TYPE_PERCPU_ARRAY, 8);
	test_err(unfrag_attachment_counters(att, UNFRAG_FAMILIES_IPV4, UNFRAG_HOOK_PREROUTING, &c),
		 -EBADF);
	swap_counters("foreign", BPF_MAP_TYPE_ARRAY, 4096);
	test_err(unfrag_attachment_counters(att, UNFRAG_FAMILIES_IPV4, UNFRAG_HOOK_PREROUTING, &c),
		 -EBADF);
	/* A later version's, grown at the end: what is known of it can be read. */
	swap_counters("foreign", BPF_MAP_TYPE_PERCPU_ARRAY, 4096);
	test_ok(unfrag_attachment_counters(att, UNFRAG_FAMILIES_IPV4, UNFRAG_HOOK_PREROUTING, &c));
	assert_int_equal(c.packets, 0);
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

static void a_slot_that_is_none_is_a_problem_and_no_crash(void *state)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	struct unfrag_attachment *att = attach_a(state, "noslot");
	int fd = test_ok(bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 4096, 1, NULL));

	test_ok(unlink(LIFE_ROOT "/noslot/slot"));
	test_ok(bpf_obj_pin(fd, LIFE_ROOT "/noslot/slot"));
	close(fd);
	test_ok(unfrag_attachment_info(att, &info));
	assert_int_equal(info.state, UNFRAG_STATE_BROKEN);
	assert_non_null(strstr(info.problem, "slot"));
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

/* In a child: what an attachment looks like to who has no descriptors left. */
static int look_without_descriptors(void)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	struct rlimit none = { 0, 0 };
	struct unfrag_attachment *att;

	if (unfrag_attachment_open(&att, "starved"))
		return 2;
	none.rlim_max = 3;
	if (setrlimit(RLIMIT_NOFILE, &none))
		return 3;
	return unfrag_attachment_info(att, &info) == -EMFILE ? 0 : 4;
}

static void what_cannot_be_looked_at_is_not_called_broken(void *state)
{
	struct unfrag_attachment *att = attach_a(state, "starved");
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(look_without_descriptors());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

static void foreign_entries_do_not_break_the_list(void *state)
{
	struct unfrag_attachment *att = attach_a(state, "good");
	struct command c;

	test_ok(mkdir(LIFE_ROOT "/not a name", 0700));
	command_run(&c, "list");
	command_expect(&c, 0, NULL);
	assert_non_null(strstr(c.out, "good"));
	test_ok(rmdir(LIFE_ROOT "/not a name"));
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

static void paths_of_any_bytes_are_listed_as_json(void *state)
{
	struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_IPV4, 0);
	struct unfrag_attachment *att;
	struct command c;
	json_t *list;

	opts.source = "/tmp/caf\xe9.o";
	test_ok(life_attach(&att, "latin", LIFE_OBJECT("a"), &opts));
	command_run(&c, "list", "--json");
	command_expect(&c, 0, NULL);
	list = json_loads(c.out, 0, NULL);
	assert_non_null(list);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "source")),
			    "/tmp/caf\xef\xbf\xbd.o");
	json_decref(list);
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

static struct bpf_object *load_tail(struct bpf_program **prog)
{
	struct bpf_object *obj = life_load(LIFE_OBJECT("tail"));

	*prog = bpf_object__find_program_by_name(obj, "tail_start");
	assert_non_null(*prog);
	return obj;
}

static struct unfrag_attachment *attach_tail(const struct life *l, const char *name)
{
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_IPV4, 0);
	struct unfrag_attachment *att;
	struct bpf_program *prog;
	struct bpf_object *obj = load_tail(&prog);

	test_ok(unfrag_attachment_attach(&att, name, obj, prog, &opts));
	bpf_object__close(obj);
	return att;
}

static void program_arrays_are_never_kept(void *state)
{
	struct unfrag_attachment *att = attach_tail(state, "tail");
	struct bpf_object *next = bpf_object__open_file(LIFE_OBJECT("tail"), NULL);

	assert_non_null(next);
	assert_int_equal(unfrag_attachment_reuse_maps(att, next), 0);
	bpf_object__close(next);
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

struct stream {
	int fd;
	atomic_bool stop;
	unsigned int sent;
};

static void *send_until_stopped(void *arg)
{
	struct stream *s = arg;

	while (!atomic_load(&s->stop) && s->sent < 5000)
		if (send(s->fd, "x", 1, 0) == 1)
			s->sent++;
	return NULL;
}

static unsigned int count_received(int fd, unsigned int most)
{
	char byte;
	unsigned int n = 0;

	while (n < most && lab_recv_deadline(fd, &byte, 1, 1000) == 1)
		n++;
	return n;
}

static void packets_inside_a_program_keep_what_it_calls(void *state)
{
	struct life *l = state;
	struct stream s = { .fd = l->tx[0] };
	struct unfrag_attachment *att = attach_tail(l, "tail");
	pthread_t thread;
	int i;

	assert_int_equal(pthread_create(&thread, NULL, send_until_stopped, &s), 0);
	for (i = 0; i < 15; i++) {
		struct bpf_program *prog;
		struct bpf_object *obj = load_tail(&prog);
		int r = unfrag_attachment_replace(att, obj, prog, NULL);

		bpf_object__close(obj);
		if (r)
			break;
	}
	atomic_store(&s.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(i, 15);
	assert_true(s.sent > 0);
	assert_int_equal(count_received(l->rx[0], s.sent), s.sent);
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

#define LIFE_TEST(fn) TEST_WITH(fn, life_up, life_down)

static const struct test tests[] = {
	LIFE_TEST(symbolic_links_are_not_followed),
	LIFE_TEST(directories_of_others_are_refused),
	LIFE_TEST(counters_of_another_layout_are_not_misread),
	LIFE_TEST(a_slot_that_is_none_is_a_problem_and_no_crash),
	LIFE_TEST(what_cannot_be_looked_at_is_not_called_broken),
	LIFE_TEST(foreign_entries_do_not_break_the_list),
	LIFE_TEST(paths_of_any_bytes_are_listed_as_json),
	LIFE_TEST(program_arrays_are_never_kept),
	LIFE_TEST(packets_inside_a_program_keep_what_it_calls),
};

TEST_MAIN(tests);
