// SPDX-License-Identifier: GPL-2.0-or-later
#include "link_run.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <unfrag/unfrag.h>

#include "bench.h"
#include "front.h"
#include "link.h"
#include "only_dns.skel.h"
#include "util.h"

#define NF_ACCEPT 1

static const char *const names[] = {
	[RUN_PASS] = "accepts everything",
	[RUN_PASS_BEHIND_FRONT] = "accepts everything, behind the front",
	[RUN_ONLY_DNS] = "only_dns",
	[RUN_ONLY_DNS_BEHIND_FRONT] = "only_dns, behind the front",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == RUN_MAX, "a name each");

struct runs {
	struct only_dns_bpf *only_dns;
	int pass_fd;
	struct front before_pass, before_only_dns;
};

const char *run_name(enum run_kind kind)
{
	return names[kind];
}

static void runs_freep(struct runs **runs)
{
	runs_free(*runs);
}

static int load(struct runs *runs)
{
	int err;

	runs->only_dns = only_dns_bpf__open_and_load();
	if (!runs->only_dns)
		return bench_error(-errno, "can't load only_dns: %s", strerror(errno));
	runs->pass_fd = link_load_pass();
	if (runs->pass_fd < 0)
		return bench_error(runs->pass_fd, "can't load a program: %s",
				   strerror(-runs->pass_fd));
	err = front_load(&runs->before_pass, 0);
	if (!err)
		err = front_load(&runs->before_only_dns, 0);
	if (!err)
		err = front_put(runs->before_pass.slot_fd, 0, runs->pass_fd);
	if (!err)
		err = front_put(runs->before_only_dns.slot_fd, 0,
				bpf_program__fd(runs->only_dns->progs.only_dns));
	return err;
}

int runs_new(struct runs **out)
{
	lab_cleanup(runs_freep) struct runs *runs = calloc(1, sizeof(*runs));
	int err;

	if (!runs)
		return -ENOMEM;
	runs->pass_fd = -1;
	runs->before_pass = (struct front)FRONT_INIT;
	runs->before_only_dns = (struct front)FRONT_INIT;
	err = load(runs);
	if (err)
		return err;
	*out = LAB_TAKE_PTR(runs);
	return 0;
}

void runs_free(struct runs *runs)
{
	if (!runs)
		return;
	only_dns_bpf__destroy(runs->only_dns);
	lab_closep(&runs->pass_fd);
	front_release(&runs->before_pass);
	front_release(&runs->before_only_dns);
	free(runs);
}

static int program_of(const struct runs *runs, enum run_kind kind)
{
	switch (kind) {
	case RUN_PASS:
		return runs->pass_fd;
	case RUN_PASS_BEHIND_FRONT:
		return runs->before_pass.prog_fds[0];
	case RUN_ONLY_DNS:
		return bpf_program__fd(runs->only_dns->progs.only_dns);
	default:
		return runs->before_only_dns.prog_fds[0];
	}
}

int runs_measure(struct runs *runs, enum run_kind kind, int family, const void *frame, size_t size,
		 unsigned int repeat, double *ns)
{
	/* The start of struct nf_hook_state: hook and family. */
	uint8_t state[8] = { UNFRAG_HOOK_PREROUTING, (uint8_t)family };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (uint32_t)size,
		    .ctx_in = state, .ctx_size_in = sizeof(state), .repeat = (int)repeat);
	double started = bench_now_ns();
	int err = bpf_prog_test_run_opts(program_of(runs, kind), &opts);

	*ns = (bench_now_ns() - started) / repeat;
	if (err)
		return bench_error(err, "can't run '%s': %s", run_name(kind), strerror(-err));
	if (opts.retval != NF_ACCEPT)
		return bench_error(-EBADMSG, "'%s' did not accept the packet", run_name(kind));
	return 0;
}
