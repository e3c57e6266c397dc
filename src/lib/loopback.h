/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Whether the kernel's defragmenter is at work, found out by sending: a datagram in two fragments,
 * from and to loopback. The defragmenter at the output hook keeps the first fragment until the
 * second is there; without it the first is on the device at once. For kernels that have nothing
 * better to ask.
 *
 *	sent           on loopback, off      on loopback, on
 *	first          first                 -
 *	second         second                first, second
 *
 * The datagram ends in a socket of ours, whole, and nothing stays behind.
 */
#pragma once

/*
 * In the caller's network namespace, for family 0 or 1: 1, 0, or a negative errno; -ENODATA when
 * neither fragment came to loopback, be it down or guarded by rules.
 */
int loopback_defrags(unsigned int family);

/* Sets the device up; for namespaces that are our own. */
int loopback_up(void);
