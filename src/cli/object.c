// SPDX-License-Identifier: GPL-2.0-or-later
#include "object.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "output.h"
#include "progress.h"

#define PROG_TYPE_NETFILTER 32
#define LOG_SIZE            (1u << 20)
#define LOG_TAIL            12 /* lines */

static char heard[512];

int object_hear(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];
	size_t len;
	va_list copy;

	va_copy(copy, ap);
	vsnprintf(line, sizeof(line), fmt, copy);
	va_end(copy);
	len = strlen(line);
	if (len && line[len - 1] == '\n')
		line[len - 1] = '\0';
	/* The first warning says what went wrong, later ones that something did. */
	if (level == LIBBPF_WARN && !heard[0])
		snprintf(heard, sizeof(heard), "%s",
			 !strncmp(line, "libbpf: ", 8) ? line + 8 : line);
	if (!cli_verbose() || level == LIBBPF_DEBUG)
		return 0;
	progress_hide();
	return fprintf(stderr, "%s\n", line);
}

static const char *heard_or(int err)
{
	return heard[0] ? heard : strerror(err < 0 ? -err : err);
}

static int check_file(const char *path)
{
	char magic[4] = "";
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		cli_error("'%s' can't be opened: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		cli_error("'%s' is not a file", path);
		close(fd);
		return CLI_FAILED;
	}
	n = read(fd, magic, sizeof(magic));
	close(fd);
	if (n != sizeof(magic) || memcmp(magic, "\177ELF", 4)) {
		cli_error("'%s' is not an ELF object; compile with 'clang -O2 -g -target bpf -c'",
			  path);
		return CLI_FAILED;
	}
	return CLI_DONE;
}

static const char *type_name(const struct bpf_program *prog)
{
	const char *name = libbpf_bpf_prog_type_str(bpf_program__type(prog));

	return name ? name : "unknown";
}

static int refuse_type(const struct object *o, const struct bpf_program *prog)
{
	cli_error(
		"program '%s' in '%s' is of type %s; unfrag attaches netfilter programs, "
		"SEC(\"netfilter\")",
		bpf_program__name(prog), o->path, type_name(prog));
	return CLI_FAILED;
}

static int choose_named(struct object *o, const char *name)
{
	o->prog = bpf_object__find_program_by_name(o->obj, name);
	if (!o->prog) {
		cli_error("'%s' has no program '%s'", o->path, name);
		return CLI_FAILED;
	}
	if ((int)bpf_program__type(o->prog) != PROG_TYPE_NETFILTER)
		return refuse_type(o, o->prog);
	return CLI_DONE;
}

static int choose_only(struct object *o)
{
	struct bpf_program *prog, *other = NULL;

	bpf_object__for_each_program(prog, o->obj) {
		if ((int)bpf_program__type(prog) != PROG_TYPE_NETFILTER) {
			other = prog;
			continue;
		}
		if (o->prog) {
			cli_error(
				"'%s' has several netfilter programs ('%s', '%s'); name one with "
				"--program",
				o->path, bpf_program__name(o->prog), bpf_program__name(prog));
			return CLI_FAILED;
		}
		o->prog = prog;
	}
	if (o->prog)
		return CLI_DONE;
	if (other)
		return refuse_type(o, other);
	cli_error("'%s' has no BPF program", o->path);
	return CLI_FAILED;
}

int object_open(struct object *o, const char *path, const char *name)
{
	int code = check_file(path);

	memset(o, 0, sizeof(*o));
	o->path = path;
	if (code)
		return code;
	heard[0] = '\0';
	o->obj = bpf_object__open_file(path, NULL);
	if (!o->obj) {
		cli_error("'%s' can't be read as a BPF object: %s", path, heard_or(errno));
		return CLI_FAILED;
	}
	code = name ? choose_named(o, name) : choose_only(o);
	if (code)
		object_close(o);
	return code;
}

/* The end of the verifier's log says what it refused. */
static const char *tail_of(const char *log)
{
	const char *p = log + strlen(log);
	int lines = 0;

	while (p > log && (p[-1] != '\n' || !p[0] || lines++ < LOG_TAIL))
		p--;
	return p;
}

static void tell_refusal(const struct object *o, int err, bool all_log)
{
	const char *tail;

	if (!o->log[0]) {
		cli_error("'%s' can't be loaded: %s", o->path, heard_or(err));
		return;
	}
	tail = all_log ? o->log : tail_of(o->log);
	/* A log that does not fit covers the true reason; its end is kept. */
	cli_error("program '%s' in '%s' was refused by the kernel's verifier%s%s",
		  bpf_program__name(o->prog), o->path, err == -ENOSPC ? "" : ": ",
		  err == -ENOSPC ? "" : strerror(-err));
	fputs(tail, stderr);
	if (tail != o->log)
		fputs("(its last lines; --verifier-log shows all)\n", stderr);
	else if (err == -ENOSPC)
		fprintf(stderr, "(its last %u bytes; there was more)\n", LOG_SIZE);
}

int object_load(struct object *o, bool all_log)
{
	int r;

	o->log = calloc(1, LOG_SIZE);
	if (!o->log) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	bpf_program__set_log_buf(o->prog, o->log, LOG_SIZE);
	heard[0] = '\0';
	r = bpf_object__load(o->obj);
	if (!r)
		return CLI_DONE;
	tell_refusal(o, r, all_log);
	return CLI_FAILED;
}

void object_close(struct object *o)
{
	bpf_object__close(o->obj);
	free(o->log);
	o->obj = NULL;
	o->log = NULL;
}

void object_name_of(const char *path, char *name)
{
	const char *base = strrchr(path, '/');
	size_t i;

	base = base ? base + 1 : path;
	while (*base && strchr("-_.", *base))
		base++;
	snprintf(name, UNFRAG_NAME_MAX + 1, "%.*s", (int)strcspn(base, "."), base);
	for (i = 0; name[i]; i++)
		if (!strchr("-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
			    name[i]))
			name[i] = '_';
}
