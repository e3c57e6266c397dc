// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "names.h"

#include <errno.h>
#include <string.h>

static const char *const hook_names[] = {
	[UNFRAG_HOOK_PREROUTING] = "prerouting",   [UNFRAG_HOOK_INPUT] = "input",
	[UNFRAG_HOOK_FORWARD] = "forward",         [UNFRAG_HOOK_OUTPUT] = "output",
	[UNFRAG_HOOK_POSTROUTING] = "postrouting",
};
_Static_assert(sizeof(hook_names) / sizeof(*hook_names) == UNFRAG_HOOK_MAX, "a hook has no name");

static const char *const state_names[] = {
	[UNFRAG_STATE_READY] = "ready",
	[UNFRAG_STATE_BUSY] = "busy",
	[UNFRAG_STATE_BROKEN] = "broken",
	[UNFRAG_STATE_ORPHANED] = "orphaned",
};
_Static_assert(sizeof(state_names) / sizeof(*state_names) == UNFRAG_STATE_MAX,
	       "a state has no name");

static const struct {
	const char *name;
	const char *text;
	bool judged;
} outcomes[] = {
#define X(id, name, judged, text) { name, text, judged },
	UNFRAG_OUTCOMES(X)
#undef X
};

const char *unfrag_hook_name(enum unfrag_hook hook)
{
	return (unsigned int)hook < UNFRAG_HOOK_MAX ? hook_names[hook] : NULL;
}

int unfrag_hook_by_name(const char *name)
{
	int i;

	for (i = 0; i < UNFRAG_HOOK_MAX; i++)
		if (!strcmp(name, hook_names[i]))
			return i;
	return -EINVAL;
}

const char *unfrag_state_name(enum unfrag_state state)
{
	return (unsigned int)state < UNFRAG_STATE_MAX ? state_names[state] : NULL;
}

const char *unfrag_outcome_name(enum unfrag_outcome outcome)
{
	return (unsigned int)outcome < UNFRAG_OUTCOME_MAX ? outcomes[outcome].name : NULL;
}

const char *unfrag_outcome_text(enum unfrag_outcome outcome)
{
	return (unsigned int)outcome < UNFRAG_OUTCOME_MAX ? outcomes[outcome].text : NULL;
}

bool unfrag_outcome_judged(enum unfrag_outcome outcome)
{
	return (unsigned int)outcome < UNFRAG_OUTCOME_MAX && outcomes[outcome].judged;
}

const char *family_name(unsigned int family)
{
	return family ? "ipv6" : "ipv4";
}

uint32_t family_pf(unsigned int family)
{
	return family ? 10 : 2;
}

int family_index(uint32_t mask)
{
	switch (mask) {
	case UNFRAG_FAMILIES_IPV4:
		return 0;
	case UNFRAG_FAMILIES_IPV6:
		return 1;
	default:
		return -EINVAL;
	}
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool name_valid(const char *name)
{
	size_t i;

	if (!is_alnum(name[0]))
		return false;
	for (i = 0; name[i]; i++)
		if (i == UNFRAG_NAME_MAX ||
		    !(is_alnum(name[i]) || name[i] == '-' || name[i] == '_'))
			return false;
	return true;
}
