// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Senders of finished IP packets.
 *
 * The destination of a raw socket is read out of the packet itself, so that one sender serves
 * every datagram of its family. The link sender looks up its destination MAC address once, in
 * the neighbour table of the namespace; it is bound to the device and never hears a packet.
 *
 * When a queue on the way is full the kernel says ENOBUFS or EAGAIN; that is waited out here with
 * a deadline. Pacing, so that nothing is lost further on, is left to the caller.
 */
#include "send.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "sock.h"

#define SEND_DEADLINE_MS 5000

#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif

struct lab_sender {
	int fd;
	int family; /* AF_INET, AF_INET6 or AF_PACKET */
	struct sockaddr_ll link;
};

static struct lab_sender *new_sender(int fd, int family)
{
	struct lab_sender *sender = calloc(1, sizeof(*sender));

	if (!sender)
		return NULL;
	sender->fd = fd;
	sender->family = family;
	return sender;
}

void lab_sender_free(struct lab_sender *sender)
{
	if (!sender)
		return;
	close(sender->fd);
	free(sender);
}

int lab_raw_sender(struct lab_sender **out, const struct lab_ns *ns, int family)
{
	int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int name = family == AF_INET6 ? IPV6_HDRINCL : IP_HDRINCL;
	lab_autoclose int fd = -1;
	struct lab_sender *sender;
	int on = 1;

	if (family != AF_INET && family != AF_INET6)
		return -EAFNOSUPPORT;
	fd = lab_socket(ns, family, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, level, name, &on, sizeof(on)) < 0)
		return -errno;
	sender = new_sender(fd, family);
	if (!sender)
		return -ENOMEM;
	fd = -1;
	*out = sender;
	return 0;
}

struct neighbour_request {
	const char *ifname;
	unsigned char *mac;
};

/* One line of the table: address, type, flags, MAC address, mask, device. */
static int parse_neighbour(const char *line, const struct neighbour_request *req)
{
	char mac[18], device[IFNAMSIZ];
	unsigned int flags, b[ETH_ALEN];

	if (sscanf(line, "%*s %*s %x %17s %*s %15s", &flags, mac, device) != 3)
		return -EINVAL;
	if (strcmp(device, req->ifname) || !(flags & 2)) /* ATF_COM: complete */
		return -ENOENT;
	if (sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return -EINVAL;
	for (int i = 0; i < ETH_ALEN; i++)
		req->mac[i] = (unsigned char)b[i];
	return 0;
}

static int find_neighbour(void *arg)
{
	FILE *table = fopen("/proc/thread-self/net/arp", "re");
	char line[256];
	int err = -ENOENT;

	if (!table)
		return -errno;
	while (err && fgets(line, sizeof(line), table))
		err = parse_neighbour(line, arg);
	fclose(table);
	return err ? -ENOENT : 0;
}

int lab_link_sender(struct lab_sender **out, const struct lab_ns *ns, const char *ifname)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	struct neighbour_request neighbour = { .ifname = ifname, .mac = link.sll_addr };
	lab_autoclose int fd = -1;
	struct lab_sender *sender;
	struct ifreq req = { 0 };
	int err;

	fd = lab_socket(ns, AF_PACKET, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFINDEX, &req) < 0)
		return -errno;
	link.sll_ifindex = req.ifr_ifindex;
	err = lab_ns_call(ns, find_neighbour, &neighbour);
	if (err)
		return err;
	sender = new_sender(fd, AF_PACKET);
	if (!sender)
		return -ENOMEM;
	sender->link = link;
	fd = -1;
	*out = sender;
	return 0;
}

/* Where a packet goes, by its own header. The port of a raw socket's address must be 0. */
static int destination(const struct lab_sender *sender, const unsigned char *packet, size_t len,
		       struct lab_addr *to)
{
	if (len < 20 || (sender->family == AF_INET6 && len < 40))
		return -EINVAL;
	lab_addr_parse(to, sender->family, NULL, 0);
	if (sender->family == AF_INET)
		memcpy(&to->v4.sin_addr, packet + 16, 4);
	else
		memcpy(&to->v6.sin6_addr, packet + 24, 16);
	return 0;
}

static int send_patiently(int fd, const void *packet, size_t len, const struct sockaddr *to,
			  socklen_t to_len)
{
	int64_t deadline = lab_now_ms() + SEND_DEADLINE_MS;
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	while (sendto(fd, packet, len, MSG_DONTWAIT, to, to_len) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (lab_now_ms() >= deadline)
			return -ETIMEDOUT;
		/* ENOBUFS is not what POLLOUT tells about: look again after a millisecond */
		poll(&pfd, errno == ENOBUFS ? 0 : 1, 1);
	}
	return 0;
}

int lab_send(struct lab_sender *sender, const void *packet, size_t len)
{
	const unsigned char *bytes = packet;
	struct lab_addr to;
	int err;

	if (!len)
		return -EINVAL;
	if (sender->family == AF_PACKET) {
		sender->link.sll_protocol = htons(bytes[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
		return send_patiently(sender->fd, packet, len, (struct sockaddr *)&sender->link,
				      sizeof(sender->link));
	}
	err = destination(sender, packet, len, &to);
	if (err)
		return err;
	return send_patiently(sender->fd, packet, len, &to.sa, to.len);
}

int lab_send_all(struct lab_sender *sender, const struct lab_packets *packets)
{
	for (size_t i = 0; i < packets->count; i++) {
		size_t len;
		unsigned char *packet = lab_packet_at(packets, i, &len);
		int err = lab_send(sender, packet, len);

		if (err)
			return err;
	}
	return 0;
}
