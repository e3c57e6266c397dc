// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "link_side.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <unfrag/unfrag.h>

#include "bench.h"
#include "child.h"
#include "link_policy.skel.h"

#define FAMILIES 2

static const char *const names[] = {
	[SIDE_NONE] = "no program",
	[SIDE_LINK] = "plain link",
	[SIDE_LINK_DEFRAG] = "plain link with DEFRAG",
	[SIDE_ATTACHMENT] = "unfrag attachment",
	[SIDE_NFTABLES] = "nftables with conntrack",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == SIDE_MAX, "a name each");

static const char ruleset[] =
	"table inet bench {\n"
	"	chain only_dns {\n"
	"		type filter hook prerouting priority -199; policy drop;\n"
	"		ct state invalid drop\n"
	"		meta l4proto { icmp, ipv6-icmp } accept\n"
	"		udp sport 53 accept\n"
	"		udp dport 53 accept\n"
	"	}\n"
	"}\n";

struct sides {
	const struct lab_ns *middle;
	struct link_policy_bpf *skel;
	enum side_kind standing;
	struct bpf_link *links[FAMILIES];
	struct unfrag_attachment *attachment;
};

const char *side_name(enum side_kind kind)
{
	return names[kind];
}

static void sides_freep(struct sides **sides)
{
	sides_free(*sides);
}

int sides_new(struct sides **out, const struct lab_ns *middle)
{
	lab_cleanup(sides_freep) struct sides *sides = calloc(1, sizeof(*sides));
	int err;

	if (!sides)
		return -ENOMEM;
	sides->middle = middle;
	sides->skel = link_policy_bpf__open_and_load();
	if (!sides->skel)
		return bench_error(-errno, "can't load the policy program: %s", strerror(errno));
	err = lab_ns_run(NULL, "nft --version");
	if (err)
		return bench_error(-ENOENT, "nft does not run: ./dev deps test installs it");
	*out = LAB_TAKE_PTR(sides);
	return 0;
}

void sides_free(struct sides *sides)
{
	if (!sides)
		return;
	side_down(sides);
	link_policy_bpf__destroy(sides->skel);
	free(sides);
}

struct plain {
	struct sides *sides;
	uint32_t flags;
};

/* Inside the middlebox. */
static int attach_links(void *arg)
{
	static const uint32_t pfs[FAMILIES] = { 2, 10 }; /* NFPROTO_IPV4, NFPROTO_IPV6 */
	const struct plain *plain = arg;

	for (int i = 0; i < FAMILIES; i++) {
		struct unfrag_netfilter_opts opts = {
			.sz = sizeof(opts),
			.pf = pfs[i],
			.hook = UNFRAG_HOOK_PREROUTING,
			.priority = UNFRAG_PRIORITY_DEFAULT,
			.flags = plain->flags,
		};
		struct bpf_program *policy = plain->sides->skel->progs.accept_later;

		plain->sides->links[i] = unfrag_attach_netfilter(policy, &opts);
		if (!plain->sides->links[i])
			return -errno;
	}
	return 0;
}

static int attach_plain(struct sides *sides, uint32_t flags)
{
	struct plain plain = { .sides = sides, .flags = flags };

	return lab_ns_call(sides->middle, attach_links, &plain);
}

static int attach_unfrag(struct sides *sides)
{
	const struct unfrag_attach_opts opts = {
		.sz = sizeof(opts),
		.netns = lab_ns_path(sides->middle),
	};
	char name[32];

	snprintf(name, sizeof(name), "bench-link-%d", (int)getpid());
	return unfrag_attachment_attach(&sides->attachment, name, sides->skel->obj,
					sides->skel->progs.accept_later, &opts);
}

static int run_nft(const struct sides *sides, const char *commands)
{
	int err = lab_ns_run(sides->middle, "nft -f - <<'END'\n%s\nEND\n", commands);

	return err > 0 ? -EIO : err;
}

int side_up(struct sides *sides, enum side_kind kind)
{
	int err = side_down(sides);

	if (err)
		return err;
	sides->standing = kind;
	switch (kind) {
	case SIDE_LINK:
		err = attach_plain(sides, 0);
		break;
	case SIDE_LINK_DEFRAG:
		err = attach_plain(sides, UNFRAG_NETFILTER_IP_DEFRAG);
		break;
	case SIDE_ATTACHMENT:
		err = attach_unfrag(sides);
		break;
	case SIDE_NFTABLES:
		err = run_nft(sides, ruleset);
		break;
	default:
		break;
	}
	if (err)
		bench_complain("can't set up '%s': %s", side_name(kind), strerror(-err));
	return err;
}

int side_down(struct sides *sides)
{
	enum side_kind kind = sides->standing;
	int err = 0;

	sides->standing = SIDE_NONE;
	for (int i = 0; i < FAMILIES; i++) {
		bpf_link__destroy(sides->links[i]);
		sides->links[i] = NULL;
	}
	if (sides->attachment)
		err = unfrag_attachment_detach(sides->attachment);
	unfrag_attachment_free(sides->attachment);
	sides->attachment = NULL;
	if (kind == SIDE_NFTABLES)
		err = run_nft(sides, "delete table inet bench");
	if (err)
		bench_complain("can't take '%s' away: %s", side_name(kind), strerror(-err));
	return err;
}

bool side_saw(const struct sides *sides, int family, uint64_t whole, uint64_t reassembled)
{
	struct unfrag_counters counters = { .sz = sizeof(counters) };
	uint32_t which = family == AF_INET6 ? UNFRAG_FAMILIES_IPV6 : UNFRAG_FAMILIES_IPV4;
	int err;

	if (sides->standing != SIDE_ATTACHMENT)
		return true;
	err = unfrag_attachment_counters(sides->attachment, which, UNFRAG_HOOK_PREROUTING,
					 &counters);
	if (err)
		return false;
	/* Whole ones may be more: the stack's own listener reports. */
	return counters.outcomes[UNFRAG_OUTCOME_WHOLE] >= whole &&
	       counters.outcomes[UNFRAG_OUTCOME_REASSEMBLED] == reassembled &&
	       counters.packets == counters.outcomes[UNFRAG_OUTCOME_WHOLE] + reassembled;
}
