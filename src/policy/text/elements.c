// SPDX-License-Identifier: GPL-2.0-or-later
#include "elements.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

#define WORD_MAX 512u

struct parser {
	const struct set *set;
	const char *where;
	uint32_t line;
	struct elements *out;
	size_t room;
	struct complaint *complaint;
};

/* A set that no rule uses does not tell what its values are. */
static uint32_t field_of(const struct set *s, uint32_t i)
{
	if (s->field[i] < GATE_FIELD_MAX)
		return s->field[i];
	switch (s->bits[i]) {
	case 128:
		return GATE_IP6_SADDR;
	case 32:
		return GATE_IP_SADDR;
	case 16:
		return GATE_DPORT;
	default:
		return GATE_IP_TTL;
	}
}

static bool is_name(uint32_t field)
{
	return field == GATE_IIFNAME || field == GATE_OIFNAME;
}

static bool is_protocol(uint32_t field)
{
	return field == GATE_L4PROTO || field == GATE_IP_PROTOCOL || field == GATE_IP6_NEXTHDR;
}

static int refuse(const struct parser *p, const char *word, const char *what)
{
	const char *name = p->set->name;

	if (!p->where)
		return complain(p->complaint, -EINVAL, "set '%s': '%s' %s", name, word, what);
	return complain(p->complaint, -EINVAL, "%s:%u: set '%s': '%s' %s", p->where, p->line, name,
			word, what);
}

static value from_bytes(const uint8_t *bytes, size_t n)
{
	value x = 0;

	while (n--)
		x = x << 8 | *bytes++;
	return x;
}

static bool read_address(const char *word, uint32_t bits, value *out)
{
	uint8_t bytes[16];

	if (inet_pton(bits == 32 ? AF_INET : AF_INET6, word, bytes) != 1)
		return false;
	*out = from_bytes(bytes, bits / 8);
	return true;
}

static bool read_number(const char *word, uint32_t bits, value *out)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	n = strtoull(word, &end, word[0] == '0' && (word[1] | 0x20) == 'x' ? 16 : 10);
	if (*end || errno || n > fields_max(bits))
		return false;
	*out = n;
	return true;
}

/* The number of what has a name in rulesets, too; -1: it has none. */
static int number_by_name(const char *word, uint32_t field)
{
	const struct servent *service;

	if (is_protocol(field))
		return spell_protocol_number(word);
	if (fields_has_flags(field))
		return spell_flags_number(field, word);
	switch (field) {
	case GATE_ICMP_TYPE:
		return spell_icmp_type_number(IPPROTO_ICMP, word);
	case GATE_ICMPV6_TYPE:
		return spell_icmp_type_number(IPPROTO_ICMPV6, word);
	case GATE_SPORT:
	case GATE_DPORT:
		service = isalpha((unsigned char)*word) ? getservbyname(word, NULL) : NULL;
		return service ? ntohs((uint16_t)service->s_port) : -1;
	default:
		return -1;
	}
}

static bool read_value(const char *word, uint32_t field, uint32_t bits, value *out)
{
	int n;

	if (fields_is_address(field))
		return read_address(word, bits, out);
	n = number_by_name(word, field);
	if (n >= 0)
		*out = (value)n;
	return n >= 0 || read_number(word, bits, out);
}

/* "eth0", or "eth*": all that start so. */
static bool read_name(const char *word, struct span *out)
{
	uint8_t bytes[IFNAMSIZ] = { 0 };
	size_t len = strlen(word);
	bool open = len && word[len - 1] == '*';
	value rest;

	len -= open;
	if ((!len && !open) || len >= IFNAMSIZ)
		return false;
	memcpy(bytes, word, len);
	out->from = from_bytes(bytes, sizeof(bytes));
	rest = !open ? 0 : len ? fields_max(128 - 8 * (uint32_t)len) : fields_max(128);
	out->to = out->from | rest;
	return true;
}

static bool read_prefix(char *word, char *slash, uint32_t field, uint32_t bits, struct span *out)
{
	unsigned long length;
	char *end;

	*slash++ = '\0';
	if (!fields_is_address(field) || !isdigit((unsigned char)*slash))
		return false;
	length = strtoul(slash, &end, 10);
	if (*end || length > bits || !read_address(word, bits, &out->from))
		return false;
	out->to = length ? fields_max(bits - (uint32_t)length) : fields_max(bits);
	if (length == bits)
		out->to = 0;
	out->from &= ~out->to;
	out->to |= out->from;
	return true;
}

static bool is_name_of(const char *word, uint32_t field)
{
	return isalpha((unsigned char)*word) && number_by_name(word, field) >= 0;
}

static bool read_span(char *word, uint32_t field, uint32_t bits, struct span *out)
{
	char *slash = strchr(word, '/'), *dash = strchr(word, '-');

	if (is_name(field))
		return read_name(word, out);
	if (slash)
		return read_prefix(word, slash, field, bits, out);
	/* Some names have a dash in them. */
	if (dash && !is_name_of(word, field)) {
		*dash = '\0';
		return read_value(word, field, bits, &out->from) &&
		       read_value(dash + 1, field, bits, &out->to) && out->from <= out->to;
	}
	if (!read_value(word, field, bits, &out->from))
		return false;
	out->to = out->from;
	return true;
}

/* Takes blanks off both ends. */
static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return text;
}

/* Where " . " parts two components; NULL: nowhere. */
static char *find_dot(char *text)
{
	char *at;

	for (at = strchr(text, '.'); at; at = strchr(at + 1, '.'))
		if (at > text && isspace((unsigned char)at[-1]) && isspace((unsigned char)at[1]))
			return at;
	return NULL;
}

static const char *kind_of(uint32_t field)
{
	if (is_name(field))
		return "is no name of a device";
	if (field == GATE_IP6_SADDR || field == GATE_IP6_DADDR)
		return "is no IPv6 address, prefix or range";
	if (fields_is_address(field))
		return "is no IPv4 address, prefix or range";
	if (is_protocol(field))
		return "is no protocol, by name or number";
	if (field == GATE_IIF || field == GATE_OIF)
		return "is no number of a device or range of them";
	return "is no number or range that fits";
}

static char *unquote(char *word)
{
	size_t len = strlen(word);

	if (len < 2 || word[0] != '"' || word[len - 1] != '"')
		return word;
	word[len - 1] = '\0';
	return word + 1;
}

static int read_components(const struct parser *p, char *text, struct element *e)
{
	char whole[WORD_MAX], part[WORD_MAX], *dot, *word;
	uint32_t i;

	snprintf(whole, sizeof(whole), "%s", text);
	for (i = 0; i < p->set->n; i++) {
		dot = find_dot(text);
		if (!dot != (i + 1 == p->set->n))
			return refuse(p, whole,
				      dot ? "has more components than the set" :
					    "has fewer components than the set ('a . b')");
		if (dot)
			*dot = '\0';
		word = trim(text);
		snprintf(part, sizeof(part), "%s", word);
		if (!read_span(unquote(word), field_of(p->set, i), p->set->bits[i], &e->span[i]))
			return refuse(p, part, kind_of(field_of(p->set, i)));
		text = dot ? dot + 1 : text;
	}
	return 0;
}

static int add(struct parser *p, const struct element *e)
{
	struct elements *out = p->out;
	size_t room = p->room ? 2 * p->room : 64;
	struct element *items;
	uint32_t *lines;

	if (out->all.n == p->room) {
		items = reallocarray(out->all.items, room, sizeof(*items));
		if (items)
			out->all.items = items;
		lines = reallocarray(out->lines, room, sizeof(*lines));
		if (lines)
			out->lines = lines;
		if (!items || !lines)
			return complain(p->complaint, -ENOMEM, "no memory for the elements");
		p->room = room;
	}
	out->lines[out->all.n] = p->line;
	out->all.items[out->all.n++] = *e;
	return 0;
}

static int read_element(struct parser *p, const char *text, size_t len)
{
	struct element e = { .verdict = GATE_VERDICT_CONTINUE };
	char copy[WORD_MAX], *word;
	int r;

	if (len >= sizeof(copy) || memchr(text, '\0', len))
		return refuse(p, "...", "is no text of an element");
	memcpy(copy, text, len);
	copy[len] = '\0';
	word = trim(copy);
	if (!*word)
		return 0;
	r = read_components(p, word, &e);
	return r ? r : add(p, &e);
}

/* Up to a comment, which goes on to the end of the line. */
static int read_line(struct parser *p, const char *line, size_t len)
{
	const char *end = memchr(line, '#', len), *comma;
	int r = 0;

	end = end ? end : line + len;
	while (!r && line < end) {
		comma = memchr(line, ',', (size_t)(end - line));
		comma = comma ? comma : end;
		r = read_element(p, line, (size_t)(comma - line));
		line = comma + 1;
	}
	return r;
}

int elements_parse(struct elements *out, const struct set *s, const char *text, size_t len,
		   const char *where, struct complaint *c)
{
	struct elements all = { .lines = NULL };
	struct parser p = { .set = s, .where = where, .line = 1, .out = &all, .complaint = c };
	const char *end = text + len, *next;
	int r = 0;

	for (; !r && text < end; text = next + 1, p.line++) {
		next = memchr(text, '\n', (size_t)(end - text));
		next = next ? next : end;
		r = read_line(&p, text, (size_t)(next - text));
	}
	if (r)
		elements_release(&all);
	else
		*out = all;
	return r;
}

void elements_release(struct elements *e)
{
	regions_release(&e->all);
	free(e->lines);
	e->lines = NULL;
}

/* The length of the prefix that a span is; -1: it is none, or only one address. */
static int prefix_of(const struct span *span, uint32_t bits)
{
	value rest = span->from ^ span->to;
	int length = (int)bits;

	if (!rest || (rest & (rest + 1)) || (span->from & rest))
		return -1;
	for (; rest; rest >>= 1)
		length--;
	return length;
}

/* Names that start with the same letters. */
static bool spell_names(struct spelling *s, const struct span *span)
{
	int length = prefix_of(span, 128), i;
	size_t at = 0;

	if (length < 0 || length % 8)
		return false;
	s->text[at++] = '"';
	for (i = 0; i < length / 8; i++)
		s->text[at++] = (char)(span->from >> (120 - 8 * i));
	s->text[at++] = '*';
	s->text[at++] = '"';
	s->text[at] = '\0';
	return true;
}

static struct spelling spell_component(const struct set *s, uint32_t i, const struct span *span)
{
	uint32_t field = field_of(s, i);
	int length = prefix_of(span, s->bits[i]);
	struct spelling out;

	if (is_name(field) && span->from != span->to && spell_names(&out, span))
		return out;
	if (!fields_is_address(field) || length < 0)
		return spell_span(field, span);
	out = spell_value(field, span->from);
	spelling_add(&out, "/%d", length);
	return out;
}

struct spelling elements_spell(const struct set *s, const struct element *e)
{
	struct spelling out = { "" };
	size_t at = 0;
	uint32_t i;

	for (i = 0; i < s->n && at < sizeof(out.text); i++)
		at += (size_t)snprintf(out.text + at, sizeof(out.text) - at, "%s%s", i ? " . " : "",
				       spell_component(s, i, &e->span[i]).text);
	return out;
}
