// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Listings may be of many megabytes, so their map is mapped into memory rather than written element
 * by element.
 */
#include "kept.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "instance_maps.h"
#include "skeleton.h"

/* The one value of the map "about". */
struct kept {
	struct instance_about about;
	uint64_t listing; /* bytes */
	uint64_t layout;  /* of the maps */
};

_Static_assert(sizeof(struct kept) % 8 == 0, "layout of a map");

/* Maps of two builds are the same if these are; the version stands for what they don't tell. */
#define LAYOUT \
	((uint64_t)sizeof(struct gate_config) << 48 | (uint64_t)sizeof(struct gate_limit) << 32 | \
	 sizeof(struct gate_event) << 16 | sizeof(struct gate_tuple))

static size_t pages_of(size_t len)
{
	return len ? (len + KEPT_PAGE - 1) / KEPT_PAGE : 1;
}

int kept_sizes(struct gate_bpf *skel, const struct policy_listing *listing)
{
	int r = bpf_map__set_value_size(skel->maps.about, sizeof(struct kept));

	if (!r)
		r = bpf_map__set_max_entries(skel->maps.listing,
					     (uint32_t)pages_of(listing ? listing->len : 0));
	return r;
}

static size_t mapped_bytes(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (pages_of(len) * KEPT_PAGE + page - 1) / page * page;
}

static int write_listing(int fd, const struct policy_listing *listing)
{
	size_t bytes = mapped_bytes(listing->len);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, listing->data, listing->len);
	munmap(at, bytes);
	return 0;
}

int kept_write(int about_fd, int listing_fd, const struct instance_about *about,
	       const struct policy_listing *listing, struct complaint *c)
{
	struct kept k;
	int r = 0;

	memset(&k, 0, sizeof(k));
	k.about = *about;
	k.layout = LAYOUT;
	if (listing && listing->len) {
		k.listing = listing->len;
		r = write_listing(listing_fd, listing);
	}
	if (!r)
		r = bpf_map_update_elem(about_fd, &(uint32_t){ 0 }, &k, BPF_ANY);
	return r ? complain(c, r, "what was asked for can't be kept: %s", strerror(-r)) : 0;
}

int kept_write_about(int about_fd, const struct instance_about *about, struct complaint *c)
{
	const uint32_t key = 0;
	struct kept k;
	int r = bpf_map_lookup_elem(about_fd, &key, &k);

	k.about = *about;
	if (!r)
		r = bpf_map_update_elem(about_fd, &key, &k, BPF_ANY);
	return r ? complain(c, r, "what was asked for can't be kept: %s", strerror(-r)) : 0;
}

static int read_listing(int fd, size_t len, struct policy_listing *listing)
{
	size_t bytes = mapped_bytes(len);
	void *at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	int r = 0;

	if (at == MAP_FAILED)
		return -errno;
	listing->data = malloc(len);
	listing->len = len;
	if (listing->data)
		memcpy(listing->data, at, len);
	else
		r = -ENOMEM;
	munmap(at, bytes);
	return r;
}

static int info_of(int fd, struct bpf_map_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, len);
	return bpf_obj_get_info_by_fd(fd, info, &len);
}

/* *listing: how long it is. */
static int read_kept(int about_fd, int listing_fd, struct instance_about *about, size_t *listing)
{
	struct bpf_map_info info;
	struct kept k;
	int r = info_of(about_fd, &info);

	if (!r && info.value_size != sizeof(k))
		return -EINVAL;
	if (!r)
		r = bpf_map_lookup_elem(about_fd, &(uint32_t){ 0 }, &k);
	if (!r)
		r = info_of(listing_fd, &info);
	if (r)
		return r;
	if (k.about.version != KEPT_VERSION || k.layout != LAYOUT || !k.listing ||
	    k.listing > (uint64_t)info.max_entries * KEPT_PAGE)
		return -EINVAL;
	k.about.name[INSTANCE_NAME_MAX - 1] = '\0';
	k.about.path[INSTANCE_PATH_MAX - 1] = '\0';
	*about = k.about;
	*listing = (size_t)k.listing;
	return 0;
}

int kept_read(int about_fd, int listing_fd, struct instance_about *about,
	      struct policy_listing *listing)
{
	size_t len;
	int r = read_kept(about_fd, listing_fd, about, &len);

	return r || !listing ? r : read_listing(listing_fd, len, listing);
}
