// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wirings of namespaces: a router between two hosts, and two hosts on one wire.
 *
 * Devices, addresses and routes are made by the ip command in one batch per namespace; offloads
 * are switched by ioctl, so that ethtool is not needed. Sysctls come first: what a new device
 * takes over from "default" is then right from its first moment.
 *
 * The picture with all names and addresses stands in net.h.
 */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "child.h"
#include "sock.h"

#define READY_DEADLINE_MS 10000
#define READY_RETRY_MS    50
#define READY_PORT        7

struct sysctl {
	const char *name;
	const char *value;
};

static const struct sysctl host_sysctls[] = {
	{ "net/ipv4/conf/all/rp_filter", "0" },
	{ "net/ipv4/conf/default/rp_filter", "0" },
	{ "net/ipv6/conf/all/accept_dad", "0" },
	{ "net/ipv6/conf/default/accept_dad", "0" },
	{ "net/ipv6/conf/default/accept_ra", "0" },
	{ "net/ipv6/conf/default/router_solicitations", "0" },
};

static const struct sysctl router_sysctls[] = {
	{ "net/ipv4/ip_forward", "1" },
	{ "net/ipv6/conf/all/forwarding", "1" },
};

static int set_sysctls(const struct lab_ns *ns, const struct sysctl *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int err = lab_ns_sysctl(ns, list[i].name, list[i].value);

		if (err)
			return err;
	}
	return 0;
}

static int new_host(struct lab_ns **out)
{
	struct lab_ns *ns;
	int err = lab_ns_new(&ns);

	if (err)
		return err;
	err = set_sysctls(ns, host_sysctls, sizeof(host_sysctls) / sizeof(host_sysctls[0]));
	if (err) {
		lab_ns_free(ns);
		return err;
	}
	*out = ns;
	return 0;
}

static int ethtool_off(int fd, const char *ifname, uint32_t command)
{
	struct ethtool_value value = { .cmd = command, .data = 0 };
	struct ifreq req = { .ifr_data = (char *)&value };

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
	return ioctl(fd, SIOCETHTOOL, &req) < 0 ? -errno : 0;
}

/* Inside a namespace: no segmentation, no merging, checksums written by the sender. */
static int offloads_off(void *arg)
{
	static const uint32_t commands[] = { ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO,
					     ETHTOOL_STXCSUM };
	lab_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int err = ethtool_off(fd, arg, commands[i]);

		if (err && err != -EOPNOTSUPP)
			return err;
	}
	return 0;
}

static int no_offloads(const struct lab_ns *ns, const char *ifname)
{
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "%s", ifname);
	return lab_ns_call(ns, offloads_off, name);
}

/* An exit status of the ip command is no errno: it has been shown, this is what is left of it. */
static int ip_batch(const struct lab_ns *ns, const char *lines)
{
	int err = lab_ns_run(ns, "ip -batch - <<'END'\n%sEND\n", lines);

	return err > 0 ? -EIO : err;
}

static int make_wire(const struct lab_ns *ns, const char *ifname, const char *mac,
		     const struct lab_ns *peer, const char *peer_ifname, const char *peer_mac)
{
	char lines[512];
	int err;

	snprintf(lines, sizeof(lines),
		 "link add %s address %s mtu 1500 type veth "
		 "peer name %s address %s mtu 1500 netns %s\n",
		 ifname, mac, peer_ifname, peer_mac, lab_ns_path(peer));
	err = ip_batch(ns, lines);
	if (!err)
		err = no_offloads(ns, ifname);
	if (!err)
		err = no_offloads(peer, peer_ifname);
	return err;
}

struct end {
	const char *ifname;
	const char *v4, *v6;           /* own addresses with prefix length */
	const char *peer_v4, *peer_v6; /* the other end of this wire */
	const char *peer_mac;
	bool gateway; /* the other end is the way to everywhere */
};

static int configure_end(const struct lab_ns *ns, const struct end *end)
{
	char lines[1024];
	int n;

	n = snprintf(lines, sizeof(lines),
		     "link set %s up\n"
		     "addr add %s dev %s\n"
		     "addr add %s dev %s nodad\n"
		     "neigh replace %s lladdr %s dev %s nud permanent\n"
		     "neigh replace %s lladdr %s dev %s nud permanent\n",
		     end->ifname, end->v4, end->ifname, end->v6, end->ifname, end->peer_v4,
		     end->peer_mac, end->ifname, end->peer_v6, end->peer_mac, end->ifname);
	if (end->gateway)
		snprintf(lines + n, sizeof(lines) - (size_t)n,
			 "route add default via %s\nroute add default via %s\n", end->peer_v4,
			 end->peer_v6);
	return ip_batch(ns, lines);
}

static const struct end client_end = {
	.ifname = LAB_CLIENT_IF,
	.v4 = LAB_CLIENT_V4 "/24",
	.v6 = LAB_CLIENT_V6 "/64",
	.peer_v4 = LAB_LEFT_V4,
	.peer_v6 = LAB_LEFT_V6,
	.peer_mac = LAB_LEFT_MAC,
	.gateway = true,
};

static const struct end left_end = {
	.ifname = LAB_LEFT_IF,
	.v4 = LAB_LEFT_V4 "/24",
	.v6 = LAB_LEFT_V6 "/64",
	.peer_v4 = LAB_CLIENT_V4,
	.peer_v6 = LAB_CLIENT_V6,
	.peer_mac = LAB_CLIENT_MAC,
};

static const struct end right_end = {
	.ifname = LAB_RIGHT_IF,
	.v4 = LAB_RIGHT_V4 "/24",
	.v6 = LAB_RIGHT_V6 "/64",
	.peer_v4 = LAB_SERVER_V4,
	.peer_v6 = LAB_SERVER_V6,
	.peer_mac = LAB_SERVER_MAC,
};

static const struct end server_end = {
	.ifname = LAB_SERVER_IF,
	.v4 = LAB_SERVER_V4 "/24",
	.v6 = LAB_SERVER_V6 "/64",
	.peer_v4 = LAB_RIGHT_V4,
	.peer_v6 = LAB_RIGHT_V6,
	.peer_mac = LAB_RIGHT_MAC,
	.gateway = true,
};

static const struct end pair_client_end = {
	.ifname = LAB_CLIENT_IF,
	.v4 = LAB_CLIENT_V4 "/16",
	.v6 = LAB_CLIENT_V6 "/32",
	.peer_v4 = LAB_SERVER_V4,
	.peer_v6 = LAB_SERVER_V6,
	.peer_mac = LAB_SERVER_MAC,
};

static const struct end pair_server_end = {
	.ifname = LAB_SERVER_IF,
	.v4 = LAB_SERVER_V4 "/16",
	.v6 = LAB_SERVER_V6 "/32",
	.peer_v4 = LAB_CLIENT_V4,
	.peer_v6 = LAB_CLIENT_V6,
	.peer_mac = LAB_CLIENT_MAC,
};

static int build_router(struct lab_router *router)
{
	int err = new_host(&router->client);

	if (!err)
		err = new_host(&router->middle);
	if (!err)
		err = new_host(&router->server);
	if (!err)
		err = set_sysctls(router->middle, router_sysctls,
				  sizeof(router_sysctls) / sizeof(router_sysctls[0]));
	if (!err)
		err = make_wire(router->middle, LAB_LEFT_IF, LAB_LEFT_MAC, router->client,
				LAB_CLIENT_IF, LAB_CLIENT_MAC);
	if (!err)
		err = make_wire(router->middle, LAB_RIGHT_IF, LAB_RIGHT_MAC, router->server,
				LAB_SERVER_IF, LAB_SERVER_MAC);
	if (!err)
		err = configure_end(router->client, &client_end);
	if (!err)
		err = configure_end(router->middle, &left_end);
	if (!err)
		err = configure_end(router->middle, &right_end);
	if (!err)
		err = configure_end(router->server, &server_end);
	if (!err)
		err = lab_wait_ready(router->client, router->server, READY_DEADLINE_MS);
	return err;
}

int lab_router_new(struct lab_router **out)
{
	lab_auto_router struct lab_router *router = calloc(1, sizeof(*router));
	int err;

	if (!router)
		return -ENOMEM;
	err = build_router(router);
	if (err)
		return err;
	*out = LAB_TAKE_PTR(router);
	return 0;
}

void lab_router_free(struct lab_router *router)
{
	if (!router)
		return;
	lab_ns_free(router->client);
	lab_ns_free(router->middle);
	lab_ns_free(router->server);
	free(router);
}

static int build_pair(struct lab_pair *pair)
{
	int err = new_host(&pair->client);

	if (!err)
		err = new_host(&pair->server);
	if (!err)
		err = make_wire(pair->client, LAB_CLIENT_IF, LAB_CLIENT_MAC, pair->server,
				LAB_SERVER_IF, LAB_SERVER_MAC);
	if (!err)
		err = configure_end(pair->client, &pair_client_end);
	if (!err)
		err = configure_end(pair->server, &pair_server_end);
	if (!err)
		err = lab_wait_ready(pair->client, pair->server, READY_DEADLINE_MS);
	return err;
}

int lab_pair_new(struct lab_pair **out)
{
	lab_auto_pair struct lab_pair *pair = calloc(1, sizeof(*pair));
	int err;

	if (!pair)
		return -ENOMEM;
	err = build_pair(pair);
	if (err)
		return err;
	*out = LAB_TAKE_PTR(pair);
	return 0;
}

void lab_pair_free(struct lab_pair *pair)
{
	if (!pair)
		return;
	lab_ns_free(pair->client);
	lab_ns_free(pair->server);
	free(pair);
}

const char *lab_client_addr(int family)
{
	return family == AF_INET6 ? LAB_CLIENT_V6 : LAB_CLIENT_V4;
}

const char *lab_server_addr(int family)
{
	return family == AF_INET6 ? LAB_SERVER_V6 : LAB_SERVER_V4;
}

/* One try: a byte there and back. An unreachable network right after setup is no failure yet. */
static int echo_once(int client, int server, const struct lab_addr *to)
{
	struct lab_addr from = { .len = sizeof(from.any) };
	char byte = 'r';

	if (sendto(client, &byte, 1, 0, &to->sa, to->len) < 0)
		return -errno;
	if (lab_wait_readable(server, READY_RETRY_MS))
		return -ETIMEDOUT;
	if (recvfrom(server, &byte, 1, 0, &from.sa, &from.len) < 0)
		return -errno;
	if (sendto(server, &byte, 1, 0, &from.sa, from.len) < 0)
		return -errno;
	return lab_wait_readable(client, READY_RETRY_MS);
}

static int wait_family(const struct lab_ns *client_ns, const struct lab_ns *server_ns, int family,
		       int64_t deadline)
{
	lab_autoclose int client = -1, server = -1;
	struct lab_addr to;
	int err;

	err = lab_addr_parse(&to, family, lab_server_addr(family), READY_PORT);
	if (err)
		return err;
	client = lab_socket(client_ns, family, SOCK_DGRAM, 0);
	if (client < 0)
		return client;
	server = lab_udp_server(server_ns, family, NULL, READY_PORT);
	if (server < 0)
		return server;
	while ((err = echo_once(client, server, &to))) {
		if (lab_now_ms() >= deadline)
			return -ETIMEDOUT;
		if (err != -ETIMEDOUT)
			poll(NULL, 0, 5);
	}
	return 0;
}

int lab_wait_ready(const struct lab_ns *client, const struct lab_ns *server, int ms)
{
	int64_t deadline = lab_now_ms() + ms;
	int err = wait_family(client, server, AF_INET, deadline);

	return err ? err : wait_family(client, server, AF_INET6, deadline);
}
