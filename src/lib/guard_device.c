// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "guard_device.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "clsact.h"
#include "link.h"
#include "links.h"
#include "log.h"
#include "netns.h"

#define ETHERNET_HEADER 14

#ifndef ARPHRD_IP6GRE
#define ARPHRD_IP6GRE 823
#endif

#define LINK_TYPE_XDP 6
#define LINK_TYPE_TCX 11

/* Of the filters of a clsact: "unfr", and the first place that there is. */
#define FILTER_HANDLE   0x756e6672u
#define FILTER_PRIORITY 1u

struct finding {
	const struct unfrag_guard_opts *opts;
	struct guard_place *place;
	struct device_facts *facts;
};

/* Devices without a link header bring packets that start with the IP header. */
static int link_header(unsigned int type, enum unfrag_guard_place place, const char *name)
{
	switch (type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return ETHERNET_HEADER;
	case ARPHRD_NONE:
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		if (place == UNFRAG_GUARD_TC)
			return 0;
		return log_error(
			-EOPNOTSUPP,
			"device '%s' is no Ethernet device, as the guard at XDP needs; use "
			"--at tc",
			name);
	default:
		return log_error(
			-EOPNOTSUPP,
			"device '%s' is of a kind (%u) that the guard can't read; use --at "
			"netfilter",
			name, type);
	}
}

static int find_one(struct finding *f, uint32_t i, int sock)
{
	const char *name = f->opts->devices[i];
	struct guard_device *d = &f->place->device[i];
	struct ifreq req = { 0 };
	uint32_t other;
	int header;

	if (!name || !name[0] || strlen(name) >= sizeof(req.ifr_name))
		return log_error(-ENODEV, "there is no device '%s'", name ? name : "");
	memcpy(req.ifr_name, name, strlen(name));
	memcpy(d->name, name, strlen(name));
	d->ifindex = if_nametoindex(name);
	if (!d->ifindex || ioctl(sock, SIOCGIFHWADDR, &req))
		return log_error(-ENODEV, "there is no device '%s' in that network namespace",
				 name);
	for (other = 0; other < i; other++)
		if (f->place->device[other].ifindex == d->ifindex)
			return log_error(-EINVAL, "device '%s' is named twice", name);
	header = link_header(req.ifr_hwaddr.sa_family, f->opts->place, name);
	if (header < 0)
		return header;
	f->facts[i].link_header = (uint32_t)header;
	memcpy(f->facts[i].mac, req.ifr_hwaddr.sa_data, sizeof(f->facts[i].mac));
	return 0;
}

static int find_all(void *arg)
{
	struct finding *f = arg;
	_cleanup_close_ int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t i;
	int r = sock < 0 ? log_error(-errno, "there is no socket: %s", strerror(errno)) : 0;

	for (i = 0; i < f->opts->device_count && !r; i++)
		r = find_one(f, i, sock);
	return r;
}

int device_find(int netns_fd, const struct unfrag_guard_opts *opts, struct guard_place *place,
		struct device_facts *facts)
{
	struct finding f = { .opts = opts, .place = place, .facts = facts };

	if (!opts->device_count)
		return 0;
	place->devices = opts->device_count;
	return guard_call(netns_fd, find_all, &f);
}

static int link_to(int prog_fd, uint32_t ifindex, uint32_t type, uint32_t flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);

	return bpf_link_create(prog_fd, (int)ifindex, (enum bpf_attach_type)type, &opts);
}

static void link_name(const struct guard_device *d, char *name, size_t size)
{
	snprintf(name, size, "link-%u", d->ifindex);
}

/* A link that can't be pinned ends here. */
static int keep_link(struct device_join *j, const struct guard_device *d, int fd)
{
	char name[32];
	int r;

	link_name(d, name, sizeof(name));
	r = store_pin(j->store, fd, name);
	if (r)
		bpf_link_detach(fd);
	return r;
}

static int program_id_of(int fd, uint32_t *id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);
	int r = bpf_obj_get_info_by_fd(fd, &info, &len);

	*id = info.id;
	return r;
}

static struct clsact_filter filter_of(const struct guard_device *d)
{
	return (struct clsact_filter){
		.ifindex = d->ifindex,
		.handle = d->handle,
		.priority = d->priority,
		.prog_id = d->prog_id,
	};
}

static int join_clsact(struct device_join *j, struct guard_device *d, int prog_fd)
{
	struct clsact_filter filter;
	int there = clsact_is_there(d->ifindex), r;

	if (there < 0)
		return there;
	d->mode = UNFRAG_GUARD_CLSACT;
	d->flags = there ? 0 : GUARD_DEVICE_MADE_CLSACT;
	d->handle = FILTER_HANDLE;
	d->priority = FILTER_PRIORITY;
	r = program_id_of(prog_fd, &d->prog_id);
	if (!r)
		r = about_write(j->about_fd, j->about);
	if (!r)
		r = clsact_make(d->ifindex);
	filter = filter_of(d);
	return r ? r : clsact_attach(&filter, prog_fd);
}

/* A kernel that has no such links does not know the type. */
static int join_tc(struct device_join *j, struct guard_device *d, int prog_fd)
{
	_cleanup_close_ int fd = link_to(prog_fd, d->ifindex, LINK_ATTACH_TYPE_TCX_INGRESS, 0);
	int r;

	if (fd == -EINVAL) {
		r = join_clsact(j, d, prog_fd);
		return r ? log_error(r, "the guard can't join device '%s' at tc: %s", d->name,
				     strerror(-r)) :
			   0;
	}
	if (fd < 0)
		return log_error(fd, "the guard can't join device '%s' at tc: %s", d->name,
				 strerror(-fd));
	d->mode = UNFRAG_GUARD_TCX;
	return keep_link(j, d, fd);
}

static int is_taken(int err)
{
	return err == -EBUSY || err == -EEXIST;
}

static int cant_xdp(const struct guard_device *d, enum unfrag_guard_mode mode, int err)
{
	if (is_taken(err))
		return log_error(-EBUSY, "device '%s' has an XDP program already", d->name);
	if (mode == UNFRAG_GUARD_NATIVE)
		return log_error(err == -EINVAL ? -EOPNOTSUPP : err,
				 "device '%s' can't do XDP natively: %s; try --xdp generic",
				 d->name, strerror(-err));
	return log_error(err, "the guard can't join device '%s' at XDP: %s", d->name,
			 strerror(-err));
}

static int join_xdp(struct device_join *j, struct guard_device *d, int prog_fd)
{
	_cleanup_close_ int fd = -1;

	if (j->mode != UNFRAG_GUARD_GENERIC) {
		d->mode = UNFRAG_GUARD_NATIVE;
		fd = link_to(prog_fd, d->ifindex, BPF_XDP, XDP_FLAGS_DRV_MODE);
		if (fd >= 0)
			return keep_link(j, d, fd);
		if (j->mode == UNFRAG_GUARD_NATIVE || is_taken(fd))
			return cant_xdp(d, UNFRAG_GUARD_NATIVE, fd);
	}
	d->mode = UNFRAG_GUARD_GENERIC;
	fd = link_to(prog_fd, d->ifindex, BPF_XDP, XDP_FLAGS_SKB_MODE);
	if (fd < 0)
		return cant_xdp(d, UNFRAG_GUARD_GENERIC, fd);
	if (j->mode == UNFRAG_GUARD_AUTO)
		log_at(UNFRAG_LOG_WARNING,
		       "device '%s' can't do XDP natively; the guard is at generic XDP there",
		       d->name);
	return keep_link(j, d, fd);
}

static int join_all(void *arg)
{
	struct device_join *j = arg;
	struct guard_device *d;
	uint32_t i;
	int r = 0;

	for (i = 0; i < j->about->devices && !r; i++) {
		d = &j->about->device[i];
		if (j->place == UNFRAG_GUARD_XDP)
			r = join_xdp(j, d, j->progs[i]);
		else
			r = join_tc(j, d, j->progs[i]);
	}
	if (r)
		return r;
	r = about_write(j->about_fd, j->about);
	return r ? log_error(r, "the devices can't be noted: %s", strerror(-r)) : 0;
}

int device_join_all(int netns_fd, struct device_join *j)
{
	return guard_call(netns_fd, join_all, j);
}

static int leave_all(void *arg)
{
	const struct guard_place *place = arg;
	const struct guard_device *d;
	struct clsact_filter filter;
	uint32_t i;
	int r = 0, e;

	for (i = 0; i < place->devices && i < UNFRAG_GUARD_DEVICES_MAX; i++) {
		d = &place->device[i];
		if (d->mode != UNFRAG_GUARD_CLSACT)
			continue;
		filter = filter_of(d);
		e = clsact_detach(&filter);
		if (!e && d->flags & GUARD_DEVICE_MADE_CLSACT)
			e = clsact_remove_if_empty(d->ifindex);
		if (e)
			r = log_error(e, "the filter at device '%s' can't be removed: %s", d->name,
				      strerror(-e));
	}
	return r;
}

int device_leave_all(int netns_fd, const struct guard_place *place)
{
	struct guard_place copy = *place;

	return guard_call(netns_fd, leave_all, &copy);
}

static int has_filter(void *arg)
{
	return clsact_has(arg);
}

int device_check(int netns_fd, const struct store *s, const struct guard_device *d, char *problem,
		 size_t size)
{
	struct clsact_filter filter = filter_of(d);
	struct link_info info;
	char name[32];
	_cleanup_close_ int fd = -1;

	if (d->mode == UNFRAG_GUARD_CLSACT) {
		if (netns_fd != LINKS_NETNS_UNKNOWN && !netns_call(netns_fd, has_filter, &filter))
			snprintf(problem, size, "the filter at device '%s' is gone", d->name);
		return 0;
	}
	link_name(d, name, sizeof(name));
	fd = store_get(s, name);
	if (fd < 0 && fd != -ENOENT && fd != -EBADF)
		return fd;
	if (fd < 0 || link_get_info(fd, &info) ||
	    (info.type != LINK_TYPE_XDP && info.type != LINK_TYPE_TCX))
		snprintf(problem, size, "the link at device '%s' is missing", d->name);
	/* Where a netfilter link has its family, these have the index of their device. */
	else if (info.pf != d->ifindex)
		snprintf(problem, size, "device '%s' is gone, or its link was detached by force",
			 d->name);
	return 0;
}
