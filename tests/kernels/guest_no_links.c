// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernels without BPF netfilter links: every verb that needs them says so and since when there are
 * any, with its own exit status, and leaves nothing behind.
 */
#include <command.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <life.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <test.h>

#define OBJECT  LIFE_OBJECT("plain")
#define LACKING "this kernel has no BPF netfilter programs (needs 6.4"

static void expect_lacking(const char *const *args)
{
	struct command c = { 0 };

	printf("# %s\n", args[0]);
	command_v(&c, args);
	command_expect(&c, 3, LACKING);
	assert_string_equal(c.out, "");
	assert_non_null(strchr(c.err, '\n'));
	assert_string_equal(strchr(c.err, '\n'), "\n");
}

#define LACKS(...) expect_lacking((const char *const[]){ __VA_ARGS__, NULL })

static void every_verb_says_what_is_lacking(void *state)
{
	const struct life *l = state;

	LACKS("attach", OBJECT);
	LACKS("attach", "-n", "m", "--netns", l->path, "-f", "ipv6", "-k", "forward", OBJECT);
	LACKS("attach", "--no-defrag", OBJECT);
	LACKS("replace", "m", OBJECT);
	LACKS("detach", "m");
	LACKS("list");
	LACKS("list", "--json");
	LACKS("stats");
	LACKS("stats", "m");
	LACKS("stats", "--openmetrics");
	life_expect_nothing();
}

static void the_library_says_the_same(void *state)
{
	const struct life *l = state;
	struct unfrag_attach_opts opts = life_opts(l, UNFRAG_FAMILIES_BOTH, 0);
	struct bpf_object *obj = bpf_object__open(OBJECT);
	struct unfrag_netfilter_opts link = { .sz = sizeof(link), .pf = 2 };
	struct unfrag_attachment *att = NULL;
	char why[256];

	assert_non_null(obj);
	test_err(unfrag_probe_require(), -EOPNOTSUPP);
	assert_non_null(strstr(life_said(), LACKING));
	test_err(unfrag_attachment_attach(&att, "m", obj, NULL, &opts), -EOPNOTSUPP);
	assert_null(att);
	bpf_object__close(obj);
	unfrag_explain(EINVAL, &link, why, sizeof(why));
	assert_string_equal(why, "this kernel has no BPF netfilter links (needs 6.4)");
}

static const struct {
	const char *name, *answer, *reason;
} rows[] = {
	{ "program", "no", "since Linux 6.4" },
	{ "link", "no", "since Linux 6.4" },
	{ "defrag_flag", "no", "since Linux 6.6" },
	{ "defrag_ipv4", "no", "since Linux 6.6" },
	{ "defrag_ipv6", "no", "since Linux 6.6" },
	{ "btf", "yes", NULL },
	{ "bpffs", "yes", NULL },
	{ "tcx", "no", "since Linux 6.6" },
	{ "xdp", "yes", NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void probe_is_right_in_every_row(void *state)
{
	json_t *root, *features;
	struct command c;
	char *line, *end;
	size_t i;

	(void)state;
	command_expect((command_run(&c, "probe"), &c), 3, NULL);
	for (i = 0; i < ROWS; i++) {
		line = strstr(c.out, rows[i].name);
		assert_non_null(line);
		end = strchr(line, '\n');
		*end = '\0';
		printf("# %s\n", line);
		assert_non_null(strstr(line, rows[i].answer));
		if (rows[i].reason)
			assert_non_null(strstr(line, rows[i].reason));
		else
			assert_null(strstr(line, "since"));
		*end = '\n';
	}
	command_expect((command_run(&c, "probe", "--json"), &c), 3, NULL);
	root = json_loads(c.out, 0, NULL);
	features = json_object_get(root, "features");
	assert_int_equal(json_object_size(features), ROWS);
	for (i = 0; i < ROWS; i++)
		assert_string_equal(json_string_value(json_object_get(features, rows[i].name)),
				    rows[i].answer);
	json_decref(root);
}

static void set_modprobe(const char *path)
{
	lab_autoclose int fd = open("/proc/sys/kernel/modprobe", O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, path, strlen(path)), strlen(path));
}

static void modprobe_back(void *state)
{
	set_modprobe("/sbin/modprobe\n");
	life_down(state);
}

static void without_rules_either_the_verb_defrag_says_so(void *state)
{
	const struct life *l = state;
	struct command c;

	syscall(SYS_delete_module, "nft_tproxy", O_NONBLOCK);
	assert_true(access("/sys/module/nft_tproxy", F_OK));
	set_modprobe("/bin/false\n");
	command_run(&c, "defrag", "on", "--netns", l->path);
	command_expect(&c, 3, "this kernel has no tproxy rules in nftables (needs 4.19");
	life_expect_nothing();
	set_modprobe("/sbin/modprobe\n");
	assert_int_equal(command_run(&c, "defrag", "on", "--netns", l->path), 0);
	assert_int_equal(command_run(&c, "defrag", "off", "--netns", l->path), 0);
}

static const struct test tests[] = {
	TEST_WITH(every_verb_says_what_is_lacking, life_up, life_down),
	TEST_WITH(the_library_says_the_same, life_up, life_down),
	TEST_WITH(probe_is_right_in_every_row, life_up, life_down),
	TEST_WITH(without_rules_either_the_verb_defrag_says_so, life_up, modprobe_back),
};

TEST_MAIN(tests);
