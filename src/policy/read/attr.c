// SPDX-License-Identifier: GPL-2.0-or-later
#include "attr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <string.h>

bool attr_next(struct attr *rest, unsigned int *type, struct attr *out, bool *broken)
{
	struct nlattr head;
	size_t step;

	if (!rest->len)
		return false;
	if (rest->len < sizeof(head))
		goto nonsense;
	memcpy(&head, rest->data, sizeof(head));
	if (head.nla_len < sizeof(head) || head.nla_len > rest->len)
		goto nonsense;
	*type = head.nla_type & (uint16_t)NLA_TYPE_MASK;
	*out = (struct attr){ rest->data + sizeof(head), head.nla_len - sizeof(head) };
	step = NLA_ALIGN(head.nla_len);
	step = step < rest->len ? step : rest->len;
	*rest = (struct attr){ rest->data + step, rest->len - step };
	return true;
nonsense:
	*broken = true;
	return false;
}

void attrs_parse(struct attrs *a, struct attr in)
{
	struct attr one;
	unsigned int type;

	memset(a, 0, sizeof(*a));
	while (attr_next(&in, &type, &one, &a->broken)) {
		if (type >= ATTRS_MAX) {
			a->broken = true;
			continue;
		}
		a->at[type] = one;
		a->present |= 1ull << type;
	}
}

uint32_t attr_u32(const struct attrs *a, unsigned int type, uint32_t otherwise)
{
	uint32_t n;

	if (a->at[type].len != sizeof(n))
		return otherwise;
	memcpy(&n, a->at[type].data, sizeof(n));
	return ntohl(n);
}

uint64_t attr_u64(const struct attrs *a, unsigned int type)
{
	uint64_t n;

	if (a->at[type].len != sizeof(n))
		return 0;
	memcpy(&n, a->at[type].data, sizeof(n));
	return be64toh(n);
}

const char *attr_text(const struct attrs *a, unsigned int type)
{
	const struct attr *at = &a->at[type];

	return at->len && memchr(at->data, '\0', at->len) ? (const char *)at->data : "";
}

struct attr attr_value(const struct attrs *a, unsigned int type)
{
	struct attrs data;

	attrs_parse(&data, a->at[type]);
	return data.at[NFTA_DATA_VALUE];
}
