/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes of netlink messages, out of bytes that may hold anything. What is missing reads as
 * nothing, and what is of the wrong size likewise; attributes that a reader does not know are
 * noticed, so that nothing is passed over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATTRS_MAX 48

struct attr {
	const uint8_t *data; /* NULL: not there */
	size_t len;
};

struct attrs {
	struct attr at[ATTRS_MAX];
	uint64_t present;
	bool broken; /* sizes that do not fit, or types beyond the table */
};

/* Takes one attribute off the front of *rest; false at the end, and with *broken at nonsense. */
bool attr_next(struct attr *rest, unsigned int *type, struct attr *out, bool *broken);

void attrs_parse(struct attrs *a, struct attr in);

/* Numbers are in network order. */
uint32_t attr_u32(const struct attrs *a, unsigned int type, uint32_t otherwise);
uint64_t attr_u64(const struct attrs *a, unsigned int type);

/* A string that ends within the attribute, or "". */
const char *attr_text(const struct attrs *a, unsigned int type);

/* NFTA_DATA_VALUE inside: the bytes of a register. */
struct attr attr_value(const struct attrs *a, unsigned int type);
