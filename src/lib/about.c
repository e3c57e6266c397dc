// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "about.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "log.h"

void about_init(struct about *a, const struct netns_id *netns)
{
	memset(a, 0, sizeof(*a));
	a->version = ABOUT_VERSION;
	a->netns_dev = netns->dev;
	a->netns_inode = netns->inode;
	a->since = time(NULL);
}

int about_write(int fd, const void *value)
{
	const uint32_t key = 0;

	return bpf_map_update_elem(fd, &key, value, BPF_ANY);
}

int about_pin(const struct store *s, const char *name, const void *value, uint32_t size)
{
	_cleanup_close_ int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "unfrag_about",
						sizeof(uint32_t), size, 1, NULL);
	int r = fd < 0 ? fd : about_write(fd, value);

	if (r < 0)
		return log_error(r, "a map can't be made: %s%s", strerror(-r),
				 r == -EPERM ? " (needs CAP_BPF)" : "");
	r = store_pin(s, fd, name);
	return r ? r : TAKE_FD(fd);
}

int about_read(const struct store *s, const char *name, void *value, uint32_t size)
{
	_cleanup_close_ int fd = store_get(s, name);
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);
	const uint32_t key = 0;
	uint32_t version;
	int r;

	if (fd < 0)
		return fd;
	r = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (r)
		return r;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != size)
		return -EBADF;
	r = bpf_map_lookup_elem(fd, &key, value);
	if (r)
		return r;
	memcpy(&version, value, sizeof(version));
	return version == ABOUT_VERSION ? 0 : -EBADF;
}
