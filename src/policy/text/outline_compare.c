// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How two outlines differ. Lines of a part without order are merged; of one with, a longest common
 * subsequence stays, as diff(1) does it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outline.h"

/* Cells of the table of lengths; beyond that all lines between the ends are told as changed. */
#define CELLS_MAX (64u << 20)

struct difference {
	const char *title;
	outline_differs *tell;
	void *arg;
	bool any;
};

struct lines {
	char *const *line;
	size_t n;
};

static void tell(struct difference *d, char sign, const char *line)
{
	d->any = true;
	d->tell(d->title, sign, line, d->arg);
}

static void merge(struct difference *d, struct lines a, struct lines b)
{
	size_t i = 0, j = 0;
	int c;

	while (i < a.n || j < b.n) {
		c = i == a.n ? 1 : j == b.n ? -1 : strcmp(a.line[i], b.line[j]);
		if (c < 0)
			tell(d, '-', a.line[i]);
		else if (c > 0)
			tell(d, '+', b.line[j]);
		i += c <= 0;
		j += c >= 0;
	}
}

static void trim(struct lines *a, struct lines *b)
{
	while (a->n && b->n && !strcmp(a->line[0], b->line[0])) {
		a->line++;
		b->line++;
		a->n--;
		b->n--;
	}
	while (a->n && b->n && !strcmp(a->line[a->n - 1], b->line[b->n - 1])) {
		a->n--;
		b->n--;
	}
}

/* length[i][j]: of the common subsequence of what follows line i of a and line j of b. */
static void fill_lengths(uint16_t *length, struct lines a, struct lines b)
{
	const size_t width = b.n + 1;
	uint16_t down, right;
	size_t i, j;

	for (i = a.n; i-- > 0;)
		for (j = b.n; j-- > 0;) {
			down = length[(i + 1) * width + j];
			right = length[i * width + j + 1];
			if (!strcmp(a.line[i], b.line[j]))
				length[i * width + j] =
					(uint16_t)(length[(i + 1) * width + j + 1] + 1);
			else
				length[i * width + j] = down > right ? down : right;
		}
}

static void follow_lengths(struct difference *d, const uint16_t *length, struct lines a,
			   struct lines b)
{
	const size_t width = b.n + 1;
	size_t i = 0, j = 0;

	while (i < a.n || j < b.n) {
		if (i < a.n && j < b.n && !strcmp(a.line[i], b.line[j])) {
			i++;
			j++;
		} else if (j == b.n ||
			   (i < a.n && length[(i + 1) * width + j] >= length[i * width + j + 1])) {
			tell(d, '-', a.line[i++]);
		} else {
			tell(d, '+', b.line[j++]);
		}
	}
}

static void tell_all(struct difference *d, char sign, struct lines lines)
{
	size_t i;

	for (i = 0; i < lines.n; i++)
		tell(d, sign, lines.line[i]);
}

static int compare_ordered(struct difference *d, struct lines a, struct lines b)
{
	uint16_t *length;

	trim(&a, &b);
	if (!a.n || !b.n || a.n > UINT16_MAX || (a.n + 1) > CELLS_MAX / (b.n + 1)) {
		tell_all(d, '-', a);
		tell_all(d, '+', b);
		return 0;
	}
	length = calloc((a.n + 1) * (b.n + 1), sizeof(*length));
	if (!length)
		return -ENOMEM;
	fill_lengths(length, a, b);
	follow_lengths(d, length, a, b);
	free(length);
	return 0;
}

static const struct outline_part *find(const struct outline *o, const char *title)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (!strcmp(o->parts[i].title, title))
			return &o->parts[i];
	return NULL;
}

/* A part that one of them lacks is told even if it has no line. */
static int compare_parts(struct difference *d, const struct outline_part *a,
			 const struct outline_part *b)
{
	const struct lines none = { NULL, 0 };
	const struct lines from = a ? (struct lines){ a->lines, a->n } : none;
	const struct lines to = b ? (struct lines){ b->lines, b->n } : none;

	d->title = a ? a->title : b->title;
	if (!a || !b)
		tell(d, a ? '-' : '+', "");
	if ((a ? a : b)->is_ordered)
		return compare_ordered(d, from, to);
	merge(d, from, to);
	return 0;
}

int outline_compare(const struct outline *a, const struct outline *b, outline_differs *differs,
		    void *arg)
{
	struct difference d = { .tell = differs, .arg = arg };
	int err = 0;
	size_t i;

	for (i = 0; i < a->n && !err; i++)
		err = compare_parts(&d, &a->parts[i], find(b, a->parts[i].title));
	for (i = 0; i < b->n && !err; i++)
		if (!find(a, b->parts[i].title))
			err = compare_parts(&d, NULL, &b->parts[i]);
	return err ? err : d.any;
}
