// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag: the command. A table of verbs, one file each; everything they do is done by libunfrag.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "object.h"
#include "output.h"

static const struct verb *const verbs[] = {
	&verb_probe,  &verb_attach, &verb_replace, &verb_detach, &verb_list, &verb_stats,
	&verb_defrag, &verb_guard,  &verb_pcap,    &verb_policy, &verb_run,
};

#define VERBS (sizeof(verbs) / sizeof(*verbs))

static void usage(FILE *out)
{
	size_t i;

	fputs("usage: unfrag VERB [OPTIONS] [ARGUMENTS]\n\n"
	      "Lets BPF netfilter programs judge whole IPv4 and IPv6 packets, never fragments.\n\n",
	      out);
	for (i = 0; i < VERBS; i++)
		fprintf(out, "  %-10s%s\n", verbs[i]->name, verbs[i]->summary);
	fputs("\n'unfrag VERB --help' has more on each; the manual is unfrag(8).\n"
	      "Exit status: 0 done, 1 failed, 2 usage, 3 this kernel can't.\n",
	      out);
}

static const struct verb *find(const char *name)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (!strcmp(name, verbs[i]->name))
			return verbs[i];
	return NULL;
}

static void on_log(enum unfrag_log_level level, const char *message, void *arg)
{
	(void)arg;
	if (level == UNFRAG_LOG_DEBUG && !cli_verbose())
		return;
	cli_note("%s", message);
}

static int run(int argc, char **argv)
{
	const struct verb *verb;
	static char name[32];

	if (argc < 2) {
		usage(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return CLI_DONE;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("unfrag %s, libbpf %s\n", unfrag_version(), libbpf_version_string() + 1);
		return CLI_DONE;
	}
	verb = find(argv[1]);
	if (!verb) {
		cli_error("unknown verb '%s'; 'unfrag --help' lists them", argv[1]);
		return CLI_USAGE;
	}
	/* getopt(3) starts its messages with it. */
	snprintf(name, sizeof(name), "unfrag %s", verb->name);
	argv[1] = name;
	return verb->run(verb, argc - 1, argv + 1);
}

/*
 * What is closed must not become a file of ours, which would be read or written in its place. It
 * is opened the wrong way around, so that who uses it is told.
 */
static void keep_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	keep_standard_files();
	signal(SIGPIPE, SIG_IGN);
	unfrag_set_log(on_log, NULL);
	libbpf_set_print(object_hear);
	return cli_finish(run(argc, argv));
}
