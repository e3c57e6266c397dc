/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verbs share: the table they stand in, exit codes, options that several have, and words
 * to the user. Data goes to stdout, talk to stderr.
 */
#pragma once

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include <unfrag/unfrag.h>

enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_KERNEL = 3, /* this kernel can't */
};

struct verb {
	const char *name;
	const char *args;
	const char *summary;
	const char *help; /* options, one a line */
	int (*run)(const struct verb *self, int argc, char **argv);
};

extern const struct verb verb_attach;
extern const struct verb verb_defrag;
extern const struct verb verb_detach;
extern const struct verb verb_guard;
extern const struct verb verb_list;
extern const struct verb verb_pcap;
extern const struct verb verb_policy;
extern const struct verb verb_probe;
extern const struct verb verb_replace;
extern const struct verb verb_run;
extern const struct verb verb_stats;

/* Options without a letter of their own. */
enum cli_option {
	OPTION_JSON = 256,
	OPTION_OPENMETRICS,
	OPTION_NETNS,
	OPTION_NO_DEFRAG,
	OPTION_FRAGMENTS,
	OPTION_UNREADABLE,
	OPTION_EMPTY,
	OPTION_KEEP_MAPS,
	OPTION_VERIFIER_LOG,
	OPTION_HOLDER,
	OPTION_ID,
	OPTION_ALL,
	OPTION_TIME,
	OPTION_KEEP,
	OPTION_DROP_INCOMPLETE,
	OPTION_STRICT,
	OPTION_OVERLAP,
	OPTION_COMPARE,
	OPTION_BUFFER,
	OPTION_REPORT,
	OPTION_TUNNELS,
	OPTION_AT,
	OPTION_DEV,
	OPTION_XDP,
	OPTION_NO_TUNE,
	OPTION_MEMORY,
	OPTION_TIMEOUT,
	OPTION_SHARE,
	OPTION_FLOOR,
	OPTION_DATAGRAMS,
	OPTION_IPV4_PREFIX,
	OPTION_IPV6_PREFIX,
	OPTION_SMALL_AFTER,
	OPTION_SMALL_MEAN,
	OPTION_TRUESIZE,
	OPTION_FORGET,
	OPTION_EVENTS,
	OPTION_ALLOW,
	OPTION_ON_FAIL,
	OPTION_REPLACE,
	OPTION_PACKET,
	OPTION_PCAP,
	OPTION_WITH,
	OPTION_TABLE,
	OPTION_TERSE,
};

#define CLI_COMMON_OPTIONS \
	{ "help", no_argument, NULL, 'h' }, { "verbose", no_argument, NULL, 'v' }, \
	{ \
		0 \
	}

/* "unfrag: ..." on stderr. */
__attribute__((format(printf, 1, 2))) void cli_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void cli_note(const char *fmt, ...);

/* Usage of one verb on stderr, after what was wrong with it; returns CLI_USAGE. */
__attribute__((format(printf, 2, 3))) int cli_usage(const struct verb *self, const char *fmt, ...);

/* Handles -h, -v and what getopt(3) refused. Returns true when the verb should return *code. */
bool cli_common_option(const struct verb *self, int option, int *code);

/* Exit code of a library call's negative errno, which the library has put into words. */
int cli_exit_of(int err);

/* Arguments: these return false after saying what is wrong. */
bool cli_parse_families(const char *arg, uint32_t *families);
bool cli_parse_hooks(const char *arg, uint32_t *hooks);
bool cli_parse_priority(const char *arg, int32_t *priority);
bool cli_parse_verdict(const char *arg, const char *option, uint32_t flag, uint32_t *flags);

/* Flushes stdout. False: something could not be written, which cli_finish() says. */
bool cli_flush(void);

/* Everything that is to be done at exit: ends progress, flushes stdout, says if that failed. */
int cli_finish(int code);
