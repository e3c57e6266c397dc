// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A libnftables that can't do what it is asked for. STUB_NFTABLES says what: "statement" (as older
 * versions, it does not know one), "start", "memory" or "exit" (it ends the process), and when it
 * lists "list" or "listing".
 */
#include <nftables/libnftables.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As libnftables ends a process that has no memory. */
#define EXIT_NO_MEMORY 2

struct nft_ctx {
	bool failed;
};

static bool lacks(const char *what)
{
	const char *is = getenv("STUB_NFTABLES");

	return is && !strcmp(is, what);
}

struct nft_ctx *nft_ctx_new(uint32_t flags)
{
	(void)flags;
	return lacks("start") ? NULL : calloc(1, sizeof(struct nft_ctx));
}

int nft_ctx_buffer_output(struct nft_ctx *ctx)
{
	(void)ctx;
	return 0;
}

int nft_ctx_buffer_error(struct nft_ctx *ctx)
{
	(void)ctx;
	return 0;
}

void nft_ctx_output_set_flags(struct nft_ctx *ctx, unsigned int flags)
{
	(void)ctx;
	(void)flags;
}

int nft_run_cmd_from_filename(struct nft_ctx *nft, const char *filename)
{
	(void)filename;
	if (lacks("memory"))
		_exit(EXIT_NO_MEMORY);
	if (lacks("exit"))
		_exit(99);
	nft->failed = lacks("statement");
	return nft->failed ? -1 : 0;
}

int nft_run_cmd_from_buffer(struct nft_ctx *nft, const char *buf)
{
	(void)nft;
	(void)buf;
	if (lacks("listing"))
		_exit(98);
	return -1;
}

const char *nft_ctx_get_error_buffer(struct nft_ctx *ctx)
{
	return ctx->failed ? "rules.nft:4:1-3: Error: syntax error, unexpected udp\n"
			     "udp dport 9 counter accept\n^^^\n" :
			     "";
}

const char *nft_ctx_get_output_buffer(struct nft_ctx *ctx)
{
	(void)ctx;
	return "";
}
