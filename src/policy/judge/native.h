/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An image evaluated in plain memory, by the same text as in BPF (src/gate).
 */
#pragma once

#include "image.h"
#include "trial.h"

struct native;

/* The image must stay. 0 or -ENOMEM. */
int native_new(struct native **out, const struct image *image);
void native_free(struct native *n);

/* GATE_ACCEPT or GATE_DROP of all places at a hook, in their order. now: ns. */
uint32_t native_packet(struct native *n, uint32_t family, uint32_t hook,
		       const struct gate_values *v, uint64_t now);

/* From what they start with. */
const struct gate_counter *native_counters(const struct native *n);

/* Of the last packet, in order. No more than NATIVE_LOGS_MAX of them are kept. */
#define NATIVE_LOGS_MAX 4096u
const struct trial_log *native_logs(const struct native *n, size_t *count);
