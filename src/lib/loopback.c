// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "cleanup.h"

#define LOOPBACK     1   /* its index in every namespace */
#define PROTOCOL     253 /* for experiments: RFC 3692 */
#define PIECE        8   /* bytes in each fragment */
#define PACKET_MAX   64
#define HDRINCL_IPV6 36 /* IPV6_HDRINCL, which libc's headers lack */

/* A random mark tells our fragments from others that may be under way. */
struct probe {
	unsigned int family;
	int ear;
	int sock;
	uint32_t mark;
};

static size_t make_ipv4(unsigned char *packet, uint32_t mark, bool last)
{
	struct iphdr h = {
		.version = 4,
		.ihl = 5,
		.ttl = 1,
		.protocol = PROTOCOL,
		.id = (uint16_t)mark,
		.tot_len = htons(sizeof(h) + PIECE),
		.frag_off = htons(last ? PIECE / 8 : IP_MF),
		.saddr = htonl(INADDR_LOOPBACK),
		.daddr = htonl(INADDR_LOOPBACK),
	};

	memcpy(packet, &h, sizeof(h));
	return sizeof(h);
}

static size_t make_ipv6(unsigned char *packet, uint32_t mark, bool last)
{
	struct ip6_frag frag = {
		.ip6f_nxt = PROTOCOL,
		.ip6f_offlg = last ? htons(PIECE) : IP6F_MORE_FRAG,
		.ip6f_ident = mark,
	};
	struct ip6_hdr h = {
		.ip6_flow = htonl(6u << 28),
		.ip6_plen = htons(sizeof(frag) + PIECE),
		.ip6_nxt = IPPROTO_FRAGMENT,
		.ip6_hlim = 1,
		.ip6_src = IN6ADDR_LOOPBACK_INIT,
		.ip6_dst = IN6ADDR_LOOPBACK_INIT,
	};

	memcpy(packet, &h, sizeof(h));
	memcpy(packet + sizeof(h), &frag, sizeof(frag));
	return sizeof(h) + sizeof(frag);
}

/* Every 4 bytes of payload are the mark. */
static int send_piece(const struct probe *p, bool last)
{
	unsigned char packet[PACKET_MAX] = { 0 };
	size_t i, len = p->family ? make_ipv6(packet, p->mark, last) :
				    make_ipv4(packet, p->mark, last);
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct sockaddr *to = p->family ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;

	for (i = 0; i < PIECE; i += sizeof(p->mark))
		memcpy(packet + len + i, &p->mark, sizeof(p->mark));
	if (sendto(p->sock, packet, len + PIECE, 0, to, p->family ? sizeof(v6) : sizeof(v4)) < 0)
		return -errno;
	return 0;
}

/* Whether a fragment of ours was on the device; all that was is forgotten. */
static bool heard(const struct probe *p)
{
	unsigned char packet[PACKET_MAX];
	bool found = false;
	ssize_t n;

	while ((n = recv(p->ear, packet, sizeof(packet), MSG_DONTWAIT)) >= 0)
		if (n >= (ssize_t)sizeof(p->mark) &&
		    !memcmp(packet + n - sizeof(p->mark), &p->mark, sizeof(p->mark)))
			found = true;
	return found;
}

static int open_ear(void)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = LOOPBACK,
	};
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return -errno;
	return TAKE_FD(fd);
}

static int open_sender(unsigned int family)
{
	_cleanup_close_ int fd = socket(family ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC,
					PROTOCOL);
	const int on = 1;

	if (fd < 0 || setsockopt(fd, family ? IPPROTO_IPV6 : IPPROTO_IP,
				 family ? HDRINCL_IPV6 : IP_HDRINCL, &on, sizeof(on)))
		return -errno;
	return TAKE_FD(fd);
}

int loopback_defrags(unsigned int family)
{
	_cleanup_close_ int ear = open_ear();
	_cleanup_close_ int sock = open_sender(family);
	struct probe p = { .family = family, .ear = ear, .sock = sock };
	bool first;
	int r;

	if (ear < 0 || sock < 0)
		return ear < 0 ? ear : sock;
	if (getrandom(&p.mark, sizeof(p.mark), 0) != sizeof(p.mark))
		return -errno;
	r = send_piece(&p, false);
	first = heard(&p);
	if (!r)
		r = send_piece(&p, true);
	/* Refused: no route when it is down, no permission when a rule drops. */
	if (r)
		return -ENODATA;
	if (first)
		return 0;
	return heard(&p) ? 1 : -ENODATA;
}

int loopback_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq q = { .ifr_name = "lo" };

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &q))
		return -errno;
	q.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &q) ? -errno : 0;
}
