// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "link_wire.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "frag.h"
#include "link_wire.skel.h"

/* Headers older than Linux 5.18 lack it. */
#ifndef BPF_F_TEST_XDP_LIVE_FRAMES
#define BPF_F_TEST_XDP_LIVE_FRAMES (1U << 1)
#endif

#define DNS_PORT      53
#define CLIENT_PORT   40053
#define FRAME_MAX     (ETH_HLEN + 1500)
#define BATCH         64 /* frames before the far end gets its turn; its ring has 256 places */
#define ARRIVAL_MS    1000
#define SMALL_FRAME   64
#define LARGE_UDP     2900
#define LARGE_V4_PART 1480
#define LARGE_V6_PART 1448

static const char *const traffic_names[] = {
	[WIRE_SMALL_IPV4] = "64 B IPv4",
	[WIRE_SMALL_IPV6] = "64 B IPv6",
	[WIRE_LARGE_IPV4] = "2,900 B IPv4",
	[WIRE_LARGE_IPV6] = "2,900 B IPv6",
};

_Static_assert(sizeof(traffic_names) / sizeof(traffic_names[0]) == WIRE_TRAFFIC_MAX, "a name each");

/* One kind of traffic: a sender with its headers built in. */
struct stream {
	struct link_wire_bpf *skel;
	unsigned char frame[FRAME_MAX]; /* the first of a datagram */
	size_t size;                    /* of the longest */
	unsigned int frames;            /* of a datagram */
	size_t bytes;                   /* of all its frames */
};

struct wire {
	const struct lab_router *router;
	struct link_wire_bpf *ends;
	struct bpf_link *door, *sink;
	int door_ifindex;
	struct stream streams[WIRE_TRAFFIC_MAX];
};

const char *wire_traffic_name(enum wire_traffic traffic)
{
	return traffic_names[traffic];
}

/* The datagram's IP packets, whole or in fragments. */
static int make_packets(struct lab_packets *packets, enum wire_traffic traffic)
{
	bool ipv6 = traffic == WIRE_SMALL_IPV6 || traffic == WIRE_LARGE_IPV6;
	bool large = traffic == WIRE_LARGE_IPV4 || traffic == WIRE_LARGE_IPV6;
	size_t part = ipv6 ? LARGE_V6_PART : LARGE_V4_PART;
	size_t ip_len = ipv6 ? sizeof(struct ip6_hdr) : sizeof(struct ip);
	size_t udp_len = large ? LARGE_UDP : SMALL_FRAME - ETH_HLEN - ip_len;
	lab_auto_datagram struct lab_datagram dg = { 0 };
	int family = ipv6 ? AF_INET6 : AF_INET;
	unsigned char data[LARGE_UDP];
	int err;

	lab_pattern(data, sizeof(data), 1);
	err = lab_datagram_init(&dg, family, lab_client_addr(family), lab_server_addr(family));
	if (!err)
		err = lab_datagram_set_udp(&dg, CLIENT_PORT, DNS_PORT, data,
					   udp_len - sizeof(struct udphdr));
	if (err)
		return err;
	memset((unsigned char *)dg.owned + offsetof(struct udphdr, check), 0, sizeof(uint16_t));
	if (!large)
		return lab_whole(&dg, packets);
	err = lab_fragment_at(&dg, 0, part, true, packets);
	return err ? err : lab_fragment_at(&dg, part, LARGE_UDP - part, false, packets);
}

static size_t make_frame(unsigned char *frame, const unsigned char *packet, size_t len)
{
	struct ether_header eth = { .ether_type = htons(ETH_P_IP) };

	if (packet[0] >> 4 == 6)
		eth.ether_type = htons(ETH_P_IPV6);
	ether_aton_r(LAB_LEFT_MAC, (struct ether_addr *)eth.ether_dhost);
	ether_aton_r(LAB_CLIENT_MAC, (struct ether_addr *)eth.ether_shost);
	memcpy(frame, &eth, sizeof(eth));
	memcpy(frame + sizeof(eth), packet, len);
	return sizeof(eth) + len;
}

/* Of an IPv4 header without identification and checksum. */
static uint32_t header_sum(const unsigned char *packet)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(struct ip); i += 2)
		if (i != offsetof(struct ip, ip_id) && i != offsetof(struct ip, ip_sum))
			sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
	return sum;
}

static void describe_stream(struct stream *s, const struct lab_packets *packets)
{
	struct link_wire_bpf__rodata *consts = s->skel->rodata;
	size_t len, sizes[2] = { 0 };

	s->frames = (unsigned int)packets->count;
	/* The first one last: it has the UDP header, and that is longer than what is sent anew. */
	for (size_t i = packets->count; i-- > 0;) {
		const unsigned char *packet = lab_packet_at(packets, i, &len);

		sizes[i] = make_frame(s->frame, packet, len);
		memcpy(consts->head[i], s->frame, sizeof(consts->head[i]));
		consts->sum[i] = header_sum(packet);
		consts->ipv6 = packet[0] >> 4 == 6;
		s->bytes += sizes[i];
		if (sizes[i] > s->size)
			s->size = sizes[i];
	}
	consts->frames = s->frames;
	for (size_t i = 0; i < packets->count; i++)
		consts->trim[i] = (uint32_t)(s->size - sizes[i]);
}

static int stream_init(struct stream *s, enum wire_traffic traffic)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	int err;

	s->skel = link_wire_bpf__open();
	if (!s->skel)
		return -errno;
	bpf_program__set_autoload(s->skel->progs.door, false);
	bpf_program__set_autoload(s->skel->progs.sink, false);
	err = make_packets(&packets, traffic);
	if (err)
		return err;
	describe_stream(s, &packets);
	return link_wire_bpf__load(s->skel);
}

static int attach_door(void *arg)
{
	struct wire *wire = arg;

	wire->door_ifindex = (int)if_nametoindex(LAB_LEFT_IF);
	wire->door = bpf_program__attach_xdp(wire->ends->progs.door, wire->door_ifindex);
	return wire->door ? 0 : -errno;
}

static int attach_sink(void *arg)
{
	struct wire *wire = arg;

	wire->sink = bpf_program__attach_xdp(wire->ends->progs.sink,
					     (int)if_nametoindex(LAB_SERVER_IF));
	return wire->sink ? 0 : -errno;
}

static int attach_ends(struct wire *wire)
{
	int err;

	wire->ends = link_wire_bpf__open();
	if (!wire->ends)
		return -errno;
	bpf_program__set_autoload(wire->ends->progs.sender, false);
	err = link_wire_bpf__load(wire->ends);
	if (!err)
		err = lab_ns_call(wire->router->middle, attach_door, wire);
	if (!err)
		err = lab_ns_call(wire->router->server, attach_sink, wire);
	return err;
}

static void wire_freep(struct wire **wire)
{
	wire_free(*wire);
}

int wire_new(struct wire **out, const struct lab_router *router)
{
	lab_cleanup(wire_freep) struct wire *wire = calloc(1, sizeof(*wire));
	int err;

	if (!wire)
		return -ENOMEM;
	wire->router = router;
	err = attach_ends(wire);
	if (err)
		return bench_error(err, "can't put XDP programs on the wire's ends: %s",
				   strerror(-err));
	for (int traffic = 0; traffic < WIRE_TRAFFIC_MAX && !err; traffic++)
		err = stream_init(&wire->streams[traffic], traffic);
	if (err)
		return bench_error(err, "can't load the sender: %s", strerror(-err));
	*out = LAB_TAKE_PTR(wire);
	return 0;
}

void wire_free(struct wire *wire)
{
	if (!wire)
		return;
	bpf_link__destroy(wire->door);
	bpf_link__destroy(wire->sink);
	link_wire_bpf__destroy(wire->ends);
	for (int i = 0; i < WIRE_TRAFFIC_MAX; i++)
		link_wire_bpf__destroy(wire->streams[i].skel);
	free(wire);
}

const void *wire_frame(const struct wire *wire, enum wire_traffic traffic, size_t *size)
{
	*size = wire->streams[traffic].size;
	return wire->streams[traffic].frame;
}

struct burst {
	const struct wire *wire;
	const struct stream *stream;
	unsigned int frames;
};

/* Inside the middlebox's namespace, where the door is looked for. */
static int run_sender(void *arg)
{
	const struct burst *burst = arg;
	const struct stream *s = burst->stream;
	struct xdp_md ctx = {
		.data_end = (uint32_t)s->size,
		.ingress_ifindex = (uint32_t)burst->wire->door_ifindex,
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = s->frame, .data_size_in = (uint32_t)s->size,
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)burst->frames,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	return bpf_prog_test_run_opts(bpf_program__fd(s->skel->progs.sender), &opts);
}

/* The datagrams, and before them those that warm up and are not timed. */
static struct burst make_burst(const struct wire *wire, enum wire_traffic traffic,
			       unsigned int datagrams)
{
	const struct stream *s = &wire->streams[traffic];

	return (struct burst){ wire, s, (WIRE_WARM_UP + datagrams) * s->frames };
}

static int send_burst(struct burst *burst, bool discard)
{
	const struct stream *s = burst->stream;
	struct link_wire_bpf__bss *bss = s->skel->bss;
	int err;

	/* Never half a datagram, even after a burst that failed. */
	bss->sent.frames = (bss->sent.frames + 1) & ~1U;
	bss->sent.first = bss->sent.frames + WIRE_WARM_UP * s->frames + 1;
	bss->sent.last = bss->sent.frames + burst->frames;
	bss->sent.discard = discard;
	err = lab_ns_call(burst->wire->router->middle, run_sender, burst);
	if (err)
		return bench_error(err, "can't send live XDP frames (needs Linux 5.18): %s",
				   strerror(-err));
	return 0;
}

/* All is there when the call that sent it returns, unless the kernel put the rest off. */
static void wait_for_last(const volatile struct link_wire_bpf__bss *bss)
{
	int64_t deadline = lab_now_ms() + ARRIVAL_MS;

	while (bss->arrived.frames < bss->arrived.last && lab_ms_left(deadline) > 0)
		poll(NULL, 0, 1);
}

int wire_send(struct wire *wire, enum wire_traffic traffic, unsigned int datagrams, double *ns)
{
	const struct stream *s = &wire->streams[traffic];
	struct burst burst = make_burst(wire, traffic, datagrams);
	struct link_wire_bpf__bss *bss = wire->ends->bss;
	unsigned long long frames, bytes, sent_bytes;
	int err;

	bss->arrived.frames = 0;
	bss->arrived.bytes = 0;
	bss->arrived.last = burst.frames;
	err = send_burst(&burst, false);
	if (err)
		return err;
	wait_for_last(bss);
	frames = bss->arrived.frames;
	bytes = bss->arrived.bytes;
	sent_bytes = (unsigned long long)(WIRE_WARM_UP + datagrams) * s->bytes;
	if (frames != burst.frames || bytes != sent_bytes)
		return bench_error(-EBADMSG,
				   "%s: of %u frames %llu arrived, with %llu of %llu bytes",
				   wire_traffic_name(traffic), burst.frames, frames, bytes,
				   sent_bytes);
	*ns = (double)(bss->arrived.last_ns - s->skel->bss->sent.first_ns) / datagrams;
	return 0;
}

int wire_send_nowhere(struct wire *wire, enum wire_traffic traffic, unsigned int datagrams,
		      double *ns)
{
	struct burst burst = make_burst(wire, traffic, datagrams);
	const struct link_wire_bpf__bss *bss = burst.stream->skel->bss;
	int err = send_burst(&burst, true);

	if (err)
		return err;
	*ns = (double)(bss->sent.last_ns - bss->sent.first_ns) / datagrams;
	return 0;
}
