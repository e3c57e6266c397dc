// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets inside a namespace of the lab.
 *
 * A socket belongs for ever to the namespace its thread was in at socket(): that one call is made
 * on a thread inside the namespace, everything else (bind, options, traffic) by the caller.
 */
#include "sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define SERVER_BUFFER (4 << 20)
#define PACKET_BUFFER (16 << 20)

struct socket_request {
	int domain, type, protocol;
};

static int open_socket(void *arg)
{
	const struct socket_request *req = arg;
	int fd = socket(req->domain, req->type | SOCK_CLOEXEC, req->protocol);

	return fd < 0 ? -errno : fd;
}

int lab_socket(const struct lab_ns *ns, int domain, int type, int protocol)
{
	struct socket_request req = { .domain = domain, .type = type, .protocol = protocol };

	return lab_ns_call(ns, open_socket, &req);
}

int lab_addr_parse(struct lab_addr *addr, int family, const char *text, uint16_t port)
{
	memset(addr, 0, sizeof(*addr));
	addr->any.ss_family = (sa_family_t)family;
	switch (family) {
	case AF_INET:
		addr->len = sizeof(addr->v4);
		addr->v4.sin_port = htons(port);
		return !text || inet_pton(AF_INET, text, &addr->v4.sin_addr) == 1 ? 0 : -EINVAL;
	case AF_INET6:
		addr->len = sizeof(addr->v6);
		addr->v6.sin6_port = htons(port);
		return !text || inet_pton(AF_INET6, text, &addr->v6.sin6_addr) == 1 ? 0 : -EINVAL;
	default:
		return -EAFNOSUPPORT;
	}
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

int lab_connect(const struct lab_ns *ns, int type, int family, const char *addr, uint16_t port,
		int ms)
{
	struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L };
	lab_autoclose int fd = -1;
	struct lab_addr to;
	int err;

	err = lab_addr_parse(&to, family, addr, port);
	if (err)
		return err;
	fd = lab_socket(ns, family, type, 0);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, &to.sa, to.len) < 0)
		return errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	return LAB_TAKE_FD(fd);
}

int lab_udp_server(const struct lab_ns *ns, int family, const char *addr, uint16_t port)
{
	lab_autoclose int fd = -1;
	struct lab_addr at;
	int err;

	err = lab_addr_parse(&at, family, addr, port);
	if (err)
		return err;
	fd = lab_socket(ns, family, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	if (family == AF_INET6)
		err = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!err)
		err = set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, SERVER_BUFFER);
	if (err)
		return err;
	if (bind(fd, &at.sa, at.len) < 0)
		return -errno;
	return LAB_TAKE_FD(fd);
}

int lab_packet_socket(const struct lab_ns *ns, int type, const char *ifname, uint16_t ethertype)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ethertype),
	};
	lab_autoclose int fd = -1;
	struct ifreq req = { 0 };
	int err;

	/* With protocol 0 it hears nothing before bind() names the one device. */
	fd = lab_socket(ns, AF_PACKET, type, 0);
	if (fd < 0)
		return fd;
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFINDEX, &req) < 0)
		return -errno;
	at.sll_ifindex = req.ifr_ifindex;
	err = set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, PACKET_BUFFER);
	if (!err)
		err = set_int(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (err)
		return err;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	return LAB_TAKE_FD(fd);
}

int lab_wait_readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t deadline = lab_now_ms() + ms;
	int n;

	do
		n = poll(&pfd, 1, lab_ms_left(deadline));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

ssize_t lab_recv_deadline(int fd, void *buf, size_t len, int ms)
{
	int64_t deadline = lab_now_ms() + ms;
	ssize_t n;
	int err;

	/* Readable is a hint: a datagram with a bad checksum is dropped only at recv(). */
	do {
		err = lab_wait_readable(fd, lab_ms_left(deadline));
		if (err)
			return err;
		n = recv(fd, buf, len, MSG_DONTWAIT);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n < 0 ? -errno : n;
}
