// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file is written under another name beside its own, and renamed at the end: whoever finds it
 * by its name finds it whole. What is no regular file (a pipe, a device) is written to as it is.
 */
#define _GNU_SOURCE
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS          UINT64_C(1000000000)
#define SNAP_ALL    262144 /* libpcap's own limit: any datagram fits */
#define BUFFER_SIZE (256u << 10)

struct sink {
	const char *name;
	char *path; /* what it is called until it is whole; NULL: has its name */
	pcap_t *pcap;
	pcap_dumper_t *dump;
	struct bpf_program filter;
	bool filtering;
	bool nanoseconds;
	char buffer[BUFFER_SIZE]; /* the file's */
};

static int open_pcap(struct sink *s, const struct sink_opts *o, struct trouble *t)
{
	u_int precision = o->nanoseconds ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO;

	s->pcap = pcap_open_dead_with_tstamp_precision(o->link,
						       o->snap > SNAP_ALL ? o->snap : SNAP_ALL,
						       precision);
	if (!s->pcap)
		return trouble(t, -ENOMEM, "out of memory");
	if (!o->filter)
		return 0;
	if (pcap_compile(s->pcap, &s->filter, o->filter, 1, PCAP_NETMASK_UNKNOWN))
		return trouble(t, -EINVAL, "filter '%s' can't be used: %s", o->filter,
			       pcap_geterr(s->pcap));
	s->filtering = true;
	return 0;
}

static int forbid_input(const struct sink *s, const struct sink_opts *o, struct trouble *t)
{
	struct stat in, out;

	if (fstat(o->input, &in) || stat(s->name, &out) || !S_ISREG(in.st_mode))
		return 0;
	if (in.st_dev != out.st_dev || in.st_ino != out.st_ino)
		return 0;
	return trouble(t, -EINVAL, "'%s' is input and output; write to another file", s->name);
}

/* As open(2) would have made it: mkostemp(3) thinks of secrets. */
static void open_up(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	if (fchmod(fd, 0666 & ~mask))
		return; /* some file systems have no modes */
}

/* A link keeps pointing to what it points to, which is what is written. */
static int open_beside(struct sink *s)
{
	char *target = realpath(s->name, NULL);
	int fd;

	if (asprintf(&s->path, "%s.XXXXXX", target ? target : s->name) < 0)
		s->path = NULL;
	free(target);
	if (!s->path)
		return -1;
	fd = mkostemp(s->path, O_CLOEXEC);
	if (fd < 0) {
		free(s->path);
		s->path = NULL;
		return -1;
	}
	open_up(fd);
	return fd;
}

static int open_fd(struct sink *s)
{
	struct stat st;

	if (!strcmp(s->name, "-"))
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (!stat(s->name, &st) && !S_ISREG(st.st_mode))
		return open(s->name, O_WRONLY | O_CLOEXEC);
	return open_beside(s);
}

static int open_dump(struct sink *s, struct trouble *t)
{
	int fd = open_fd(s);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		return trouble(t, -err, "'%s' can't be written: %s", s->name, strerror(err));
	}
	setvbuf(file, s->buffer, _IOFBF, sizeof(s->buffer));
	__fsetlocking(file, FSETLOCKING_BYCALLER);
	s->dump = pcap_dump_fopen(s->pcap, file);
	if (s->dump)
		return 0;
	fclose(file);
	return trouble(t, -EIO, "'%s' can't be written: %s", s->name, pcap_geterr(s->pcap));
}

int sink_new(struct sink **out, const struct sink_opts *o, struct trouble *t)
{
	struct sink *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return trouble(t, -ENOMEM, "out of memory");
	s->name = o->name;
	s->nanoseconds = o->nanoseconds;
	r = open_pcap(s, o, t);
	if (!r && s->name) {
		r = forbid_input(s, o, t);
		if (!r)
			r = open_dump(s, t);
	}
	if (r) {
		sink_free(s);
		return r;
	}
	*out = s;
	return 0;
}

static int can_t_write(const struct sink *s, struct trouble *t)
{
	int err = errno ? errno : EIO;

	return trouble(t, -err, "'%s' can't be written: %s", s->name, strerror(err));
}

int sink_put(struct sink *s, const struct packet *p, struct trouble *t)
{
	struct pcap_pkthdr h = {
		.ts.tv_sec = (time_t)(p->time / NS),
		.ts.tv_usec = (suseconds_t)(p->time % NS / (s->nanoseconds ? 1 : 1000)),
		.caplen = p->caplen,
		.len = p->len,
	};

	if (s->filtering && !pcap_offline_filter(&s->filter, &h, p->data))
		return 0;
	if (!s->dump)
		return 1;
	errno = 0;
	pcap_dump((u_char *)s->dump, &h, p->data);
	return ferror(pcap_dump_file(s->dump)) ? can_t_write(s, t) : 1;
}

int sink_flush(struct sink *s, struct trouble *t)
{
	if (!s->dump)
		return 0;
	errno = 0;
	return pcap_dump_flush(s->dump) || ferror(pcap_dump_file(s->dump)) ? can_t_write(s, t) : 0;
}

int sink_finish(struct sink *s, struct trouble *t)
{
	int r = sink_flush(s, t);
	char *target;

	if (r || !s->path)
		return r;
	target = realpath(s->name, NULL);
	if (rename(s->path, target ? target : s->name))
		r = can_t_write(s, t);
	free(target);
	if (r)
		return r;
	free(s->path);
	s->path = NULL;
	return 0;
}

void sink_free(struct sink *s)
{
	if (!s)
		return;
	if (s->dump)
		pcap_dump_close(s->dump);
	if (s->path)
		unlink(s->path);
	free(s->path);
	if (s->filtering)
		pcap_freecode(&s->filter);
	if (s->pcap)
		pcap_close(s->pcap);
	free(s);
}
