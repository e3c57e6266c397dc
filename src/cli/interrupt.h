/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ctrl-C and SIGTERM for verbs that look on until they are told to end.
 */
#pragma once

#include <stdbool.h>

/* From here on they end waiting, with EINTR, and nothing else. */
void interrupt_catch(void);
bool interrupt_came(void);
