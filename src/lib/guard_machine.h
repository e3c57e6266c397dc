/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Limits against the machine and the namespace that they are for.
 */
#pragma once

#include "guard_limits.h"
#include "guard_sysctl.h"

/*
 * Settles limits (see limits_settle()) against the machine's memory and the sysctls of the
 * namespace, which follow if `tuned`. fresh: the tables are yet to be made. Logs the error.
 */
int machine_settle(struct unfrag_guard_limits *limits, const struct sysctl_values *now,
		   uint32_t families, bool tuned, bool fresh);
