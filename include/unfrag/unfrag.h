/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * libunfrag: BPF netfilter programs that judge whole IPv4 and IPv6 packets, never fragments.
 *
 * Functions return 0 or a negative errno, leave their out parameters untouched on failure, never
 * print and never exit; what went wrong is told in words to the log callback. Handles are not
 * thread-safe, different handles may be used by different threads. Nothing needs a running
 * process: what outlives a call is pinned in a BPF file system. Manual: libunfrag(3).
 */
#pragma once

#include <unfrag/attachment.h>
#include <unfrag/attachment_info.h>
#include <unfrag/base.h>
#include <unfrag/defrag.h>
#include <unfrag/guard.h>
#include <unfrag/guard_stats.h>
#include <unfrag/link.h>
#include <unfrag/outcome.h>
#include <unfrag/places.h>
#include <unfrag/probe.h>
#include <unfrag/reason.h>
