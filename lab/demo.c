// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first run: what fragments do to a packet filter, and what unfrag does about it, on real DNS
 * traffic in three namespaces that vanish with this process.
 *
 *   client ─────────── middle ─────────── server
 *   kdig, smuggler     "only DNS"         nsd
 *
 * The middle keeps its policy in three ways in turn. For each way and family: large answers asked
 * for, and datagrams smuggled in fragments to a forbidden port. The exit status is 0 only if
 * unfrag let all of the former and none of the latter through.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "demo_box.h"
#include "demo_dns.h"
#include "demo_report.h"
#include "demo_smuggle.h"
#include "demo_tool.h"
#include "net.h"

#define ANSWERS 20

#define EXIT_USAGE 2

struct options {
	struct demo_paths paths;
	const char *objects;
	bool json;
};

static const char usage[] =
	"usage: demo [--unfrag COMMAND] [--objects DIR] [--ruleset FILE | --program FILE]\n"
	"            [--json]\n"
	"\n"
	"  --unfrag COMMAND  the unfrag command (default: unfrag)\n"
	"  --objects DIR     the build directory, with lab/ and examples/ in it (default: .)\n"
	"  --ruleset FILE    the policy for whole packets (default: examples/only_dns.nft)\n"
	"  --program FILE    a program as that policy, such as examples/only_dns.bpf.o\n"
	"  --json            print JSON instead of a table\n";

static int parse_options(int argc, char **argv, struct options *opts)
{
	static const struct option table[] = {
		{ "unfrag", required_argument, NULL, 'u' },
		{ "objects", required_argument, NULL, 'o' },
		{ "ruleset", required_argument, NULL, 'r' },
		{ "program", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'u':
			opts->paths.unfrag = optarg;
			break;
		case 'o':
			opts->objects = optarg;
			break;
		case 'r':
			opts->paths.ruleset = optarg;
			break;
		case 'p':
			opts->paths.program = optarg;
			break;
		case 'j':
			opts->json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			return -EINVAL;
		}
	}
	if (opts->paths.ruleset && opts->paths.program)
		return -EINVAL;
	return optind == argc ? 0 : -EINVAL;
}

static int family_number(enum demo_family family)
{
	return family == DEMO_IPV6 ? AF_INET6 : AF_INET;
}

/* Identifications that no other cell uses: what is left over from one can't mix with another. */
static uint32_t first_identification(enum demo_box_kind kind, enum demo_family family)
{
	return 1 + DEMO_SMUGGLED * ((uint32_t)kind * DEMO_FAMILY_MAX + (uint32_t)family);
}

static int fill_cell(const struct lab_router *router, const struct demo_dns *dns,
		     enum demo_box_kind kind, enum demo_family family, struct demo_cell *cell)
{
	const char *name = demo_family_name(family);
	int whole, err;

	whole = demo_dns_ask(dns, family_number(family), ANSWERS);
	if (whole < 0)
		return whole;
	cell->asked = ANSWERS;
	cell->whole = whole;
	demo_say("  %s: %d of %d large answers came", name, whole, ANSWERS);
	err = demo_smuggle(router, family_number(family), first_identification(kind, family),
			   &cell->smuggled);
	if (err)
		return err;
	demo_say("  %s: of %d smuggled datagrams, %d fragments came through", name,
		 cell->smuggled.sent, cell->smuggled.fragments);
	return 0;
}

static int fill_row(const struct lab_router *router, const struct demo_dns *dns,
		    enum demo_box_kind kind, const struct demo_paths *paths,
		    struct demo_cell *cells)
{
	struct demo_box *box = NULL;
	int err, removed;

	demo_say("middlebox %d of %d: %s", kind + 1, DEMO_BOX_MAX, demo_box_name(kind));
	err = demo_box_new(&box, kind, router->middle, paths);
	for (int family = 0; family < DEMO_FAMILY_MAX && !err; family++)
		err = demo_interrupted() ? -EINTR :
					   fill_cell(router, dns, kind, family, &cells[family]);
	removed = demo_box_free(box);
	return err ? err : removed;
}

static int run(const struct demo_paths *paths, struct demo_report *report)
{
	lab_auto_router struct lab_router *router = NULL;
	lab_cleanup(demo_dns_freep) struct demo_dns *dns = NULL;
	int err;

	demo_say("client, middlebox and server in namespaces of their own, MTU 1500");
	err = lab_router_new(&router);
	if (err) {
		demo_error("can't make the namespaces: %s", strerror(-err));
		return err;
	}
	demo_say("nsd at the server, kdig at the client");
	err = demo_dns_new(&dns, router);
	for (int kind = 0; kind < DEMO_BOX_MAX && !err; kind++)
		err = demo_interrupted() ? -EINTR :
					   fill_row(router, dns, kind, paths, report->cells[kind]);
	return err;
}

/* A plain su leaves out where Debian keeps ip and nsd. */
static void add_to_path(const char *dirs)
{
	const char *path = getenv("PATH");
	char longer[4096];
	int n;

	n = snprintf(longer, sizeof(longer), "%s:%s", path ? path : "/usr/bin:/bin", dirs);
	if (n > 0 && (size_t)n < sizeof(longer))
		setenv("PATH", longer, 1);
}

int main(int argc, char **argv)
{
	struct options opts = { .paths = { .unfrag = "unfrag" }, .objects = "." };
	struct demo_report report = { 0 };
	char lab_dir[4096], ruleset[4096];
	int err;

	if (parse_options(argc, argv, &opts)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	snprintf(lab_dir, sizeof(lab_dir), "%s/lab", opts.objects);
	opts.paths.objects = lab_dir;
	snprintf(ruleset, sizeof(ruleset), "%s/examples/only_dns.nft", opts.objects);
	if (!opts.paths.ruleset)
		opts.paths.ruleset = ruleset;
	if (geteuid() != 0) {
		demo_error("network namespaces and BPF programs need root: run it with sudo");
		return EXIT_FAILURE;
	}
	add_to_path("/usr/sbin:/sbin");
	demo_catch_signals();
	err = run(&opts.paths, &report);
	if (err == -EINTR)
		demo_error("interrupted; everything is put away");
	if (err)
		return EXIT_FAILURE;
	if (opts.json)
		demo_report_print_json(&report);
	else
		demo_report_print(&report);
	if (fflush(stdout) || ferror(stdout)) {
		demo_error("can't write the table: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	return demo_report_good(&report) ? EXIT_SUCCESS : EXIT_FAILURE;
}
