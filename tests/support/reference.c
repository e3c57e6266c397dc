// SPDX-License-Identifier: GPL-2.0-or-later
#include "reference.h"

#include <string.h>

void reference_reset(struct reference *ref, enum unfrag_reasm_policy policy)
{
	memset(ref, 0, sizeof(*ref));
	ref->policy = policy;
}

/* The piece around a byte: its neighbours of the same owner. */
static void piece_around(const int *owner, int byte, int *from, int *to)
{
	*from = byte;
	*to = byte + 1;
	while (*from > 0 && owner[*from - 1] == owner[byte])
		--*from;
	while (*to < REFERENCE_MAX && owner[*to] == owner[byte])
		++*to;
}

static bool newcomer_wins(enum unfrag_reasm_policy policy, int held, int held_to, int off, int to)
{
	if (policy == UNFRAG_REASM_LAST)
		return true;
	if (policy == UNFRAG_REASM_BSD)
		return !(held <= off);
	if (policy == UNFRAG_REASM_BSD_RIGHT)
		return held <= off;
	if (policy == UNFRAG_REASM_LINUX)
		return !(held < off);
	if (policy == UNFRAG_REASM_WINDOWS)
		return off < held && to > held_to;
	if (policy == UNFRAG_REASM_SOLARIS)
		return off < held && to >= held_to;
	return false;
}

static bool is_copy(const struct reference *ref, int off, const uint8_t *data, int len)
{
	int from, to;

	if (!ref->owner[off])
		return false;
	piece_around(ref->owner, off, &from, &to);
	return from == off && to == off + len && !memcmp(ref->data + off, data, (size_t)len);
}

static bool overlaps(const struct reference *ref, int off, int len)
{
	int i;

	for (i = off; i < off + len; i++)
		if (ref->owner[i])
			return true;
	return false;
}

static bool take(struct reference *ref, int off, const uint8_t *data, int len)
{
	static int before[REFERENCE_MAX];
	int me = ref->fragments + 1, i, from, to;
	bool any = false;

	memcpy(before, ref->owner, sizeof(before));
	for (i = off; i < off + len; i++) {
		if (before[i]) {
			piece_around(before, i, &from, &to);
			if (!newcomer_wins(ref->policy, from, to, off, off + len))
				continue;
		}
		ref->owner[i] = me;
		ref->data[i] = data[i - off];
		any = true;
	}
	return any;
}

static bool is_whole(const struct reference *ref)
{
	int i;

	for (i = 0; i < ref->end; i++)
		if (!ref->owner[i])
			return false;
	return ref->end > 0;
}

static enum unfrag_reasm_outcome drop(struct reference *ref, enum unfrag_reason why,
				      enum unfrag_reason *reason)
{
	ref->refused = true;
	*reason = why;
	return UNFRAG_REASM_DROPPED;
}

enum unfrag_reasm_outcome reference_push(struct reference *ref, int off, const uint8_t *data,
					 int len, bool more, enum unfrag_reason *reason)
{
	int to = off + len;

	*reason = UNFRAG_REASON_NONE;
	if (ref->refused)
		return drop(ref, UNFRAG_REASON_REFUSED, reason);
	if (ref->end && (to > ref->end || (!more && to != ref->end)))
		return drop(ref, UNFRAG_REASON_END, reason);
	if (!more && to < ref->top)
		return drop(ref, UNFRAG_REASON_END, reason);
	if (is_copy(ref, off, data, len))
		return UNFRAG_REASM_DUPLICATE;
	if (ref->policy == UNFRAG_REASM_DROP && overlaps(ref, off, len))
		return drop(ref, UNFRAG_REASON_OVERLAP, reason);
	if (!take(ref, off, data, len))
		return UNFRAG_REASM_DUPLICATE;
	ref->fragments++;
	if (to > ref->top)
		ref->top = to;
	if (!more)
		ref->end = to;
	return is_whole(ref) ? UNFRAG_REASM_COMPLETE : UNFRAG_REASM_HELD;
}
