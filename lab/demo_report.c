// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the demo found, as a table or as JSON.
 */
#include "demo_report.h"

#include <stdio.h>

#define NAME_WIDTH 44

static const char *const family_names[] = { [DEMO_IPV4] = "IPv4", [DEMO_IPV6] = "IPv6" };
static const char *const box_keys[] = {
	[DEMO_BOX_ACCEPT_LATER] = "accept_later",
	[DEMO_BOX_DROP_LATER] = "drop_later",
	[DEMO_BOX_UNFRAG] = "unfrag",
};
static const char *const family_keys[] = { [DEMO_IPV4] = "ipv4", [DEMO_IPV6] = "ipv6" };

_Static_assert(sizeof(family_names) / sizeof(family_names[0]) == DEMO_FAMILY_MAX, "a name each");
_Static_assert(sizeof(family_keys) / sizeof(family_keys[0]) == DEMO_FAMILY_MAX, "a key each");
_Static_assert(sizeof(box_keys) / sizeof(box_keys[0]) == DEMO_BOX_MAX, "a key each");

const char *demo_family_name(enum demo_family family)
{
	return family_names[family];
}

bool demo_report_good(const struct demo_report *report)
{
	for (int family = 0; family < DEMO_FAMILY_MAX; family++) {
		const struct demo_cell *cell = &report->cells[DEMO_BOX_UNFRAG][family];

		if (!cell->asked || cell->whole != cell->asked)
			return false;
		if (!cell->smuggled.sent || cell->smuggled.through || cell->smuggled.fragments)
			return false;
	}
	return true;
}

static void print_row(enum demo_box_kind kind, const struct demo_cell *cells)
{
	printf("%-*s", NAME_WIDTH, demo_box_name(kind));
	for (int family = 0; family < DEMO_FAMILY_MAX; family++) {
		const struct demo_cell *cell = &cells[family];

		printf("   %7d of %2d   %4d of %4d", cell->whole, cell->asked,
		       cell->smuggled.through, cell->smuggled.sent);
	}
	putchar('\n');
}

void demo_report_print(const struct demo_report *report)
{
	printf("%-*s", NAME_WIDTH, "");
	for (int family = 0; family < DEMO_FAMILY_MAX; family++)
		printf("   %13s   %12s", family_names[family], family_names[family]);
	printf("\n%-*s", NAME_WIDTH, "middlebox");
	for (int family = 0; family < DEMO_FAMILY_MAX; family++)
		printf("   %13s   %12s", "large answers", "smuggled");
	putchar('\n');
	for (int kind = 0; kind < DEMO_BOX_MAX; kind++)
		print_row(kind, report->cells[kind]);
	putchar('\n');
	if (demo_report_good(report)) {
		puts("Judged one by one, fragments smuggle data in or large answers are lost;"
		     " judged whole, neither.");
		puts("On your own machine, with your own rules: unfrag policy load your.nft");
	} else {
		puts("The last row should say that every answer came and nothing was smuggled.");
		puts("What this kernel and this process can do: unfrag probe");
	}
}

static void print_json_cell(enum demo_family family, const struct demo_cell *cell)
{
	printf("\"%s\": {\"answers\": {\"asked\": %d, \"whole\": %d}, ", family_keys[family],
	       cell->asked, cell->whole);
	printf("\"smuggled\": {\"sent\": %d, \"through\": %d, \"fragments\": %d}}",
	       cell->smuggled.sent, cell->smuggled.through, cell->smuggled.fragments);
}

void demo_report_print_json(const struct demo_report *report)
{
	puts("{\n  \"middleboxes\": [");
	for (int kind = 0; kind < DEMO_BOX_MAX; kind++) {
		printf("    {\"middlebox\": \"%s\",\n     ", box_keys[kind]);
		print_json_cell(DEMO_IPV4, &report->cells[kind][DEMO_IPV4]);
		printf(",\n     ");
		print_json_cell(DEMO_IPV6, &report->cells[kind][DEMO_IPV6]);
		puts(kind + 1 < DEMO_BOX_MAX ? "}," : "}");
	}
	printf("  ],\n  \"good\": %s\n}\n", demo_report_good(report) ? "true" : "false");
}
