/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the demo found, as a table for people or as JSON, on stdout.
 */
#pragma once

#include <stdbool.h>

#include "demo_box.h"
#include "demo_smuggle.h"

enum demo_family {
	DEMO_IPV4,
	DEMO_IPV6,
	DEMO_FAMILY_MAX,
};

struct demo_cell {
	int asked; /* large answers */
	int whole; /* of them, came back whole */
	struct demo_smuggled smuggled;
};

struct demo_report {
	struct demo_cell cells[DEMO_BOX_MAX][DEMO_FAMILY_MAX];
};

const char *demo_family_name(enum demo_family family);

/* Whether unfrag let every answer and nothing else through, in both families. */
bool demo_report_good(const struct demo_report *report);

void demo_report_print(const struct demo_report *report);
void demo_report_print_json(const struct demo_report *report);
