/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate's skeleton, which is generated and converts as it likes. */
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "gate.skel.h"
#pragma GCC diagnostic pop
