// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attachments and what is left of them. Pins are looked at with plain system calls and links by
 * walking the ids of all that the kernel has, so that the library is not asked about itself.
 */
#define _GNU_SOURCE
#include "life.h"

#include <bpf/bpf.h>
#include <child.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sock.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <test.h>

#include "link.h"

#define PRIORITIES 100

/* The process that called life_begin(); children of it go on as that. */
static pid_t begun;

static const int families[2] = { AF_INET, AF_INET6 };

static uint64_t own_netns;

static uint64_t netns_now(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

/* Errors are what most calls here are after. */
static char said[1024];

static void say(enum unfrag_log_level level, const char *message, void *arg)
{
	(void)arg;
	if (level == UNFRAG_LOG_ERROR)
		snprintf(said, sizeof(said), "%s", message);
	else if (level == UNFRAG_LOG_WARNING)
		printf("# %s\n", message);
}

const char *life_said(void)
{
	return said;
}

void life_begin(void)
{
	test_require_root();
	if (begun)
		return;
	assert_int_equal(unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700"), 0);
	assert_true(!mkdir("/run/netns", 0755) || errno == EEXIST);
	assert_int_equal(mount("none", "/run/netns", "tmpfs", 0, NULL), 0);
	unsetenv("UNFRAG_BPFFS");
	unfrag_set_log(say, NULL);
	begun = getpid();
	own_netns = netns_now();
}

void life_begin_anew(void)
{
	begun = 0;
	life_begin();
}

pid_t life_keeper(const struct lab_ns *ns)
{
	static const char *const argv[] = { "sleep", "infinity", NULL };

	return test_ok(lab_ns_spawn(ns, argv, -1));
}

pid_t life_keeper_at(const char *path)
{
	char net[64];
	const char *const argv[] = { "nsenter", net, "sleep", "infinity", NULL };

	snprintf(net, sizeof(net), "--net=%s", path);
	return test_ok(lab_ns_spawn(NULL, argv, -1));
}

static int connect_loopback(const struct lab_ns *ns, int family)
{
	return lab_connect(ns, SOCK_DGRAM, family, family == AF_INET ? "127.0.0.1" : "::1",
			   LIFE_PORT, LIFE_DEADLINE_MS);
}

void life_up(void **state)
{
	struct life *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	memset(l->rx, 0xff, sizeof(l->rx));
	memset(l->tx, 0xff, sizeof(l->tx));
	*state = l;
	life_begin();
	test_ok(lab_ns_new(&l->ns));
	l->path = lab_ns_path(l->ns);
	l->keeper = life_keeper(l->ns);
	for (int f = 0; f < 2; f++) {
		l->rx[f] = test_ok(lab_udp_server(l->ns, families[f], NULL, LIFE_PORT));
		l->tx[f] = test_ok(connect_loopback(l->ns, families[f]));
	}
}

void life_down(void *state)
{
	struct life *l = state;

	if (!l)
		return;
	for (int f = 0; f < 2; f++) {
		lab_closep(&l->rx[f]);
		lab_closep(&l->tx[f]);
	}
	lab_child_kill(l->keeper);
	lab_ns_free(l->ns);
	free(l);
	life_clean();
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* The directories of holds and guards stay when they are empty. */
static void entries_of_attachments(char *buf, size_t size)
{
	static const char *const others[] = { "_defrag ", "_guard " };
	char *at;

	life_entries("", buf, size);
	for (int i = 0; i < 2; i++) {
		at = strstr(buf, others[i]);
		if (at)
			memmove(at, at + strlen(others[i]), strlen(at + strlen(others[i])) + 1);
	}
}

void life_clean(void)
{
	char attachments[1024], holds[1024], guards[1024];

	if (!begun)
		return;
	entries_of_attachments(attachments, sizeof(attachments));
	life_entries("_defrag", holds, sizeof(holds));
	life_entries("_guard", guards, sizeof(guards));
	nftw(LIFE_ROOT, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	life_expect_links(0);
	assert_true(netns_now() == own_netns);
	assert_string_equal(attachments, "");
	assert_string_equal(holds, "");
	assert_string_equal(guards, "");
}

void life_named_ns(const struct life *l, char *name, size_t size)
{
	static unsigned int number;

	snprintf(name, size, "life-%d-%u", (int)begun, number++);
	assert_int_equal(lab_ns_run(NULL, "ip netns add %s", name), 0);
	assert_int_equal(lab_ns_run(l->ns, "ip link add tell type veth peer name tell netns %s",
				    name),
			 0);
}

static int find_wire(void *arg)
{
	(void)arg;
	return if_nametoindex("tell") ? 0 : -ENODEV;
}

bool life_named_ns_lives(const struct life *l)
{
	return !lab_ns_call(l->ns, find_wire, NULL);
}

void life_expect_named_ns_gone(const struct life *l)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;

	while (life_named_ns_lives(l) && lab_ms_left(deadline))
		poll(NULL, 0, 2);
	assert_false(life_named_ns_lives(l));
}

int32_t life_priority(int n)
{
	return (int32_t)(begun % 1000000) * PRIORITIES + 1000 + n;
}

static bool is_mine(uint32_t id)
{
	lab_autoclose int fd = bpf_link_get_fd_by_id(id);
	struct link_info info;

	return fd >= 0 && !link_get_info(fd, &info) && info.type == LINK_TYPE_NETFILTER &&
	       info.priority >= life_priority(0) && info.priority < life_priority(PRIORITIES);
}

int life_links(void)
{
	uint32_t id = 0;
	int n = 0;

	while (!bpf_link_get_next_id(id, &id))
		n += is_mine(id);
	return n;
}

void life_expect_links(int n)
{
	int64_t deadline = lab_now_ms() + LIFE_DEADLINE_MS;

	while (life_links() != n && lab_ms_left(deadline))
		poll(NULL, 0, 2);
	assert_int_equal(life_links(), n);
}

void life_expect_nothing(void)
{
	char left[1024];

	entries_of_attachments(left, sizeof(left));
	assert_string_equal(left, "");
	life_entries("_defrag", left, sizeof(left));
	assert_string_equal(left, "");
	life_entries("_guard", left, sizeof(left));
	assert_string_equal(left, "");
	life_expect_links(0);
}

struct unfrag_attach_opts life_opts(const struct life *l, uint32_t f, uint32_t hooks)
{
	return (struct unfrag_attach_opts){
		.sz = sizeof(struct unfrag_attach_opts),
		.netns = l->path,
		.families = f,
		.hooks = hooks,
		.priority = life_priority(0),
		.flags = UNFRAG_ATTACH_PRIORITY,
	};
}

struct bpf_object *life_load(const char *path)
{
	struct bpf_object *obj = bpf_object__open(path);

	assert_non_null(obj);
	test_ok(bpf_object__load(obj));
	return obj;
}

int life_attach(struct unfrag_attachment **out, const char *name, const char *path,
		const struct unfrag_attach_opts *opts)
{
	struct bpf_object *obj = life_load(path);
	int r = unfrag_attachment_attach(out, name, obj, NULL, opts);

	bpf_object__close(obj);
	return r;
}

void life_detach(const char *name)
{
	struct unfrag_attachment *att;

	test_ok(unfrag_attachment_open(&att, name));
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
}

void life_remove(const char *name)
{
	struct unfrag_attachment *att;

	if (unfrag_attachment_open(&att, name))
		return;
	unfrag_attachment_detach(att);
	unfrag_attachment_free(att);
}

int life_state(const char *name, struct unfrag_attachment_info *info)
{
	struct unfrag_attachment_info own = { 0 };
	struct unfrag_attachment *att;
	int r = unfrag_attachment_open(&att, name);

	if (r)
		return r;
	info = info ? info : &own;
	memset(info, 0, sizeof(*info));
	info->sz = sizeof(*info);
	r = unfrag_attachment_info(att, info);
	unfrag_attachment_free(att);
	return r ? r : (int)info->state;
}

bool life_ping(const struct life *l, int family, int ms)
{
	int f = family == AF_INET6;
	char byte = 'u';

	if (send(l->tx[f], &byte, 1, 0) != 1)
		return false;
	return lab_recv_deadline(l->rx[f], &byte, 1, ms) == 1;
}

void life_expect_pings(const struct life *l)
{
	life_expect_passing(l, true, true);
}

void life_expect_passing(const struct life *l, bool ipv4, bool ipv6)
{
	assert_int_equal(life_ping(l, AF_INET, ipv4 ? LIFE_DEADLINE_MS : LIFE_NONE_MS), ipv4);
	assert_int_equal(life_ping(l, AF_INET6, ipv6 ? LIFE_DEADLINE_MS : LIFE_NONE_MS), ipv6);
}

struct tally {
	uint64_t packets[2][UNFRAG_HOOK_MAX];
	uint64_t judged[2][UNFRAG_HOOK_MAX];
};

static void count_all(const char *name, const struct unfrag_attachment_info *info, struct tally *t)
{
	struct unfrag_counters c = { .sz = sizeof(c) };
	struct unfrag_attachment *att;

	test_ok(unfrag_attachment_open(&att, name));
	for (uint32_t f = 0; f < 2; f++) {
		for (int hook = 0; hook < UNFRAG_HOOK_MAX; hook++) {
			test_ok(unfrag_attachment_counters(att, 1u << f, (enum unfrag_hook)hook,
							   &c));
			t->packets[f][hook] = c.packets;
			t->judged[f][hook] = c.outcomes[UNFRAG_OUTCOME_WHOLE] +
					     c.outcomes[UNFRAG_OUTCOME_REASSEMBLED];
			if (!(info->families & 1u << f) || !(info->hooks & 1u << hook))
				assert_int_equal(c.packets, 0);
		}
	}
	unfrag_attachment_free(att);
}

void life_expect_judging(const struct life *l, const char *name,
			 const struct unfrag_attachment_info *info)
{
	struct tally before, after;
	uint64_t more;

	count_all(name, info, &before);
	life_expect_pings(l);
	count_all(name, info, &after);
	for (uint32_t f = 0; f < 2; f++) {
		for (int hook = 0; hook < UNFRAG_HOOK_MAX; hook++) {
			more = hook != UNFRAG_HOOK_FORWARD && info->families & 1u << f &&
			       info->hooks & 1u << hook;
			assert_int_equal(after.packets[f][hook] - before.packets[f][hook], more);
			assert_int_equal(after.judged[f][hook] - before.judged[f][hook], more);
		}
	}
}

uint64_t life_count(const char *name, int outcome)
{
	struct unfrag_counters c = { .sz = sizeof(c) };
	struct unfrag_attachment *att;
	uint64_t sum = 0;

	test_ok(unfrag_attachment_open(&att, name));
	for (uint32_t f = 0; f < 2; f++) {
		for (int hook = 0; hook < UNFRAG_HOOK_MAX; hook++) {
			test_ok(unfrag_attachment_counters(att, 1u << f, (enum unfrag_hook)hook,
							   &c));
			sum += outcome < 0 ? c.packets : c.outcomes[outcome];
		}
	}
	unfrag_attachment_free(att);
	return sum;
}

struct life_judged life_judged(const char *name, uint32_t id, enum life_judge who)
{
	struct life_judged j = { 0 };
	lab_autoclose int fd = -1;
	char path[256];
	uint32_t key = who;

	if (id)
		snprintf(path, sizeof(path), LIFE_ROOT "/%s/maps-%u/judged", name, id);
	else
		snprintf(path, sizeof(path), LIFE_ROOT "/%s/maps/judged", name);
	fd = test_ok(bpf_obj_get(path));
	test_ok(bpf_map_lookup_elem(fd, &key, &j));
	return j;
}

void life_entries(const char *name, char *buf, size_t size)
{
	struct dirent **list;
	char path[256];
	size_t len = 0;
	int n, i;

	buf[0] = '\0';
	snprintf(path, sizeof(path), LIFE_ROOT "/%s", name);
	n = scandir(path, &list, NULL, alphasort);
	for (i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.')
			len += (size_t)snprintf(buf + len, len < size ? size - len : 0, "%s ",
						list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	assert_true(len < size);
}

struct unfrag_attachment_info life_info(struct unfrag_attachment *att)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };

	test_ok(unfrag_attachment_info(att, &info));
	return info;
}

int life_replace(struct unfrag_attachment *att, const char *path, const char *source)
{
	struct unfrag_replace_opts opts = { .sz = sizeof(opts), .source = source };
	struct bpf_object *obj = life_load(path);
	int r = unfrag_attachment_replace(att, obj, NULL, &opts);

	bpf_object__close(obj);
	return r;
}

void life_end(struct unfrag_attachment *att)
{
	test_ok(unfrag_attachment_detach(att));
	unfrag_attachment_free(att);
	life_expect_nothing();
}
