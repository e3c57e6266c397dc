// SPDX-License-Identifier: GPL-2.0-or-later
#include "fields.h"
#include "told.h"

static struct spelling spell_field(const struct told_packet *p, uint32_t field)
{
	struct spelling none = { "?" };

	if (!fields_has(&p->values, field))
		return none;
	return spell_value(field, fields_get(&p->values, field));
}

/* An address, with the port if the packet has one. */
static struct spelling spell_end(const struct told_packet *p, uint32_t address, uint32_t port)
{
	struct spelling s = spell_field(p, address), with = { "" };
	uint32_t protocol = (uint32_t)fields_get(&p->values, GATE_L4PROTO);

	if (!told_has_ports((int)protocol) || !fields_has(&p->values, port))
		return s;
	spelling_add(&with, p->family ? "[%.64s]:%s" : "%.64s:%s", s.text,
		     spell_field(p, port).text);
	return with;
}

static void add_kind(struct spelling *s, const struct told_packet *p)
{
	uint32_t protocol = (uint32_t)fields_get(&p->values, GATE_L4PROTO);

	if (protocol == 1 || protocol == 58)
		spelling_add(s, ", type %s code %s", spell_field(p, GATE_ICMP_TYPE).text,
			     spell_field(p, GATE_ICMP_CODE).text);
	else if (protocol == 6)
		spelling_add(s, ", flags %s", spell_field(p, GATE_TCP_FLAGS).text);
}

static void add_fragments(struct spelling *s, const struct told_packet *p)
{
	if (!fields_get(&p->values, GATE_REASSEMBLED))
		return;
	if (fields_has(&p->values, GATE_LARGEST) && fields_has(&p->values, GATE_SMALLEST))
		spelling_add(s, ", of fragments of %s to %s", spell_field(p, GATE_SMALLEST).text,
			     spell_field(p, GATE_LARGEST).text);
	else
		spelling_add(s, ", reassembled");
}

struct spelling told_spell(const struct told_packet *p)
{
	struct spelling s = { "" }, from, to;

	from = spell_end(p, p->family ? GATE_IP6_SADDR : GATE_IP_SADDR, GATE_SPORT);
	to = spell_end(p, p->family ? GATE_IP6_DADDR : GATE_IP_DADDR, GATE_DPORT);
	spelling_add(&s, "%.16s %.80s > %.80s, %u bytes", spell_field(p, GATE_L4PROTO).text,
		     from.text, to.text, p->values.word[GATE_W_LENGTH]);
	add_kind(&s, p);
	add_fragments(&s, p);
	return s;
}
