// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The plain netfilter link, with the kernel's own meaning and errno for every argument.
 */
#define _GNU_SOURCE
#include "link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpffs.h"
#include "cleanup.h"
#include "log.h"
#include "opts.h"

/* union bpf_attr's link_create as kernels from 6.4 on know it. */
struct link_attr {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint32_t pf;
	uint32_t hook;
	int32_t priority;
	uint32_t netfilter_flags;
};

_Static_assert(sizeof(struct link_attr) == 32, "the kernel's layout");
_Static_assert(sizeof(struct link_info) == 32, "the kernel's layout");

/* Before libbpf 1.3 objects with SEC("netfilter") would not open. */
__attribute__((constructor)) static void register_section(void)
{
	enum bpf_attach_type attach_type;
	enum bpf_prog_type type;
	libbpf_print_fn_t print = libbpf_set_print(NULL);

	if (libbpf_prog_type_by_name("netfilter", &type, &attach_type))
		libbpf_register_prog_handler("netfilter",
					     (enum bpf_prog_type)LINK_PROG_TYPE_NETFILTER,
					     (enum bpf_attach_type)LINK_ATTACH_TYPE_NETFILTER,
					     NULL);
	libbpf_set_print(print);
}

int link_create(int prog_fd, const struct unfrag_netfilter_opts *opts)
{
	struct link_attr attr = {
		.prog_fd = (uint32_t)prog_fd,
		.attach_type = LINK_ATTACH_TYPE_NETFILTER,
		.pf = opts->pf,
		.hook = opts->hook,
		.priority = opts->priority,
		.netfilter_flags = opts->flags,
	};
	long fd = syscall(__NR_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

int link_get_info(int fd, struct link_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len);
}

int link_load_pass(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)LINK_ATTACH_TYPE_NETFILTER);

	return bpf_prog_load((enum bpf_prog_type)LINK_PROG_TYPE_NETFILTER, "unfrag_pass", "GPL",
			     insns, sizeof(insns) / sizeof(*insns), &opts);
}

#ifdef HAVE_BPF_PROGRAM_ATTACH_NETFILTER

static struct bpf_link *attach(const struct bpf_program *prog,
			       const struct unfrag_netfilter_opts *opts)
{
	LIBBPF_OPTS(bpf_netfilter_opts, o, .pf = opts->pf, .hooknum = opts->hook,
		    .priority = opts->priority, .flags = opts->flags);

	return bpf_program__attach_netfilter(prog, &o);
}

#else

/* A mount that no path leads to, gone with its descriptor: pins in it can't be left behind. */
static int private_bpffs(void)
{
	_cleanup_close_ int fs = (int)syscall(__NR_fsopen, "bpf", 1 /* FSOPEN_CLOEXEC */);
	int fd;

	if (fs < 0 || syscall(__NR_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
		return -errno;
	fd = (int)syscall(__NR_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
	return fd < 0 ? -errno : fd;
}

/* A path for one pin: private, or where only the mounted file system may be written, there. */
static int pin_path(int mount_fd, char *path, size_t size)
{
	char root[BPFFS_PATH_MAX];
	int r;

	if (mount_fd >= 0) {
		snprintf(path, size, "/proc/self/fd/%d/link", mount_fd);
		return 0;
	}
	r = bpffs_find(root, sizeof(root));
	if (r)
		return r;
	snprintf(path, size, "%s/unfrag-link-%d-%d", root, getpid(), gettid());
	return 0;
}

/* libbpf makes handles of links only from pins. */
static struct bpf_link *link_handle(int fd)
{
	_cleanup_close_ int mount_fd = private_bpffs();
	char path[BPFFS_PATH_MAX + 64];
	struct bpf_link *link;
	int r = pin_path(mount_fd, path, sizeof(path));

	if (!r && bpf_obj_pin(fd, path))
		r = -errno;
	if (r) {
		log_at(UNFRAG_LOG_ERROR,
		       "a handle for the link can't be made (needs CAP_SYS_ADMIN, or a BPF file "
		       "system at /sys/fs/bpf that may be written): %s",
		       strerror(-r));
		errno = -r;
		return NULL;
	}
	link = bpf_link__open(path);
	r = link ? bpf_link__unpin(link) : -errno;
	if (!link || r) {
		unlink(path);
		bpf_link__destroy(link);
		errno = -r;
		return NULL;
	}
	return link;
}

static struct bpf_link *attach(const struct bpf_program *prog,
			       const struct unfrag_netfilter_opts *opts)
{
	_cleanup_close_ int fd = link_create(bpf_program__fd(prog), opts);

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	return link_handle(fd);
}

#endif

struct bpf_link *unfrag_attach_netfilter(const struct bpf_program *prog,
					 const struct unfrag_netfilter_opts *opts)
{
	struct unfrag_netfilter_opts o;
	struct bpf_link *link;
	char why[256];
	int err;

	if (!prog || bpf_program__fd(prog) < 0 || opts_get(&o, sizeof(o), opts)) {
		errno = EINVAL;
		return NULL;
	}
	link = attach(prog, &o);
	if (link)
		return link;
	err = errno;
	unfrag_explain(err, &o, why, sizeof(why));
	log_at(UNFRAG_LOG_ERROR, "%s", why);
	errno = err;
	return NULL;
}
