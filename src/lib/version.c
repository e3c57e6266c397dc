// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <unfrag/unfrag.h>

const char *unfrag_version(void)
{
	return UNFRAG_VERSION;
}
