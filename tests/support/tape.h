/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captures for tests: packets put down one by one, run through src/capture, and read back. Made of
 * libpcap alone, so that what it writes and reads is not judged by what is tested. Whatever goes
 * wrong here fails the test.
 */
#pragma once

#include <capture.h>
#include <frag.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAPE_BEGIN UINT64_C(1700000000123456789) /* ns: of the first packet */
#define TAPE_STEP  UINT64_C(1000001)             /* ns from one packet to the next */

struct tape_packet {
	uint64_t time;
	uint32_t caplen, len;
	uint8_t *data;
};

struct tape {
	int link; /* DLT_* */
	bool micro;
	struct tape_packet *packets;
	size_t count;
	uint64_t now; /* time of the next packet */
};

/* Everything that a run gives. */
struct tape_run {
	struct capture_opts opts; /* in, out and callbacks are filled in */
	bool compare;
	struct capture_stats stats;
	struct trouble trouble;
	struct tape out;
	struct record *records;
	size_t n_records;
	struct difference *differences;
	size_t n_differences;
};

void tape_init(struct tape *t, int link);
void tape_release(struct tape *t);

/* Released at the end of the scope. */
#define auto_tape     __attribute__((cleanup(tape_release)))
#define auto_tape_run __attribute__((cleanup(tape_run_release)))

/* A packet: a link header, IP, and something behind it that is no part of the datagram. */
void tape_add(struct tape *t, const void *link, size_t link_len, const void *ip, size_t ip_len,
	      size_t padding);

/* All packets, behind a link header. */
void tape_add_all(struct tape *t, const void *link, size_t link_len,
		  const struct lab_packets *packets);

/* A directory for the files of one test, and a path in it; the last sixteen paths stay valid. */
void tape_setup(void **state);
void tape_teardown(void *state);
const char *tape_path(const char *name);

void tape_write(const struct tape *t, const char *path);
void tape_read(struct tape *t, const char *path);

/* Takes bytes off the end of a file. */
void tape_truncate(const char *path, long bytes);

/* Writes the tape, runs it through, reads what came out. Checks that the account adds up. */
void tape_run(struct tape_run *run, const struct tape *in);
/* The same of a file that is there already. */
void tape_run_file(struct tape_run *run, const char *path);
void tape_run_release(struct tape_run *run);

/* The sums that capture.h promises. */
void tape_expect_account(const struct capture_stats *s);
