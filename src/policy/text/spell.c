// SPDX-License-Identifier: GPL-2.0-or-later
#include "spell.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "words.h"

#define SPANS_SHOWN 4u

struct name {
	uint32_t number;
	const char *name;
};

static const struct name protocols[] = {
	{ 1, "icmp" },   { 2, "igmp" },      { 6, "tcp" }, { 17, "udp" },    { 33, "dccp" },
	{ 47, "gre" },   { 50, "esp" },      { 51, "ah" }, { 58, "icmpv6" }, { 59, "ipv6-nonxt" },
	{ 132, "sctp" }, { 136, "udplite" }, { 0, NULL },
};

static const struct name icmp_types[] = {
	{ 0, "echo-reply" },           { 3, "destination-unreachable" },
	{ 4, "source-quench" },        { 5, "redirect" },
	{ 8, "echo-request" },         { 9, "router-advertisement" },
	{ 10, "router-solicitation" }, { 11, "time-exceeded" },
	{ 12, "parameter-problem" },   { 13, "timestamp-request" },
	{ 14, "timestamp-reply" },     { 15, "info-request" },
	{ 16, "info-reply" },          { 17, "address-mask-request" },
	{ 18, "address-mask-reply" },  { 0, NULL },
};

static const struct name icmpv6_types[] = {
	{ 1, "destination-unreachable" }, { 2, "packet-too-big" },
	{ 3, "time-exceeded" },           { 4, "parameter-problem" },
	{ 128, "echo-request" },          { 129, "echo-reply" },
	{ 130, "mld-listener-query" },    { 131, "mld-listener-report" },
	{ 132, "mld-listener-done" },     { 132, "mld-listener-reduction" },
	{ 133, "nd-router-solicit" },     { 134, "nd-router-advert" },
	{ 135, "nd-neighbor-solicit" },   { 136, "nd-neighbor-advert" },
	{ 137, "nd-redirect" },           { 138, "router-renumbering" },
	{ 141, "ind-neighbor-solicit" },  { 142, "ind-neighbor-advert" },
	{ 143, "mld2-listener-report" },  { 0, NULL },
};

static const struct name families[] = { { NFPROTO_IPV4, "ipv4" },
					{ NFPROTO_IPV6, "ipv6" },
					{ 0, NULL } };

static const struct name tcp_flags[] = {
	{ 1, "fin" },  { 2, "syn" },  { 4, "rst" },   { 8, "psh" }, { 16, "ack" },
	{ 32, "urg" }, { 64, "ecn" }, { 128, "cwr" }, { 0, NULL },
};

static const struct name ct_states[] = {
	{ GATE_CT_INVALID, "invalid" },     { GATE_CT_ESTABLISHED, "established" },
	{ GATE_CT_RELATED, "related" },     { GATE_CT_NEW, "new" },
	{ GATE_CT_UNTRACKED, "untracked" }, { 0, NULL },
};

static const char *const hooks[GATE_HOOKS] = {
	[NF_INET_PRE_ROUTING] = "prerouting",   [NF_INET_LOCAL_IN] = "input",
	[NF_INET_FORWARD] = "forward",          [NF_INET_LOCAL_OUT] = "output",
	[NF_INET_POST_ROUTING] = "postrouting",
};

void spelling_add(struct spelling *s, const char *fmt, ...)
{
	size_t n = strlen(s->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->text + n, sizeof(s->text) - n, fmt, ap);
	va_end(ap);
}

static void add_name(struct spelling *s, const struct name *names, uint32_t number)
{
	for (; names->name; names++) {
		if (names->number == number) {
			spelling_add(s, "%s", names->name);
			return;
		}
	}
	spelling_add(s, "%u", number);
}

static void add_flags(struct spelling *s, const struct name *names, uint32_t bits)
{
	const char *comma = "";

	if (!bits)
		spelling_add(s, "0");
	for (; names->name; names++) {
		if (bits & names->number)
			spelling_add(s, "%s%s", comma, names->name);
		if (bits & names->number)
			comma = ",";
	}
}

static void value_bytes(unsigned char *bytes, value v)
{
	int i;

	for (i = 0; i < 16; i++)
		bytes[i] = (unsigned char)(v >> (120 - 8 * i));
}

static void add_device(struct spelling *s, value v)
{
	unsigned char bytes[17] = { 0 };

	value_bytes(bytes, v);
	spelling_add(s, "\"%s\"", bytes);
}

static void add_address(struct spelling *s, int family, value v)
{
	char text[INET6_ADDRSTRLEN] = "?";
	unsigned char bytes[16];

	value_bytes(bytes, family == AF_INET ? v << 96 : v);
	inet_ntop(family, bytes, text, sizeof(text));
	spelling_add(s, "%s", text);
}

struct spelling spell_value(uint32_t field, value v)
{
	struct spelling s = { "" };

	switch (field) {
	case GATE_IP_SADDR:
	case GATE_IP_DADDR:
		add_address(&s, AF_INET, v);
		break;
	case GATE_IP6_SADDR:
	case GATE_IP6_DADDR:
		add_address(&s, AF_INET6, v);
		break;
	case GATE_IIFNAME:
	case GATE_OIFNAME:
		add_device(&s, v);
		break;
	case GATE_MARK:
		spelling_add(&s, "0x%x", (uint32_t)v);
		break;
	case GATE_NFPROTO:
		add_name(&s, families, (uint32_t)v);
		break;
	case GATE_L4PROTO:
	case GATE_IP_PROTOCOL:
	case GATE_IP6_NEXTHDR:
		add_name(&s, protocols, (uint32_t)v);
		break;
	case GATE_TCP_FLAGS:
		add_flags(&s, tcp_flags, (uint32_t)v);
		break;
	case GATE_CT_STATE:
		add_flags(&s, ct_states, (uint32_t)v);
		break;
	default:
		spelling_add(&s, "%u", (uint32_t)v);
	}
	return s;
}

struct spelling spell_span(uint32_t field, const struct span *span)
{
	struct spelling s = spell_value(field, span->from);

	/* A range of sets of flags is one of numbers. */
	if (span->from != span->to && fields_has_flags(field))
		snprintf(s.text, sizeof(s.text), "0x%x-0x%x", (unsigned int)span->from,
			 (unsigned int)span->to);
	else if (span->from != span->to)
		spelling_add(&s, "-%s", spell_value(field, span->to).text);
	return s;
}

struct spelling spell_key(const struct key *key)
{
	struct spelling s = { "" };
	uint32_t i;

	for (i = 0; i < key->n; i++)
		spelling_add(&s, "%s%s", i ? " . " : "", fields_name(key->field[i]));
	return s;
}

static struct spelling key_values(const struct key *key, const struct gate_values *v)
{
	struct spelling s = { "" };
	uint32_t i;

	for (i = 0; i < key->n; i++)
		spelling_add(&s, "%s%s", i ? " . " : "",
			     spell_value(key->field[i], fields_get(v, key->field[i])).text);
	return s;
}

/* Whether a field is missing, and then which. */
static bool is_absent(struct spelling *s, const struct key *key, const struct gate_values *v)
{
	uint32_t i;

	for (i = 0; i < key->n; i++) {
		if (fields_has(v, key->field[i]))
			continue;
		spelling_add(s, "the packet has no %s", fields_name(key->field[i]));
		return true;
	}
	return false;
}

static void add_spans(struct spelling *s, const struct match *m)
{
	size_t i;

	if (!m->n_spans)
		spelling_add(s, "one of no values");
	for (i = 0; i < m->n_spans && i < SPANS_SHOWN; i++)
		spelling_add(s, "%s%s", i ? ", " : "",
			     spell_span(m->key.field[0], &m->spans[i]).text);
	if (m->n_spans > SPANS_SHOWN)
		spelling_add(s, " or %zu more", m->n_spans - SPANS_SHOWN);
}

struct spelling spell_failure(const struct ruleset *rs, const struct match *m,
			      const struct gate_values *v)
{
	struct spelling s = { "" };
	uint32_t field = m->key.field[0];

	if (is_absent(&s, &m->key, v))
		return s;
	spelling_add(&s, "%s is %s", spell_key(&m->key).text, key_values(&m->key, v).text);
	switch (m->kind) {
	case MATCH_SPANS:
		spelling_add(&s, "%s", m->negate ? ", and must not be " : ", not ");
		add_spans(&s, m);
		break;
	case MATCH_MASK:
		spelling_add(&s, ", %s %s of %s", m->negate ? "which has just" : "and not just",
			     spell_value(field, m->value).text, spell_value(field, m->mask).text);
		break;
	case MATCH_SET:
		spelling_add(&s, ", which is%s in %s", m->negate ? "" : " not",
			     words_of_set(rs, &rs->sets[m->set]).text);
		break;
	}
	return s;
}

struct spelling spell_unknown(const struct ruleset *rs, const struct match *m,
			      const struct gate_values *v)
{
	struct spelling s = { "" };

	if (!is_absent(&s, &m->key, v))
		spelling_add(&s, "%s has no element for %s %s",
			     words_of_set(rs, &rs->sets[m->set]).text, spell_key(&m->key).text,
			     key_values(&m->key, v).text);
	return s;
}

struct spelling spell_verdict(const struct ruleset *rs, uint32_t verdict)
{
	static const char *const actions[GATE_ACTION_MAX] = {
		[GATE_NEXT] = "continue", [GATE_ACCEPT] = "accept", [GATE_DROP] = "drop",
		[GATE_JUMP] = "jump to",  [GATE_GOTO] = "go to",    [GATE_RETURN] = "return",
		[GATE_VMAP] = "continue",
	};
	uint32_t action = verdict >> 24;
	struct spelling s = { "" };

	spelling_add(&s, "%s", action < GATE_ACTION_MAX ? actions[action] : "continue");
	if (action == GATE_JUMP || action == GATE_GOTO)
		spelling_add(&s, " %s", words_of_chain(rs, verdict & 0xffffff).text);
	return s;
}

static int number_of(const struct name *names, const char *name, size_t length)
{
	for (; names->name; names++)
		if (strlen(names->name) == length && !memcmp(names->name, name, length))
			return (int)names->number;
	return -1;
}

int spell_protocol_number(const char *name)
{
	int number = number_of(protocols, name, strlen(name));
	char *end;
	long n;

	if (number >= 0 || *name < '0' || *name > '9')
		return number;
	n = strtol(name, &end, 10);
	return *end || n > UINT8_MAX ? -1 : (int)n;
}

int spell_icmp_type_number(int protocol, const char *name)
{
	return number_of(protocol == 1 ? icmp_types : icmpv6_types, name, strlen(name));
}

const char *spell_hook(uint32_t hook)
{
	return hook < GATE_HOOKS ? hooks[hook] : NULL;
}

int spell_hook_number(const char *name)
{
	int i;

	for (i = 0; i < (int)GATE_HOOKS; i++)
		if (!strcmp(hooks[i], name))
			return i;
	return -1;
}

int spell_flags_number(uint32_t field, const char *names)
{
	const struct name *known = field == GATE_CT_STATE ? ct_states : tcp_flags;
	int bits = 0, bit;
	size_t n;

	for (;;) {
		n = strcspn(names, ",");
		bit = number_of(known, names, n);
		if (bit < 0)
			return -1;
		bits |= bit;
		if (!names[n])
			return bits;
		names += n + 1;
	}
}
