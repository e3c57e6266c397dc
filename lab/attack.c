// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A flood is a function that says what the next fragment is: source, identification, offset,
 * length. The rest is the same for all: frames in batches, each batch one system call, paced by
 * the clock.
 */
#define _GNU_SOURCE
#include "attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "child.h"
#include "frag.h"
#include "sock.h"

#define BATCH    64
#define ROW      1520
#define LEN_LONE 1200
#define SOURCE   0xc6120007u /* 198.18.0.7, RFC 2544 */
#define UDP      17
#define FRAGMENT UINT64_C(1000000000) /* one that is due, in ns times fragments a second */

/* What the next fragment is. */
struct fragment {
	uint32_t source; /* IPv4 address; IPv6: the middle of a /64; 0: the server's */
	uint32_t host;   /* IPv6: the low word of the address */
	uint32_t id;
	uint16_t off, len;
	bool more;
};

struct lab_attack {
	enum lab_attack_kind kind;
	int family;
	uint32_t rate, head;
	int fd;
	struct sockaddr_ll to;
	struct lab_random random;
	uint32_t turn;
	atomic_bool stop;
	atomic_uint_fast64_t sent;
	pthread_t thread;
	struct mmsghdr msgs[BATCH];
	struct iovec iovs[BATCH];
	unsigned char rows[BATCH][ROW] __attribute__((aligned(8))); /* see frame_of() */
};

static const char *const names[] = {
#define X(id, name, text) name,
	LAB_ATTACKS(X)
#undef X
};

static const char *const texts[] = {
#define X(id, name, text) text,
	LAB_ATTACKS(X)
#undef X
};

const char *lab_attack_name(enum lab_attack_kind kind)
{
	return names[kind];
}

const char *lab_attack_text(enum lab_attack_kind kind)
{
	return texts[kind];
}

int lab_evil_new(struct lab_ns **out, const struct lab_router *router)
{
	struct lab_ns *evil;
	int err = lab_ns_new(&evil);

	if (err)
		return err;
	err = lab_ns_run(evil,
			 "ip link add eth0 address " LAB_EVIL_MAC
			 " type veth peer name " LAB_EVIL_IF " address " LAB_MIDDLE_MAC
			 " netns %s && ip link set eth0 up && ip addr add " LAB_EVIL_V4
			 "/24 dev eth0 && ip addr add " LAB_EVIL_V6 "/64 dev eth0 nodad",
			 lab_ns_path(router->middle));
	if (!err)
		err = lab_ns_run(router->middle,
				 "ip link set " LAB_EVIL_IF
				 " up && "
				 "ip addr add 10.77.3.1/24 dev " LAB_EVIL_IF
				 " && "
				 "ip addr add fd00:77:3::1/64 dev " LAB_EVIL_IF " nodad");
	if (err) {
		lab_ns_free(evil);
		return err > 0 ? -EIO : err;
	}
	*out = evil;
	return 0;
}

static uint32_t random32(struct lab_attack *a)
{
	return (uint32_t)lab_random_next(&a->random);
}

/* Unicast, none of the lab's: 16.0.0.0 to 16.255.255.255 and on to 79.255.255.255. */
static uint32_t random_source(struct lab_attack *a)
{
	return 0x10000000u + random32(a) % 0x40000000u;
}

/* Tiny, an overlap of two, one past the end of all, and the same again. */
static void broken(struct lab_attack *a, struct fragment *f)
{
	uint32_t step = a->turn % 5;

	f->id = a->turn / 5 & 0xfff;
	switch (step) {
	case 0:
		*f = (struct fragment){
			f->source, 7, f->id | 0x8000, 8 * (uint16_t)(random32(a) % 8000), 8, true
		};
		break;
	case 1:
		f->len = 400;
		break;
	case 2:
		f->off = 200;
		f->len = 400;
		break;
	case 3:
		f->off = 65528;
		f->len = 800;
		f->more = false;
		break;
	default:
		f->id |= 0x4000;
		f->len = 400;
		break;
	}
}

static void next_fragment(struct lab_attack *a, struct fragment *f)
{
	*f = (struct fragment){ SOURCE, 7, random32(a), 0, LEN_LONE, true };
	switch (a->kind) {
	case LAB_ATTACK_LAST:
		f->off = 1480;
		f->len = 200;
		f->more = false;
		break;
	case LAB_ATTACK_MANY:
		f->source = 0x10000000u + random32(a) % 10000;
		break;
	case LAB_ATTACK_ANY:
		f->source = random_source(a);
		break;
	case LAB_ATTACK_PREFIX:
		f->source = a->family == AF_INET6 ? SOURCE : 0x10000000u | (random32(a) & 0xffff);
		f->host = random32(a);
		break;
	case LAB_ATTACK_SERVER:
		f->source = 0;
		break;
	case LAB_ATTACK_BROKEN:
		broken(a, f);
		break;
	case LAB_ATTACK_WORK:
		f->id = a->turn / 16;
		f->off = (uint16_t)(a->turn % 16 * 64);
		f->len = 64;
		f->more = a->turn % 16 < 15;
		break;
	case LAB_ATTACK_REUSE:
		f->source = 0;
		f->id = a->turn;
		f->off = 1000;
		f->len = 800;
		break;
	default:
		break;
	}
	a->turn++;
}

static size_t put_ipv4(const struct fragment *f, unsigned char *p)
{
	struct ip *ip = (struct ip *)p;

	memset(ip, 0, sizeof(*ip));
	ip->ip_v = 4;
	ip->ip_hl = 5;
	ip->ip_ttl = 64;
	ip->ip_p = UDP;
	ip->ip_len = htons((uint16_t)(sizeof(*ip) + f->len));
	ip->ip_id = htons((uint16_t)f->id);
	ip->ip_off = htons((uint16_t)(f->off / 8 | (f->more ? IP_MF : 0)));
	inet_pton(AF_INET, LAB_SERVER_V4, &ip->ip_src);
	if (f->source)
		ip->ip_src.s_addr = htonl(f->source);
	inet_pton(AF_INET, LAB_CLIENT_V4, &ip->ip_dst);
	ip->ip_sum = lab_checksum(ip, sizeof(*ip), 0);
	return sizeof(*ip);
}

static size_t put_ipv6(const struct fragment *f, unsigned char *p)
{
	struct ip6_hdr *ip = (struct ip6_hdr *)p;
	struct ip6_frag *frag = (struct ip6_frag *)(p + sizeof(*ip));
	uint32_t prefix = htonl(f->source), host = htonl(f->host);

	memset(ip, 0, sizeof(*ip) + sizeof(*frag));
	ip->ip6_flow = htonl(6u << 28);
	ip->ip6_plen = htons((uint16_t)(sizeof(*frag) + f->len));
	ip->ip6_nxt = IPPROTO_FRAGMENT;
	ip->ip6_hlim = 64;
	inet_pton(AF_INET6, f->source ? "2001:db8::" : LAB_SERVER_V6, &ip->ip6_src);
	if (f->source) {
		memcpy(ip->ip6_src.s6_addr + 4, &prefix, sizeof(prefix));
		memcpy(ip->ip6_src.s6_addr + 12, &host, sizeof(host));
	}
	inet_pton(AF_INET6, LAB_CLIENT_V6, &ip->ip6_dst);
	frag->ip6f_nxt = UDP;
	frag->ip6f_offlg = htons((uint16_t)(f->off | f->more));
	frag->ip6f_ident = htonl(f->id);
	return sizeof(*ip) + sizeof(*frag);
}

/* Two bytes into its row, so that the IP header is aligned. */
static unsigned char *frame_of(struct lab_attack *a, int i)
{
	return a->rows[i] + 2;
}

static void put_frame(struct lab_attack *a, int i)
{
	unsigned char *p = frame_of(a, i) + ETH_HLEN;
	struct fragment f;
	size_t head;

	next_fragment(a, &f);
	head = a->family == AF_INET6 ? put_ipv6(&f, p) : put_ipv4(&f, p);
	a->iovs[i].iov_len = ETH_HLEN + head + f.len;
}

/* Frames that were taken. */
static uint32_t send_batch(struct lab_attack *a, uint32_t n)
{
	uint32_t i;
	int r;

	if (n > BATCH)
		n = BATCH;
	for (i = 0; i < n; i++)
		put_frame(a, (int)i);
	r = sendmmsg(a->fd, a->msgs, n, 0);
	if (r > 0)
		atomic_fetch_add(&a->sent, (uint64_t)r);
	return n;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* What can't be sent in time is left out: the rate is never made up for. */
static void *run(void *arg)
{
	const struct timespec pause = { 0, 1000000 };
	struct lab_attack *a = arg;
	uint64_t before, now, due = 0, most = UINT64_C(10000000) * a->rate; /* 10 ms behind */
	uint32_t left;

	if (most < FRAGMENT)
		most = FRAGMENT;
	for (left = a->head; left && !a->stop;) {
		uint32_t n = send_batch(a, left);

		left -= n;
	}
	before = now_ns();
	while (!a->stop) {
		now = now_ns();
		due += (now - before) * a->rate;
		before = now;
		if (due > most)
			due = most;
		if (due < FRAGMENT) {
			nanosleep(&pause, NULL);
			continue;
		}
		left = (uint32_t)(due / FRAGMENT);
		due -= (uint64_t)send_batch(a, left) * FRAGMENT;
	}
	return NULL;
}

static int open_device(struct lab_attack *a, const struct lab_ns *evil)
{
	const struct ether_header eth = { .ether_type = htons(a->family == AF_INET6 ? ETH_P_IPV6 :
										      ETH_P_IP) };
	struct ifreq ifr = { 0 };
	int i, one = 1;

	a->fd = lab_socket(evil, AF_PACKET, SOCK_RAW, 0);
	if (a->fd < 0)
		return a->fd;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "eth0");
	if (ioctl(a->fd, SIOCGIFINDEX, &ifr))
		return -errno;
	setsockopt(a->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	a->to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_ifindex = ifr.ifr_ifindex };
	for (i = 0; i < BATCH; i++) {
		memcpy(frame_of(a, i), &eth, sizeof(eth));
		ether_aton_r(LAB_MIDDLE_MAC, (struct ether_addr *)frame_of(a, i));
		ether_aton_r(LAB_EVIL_MAC, (struct ether_addr *)(frame_of(a, i) + ETH_ALEN));
		a->iovs[i].iov_base = frame_of(a, i);
		a->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &a->to,
						      .msg_namelen = sizeof(a->to),
						      .msg_iov = &a->iovs[i],
						      .msg_iovlen = 1 };
	}
	return 0;
}

int lab_attack_start(struct lab_attack **out, const struct lab_ns *evil, enum lab_attack_kind kind,
		     int family, uint32_t rate, uint32_t head)
{
	struct lab_attack *a = calloc(1, sizeof(*a));
	sigset_t all, old;
	int err;

	if (!a)
		return -ENOMEM;
	a->kind = kind;
	a->family = family;
	a->rate = rate;
	a->head = head;
	a->random.state = (uint64_t)kind + 1;
	err = open_device(a, evil);
	if (!err) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		err = -pthread_create(&a->thread, NULL, run, a);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	if (err) {
		if (a->fd >= 0)
			close(a->fd);
		free(a);
		return err;
	}
	*out = a;
	return 0;
}

uint64_t lab_attack_sent(const struct lab_attack *attack)
{
	return atomic_load(&attack->sent);
}

void lab_attack_stop(struct lab_attack *attack)
{
	if (!attack)
		return;
	attack->stop = true;
	pthread_join(attack->thread, NULL);
	close(attack->fd);
	free(attack);
}
