// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams cut into fragments by hand.
 *
 * Headers are written byte by byte from the pictures in RFC 791 and RFC 8200 and not through
 * structs shared with the code under test: a mistake there must not be repeated here.
 *
 *  IPv4: |ver ihl|tos|total len|ident|flags+offset|ttl|proto|checksum|src|dst|options|payload
 *  IPv6: |ver class flow|payload len|next|hops|src|dst| headers |Fragment header|payload
 *  Fragment header: |next header|reserved|offset (13 bits), 0 0, M|identification|
 *
 * Sending is the matter of send.c.
 */
#include "frag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define V4_HEADER   20
#define V6_HEADER   40
#define FRAG_HEADER 8
#define UDP_HEADER  8
#define OFFSET_MAX  65528
#define V4_DF       0x4000
#define V4_MF       0x2000
#define HEADERS_MAX 2048
#define BLOCKS      3

static void put16(unsigned char *p, size_t value)
{
	p[0] = (unsigned char)(value >> 8);
	p[1] = (unsigned char)value;
}

static void put32(unsigned char *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

static size_t addr_len(const struct lab_datagram *dg)
{
	return dg->family == AF_INET6 ? 16 : 4;
}

int lab_datagram_init(struct lab_datagram *dg, int family, const char *src, const char *dst)
{
	memset(dg, 0, sizeof(*dg));
	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	dg->family = family;
	if (inet_pton(family, src, &dg->src) != 1 || inet_pton(family, dst, &dg->dst) != 1)
		return -EINVAL;
	return 0;
}

void lab_datagram_release(struct lab_datagram *dg)
{
	free(dg->owned);
	dg->owned = NULL;
	dg->payload = NULL;
	dg->payload_len = 0;
}

static uint32_t sum_words(const void *data, size_t len, uint32_t sum)
{
	const unsigned char *p = data;

	for (; len > 1; p += 2, len -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	if (len)
		sum += (uint32_t)p[0] << 8;
	return sum;
}

uint16_t lab_checksum(const void *data, size_t len, uint32_t sum)
{
	sum = sum_words(data, len, sum);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

int lab_datagram_set_udp(struct lab_datagram *dg, uint16_t sport, uint16_t dport, const void *data,
			 size_t len)
{
	size_t total = UDP_HEADER + len;
	uint16_t checksum;
	unsigned char *udp;
	uint32_t sum;

	if (total > LAB_PAYLOAD_MAX)
		return -EMSGSIZE;
	udp = calloc(1, total);
	if (!udp)
		return -ENOMEM;
	put16(udp, sport);
	put16(udp + 2, dport);
	put16(udp + 4, total);
	if (len)
		memcpy(udp + UDP_HEADER, data, len);
	sum = sum_words(&dg->src, addr_len(dg), IPPROTO_UDP + (uint32_t)total);
	sum = sum_words(&dg->dst, addr_len(dg), sum);
	checksum = lab_checksum(udp, total, sum);
	if (!checksum)
		checksum = 0xffff; /* RFC 768: zero would mean "none" */
	memcpy(udp + 6, &checksum, sizeof(checksum));
	lab_datagram_release(dg);
	dg->owned = udp;
	dg->payload = udp;
	dg->payload_len = total;
	dg->protocol = IPPROTO_UDP;
	return 0;
}

void lab_pattern(void *buf, size_t len, uint64_t seed)
{
	struct lab_random random = { .state = seed };
	unsigned char *p = buf;

	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)lab_random_next(&random);
}

void lab_packets_release(struct lab_packets *packets)
{
	free(packets->data);
	free(packets->items);
	memset(packets, 0, sizeof(*packets));
}

/* Room for one more packet of len bytes; returns where it goes, zeroed, and counts it in. */
static unsigned char *new_packet(struct lab_packets *packets, size_t len)
{
	unsigned char *at;

	if (packets->len + len > packets->size) {
		size_t size = 2 * packets->size + len;
		unsigned char *data = realloc(packets->data, size);

		if (!data)
			return NULL;
		packets->data = data;
		packets->size = size;
	}
	if (packets->count == packets->items_size) {
		size_t size = 2 * packets->items_size + 16;
		struct lab_packet *items = realloc(packets->items, size * sizeof(*items));

		if (!items)
			return NULL;
		packets->items = items;
		packets->items_size = size;
	}
	at = packets->data + packets->len;
	memset(at, 0, len);
	packets->items[packets->count++] = (struct lab_packet){ .offset = packets->len,
								.len = len };
	packets->len += len;
	return at;
}

int lab_packets_add(struct lab_packets *packets, const void *data, size_t len)
{
	unsigned char *at = new_packet(packets, len);

	if (!at)
		return -ENOMEM;
	memcpy(at, data, len);
	return 0;
}

unsigned char *lab_packet_at(const struct lab_packets *packets, size_t i, size_t *len)
{
	*len = packets->items[i].len;
	return packets->data + packets->items[i].offset;
}

/* What one packet carries of its datagram. */
struct piece {
	size_t offset, len;
	bool more;
	bool fragment; /* IPv6: with a Fragment header */
};

static void copy_piece(unsigned char *to, const struct lab_datagram *dg, const struct piece *piece)
{
	size_t have = piece->offset < dg->payload_len ? dg->payload_len - piece->offset : 0;
	size_t len = piece->len < have ? piece->len : have;

	if (len)
		memcpy(to, (const unsigned char *)dg->payload + piece->offset, len);
}

/* RFC 791: an option without the copied bit stands in the first fragment only. */
static void blank_uncopied_options(unsigned char *options, size_t len)
{
	size_t i = 0;

	while (i < len && options[i] != 0) {
		size_t size = options[i] == 1 ? 1 : i + 1 < len ? options[i + 1] : 0;

		if (size == 0 || size > len - i)
			return;
		if (!(options[i] & 0x80))
			memset(options + i, 1, size);
		i += size;
	}
}

static int add_v4(const struct lab_datagram *dg, const struct piece *piece, struct lab_packets *out)
{
	size_t header = V4_HEADER + dg->headers_len;
	size_t total = header + piece->len;
	uint16_t checksum;
	unsigned char *ip;

	if (dg->headers_len % 4 || dg->headers_len > 40)
		return -EINVAL;
	if (total > 65535)
		return -EMSGSIZE;
	ip = new_packet(out, total);
	if (!ip)
		return -ENOMEM;
	ip[0] = (unsigned char)(0x40 | header / 4);
	ip[1] = dg->tos;
	put16(ip + 2, total);
	put16(ip + 4, dg->identification & 0xffff);
	put16(ip + 6, piece->offset / 8 | (piece->more ? V4_MF : 0) | (dg->df ? V4_DF : 0));
	ip[8] = dg->ttl ? dg->ttl : 64;
	ip[9] = dg->protocol;
	memcpy(ip + 12, &dg->src, 4);
	memcpy(ip + 16, &dg->dst, 4);
	if (dg->headers_len)
		memcpy(ip + V4_HEADER, dg->headers, dg->headers_len);
	if (piece->offset)
		blank_uncopied_options(ip + V4_HEADER, dg->headers_len);
	checksum = lab_checksum(ip, header, 0);
	memcpy(ip + 10, &checksum, sizeof(checksum));
	copy_piece(ip + header, dg, piece);
	return 0;
}

/* The next header field of the last of the extension headers, each 8 * (length + 1) bytes. */
static unsigned char *last_next_header(unsigned char *headers, size_t len)
{
	size_t at = 0;

	while (at + 8 <= len) {
		size_t next = at + 8 * ((size_t)headers[at + 1] + 1);

		if (next >= len)
			break;
		at = next;
	}
	return headers + at;
}

static int add_v6(const struct lab_datagram *dg, const struct piece *piece, struct lab_packets *out)
{
	size_t frag = piece->fragment ? FRAG_HEADER : 0;
	size_t length = dg->headers_len + frag + piece->len;
	uint8_t next = piece->fragment ? IPPROTO_FRAGMENT : dg->protocol;
	unsigned char *ip;

	if (dg->headers_len % 8 || dg->headers_len > HEADERS_MAX)
		return -EINVAL;
	if (length > 65535)
		return -EMSGSIZE;
	ip = new_packet(out, V6_HEADER + length);
	if (!ip)
		return -ENOMEM;
	put32(ip, 6U << 28 | (uint32_t)dg->tos << 20);
	put16(ip + 4, length);
	ip[6] = dg->headers_len ? dg->headers_first : next;
	ip[7] = dg->ttl ? dg->ttl : 64;
	memcpy(ip + 8, &dg->src, 16);
	memcpy(ip + 24, &dg->dst, 16);
	ip += V6_HEADER;
	if (dg->headers_len) {
		memcpy(ip, dg->headers, dg->headers_len);
		*last_next_header(ip, dg->headers_len) = next;
		ip += dg->headers_len;
	}
	if (piece->fragment) {
		ip[0] = dg->protocol;
		put16(ip + 2, piece->offset | (piece->more ? 1 : 0));
		put32(ip + 4, dg->identification);
	}
	copy_piece(ip + frag, dg, piece);
	return 0;
}

static int add_piece(const struct lab_datagram *dg, const struct piece *piece,
		     struct lab_packets *out)
{
	return dg->family == AF_INET6 ? add_v6(dg, piece, out) : add_v4(dg, piece, out);
}

int lab_fragment_at(const struct lab_datagram *dg, size_t offset, size_t len, bool more,
		    struct lab_packets *out)
{
	struct piece piece = { .offset = offset, .len = len, .more = more, .fragment = true };

	if (offset % 8 || offset > OFFSET_MAX)
		return -EINVAL;
	return add_piece(dg, &piece, out);
}

int lab_whole(const struct lab_datagram *dg, struct lab_packets *out)
{
	struct piece piece = { .len = dg->payload_len };

	return add_piece(dg, &piece, out);
}

int lab_fragment(const struct lab_datagram *dg, size_t frag_size, struct lab_packets *out)
{
	size_t step = frag_size / 8 * 8;

	if (dg->payload_len <= frag_size)
		return lab_whole(dg, out);
	if (!step)
		return -EINVAL;
	for (size_t at = 0; at < dg->payload_len; at += step) {
		size_t left = dg->payload_len - at;
		size_t len = left < step ? left : step;
		int err = lab_fragment_at(dg, at, len, len < left, out);

		if (err)
			return err;
	}
	return 0;
}

static const char *const order_names[] = {
	[LAB_IN_ORDER] = "in order",
	[LAB_REVERSED] = "reversed",
	[LAB_ODD_THEN_EVEN] = "odd then even",
	[LAB_BLOCKS_BACKWARDS] = "blocks back to front",
	[LAB_RANDOM] = "random",
};

_Static_assert(sizeof(order_names) / sizeof(order_names[0]) == LAB_ORDER_MAX, "a name each");

const char *lab_order_name(enum lab_order order)
{
	return (unsigned int)order < LAB_ORDER_MAX ? order_names[order] : "unknown";
}

/* Which of n packets in order stands at place i of the order asked for. */
static size_t source_index(enum lab_order order, size_t i, size_t n)
{
	size_t odd = n / 2;
	size_t block = (n + BLOCKS - 1) / BLOCKS;

	switch (order) {
	case LAB_REVERSED:
		return n - 1 - i;
	case LAB_ODD_THEN_EVEN:
		return i < odd ? 2 * i + 1 : 2 * (i - odd);
	case LAB_BLOCKS_BACKWARDS: {
		size_t last = (n - 1) / block;
		size_t short_block = n - last * block;

		if (i < short_block)
			return last * block + i;
		i -= short_block;
		return (last - 1 - i / block) * block + i % block;
	}
	default:
		return i;
	}
}

static void shuffle(struct lab_packet *items, size_t n, struct lab_random *random)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)lab_random_below(random, i);
		struct lab_packet swap = items[i - 1];

		items[i - 1] = items[j];
		items[j] = swap;
	}
}

int lab_packets_order(struct lab_packets *packets, enum lab_order order, bool duplicates,
		      uint64_t seed)
{
	struct lab_random random = { .state = seed };
	size_t n = packets->count, size = duplicates ? 2 * n : n, used = 0;
	lab_autofree struct lab_packet *sorted = NULL;
	struct lab_packet *items;

	if (!n)
		return 0;
	sorted = calloc(n, sizeof(*sorted));
	items = calloc(size, sizeof(*items));
	if (!sorted || !items) {
		free(items);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		sorted[i] = packets->items[source_index(order, i, n)];
	if (order == LAB_RANDOM)
		shuffle(sorted, n, &random);
	for (size_t i = 0; i < n; i++) {
		size_t copy = i;

		items[used++] = sorted[i];
		if (order == LAB_RANDOM && duplicates)
			copy = (size_t)lab_random_below(&random, i + 1);
		if (duplicates && i + 1 < n)
			items[used++] = sorted[copy];
	}
	free(packets->items);
	packets->items = items;
	packets->items_size = size;
	packets->count = used;
	return 0;
}

uint64_t lab_random_next(struct lab_random *random)
{
	uint64_t z = (random->state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t lab_random_below(struct lab_random *random, uint64_t limit)
{
	return lab_random_next(random) % limit;
}
