/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command "guard", stopped at each single one of its calls that changes anything, writes to
 * sysctls among them: killed there, or with that call failing; and what must hold after that.
 */
#pragma once

#include "stop.h"
#include "ward.h"

void ward_stop_on(void *world, int err, struct stop_seen *s, unsigned int n);
void ward_stop_off(void *world, int err, struct stop_seen *s, unsigned int n);
void ward_stop_tune(void *world, int err, struct stop_seen *s, unsigned int n);

/* Runs one of these. */
struct stop_seen ward_stop(stop_loop loop, int err);
