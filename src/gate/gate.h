/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The verdict of a compiled ruleset on one packet: from one entry that is worth looking at to the
 * next, through the chains of a place.
 *
 * Who includes this says first where things are:
 *   GATE_CONFIG                                 what was known when the program was loaded
 *   gate_vector_at(i)                           words of a vector
 *   gate_direct_at(field, value)                number of a vector
 *   gate_lines_get(), gate_set_lines_get(set)   trees, and gate_line_at(tree, i): a line of one
 *   gate_entry_at(i), gate_check_at(i), gate_chain_at(i), gate_limit_at(i), gate_counter_at(i)
 *   gate_tuples_get(set), gate_tuple_at(tuples, key)   sets of concatenations
 *   gate_clock()                                ns
 *   gate_lock(p), gate_unlock(p)
 *   gate_log(walk, entry)                       tells of a packet
 *   gate_trace(walk, number, outcome, detail)   enum gate_outcome; in BPF nothing
 *   GATE_STEP                                   how a step is declared: in BPF as a function of
 *                                               its own, verified once, with its own stack frame
 * Pointers are NULL beyond the end of a table.
 */
#pragma once

#include "act.h"
#include "check.h"
#include "table.h"

/* Checks that one step looks at; those of an entry with more are looked at in several. */
#define GATE_CHECKS_A_STEP 4u

/* The rest of the checks of an entry. 0: all hold; 1: one does not, or there are more. */
GATE_INLINE int gate_fails(struct gate_walk *w, const struct gate_entry *e)
{
	const struct gate_check *c;
	__u32 i;

	for (i = 0; i < GATE_CHECKS_A_STEP; i++) {
		if (w->checked >= e->checks)
			return 0;
		c = gate_check_at(e->first_check + w->checked);
		if (!c || !gate_check_holds(w, c)) {
			gate_trace(w, w->pc, GATE_FAILED, w->checked);
			w->checked = 0;
			w->pc = e->next;
			return 1;
		}
		w->checked++;
	}
	return w->checked < e->checks;
}

/* The action of an entry, found in a set if that is how it is. Whether the walk has ended. */
GATE_INLINE int gate_finish(struct gate_walk *w, const struct gate_entry *e)
{
	__u32 action = e->action, target = e->target, verdict;
	const struct gate_check *c;

	if (GATE_CONFIG.features & GATE_HAS_VMAPS && action == GATE_VMAP) {
		c = gate_check_at(target);
		verdict = c ? gate_verdict_of(w, c) : 0;
		gate_trace(w, w->pc, GATE_MATCHED, verdict);
		if (!verdict) {
			w->pc = e->next;
			return 0;
		}
		action = verdict == GATE_VERDICT_CONTINUE ? GATE_NEXT : verdict >> 24;
		target = verdict & 0xffffffu;
	} else {
		gate_trace(w, w->pc, GATE_MATCHED, GATE_VERDICT(action, target));
	}
	return gate_act(w, action, target, e->next);
}

/* An entry that is met: what stands behind its checks. Whether the walk has ended. */
GATE_INLINE int gate_meet(struct gate_walk *w, const struct gate_entry *e)
{
	if (GATE_CONFIG.features & GATE_HAS_LIMITS && e->limit &&
	    gate_is_limited(e->limit - 1, w->values.word[GATE_W_LENGTH])) {
		gate_trace(w, w->pc, GATE_LIMITED, e->limit - 1);
		w->pc = e->next;
		return 0;
	}
	if (e->counter)
		gate_add(e->counter - 1, w->values.word[GATE_W_LENGTH]);
	if (GATE_CONFIG.features & GATE_HAS_LOG && e->log)
		gate_log(w, e);
	return gate_finish(w, e);
}

/* One word of the vectors, or one entry. Whether the walk has ended. */
GATE_INLINE int gate_step_here(struct gate_walk *w)
{
	const struct gate_entry *e;

	if (!w->checked && !gate_seek(w))
		return w->pc < w->end ? 0 : gate_return(w);
	e = gate_entry_at(w->pc);
	if (!e) {
		w->verdict = GATE_DROP;
		return 1;
	}
	if (GATE_CONFIG.features & GATE_HAS_CHECKS && e->checks && gate_fails(w, e))
		return 0;
	w->checked = 0;
	return gate_meet(w, e);
}

GATE_STEP int gate_step(struct gate_walk *w)
{
	return w ? gate_step_here(w) : 1;
}

/*
 * Before the first step: values and hook are filled in. here: no call; a constant. Whether the walk
 * has ended at once.
 */
GATE_INLINE int gate_begin(struct gate_walk *w, __u32 first, __u32 n, int here)
{
	w->base = first;
	w->base_end = first + n;
	w->checked = 0;
	w->verdict = GATE_DROP;
	if (n && here)
		gate_look_up_here(w);
	else if (n)
		gate_look_up(w);
	return gate_enter_base(w);
}
