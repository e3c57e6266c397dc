// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the plain link refuses: the kernel's errno comes through unchanged, for both families, and
 * is told in words that name the cause. Where the kernel's order of checks decides, that is here
 * too, and so are the limits that are still accepted.
 *
 * Not shown here, because a healthy kernel can't be brought to it: missing defragmenter modules,
 * a kernel without links or without the flag, four billion users of the defragmenter.
 */
#define _GNU_SOURCE
#include <attached.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <lab.h>
#include <limits.h>
#include <linking.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <test.h>

#include "link.h"

#define DEFRAG    UNFRAG_NETFILTER_IP_DEFRAG
#define HOOKS_MAX 1024
#define FILES     2048 /* descriptors, for as many links and some more */

typedef struct unfrag_netfilter_opts opts_t;

static const uint32_t families[2] = { LINKING_IPV4, LINKING_IPV6 };

struct row {
	uint32_t hook;
	int32_t priority;
	uint32_t flags;
	int err;
	const char *words;
};

static void refused_rows(struct linking *l, const struct row *rows, size_t n)
{
	for (size_t pf = 0; pf < 2; pf++)
		for (size_t i = 0; i < n; i++)
			linking_refused(l,
					(opts_t){ .pf = families[pf],
						  .hook = rows[i].hook,
						  .priority = rows[i].priority,
						  .flags = rows[i].flags },
					rows[i].err, rows[i].words);
}

#define REFUSED_ROWS(l, rows) refused_rows((l), (rows), sizeof(rows) / sizeof((rows)[0]))

static void other_families_give_eafnosupport(void *state)
{
	/* unspecified, inet, ARP, netdev, bridge, one behind the last, anything */
	static const uint32_t pfs[] = { 0, 1, 3, 5, 7, 13, UINT_MAX };
	char words[64];

	for (size_t i = 0; i < sizeof(pfs) / sizeof(pfs[0]); i++) {
		snprintf(words, sizeof(words), "protocol family %u", pfs[i]);
		linking_refused(state, (opts_t){ .pf = pfs[i], .priority = 1 }, EAFNOSUPPORT,
				words);
	}
}

static void unknown_hooks_give_eproto(void *state)
{
	static const struct row rows[] = {
		{ 5, 1, 0, EPROTO, "hook 5 does not exist" },
		{ 42, 1, 0, EPROTO, "hook 42 does not exist" },
		{ UINT_MAX, 1, DEFRAG, EPROTO, "does not exist" },
	};

	REFUSED_ROWS(state, rows);
}

static void unknown_flags_give_eopnotsupp(void *state)
{
	static const struct row rows[] = {
		{ 0, 1, 2, EOPNOTSUPP, "flags 0x2 are not known" },
		{ 0, 1, DEFRAG | 4, EOPNOTSUPP, "flags 0x5 are not known" },
		{ 0, 1, UINT_MAX, EOPNOTSUPP, "flags 0xffffffff are not known" },
	};

	REFUSED_ROWS(state, rows);
}

static void priorities_out_of_range_give_erange(void *state)
{
	static const struct row rows[] = {
		{ 0, INT_MIN, 0, ERANGE, "priority -2147483648 is the kernel's own" },
		{ 0, INT_MAX, 0, ERANGE, "priority 2147483647 is the kernel's own" },
		{ 0, INT_MIN, DEFRAG, ERANGE, "kernel's own" },
		{ 0, INT_MAX, DEFRAG, ERANGE, "kernel's own" },
	};

	REFUSED_ROWS(state, rows);
}

static void defrag_before_the_defragmenter_gives_erange(void *state)
{
	static const struct row rows[] = {
		{ 0, -400, DEFRAG, ERANGE, "priority -400 is not after" },
		{ 0, -401, DEFRAG, ERANGE, "use -399 or higher" },
		{ 2, INT_MIN + 1, DEFRAG, ERANGE, "kernel's defragmenter at -400" },
	};

	REFUSED_ROWS(state, rows);
}

static void first_of_several_errors_is_told(void *state)
{
	static const struct row rows[] = {
		{ 5, 1, 2, EPROTO, "hook 5" },
		{ 5, INT_MIN, 2, EPROTO, "hook 5" },
		{ 0, INT_MIN, 2, EOPNOTSUPP, "flags 0x2" },
		{ 0, -400, DEFRAG | 2, EOPNOTSUPP, "flags 0x3" },
	};
	const opts_t all_wrong = { .pf = 1, .hook = 5, .priority = INT_MIN, .flags = 2 };

	linking_refused(state, all_wrong, EAFNOSUPPORT, "protocol family 1");
	REFUSED_ROWS(state, rows);
}

static void limits_of_the_range_are_accepted(void *state)
{
	static const struct row rows[] = {
		{ .priority = INT_MIN + 1 },
		{ .priority = INT_MAX - 1 },
		{ .priority = INT_MAX - 1, .flags = DEFRAG },
		{ .priority = -399, .flags = DEFRAG },
		{ .priority = -400 },
		{ .priority = -401 },
	};

	for (size_t pf = 0; pf < 2; pf++)
		for (uint32_t hook = 0; hook < 5; hook++)
			for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
				linking_accepted(state, (opts_t){ .pf = families[pf],
								  .hook = hook,
								  .priority = rows[i].priority,
								  .flags = rows[i].flags });
}

/* What the library's own call can't be made to ask for. */
static void kernel_refuses_another_attach_type_and_link_flags(void *state)
{
	const enum bpf_attach_type netfilter = (enum bpf_attach_type)LINK_ATTACH_TYPE_NETFILTER;
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = 1);
	struct linking *l = state;
	int prog_fd = bpf_program__fd(l->prog);

	test_err(bpf_link_create(prog_fd, 0, BPF_XDP, NULL), -EINVAL);
	test_err(bpf_link_create(prog_fd, 0, netfilter, &opts), -EINVAL);
}

static void programs_of_another_type_give_einval(void *state)
{
	opts_t o = { .sz = sizeof(o), .pf = LINKING_IPV4, .priority = 1 };
	struct linking *l = state;
	char why[256];

	bpf_object__close(l->obj);
	l->obj = NULL;
	test_ok(attached_load(&l->obj, "life_xdp"));
	l->prog = bpf_object__next_program(l->obj, NULL);
	linking_refused(l, o, EINVAL, "not a loaded BPF netfilter program");
	o.pf = LINKING_IPV6;
	linking_refused(l, o, EINVAL, "not a loaded BPF netfilter program");
	/* The sentence is not that of a kernel that lacks a module. */
	o.flags = DEFRAG;
	unfrag_explain(EINVAL, &o, why, sizeof(why));
	assert_null(strstr(why, "modprobe"));
}

static void senseless_arguments_give_einval(void *state)
{
	struct {
		opts_t known;
		uint32_t unknown;
	} longer = { .known = { .sz = sizeof(longer), .pf = LINKING_IPV4 }, .unknown = 1 };
	opts_t o = { .sz = sizeof(o), .pf = LINKING_IPV4 };
	struct linking *l = state;
	struct bpf_object *unloaded = bpf_object__open(TEST_OBJECTS "/shoot.bpf.o");

	assert_non_null(unloaded);
	assert_null(unfrag_attach_netfilter(NULL, &o));
	assert_int_equal(errno, EINVAL);
	assert_null(unfrag_attach_netfilter(bpf_object__next_program(unloaded, NULL), &o));
	assert_int_equal(errno, EINVAL);
	bpf_object__close(unloaded);

	assert_null(attached_link_in(l->ns, l->prog, &longer.known));
	assert_int_equal(errno, EINVAL);
	o.sz = 1;
	assert_null(attached_link_in(l->ns, l->prog, &o));
	assert_int_equal(errno, EINVAL);
	/* No options are all zeroes, and 0 is no family. */
	assert_null(attached_link_in(l->ns, l->prog, NULL));
	assert_int_equal(errno, EAFNOSUPPORT);
}

static void fields_behind_the_callers_struct_are_zero(void *state)
{
	opts_t o = {
		.sz = offsetof(opts_t, flags), .pf = LINKING_IPV4, .priority = 7, .flags = UINT_MAX
	};
	struct linking *l = state;
	struct bpf_link *link = attached_link_in(l->ns, l->prog, &o);

	assert_non_null(link);
	bpf_link__destroy(link);
}

static void same_place_twice_gives_ebusy(void *state)
{
	for (size_t pf = 0; pf < 2; pf++) {
		opts_t o = { .pf = families[pf], .hook = 1, .priority = 42 };
		struct bpf_link *link;

		test_ok(linking_attach(state, o, &link));
		linking_refused(state, o, EBUSY, "priority 42 at ");
		linking_refused(state, o, EBUSY, "input is taken by another hook");
		linking_refused(state, o, EBUSY, pf ? "ipv6" : "ipv4");
		o.flags = DEFRAG;
		linking_refused(state, o, EBUSY, "taken by another hook");
		o.hook = 2;
		linking_accepted(state, o);
		o.hook = 1;
		o.priority = 43;
		linking_accepted(state, o);
		bpf_link__destroy(link);
	}
}

static void place_of_an_nft_chain_gives_ebusy(void *state)
{
	struct linking *l = state;

	test_err(lab_ns_run(l->ns,
			    "nft 'table inet t { chain c { "
			    "type filter hook forward priority 5; }; }'"),
		 0);
	for (size_t pf = 0; pf < 2; pf++) {
		opts_t o = { .pf = families[pf], .hook = 2, .priority = 5 };

		linking_refused(l, o, EBUSY, "forward is taken by another hook");
		o.hook = 1;
		linking_accepted(l, o);
	}
}

static void place_of_the_defragmenter_gives_ebusy_while_it_is_on(void *state)
{
	for (size_t pf = 0; pf < 2; pf++) {
		opts_t wants = { .pf = families[pf], .hook = 2, .flags = DEFRAG };
		opts_t o = { .pf = families[pf], .hook = 0, .priority = -400 };
		struct bpf_link *link;

		linking_accepted(state, o);
		test_ok(linking_attach(state, wants, &link));
		linking_refused(state, o, EBUSY, "priority -400 at ");
		o.hook = 3; /* output, its other place */
		linking_refused(state, o, EBUSY, "output is taken");
		o.hook = 1;
		linking_accepted(state, o);
		o.hook = 0;
		o.flags = DEFRAG; /* out of range comes before taken */
		linking_refused(state, o, ERANGE, "use -399 or higher");
		o.flags = 0;
		bpf_link__destroy(link);
		linking_accepted(state, o);
	}
}

static void no_more_than_1024_hooks_fit_in_one_place(void *state)
{
	static struct bpf_link *links[HOOKS_MAX];
	struct linking *l = state;
	struct rlimit files;

	test_ok(getrlimit(RLIMIT_NOFILE, &files));
	if (files.rlim_cur < FILES)
		files.rlim_cur = FILES;
	if (files.rlim_max < files.rlim_cur)
		files.rlim_max = files.rlim_cur;
	test_ok(setrlimit(RLIMIT_NOFILE, &files));
	for (size_t pf = 0; pf < 2; pf++) {
		opts_t o = { .pf = families[pf], .hook = 2 };

		for (o.priority = 0; o.priority < HOOKS_MAX; o.priority++)
			test_ok(linking_attach(l, o, &links[o.priority]));
		linking_refused(l, o, E2BIG, "has all the 1024 hooks");
		o.hook = 3;
		linking_accepted(l, o);
		for (int i = 0; i < HOOKS_MAX; i++)
			test_ok(bpf_link__destroy(links[i]));
	}
}

static void explanation_is_cut_to_the_buffer(void *state)
{
	opts_t o = { .sz = sizeof(o), .pf = LINKING_IPV4, .priority = -400, .flags = DEFRAG };
	char whole[256], cut[10] = "#########";
	int n = unfrag_explain(ERANGE, &o, whole, sizeof(whole));

	(void)state;
	assert_int_equal(n, strlen(whole));
	assert_int_equal(unfrag_explain(-ERANGE, &o, cut, sizeof(cut)), n);
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
	assert_int_equal(strncmp(cut, whole, sizeof(cut) - 1), 0);
	assert_true(unfrag_explain(ERANGE, NULL, whole, sizeof(whole)) > 0);
}

static const struct test tests[] = {
	LINK_TEST(other_families_give_eafnosupport),
	LINK_TEST(unknown_hooks_give_eproto),
	LINK_TEST(unknown_flags_give_eopnotsupp),
	LINK_TEST(priorities_out_of_range_give_erange),
	LINK_TEST(defrag_before_the_defragmenter_gives_erange),
	LINK_TEST(first_of_several_errors_is_told),
	LINK_TEST(limits_of_the_range_are_accepted),
	LINK_TEST(kernel_refuses_another_attach_type_and_link_flags),
	LINK_TEST(programs_of_another_type_give_einval),
	LINK_TEST(senseless_arguments_give_einval),
	LINK_TEST(fields_behind_the_callers_struct_are_zero),
	LINK_TEST(same_place_twice_gives_ebusy),
	LINK_TEST(place_of_an_nft_chain_gives_ebusy),
	LINK_TEST(place_of_the_defragmenter_gives_ebusy_while_it_is_on),
	LINK_TEST(no_more_than_1024_hooks_fit_in_one_place),
	LINK_TEST(explanation_is_cut_to_the_buffer),
};

TEST_MAIN(tests);
