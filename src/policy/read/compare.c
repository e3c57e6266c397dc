// SPDX-License-Identifier: GPL-2.0-or-later
/* Matches out of what registers are compared with. */
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "expression.h"

/* Has a register what can't be compared? Then that is said, unless it was. */
static bool is_refused(struct rule_reader *rr, const rbit *in, size_t len)
{
	bool unknown = false;
	size_t i;

	for (i = 0; i < 8 * len; i++) {
		if (in[i] == RBIT_REFUSED)
			return true;
		unknown |= in[i] == RBIT_UNKNOWN;
	}
	if (unknown)
		rule_refuse(rr, rr->loaded, "use a field of ip, ip6, tcp, udp, th or icmp");
	return unknown;
}

/* What the register must show of one field. */
struct want {
	unsigned int field;
	value mask;
	value bits;
};

struct wants {
	struct want want[8];
	size_t n;
	bool never; /* a constant differs */
	bool many;  /* more fields than fit */
};

static struct want *find_want(struct wants *w, unsigned int field)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->want[i].field == field)
			return &w->want[i];
	if (w->n == sizeof(w->want) / sizeof(*w->want)) {
		w->many = true;
		return &w->want[0];
	}
	w->want[w->n] = (struct want){ .field = field };
	return &w->want[w->n++];
}

static void find_wants(struct wants *w, const rbit *in, const struct attr *data)
{
	struct want *want;
	bool set;
	size_t i;

	for (i = 0; i < 8 * data->len; i++) {
		set = data->data[i / 8] >> i % 8 & 1;
		if (!(in[i] & RBIT_FIELD)) {
			w->never |= set != (in[i] == RBIT_1);
			continue;
		}
		want = find_want(w, rbit_field(in[i]));
		want->mask |= (value)1 << rbit_index(in[i]);
		if (set != !!(in[i] & RBIT_INVERT))
			want->bits |= (value)1 << rbit_index(in[i]);
	}
}

/* Is it a prefix? Then these are its values. */
static bool prefix_span(const struct want *want, struct span *out)
{
	value rest = field_max(want->field) & ~want->mask;

	*out = (struct span){ want->bits, want->bits | rest };
	return !(rest & (rest + 1));
}

static bool add_want(struct rule_reader *rr, const struct want *want, bool negate)
{
	struct statement *s;
	struct span span;

	if (prefix_span(want, &span))
		return rule_add_span(rr, want->field, span, negate);
	rule_meets(rr, want->field);
	s = rule_add(rr, STATEMENT_MATCH);
	if (!s)
		return false;
	s->match.kind = MATCH_MASK;
	s->match.negate = negate;
	s->match.key = (struct key){ .n = 1, .field = { (uint8_t)want->field } };
	s->match.mask = want->mask;
	s->match.value = want->bits;
	return true;
}

/* Constants decide alone: the rule holds for no packet, or asks nothing. */
static void add_constant(struct rule_reader *rr, const struct wants *w, bool holds)
{
	unsigned int field = w->n ? w->want[0].field : GATE_NFPROTO;

	if (holds)
		return;
	rule_add_span(rr, field, (struct span){ 1, 0 }, false);
}

/* Not all of several fields at once: a concatenation that is not there. */
static void add_wants_negated(struct rule_reader *rr, const struct wants *w)
{
	struct key key = { .n = (uint32_t)w->n };
	struct span spans[GATE_TUPLE_FIELDS];
	struct statement *s;
	uint32_t set;
	size_t i;

	for (i = 0; i < w->n && i < GATE_TUPLE_FIELDS; i++) {
		key.field[i] = (uint8_t)w->want[i].field;
		if (!prefix_span(&w->want[i], &spans[i]))
			break;
	}
	if (i < w->n) {
		rule_refuse(rr, "!= of several fields at once",
			    "nftables compares neighbours as one; put another match between them");
		return;
	}
	for (i = 0; i < w->n; i++)
		rule_meets(rr, w->want[i].field);
	set = reader_add_tuple(rr->r, rr->table, &key, spans);
	s = set == UINT32_MAX ? NULL : rule_add(rr, STATEMENT_MATCH);
	if (!s)
		return;
	s->match.kind = MATCH_SET;
	s->match.negate = true;
	s->match.key = key;
	s->match.set = set;
}

static void compare_equal(struct rule_reader *rr, const rbit *in, const struct attr *data,
			  bool negate)
{
	rbit joined[REGISTER_BITS];
	struct wants w = { 0 };
	size_t i;

	if (negate)
		register_join(joined, in, data->len);
	find_wants(&w, negate ? joined : in, data);
	if (w.many) {
		rule_refuse(rr, "a comparison of so many fields at once", "use a rule for each");
		return;
	}
	if (w.never || !w.n) {
		add_constant(rr, &w, w.never == negate);
		return;
	}
	if (negate && w.n > 1) {
		add_wants_negated(rr, &w);
		return;
	}
	for (i = 0; i < w.n && add_want(rr, &w.want[i], negate);)
		i++;
}

/* The field whose bits these are, with constants between them; -1: several, or one of many bits. */
static int small_field(const rbit *in, size_t bits)
{
	const uint32_t fields = register_fields(in, bits);
	int field;

	if (__builtin_popcount(fields) != 1)
		return -1;
	field = __builtin_ctz(fields);
	return field_bits((unsigned int)field) <= 8 ? field : -1;
}

/* What the register has in it where the field has this value. */
static value seen_as(const rbit *in, size_t len, unsigned int of)
{
	uint8_t bytes[sizeof(value)] = { 0 };
	size_t i;
	rbit b;

	for (i = 0; i < 8 * len; i++) {
		b = in[i];
		if (b & RBIT_FIELD ? (of >> rbit_index(b) & 1) != !!(b & RBIT_INVERT) : b == RBIT_1)
			bytes[i / 8] |= (uint8_t)(1u << i % 8);
	}
	return number_read(bytes, len);
}

/* Behind a mask what is in the register is no number of the field's: each value is tried. */
static void compare_masked(struct rule_reader *rr, const rbit *in, size_t len, struct span want,
			   bool negate, unsigned int field)
{
	struct span spans[128];
	unsigned int v;
	size_t n = 0;
	value seen;

	for (v = 0; v <= field_max(field); v++) {
		seen = seen_as(in, len, v);
		if (seen < want.from || seen > want.to)
			continue;
		if (n && spans[n - 1].to + 1 == v)
			spans[n - 1].to = v;
		else
			spans[n++] = (struct span){ v, v };
	}
	rule_add_spans(rr, field, spans, n, negate);
}

/* Values from..to of what is in the register. */
static void compare_span(struct rule_reader *rr, const rbit *in, size_t len, struct span want,
			 bool negate)
{
	const int small = small_field(in, 8 * len);
	rbit joined[REGISTER_BITS];
	struct number number;
	struct span span;

	register_join(joined, in, len);
	if (!number_of(joined, 8 * len, &number)) {
		if (small >= 0)
			compare_masked(rr, in, len, want, negate, (unsigned int)small);
		else
			rule_refuse(rr, "a comparison of bytes that are no number",
				    "compare one field without a mask, or use ==");
		return;
	}
	if (!number_span(&number, want.from, want.to, &span))
		span = (struct span){ 1, 0 };
	rule_add_span(rr, number.field, span, negate);
}

/* "1000-2000" comes as >= and <=: one match says so, too. */
static void merge_last(struct rule_reader *rr)
{
	struct rule *rule = &rr->r->rs->rules[rr->rule];
	struct match *a, *b;

	if (rule->n < 2 || rule->statements[rule->n - 2].kind != STATEMENT_MATCH)
		return;
	a = &rule->statements[rule->n - 2].match;
	b = &rule->statements[rule->n - 1].match;
	if (a->kind != MATCH_SPANS || a->negate || a->n_spans != 1 || b->n_spans != 1 ||
	    a->key.n != 1 || a->key.field[0] != b->key.field[0] || a->spans->from > b->spans->to ||
	    b->spans->from > a->spans->to)
		return;
	if (a->spans->from < b->spans->from)
		a->spans->from = b->spans->from;
	if (a->spans->to > b->spans->to)
		a->spans->to = b->spans->to;
	free(b->spans);
	rule->n--;
}

static void compare_order(struct rule_reader *rr, const rbit *in, const struct attr *data,
			  uint32_t op)
{
	value at = number_read(data->data, data->len), max = ~(value)0;
	struct span want = { 0, max };

	if (op == NFT_CMP_GTE)
		want.from = at;
	else if (op == NFT_CMP_LTE)
		want.to = at;
	else if (op == NFT_CMP_GT)
		want = at == max ? (struct span){ 1, 0 } : (struct span){ at + 1, max };
	else
		want = at ? (struct span){ 0, at - 1 } : (struct span){ 1, 0 };
	compare_span(rr, in, data->len, want, false);
	if (op == NFT_CMP_LTE)
		merge_last(rr);
}

bool compare_cmp(struct rule_reader *rr, const struct attrs *a)
{
	uint32_t op = attr_u32(a, NFTA_CMP_OP, UINT32_MAX);
	struct attr data = attr_value(a, NFTA_CMP_DATA);
	rbit *in = rule_register(rr, a, NFTA_CMP_SREG, data.len);

	if (!in || data.len > sizeof(value) || op > NFT_CMP_GTE)
		return false;
	if (is_refused(rr, in, data.len))
		return true;
	if (op == NFT_CMP_EQ || op == NFT_CMP_NEQ)
		compare_equal(rr, in, &data, op == NFT_CMP_NEQ);
	else
		compare_order(rr, in, &data, op);
	return true;
}

bool compare_range(struct rule_reader *rr, const struct attrs *a)
{
	uint32_t op = attr_u32(a, NFTA_RANGE_OP, UINT32_MAX);
	struct attr from = attr_value(a, NFTA_RANGE_FROM_DATA);
	struct attr to = attr_value(a, NFTA_RANGE_TO_DATA);
	rbit *in = rule_register(rr, a, NFTA_RANGE_SREG, from.len);

	if (!in || from.len > sizeof(value) || from.len != to.len || op > NFT_RANGE_NEQ)
		return false;
	if (!is_refused(rr, in, from.len))
		compare_span(rr, in, from.len,
			     (struct span){ number_read(from.data, from.len),
					    number_read(to.data, to.len) },
			     op == NFT_RANGE_NEQ);
	return true;
}

static void key_of(const struct shape *shape, struct key *key)
{
	uint32_t i;

	key->n = shape->n;
	for (i = 0; i < shape->n; i++)
		key->field[i] = shape->component[i].field;
}

static const char *add_lookup(struct rule_reader *rr, struct raw_set *raw,
			      const struct shape *shape, bool negate)
{
	bool verdicts = raw->flags & NFT_SET_MAP;
	const char *why;
	struct statement *s;
	uint32_t i;

	if (!raw_set_use(rr->r, raw, shape, &why))
		return why;
	for (i = 0; i < shape->n; i++)
		rule_meets(rr, shape->component[i].field);
	s = verdicts ? rule_add_effect(rr, STATEMENT_VMAP) : rule_add(rr, STATEMENT_MATCH);
	if (!s)
		return NULL;
	key_of(shape, &s->match.key);
	s->match.negate = negate;
	s->match.set = raw->index;
	s->match.kind = raw->index == UINT32_MAX ? MATCH_SPANS : MATCH_SET;
	if (raw->index == UINT32_MAX &&
	    !raw_set_spans(rr->r, raw, &s->match.spans, &s->match.n_spans, &why))
		return why;
	return NULL;
}

bool compare_lookup(struct rule_reader *rr, const struct attrs *a)
{
	struct raw_set *raw = reader_set(rr->r, rr->table, attr_text(a, NFTA_LOOKUP_SET));
	uint32_t flags = attr_u32(a, NFTA_LOOKUP_FLAGS, 0);
	const char *why = NULL;
	struct shape shape;
	rbit *in;

	in = raw ? rule_register(rr, a, NFTA_LOOKUP_SREG, raw->len) : NULL;
	if (!in || flags & ~(uint32_t)NFT_LOOKUP_F_INV)
		return false;
	raw->is_used = true;
	if (raw->why) {
		rule_refuse_for(rr, "a set", raw->why);
		raw->why = NULL;
	}
	if (raw->refused || is_refused(rr, in, raw->len)) {
		rr->r->refused = true;
		return true;
	}
	/* Without a register for its verdict a map would be asked as a set. */
	if ((raw->flags & NFT_SET_MAP) != (a->at[NFTA_LOOKUP_DREG].data ? NFT_SET_MAP : 0) ||
	    attr_u32(a, NFTA_LOOKUP_DREG, NFT_REG_VERDICT) != NFT_REG_VERDICT)
		why = "look it up with vmap";
	else if (shape_of(in, raw->len, &shape, &why))
		why = add_lookup(rr, raw, &shape, flags);
	if (why)
		rule_refuse(rr, "a lookup in a set", why);
	return true;
}
