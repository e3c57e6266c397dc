/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixture of tests of the plain link: a namespace of its own, a program, and what the library
 * has to say. The calls assert.
 */
#pragma once

#include <ns.h>
#include <test.h>
#include <unfrag/unfrag.h>

#define LINKING_IPV4 2 /* NFPROTO_IPV4 */
#define LINKING_IPV6 10

struct linking {
	struct lab_ns *ns;
	struct bpf_object *obj;
	struct bpf_program *prog; /* of a netfilter program that accepts what is whole */
	char heard[256];          /* the latest error that the library told of */
	char pin[300];            /* to be unlinked in the end; empty: none */
};

void linking_setup(void **state);
void linking_teardown(void *state);

#define LINK_TEST(fn) TEST_WITH(fn, linking_setup, linking_teardown)

/* unfrag_attach_netfilter() in the namespace, `sz` filled in: 0 and the link, or -errno. */
int linking_attach(struct linking *l, struct unfrag_netfilter_opts o, struct bpf_link **link);

/* The place can be had; it is given back. */
void linking_accepted(struct linking *l, struct unfrag_netfilter_opts o);

/* Exactly this errno, and words that name the cause: from unfrag_explain(), and told to the log. */
void linking_refused(struct linking *l, struct unfrag_netfilter_opts o, int err, const char *words);
