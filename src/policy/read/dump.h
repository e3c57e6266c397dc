/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to nf_tables by netlink, of which the answers go into a listing. */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"

#define DUMP_BUFFER (256u * 1024)

struct dump {
	struct mnl_socket *socket;
	int fd; /* of the listing */
	uint32_t sequence;
	char *buffer; /* what was received last */
};

/* A set whose elements are to be asked for. */
struct dump_set {
	uint8_t family;
	bool may_grow;   /* it is nobody's, and its elements can be deleted */
	char table[256]; /* NFT_NAME_MAXLEN */
	char set[256];
};

/* The attributes of a message of nf_tables. */
void dump_attrs(struct attrs *a, const struct nlmsghdr *message);

int dump_init(struct dump *d, int fd);
void dump_release(struct dump *d);

/* Asks for all of NFT_MSG_GET..., of a set or (NULL) of all there is. */
int dump_ask(struct dump *d, unsigned int type, const struct dump_set *set);

/* Receives once; *len: bytes in d->buffer. */
int dump_receive(struct dump *d, size_t *len);

/* All elements of a set. */
int dump_elements(struct dump *d, const struct dump_set *set);
