// SPDX-License-Identifier: GPL-2.0-or-later
#include "gate_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "net.h"

#define HEAD_TABLE "table inet bench {\n"
#define HEAD_CHAIN \
	"\tchain bench {\n" \
	"\t\ttype filter hook prerouting priority -150; policy accept;\n"

static const char *const names[] = {
	[GATE_PLACE_FIRST] = "first",
	[GATE_PLACE_MIDDLE] = "middle",
	[GATE_PLACE_LAST] = "last",
	[GATE_PLACE_NONE] = "none",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == GATE_PLACE_MAX, "a name each");

const char *gate_place_name(enum gate_place place)
{
	return names[place];
}

static int finish(FILE *f, const char *path)
{
	fputs("\t}\n}\n", f);
	if (fclose(f))
		return bench_error(-errno, "can't write '%s': %s", path, strerror(errno));
	return 0;
}

static unsigned int matching_rule(unsigned int rules, enum gate_place place)
{
	switch (place) {
	case GATE_PLACE_FIRST:
		return 0;
	case GATE_PLACE_MIDDLE:
		return rules / 2;
	case GATE_PLACE_LAST:
		return rules - 1;
	default:
		return rules;
	}
}

int gate_file_rules(const char *path, unsigned int rules, enum gate_place place)
{
	unsigned int matching = matching_rule(rules, place);
	FILE *f = fopen(path, "w");

	if (!f)
		return bench_error(-errno, "can't write '%s': %s", path, strerror(errno));
	fputs(HEAD_TABLE HEAD_CHAIN, f);
	for (unsigned int i = 0; i < rules; i++)
		if (i == matching)
			fputs("\t\tip saddr " LAB_CLIENT_V4 " udp dport 53 counter accept\n", f);
		else
			fprintf(f, "\t\tip saddr 10.%u.%u.%u %s dport %u counter accept\n",
				128 + i / 65536, i / 256 % 256, i % 256, i % 3 ? "tcp" : "udp",
				1 + i % 1000);
	return finish(f, path);
}

/* Two addresses in every four from 128.0.0.0 on, so that no intervals can be merged. */
int gate_file_set(const char *path, unsigned int elements, bool is_in)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return bench_error(-errno, "can't write '%s': %s", path, strerror(errno));
	fprintf(f,
		HEAD_TABLE "\tset s {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { %s",
		is_in ? LAB_CLIENT_V4 : "127.0.0.1");
	for (unsigned int i = 1; i < elements; i++) {
		unsigned int a = (128u << 24) + 4 * i;

		fprintf(f, ",\n%u.%u.%u.%u/31", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	}
	fputs(" }\n\t}\n" HEAD_CHAIN "\t\tip saddr @s counter accept\n", f);
	return finish(f, path);
}
