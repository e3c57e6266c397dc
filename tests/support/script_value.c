// SPDX-License-Identifier: GPL-2.0-or-later
#include "script_value.h"

#include <arpa/inet.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum text {
	TEXT_IP,
	TEXT_IP6,
	TEXT_NUMBER,
	TEXT_WORD,
};

struct kind {
	unsigned int bits;
	enum text text;
	const char *const *words;
	size_t n_words;
};

static const char *const words_name[] = { "\"left\"", "\"right\"", "\"lo\"", "\"l*\"",
					  "\"le*\"",  "\"rig*\"",  "\"no\"" };
static const char *const words_index[] = { "\"left\"", "\"right\"", "\"lo\"" };
static const char *const words_nfproto[] = { "ipv4", "ipv6" };
static const char *const words_ct[] = { "invalid", "established", "related", "new", "untracked" };

static const unsigned int bits_of[] = {
#define X(name, bits, text) [KIND_##name] = bits,
	SCRIPT_KINDS(X)
#undef X
};

static const enum text text_of[] = {
#define X(name, bits, text) [KIND_##name] = text,
	SCRIPT_KINDS(X)
#undef X
};

bool script_chance(struct lab_random *random, unsigned int percent)
{
	return lab_random_below(random, 100) < percent;
}

unsigned int script_below(struct lab_random *random, unsigned int limit)
{
	return (unsigned int)lab_random_below(random, limit);
}

unsigned int script_bits(enum script_kind kind)
{
	return bits_of[kind];
}

static const char *const *words_of(enum script_kind kind, unsigned int *n)
{
	switch (kind) {
	case KIND_NAME:
		*n = N(words_name);
		return words_name;
	case KIND_INDEX:
		*n = N(words_index);
		return words_index;
	case KIND_NFPROTO:
		*n = N(words_nfproto);
		return words_nfproto;
	default:
		*n = N(words_ct);
		return words_ct;
	}
}

script_value script_most(enum script_kind kind)
{
	unsigned int n;

	if (bits_of[kind])
		return (script_value)-1 >> (128 - bits_of[kind]);
	words_of(kind, &n);
	return n - 1;
}

/* Four bytes of an address behind 10.1, 10.2 or 10.3. */
static script_value some_ip(struct lab_random *random)
{
	static const uint16_t hosts[] = { 0x0000, 0x0001, 0x0002, 0x0100, 0x01ff,
					  0x7fff, 0x8000, 0xfffe, 0xffff };

	return (script_value)(10u << 24 | (1 + script_below(random, 3)) << 16 |
			      hosts[script_below(random, N(hosts))]);
}

/* Such as differ in one word of 32 bits only. */
static script_value some_ip6(struct lab_random *random)
{
	script_value v = (script_value)(0xfd000000u | (1 + script_below(random, 3))) << 96;
	static const uint32_t words[] = { 0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff };

	v |= words[script_below(random, N(words))];
	if (script_chance(random, 30))
		v |= (script_value)words[script_below(random, N(words))] << 32;
	if (script_chance(random, 30))
		v |= (script_value)words[script_below(random, N(words))] << 64;
	return v;
}

static script_value from_list(struct lab_random *random, const uint32_t *list, size_t n)
{
	return list[script_below(random, (unsigned int)n)];
}

static script_value some_value(struct lab_random *random, enum script_kind kind)
{
	static const uint32_t ports[] = { 0, 1, 53, 80, 443, 1023, 1024, 32768, 65534, 65535 };
	static const uint32_t lengths[] = { 20, 28, 40, 41, 48, 60, 64, 96, 128, 255, 256, 300 };
	static const uint32_t protocols[] = { 6,  17, 136, 132, 33,  1,   58,  47, 50,
					      51, 59, 0,   44,  135, 139, 255, 253 };
	static const uint32_t ttls[] = { 0, 2, 63, 64, 127, 128, 255 };
	static const uint32_t types[] = { 0, 3, 8, 11, 128, 129, 255 };
	static const uint32_t types6[] = { 1, 2, 128, 129, 143, 255 };
	static const uint32_t codes[] = { 0, 1, 4, 255 };
	static const uint32_t marks[] = { 0, 1, 255, 256, 65536, 0x80000000, 0xffffffff };
	static const uint32_t flags[] = { 0, 1, 2, 4, 0x10, 0x12, 0x11, 0x18, 0xc2, 0xff };

	switch (kind) {
	case KIND_IP:
		return some_ip(random);
	case KIND_IP6:
		return some_ip6(random);
	case KIND_PORT:
		return from_list(random, ports, N(ports));
	case KIND_LENGTH:
	case KIND_META_LENGTH:
		return from_list(random, lengths, N(lengths));
	case KIND_PROTOCOL:
		return from_list(random, protocols, N(protocols));
	case KIND_TTL:
		return from_list(random, ttls, N(ttls));
	case KIND_TYPE:
		return from_list(random, types, N(types));
	case KIND_TYPE6:
		return from_list(random, types6, N(types6));
	case KIND_CODE:
	case KIND_CODE6:
		return from_list(random, codes, N(codes));
	case KIND_MARK:
		return from_list(random, marks, N(marks));
	case KIND_FLAGS:
		return from_list(random, flags, N(flags));
	default:
		return lab_random_next(random) % ((uint64_t)script_most(kind) + 1);
	}
}

void script_pools(struct script *r)
{
	for (int kind = 0; kind < KIND_MAX; kind++)
		for (int i = 0; i < SCRIPT_POOL; i++)
			r->pool[kind][i] = some_value(&r->random, (enum script_kind)kind);
	/* Sets without intervals need one that is no wildcard. */
	r->pool[KIND_NAME][0] = 0;
}

script_value script_pick(const struct script *r, struct lab_random *random, enum script_kind kind)
{
	return r->pool[kind][script_below(random, SCRIPT_POOL)];
}

script_value script_edge(const struct script *r, struct lab_random *random, enum script_kind kind)
{
	script_value v = script_pick(r, random, kind);

	if (!bits_of[kind] || script_chance(random, 60))
		return v;
	v += script_chance(random, 50) ? 1 : (script_value)-1;
	return v & script_most(kind);
}

struct script_span script_range(struct script *r, enum script_kind kind)
{
	script_value a = script_edge(r, &r->random, kind), b = script_edge(r, &r->random, kind);

	return (struct script_span){ a < b ? a : b, a < b ? b : a };
}

struct script_span script_prefix(struct script *r, enum script_kind kind)
{
	script_value v = script_pick(r, &r->random, kind), mask = script_most(kind);
	unsigned int bits = bits_of[kind];
	unsigned int host = script_chance(&r->random, 40) ? script_below(&r->random, 4) :
							    script_below(&r->random, bits + 1);

	mask = host == bits ? mask : mask & (((script_value)1 << host) - 1);
	return (struct script_span){ v & ~mask, v | mask };
}

/* Bytes of the name, zeros behind it; a wildcard is all names that begin so. */
static struct script_span name_span(script_value word)
{
	const char *text = words_name[word] + 1;
	struct script_span s = { 0, 0 };
	unsigned int shift = 128;

	for (; *text != '"' && *text != '*'; text++)
		s.from |= (script_value)(unsigned char)*text << (shift -= 8);
	s.to = *text == '*' ? s.from | (((script_value)1 << shift) - 1) : s.from;
	return s;
}

static void print_name(FILE *f, const struct script_span *s)
{
	for (size_t i = 0; i < N(words_name); i++) {
		struct script_span word = name_span(i);

		if (word.from == s->from && word.to == s->to)
			fputs(words_name[i], f);
	}
}

static bool overlaps(const struct script_span *a, const struct script_span *b)
{
	return a->from <= b->to && b->from <= a->to;
}

size_t script_spans(struct script *r, enum script_kind kind, bool intervals,
		    struct script_span *spans, size_t most)
{
	size_t want = 1 + script_below(&r->random, (unsigned int)most), n = 0;

	for (size_t tries = 0; tries < 2 * want || !n; tries++) {
		struct script_span s;
		bool fits = n < want;

		s.from = s.to = script_edge(r, &r->random, kind);
		if (intervals && bits_of[kind] && kind != KIND_FLAGS &&
		    script_chance(&r->random, 55))
			s = script_chance(&r->random, 50) ? script_range(r, kind) :
							    script_prefix(r, kind);
		if (kind == KIND_NAME)
			s = name_span(s.from);
		fits = fits && (intervals || s.from == s.to);
		for (size_t i = 0; i < n; i++)
			fits = fits && !overlaps(&s, &spans[i]);
		if (fits)
			spans[n++] = s;
	}
	return n;
}

static void print_address(FILE *f, enum script_kind kind, script_value v)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	size_t n = bits_of[kind] / 8;

	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)(v >> 8 * (n - 1 - i));
	inet_ntop(kind == KIND_IP ? AF_INET : AF_INET6, bytes, text, sizeof(text));
	fputs(text, f);
}

void script_print_value(FILE *f, enum script_kind kind, script_value v)
{
	unsigned int n;

	if (text_of[kind] == TEXT_WORD)
		fputs(words_of(kind, &n)[v], f);
	else if (text_of[kind] == TEXT_NUMBER)
		fprintf(f, kind == KIND_MARK || kind == KIND_FLAGS ? "0x%llx" : "%llu",
			(unsigned long long)v);
	else
		print_address(f, kind, v);
}

bool script_is_prefix(const struct script_span *s)
{
	script_value size = s->to - s->from + 1;

	return !(size & (size - 1)) && !(s->from & (size - 1));
}

/* Bits of the host part if the span is a prefix of an address, or -1. */
static int host_bits(enum script_kind kind, const struct script_span *s)
{
	script_value size = s->to - s->from + 1;
	int host = 0;

	if (text_of[kind] != TEXT_IP && text_of[kind] != TEXT_IP6)
		return -1;
	if (!s->from && s->to == script_most(kind))
		return (int)bits_of[kind];
	if (!script_is_prefix(s))
		return -1;
	while (size >>= 1)
		host++;
	return host;
}

void script_print_span(FILE *f, enum script_kind kind, const struct script_span *s)
{
	int host = host_bits(kind, s);

	if (kind == KIND_NAME) {
		print_name(f, s);
		return;
	}
	script_print_value(f, kind, s->from);
	if (s->from == s->to)
		return;
	if (host >= 0) {
		fprintf(f, "/%u", bits_of[kind] - (unsigned int)host);
	} else {
		fputc('-', f);
		script_print_value(f, kind, s->to);
	}
}
