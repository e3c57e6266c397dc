// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices of the same names and numbers as where the ruleset is for: nftables turns "iif eth0" into
 * a number when it reads it.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "scratch.h"

/* Of what may be there, what costs least. None of them is ever up. */
static const char *const kinds[] = { "dummy", "ifb", "bridge", "veth" };

static int answer(struct mnl_socket *socket)
{
	char buffer[8192];
	const struct nlmsghdr *message = (const struct nlmsghdr *)buffer;
	ssize_t n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

	if (n < (ssize_t)(sizeof(*message) + sizeof(struct nlmsgerr)) ||
	    message->nlmsg_type != NLMSG_ERROR)
		return -EIO;
	return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error;
}

static int make_device(struct mnl_socket *socket, const struct if_nameindex *device,
		       const char *kind)
{
	char buffer[1024];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *head;
	struct nlattr *nest;

	message->nlmsg_type = RTM_NEWLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
	head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
	head->ifi_index = (int)device->if_index;
	mnl_attr_put_strz(message, IFLA_IFNAME, device->if_name);
	nest = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, kind);
	mnl_attr_nest_end(message, nest);
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	return answer(socket);
}

void scratch_make_devices(const struct scratch_devices *devices)
{
	const size_t n = sizeof(kinds) / sizeof(*kinds);
	const struct if_nameindex *d = devices->list;
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	size_t kind = 0;

	if (socket && !mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID))
		for (; d && d->if_index && kind < n; d++)
			/* The first one is there from the start. */
			while (d->if_index != 1 && kind < n &&
			       make_device(socket, d, kinds[kind]) == -EOPNOTSUPP)
				kind++;
	if (socket)
		mnl_socket_close(socket);
}
