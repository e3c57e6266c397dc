// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "clsact.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"

struct request {
	struct nlmsghdr head;
	struct tcmsg tc;
};

static int send_dump(uint16_t type, uint32_t ifindex, uint32_t parent)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct request q = {
		.head = { .nlmsg_len = sizeof(q),
			  .nlmsg_type = type,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.tc = { .tcm_ifindex = (int)ifindex, .tcm_parent = parent },
	};

	if (fd < 0 || send(fd, &q, sizeof(q), 0) < 0)
		return -errno;
	return TAKE_FD(fd);
}

/* A dump of qdiscs is of all devices, of filters of one parent. */
static bool matters(const struct nlmsghdr *h, uint32_t ifindex)
{
	const struct tcmsg *tc = NLMSG_DATA(h);

	if (h->nlmsg_type == RTM_NEWQDISC)
		return tc->tcm_ifindex == (int)ifindex && tc->tcm_parent == TC_H_CLSACT;
	return h->nlmsg_type == RTM_NEWTFILTER;
}

static int count(uint16_t type, uint32_t ifindex, uint32_t parent)
{
	_cleanup_close_ int fd = send_dump(type, ifindex, parent);
	_Alignas(struct nlmsghdr) char buf[32768];
	const struct nlmsghdr *h;
	ssize_t len;
	int n = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		len = recv(fd, buf, sizeof(buf), 0);
		if (len <= 0)
			return len ? -errno : -EIO;
		for (h = (const void *)buf; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return n;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			n += matters(h, ifindex);
		}
	}
}

int clsact_is_there(uint32_t ifindex)
{
	int n = count(RTM_GETQDISC, ifindex, 0);

	return n > 0 ? 1 : n;
}

int clsact_make(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	int r = bpf_tc_hook_create(&hook);

	return r == -EEXIST ? 0 : r;
}

int clsact_attach(const struct clsact_filter *f, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)f->ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = f->handle, .priority = f->priority,
		    .prog_fd = prog_fd);

	return bpf_tc_attach(&hook, &opts);
}

int clsact_has(const struct clsact_filter *f)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)f->ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = f->handle, .priority = f->priority);
	int there = clsact_is_there(f->ifindex);
	int r = there > 0 ? bpf_tc_query(&hook, &opts) : there;

	if (there <= 0 || (r && r != -ENOENT && r != -EINVAL))
		return r;
	return !r && opts.prog_id == f->prog_id;
}

int clsact_detach(const struct clsact_filter *f)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)f->ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = f->handle, .priority = f->priority);
	int r = clsact_has(f);

	return r > 0 ? bpf_tc_detach(&hook, &opts) : r;
}

int clsact_remove_if_empty(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = (enum bpf_tc_attach_point)(BPF_TC_INGRESS | BPF_TC_EGRESS));
	int r = clsact_is_there(ifindex);

	if (r <= 0)
		return r;
	r = count(RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
	if (!r)
		r = count(RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
	if (r)
		return r < 0 ? r : 0;
	r = bpf_tc_hook_destroy(&hook);
	return r == -ENOENT || r == -EINVAL ? 0 : r;
}
