// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What spell.h says is for people, this is for nftables: flags are joined by '|', prefixes and
 * names of devices with a '*' are written as such, and where a name may not be known everywhere,
 * the number stands.
 */
#include "elements_write.h"

#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "spell.h"

#define VALUES_MAX   (1u << 24) /* of a range that is written value by value */
#define DEVICE_BYTES 16u
#define KEY_MAX      1024u

/* Types of sets that no rule uses; their values are bytes as they come. */
static const struct type {
	const char *name;
	uint32_t field;
	bool swap; /* the kernel has it in this machine's order */
} types[] = {
	{ "ipv4_addr", GATE_IP_SADDR, false },
	{ "ipv6_addr", GATE_IP6_SADDR, false },
	{ "inet_proto", GATE_L4PROTO, false },
	{ "nf_proto", GATE_NFPROTO, false },
	{ "ifname", GATE_IIFNAME, false },
	{ "tcp_flag", GATE_TCP_FLAGS, false },
	{ "mark", GATE_MARK, true },
	{ "iface_index", GATE_IIF, true },
	{ "ct_state", GATE_CT_STATE, true },
	{ "ip saddr", GATE_IP_SADDR, false },
	{ "ip daddr", GATE_IP_SADDR, false },
	{ "ip6 saddr", GATE_IP6_SADDR, false },
	{ "ip6 daddr", GATE_IP6_SADDR, false },
	{ "iifname", GATE_IIFNAME, false },
	{ "oifname", GATE_IIFNAME, false },
	{ "meta mark", GATE_MARK, true },
	{ "meta length", GATE_LENGTH, true },
	{ "iif", GATE_IIF, true },
	{ "oif", GATE_IIF, true },
	{ "ct state", GATE_CT_STATE, true },
	{ "tcp flags", GATE_TCP_FLAGS, false },
};

static const struct type number = { "number", GATE_DPORT, false };

/* What a component is written as. */
static struct type type_of(const struct set *set, const struct element_style *style, uint32_t i)
{
	struct type known = number;
	size_t n;

	if (set->field[i] < GATE_FIELD_MAX) {
		known.field = set->field[i];
		return known;
	}
	for (n = 0; style->type && n < sizeof(types) / sizeof(*types); n++)
		if (!strcmp(style->type, types[n].name))
			return types[n];
	return number;
}

/* "syn,ack" would be two elements. */
static void write_flags(char *to, size_t size, const char *names)
{
	size_t n = 0;

	for (; *names && n + 4 < size; names++) {
		if (*names == ',')
			n += (size_t)snprintf(to + n, size - n, " | ");
		else
			to[n++] = *names;
	}
	to[n] = '\0';
}

static struct spelling write_value(uint32_t field, value v)
{
	struct spelling s = { "" }, said;

	switch (field) {
	case GATE_TCP_FLAGS:
	case GATE_CT_STATE:
		said = spell_value(field, v);
		if (v && spell_flags_number(field, said.text) == (int)v)
			write_flags(s.text, sizeof(s.text), said.text);
		else
			snprintf(s.text, sizeof(s.text), "0x%x", (uint32_t)v);
		return s;
	case GATE_L4PROTO:
	case GATE_IP_PROTOCOL:
	case GATE_IP6_NEXTHDR:
		said = spell_value(field, v);
		if (!strchr(said.text, '-'))
			return said;
		snprintf(s.text, sizeof(s.text), "%u", (uint32_t)v);
		return s;
	default:
		return spell_value(field, v);
	}
}

/* The end of a range: there protocols have no names. */
static struct spelling write_end(uint32_t field, value v)
{
	struct spelling s;

	if (field != GATE_L4PROTO && field != GATE_IP_PROTOCOL && field != GATE_IP6_NEXTHDR &&
	    field != GATE_NFPROTO)
		return write_value(field, v);
	snprintf(s.text, sizeof(s.text), "%u", (uint32_t)v);
	return s;
}

/* Bits below a value's last one, or all of a field's: it may be the start of such a prefix. */
static uint32_t trailing_zeros(value v, uint32_t bits)
{
	uint32_t n = 0;

	while (n < bits && !(v >> n & 1))
		n++;
	return n;
}

static struct spelling write_range(uint32_t field, const struct span *span)
{
	uint32_t bits = fields_bits(field), low = trailing_zeros(span->to + 1, bits);
	struct spelling s;

	if (span->from == span->to)
		return write_value(field, span->from);
	s = write_end(field, span->from);
	if (low > trailing_zeros(span->from, bits))
		low = trailing_zeros(span->from, bits);
	if (fields_is_address(field) && span->from + fields_max(low) == span->to)
		spelling_add(&s, "/%u", bits - low);
	else
		spelling_add(&s, "-%s", write_end(field, span->to).text);
	return s;
}

/* A name of a device, or what its first bytes are. */
static struct spelling write_device(const struct span *span)
{
	struct spelling s = { "" };
	uint32_t i;
	char c;

	for (i = 0; i < DEVICE_BYTES; i++) {
		c = (char)(span->from >> (120 - 8 * i));
		if (!c)
			break;
		s.text[1 + i] = c;
	}
	s.text[0] = '"';
	snprintf(s.text + 1 + i, sizeof(s.text) - 1 - i, "%s\"", span->from == span->to ? "" : "*");
	return s;
}

/* The part of a span that is written first, as far as it can be written at once. */
static struct span first_part(uint32_t field, const struct span *span, bool intervals)
{
	struct span part = *span;
	uint32_t bytes;

	if (!intervals && span->to - span->from < VALUES_MAX) {
		part.to = part.from;
		return part;
	}
	if (field != GATE_IIFNAME && field != GATE_OIFNAME)
		return part;
	bytes = trailing_zeros(part.from, 8 * DEVICE_BYTES) / 8;
	do {
		part.to = part.from + fields_max(8 * bytes);
	} while ((part.to > span->to || part.to < part.from) && bytes--);
	return part;
}

struct writer {
	const struct ruleset *rs;
	const struct set *set;
	const struct element_style *style;
	element_fn *fn;
	void *arg;
	char key[KEY_MAX];
	struct spelling verdict;
};

struct spelling elements_verdict(const struct ruleset *rs, uint32_t verdict)
{
	static const char *const words[GATE_ACTION_MAX] = {
		"continue", "accept", "drop", "jump ", "goto ", "return", "continue",
	};
	uint32_t action = verdict >> 24, chain = verdict & 0xffffffu;
	struct spelling s;
	const char *name = "";

	if (action >= GATE_ACTION_MAX)
		action = GATE_NEXT;
	if ((action == GATE_JUMP || action == GATE_GOTO) && chain < rs->n_chains)
		name = rs->chains[chain].name;
	snprintf(s.text, sizeof(s.text), "%s%s", words[action], name);
	return s;
}

static value swap32(value v)
{
	return __builtin_bswap32((uint32_t)v);
}

static struct spelling write_span(const struct type *type, const struct span *span)
{
	struct span host = *span;

	if (type->swap && span->from == span->to)
		host = (struct span){ swap32(span->from), swap32(span->to) };
	return type->field == GATE_IIFNAME || type->field == GATE_OIFNAME ?
		       write_device(&host) :
		       write_range(type->field, &host);
}

/* All that an element is from component i on, behind the first `used` bytes of the key. */
static void write_parts(struct writer *w, const struct element *e, uint32_t i, size_t used)
{
	struct type type;
	struct span rest, part;
	size_t n;

	if (i == w->set->n) {
		w->fn(w->key, w->set->verdicts ? w->verdict.text : NULL, w->arg);
		return;
	}
	type = type_of(w->set, w->style, i);
	rest = e->span[i];
	for (;;) {
		part = first_part(type.field, &rest, w->style->intervals);
		n = (size_t)snprintf(w->key + used, sizeof(w->key) - used, "%s%s", i ? " . " : "",
				     write_span(&type, &part).text);
		if (used + n < sizeof(w->key))
			write_parts(w, e, i + 1, used + n);
		if (part.to >= rest.to)
			return;
		rest.from = part.to + 1;
	}
}

void elements_write(const struct ruleset *rs, const struct set *set,
		    const struct element_style *style, const struct element *elements, size_t n,
		    element_fn *fn, void *arg)
{
	struct writer w = { .rs = rs, .set = set, .style = style, .fn = fn, .arg = arg };
	size_t i;

	for (i = 0; i < n; i++) {
		w.verdict = elements_verdict(rs, elements[i].verdict);
		write_parts(&w, &elements[i], 0, 0);
	}
}
