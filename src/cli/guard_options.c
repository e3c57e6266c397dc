// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options of the verb "guard": where it stands, and its limits with their units.
 */
#include <stdio.h>
#include <string.h>

#include "guard.h"
#include "quantity.h"

#define SIZE_EXAMPLE "a size such as 65536, 64K or 16M"
#define TIME_EXAMPLE "a time such as 250ms, 3s or 10m"

enum kind {
	KIND_SIZE,
	KIND_TIME,
	KIND_PERCENT,
	KIND_NUMBER,
};

/* Limits that are a number: where it goes, and where it goes as well (another family's). */
static const struct limit {
	int option;
	const char *name;
	enum kind kind;
	size_t at, also;
} limits[] = {
#define AT(member) offsetof(struct unfrag_guard_limits, member)
	{ OPTION_MEMORY, "memory", KIND_SIZE, AT(memory[0]), AT(memory[1]) },
	{ OPTION_TIMEOUT, "timeout", KIND_TIME, AT(timeout[0]), AT(timeout[1]) },
	{ OPTION_FORGET, "forget", KIND_TIME, AT(forget), 0 },
	{ OPTION_SHARE, "share", KIND_PERCENT, AT(share), 0 },
	{ OPTION_FLOOR, "floor", KIND_SIZE, AT(floor), 0 },
	{ OPTION_DATAGRAMS, "datagrams", KIND_NUMBER, AT(datagrams), 0 },
	{ OPTION_IPV4_PREFIX, "ipv4-prefix", KIND_NUMBER, AT(prefix[0]), 0 },
	{ OPTION_IPV6_PREFIX, "ipv6-prefix", KIND_NUMBER, AT(prefix[1]), 0 },
	{ OPTION_SMALL_AFTER, "small-after", KIND_NUMBER, AT(small_after), 0 },
	{ OPTION_SMALL_MEAN, "small-mean", KIND_SIZE, AT(small_mean), 0 },
	{ OPTION_TRUESIZE, "truesize", KIND_SIZE, AT(least_charge), 0 },
	{ OPTION_EVENTS, "events", KIND_NUMBER, AT(events), 0 },
#undef AT
};

static bool is_wide(const struct limit *l)
{
	return l->kind == KIND_TIME || l->option == OPTION_MEMORY;
}

static bool parse_value(const struct limit *l, const char *arg, uint64_t *value)
{
	uint32_t number = 0;
	bool good;

	if (l->kind == KIND_SIZE)
		return quantity_size(arg, value) && (is_wide(l) || *value <= UINT32_MAX);
	if (l->kind == KIND_TIME)
		return quantity_time(arg, value);
	if (l->kind == KIND_PERCENT)
		good = quantity_percent(arg, &number);
	else
		good = quantity_number(arg, &number);
	*value = number;
	return good;
}

static bool set_limit(const struct limit *l, const char *arg, struct unfrag_guard_limits *out)
{
	static const char *const examples[] = {
		[KIND_SIZE] = SIZE_EXAMPLE,
		[KIND_TIME] = TIME_EXAMPLE,
		[KIND_PERCENT] = "a share such as 50% or 50, from 1 to 100",
		[KIND_NUMBER] = "a number from 1 on",
	};
	uint64_t value = 0;
	uint32_t narrow;

	if (!parse_value(l, arg, &value)) {
		cli_error("--%s '%s' can't be; use %s", l->name, arg, examples[l->kind]);
		return false;
	}
	narrow = (uint32_t)value;
	if (is_wide(l))
		memcpy((char *)out + l->at, &value, sizeof(value));
	else
		memcpy((char *)out + l->at, &narrow, sizeof(narrow));
	if (l->also)
		memcpy((char *)out + l->also, &value, sizeof(value));
	return true;
}

static const struct limit *find_limit(int option)
{
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (limits[i].option == option)
			return &limits[i];
	return NULL;
}

static bool parse_rule(const char *word, uint32_t *allow)
{
	uint32_t i;

	if (!strcmp(word, "none"))
		return true;
	for (i = 0; i < UNFRAG_REASON_MAX; i++) {
		if (strcmp(word, unfrag_reason_name(i)))
			continue;
		if (UNFRAG_GUARD_RULES >> i & 1) {
			*allow |= 1u << i;
			return true;
		}
		cli_error("'%s' is no rule of the guard that can be switched off", word);
		return false;
	}
	cli_error("unknown reason '%s'; unfrag(8) has the guard's rules", word);
	return false;
}

static bool parse_allow(const char *arg, uint32_t *allow)
{
	char word[32];
	size_t len;

	*allow |= UNFRAG_GUARD_ALLOW_ONLY;
	for (;; arg += len + 1) {
		len = strcspn(arg, ",");
		snprintf(word, sizeof(word), "%.*s", (int)(len < 31 ? len : 31), arg);
		if (!parse_rule(word, allow))
			return false;
		if (!arg[len])
			return true;
	}
}

static bool parse_place(const char *arg, enum unfrag_guard_place *place)
{
	int i;

	for (i = 0; i < UNFRAG_GUARD_PLACE_MAX; i++) {
		*place = (enum unfrag_guard_place)i;
		if (!strcmp(arg, unfrag_guard_place_name(*place)))
			return true;
	}
	cli_error("--at '%s' is not known; use netfilter, tc or xdp", arg);
	return false;
}

static bool parse_mode(const char *arg, enum unfrag_guard_mode *mode)
{
	int i;

	for (i = 0; i <= UNFRAG_GUARD_GENERIC; i++) {
		*mode = (enum unfrag_guard_mode)i;
		if (!strcmp(arg, unfrag_guard_mode_name(*mode)))
			return true;
	}
	cli_error("--xdp '%s' is not known; use auto, native or generic", arg);
	return false;
}

static bool add_device(struct guard_request *q, const char *name)
{
	if (q->device_count == UNFRAG_GUARD_DEVICES_MAX) {
		cli_error("more than %d devices", UNFRAG_GUARD_DEVICES_MAX);
		return false;
	}
	q->devices[q->device_count++] = name;
	return true;
}

/* Where it is to stand. Sets *known to false for any other option. */
static bool place_option(struct guard_request *q, int option, bool *known)
{
	switch (option) {
	case OPTION_AT:
		return parse_place(optarg, &q->place);
	case OPTION_XDP:
		return parse_mode(optarg, &q->mode);
	case OPTION_DEV:
		return add_device(q, optarg);
	case 'f':
		return cli_parse_families(optarg, &q->families);
	case 'p':
		return cli_parse_priority(optarg, &q->priority);
	case OPTION_NO_TUNE:
		return q->no_tune = true;
	default:
		*known = false;
		return true;
	}
}

static unsigned int other_option(struct guard_request *q, int option)
{
	switch (option) {
	case OPTION_ID:
		q->id = optarg;
		return GUARD_GIVEN_ID;
	case OPTION_ALL:
		q->all = true;
		return GUARD_GIVEN_ALL;
	case OPTION_OPENMETRICS:
		q->openmetrics = true;
		return GUARD_GIVEN_OPENMETRICS;
	default:
		return 0;
	}
}

/* True: go on. */
static bool set_option(const struct verb *self, struct guard_request *q, int option,
		       unsigned int *given, int *code)
{
	const struct limit *limit = find_limit(option);
	unsigned int other;
	bool known = true;

	*code = CLI_USAGE;
	if (limit || option == OPTION_ALLOW) {
		*given |= GUARD_GIVEN_LIMITS;
		return limit ? set_limit(limit, optarg, &q->limits) :
			       parse_allow(optarg, &q->limits.allow);
	}
	if (option == OPTION_NETNS || option == OPTION_JSON) {
		q->json |= option == OPTION_JSON;
		q->netns = option == OPTION_NETNS ? optarg : q->netns;
		return true;
	}
	if (option == 'n') {
		*given |= GUARD_GIVEN_ROWS;
		if (quantity_number(optarg, &q->rows))
			return true;
		cli_error("--number '%s' can't be; use a number from 1 on", optarg);
		return false;
	}
	if (!place_option(q, option, &known))
		return false;
	other = known ? GUARD_GIVEN_PLACE : other_option(q, option);
	*given |= other;
	return other || !cli_common_option(self, option, code);
}

bool guard_options(const struct verb *self, struct guard_request *q, int argc, char **argv,
		   unsigned int *given, int *code)
{
	static const struct option options[] = {
		{ "at", required_argument, NULL, OPTION_AT },
		{ "dev", required_argument, NULL, OPTION_DEV },
		{ "xdp", required_argument, NULL, OPTION_XDP },
		{ "family", required_argument, NULL, 'f' },
		{ "priority", required_argument, NULL, 'p' },
		{ "no-tune", no_argument, NULL, OPTION_NO_TUNE },
		{ "netns", required_argument, NULL, OPTION_NETNS },
		{ "id", required_argument, NULL, OPTION_ID },
		{ "all", no_argument, NULL, OPTION_ALL },
		{ "number", required_argument, NULL, 'n' },
		{ "memory", required_argument, NULL, OPTION_MEMORY },
		{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
		{ "share", required_argument, NULL, OPTION_SHARE },
		{ "floor", required_argument, NULL, OPTION_FLOOR },
		{ "datagrams", required_argument, NULL, OPTION_DATAGRAMS },
		{ "ipv4-prefix", required_argument, NULL, OPTION_IPV4_PREFIX },
		{ "ipv6-prefix", required_argument, NULL, OPTION_IPV6_PREFIX },
		{ "small-after", required_argument, NULL, OPTION_SMALL_AFTER },
		{ "small-mean", required_argument, NULL, OPTION_SMALL_MEAN },
		{ "truesize", required_argument, NULL, OPTION_TRUESIZE },
		{ "forget", required_argument, NULL, OPTION_FORGET },
		{ "events", required_argument, NULL, OPTION_EVENTS },
		{ "allow", required_argument, NULL, OPTION_ALLOW },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "openmetrics", no_argument, NULL, OPTION_OPENMETRICS },
		CLI_COMMON_OPTIONS,
	};
	int option;

	while ((option = getopt_long(argc, argv, "f:p:n:hv", options, NULL)) != -1)
		if (!set_option(self, q, option, given, code))
			return false;
	return true;
}
