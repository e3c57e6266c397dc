/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of what was loaded, as nftables lists it. It is for people, so that nftables can't list
 * a rule does not refuse it: its line has nothing but its handle then, or there is no text at all.
 */
#pragma once

#include "scratch_rules.h"

/*
 * Puts LISTING_TEXT, and LISTING_UNLISTED if something is missing, into the listing of which
 * `loaded` is. -ECANCELED: it failed otherwise, as the listing says if it does; or -errno.
 */
int scratch_text(int fd, const struct scratch_rules *loaded);
