// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Captures are read by libpcap, in nanoseconds whatever the file has. What it does not tell is
 * whether a file has microseconds only, so that what is written from it can be alike: the first
 * bytes are looked at before libpcap gets them.
 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "live.h"

#define MAGIC_MICRO  0xa1b2c3d4u
#define INPUT_BUFFER (256u << 10)
#define NS           UINT64_C(1000000000)

struct input {
	pcap_t *pcap;
	FILE *file; /* NULL: an interface */
	const char *name;
	off_t size;
	bool micro;
	char buffer[INPUT_BUFFER]; /* the file's */
};

static bool has_micro_magic(FILE *file)
{
	uint8_t magic[4] = { 0 };
	uint32_t value;
	size_t n = fread(magic, 1, sizeof(magic), file);

	memcpy(&value, magic, sizeof(value));
	clearerr(file);
	while (n)
		ungetc(magic[--n], file);
	return value == MAGIC_MICRO || value == __builtin_bswap32(MAGIC_MICRO);
}

/* Standard input too is a file of our own, which ends with its buffer. */
static FILE *open_stream(const char *name)
{
	int fd;
	FILE *file;

	if (strcmp(name, "-") != 0)
		return fopen(name, "re");
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

static int open_file(struct input *in, struct trouble *t)
{
	struct stat st;

	in->file = open_stream(in->name);
	if (!in->file)
		return trouble(t, -errno, "'%s' can't be opened: %s", in->name, strerror(errno));
	setvbuf(in->file, in->buffer, _IOFBF, sizeof(in->buffer));
	__fsetlocking(in->file, FSETLOCKING_BYCALLER); /* two reads a packet */
	if (fstat(fileno(in->file), &st))
		return trouble(t, -errno, "'%s' can't be read: %s", in->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return trouble(t, -EISDIR, "'%s' is a directory, not a capture", in->name);
	in->size = S_ISREG(st.st_mode) ? st.st_size : 0;
	in->micro = has_micro_magic(in->file);
	return 0;
}

static int open_capture(struct input *in, struct trouble *t)
{
	char why[PCAP_ERRBUF_SIZE] = "";

	in->pcap = pcap_fopen_offline_with_tstamp_precision(in->file, PCAP_TSTAMP_PRECISION_NANO,
							    why);
	if (!in->pcap)
		return trouble(t, -EINVAL, "'%s' can't be read as a capture: %s", in->name, why);
	return 0;
}

static int open_input(struct input *in, bool live, struct trouble *t)
{
	int r;

	if (live)
		return live_open(&in->pcap, in->name, t);
	r = open_file(in, t);
	return r ? r : open_capture(in, t);
}

int input_new(struct input **out, const char *name, bool live, struct trouble *t)
{
	struct input *in = calloc(1, sizeof(*in));
	int r;

	if (!in)
		return trouble(t, -ENOMEM, "out of memory");
	in->name = name;
	r = open_input(in, live, t);
	if (r) {
		input_free(in);
		return r;
	}
	*out = in;
	return 0;
}

void input_free(struct input *in)
{
	if (!in)
		return;
	if (in->pcap) /* has the file too */
		pcap_close(in->pcap);
	else if (in->file)
		fclose(in->file);
	free(in);
}

static int idle(struct packet *p)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	p->time = (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
	return INPUT_IDLE;
}

static uint64_t time_of(const struct input *in, const struct pcap_pkthdr *h)
{
	bool micro = !in->file &&
		     pcap_get_tstamp_precision(in->pcap) == PCAP_TSTAMP_PRECISION_MICRO;

	return (uint64_t)h->ts.tv_sec * NS + (uint64_t)h->ts.tv_usec * (micro ? 1000 : 1);
}

int input_next(struct input *in, struct packet *p, struct trouble *t)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int r = pcap_next_ex(in->pcap, &h, &data);

	if (!r && !in->file) {
		live_wait(in->pcap);
		r = pcap_next_ex(in->pcap, &h, &data);
	}
	if (!r)
		return idle(p);
	if (r == PCAP_ERROR_BREAK)
		return INPUT_END;
	if (r == PCAP_ERROR)
		return trouble(t, -EIO, "'%s' can't be read further: %s", in->name,
			       pcap_geterr(in->pcap));
	p->time = time_of(in, h);
	p->caplen = h->caplen;
	p->len = h->len;
	p->data = data;
	return INPUT_PACKET;
}

int input_link(const struct input *in)
{
	return pcap_datalink(in->pcap);
}

int input_snap(const struct input *in)
{
	return pcap_snapshot(in->pcap);
}

bool input_has_nanoseconds(const struct input *in)
{
	return !in->micro;
}

int input_fd(const struct input *in)
{
	return in->file ? fileno(in->file) : -1;
}

uint64_t input_lost(const struct input *in)
{
	return in->file ? 0 : live_lost(in->pcap);
}

int input_percent(const struct input *in)
{
	off_t at = in->size ? ftello(in->file) : -1;

	return at < 0 ? -1 : (int)(at * 100 / in->size);
}
