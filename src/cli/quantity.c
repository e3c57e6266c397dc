// SPDX-License-Identifier: GPL-2.0-or-later
#include "quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "size.h"

struct unit {
	const char *name;
	uint64_t worth;
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", UINT64_C(1) << 10 },
	{ "KB", UINT64_C(1) << 10 },
	{ "KiB", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "MB", UINT64_C(1) << 20 },
	{ "MiB", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
	{ "GB", UINT64_C(1) << 30 },
	{ "GiB", UINT64_C(1) << 30 },
};

static const struct unit times[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 },
};

static const struct unit percents[] = { { "", 1 }, { "%", 1 } };
static const struct unit numbers[] = { { "", 1 } };

/* Digits, then one of the units; "k" is as good as "K" where that is one. */
static bool parse(const char *text, const struct unit *units, size_t n, uint64_t *out)
{
	uint64_t value = 0;
	size_t digits = strspn(text, "0123456789"), i;

	for (i = 0; i < digits; i++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return false;
	if (!digits || !value)
		return false;
	text += digits;
	for (i = 0; i < n; i++)
		if (!strcmp(text, units[i].name) || (text[0] == 'k' && units[i].name[0] == 'K' &&
						     !strcmp(text + 1, units[i].name + 1)))
			return !__builtin_mul_overflow(value, units[i].worth, out);
	return false;
}

#define PARSE(text, units, out) parse(text, units, sizeof(units) / sizeof((units)[0]), out)

bool quantity_size(const char *text, uint64_t *out)
{
	uint64_t value;

	if (!PARSE(text, sizes, &value))
		return false;
	*out = value;
	return true;
}

bool quantity_time(const char *text, uint64_t *out)
{
	uint64_t value;

	if (!PARSE(text, times, &value))
		return false;
	*out = value;
	return true;
}

bool quantity_percent(const char *text, uint32_t *out)
{
	uint64_t value;

	if (!PARSE(text, percents, &value) || value > 100)
		return false;
	*out = (uint32_t)value;
	return true;
}

bool quantity_number(const char *text, uint32_t *out)
{
	uint64_t value;

	if (!PARSE(text, numbers, &value) || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

const char *quantity_of_size(uint64_t bytes, char *buf)
{
	if (bytes < SIZE_IN_BYTES)
		snprintf(buf, QUANTITY_MAX, "%" PRIu64, bytes);
	else
		snprintf(buf, QUANTITY_MAX, "%s", size_in_words(bytes).text);
	return buf;
}

const char *quantity_of_time(uint64_t ms, char *buf)
{
	static const struct unit units[] = {
		{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
	};
	size_t i = 0;

	while (ms % units[i].worth || !ms) {
		if (units[i].worth == 1)
			break;
		i++;
	}
	snprintf(buf, QUANTITY_MAX, "%" PRIu64 "%s", ms / units[i].worth, units[i].name);
	return buf;
}
