// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BPF_PROG_TEST_RUN as the kernel has it for netfilter: the context is a struct nf_hook_state of
 * which only hook and family may be set; data starts at the IP header for the output hook, and with
 * an Ethernet header for all others.
 */
#include "testrun.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <net/ethernet.h>
#include <string.h>

#define PF_IPV6   10
#define LOCAL_OUT 3

/* struct nf_hook_state */
struct state {
	uint8_t hook;
	uint8_t pf;
	uint64_t pointers[5];
};

int testrun(int prog_fd, uint32_t pf, uint32_t hook, const void *packet, size_t len, int repeat)
{
	struct state state = { .hook = (uint8_t)hook, .pf = (uint8_t)pf };
	unsigned char frame[sizeof(struct ether_header) + TESTRUN_MAX];
	struct ether_header eth = { 0 };
	size_t before = hook == LOCAL_OUT ? 0 : sizeof(eth);
	int r;

	if (len > TESTRUN_MAX)
		return -EMSGSIZE;
	eth.ether_type = htons(pf == PF_IPV6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	memcpy(frame, &eth, before);
	memcpy(frame + before, packet, len);

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		    .data_size_in = (uint32_t)(before + len), .ctx_in = &state,
		    .ctx_size_in = sizeof(state), .repeat = repeat);
	r = bpf_prog_test_run_opts(prog_fd, &opts);
	return r ? r : (int)opts.retval;
}
