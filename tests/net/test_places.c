// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attachments with places: several programs, several priorities at one hook, made as a whole or not
 * at all and replaced in one step. Cut short: test_places_kill.c.
 */
#include <bpf/bpf.h>
#include <child.h>
#include <command.h>
#include <errno.h>
#include <jansson.h>
#include <placed.h>
#include <pthread.h>
#include <sock.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <test.h>
#include <unistd.h>

#define REPLACES 100

#define PRE UNFRAG_HOOK_PREROUTING
#define IN  UNFRAG_HOOK_INPUT
#define OUT UNFRAG_HOOK_OUTPUT

static struct unfrag_attachment *attach(const struct life *l, const struct unfrag_place *places,
					uint32_t n)
{
	struct unfrag_attachment *att;

	test_ok(placed_attach(&att, l, places, n, -1));
	return att;
}

static void expect_places(struct unfrag_attachment *att, const struct unfrag_place *places,
			  uint32_t n)
{
	struct unfrag_attachment_info info = life_info(att);

	assert_int_equal(info.state, UNFRAG_STATE_READY);
	assert_string_equal(info.problem, "");
	assert_true(info.is_placed);
	assert_int_equal(info.n_places, n);
	for (uint32_t i = 0, k; i < n; i++) {
		for (k = 0; k < n && memcmp(&places[i], &info.places[k], sizeof(*places)); k++)
			;
		assert_true(k < n);
	}
}

static void several_programs_stand_at_priorities_of_one_hook(void *state)
{
	const struct unfrag_place places[] = { placed_at(IN, 0, 0), placed_at(IN, 5, 1),
					       placed_at(OUT, 2, 2) };
	struct unfrag_attachment *att = attach(state, places, 3);
	struct unfrag_attachment_info info = life_info(att);

	life_expect_links(6);
	expect_places(att, places, 3);
	assert_int_equal(info.links, 6);
	assert_int_equal(info.families, UNFRAG_FAMILIES_BOTH);
	assert_int_equal(info.hooks, 1u << IN | 1u << OUT);
	assert_int_equal(info.priority, life_priority(0));
	assert_string_equal(info.program, "life_place_0");
	placed_expect_more(state, 2, 2, 2);
	/* Once at each hook, however many priorities. */
	life_expect_judging(state, PLACED_NAME, &info);
	life_end(att);
}

static void a_program_may_stand_at_several_places_and_families_apart(void *state)
{
	struct unfrag_place places[] = { placed_at(IN, 3, 1), placed_at(IN, 3, 2),
					 placed_at(IN, 1, 1), placed_at(PRE, 1, 1) };
	struct unfrag_attachment *att;

	places[0].families = UNFRAG_FAMILIES_IPV4;
	places[1].families = UNFRAG_FAMILIES_IPV6;
	att = attach(state, places, 4);
	life_expect_links(6);
	expect_places(att, places, 4);
	/* IPv4: thrice; IPv6: at prerouting and at 1, and program 2 at 3. */
	placed_expect_more(state, 0, 5, 1);
	life_end(att);
}

static void what_a_place_drops_comes_to_no_later_one(void *state)
{
	const struct unfrag_place places[] = { placed_at(IN, 0, 0), placed_at(IN, 1, 1),
					       placed_at(IN, 2, 2) };
	uint64_t before[PLACES_PROGRAMS], after[PLACES_PROGRAMS];
	struct unfrag_attachment *att;

	test_ok(placed_attach(&att, state, places, 3, 1));
	placed_counts(before);
	assert_false(life_ping(state, AF_INET, 50));
	placed_counts(after);
	assert_int_equal(after[0] - before[0], 1);
	assert_int_equal(after[1] - before[1], 1);
	assert_int_equal(after[2] - before[2], 0);
	life_end(att);
}

struct taken {
	const struct bpf_program *prog;
	struct unfrag_netfilter_opts opts;
	struct bpf_link *link;
};

static int take(void *arg)
{
	struct taken *t = arg;

	t->link = unfrag_attach_netfilter(t->prog, &t->opts);
	return t->link ? 0 : -errno;
}

static struct taken take_place(const struct life *l, struct bpf_object *obj,
			       const struct unfrag_place *place, uint32_t pf)
{
	struct taken t = {
		.prog = bpf_object__find_program_by_name(obj, "life_place_0"),
		.opts = { .sz = sizeof(t.opts),
			  .pf = pf,
			  .hook = place->hook,
			  .priority = place->priority },
	};

	test_ok(lab_ns_call(l->ns, take, &t));
	return t;
}

static void expect_said(const struct unfrag_place *place)
{
	char want[64];

	snprintf(want, sizeof(want), "priority %d at", place->priority);
	assert_non_null(strstr(life_said(), want));
	assert_non_null(strstr(life_said(), unfrag_hook_name((enum unfrag_hook)place->hook)));
	assert_non_null(strstr(life_said(), "taken"));
}

static void it_is_not_made_if_any_place_is_taken(void *state)
{
	const struct unfrag_place places[] = { placed_at(PRE, 0, 0), placed_at(IN, 1, 1),
					       placed_at(IN, 2, 2) };
	struct bpf_object *obj = placed_load(NULL, 1, -1);
	struct unfrag_attachment *att = NULL;
	const struct life *l = state;
	struct taken t;

	for (int i = 0; i < 6; i++) {
		t = take_place(l, obj, &places[i / 2], i & 1 ? 10 : 2);
		test_err(placed_attach(&att, l, places, 3, -1), -EBUSY);
		assert_null(att);
		expect_said(&places[i / 2]);
		assert_int_equal(life_links(), 1);
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 0);
		assert_int_equal(bpf_link__destroy(t.link), 0);
		life_expect_nothing();
	}
	bpf_object__close(obj);
}

static void expect_refused(const struct life *l, const struct unfrag_place *places, uint32_t n,
			   int err, const char *word)
{
	struct unfrag_attachment *att;

	test_err(placed_attach(&att, l, places, n, -1), err);
	if (!strstr(life_said(), word))
		printf("# said: %s\n", life_said());
	assert_non_null(strstr(life_said(), word));
	life_expect_nothing();
}

static void places_that_can_not_be_are_refused(void *state)
{
	struct unfrag_place p[UNFRAG_PLACES_MAX + 1],
		two[2] = { placed_at(IN, 0, 0), placed_at(IN, 0, 1) };

	for (int i = 0; i <= (int)UNFRAG_PLACES_MAX; i++)
		p[i] = placed_at(IN, i, 0);
	expect_refused(state, p, UNFRAG_PLACES_MAX + 1, -EINVAL, "1 to 32");
	expect_refused(state, p, 17, -E2BIG, "16 pairs");
	expect_refused(state, two, 2, -EINVAL, "two places are at input");
	two[0].families = 4;
	expect_refused(state, two, 1, -EINVAL, "families 0x4");
	two[0].families = 0;
	expect_refused(state, two, 1, -EINVAL, "families 0x0");
	two[0] = placed_at(UNFRAG_HOOK_MAX, 0, 0);
	expect_refused(state, two, 1, -EINVAL, "hook 5");
	two[0] = placed_at(IN, 0, PLACES_PROGRAMS);
	expect_refused(state, two, 1, -EINVAL, "program 3 of 3");
	two[0] = placed_at(IN, 0, 0);
	two[0].priority = UNFRAG_PRIORITY_DEFRAG;
	expect_refused(state, two, 1, -ERANGE, "not after the kernel's defragmenter");
}

static void as_many_places_as_there_may_be_are_made_and_replaced(void *state)
{
	struct unfrag_place places[16], moved[16];
	struct unfrag_attachment *att;

	for (int i = 0; i < 16; i++)
		places[i] = placed_at(i < 8 ? IN : OUT, i, (uint32_t)i % PLACES_PROGRAMS);
	att = attach(state, places, 16);
	life_expect_links(32);
	placed_expect_more(state, 12, 10, 10);
	test_ok(placed_replace(att, 2, NULL, 0, -1));
	placed_expect_more(state, 12, 10, 10);
	/* One more pair than fits beside those in force. */
	memcpy(moved, places, sizeof(moved));
	moved[0] = placed_at(PRE, 20, 0);
	test_err(placed_replace(att, 3, moved, 16, -1), -E2BIG);
	expect_places(att, places, 16);
	life_expect_links(32);
	life_end(att);
}

static void options_that_contradict_are_refused(void *state)
{
	struct unfrag_place place = placed_at(IN, 0, 0);
	struct unfrag_attach_opts opts = life_opts(state, UNFRAG_FAMILIES_BOTH, 0);
	struct bpf_object *obj = placed_load(NULL, 1, -1);
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, "life_place_1");
	struct unfrag_replace_opts other = { .sz = sizeof(other) };
	struct unfrag_attachment *att;

	opts.programs = &prog;
	opts.n_programs = 1;
	test_err(unfrag_attachment_attach(&att, PLACED_NAME, obj, NULL, &opts), -EINVAL);
	opts.places = &place;
	opts.n_places = 1;
	test_err(unfrag_attachment_attach(&att, PLACED_NAME, obj, NULL, &opts), -EINVAL);
	opts.families = opts.flags = 0;
	opts.priority = 0;
	test_err(unfrag_attachment_attach(&att, PLACED_NAME, obj, prog, &opts), -EINVAL);
	opts.n_programs = UNFRAG_PROGRAMS_MAX + 1;
	test_err(unfrag_attachment_attach(&att, PLACED_NAME, obj, NULL, &opts), -EINVAL);
	opts.places = NULL;
	opts.n_places = opts.n_programs = 0;
	opts.flags = UNFRAG_ATTACH_PRIORITY;
	opts.priority = life_priority(0);
	test_ok(unfrag_attachment_attach(&att, PLACED_NAME, obj, prog, &opts));
	other.places = &place;
	other.n_places = 1;
	test_err(unfrag_attachment_replace(att, obj, prog, &other), -EINVAL);
	bpf_object__close(obj);
	life_end(att);
}

/* Sends numbered datagrams over loopback until told to stop. */
struct talk {
	const struct life *life;
	atomic_bool stop;
	uint32_t sent;
	uint32_t lost;
};

static void *keep_talking(void *arg)
{
	struct talk *t = arg;
	uint32_t got;

	for (; !atomic_load(&t->stop) && t->sent < PLACES_PACKETS; t->sent++)
		if (send(t->life->tx[0], &t->sent, sizeof(t->sent), 0) != sizeof(t->sent) ||
		    lab_recv_deadline(t->life->rx[0], &got, sizeof(got), 5000) != sizeof(got))
			t->lost++;
	return NULL;
}

/* A packet that met an older content behind a newer one met half a replace. */
static uint32_t contents_going_back(uint32_t sent)
{
	lab_autoclose int fd = test_ok(bpf_obj_get(LIFE_ROOT "/" PLACED_NAME "/maps/met"));
	struct places_met m;
	uint32_t back = 0;

	for (uint32_t i = 0; i < sent; i++) {
		test_ok(bpf_map_lookup_elem(fd, &i, &m));
		assert_true(m.content[0] && m.content[1] && m.content[2]);
		back += m.content[1] < m.content[0] || m.content[2] < m.content[1];
	}
	return back;
}

static void replaces_are_one_step_for_all_programs_and_lose_no_packet(void *state)
{
	const struct unfrag_place places[] = { placed_at(OUT, 0, 0), placed_at(IN, 1, 1),
					       placed_at(IN, 2, 2) };
	struct unfrag_attachment *att = attach(state, places, 3);
	struct talk talk = { .life = state };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, keep_talking, &talk), 0);
	for (uint32_t i = 0; i < REPLACES; i++)
		test_ok(placed_replace(att, 2 + i, NULL, 0, -1));
	atomic_store(&talk.stop, true);
	pthread_join(thread, NULL);
	printf("# %u datagrams met %d replaces\n", talk.sent, REPLACES);
	assert_int_equal(talk.lost, 0);
	assert_true(talk.sent > 0);
	assert_int_equal(contents_going_back(talk.sent), 0);
	assert_int_equal(life_count(PLACED_NAME, UNFRAG_OUTCOME_SLOT_EMPTY), 0);
	life_end(att);
}

static void places_come_and_go_with_a_replace_and_no_packet_is_lost(void *state)
{
	const struct unfrag_place one[] = { placed_at(IN, 1, 0) };
	const struct unfrag_place more[] = { placed_at(IN, 0, 0), placed_at(IN, 1, 1),
					     placed_at(OUT, 3, 2) };
	struct unfrag_attachment *att = attach(state, one, 1);
	struct talk talk = { .life = state };
	pthread_t thread;

	placed_expect_more(state, 2, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, keep_talking, &talk), 0);
	for (uint32_t i = 0; i < 8; i++) {
		test_ok(placed_replace(att, 2, more, 3, -1));
		expect_places(att, more, 3);
		life_expect_links(6);
		test_ok(placed_replace(att, 2, one, 1, -1));
		expect_places(att, one, 1);
		life_expect_links(2);
	}
	atomic_store(&talk.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(talk.lost, 0);
	assert_int_equal(life_count(PLACED_NAME, UNFRAG_OUTCOME_SLOT_EMPTY), 0);
	test_ok(placed_replace(att, 2, more, 3, -1));
	placed_expect_more(state, 2, 2, 2);
	life_end(att);
}

/* Programs in both halves of the slot; 0 behind the last. */
static void slot_ids(uint32_t ids[2 * UNFRAG_PLACES_MAX + 1])
{
	lab_autoclose int fd = test_ok(bpf_obj_get(LIFE_ROOT "/" PLACED_NAME "/slot"));
	uint32_t n = 0, key;

	for (key = 0; key < 2 * UNFRAG_PLACES_MAX; key++)
		n += !bpf_map_lookup_elem(fd, &key, &ids[n]);
	ids[n] = 0;
}

static void nothing_holds_a_program_that_was_replaced(void *state)
{
	const struct unfrag_place places[] = { placed_at(IN, 0, 0), placed_at(IN, 1, 1),
					       placed_at(OUT, 2, 2) };
	struct unfrag_attachment *att = attach(state, places, 3);
	uint32_t before[2 * UNFRAG_PLACES_MAX + 1];

	slot_ids(before);
	/* All of them again, fewer places, and those that were there at first. */
	for (int i = 0; i < 3; i++) {
		test_ok(placed_replace(att, 2, places, i == 1 ? 1 : 3, -1));
		for (int k = 0; before[k]; k++)
			test_err(bpf_prog_get_fd_by_id(before[k]), -ENOENT);
		slot_ids(before);
		assert_int_not_equal(before[0], 0);
	}
	life_end(att);
}

static void a_replace_that_fails_keeps_programs_and_places(void *state)
{
	const struct unfrag_place one[] = { placed_at(IN, 1, 0) };
	const struct unfrag_place more[] = { placed_at(OUT, 0, 2), placed_at(IN, 1, 1),
					     placed_at(IN, 3, 2) };
	struct unfrag_attachment *att = attach(state, one, 1);
	struct bpf_object *obj = placed_load(NULL, 1, -1);
	char before[512], after[512];
	struct taken t = take_place(state, obj, &more[2], 10);

	life_entries(PLACED_NAME, before, sizeof(before));
	test_err(placed_replace(att, 2, more, 3, -1), -EBUSY);
	expect_said(&more[2]);
	life_entries(PLACED_NAME, after, sizeof(after));
	assert_string_equal(after, before);
	expect_places(att, one, 1);
	life_expect_links(3);
	placed_expect_more(state, 2, 0, 0);
	assert_int_equal(bpf_link__destroy(t.link), 0);
	bpf_object__close(obj);
	test_ok(placed_replace(att, 2, more, 3, -1));
	placed_expect_more(state, 0, 2, 4);
	life_end(att);
}

static void a_lock_holds_for_several_calls_and_keeps_others_out(void *state)
{
	const struct unfrag_place places[] = { placed_at(IN, 0, 0), placed_at(IN, 1, 1) };
	struct unfrag_attachment *att = attach(state, places, 2), *other;

	test_ok(unfrag_attachment_open(&other, PLACED_NAME));
	test_ok(unfrag_attachment_lock(att));
	test_ok(placed_replace(att, 2, NULL, 0, -1));
	assert_int_equal(life_info(att).state, UNFRAG_STATE_READY);
	test_ok(placed_replace(att, 3, NULL, 0, -1));
	test_err(placed_replace(other, 4, NULL, 0, -1), -EBUSY);
	test_err(unfrag_attachment_detach(other), -EBUSY);
	test_err(unfrag_attachment_lock(other), -EBUSY);
	unfrag_attachment_unlock(att);
	test_ok(placed_replace(other, 4, NULL, 0, -1));
	test_ok(unfrag_attachment_lock(other));
	test_ok(unfrag_attachment_detach(other));
	unfrag_attachment_free(other);
	test_err(unfrag_attachment_lock(att), -ENOENT);
	unfrag_attachment_free(att);
	life_expect_nothing();
}

static void maps_of_what_is_in_force_are_found_by_name(void *state)
{
	const struct unfrag_place place = placed_at(IN, 0, 1);
	struct unfrag_attachment *att = attach(state, &place, 1);
	lab_autoclose int fd = test_ok(unfrag_attachment_map(att, "counts"));
	uint32_t key = 1;
	uint64_t n;

	assert_true(life_ping(state, AF_INET, LIFE_DEADLINE_MS));
	test_ok(bpf_map_lookup_elem(fd, &key, &n));
	assert_int_equal(n, 1);
	close(test_ok(unfrag_attachment_map(att, "life_pla_rodata")));
	test_err(unfrag_attachment_map(att, "no_such_map"), -ENOENT);
	life_end(att);
}

static void an_attachment_that_lost_its_turn_or_a_link_is_broken(void *state)
{
	const struct unfrag_place places[] = { placed_at(IN, 0, 0), placed_at(IN, 1, 1) };
	const char *pins[] = { "turn", "slot", NULL };
	struct unfrag_attachment *att;
	char path[256], pin[64];

	snprintf(pin, sizeof(pin), "link-ipv6-input-%d", life_priority(1));
	pins[2] = pin;
	for (int i = 0; i < 3; i++) {
		att = attach(state, places, 2);
		snprintf(path, sizeof(path), LIFE_ROOT "/" PLACED_NAME "/%s", pins[i]);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(life_info(att).state, UNFRAG_STATE_BROKEN);
		test_err(placed_replace(att, 2, NULL, 0, -1), -EBADF);
		life_end(att);
	}
}

static void list_shows_priorities_and_places(void *state)
{
	struct unfrag_place places[] = { placed_at(IN, 7, 0), placed_at(IN, 0, 1),
					 placed_at(OUT, 7, 2) };
	struct unfrag_attachment *att;
	struct command c;
	char want[64];
	json_t *root, *list;

	places[2].families = UNFRAG_FAMILIES_IPV6;
	att = attach(state, places, 3);
	assert_int_equal(command_run(&c, "list"), 0);
	snprintf(want, sizeof(want), " %d,%d ", life_priority(0), life_priority(7));
	assert_non_null(strstr(c.out, want));
	assert_non_null(strstr(c.out, " input,output "));
	assert_int_equal(command_run(&c, "list", "--json"), 0);
	root = json_loads(c.out, 0, NULL);
	list = json_object_get(json_array_get(root, 0), "places");
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 2), "hook")),
			    "output");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "priority")),
			 life_priority(7));
	json_decref(root);
	assert_int_equal(command_run(&c, "stats", PLACED_NAME), 0);
	assert_non_null(strstr(c.out, "ipv6    output"));
	assert_null(strstr(c.out, "ipv4    output"));
	life_end(att);
}

#define PLACES_TEST(fn) TEST_WITH(fn, life_up, life_down)

static const struct test tests[] = {
	PLACES_TEST(several_programs_stand_at_priorities_of_one_hook),
	PLACES_TEST(a_program_may_stand_at_several_places_and_families_apart),
	PLACES_TEST(what_a_place_drops_comes_to_no_later_one),
	PLACES_TEST(it_is_not_made_if_any_place_is_taken),
	PLACES_TEST(places_that_can_not_be_are_refused),
	PLACES_TEST(as_many_places_as_there_may_be_are_made_and_replaced),
	PLACES_TEST(options_that_contradict_are_refused),
	PLACES_TEST(replaces_are_one_step_for_all_programs_and_lose_no_packet),
	PLACES_TEST(places_come_and_go_with_a_replace_and_no_packet_is_lost),
	PLACES_TEST(nothing_holds_a_program_that_was_replaced),
	PLACES_TEST(a_replace_that_fails_keeps_programs_and_places),
	PLACES_TEST(a_lock_holds_for_several_calls_and_keeps_others_out),
	PLACES_TEST(maps_of_what_is_in_force_are_found_by_name),
	PLACES_TEST(an_attachment_that_lost_its_turn_or_a_link_is_broken),
	PLACES_TEST(list_shows_priorities_and_places),
};

TEST_MAIN(tests);
