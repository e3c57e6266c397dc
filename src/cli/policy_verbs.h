/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What unfrag policy can do: verbs of their own, whose first argument is their name.
 */
#pragma once

#include "cli.h"

extern const struct verb verb_policy_check;
extern const struct verb verb_policy_diff;
extern const struct verb verb_policy_explain;
extern const struct verb verb_policy_load;
extern const struct verb verb_policy_reload;
extern const struct verb verb_policy_set;
extern const struct verb verb_policy_show;
extern const struct verb verb_policy_unload;
extern const struct verb verb_policy_watch;
