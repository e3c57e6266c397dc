// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "progress.h"

static bool verbose;
static int unwritten; /* why output could not be written, the first time */

__attribute__((format(printf, 1, 0))) static void vsay(const char *fmt, va_list ap)
{
	progress_hide();
	fflush(stdout);
	fputs("unfrag: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

void cli_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

int cli_usage(const struct verb *self, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	fprintf(stderr, "usage: unfrag %s %s\n", self->name, self->args);
	fprintf(stderr, "'unfrag %s --help' has the options\n", self->name);
	return CLI_USAGE;
}

static void help(const struct verb *self)
{
	printf("usage: unfrag %s %s\n\n%s.\n\n%s"
	       "  -v, --verbose         say more on what happens\n"
	       "  -h, --help            this text\n\n"
	       "See %s(8).\n",
	       self->name, self->args, self->summary, self->help,
	       strncmp(self->name, "policy", 6) ? "unfrag" : "unfrag-policy");
}

bool cli_common_option(const struct verb *self, int option, int *code)
{
	switch (option) {
	case 'h':
		help(self);
		*code = CLI_DONE;
		return true;
	case 'v':
		verbose = true;
		return false;
	default:
		fprintf(stderr, "'unfrag %s --help' has the options\n", self->name);
		*code = CLI_USAGE;
		return true;
	}
}

int cli_exit_of(int err)
{
	if (!err)
		return CLI_DONE;
	/* Families are right by now: if one can't be served, the kernel is built without. */
	return err == -EOPNOTSUPP || err == -EAFNOSUPPORT ? CLI_KERNEL : CLI_FAILED;
}

static uint32_t family_of(const char *word)
{
	if (!strcmp(word, "ipv4") || !strcmp(word, "4"))
		return UNFRAG_FAMILIES_IPV4;
	if (!strcmp(word, "ipv6") || !strcmp(word, "6"))
		return UNFRAG_FAMILIES_IPV6;
	return strcmp(word, "both") ? 0 : UNFRAG_FAMILIES_BOTH;
}

bool cli_parse_families(const char *arg, uint32_t *families)
{
	uint32_t family = family_of(arg);

	if (!family)
		cli_error("unknown family '%s'; use ipv4, ipv6 or both", arg);
	*families = family;
	return family;
}

bool cli_parse_hooks(const char *arg, uint32_t *hooks)
{
	char word[32];
	size_t len;
	int hook;

	for (;; arg += len + 1) {
		len = strcspn(arg, ",");
		snprintf(word, sizeof(word), "%.*s", (int)(len < 31 ? len : 31), arg);
		hook = unfrag_hook_by_name(word);
		if (hook < 0) {
			cli_error(
				"unknown hook '%s'; use prerouting, input, forward, output or "
				"postrouting, several with commas",
				word);
			return false;
		}
		*hooks |= 1u << hook;
		if (!arg[len])
			return true;
	}
}

bool cli_parse_priority(const char *arg, int32_t *priority)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 10);
	if (errno || end == arg || *end || n < INT32_MIN || n > INT32_MAX) {
		cli_error("priority '%s' is not a number from %d to %d", arg, INT32_MIN, INT32_MAX);
		return false;
	}
	*priority = (int32_t)n;
	return true;
}

bool cli_parse_verdict(const char *arg, const char *option, uint32_t flag, uint32_t *flags)
{
	if (!strcmp(arg, "accept")) {
		*flags |= flag;
		return true;
	}
	if (!strcmp(arg, "drop")) {
		*flags &= ~flag;
		return true;
	}
	cli_error("--%s '%s' is not known; use drop or accept", option, arg);
	return false;
}

bool cli_flush(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	if (!unwritten)
		unwritten = errno;
	return false;
}

int cli_finish(int code)
{
	progress_end();
	if (cli_flush())
		return code;
	if (unwritten != EPIPE)
		cli_error("output can't be written: %s", strerror(unwritten));
	return code ? code : CLI_FAILED;
}

bool cli_verbose(void)
{
	return verbose;
}
