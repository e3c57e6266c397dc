// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several processes at one attachment or one hold. Processes are children of the test that call the
 * library, all let go at the same moment; what a call returned is the child's exit status, and what
 * may be returned is told for each race.
 */
#include <bpf/bpf.h>
#include <child.h>
#include <command.h>
#include <errno.h>
#include <life.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <test.h>

#define NAME       "race"
#define RACERS_MAX 8
#define ROUNDS     20
#define HOOKS      (1u << UNFRAG_HOOK_PREROUTING | 1u << UNFRAG_HOOK_INPUT)
#define LINKS      4
#define RACE_MS    60000

struct racers {
	const struct life *life;
	int gate[2]; /* children wait for the end of it */
	pid_t pids[RACERS_MAX];
	int n;
};

/* What a racer does when the gate opens: 0 or -errno. */
struct act {
	const struct life *life;
	const char *name;
	struct bpf_object *objects[2];
	int times;
	int who;
	atomic_bool *done;
	int (*run)(struct act *act);
};

static void racers_init(struct racers *r, const struct life *l)
{
	memset(r, 0, sizeof(*r));
	r->life = l;
	assert_int_equal(pipe(r->gate), 0);
}

static void __attribute__((noreturn)) child(struct racers *r, struct act *act)
{
	char byte;
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	unfrag_set_log(NULL, NULL);
	close(r->gate[1]);
	if (read(r->gate[0], &byte, 1))
		_exit(120);
	rc = act->run(act);
	_exit(rc < 0 && rc > -120 ? -rc : rc != 0);
}

/* Objects are loaded before the fork, so that nothing but the call in question is raced. */
static void racers_add(struct racers *r, struct act act)
{
	pid_t pid;

	assert_true(r->n < RACERS_MAX);
	act.life = r->life;
	act.who = r->n;
	fflush(stdout);
	pid = fork();
	if (!pid)
		child(r, &act);
	assert_true(pid > 0);
	r->pids[r->n++] = pid;
}

static void racers_start(struct racers *r)
{
	close(r->gate[0]);
	close(r->gate[1]);
}

/* The exit status of each. */
static void racers_finish(struct racers *r, int *results)
{
	int64_t deadline = lab_now_ms() + RACE_MS;

	for (int i = 0; i < r->n; i++)
		results[i] = lab_child_wait(r->pids[i], lab_ms_left(deadline));
	for (int i = 0; i < r->n; i++)
		if (results[i] == -ETIMEDOUT)
			kill(r->pids[i], SIGKILL);
	for (int i = 0; i < r->n; i++)
		assert_int_not_equal(results[i], -ETIMEDOUT);
}

/* How many ended with 0; the others must have ended with one of the two. */
static int winners(const int *results, int n, int allowed, int other)
{
	int won = 0;

	for (int i = 0; i < n; i++) {
		won += !results[i];
		if (results[i] && results[i] != allowed)
			assert_int_equal(results[i], other);
	}
	return won;
}

static int attach(const struct life *l, const char *name, struct bpf_object *obj)
{
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, HOOKS);
	struct unfrag_attachment *att;
	int r = unfrag_attachment_attach(&att, name, obj, NULL, &opts);

	if (!r)
		unfrag_attachment_free(att);
	return r;
}

static int detach(const char *name)
{
	struct unfrag_attachment *att;
	int r = unfrag_attachment_open(&att, name);

	if (r)
		return r;
	r = unfrag_attachment_detach(att);
	unfrag_attachment_free(att);
	return r;
}

static int attach_once(struct act *act)
{
	return attach(act->life, act->name, act->objects[0]);
}

static int detach_once(struct act *act)
{
	return detach(act->name);
}

static void expect_whole(const struct life *l, const char *name)
{
	struct unfrag_attachment_info info;

	assert_int_equal(life_state(name, &info), UNFRAG_STATE_READY);
	assert_int_equal(info.links, LINKS);
	life_expect_links(LINKS);
	life_expect_judging(l, name, &info);
}

static void race_for_a_name(const struct life *l, int n)
{
	struct act act = { .name = NAME, .objects[0] = life_load(LIFE_OBJECT("plain")) };
	int results[RACERS_MAX] = { 0 };
	struct racers r;
	char pins[256];

	act.run = attach_once;
	for (int round = 0; round < ROUNDS; round++) {
		racers_init(&r, l);
		for (int i = 0; i < n; i++)
			racers_add(&r, act);
		racers_start(&r);
		racers_finish(&r, results);
		assert_int_equal(winners(results, n, EEXIST, EBUSY), 1);
		expect_whole(l, NAME);
		life_entries("", pins, sizeof(pins));
		assert_string_equal(pins, NAME " ");
		life_detach(NAME);
		life_expect_nothing();
	}
	bpf_object__close(act.objects[0]);
}

static void of_two_that_attach_one_name_one_wins(void *state)
{
	race_for_a_name(state, 2);
}

static void of_eight_that_attach_one_name_one_wins(void *state)
{
	race_for_a_name(state, 8);
}

static void of_eight_names_at_one_place_one_wins(void *state)
{
	static const char *const names[] = { "n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7" };
	struct act act = { .objects[0] = life_load(LIFE_OBJECT("plain")), .run = attach_once };
	int results[RACERS_MAX] = { 0 }, winner;
	char pins[256], want[16];
	struct racers r;

	for (int round = 0; round < ROUNDS / 4; round++) {
		racers_init(&r, state);
		for (int i = 0; i < 8; i++) {
			act.name = names[i];
			racers_add(&r, act);
		}
		racers_start(&r);
		racers_finish(&r, results);
		assert_int_equal(winners(results, 8, EBUSY, EBUSY), 1);
		for (winner = 0; results[winner]; winner++)
			;
		expect_whole(state, names[winner]);
		life_entries("", pins, sizeof(pins));
		snprintf(want, sizeof(want), "%s ", names[winner]);
		assert_string_equal(pins, want);
		life_detach(names[winner]);
		life_expect_nothing();
	}
	bpf_object__close(act.objects[0]);
}

static void of_four_that_detach_one_wins(void *state)
{
	struct act act = { .name = NAME, .run = detach_once };
	struct bpf_object *obj = life_load(LIFE_OBJECT("plain"));
	int results[RACERS_MAX] = { 0 };
	struct racers r;

	for (int round = 0; round < ROUNDS; round++) {
		test_ok(attach(state, NAME, obj));
		racers_init(&r, state);
		for (int i = 0; i < 4; i++)
			racers_add(&r, act);
		racers_start(&r);
		racers_finish(&r, results);
		assert_int_equal(winners(results, 4, ENOENT, EBUSY), 1);
		life_expect_nothing();
	}
	bpf_object__close(obj);
}

static int attach_and_detach(struct act *act)
{
	int r = 0;

	for (int i = 0; i < act->times && !r; i++) {
		r = attach(act->life, act->name, act->objects[0]);
		do {
			if (!r)
				r = detach(act->name);
		} while (r == -EBUSY);
	}
	return r;
}

/* While others make and remove it, what is seen of it is whole, being changed or not there. */
static int look(const char *name, void *arg)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	struct unfrag_attachment *att;
	int r = unfrag_attachment_open(&att, name);

	(void)arg;
	if (r)
		return r == -ENOENT ? 0 : r;
	r = unfrag_attachment_info(att, &info);
	unfrag_attachment_free(att);
	if (r)
		return r == -ENOENT ? 0 : r;
	if (info.state == UNFRAG_STATE_READY || info.state == UNFRAG_STATE_BUSY)
		return 0;
	printf("# seen as %s: %s\n", unfrag_state_name(info.state), info.problem);
	return -EBADF;
}

/* Until those that make changes have ended. */
static int look_on(struct act *act)
{
	int r = 0;

	while (!r && !atomic_load(act->done))
		r = unfrag_attachment_each(look, NULL);
	return r;
}

/* The same, as people look. */
static int list_on(struct act *act)
{
	static struct command c;

	while (!atomic_load(act->done)) {
		if (command_run(&c, "list"))
			return -EIO;
		if (strstr(c.err, "broken") || strstr(c.err, "orphaned"))
			return -EBADF;
	}
	return 0;
}

/* Runs acts, and others that look on until all of those have ended. */
static void run_and_look(const struct life *l, const struct act *acts, int n, int *results)
{
	atomic_bool *done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct act look_act = { .run = look_on, .done = done };
	struct act list_act = { .run = list_on, .done = done };
	struct racers changing, looking;
	int looked[2] = { 0 };

	assert_true(done != MAP_FAILED);
	racers_init(&looking, l);
	racers_add(&looking, look_act);
	racers_add(&looking, list_act);
	racers_start(&looking);
	racers_init(&changing, l);
	for (int i = 0; i < n; i++)
		racers_add(&changing, acts[i]);
	racers_start(&changing);
	racers_finish(&changing, results);
	atomic_store(done, true);
	racers_finish(&looking, looked);
	munmap(done, sizeof(*done));
	assert_int_equal(looked[0], 0);
	assert_int_equal(looked[1], 0);
}

static void who_looks_on_disturbs_nobody_and_sees_nothing_broken(void *state)
{
	struct act act = { .name = NAME, .times = 20, .run = attach_and_detach };
	int result = 0;

	act.objects[0] = life_load(LIFE_OBJECT("plain"));
	run_and_look(state, &act, 1, &result);
	assert_int_equal(result, 0);
	life_expect_nothing();
	bpf_object__close(act.objects[0]);
}

/* As often as it is asked to, whatever comes of it, if that is one of what may. */
static int replace_often(struct act *act)
{
	struct unfrag_attachment *att;
	int r = 0;

	for (int i = 0; i < act->times && !r; i++) {
		r = unfrag_attachment_open(&att, act->name);
		if (!r) {
			r = unfrag_attachment_replace(att, act->objects[i % 2], NULL, NULL);
			unfrag_attachment_free(att);
		}
		if (r == -ENOENT || r == -EBUSY)
			r = 0;
	}
	return r;
}

static void two_that_replace_leave_one_program_and_its_pins(void *state)
{
	struct act act = { .name = NAME, .times = 50, .run = replace_often };
	struct act acts[2];
	struct unfrag_attachment_info info;
	char pins[512], want[512];
	int results[2] = { 0 };

	act.objects[0] = life_load(LIFE_OBJECT("plain"));
	act.objects[1] = life_load(LIFE_OBJECT("b"));
	test_ok(attach(state, NAME, act.objects[0]));
	acts[0] = acts[1] = act;
	run_and_look(state, acts, 2, results);
	assert_int_equal(results[0], 0);
	assert_int_equal(results[1], 0);
	expect_whole(state, NAME);
	life_state(NAME, &info);
	snprintf(want, sizeof(want), "maps maps-%u program-%u slot ", info.program_id,
		 info.program_id);
	life_entries(NAME, pins, sizeof(pins));
	assert_non_null(strstr(pins, " maps "));
	assert_string_equal(strstr(pins, " maps ") + 1, want);
	life_detach(NAME);
	bpf_object__close(act.objects[0]);
	bpf_object__close(act.objects[1]);
}

static void replacing_while_it_comes_and_goes_breaks_nothing(void *state)
{
	struct act changing = { .name = NAME, .times = 15, .run = attach_and_detach };
	struct act replacing = { .name = NAME, .times = 200, .run = replace_often };
	struct act acts[2];
	int results[2] = { 0 };

	changing.objects[0] = replacing.objects[0] = life_load(LIFE_OBJECT("plain"));
	replacing.objects[1] = life_load(LIFE_OBJECT("b"));
	acts[0] = changing;
	acts[1] = replacing;
	run_and_look(state, acts, 2, results);
	assert_int_equal(results[0], 0);
	assert_int_equal(results[1], 0);
	life_expect_nothing();
	bpf_object__close(replacing.objects[0]);
	bpf_object__close(replacing.objects[1]);
}

static int hold_once(struct act *act)
{
	struct unfrag_hold_opts opts = {
		.sz = sizeof(opts),
		.netns = act->life->path,
		.holder = act->name,
	};
	struct unfrag_hold *hold;
	int r = unfrag_defrag_hold(&hold, &opts);

	if (!r)
		unfrag_hold_free(hold);
	return r;
}

static int release(const char *id, void *arg)
{
	struct unfrag_hold *hold;

	(void)arg;
	test_ok(unfrag_hold_open(&hold, id));
	test_ok(unfrag_defrag_release(hold));
	return 0;
}

static void of_eight_that_hold_as_one_holder_one_wins(void *state)
{
	struct act act = { .name = NAME, .run = hold_once };
	const struct life *l = state;
	int results[RACERS_MAX] = { 0 };
	struct racers r;

	for (int round = 0; round < ROUNDS; round++) {
		racers_init(&r, state);
		for (int i = 0; i < 8; i++)
			racers_add(&r, act);
		racers_start(&r);
		racers_finish(&r, results);
		assert_int_equal(winners(results, 8, EEXIST, EBUSY), 1);
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 1);
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV6), 1);
		test_ok(unfrag_hold_each(release, NULL));
		assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 0);
		life_expect_nothing();
	}
}

static void eight_holders_at_once_all_hold(void *state)
{
	static const char *const names[] = { "h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7" };
	struct act act = { .run = hold_once };
	const struct life *l = state;
	int results[RACERS_MAX] = { 0 };
	struct racers r;

	racers_init(&r, state);
	for (int i = 0; i < 8; i++) {
		act.name = names[i];
		racers_add(&r, act);
	}
	racers_start(&r);
	racers_finish(&r, results);
	assert_int_equal(winners(results, 8, 0, 0), 8);
	test_ok(unfrag_hold_each(release, NULL));
	assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV4), 0);
	assert_int_equal(unfrag_defrag_status(l->path, UNFRAG_FAMILIES_IPV6), 0);
}

static const struct test tests[] = {
	TEST_WITH(of_two_that_attach_one_name_one_wins, life_up, life_down),
	TEST_WITH(of_eight_that_attach_one_name_one_wins, life_up, life_down),
	TEST_WITH(of_eight_names_at_one_place_one_wins, life_up, life_down),
	TEST_WITH(of_four_that_detach_one_wins, life_up, life_down),
	TEST_WITH(who_looks_on_disturbs_nobody_and_sees_nothing_broken, life_up, life_down),
	TEST_WITH(two_that_replace_leave_one_program_and_its_pins, life_up, life_down),
	TEST_WITH(replacing_while_it_comes_and_goes_breaks_nothing, life_up, life_down),
	TEST_WITH(of_eight_that_hold_as_one_holder_one_wins, life_up, life_down),
	TEST_WITH(eight_holders_at_once_all_hold, life_up, life_down),
};

TEST_MAIN(tests);
