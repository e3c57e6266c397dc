/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counters of an nftables ruleset as the kernel has them, in the order of its listing, by
 * table: first those of rules, then the named ones. nft(8) is not asked, as there are rulesets
 * that it can load and not list.
 */
#pragma once

#include <ns.h>

struct nft_count {
	/* "FAMILY TABLE CHAIN RULE", RULE from 0 in its chain; or "FAMILY TABLE counter NAME". */
	char where[64];
	uint64_t packets;
	uint64_t bytes;
};

struct nft_counts {
	struct nft_count *count;
	size_t n;
};

/* 0 or -errno. */
int nft_counts_read(struct nft_counts *out, const struct lab_ns *ns);
void nft_counts_release(struct nft_counts *counts);

/* Makes connection tracking forget all flows. 0 or -errno. */
int nft_forget_flows(const struct lab_ns *ns);
