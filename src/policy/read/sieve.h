/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel tells libnftables of rules, with some of them left blank: a rule without
 * expressions, and sets of its own without elements. So libnftables lists a ruleset in which it
 * can't write every rule, and each rule still has its line.
 *
 * libnftables calls recvmsg(2) through its own definition here. If it should do otherwise one day,
 * nothing is blank.
 */
#pragma once

#include "scratch_rules.h"

/*
 * From here on, in this process and for good. `blank` has a flag for each rule that was loaded, in
 * the kernel's order; it and `loaded` stay the caller's.
 */
void sieve_start(const struct scratch_rules *loaded, const bool *blank);
