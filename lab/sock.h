/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets inside a namespace of the lab. A socket stays in the namespace it was opened in, so the
 * caller uses it like any other. All descriptors are close-on-exec and blocking; every wait has a
 * deadline in milliseconds. ns NULL means the caller's own namespace.
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "ns.h"

/* A socket address of either family with its length, ready for bind(), connect() and sendto(). */
struct lab_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage any;
	};
	socklen_t len;
};

/* text NULL: the wildcard address. port in host order. 0 or -EINVAL, -EAFNOSUPPORT. */
int lab_addr_parse(struct lab_addr *addr, int family, const char *text, uint16_t port);

/* An unconnected socket of any domain, type and protocol: descriptor or -errno. */
int lab_socket(const struct lab_ns *ns, int domain, int type, int protocol);

/* The same, connected to a server: for TCP after the handshake, at most ms. */
int lab_connect(const struct lab_ns *ns, int type, int family, const char *addr, uint16_t port,
		int ms);

/* A bound UDP socket with room for 4 MiB; addr NULL: all addresses of the family. */
int lab_udp_server(const struct lab_ns *ns, int family, const char *addr, uint16_t port);

/*
 * A packet socket that receives what arrives at a device, from the network header on (or with
 * the link header if type is SOCK_RAW), own transmissions left out, with room for 16 MiB.
 * ethertype in host order, for example ETH_P_IP; ETH_P_ALL for all.
 */
int lab_packet_socket(const struct lab_ns *ns, int type, const char *ifname, uint16_t ethertype);

/* 0, -ETIMEDOUT or -errno. */
int lab_wait_readable(int fd, int ms);

/* Length of what was received (cut to len), -ETIMEDOUT or -errno. */
ssize_t lab_recv_deadline(int fd, void *buf, size_t len, int ms);
