/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Messages to the kernel's nftables, written by hand: the little that hold_rule.c says needs no
 * library, and those there are (libnftnl, libnftables) have a licence that would become this one's.
 *
 * A batch is carried out as a whole or not at all. What does not fit makes it invalid, which is
 * looked at once, when it is sent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NFT_BATCH_SIZE 4096

struct nft_batch {
	/* Aligned for what is read from and written to it. */
	_Alignas(8) unsigned char data[NFT_BATCH_SIZE];
	size_t len;
	size_t message; /* where the latest one starts */
	uint32_t seq;   /* of the latest one */
	bool full;
};

/* A batch with its first message; nft_batch_run() adds the last. */
void nft_batch_begin(struct nft_batch *b);

/* The next message: NFT_MSG_..., NLM_F_... besides those that all have, NFPROTO_... */
void nft_message(struct nft_batch *b, int type, int flags, int family);

/* Attributes of the latest message. Numbers go in network order, as nftables wants them. */
void nft_put(struct nft_batch *b, int type, const void *data, size_t len);
void nft_put_text(struct nft_batch *b, int type, const char *text);
void nft_put_u32(struct nft_batch *b, int type, uint32_t n);

/* Attributes inside of another: what is put between the two calls. */
size_t nft_nest(struct nft_batch *b, int type);
void nft_nest_end(struct nft_batch *b, size_t nest);

/* A socket of the caller's network namespace, or a negative errno. */
int nft_socket(void);

/* 0, or the errno of the first message that was refused. */
int nft_batch_run(struct nft_batch *b, int sock);

/* Sends one message that is no batch; 0 or the kernel's errno. For NFT_MSG_GET... */
int nft_ask_table(int sock, int family, const char *table);
