/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The record of one datagram: its key, what is known of it, and where its bytes are.
 *
 * Four cache lines: what a lookup compares, what each fragment changes, what opening and ending
 * changes, and the header. Records stand in one array and name each other by index; 0 is none.
 *
 *	          .------ open ------.
 *	FREE ---> OPEN --> COMPLETE --> FREE          read by the caller until the next call
 *	           | '--> REFUSED ---.                its timer runs on, what still comes is dropped
 *	           '-------> GONE ---'--> FREE        waits until its fate is taken
 */
#pragma once

#include "key.h"

/* Lists that a record may be in, at most one of a kind. */
enum link_kind {
	LINK_AGE,    /* all of its family whose timer runs, by first arrival */
	LINK_ROOM,   /* of one room (enum room), by first arrival; free, or complete */
	LINK_SOURCE, /* open ones of one source, by first arrival; or fates to be taken */
	LINK_KINDS,
};

struct link {
	uint32_t prev, next;
};

struct list {
	uint32_t first, last;
};

enum state {
	STATE_FREE,
	STATE_OPEN,
	STATE_REFUSED,
	STATE_COMPLETE,
	STATE_GONE,
};

/* Who goes first when memory is short; see room.c. */
enum room {
	ROOM_EXPOSED,
	ROOM_LUCKY,
	ROOM_SHELTERED,
	ROOM_REFUSED,
	ROOM_MAX,
};

/* Cells whose numbers stand in the record itself; the rest has a table of its own. */
#define CELLS_NEAR 6

/* Header bytes that are kept in the record; a longer one takes a cell. */
#define HEADER_NEAR 64

/* Of fragments as IP packets. */
struct sizes {
	uint16_t largest, smallest;
	uint16_t largest_df; /* of those with don't-fragment */
};

struct datagram {
	struct key key;
	uint32_t hash;
	uint32_t chain; /* the next in its bucket */
	uint8_t state;
	uint8_t room;
	uint8_t family;
	uint8_t reason; /* of its end */
	uint32_t source;

	uint32_t end;       /* bytes of the fragmentable part; 0: no last fragment yet */
	uint32_t top;       /* bytes up to the highest end seen */
	uint32_t held;      /* units held */
	uint32_t fragments; /* held, duplicates not counted */
	uint32_t overlaps;
	struct sizes sizes;
	uint16_t header_len; /* 0: no first fragment yet */
	uint8_t ecn;         /* bit 1 << codepoint: seen */
	bool untold;         /* its fate waits to be taken */
	uint16_t n_cells;
	union {
		struct { /* bytes are copied; see cell.h */
			uint32_t near[CELLS_NEAR];
			uint32_t table;       /* the cell with the numbers of the others */
			uint32_t header_cell; /* the cell with a header too long for the record */
		};
		struct {               /* packets are lent; see slip.h */
			uint32_t root; /* a leaf if there are no levels of nodes */
			uint32_t first_leaf, last_leaf;
			uint32_t nodes;
			uint16_t levels;
			uint16_t bottom;     /* the first unit held */
			uint16_t named_at;   /* in a header too long for the record: a byte */
			uint8_t next_header; /* that is to be this one */
		};
	};

	struct link link[LINK_KINDS];
	uint32_t chain_first, chain_last; /* all its cells, to be freed at once */
	uint32_t opened_at;               /* its source's count of datagrams then */
	uint16_t lost_held, lost_end;     /* if it is the rest of one; see lost.h */
	uint64_t since;                   /* when its first fragment came */
	uint64_t age;                     /* of its end, since then */
	uint64_t number;

	uint8_t header[HEADER_NEAR];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct datagram) == 256, "four cache lines");
_Static_assert(offsetof(struct datagram, end) == 64, "a lookup reads one line");
_Static_assert(offsetof(struct datagram, link) == 128, "a fragment changes one more");
_Static_assert(offsetof(struct datagram, header) == 192, "the header is the last");

static inline void list_append(struct datagram *all, struct list *list, enum link_kind kind,
			       uint32_t i)
{
	struct link *link = &all[i].link[kind];

	link->prev = list->last;
	link->next = 0;
	if (list->last)
		all[list->last].link[kind].next = i;
	else
		list->first = i;
	list->last = i;
}

static inline void list_remove(struct datagram *all, struct list *list, enum link_kind kind,
			       uint32_t i)
{
	const struct link *link = &all[i].link[kind];

	if (link->prev)
		all[link->prev].link[kind].next = link->next;
	else
		list->first = link->next;
	if (link->next)
		all[link->next].link[kind].prev = link->prev;
	else
		list->last = link->prev;
}
