// SPDX-License-Identifier: GPL-2.0-or-later
#include "pcap_file.h"

#include <errno.h>
#include <lab.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define MAGIC_NANO 0xa1b23c4du
#define ETHERNET   1
#define ETHER_HLEN 14
#define STEP_NS    1000u /* between two packets */
#define SOURCES    200

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, precision, snap, link;
};

struct packet_header {
	uint32_t seconds, ns, caplen, len;
};

struct writer {
	FILE *file;
	uint64_t time; /* ns since the beginning */
	int family;
};

static int make_fragments(const struct pcap_shape *shape, struct lab_packets *out)
{
	static unsigned char payload[LAB_PAYLOAD_MAX];
	struct lab_datagram dg;
	int rc;

	lab_pattern(payload, sizeof(payload), 1);
	rc = lab_datagram_init(&dg, shape->family,
			       shape->family == AF_INET ? "192.0.2.1" : "2001:db8::1",
			       shape->family == AF_INET ? "198.51.100.2" : "2001:db8:1::2");
	dg.protocol = IPPROTO_UDP;
	dg.payload = payload;
	dg.payload_len = shape->size * (size_t)shape->fragments;
	return rc ? rc : lab_fragment(&dg, shape->size, out);
}

/* Datagram i has an identification and a source of its own. Checksums are not looked at. */
static void mark(unsigned char *ip, int family, uint64_t i)
{
	uint16_t id = htons((uint16_t)i);
	unsigned char source = (unsigned char)((i >> 16) % SOURCES);

	memcpy(ip + (family == AF_INET ? 4 : 46), &id, sizeof(id));
	ip[family == AF_INET ? 15 : 13] = source;
}

static void put(struct writer *w, const struct lab_packets *fragments, int k, uint64_t i)
{
	static const unsigned char ether[ETHER_HLEN] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 };
	unsigned char head[ETHER_HLEN];
	size_t len;
	unsigned char *ip = lab_packet_at(fragments, (size_t)k, &len);
	struct packet_header h = {
		.seconds = (uint32_t)(1700000000 + w->time / 1000000000),
		.ns = (uint32_t)(w->time % 1000000000),
		.caplen = (uint32_t)len + ETHER_HLEN,
		.len = (uint32_t)len + ETHER_HLEN,
	};

	memcpy(head, ether, sizeof(head));
	if (w->family == AF_INET6)
		memcpy(head + 12, "\x86\xdd", 2);
	mark(ip, w->family, i);
	fwrite(&h, sizeof(h), 1, w->file);
	fwrite(head, sizeof(head), 1, w->file);
	fwrite(ip, len, 1, w->file);
	w->time += STEP_NS;
}

static void fill(struct writer *w, const struct pcap_shape *shape,
		 const struct lab_packets *fragments, size_t bytes, struct pcap_made *made)
{
	uint64_t per = shape->size + sizeof(struct packet_header) + ETHER_HLEN + 20, first = 0;
	int k, d;

	while (made->fragments * per < bytes) {
		for (k = 0; k < shape->fragments; k++)
			for (d = 0; d < shape->width; d++)
				put(w, fragments, k, first + (uint64_t)d);
		first += (uint64_t)shape->width;
		made->fragments += (uint64_t)(shape->width * shape->fragments);
	}
	made->datagrams = first;
}

int pcap_make(const char *path, const struct pcap_shape *shape, size_t bytes,
	      struct pcap_made *made)
{
	const struct file_header head = { MAGIC_NANO, 2, 4, 0, 0, 262144, ETHERNET };
	struct writer w = { .family = shape->family };
	lab_auto_packets struct lab_packets fragments = { 0 };
	int rc = make_fragments(shape, &fragments);

	memset(made, 0, sizeof(*made));
	if (rc)
		return rc;
	w.file = fopen(path, "we");
	if (!w.file)
		return -errno;
	fwrite(&head, sizeof(head), 1, w.file);
	fill(&w, shape, &fragments, bytes, made);
	made->out = sizeof(head) + made->datagrams * (sizeof(struct packet_header) + ETHER_HLEN +
						      (shape->family == AF_INET ? 20u : 40u) +
						      shape->size * (uint64_t)shape->fragments);
	rc = ferror(w.file) ? -EIO : 0;
	return fclose(w.file) ? -errno : rc;
}
