// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "reasm_target.h"

struct seen {
	int n, reached;
	double worst;
	char where[64];
};

static const struct {
	const char *what;
	double limit;
	bool most; /* the limit is the most there may be, not the least */
} targets[] = {
	[TARGET_HOT] = { "one at a time, M fragments a second", 10, false },
	[TARGET_HOT_PEER] = { "one at a time, times the peer's rate", 1.2, false },
	[TARGET_WIDE] = { "10,000 at once, M fragments a second", 3, false },
	[TARGET_WIDE_PEER] = { "10,000 at once, times the peer's rate, all-in", 2, false },
	[TARGET_REVERSED] = { "44 reversed, times the cost in order", 1.5, true },
	[TARGET_RANDOM] = { "8,191 at random, times the cost of 44 in order", 3, true },
	[TARGET_FLOOD] = { "flood, percent of honest datagrams whole", 95, false },
};

_Static_assert(sizeof(targets) / sizeof(targets[0]) == TARGET_MAX, "a line for each");

static struct seen all[TARGET_MAX][2];

static bool is_worse(enum target target, double value, double than)
{
	return targets[target].most ? value > than : value < than;
}

void target_note(enum target target, bool lent, double value, const char *where)
{
	struct seen *seen = &all[target][lent];

	seen->reached += !is_worse(target, value, targets[target].limit);
	if (seen->n++ && !is_worse(target, value, seen->worst))
		return;
	seen->worst = value;
	snprintf(seen->where, sizeof(seen->where), "%s", where);
}

static void print_seen(const struct seen *seen, const char *how)
{
	printf("; %s %s: %.2f", how, seen->reached == seen->n ? "reached" : "missed", seen->worst);
	if (seen->n > 1)
		printf(" at worst (%s), %d of %d loads reach it", seen->where, seen->reached,
		       seen->n);
}

void targets_print(void)
{
	int i;

	puts("");
	for (i = 0; i < TARGET_MAX; i++) {
		if (!all[i][false].n)
			continue;
		printf("target %s: at %s %g", targets[i].what, targets[i].most ? "most" : "least",
		       targets[i].limit);
		print_seen(&all[i][false], "copied");
		print_seen(&all[i][true], "lent");
		putchar('\n');
	}
}
