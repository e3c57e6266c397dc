// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli.h"
#include "output.h"

static const struct {
	int bit;
	const char *name;
} capabilities[] = {
	{ 12, "net_admin" },
	{ 21, "sys_admin" },
	{ 38, "perfmon" },
	{ 39, "bpf" },
};

#define CAPABILITIES (sizeof(capabilities) / sizeof(*capabilities))

static const char *const answers[] = {
	[UNFRAG_ANSWER_NO] = "no",
	[UNFRAG_ANSWER_YES] = "yes",
	[UNFRAG_ANSWER_UNKNOWN] = "unknown",
};

static const enum colour answer_colours[] = {
	[UNFRAG_ANSWER_NO] = COLOUR_BAD,
	[UNFRAG_ANSWER_YES] = COLOUR_GOOD,
	[UNFRAG_ANSWER_UNKNOWN] = COLOUR_WARN,
};

/* What an answer that is not yes means, and what to do. */
static void add_reason(struct table *t, const struct unfrag_probe *p, enum unfrag_feature feature)
{
	bool flag = unfrag_probe_feature(p, UNFRAG_FEATURE_DEFRAG_FLAG, NULL) == UNFRAG_ANSWER_YES;
	int err;
	enum unfrag_answer answer = unfrag_probe_feature(p, feature, &err);

	if (answer == UNFRAG_ANSWER_YES)
		table_add(t, COLOUR_NONE, false, "%s", "");
	else if (answer == UNFRAG_ANSWER_UNKNOWN)
		table_add(t, COLOUR_NONE, false, "could not be tried: %s", strerror(err));
	else if (feature == UNFRAG_FEATURE_BPFFS)
		table_add(t, COLOUR_NONE, false, "%s", "attach mounts it");
	else if (flag && feature == UNFRAG_FEATURE_DEFRAG_IPV4)
		table_add(t, COLOUR_NONE, false, "%s", "module nf_defrag_ipv4 is missing");
	else if (flag && feature == UNFRAG_FEATURE_DEFRAG_IPV6)
		table_add(t, COLOUR_NONE, false, "%s", "module nf_defrag_ipv6 is missing");
	else
		table_add(t, COLOUR_NONE, false, "since Linux %s", unfrag_feature_since(feature));
}

static void print_features(const struct unfrag_probe *p)
{
	struct table *t = table_new(4);
	enum unfrag_answer answer;
	int i;

	for (i = 0; i < UNFRAG_FEATURE_MAX; i++) {
		answer = unfrag_probe_feature(p, (enum unfrag_feature)i, NULL);
		table_add(t, COLOUR_NONE, false, "%s", unfrag_feature_name((enum unfrag_feature)i));
		table_add(t, answer_colours[answer], false, "%s", answers[answer]);
		table_add(t, COLOUR_NONE, false, "%s", unfrag_feature_text((enum unfrag_feature)i));
		add_reason(t, p, (enum unfrag_feature)i);
	}
	table_print(t, stdout);
	table_free(t);
}

static void print_capabilities(const struct unfrag_probe *p)
{
	struct table *t = table_new(2);
	bool held;
	size_t i;

	for (i = 0; i < CAPABILITIES; i++) {
		held = unfrag_probe_capabilities(p) >> capabilities[i].bit & 1;
		table_add(t, COLOUR_NONE, false, "cap_%s", capabilities[i].name);
		table_add(t, held ? COLOUR_GOOD : COLOUR_WARN, false, "%s", held ? "yes" : "no");
	}
	table_print(t, stdout);
	table_free(t);
}

static void add_number(struct table *t, int64_t n, const char *unit)
{
	if (n < 0)
		table_add(t, COLOUR_NONE, true, "%s", "not told");
	else
		table_add(t, COLOUR_NONE, true, "%lld%s", (long long)n, unit);
}

static void print_limits(const struct unfrag_probe *p)
{
	static const char *const head[] = { "FRAGMENTS", "memory",    "high_thresh",
					    "timeout",   "datagrams", "max_dist" };
	const struct unfrag_frag_limits *l;
	struct table *t = table_new(6);
	uint32_t family;
	size_t i;

	for (i = 0; i < 6; i++)
		table_add(t, COLOUR_NONE, i > 0, "%s", head[i]);
	for (family = UNFRAG_FAMILIES_IPV4; family <= UNFRAG_FAMILIES_IPV6; family <<= 1) {
		l = unfrag_probe_limits(p, family);
		table_add(t, COLOUR_NONE, false, "%s", output_family(family));
		add_number(t, l->memory, "");
		add_number(t, l->high_thresh, "");
		add_number(t, l->timeout, " s");
		add_number(t, l->datagrams, "");
		add_number(t, l->max_dist, "");
	}
	table_print(t, stdout);
	table_free(t);
}

static void print_text(const struct unfrag_probe *p, const struct utsname *u)
{
	const char *bpffs = unfrag_probe_bpffs(p);

	printf("unfrag %s on Linux %s, BPF file system %s\n\n", unfrag_version(), u->release,
	       bpffs ? bpffs : "not mounted (attach mounts it)");
	print_features(p);
	putchar('\n');
	print_capabilities(p);
	putchar('\n');
	print_limits(p);
}

static json_t *number_or_null(int64_t n)
{
	return n < 0 ? json_null() : json_integer((json_int_t)n);
}

static json_t *json_limits(const struct unfrag_frag_limits *l)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "memory_bytes", number_or_null(l->memory),
			 "high_thresh_bytes", number_or_null(l->high_thresh), "timeout_seconds",
			 number_or_null(l->timeout), "datagrams", number_or_null(l->datagrams),
			 "max_dist", number_or_null(l->max_dist));
}

static int print_json(const struct unfrag_probe *p, const struct utsname *u)
{
	json_t *features = json_object(), *caps = json_object();
	enum unfrag_answer answer;
	size_t i;

	for (i = 0; i < UNFRAG_FEATURE_MAX; i++) {
		answer = unfrag_probe_feature(p, (enum unfrag_feature)i, NULL);
		json_object_set_new(features, unfrag_feature_name((enum unfrag_feature)i),
				    json_string(answers[answer]));
	}
	for (i = 0; i < CAPABILITIES; i++)
		json_object_set_new(caps, capabilities[i].name,
				    json_boolean(unfrag_probe_capabilities(p) >>
							 capabilities[i].bit &
						 1));
	return json_finish(
		json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o, s:o}", "version", unfrag_version(),
			  "kernel", u->release, "bpffs", unfrag_probe_bpffs(p), "features",
			  features, "capabilities", caps, "ipv4",
			  json_limits(unfrag_probe_limits(p, UNFRAG_FAMILIES_IPV4)), "ipv6",
			  json_limits(unfrag_probe_limits(p, UNFRAG_FAMILIES_IPV6))));
}

static int verdict(const struct unfrag_probe *p)
{
	static const enum unfrag_feature needed[] = {
		UNFRAG_FEATURE_PROGRAM,     UNFRAG_FEATURE_LINK,        UNFRAG_FEATURE_DEFRAG_FLAG,
		UNFRAG_FEATURE_DEFRAG_IPV4, UNFRAG_FEATURE_DEFRAG_IPV6, UNFRAG_FEATURE_BTF,
	};
	size_t i;

	for (i = 0; i < sizeof(needed) / sizeof(*needed); i++)
		if (unfrag_probe_feature(p, needed[i], NULL) == UNFRAG_ANSWER_NO)
			return CLI_KERNEL;
	return CLI_DONE;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPTION_JSON },
						 { "netns", required_argument, NULL, OPTION_NETNS },
						 CLI_COMMON_OPTIONS };
	const char *netns = NULL;
	struct unfrag_probe *p;
	struct utsname u;
	bool json = false;
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			json = true;
		else if (option == OPTION_NETNS)
			netns = optarg;
		else if (cli_common_option(self, option, &code))
			return code;
	}
	if (optind != argc)
		return cli_usage(self, "'%s' is one argument too many", argv[optind]);
	code = cli_exit_of(unfrag_probe_new(&p, netns));
	if (code)
		return code;
	uname(&u);
	if (json)
		code = print_json(p, &u);
	else
		print_text(p, &u);
	code = code ? code : verdict(p);
	unfrag_probe_free(p);
	return code;
}

const struct verb verb_probe = {
	.name = "probe",
	.args = "[--json] [--netns NS]",
	.summary = "show what this kernel and this process can do, found by trying",
	.help = "      --json            as JSON\n"
		"      --netns NS        whose fragment limits: a name, a path or a process id\n",
	.run = run,
};
