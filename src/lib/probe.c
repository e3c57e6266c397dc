// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What this kernel and this process can do, found by trying and never by a version number: kernels
 * are patched and configured. Links are tried in a network namespace made for it, so that no
 * traffic meets them.
 */
#define _GNU_SOURCE
#include "probe.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpffs.h"
#include "cleanup.h"
#include "link.h"
#include "log.h"
#include "names.h"
#include "netns.h"

struct unfrag_probe {
	int errs[UNFRAG_FEATURE_MAX]; /* 0: there; else a negative errno */
	char bpffs[BPFFS_PATH_MAX];
	uint64_t capabilities;
	struct unfrag_frag_limits limits[FAMILY_MAX];
};

static const struct {
	const char *name;
	const char *since;
	const char *text;
} features[] = {
#define X(id, name, since, text) { name, since, text },
	UNFRAG_FEATURES(X)
#undef X
};

const char *unfrag_feature_name(enum unfrag_feature feature)
{
	return (unsigned int)feature < UNFRAG_FEATURE_MAX ? features[feature].name : NULL;
}

const char *unfrag_feature_since(enum unfrag_feature feature)
{
	return (unsigned int)feature < UNFRAG_FEATURE_MAX ? features[feature].since : NULL;
}

const char *unfrag_feature_text(enum unfrag_feature feature)
{
	return (unsigned int)feature < UNFRAG_FEATURE_MAX ? features[feature].text : NULL;
}

static int probe_program(void)
{
	_cleanup_close_ int fd = link_load_pass();

	return fd < 0 ? fd : 0;
}

static int try_link(void *arg)
{
	const struct unfrag_netfilter_opts *opts = arg;
	_cleanup_close_ int prog = link_load_pass();
	_cleanup_close_ int link = prog < 0 ? prog : link_create(prog, opts);

	if (link < 0)
		return link;
	bpf_link_detach(link);
	return 0;
}

int probe_link_in(int netns_fd, const struct unfrag_netfilter_opts *opts)
{
	struct unfrag_netfilter_opts o = *opts;

	return netns_call(netns_fd, try_link, &o);
}

/* EPERM from unshare(2) says nothing of what was to be tried. */
static int in_scratch(int (*fn)(void *arg), void *arg)
{
	int r = netns_call(NETNS_NEW, fn, arg);

	return r == -EPERM ? -EACCES : r;
}

int probe_link(uint32_t pf, uint32_t flags)
{
	struct unfrag_netfilter_opts opts = {
		.sz = sizeof(opts),
		.pf = pf,
		.hook = UNFRAG_HOOK_PREROUTING,
		.priority = UNFRAG_PRIORITY_DEFAULT,
		.flags = flags,
	};

	return in_scratch(try_link, &opts);
}

/* A program of two instructions that returns `verdict`, linked to loopback. */
static int try_device(enum bpf_prog_type type, enum bpf_attach_type attach, int verdict,
		      uint32_t flags)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = attach);
	LIBBPF_OPTS(bpf_link_create_opts, create, .flags = flags);
	_cleanup_close_ int prog = bpf_prog_load(type, "unfrag_probe", "GPL", insns, 2, &load);
	_cleanup_close_ int link = -1;

	if (prog < 0)
		return prog;
	link = bpf_link_create(prog, 1 /* lo */, attach, &create);
	return link < 0 ? link : 0;
}

static int try_tcx(void *arg)
{
	(void)arg;
	return try_device(BPF_PROG_TYPE_SCHED_CLS,
			  (enum bpf_attach_type)LINK_ATTACH_TYPE_TCX_INGRESS, 0, 0);
}

static int try_xdp(void *arg)
{
	(void)arg;
	return try_device(BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS, XDP_FLAGS_SKB_MODE);
}

static int probe_defrag(uint32_t pf, int link_err)
{
	return link_err ? link_err : probe_link(pf, UNFRAG_NETFILTER_IP_DEFRAG);
}

static void probe_features(struct unfrag_probe *p)
{
	int *errs = p->errs;

	errs[UNFRAG_FEATURE_PROGRAM] = probe_program();
	errs[UNFRAG_FEATURE_LINK] = probe_link(family_pf(0), 0);
	errs[UNFRAG_FEATURE_DEFRAG_IPV4] = probe_defrag(family_pf(0), errs[UNFRAG_FEATURE_LINK]);
	errs[UNFRAG_FEATURE_DEFRAG_IPV6] = probe_defrag(family_pf(1), errs[UNFRAG_FEATURE_LINK]);
	/* A flag that is known but can't be served is refused with another errno. */
	errs[UNFRAG_FEATURE_DEFRAG_FLAG] = errs[UNFRAG_FEATURE_LINK];
	if (errs[UNFRAG_FEATURE_DEFRAG_IPV4] == -EOPNOTSUPP)
		errs[UNFRAG_FEATURE_DEFRAG_FLAG] = -EOPNOTSUPP;
	errs[UNFRAG_FEATURE_BTF] = access("/sys/kernel/btf/vmlinux", R_OK) ? -errno : 0;
	errs[UNFRAG_FEATURE_BPFFS] = bpffs_find(p->bpffs, sizeof(p->bpffs));
	errs[UNFRAG_FEATURE_TCX] = in_scratch(try_tcx, NULL);
	errs[UNFRAG_FEATURE_XDP] = in_scratch(try_xdp, NULL);
}

static uint64_t read_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, sets))
		return 0;
	return (uint64_t)sets[1].effective << 32 | sets[0].effective;
}

static int64_t read_number(const char *path)
{
	long long n = -1;
	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	if (fscanf(f, "%lld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

/* "FRAG: inuse 0 memory 0" */
static void read_sockstat(struct unfrag_frag_limits *limits)
{
	long long inuse, memory;
	char line[256];
	FILE *f = fopen("/proc/thread-self/net/sockstat", "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "FRAG: inuse %lld memory %lld", &inuse, &memory) != 2)
			continue;
		limits->datagrams = inuse;
		limits->memory = memory;
	}
	fclose(f);
}

/* On a thread inside the namespace: /proc/sys/net is that of who opens it. */
static int read_limits(void *arg)
{
	struct unfrag_frag_limits *limits = arg;

	read_sockstat(&limits[0]);
	limits[0].high_thresh = read_number("/proc/sys/net/ipv4/ipfrag_high_thresh");
	limits[0].timeout = read_number("/proc/sys/net/ipv4/ipfrag_time");
	limits[0].max_dist = read_number("/proc/sys/net/ipv4/ipfrag_max_dist");
	limits[1].high_thresh =
		read_number("/proc/sys/net/netfilter/nf_conntrack_frag6_high_thresh");
	limits[1].timeout = read_number("/proc/sys/net/netfilter/nf_conntrack_frag6_timeout");
	return 0;
}

int probe_limits(int netns_fd, struct unfrag_frag_limits limits[2])
{
	memset(limits, 0xff, 2 * sizeof(*limits));
	return netns_call(netns_fd, read_limits, limits);
}

static const struct {
	int bit;
	const char *name;
} needed_caps[] = {
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
	{ CAP_PERFMON, "CAP_PERFMON" },
	{ CAP_BPF, "CAP_BPF" },
};

/* CAP_SYS_ADMIN stands for the two younger ones. */
static int missing_capabilities(char *buf, size_t size)
{
	uint64_t caps = read_capabilities();
	size_t i, n = 0;

	buf[0] = '\0';
	for (i = 0; i < sizeof(needed_caps) / sizeof(*needed_caps); i++) {
		if (caps & 1ull << needed_caps[i].bit)
			continue;
		if (needed_caps[i].bit != CAP_NET_ADMIN && caps & 1ull << CAP_SYS_ADMIN)
			continue;
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? ", " : "",
				      needed_caps[i].name);
	}
	return n ? -EPERM : 0;
}

/* A few more than any call takes. libbpf, short of them, comes to wrong conclusions. */
#define SPARE_FDS 40

static int require_fds(void)
{
	int fds[SPARE_FDS], n, r = 0;

	for (n = 0; n < SPARE_FDS && !r; n++) {
		fds[n] = open("/", O_PATH | O_CLOEXEC);
		if (fds[n] < 0)
			r = -errno;
	}
	while (n)
		close_p(&fds[--n]);
	if (r)
		return log_error(r, "out of file descriptors, %d more are needed: %s", SPARE_FDS,
				 strerror(-r));
	return 0;
}

bool probe_programs(void)
{
	return probe_program() != -EINVAL;
}

int probe_require_process(void)
{
	char missing[64];

	if (missing_capabilities(missing, sizeof(missing)))
		return log_error(-EPERM, "not permitted: this process lacks %s; run as root",
				 missing);
	return require_fds();
}

static int require_types(void)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return log_error(-EOPNOTSUPP,
				 "this kernel has no type information at "
				 "/sys/kernel/btf/vmlinux (needs CONFIG_DEBUG_INFO_BTF)");
	return 0;
}

int probe_require_types(void)
{
	int r = probe_require_process();

	return r ? r : require_types();
}

/* What was said when a program of two instructions was brought, in words. */
static int judge_kernel(int r)
{
	if (r == -EINVAL)
		return log_error(-EOPNOTSUPP,
				 "this kernel has no BPF netfilter programs (needs "
				 "6.4, built with CONFIG_NETFILTER_BPF_LINK)");
	return require_types();
}

int unfrag_probe_kernel(void)
{
	return judge_kernel(probe_program());
}

int unfrag_probe_require(void)
{
	int r = probe_require_process();

	if (r)
		return r;
	r = probe_program();
	if (r && r != -EINVAL)
		return log_error(r, "a BPF netfilter program can't be loaded: %s%s", strerror(-r),
				 r == -EPERM ? " (is BPF locked down or filtered here?)" : "");
	return judge_kernel(r);
}

int unfrag_probe_new(struct unfrag_probe **out, const char *netns)
{
	_cleanup_free_ struct unfrag_probe *p = calloc(1, sizeof(*p));
	_cleanup_close_ int fd = -1;
	int r;

	if (!p)
		return -ENOMEM;
	fd = netns_open(netns);
	if (fd < 0)
		return fd;
	memset(p->limits, 0xff, sizeof(p->limits));
	/* Features first: trying them may load the IPv6 defragmenter, and its limits with it. */
	probe_features(p);
	r = netns_call(netns ? fd : NETNS_HERE, read_limits, p->limits);
	if (r)
		return log_error(r, "network namespace '%s' can't be entered: %s", netns,
				 strerror(-r));
	p->capabilities = read_capabilities();
	*out = TAKE_PTR(p);
	return 0;
}

void unfrag_probe_free(struct unfrag_probe *probe)
{
	free(probe);
}

enum unfrag_answer unfrag_probe_feature(const struct unfrag_probe *probe,
					enum unfrag_feature feature, int *err)
{
	int e;

	if ((unsigned int)feature >= UNFRAG_FEATURE_MAX)
		return UNFRAG_ANSWER_UNKNOWN;
	e = probe->errs[feature];
	if (err)
		*err = -e;
	if (!e)
		return UNFRAG_ANSWER_YES;
	return e == -EPERM || e == -EACCES || e == -ENOMEM || e == -EMFILE ? UNFRAG_ANSWER_UNKNOWN :
									     UNFRAG_ANSWER_NO;
}

const char *unfrag_probe_bpffs(const struct unfrag_probe *probe)
{
	return probe->bpffs[0] ? probe->bpffs : NULL;
}

uint64_t unfrag_probe_capabilities(const struct unfrag_probe *probe)
{
	return probe->capabilities;
}

const struct unfrag_frag_limits *unfrag_probe_limits(const struct unfrag_probe *probe,
						     uint32_t family)
{
	int i = family_index(family);

	return i < 0 ? NULL : &probe->limits[i];
}
