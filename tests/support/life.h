/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of an attachment's life share: a BPF file system of their own, a namespace to
 * attach in, traffic to be judged there, and a look at what is left when all is done.
 *
 * life_begin() moves the test process into a mount namespace with an empty bpffs at /sys/fs/bpf and
 * an empty /run/netns, and into a network namespace, as abstract sockets have their names in one.
 * What a test leaves there, however it ends, is gone with the process, and test processes that run
 * side by side don't see each other's pins. For the same reason links are made at priorities that
 * no other process uses.
 */
#pragma once

#include <bpf/libbpf.h>
#include <ns.h>
#include <stdbool.h>
#include <sys/socket.h>

#include <unfrag/unfrag.h>

#include "../bpf/life.h"

#define LIFE_ROOT          "/sys/fs/bpf/unfrag"
#define LIFE_DEADLINE_MS   30000 /* emulated CPUs are slow */
#define LIFE_NONE_MS       100   /* for what is not to come */
#define LIFE_OBJECT(name)  (TEST_OBJECTS "/life_" name ".bpf.o")
#define LIFE_EXAMPLE(name) (TEST_EXAMPLES "/" name ".bpf.o")

/* Once a process; skips without root. To be called from the test's main thread. */
void life_begin(void);

/* For a forked child that is to have a world of its own, not its parent's. */
void life_begin_anew(void);

/* The library's latest error message. */
const char *life_said(void);

/* A namespace with nothing but loopback, a process that lives in it, and UDP sockets there. */
struct life {
	struct lab_ns *ns;
	const char *path; /* of ns, as opts.netns takes it */
	pid_t keeper;
	int rx[2]; /* by family: IPv4, IPv6; bound to LIFE_PORT */
	int tx[2]; /* connected to it */
};

/*
 * Setup and teardown of a test. The teardown takes away what the test left, and asserts that this
 * was nothing and that the caller is where it was.
 */
void life_up(void **state);
void life_down(void *state);

/* The same, without a namespace. */
void life_clean(void);

/* A process that does nothing but live in the namespace; end it with lab_child_kill(). */
pid_t life_keeper(const struct lab_ns *ns);
pid_t life_keeper_at(const char *path);

/*
 * Makes a namespace that has a name and nothing else, and a wire to it that tells from our end, in
 * the namespace of l, when it is gone. "ip netns del" takes the name away.
 */
void life_named_ns(const struct life *l, char *name, size_t size);
bool life_named_ns_lives(const struct life *l);
void life_expect_named_ns_gone(const struct life *l);

/* Priorities 0 to 99 of this process, unlike any other's. */
int32_t life_priority(int n);

/* Links that stand at those priorities, in any namespace. */
int life_links(void);

/* Asserts that there are so many; what ends by itself is waited for. */
void life_expect_links(int n);

/* Asserts that neither pins nor links are left. */
void life_expect_nothing(void);

/* Options for a test: netns, families, hooks and priority life_priority(0). */
struct unfrag_attach_opts life_opts(const struct life *l, uint32_t families, uint32_t hooks);

/* An object of the tests, opened and loaded. */
struct bpf_object *life_load(const char *path);

/* Loads an object of the tests and attaches its only program; closes the object. 0 or -errno. */
int life_attach(struct unfrag_attachment **out, const char *name, const char *path,
		const struct unfrag_attach_opts *opts);

/* Detaches by name and frees. */
void life_detach(const char *name);

/* For teardowns: detaches if it is there, and asserts nothing. */
void life_remove(const char *name);

/* State by name, or -errno; `info` may be NULL. */
int life_state(const char *name, struct unfrag_attachment_info *info);

/* Sends one datagram to LIFE_PORT over loopback; false if it does not arrive within ms. */
bool life_ping(const struct life *l, int family, int ms);

/* Asserts that one of each family arrives; of each family, that it does or does not. */
void life_expect_pings(const struct life *l);
void life_expect_passing(const struct life *l, bool ipv4, bool ipv6);

/* Asserts that one more datagram is counted, and judged, at every family and hook of `info`. */
void life_expect_judging(const struct life *l, const char *name,
			 const struct unfrag_attachment_info *info);

/* Sums of one outcome, or of all packets (-1), over families and hooks of an attachment. */
uint64_t life_count(const char *name, int outcome);

/* What a judge told into a map named "judged", pinned with program `id` or (0) that in force. */
struct life_judged life_judged(const char *name, uint32_t id, enum life_judge who);

/* Entries of a directory below LIFE_ROOT, sorted, with a blank behind each; "" without it. */
void life_entries(const char *name, char *buf, size_t size);

/* What it looks like now. */
struct unfrag_attachment_info life_info(struct unfrag_attachment *att);

/* Loads an object of the tests and puts its only program in force; closes it. 0 or -errno. */
int life_replace(struct unfrag_attachment *att, const char *path, const char *source);

/* Detaches and frees; asserts that nothing is left. */
void life_end(struct unfrag_attachment *att);
