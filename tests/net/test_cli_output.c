// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the command prints, form by form: JSON and OpenMetrics for scripts, aligned text for people,
 * colours for terminals.
 */
#define _GNU_SOURCE
#include <command.h>
#include <fcntl.h>
#include <jansson.h>
#include <life.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define NAME "said"

static void said_down(void *state)
{
	life_remove(NAME);
	life_down(state);
}

static void attach(const struct life *l)
{
	struct command c;

	command_run(&c, "attach", "--netns", l->path, "-n", NAME, "-k", "prerouting,input",
		    LIFE_OBJECT("a"));
	command_expect(&c, 0, NULL);
}

/* Runs a verb with --json; what it printed is the one document, with these keys and no others. */
static json_t *json_of(struct command *c, const char *const *args)
{
	json_error_t error;
	json_t *root;

	memset(c, 0, sizeof(*c));
	command_v(c, args);
	command_expect(c, 0, NULL);
	root = json_loads(c->out, 0, &error);
	if (!root)
		printf("# %s in line %d of: %s\n", error.text, error.line, c->out);
	assert_non_null(root);
	return root;
}

#define JSON_OF(c, ...) json_of((c), (const char *const[]){ __VA_ARGS__, "--json", NULL })

/* Keys are given in one string, each with a blank behind it. */
static void expect_keys(json_t *object, const char *keys)
{
	const char *key, *end;
	char name[64];
	size_t n = 0;

	assert_true(json_is_object(object));
	for (key = keys; *key; key = end + 1, n++) {
		end = strchr(key, ' ');
		snprintf(name, sizeof(name), "%.*s", (int)(end - key), key);
		if (!json_object_get(object, name))
			printf("# there is no key '%s'\n", name);
		assert_non_null(json_object_get(object, name));
	}
	assert_int_equal(json_object_size(object), n);
}

static const char *text_of(json_t *object, const char *key)
{
	assert_true(json_is_string(json_object_get(object, key)));
	return json_string_value(json_object_get(object, key));
}

static json_int_t number_of(json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static void probe_speaks_json(void *state)
{
	const struct life *l = state;
	struct command c;
	json_t *root = JSON_OF(&c, "probe", "--netns", l->path), *limits;

	expect_keys(root, "version kernel bpffs features capabilities ipv4 ipv6 ");
	assert_string_equal(text_of(root, "version"), unfrag_version());
	assert_string_equal(text_of(root, "bpffs"), "/sys/fs/bpf");
	for (int i = 0; i < UNFRAG_FEATURE_MAX; i++)
		assert_non_null(strstr("yes no unknown",
				       text_of(json_object_get(root, "features"),
					       unfrag_feature_name((enum unfrag_feature)i))));
	expect_keys(json_object_get(root, "capabilities"), "net_admin sys_admin perfmon bpf ");
	limits = json_object_get(root, "ipv4");
	expect_keys(limits, "memory_bytes high_thresh_bytes timeout_seconds datagrams max_dist ");
	assert_int_equal(number_of(limits, "timeout_seconds"), 30);
	limits = json_object_get(root, "ipv6");
	expect_keys(limits, "memory_bytes high_thresh_bytes timeout_seconds datagrams max_dist ");
	assert_true(json_is_null(json_object_get(limits, "memory_bytes")));
	json_decref(root);
}

static void attach_replace_and_detach_speak_json(void *state)
{
	const struct life *l = state;
	struct command c;
	json_t *root = JSON_OF(&c, "attach", "--netns", l->path, "-n", NAME, "-f", "ipv6", "-k",
			       "input,output", "-p", "77", LIFE_OBJECT("a"));

	expect_keys(root, "name program program_id families hooks priority ");
	assert_string_equal(text_of(root, "name"), NAME);
	assert_string_equal(text_of(root, "program"), "life_judge_a");
	assert_int_equal(number_of(root, "priority"), 77);
	assert_int_equal(json_array_size(json_object_get(root, "families")), 1);
	assert_int_equal(json_array_size(json_object_get(root, "hooks")), 2);
	json_decref(root);
	root = JSON_OF(&c, "replace", "--keep-maps", NAME, LIFE_OBJECT("b"));
	expect_keys(root, "name program kept_maps ");
	assert_string_equal(text_of(root, "program"), "life_judge_b");
	assert_int_equal(number_of(root, "kept_maps"), 1);
	json_decref(root);
	root = JSON_OF(&c, "detach", NAME);
	assert_int_equal(json_array_size(root), 1);
	assert_string_equal(json_string_value(json_array_get(root, 0)), NAME);
	json_decref(root);
	life_expect_nothing();
}

static void list_speaks_json(void *state)
{
	const struct life *l = state;
	uint64_t inode;
	struct command c;
	json_t *root = JSON_OF(&c, "list"), *one;

	assert_int_equal(json_array_size(root), 0);
	json_decref(root);
	attach(l);
	test_ok(unfrag_netns_inode(l->path, &inode));
	root = JSON_OF(&c, "list");
	assert_int_equal(json_array_size(root), 1);
	one = json_array_get(root, 0);
	expect_keys(one,
		    "name state problem netns netns_inode families hooks priority places "
		    "defrag fragments unreadable empty links program source program_id since "
		    "program_since ");
	assert_string_equal(text_of(one, "state"), "ready");
	assert_string_equal(text_of(one, "problem"), "");
	assert_true(number_of(one, "netns_inode") == (json_int_t)inode);
	assert_int_equal(number_of(one, "priority"), UNFRAG_PRIORITY_DEFAULT);
	assert_true(json_is_true(json_object_get(one, "defrag")));
	assert_string_equal(text_of(one, "fragments"), "drop");
	assert_int_equal(number_of(one, "links"), 4);
	assert_string_equal(text_of(one, "source"), LIFE_OBJECT("a"));
	json_decref(root);
}

static void stats_speak_json(void *state)
{
	struct command c;
	json_t *root, *one;
	size_t i;

	attach(state);
	for (i = 0; i < 3; i++)
		assert_true(life_ping(state, AF_INET6, LIFE_DEADLINE_MS));
	root = JSON_OF(&c, "stats", NAME);
	assert_int_equal(json_array_size(root), 4);
	json_array_foreach(root, i, one)
	{
		json_int_t n = strcmp(text_of(one, "family"), "ipv6") ? 0 : 3;

		expect_keys(one, "name family hook packets outcomes largest_fragment ");
		assert_int_equal(number_of(one, "packets"), n);
		expect_keys(json_object_get(one, "outcomes"),
			    "whole reassembled fragment_first fragment_later fragment_malformed "
			    "unreadable slot_empty ");
		assert_int_equal(number_of(json_object_get(one, "outcomes"), "whole"), n);
	}
	json_decref(root);
	root = JSON_OF(&c, "stats");
	assert_int_equal(json_array_size(root), 4);
	json_decref(root);
}

static void defrag_speaks_json(void *state)
{
	const struct life *l = state;
	struct command c;
	json_t *root = JSON_OF(&c, "defrag", "on", "--netns", l->path, "--holder", "me"), *one;

	expect_keys(root, "holder new ");
	assert_true(json_is_true(json_object_get(root, "new")));
	json_decref(root);
	root = JSON_OF(&c, "defrag", "on", "--netns", l->path, "--holder", "me");
	assert_true(json_is_false(json_object_get(root, "new")));
	json_decref(root);
	root = JSON_OF(&c, "defrag", "status", "--netns", l->path);
	expect_keys(root, "ipv4 ipv6 holds ");
	assert_true(json_is_true(json_object_get(root, "ipv4")));
	one = json_array_get(json_object_get(root, "holds"), 0);
	expect_keys(one, "id holder state problem netns netns_inode families since table ");
	assert_string_equal(text_of(one, "holder"), "me");
	json_decref(root);
	root = JSON_OF(&c, "defrag", "off", "--netns", l->path, "--holder", "me");
	expect_keys(root, "released ");
	json_decref(root);
	root = JSON_OF(&c, "defrag", "status", "--netns", l->path);
	assert_true(json_is_false(json_object_get(root, "ipv4")));
	assert_int_equal(json_array_size(json_object_get(root, "holds")), 0);
	json_decref(root);
}

/* One metric family: its samples stand together, behind its TYPE and HELP. */
static void check_sample(const char *line, const char *family, size_t *samples)
{
	size_t len = strlen(family);
	char *end;

	assert_true(!strncmp(line, family, len));
	line += len;
	line += strncmp(line, "_total", 6) ? 0 : 6;
	assert_true(line[0] == '{');
	assert_non_null(strstr(line, "attachment=\"" NAME "\",family=\"ipv"));
	line = strstr(line, "\"} ");
	assert_non_null(line);
	strtoull(line + 3, &end, 10);
	assert_true(end > line + 3 && !*end);
	++*samples;
}

static void stats_speak_openmetrics(void *state)
{
	char family[64] = "", *line, *rest = NULL;
	size_t families = 0, samples = 0, len;
	bool ended = false;
	struct command c;

	attach(state);
	assert_true(life_ping(state, AF_INET, LIFE_DEADLINE_MS));
	command_run(&c, "stats", "--openmetrics");
	command_expect(&c, 0, NULL);
	len = strlen(c.out);
	assert_true(len > 6 && !strcmp(c.out + len - 6, "# EOF\n"));
	for (line = strtok_r(c.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		assert_false(ended);
		if (sscanf(line, "# TYPE %63s", family) == 1)
			families++;
		else if (!strcmp(line, "# EOF"))
			ended = true;
		else if (line[0] == '#')
			assert_true(!strncmp(line + 7, family, strlen(family)));
		else
			check_sample(line, family, &samples);
	}
	assert_int_equal(families, 2);
	assert_int_equal(samples, 4 * (UNFRAG_OUTCOME_MAX + 1));
}

static void text_is_aligned_and_has_no_codes(void *state)
{
	struct command c;

	attach(state);
	command_run(&c, "list");
	command_expect(&c, 0, NULL);
	assert_true(strstr(c.out, "NAME ") == c.out);
	/* A column starts at the same place in each row. */
	assert_int_equal(strstr(c.out, "STATE") - c.out,
			 strstr(c.out, "ready") - strstr(c.out, NAME));
	assert_null(strchr(c.out, '\033'));
	command_expect_lines(c.out);
	command_run(&c, "stats");
	command_expect(&c, 0, NULL);
	assert_null(strchr(c.out, '\033'));
	command_expect_lines(c.out);
	command_run(&c, "probe");
	command_expect(&c, 0, NULL);
	assert_null(strchr(c.out, '\033'));
	command_expect_lines(c.out);
}

static void set_no_color(struct command *c)
{
	(void)c;
	setenv("NO_COLOR", "1", 1);
}

static void set_no_color_to_nothing(struct command *c)
{
	(void)c;
	setenv("NO_COLOR", "", 1);
}

/* What `unfrag list` writes to a terminal. */
static void list_on_terminal(void (*before)(struct command *), char *buf, size_t size)
{
	lab_autoclose int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct command c = { .before = before };
	char path[64];
	ssize_t n;

	assert_true(fd >= 0);
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	assert_int_equal(ptsname_r(fd, path, sizeof(path)), 0);
	c.stdout_path = path;
	assert_int_equal(command(&c, "list", NULL), 0);
	/* The other end is closed; what it wrote is still there. */
	n = read(fd, buf, size - 1);
	assert_true(n > 0);
	buf[n] = '\0';
}

static void colour_is_for_terminals_without_no_color(void *state)
{
	char text[4096];

	attach(state);
	unsetenv("NO_COLOR");
	list_on_terminal(NULL, text, sizeof(text));
	assert_non_null(strstr(text, "\033[32mready\033[0m"));
	list_on_terminal(set_no_color_to_nothing, text, sizeof(text));
	assert_non_null(strchr(text, '\033'));
	list_on_terminal(set_no_color, text, sizeof(text));
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "ready"));
}

static const struct test tests[] = {
	TEST_WITH(probe_speaks_json, life_up, said_down),
	TEST_WITH(attach_replace_and_detach_speak_json, life_up, said_down),
	TEST_WITH(list_speaks_json, life_up, said_down),
	TEST_WITH(stats_speak_json, life_up, said_down),
	TEST_WITH(defrag_speaks_json, life_up, said_down),
	TEST_WITH(stats_speak_openmetrics, life_up, said_down),
	TEST_WITH(text_is_aligned_and_has_no_codes, life_up, said_down),
	TEST_WITH(colour_is_for_terminals_without_no_color, life_up, said_down),
};

TEST_MAIN(tests);
