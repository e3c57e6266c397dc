// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * What the kernel's errno of a netfilter link means in words. The kernel gives no text, and one
 * errno has several causes; the arguments tell them apart.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "link.h"
#include "names.h"
#include "opts.h"
#include "probe.h"

typedef struct unfrag_netfilter_opts opts_t;

static bool wants_defrag(const opts_t *o)
{
	return o->flags & UNFRAG_NETFILTER_IP_DEFRAG;
}

static const char *defrag_module(const opts_t *o)
{
	return o->pf == 10 ? "nf_defrag_ipv6" : "nf_defrag_ipv4";
}

static int explain_family(const opts_t *o, char *buf, size_t size)
{
	if ((o->pf == 2 || o->pf == 10) && wants_defrag(o))
		return snprintf(buf, size, "this kernel is built without %s", defrag_module(o));
	return snprintf(
		buf, size,
		"protocol family %u can't have a link; use NFPROTO_IPV4 (2) or NFPROTO_IPV6 "
		"(10), one link each",
		o->pf);
}

static int explain_unsupported(const opts_t *o, char *buf, size_t size)
{
	if (o->flags & ~UNFRAG_NETFILTER_IP_DEFRAG)
		return snprintf(buf, size, "flags 0x%x are not known; use 0 or 0x1 (IP_DEFRAG)",
				o->flags);
	if (wants_defrag(o))
		return snprintf(buf, size,
				"this kernel's links can't ask for defragmentation "
				"(needs 6.6)");
	return snprintf(buf, size,
			"this kernel has no BPF netfilter links (needs 6.4, built with "
			"CONFIG_NETFILTER_BPF_LINK)");
}

static int explain_range(const opts_t *o, char *buf, size_t size)
{
	if (o->priority == INT_MIN || o->priority == INT_MAX)
		return snprintf(buf, size, "priority %d is the kernel's own; use %d to %d",
				o->priority, INT_MIN + 1, INT_MAX - 1);
	return snprintf(
		buf, size,
		"priority %d is not after the kernel's defragmenter at %d; use %d or higher",
		o->priority, UNFRAG_PRIORITY_DEFRAG, UNFRAG_PRIORITY_DEFRAG + 1);
}

/*
 * EINVAL: modprobe failed; ENOENT: there is no modprobe, or it did not load what it should; or the
 * program is to blame. Trying with a program that is surely right tells.
 */
static int explain_missing(int err, const opts_t *o, char *buf, size_t size)
{
	int r = probe_link(o->pf, 0);
	struct utsname u = { .release = "" };

	if (r == -EINVAL || r == -EOPNOTSUPP)
		return snprintf(buf, size, "this kernel has no BPF netfilter links (needs 6.4)");
	if (!r && wants_defrag(o) && probe_link(o->pf, o->flags)) {
		uname(&u);
		return snprintf(buf, size,
				"the kernel module %s is missing and could not be loaded; install "
				"the modules of Linux %s and run 'modprobe %s'",
				defrag_module(o), u.release, defrag_module(o));
	}
	if (err == EINVAL)
		return snprintf(buf, size,
				"the program is not a loaded BPF netfilter program, or "
				"an argument is not known to this version");
	return snprintf(buf, size, "%s", strerror(err));
}

static int explain(int err, const opts_t *o, char *buf, size_t size)
{
	const char *hook = unfrag_hook_name((enum unfrag_hook)o->hook);

	switch (err) {
	case EAFNOSUPPORT:
		return explain_family(o, buf, size);
	case EPROTO:
		return snprintf(buf, size,
				"hook %u does not exist; hooks are 0 (prerouting) to 4 "
				"(postrouting)",
				o->hook);
	case EOPNOTSUPP:
		return explain_unsupported(o, buf, size);
	case ERANGE:
		return explain_range(o, buf, size);
	case EBUSY:
		return snprintf(buf, size,
				"priority %d at %s %s is taken by another hook; use "
				"another priority",
				o->priority, family_name(o->pf == 10), hook ? hook : "?");
	case E2BIG:
		return snprintf(buf, size, "%s %s has all the 1024 hooks that it may have",
				family_name(o->pf == 10), hook ? hook : "?");
	case EOVERFLOW:
		return snprintf(buf, size,
				"too many users of the kernel's defragmenter in this "
				"network namespace");
	case EPERM:
		return snprintf(buf, size,
				"not permitted; loading and attaching needs CAP_BPF, "
				"CAP_PERFMON and CAP_NET_ADMIN");
	case EINVAL:
	case ENOENT:
		return explain_missing(err, o, buf, size);
	default:
		return snprintf(buf, size, "%s", strerror(err));
	}
}

int unfrag_explain(int err, const struct unfrag_netfilter_opts *opts, char *buf, size_t size)
{
	opts_t o;

	if (opts_get(&o, sizeof(o), opts))
		memset(&o, 0, sizeof(o));
	return explain(err < 0 ? -err : err, &o, buf, size);
}
