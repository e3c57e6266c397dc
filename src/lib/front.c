// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#define _GNU_SOURCE
#include "front.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "front.skel.h"
#include "log.h"

static void front_destroy(struct front_bpf **skel)
{
	front_bpf__destroy(*skel);
}

static int dup_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

int front_load(struct front *out, uint32_t flags)
{
	_cleanup_(front_destroy) struct front_bpf *skel = front_bpf__open();
	_cleanup_front_ struct front f = FRONT_INIT;
	int r;

	if (!skel)
		return log_error(-errno, "the front program can't be opened: %s", strerror(errno));
	skel->rodata->on_fragment = !!(flags & UNFRAG_ATTACH_ACCEPT_FRAGMENTS);
	skel->rodata->on_unreadable = !!(flags & UNFRAG_ATTACH_ACCEPT_UNREADABLE);
	skel->rodata->on_empty = !!(flags & UNFRAG_ATTACH_ACCEPT_EMPTY);
	r = front_bpf__load(skel);
	if (r)
		return log_error(r, "the front program can't be loaded: %s", strerror(-r));
	f.prog_fd = dup_fd(bpf_program__fd(skel->progs.front));
	f.slot_fd = dup_fd(bpf_map__fd(skel->maps.slot));
	f.counters_fd = dup_fd(bpf_map__fd(skel->maps.counters));
	if (f.prog_fd < 0 || f.slot_fd < 0 || f.counters_fd < 0)
		return log_error(-EMFILE, "out of file descriptors");
	*out = f;
	f = (struct front)FRONT_INIT;
	return 0;
}

void front_release(struct front *f)
{
	close_p(&f->prog_fd);
	close_p(&f->slot_fd);
	close_p(&f->counters_fd);
}

int front_put(int slot_fd, int prog_fd)
{
	const uint32_t key = 0;
	int r = bpf_map_update_elem(slot_fd, &key, &prog_fd, BPF_ANY);

	if (r)
		return log_error(r, "the program can't be put into the slot: %s", strerror(-r));
	return 0;
}

int front_get(int slot_fd, uint32_t *id)
{
	const uint32_t key = 0;
	int r = bpf_map_lookup_elem(slot_fd, &key, id);

	if (r != -ENOENT)
		return r;
	*id = 0;
	return 0;
}
