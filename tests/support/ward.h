/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the guard share: two namespaces on a wire, the second one guarded; fragments
 * sent there; what the guard says of them; and a look at what is left when it is off: pins, links,
 * programs at devices, sysctls.
 */
#pragma once

#include <jansson.h>
#include <net.h>
#include <poll.h>

#include "command.h"
#include "life.h"

#define WARD_SYSCTLS 7

struct ward {
	struct lab_pair *pair;
	const struct lab_ns *ns; /* of the server */
	const char *path;        /* of that */
	char priority[16];       /* unlike any other process's */
	int64_t sysctls[WARD_SYSCTLS];
};

void ward_up(void **state);
void ward_down(void *state);

/* "guard WORD --netns PATH ..." */
#define ward_run(g, c, word, ...) \
	command_run((c), "guard", (word), "--netns", (g)->path, ##__VA_ARGS__)

/* Puts it on at netfilter, with small tables, or asserts. */
#define ward_on(g, ...) \
	do { \
		struct command on_; \
		assert_int_equal(ward_run((g), &on_, "on", "--datagrams", "256", "--priority", \
					  (g)->priority, ##__VA_ARGS__), \
				 0); \
	} while (0)

/* Asserts that it is on and ready, takes it off, and asserts that nothing is left. */
void ward_off(struct ward *g);

/* State of the guard there, or -ENOENT. */
int ward_state(const struct ward *g, struct unfrag_guard_info *info);

/* What was there before, and nothing else. */
void ward_expect_nothing(const struct ward *g);

/* Values of the sysctls that a guard may change, in one order; -1 for what is not there. */
void ward_read_sysctls(const struct ward *g, int64_t values[WARD_SYSCTLS]);
int64_t ward_sysctl(const struct ward *g, const char *name);

/* What "status --json" prints; asserts that it is JSON. */
json_t *ward_status(const struct ward *g);

/* Of a family, by the library; a member of it; and until it is that. */
struct unfrag_guard_stats ward_stats(const struct ward *g, int family);

#define ward_number(g, family, member) ((int64_t)ward_stats((g), (family)).member)

#define ward_wait(g, family, member, want) \
	do { \
		int64_t deadline_ = lab_now_ms() + 3 * LIFE_DEADLINE_MS; \
		while (ward_number((g), (family), member) != (want) && lab_ms_left(deadline_)) \
			poll(NULL, 0, 2); \
		assert_int_equal(ward_number((g), (family), member), (want)); \
	} while (0)

/* Fragments of 1,200 bytes of a UDP datagram with 3,000, numbered 0 to 2: those of the mask. */
#define WARD_ALL 7u
void ward_send(const struct ward *g, int family, uint32_t id, unsigned int mask);

/* One fragment as it is told: see lab_fragment_at(). */
void ward_send_at(const struct ward *g, int family, uint32_t id, size_t offset, size_t len,
		  bool more);

/* Sends all of a datagram and asserts that it comes whole. */
void ward_exchange(const struct ward *g, int family, uint32_t id);
