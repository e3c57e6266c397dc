// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The dishonest side of the demo.
 *
 *   datagram 17:  UDP header, port 9 | S M 0 17 S M 0 17 ... || S M 0 17 S M 0 17 ...
 *                 first fragment, sent second                  later fragment, sent first
 *
 * Every four bytes of the data name the datagram, so whatever arrives can be told to belong to it,
 * in whatever pieces. Fragments go in batches with a marker behind each: a small datagram to the
 * DNS port, which every middlebox lets through. When the marker is there, all that was sent
 * before it is there or will never be; only then comes the next batch, so no queue overflows.
 */
#define _GNU_SOURCE
#include "demo_smuggle.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "demo_tool.h"
#include "send.h"
#include "sock.h"

#define FORBIDDEN_PORT     9
#define DNS_PORT           53
#define SOURCE_PORT        40053
#define DATA_LEN           792
#define FRAGMENT_LEN       400
#define BATCH              50
#define MARKER_DEADLINE_MS 5000

struct smuggler {
	int family;
	uint32_t first_id;
	struct lab_sender *sender;
	int ear; /* a packet socket at the server */
	bool through[DEMO_SMUGGLED];
	struct demo_smuggled result;
};

/* What a packet carries, its UDP header taken off where it has one. */
struct carried {
	bool fragment;
	unsigned int dport; /* 0 in a later fragment */
	const unsigned char *data;
	size_t len;
};

static unsigned int get16(const unsigned char *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static int init_datagram(const struct smuggler *sm, struct lab_datagram *dg, uint32_t id)
{
	int err = lab_datagram_init(dg, sm->family, lab_client_addr(sm->family),
				    lab_server_addr(sm->family));

	dg->identification = id;
	return err;
}

static int add_smuggled(const struct smuggler *sm, unsigned int index, struct lab_packets *out)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	unsigned char data[DATA_LEN];
	int err;

	for (size_t i = 0; i < sizeof(data); i += 4) {
		data[i] = 'S';
		data[i + 1] = 'M';
		data[i + 2] = (unsigned char)(index >> 8);
		data[i + 3] = (unsigned char)index;
	}
	err = init_datagram(sm, &dg, sm->first_id + index);
	if (!err)
		err = lab_datagram_set_udp(&dg, SOURCE_PORT, FORBIDDEN_PORT, data, sizeof(data));
	if (!err)
		err = lab_fragment_at(&dg, FRAGMENT_LEN, dg.payload_len - FRAGMENT_LEN, false, out);
	if (!err)
		err = lab_fragment_at(&dg, 0, FRAGMENT_LEN, true, out);
	return err;
}

/* Looks like a DNS response, so that the DNS server lets it be. */
static void marker_data(unsigned char data[12], unsigned int batch)
{
	memset(data, 0, 12);
	data[0] = (unsigned char)(batch >> 8);
	data[1] = (unsigned char)batch;
	data[2] = 0x80;
}

static int add_marker(const struct smuggler *sm, unsigned int batch, struct lab_packets *out)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	unsigned char data[12];
	int err;

	marker_data(data, batch);
	err = init_datagram(sm, &dg, 0);
	if (!err)
		err = lab_datagram_set_udp(&dg, SOURCE_PORT, DNS_PORT, data, sizeof(data));
	if (!err)
		err = lab_whole(&dg, out);
	return err;
}

static bool strip_udp(struct carried *c)
{
	if (c->len < 8)
		return false;
	c->dport = get16(c->data + 2);
	c->data += 8;
	c->len -= 8;
	return true;
}

static bool parse_v4(const unsigned char *p, size_t len, struct carried *c)
{
	size_t header;

	if (len < 20 || p[0] >> 4 != 4 || p[9] != IPPROTO_UDP)
		return false;
	header = (size_t)(p[0] & 0xf) * 4;
	if (header < 20 || header > len)
		return false;
	*c = (struct carried){
		.fragment = get16(p + 6) & 0x3fff,
		.data = p + header,
		.len = len - header,
	};
	return get16(p + 6) & 0x1fff ? true : strip_udp(c);
}

static bool parse_v6(const unsigned char *p, size_t len, struct carried *c)
{
	if (len < 48 || p[0] >> 4 != 6)
		return false;
	*c = (struct carried){ .data = p + 40, .len = len - 40 };
	if (p[6] == IPPROTO_UDP)
		return strip_udp(c);
	if (p[6] != IPPROTO_FRAGMENT || p[40] != IPPROTO_UDP)
		return false;
	c->fragment = true;
	c->data += 8;
	c->len -= 8;
	return get16(p + 42) & 0xfff8 ? true : strip_udp(c);
}

static void count_smuggled(struct smuggler *sm, const struct carried *c)
{
	unsigned int index;

	if (c->len < 4 || c->data[0] != 'S' || c->data[1] != 'M')
		return;
	index = get16(c->data + 2);
	if (index >= DEMO_SMUGGLED)
		return;
	sm->result.fragments++;
	if (!sm->through[index])
		sm->result.through++;
	sm->through[index] = true;
}

static bool is_marker(const struct carried *c, unsigned int batch)
{
	unsigned char data[12];

	marker_data(data, batch);
	return !c->fragment && c->dport == DNS_PORT && c->len == sizeof(data) &&
	       !memcmp(c->data, data, sizeof(data));
}

/* Counts what arrives up to the marker of a batch. */
static int listen_for_marker(struct smuggler *sm, unsigned int batch)
{
	int64_t deadline = lab_now_ms() + MARKER_DEADLINE_MS;
	unsigned char buf[2048];
	struct carried c;

	for (;;) {
		ssize_t n = lab_recv_deadline(sm->ear, buf, sizeof(buf), lab_ms_left(deadline));
		bool known;

		if (n < 0)
			return (int)n;
		known = sm->family == AF_INET6 ? parse_v6(buf, (size_t)n, &c) :
						 parse_v4(buf, (size_t)n, &c);
		if (!known)
			continue;
		if (is_marker(&c, batch))
			return 0;
		count_smuggled(sm, &c);
	}
}

static int run_batch(struct smuggler *sm, unsigned int batch)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	int err = 0;

	for (unsigned int i = 0; i < BATCH && !err; i++)
		err = add_smuggled(sm, batch * BATCH + i, &packets);
	if (!err)
		err = add_marker(sm, batch, &packets);
	if (!err)
		err = lab_send_all(sm->sender, &packets);
	if (!err)
		err = listen_for_marker(sm, batch);
	sm->result.sent += BATCH;
	return err;
}

static int run_batches(struct smuggler *sm)
{
	int err = 0;

	for (unsigned int batch = 0; batch < DEMO_SMUGGLED / BATCH && !err; batch++)
		err = demo_interrupted() ? -EINTR : run_batch(sm, batch);
	return err;
}

/*
 * A packet that waits for one CPU can be overtaken by one sent from another: the sender must not
 * wander while the marker is to be the last.
 */
static int run_on_one_cpu(struct smuggler *sm)
{
	cpu_set_t before, one;
	int cpu = sched_getcpu();
	int err;

	if (cpu < 0 || sched_getaffinity(0, sizeof(before), &before) < 0)
		return run_batches(sm);
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	err = run_batches(sm);
	sched_setaffinity(0, sizeof(before), &before);
	return err;
}

int demo_smuggle(const struct lab_router *router, int family, uint32_t first_id,
		 struct demo_smuggled *result)
{
	struct smuggler sm = { .family = family, .first_id = first_id };
	lab_auto_sender struct lab_sender *sender = NULL;
	lab_autoclose int ear = -1;
	int err;

	ear = lab_packet_socket(router->server, SOCK_DGRAM, LAB_SERVER_IF,
				family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP);
	err = ear < 0 ? ear : lab_link_sender(&sender, router->client, LAB_CLIENT_IF);
	if (!err) {
		sm.ear = ear;
		sm.sender = sender;
		err = run_on_one_cpu(&sm);
	}
	if (err == -ETIMEDOUT)
		demo_error("a small datagram to port 53 did not come through the middlebox");
	else if (err && err != -EINTR)
		demo_error("can't send fragments: %s", strerror(-err));
	if (err)
		return err;
	*result = sm.result;
	return 0;
}
