// SPDX-License-Identifier: GPL-2.0-or-later
#include "script_match.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

struct field {
	const char *text;
	enum script_kind kind;
	unsigned int l3, l4;
	const char *type; /* NULL: "typeof" must do */
};

#define PORTS(name, proto) \
	{ name " sport", KIND_PORT, 0, proto, "inet_service" }, \
	{ \
		name " dport", KIND_PORT, 0, proto, "inet_service" \
	}

static const struct field fields[] = {
	{ "ip saddr", KIND_IP, 4, 0, "ipv4_addr" },
	{ "ip daddr", KIND_IP, 4, 0, "ipv4_addr" },
	{ "ip6 saddr", KIND_IP6, 6, 0, "ipv6_addr" },
	{ "ip6 daddr", KIND_IP6, 6, 0, "ipv6_addr" },
	{ "ip protocol", KIND_PROTOCOL, 4, 0, "inet_proto" },
	{ "ip length", KIND_LENGTH, 4, 0, NULL },
	{ "ip ttl", KIND_TTL, 4, 0, NULL },
	{ "ip dscp", KIND_DSCP, 4, 0, "dscp" },
	{ "ip6 nexthdr", KIND_PROTOCOL, 6, 0, "inet_proto" },
	{ "ip6 length", KIND_LENGTH, 6, 0, NULL },
	{ "ip6 hoplimit", KIND_TTL, 6, 0, NULL },
	{ "ip6 dscp", KIND_DSCP6, 6, 0, "dscp" },
	{ "meta l4proto", KIND_PROTOCOL, 0, 0, "inet_proto" },
	{ "meta nfproto", KIND_NFPROTO, 0, 0, "nf_proto" },
	{ "meta iif", KIND_INDEX, 0, 0, "iface_index" },
	{ "meta oif", KIND_INDEX, 0, 0, "iface_index" },
	{ "meta iifname", KIND_NAME, 0, 0, "ifname" },
	{ "meta oifname", KIND_NAME, 0, 0, "ifname" },
	{ "meta length", KIND_META_LENGTH, 0, 0, NULL },
	{ "meta mark", KIND_MARK, 0, 0, "mark" },
	{ "ct state", KIND_CT, 0, 0, "ct_state" },
	PORTS("tcp", IPPROTO_TCP),
	PORTS("udp", IPPROTO_UDP),
	PORTS("udplite", IPPROTO_UDPLITE),
	PORTS("sctp", IPPROTO_SCTP),
	PORTS("dccp", IPPROTO_DCCP),
	PORTS("th", SCRIPT_TH),
	{ "tcp flags", KIND_FLAGS, 0, IPPROTO_TCP, "tcp_flag" },
	{ "icmp type", KIND_TYPE, 0, IPPROTO_ICMP, "icmp_type" },
	{ "icmp code", KIND_CODE, 0, IPPROTO_ICMP, "icmp_code" },
	{ "icmpv6 type", KIND_TYPE6, 0, IPPROTO_ICMPV6, "icmpv6_type" },
	{ "icmpv6 code", KIND_CODE6, 0, IPPROTO_ICMPV6, "icmpv6_code" },
};

struct script_context script_context(struct script *r, const struct script_table *t)
{
	static const unsigned int protocols[] = { IPPROTO_TCP,     IPPROTO_TCP,   IPPROTO_UDP,
						  IPPROTO_UDP,     SCRIPT_TH,     SCRIPT_TH,
						  IPPROTO_UDPLITE, IPPROTO_SCTP,  IPPROTO_DCCP,
						  IPPROTO_ICMP,    IPPROTO_ICMPV6 };
	struct script_context c = { 0 };

	if (strcmp(t->family, "inet") != 0)
		c.l3 = t->family[2] ? 6 : 4;
	else if (script_chance(&r->random, 60))
		c.l3 = script_chance(&r->random, 50) ? 4 : 6;
	if (script_chance(&r->random, 65))
		c.l4 = protocols[script_below(&r->random, N(protocols))];
	if ((c.l3 == 4 && c.l4 == IPPROTO_ICMPV6) || (c.l3 == 6 && c.l4 == IPPROTO_ICMP))
		c.l4 = 0;
	return c;
}

static bool allows(const struct script *r, const struct script_context *c, const struct field *f)
{
	bool open = !c->l4 || c->l4 == SCRIPT_TH;
	bool icmp = c->l4 == IPPROTO_ICMP || c->l4 == IPPROTO_ICMPV6;

	if (f->kind == KIND_CT && !r->ct)
		return false;
	if (f->kind == KIND_PROTOCOL && !open)
		return false;
	if (f->kind == KIND_NFPROTO && (c->l3 || !open))
		return false;
	/* "th" is whatever stands there. */
	return (!f->l3 || f->l3 == c->l3) &&
	       (!f->l4 || f->l4 == c->l4 || (f->l4 == SCRIPT_TH && icmp));
}

/* Any that the rule may look at; those of its own layers more often. */
static unsigned int pick_field(struct script *r, const struct script_context *c)
{
	for (unsigned int tries = 0;; tries++) {
		unsigned int i = script_below(&r->random, N(fields));

		if (allows(r, c, &fields[i]) &&
		    (tries > 20 || fields[i].l3 || fields[i].l4 || script_chance(&r->random, 40)))
			return i;
	}
}

/* A field of the same kind as that one, which the rule may look at; -1: there is none. */
static int pick_like(struct script *r, const struct script_context *c, unsigned int like)
{
	for (unsigned int tries = 0; tries < 60; tries++) {
		unsigned int i = script_below(&r->random, N(fields));

		if (fields[i].kind == fields[like].kind && allows(r, c, &fields[i]))
			return (int)i;
	}
	return -1;
}

/* In order that values of a kind be comparable, they have to be numbers. */
static bool is_ordered(enum script_kind kind)
{
	return script_bits(kind) && kind != KIND_FLAGS;
}

static void print_not(struct script *r, FILE *f)
{
	if (script_chance(&r->random, 25))
		fputs(" !=", f);
	else if (script_chance(&r->random, 20))
		fputs(" ==", f);
}

static void match_value(struct script *r, enum script_kind kind, FILE *f)
{
	print_not(r, f);
	fputc(' ', f);
	script_print_value(f, kind, script_edge(r, &r->random, kind));
}

static void match_order(struct script *r, enum script_kind kind, FILE *f)
{
	static const char *const operators[] = { "<", "<=", ">", ">=" };

	fprintf(f, " %s ", operators[script_below(&r->random, N(operators))]);
	script_print_value(f, kind, script_edge(r, &r->random, kind));
}

static void match_span(struct script *r, enum script_kind kind, FILE *f)
{
	bool address = kind == KIND_IP || kind == KIND_IP6;
	struct script_span s = address && script_chance(&r->random, 70) ? script_prefix(r, kind) :
									  script_range(r, kind);

	if (script_chance(&r->random, 25))
		fputs(" !=", f);
	fputc(' ', f);
	script_print_span(f, kind, &s);
}

static void match_mask(struct script *r, enum script_kind kind, FILE *f)
{
	script_value value = script_edge(r, &r->random, kind);
	script_value mask = script_edge(r, &r->random, kind);

	if (script_chance(&r->random, 50))
		mask = script_prefix(r, kind).to ^ script_prefix(r, kind).from;
	if (!mask)
		mask = 1;
	fputs(" & ", f);
	script_print_value(f, kind, mask);
	fputs(script_chance(&r->random, 30) ? " != " : " == ", f);
	script_print_value(f, kind, value & mask);
}

static void print_list(struct script *r, enum script_kind kind, FILE *f)
{
	struct script_span spans[SCRIPT_SPANS];
	size_t n = script_spans(r, kind, true, spans, N(spans));

	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : " ", f);
		script_print_span(f, kind, &spans[i]);
	}
}

static void match_list(struct script *r, enum script_kind kind, FILE *f)
{
	fputs(script_chance(&r->random, 25) ? " != {" : " {", f);
	print_list(r, kind, f);
	fputs(" }", f);
}

/* What is written with commas: any of these bits. */
static void match_bits(struct script *r, const struct field *field, FILE *f)
{
	if (field->kind == KIND_CT) {
		fputs(script_chance(&r->random, 50) ? " new,established" : " invalid,untracked", f);
		return;
	}
	switch (script_below(&r->random, 7)) {
	case 0:
		fputs(" syn,ack", f);
		break;
	case 1:
		fputs(" & (fin|syn|rst|ack) == syn", f);
		break;
	case 2:
		fputs(" & (syn|ack) != 0", f);
		break;
	case 3:
		fputs(" syn", f);
		break;
	case 4:
		fputs(" & (fin|syn|rst|psh|ack|urg) < fin", f);
		break;
	case 5:
		fputs(" & (syn|ack) >= ack", f);
		break;
	default:
		fputs(" & (fin|psh) == (fin|psh)", f);
	}
}

static void match_field(struct script *r, const struct field *field, FILE *f)
{
	unsigned int way = script_below(&r->random, 100);

	fputs(field->text, f);
	if ((field->kind == KIND_CT || field->kind == KIND_FLAGS) && way < 50)
		match_bits(r, field, f);
	else if (is_ordered(field->kind) && way < 15)
		match_order(r, field->kind, f);
	else if (is_ordered(field->kind) && way < 35)
		match_span(r, field->kind, f);
	else if (script_bits(field->kind) && way < 43)
		match_mask(r, field->kind, f);
	else if (way < 70)
		match_list(r, field->kind, f);
	else
		match_value(r, field->kind, f);
}

/* Fields of a concatenation, or one. named: of a set or map with a name. */
static unsigned int pick_fields(struct script *r, const struct script_context *c,
				unsigned int *field, bool named)
{
	unsigned int n = script_chance(&r->random, 45) ?
				 1 :
				 2 + script_below(&r->random, SCRIPT_PARTS - 1);

	for (unsigned int i = 0; i < n; i++) {
		field[i] = pick_field(r, c);
		/* Six bits of two bytes are looked up only alone, and in a set without a name. */
		while (fields[field[i]].kind == KIND_DSCP6 && (n > 1 || named))
			field[i] = pick_field(r, c);
	}
	return n;
}

struct box {
	struct script_span span[SCRIPT_PARTS];
};

/* Ranges of numbers that the machine may keep in another order than a packet; not to be judged. */
static bool is_odd(enum script_kind kind, const struct script_span *a, const struct script_span *b)
{
	return kind == KIND_DSCP || ((kind == KIND_MARK || kind == KIND_META_LENGTH) &&
				     (a->from != a->to || b->from != b->to));
}

static bool has_corner(const struct box *b, const struct box *of, const unsigned int *field,
		       unsigned int n, bool end)
{
	for (unsigned int i = 0; i < n; i++) {
		script_value v = end ? of->span[i].to : of->span[i].from;

		if (is_odd(fields[field[i]].kind, &b->span[i], &of->span[i]))
			continue;
		if (v < b->span[i].from || v > b->span[i].to)
			return false;
	}
	return true;
}

/* The kernel refuses an element with its first or last corner in another; others may overlap. */
static bool clashes(const struct box *a, const struct box *b, const unsigned int *field,
		    unsigned int n)
{
	return has_corner(a, b, field, n, false) || has_corner(a, b, field, n, true) ||
	       has_corner(b, a, field, n, false) || has_corner(b, a, field, n, true);
}

/* Elements of a map that overlap are refused by the gate. */
static bool overlap(const struct box *a, const struct box *b, const unsigned int *field,
		    unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!is_odd(fields[field[i]].kind, &a->span[i], &b->span[i]) &&
		    (a->span[i].from > b->span[i].to || b->span[i].from > a->span[i].to))
			return false;
	return true;
}

static size_t make_boxes(struct script *r, const unsigned int *field, unsigned int n,
			 bool intervals, bool disjoint, struct box *boxes, size_t most)
{
	size_t want = 1 + script_below(&r->random, (unsigned int)most), count = 0;

	for (size_t tries = 0; tries < 2 * want && count < want; tries++) {
		struct box b;
		unsigned int ranges = 0;
		bool fits = true;

		for (unsigned int i = 0; i < n; i++) {
			script_spans(r, fields[field[i]].kind,
				     intervals && fields[field[i]].kind != KIND_NAME, &b.span[i],
				     1);
			/* Ranges multiply: two are enough, one if it is of IPv6 addresses. */
			if (!script_is_prefix(&b.span[i]))
				ranges += fields[field[i]].kind == KIND_IP6 ? 2 : 1;
			if (ranges > 2)
				b.span[i].to = b.span[i].from;
		}
		for (size_t i = 0; i < count; i++)
			fits = fits && !clashes(&b, &boxes[i], field, n) &&
			       !(disjoint && overlap(&b, &boxes[i], field, n));
		if (fits)
			boxes[count++] = b;
	}
	return count;
}

#define BOXES 8

/* Elements; `verdict`: in front of each verdict goes ":", chains from `from` on. */
static void print_elements(struct script *r, const struct script_table *t,
			   const unsigned int *field, unsigned int n, bool intervals,
			   const size_t *from, FILE *f)
{
	struct box boxes[BOXES];
	struct script_span spans[BOXES];
	size_t count = n == 1 ? script_spans(r, fields[*field].kind, intervals, spans, BOXES) :
				make_boxes(r, field, n, intervals, from != NULL, boxes, BOXES);

	for (size_t k = 0; k < count; k++) {
		fputs(k ? ", " : " ", f);
		for (unsigned int i = 0; i < n; i++) {
			fputs(i ? " . " : "", f);
			script_print_span(f, fields[field[i]].kind,
					  n == 1 ? &spans[k] : &boxes[k].span[i]);
		}
		if (!from)
			continue;
		fputs(" : ", f);
		if (script_chance(&r->random, 10))
			fputs("continue", f);
		else
			script_print_verdict(r, t, *from, f);
	}
	fputc(' ', f);
}

static void print_key(const unsigned int *field, unsigned int n, FILE *f)
{
	for (unsigned int i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? " . " : "", fields[field[i]].text);
}

void script_print_verdict(struct script *r, const struct script_table *t, size_t from, FILE *f)
{
	unsigned int way = script_below(&r->random, 100);

	if (from < t->n_chains && way < 40) {
		size_t to = from + script_below(&r->random, (unsigned int)(t->n_chains - from));

		fprintf(f, "%s %s", way < 28 ? "jump" : "goto", t->chains[to].name);
	} else if (way < 70) {
		fputs("accept", f);
	} else {
		fputs(way < 85 ? "drop" : "return", f);
	}
}

/* Of an object that fits the rule; its fields are replaced by others of their kinds. NULL: none. */
static const struct script_object *pick_object(struct script *r, const struct script_table *t,
					       const struct script_context *c, char what,
					       unsigned int *field)
{
	const struct script_object *o;

	if (!t->n_objects)
		return NULL;
	o = &t->objects[script_below(&r->random, (unsigned int)t->n_objects)];
	if (o->what != what)
		return NULL;
	for (unsigned int i = 0; i < o->n_fields; i++) {
		int like = pick_like(r, c, o->field[i]);

		if (like < 0)
			return NULL;
		field[i] = (unsigned int)like;
	}
	return o;
}

static bool match_object(struct script *r, const struct script_table *t,
			 const struct script_context *c, FILE *f)
{
	unsigned int field[SCRIPT_PARTS];
	const struct script_object *o = pick_object(r, t, c, 's', field);

	if (!o)
		return false;
	print_key(field, o->n_fields, f);
	fprintf(f, "%s @%s", script_chance(&r->random, 25) ? " !=" : "", o->name);
	return true;
}

static void match_tuple(struct script *r, const struct script_table *t,
			const struct script_context *c, FILE *f)
{
	unsigned int field[SCRIPT_PARTS], n = pick_fields(r, c, field, false);

	print_key(field, n, f);
	fputs(script_chance(&r->random, 25) ? " != {" : " {", f);
	print_elements(r, t, field, n, script_chance(&r->random, 70), NULL, f);
	fputc('}', f);
}

void script_match(struct script *r, const struct script_table *t, const struct script_context *c,
		  FILE *f)
{
	unsigned int way = script_below(&r->random, 100);

	if (way < 20 && match_object(r, t, c, f))
		return;
	if (way < 35)
		match_tuple(r, t, c, f);
	else
		match_field(r, &fields[pick_field(r, c)], f);
}

void script_vmap(struct script *r, const struct script_table *t, const struct script_context *c,
		 size_t from, FILE *f)
{
	unsigned int field[SCRIPT_PARTS], n;
	const struct script_object *o = pick_object(r, t, c, 'm', field);

	if (o && from < t->n_chains) {
		print_key(field, o->n_fields, f);
		fprintf(f, " vmap @%s", o->name);
		return;
	}
	n = pick_fields(r, c, field, false);
	print_key(field, n, f);
	fputs(" vmap {", f);
	print_elements(r, t, field, n, script_chance(&r->random, 70), &from, f);
	fputc('}', f);
}

static void print_type(struct script *r, const struct script_object *o, FILE *f)
{
	bool named = script_chance(&r->random, 50);

	for (unsigned int i = 0; i < o->n_fields; i++)
		named = named && fields[o->field[i]].type;
	fputs(named ? "type " : "typeof ", f);
	for (unsigned int i = 0; i < o->n_fields; i++)
		fprintf(f, "%s%s", i ? " . " : "",
			named ? fields[o->field[i]].type : fields[o->field[i]].text);
}

/* Maps jump to the last chain only, so that any chain but that may use them. */
void script_object(struct script *r, struct script_table *t, char what)
{
	struct script_object *o = &t->objects[t->n_objects];
	bool intervals = script_chance(&r->random, 60);
	struct script_context c = script_context(r, t);
	size_t size, from = t->n_chains;
	FILE *f = open_memstream(&o->text, &size);

	if (!t->chains[from - 1].head[0])
		from--;
	o->what = what;
	snprintf(o->name, sizeof(o->name), "%c%u", what, (unsigned int)t->n_objects & 0xff);
	o->n_fields = pick_fields(r, &c, o->field, true);
	fprintf(f, "%s %s {\n\t\t", what == 's' ? "set" : "map", o->name);
	print_type(r, o, f);
	fputs(what == 's' ? "\n" : " : verdict\n", f);
	if (intervals)
		fputs("\t\tflags interval\n", f);
	if (script_chance(&r->random, 90)) {
		fputs("\t\telements = {", f);
		print_elements(r, t, o->field, o->n_fields, intervals, what == 'm' ? &from : NULL,
			       f);
		fputs("}\n", f);
	}
	fputs("\t}\n", f);
	fclose(f);
	t->n_objects++;
}
