// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tape.h"

#include <dirent.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <test.h>
#include <unistd.h>

#define NS UINT64_C(1000000000)

/*
 * For reassembly, where a test wants no other: tables are made for all datagrams that it can hold,
 * and with sanitizers a run over a small capture is spent in making them.
 */
#define MEMORY (4u << 20)

static char directory[64];

void tape_setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/unfrag-tape-XXXXXX");
	assert_non_null(mkdtemp(directory));
}

void tape_teardown(void *state)
{
	struct dirent *entry;
	DIR *d = opendir(directory);

	(void)state;
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(d), entry->d_name, 0);
	if (d)
		closedir(d);
	if (rmdir(directory))
		printf("# %s is left behind\n", directory);
}

const char *tape_path(const char *name)
{
	static char paths[16][128];
	static unsigned int next;
	char *path = paths[next++ % 16];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

void tape_init(struct tape *t, int link)
{
	*t = (struct tape){ .link = link, .now = TAPE_BEGIN };
}

void tape_release(struct tape *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		free(t->packets[i].data);
	free(t->packets);
	t->packets = NULL;
	t->count = 0;
}

/* Room for one more; it doubles, so that many cost little. */
static void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = reallocarray(array, count ? 2 * count : 1, size);
	assert_non_null(array);
	return array;
}

static struct tape_packet *append(struct tape *t, size_t len)
{
	struct tape_packet *p;

	t->packets = grow(t->packets, t->count, sizeof(*t->packets));
	p = &t->packets[t->count++];
	p->caplen = p->len = (uint32_t)len;
	p->data = calloc(1, len + 1);
	assert_non_null(p->data);
	return p;
}

void tape_add(struct tape *t, const void *link, size_t link_len, const void *ip, size_t ip_len,
	      size_t padding)
{
	struct tape_packet *p = append(t, link_len + ip_len + padding);

	if (link_len)
		memcpy(p->data, link, link_len);
	memcpy(p->data + link_len, ip, ip_len);
	memset(p->data + link_len + ip_len, 0x55, padding);
	p->time = t->now;
	t->now += TAPE_STEP;
}

void tape_add_all(struct tape *t, const void *link, size_t link_len,
		  const struct lab_packets *packets)
{
	size_t i, len;

	for (i = 0; i < packets->count; i++) {
		const unsigned char *ip = lab_packet_at(packets, i, &len);

		tape_add(t, link, link_len, ip, len, 0);
	}
}

void tape_write(const struct tape *t, const char *path)
{
	pcap_t *pcap = pcap_open_dead_with_tstamp_precision(t->link, 262144,
							    t->micro ? PCAP_TSTAMP_PRECISION_MICRO :
								       PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *dump = pcap_dump_open(pcap, path);
	size_t i;

	assert_non_null(dump);
	for (i = 0; i < t->count; i++) {
		const struct tape_packet *p = &t->packets[i];
		struct pcap_pkthdr h = {
			.ts.tv_sec = (time_t)(p->time / NS),
			.ts.tv_usec = (suseconds_t)(p->time % NS / (t->micro ? 1000 : 1)),
			.caplen = p->caplen,
			.len = p->len,
		};

		pcap_dump((u_char *)dump, &h, p->data);
	}
	pcap_dump_close(dump);
	pcap_close(pcap);
}

void tape_read(struct tape *t, const char *path)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO,
							       why);

	if (!pcap)
		printf("# %s: %s\n", path, why);
	assert_non_null(pcap);
	tape_init(t, pcap_datalink(pcap));
	while (pcap_next_ex(pcap, &h, &data) == 1) {
		struct tape_packet *p = append(t, h->caplen);

		memcpy(p->data, data, h->caplen);
		p->len = h->len;
		p->time = (uint64_t)h->ts.tv_sec * NS + (uint64_t)h->ts.tv_usec;
	}
	pcap_close(pcap);
}

void tape_truncate(const char *path, long bytes)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - bytes), 0);
}

static void on_datagram(const struct record *record, void *arg)
{
	struct tape_run *run = arg;

	run->records = grow(run->records, run->n_records, sizeof(*run->records));
	run->records[run->n_records++] = *record;
}

static void on_difference(const struct difference *difference, void *arg)
{
	struct tape_run *run = arg;

	run->differences = grow(run->differences, run->n_differences, sizeof(*run->differences));
	run->differences[run->n_differences++] = *difference;
}

void tape_expect_account(const struct capture_stats *s)
{
	uint64_t reasons = 0;
	int i;

	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		reasons += s->reasons[i];
	assert_int_equal(s->packets + s->nested, s->not_ip + s->not_fragments + s->unreadable +
							 s->cut + s->atomic + s->fragments);
	assert_int_equal(s->fragments, s->whole_fragments + s->single);
	assert_int_equal(s->single, reasons);
	assert_int_equal(s->reasons[UNFRAG_REASON_NONE], 0);
	assert_int_equal(s->packets - s->whole_fragments + s->whole,
			 s->written + s->filtered + s->left_out);
}

void tape_run_file(struct tape_run *run, const char *path)
{
	run->opts.in = path;
	run->opts.out = tape_path("out.pcap");
	run->opts.on_datagram = on_datagram;
	run->opts.on_difference = run->compare ? on_difference : NULL;
	run->opts.arg = run;
	if (!run->opts.buffer)
		run->opts.buffer = CAPTURE_BUFFER_MIN;
	if (!run->opts.memory)
		run->opts.memory = MEMORY;
	if (capture_run(&run->opts, &run->stats, &run->trouble))
		printf("# %s\n", run->trouble.text);
	assert_string_equal(run->trouble.text, "");
	tape_expect_account(&run->stats);
	tape_read(&run->out, run->opts.out);
	assert_int_equal(run->out.count, run->stats.written);
	assert_int_equal(run->n_records, run->stats.datagrams);
}

void tape_run(struct tape_run *run, const struct tape *in)
{
	const char *path = tape_path("in.pcap");

	tape_write(in, path);
	tape_run_file(run, path);
	assert_int_equal(run->stats.packets, in->count);
	assert_int_equal(run->out.link, in->link);
}

void tape_run_release(struct tape_run *run)
{
	tape_release(&run->out);
	free(run->records);
	free(run->differences);
	memset(run, 0, sizeof(*run));
}
