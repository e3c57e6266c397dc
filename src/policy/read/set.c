// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sets, maps of verdicts and their elements.
 *
 * The kernel keeps bytes, and rules look up bytes: of which fields, only the rules know. So
 * elements are kept as they come until a rule looks the set up, and become values of fields then.
 * Intervals of one field are kept as their bounds: a start, and an end one beyond the last value,
 * which may be the next interval's start or missing at the top.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "reader.h"

/* Newer than some headers: what the kernel tells beside, of a set of its own accord. */
#define SET_TYPE  19
#define SET_COUNT 20

#define BIT(n) (1ull << (n))

#define SET_KNOWN \
	(BIT(NFTA_SET_TABLE) | BIT(NFTA_SET_NAME) | BIT(NFTA_SET_FLAGS) | BIT(NFTA_SET_KEY_TYPE) | \
	 BIT(NFTA_SET_KEY_LEN) | BIT(NFTA_SET_DATA_TYPE) | BIT(NFTA_SET_DATA_LEN) | \
	 BIT(NFTA_SET_POLICY) | BIT(NFTA_SET_DESC) | BIT(NFTA_SET_USERDATA) | BIT(NFTA_SET_PAD) | \
	 BIT(NFTA_SET_HANDLE) | BIT(SET_TYPE) | BIT(SET_COUNT))

#define SET_FLAGS \
	((uint32_t)NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | NFT_SET_INTERVAL | NFT_SET_MAP | \
	 NFT_SET_CONCAT)

#define ELEMENT_KNOWN \
	(BIT(NFTA_SET_ELEM_KEY) | BIT(NFTA_SET_ELEM_KEY_END) | BIT(NFTA_SET_ELEM_DATA) | \
	 BIT(NFTA_SET_ELEM_FLAGS) | BIT(NFTA_SET_ELEM_USERDATA) | BIT(NFTA_SET_ELEM_PAD))

#define DATA_VERDICT 0xffffff00u /* NFT_DATA_VERDICT */

struct raw_set *reader_set(struct reader *r, uint32_t table, const char *name)
{
	struct raw_set *raw;
	size_t i;

	/* Mostly the same one again, or the next. */
	for (i = 0; i < r->n_sets; i++) {
		raw = &r->sets[(r->last_set + i) % r->n_sets];
		if (raw->table != table || strcmp(raw->name, name))
			continue;
		r->last_set = (r->last_set + i) % r->n_sets;
		return raw;
	}
	return NULL;
}

static void refuse(struct reader *r, struct raw_set *raw, const char *what)
{
	r->refused = true;
	/* The rule that it is a part of says where it stands. */
	if (raw->flags & NFT_SET_ANONYMOUS && !raw->refused)
		raw->why = what;
	else if (!raw->refused)
		reader_refuse(r, READER_NO_RULE, "table %s %s, set %s: %s",
			      reader_family(r, raw->table), r->rs->tables[raw->table].name,
			      raw->name, what);
	raw->refused = true;
}

static void check_set(struct reader *r, struct raw_set *raw, const struct attrs *a)
{
	uint32_t data = attr_u32(a, NFTA_SET_DATA_TYPE, DATA_VERDICT);

	if (raw->flags & NFT_SET_TIMEOUT)
		refuse(r, raw,
		       "timeouts: not supported; leave 'timeout' out and use "
		       "'unfrag policy set' from a timer");
	else if (raw->flags & NFT_SET_EVAL)
		refuse(r, raw,
		       "flags dynamic: not supported: rules do not change sets; use "
		       "'unfrag policy set'");
	else if (raw->flags & NFT_SET_OBJECT || (raw->flags & NFT_SET_MAP && data != DATA_VERDICT))
		refuse(r, raw,
		       "a map of what is no verdict: not supported; use a map of verdicts "
		       "and jump to chains");
	else if (raw->flags & ~SET_FLAGS || a->present & ~SET_KNOWN)
		refuse(r, raw, "statements or flags of sets: not supported; count in a rule");
	else if (!raw->len || raw->len > REGISTER_BYTES)
		refuse(r, raw, "keys of this size: not supported");
}

static struct set *add_set(struct reader *r, struct raw_set *raw)
{
	struct set *set = ARRAY_ADD(r->rs->sets, r->rs->n_sets);

	if (set)
		set->name = reader_copy(r, raw->flags & NFT_SET_ANONYMOUS ? "" : raw->name);
	if (!set || !set->name) {
		r->no_memory = true;
		return NULL;
	}
	raw->index = (uint32_t)r->rs->n_sets - 1;
	set->table = raw->table;
	set->verdicts = raw->flags & NFT_SET_MAP;
	set->is_named = !(raw->flags & NFT_SET_ANONYMOUS);
	memset(set->field, GATE_FIELD_MAX, sizeof(set->field));
	return set;
}

uint32_t reader_add_tuple(struct reader *r, uint32_t table, const struct key *key,
			  const struct span *spans)
{
	struct raw_set raw = { .table = table, .flags = NFT_SET_ANONYMOUS };
	struct set *set = add_set(r, &raw);
	uint32_t i;

	if (set)
		set->elements = calloc(1, sizeof(*set->elements));
	if (!set || !set->elements) {
		r->no_memory = true;
		return UINT32_MAX;
	}
	set->n = key->n;
	set->n_elements = 1;
	set->elements->verdict = GATE_VERDICT_CONTINUE;
	for (i = 0; i < key->n; i++) {
		set->field[i] = key->field[i];
		set->bits[i] = (uint8_t)field_size(key->field[i]);
		set->elements->span[i] = spans[i];
	}
	return raw.index;
}

void reader_on_set(struct reader *r, uint8_t family, const struct attrs *a)
{
	uint32_t table = reader_table(r, family, attr_text(a, NFTA_SET_TABLE));
	struct raw_set *raw;

	if (table == UINT32_MAX) {
		r->refused = true;
		return;
	}
	raw = ARRAY_ADD(r->sets, r->n_sets);
	if (!raw) {
		r->no_memory = true;
		return;
	}
	raw->name = attr_text(a, NFTA_SET_NAME);
	raw->table = table;
	raw->flags = attr_u32(a, NFTA_SET_FLAGS, 0);
	raw->len = attr_u32(a, NFTA_SET_KEY_LEN, 0);
	raw->index = UINT32_MAX;
	check_set(r, raw, a);
	if (!(raw->flags & NFT_SET_ANONYMOUS))
		add_set(r, raw);
}

static const uint8_t *key_of(const struct raw_set *raw, const struct attrs *a, unsigned int type)
{
	struct attr key = attr_value(a, type);

	return key.len == raw->len ? key.data : NULL;
}

static void on_element(struct reader *r, struct raw_set *raw, struct attr in)
{
	struct raw_element e = { .verdict = GATE_VERDICT_CONTINUE };
	struct attrs a;
	uint32_t flags;

	attrs_parse(&a, in);
	flags = attr_u32(&a, NFTA_SET_ELEM_FLAGS, 0);
	e.is_end = flags & NFT_SET_ELEM_INTERVAL_END;
	if (flags & NFT_SET_ELEM_CATCHALL) {
		refuse(r, raw,
		       "the element '*': not supported; write what it does as the next rule");
		return;
	}
	if (a.broken || a.present & ~ELEMENT_KNOWN ||
	    flags & ~(uint32_t)NFT_SET_ELEM_INTERVAL_END) {
		refuse(r, raw,
		       "elements with timeouts or statements: not supported; leave these out");
		return;
	}
	e.key = key_of(raw, &a, NFTA_SET_ELEM_KEY);
	if (a.present & BIT(NFTA_SET_ELEM_KEY_END))
		e.end = key_of(raw, &a, NFTA_SET_ELEM_KEY_END);
	if (!e.key || (a.present & BIT(NFTA_SET_ELEM_KEY_END) && !e.end)) {
		refuse(r, raw, "elements of another size than its keys");
		return;
	}
	if (raw->flags & NFT_SET_MAP && !e.is_end &&
	    !reader_verdict(r, raw->table, a.at[NFTA_SET_ELEM_DATA], &e.verdict)) {
		refuse(r, raw, "an element's verdict is not known here");
		return;
	}
	if (!array_room(&raw->elements, raw->n, sizeof(e)))
		r->no_memory = true;
	else
		raw->elements[raw->n++] = e;
}

void reader_on_elements(struct reader *r, uint8_t family, const struct attrs *a)
{
	uint32_t table = reader_table(r, family, attr_text(a, NFTA_SET_ELEM_LIST_TABLE));
	struct attr rest = a->at[NFTA_SET_ELEM_LIST_ELEMENTS], one;
	struct raw_set *raw;
	unsigned int type;
	bool broken = false;

	raw = table == UINT32_MAX ? NULL :
				    reader_set(r, table, attr_text(a, NFTA_SET_ELEM_LIST_SET));
	if (!raw) {
		r->refused = true;
		return;
	}
	while (!raw->refused && !r->no_memory && attr_next(&rest, &type, &one, &broken))
		on_element(r, raw, one);
	if (broken)
		refuse(r, raw, "its elements are broken");
}

/* Ends come before starts: an interval may begin where another one ends. */
static int compare_raw(const void *a, const void *b, void *arg)
{
	const struct raw_element *x = a, *y = b;
	const size_t *len = arg;
	int c = memcmp(x->key, y->key, *len);

	if (!c && x->end && y->end)
		c = memcmp(x->end, y->end, *len);
	return c ? c : (int)y->is_end - (int)x->is_end;
}

/*
 * The kernel tells an element of a hash twice if the table grew in between, and a file may say it
 * twice.
 */
static void sort_raw(struct raw_set *raw)
{
	size_t i, n = 0, len = raw->len;

	if (!raw->n)
		return;
	qsort_r(raw->elements, raw->n, sizeof(*raw->elements), compare_raw, &len);
	for (i = 0; i < raw->n; i++)
		if (!n || compare_raw(&raw->elements[n - 1], &raw->elements[i], &len))
			raw->elements[n++] = raw->elements[i];
	raw->n = n;
}

static int compare_element(const void *a, const void *b)
{
	const struct element *x = a, *y = b;

	return x->span->from < y->span->from ? -1 : x->span->from > y->span->from;
}

struct elements {
	struct element *element;
	size_t n;
};

#define RANGES \
	"nftables compares the bytes of a range in another order than the numbers'; use single " \
	"values"

/* Of one field: the end is one below the next bound. */
static const char *convert_interval(const struct raw_set *raw, size_t i, const struct component *c,
				    struct elements *out)
{
	struct element *e = &out->element[out->n];
	value from = number_read(raw->elements[i].key, raw->len), to = ~(value)0;

	if (!c->ordered)
		return RANGES;
	if (i + 1 < raw->n)
		to = number_read(raw->elements[i + 1].key, raw->len) - 1;
	if (number_span(&c->number, from, to, e->span)) {
		e->verdict = raw->elements[i].verdict;
		out->n++;
	}
	return NULL;
}

static const char *convert_intervals(struct raw_set *raw, struct elements *out)
{
	const char *why = NULL;
	size_t i;

	if (raw->len > sizeof(value))
		return "intervals of keys of this size";
	for (i = 0; i < raw->n && !why; i++)
		if (!raw->elements[i].is_end)
			why = convert_interval(raw, i, &raw->shape.component[0], out);
	return why;
}

static const char *convert_keys(const struct raw_set *raw, struct elements *out)
{
	const struct component *c;
	struct element *e;
	const uint8_t *end;
	bool possible, all;
	size_t i, at;
	uint32_t j;

	for (i = 0; i < raw->n; i++) {
		e = &out->element[out->n];
		end = raw->elements[i].end ? raw->elements[i].end : raw->elements[i].key;
		for (j = 0, at = 0, all = true; j < raw->shape.n; at += c->bytes, j++) {
			c = &raw->shape.component[j];
			if (!component_span(c, raw->elements[i].key + at, end + at, &e->span[j],
					    &possible))
				return RANGES;
			all = all && possible;
		}
		e->verdict = raw->elements[i].verdict;
		out->n += all;
	}
	if (raw->shape.n == 1 && out->n)
		qsort(out->element, out->n, sizeof(*out->element), compare_element);
	return NULL;
}

/* The kernel sees to it, but a listing need not be the kernel's. */
static const char *check_disjoint(const struct elements *elements)
{
	size_t i;

	for (i = 1; i < elements->n; i++)
		if (elements->element[i].span->from <= elements->element[i - 1].span->to)
			return "its elements overlap";
	return NULL;
}

/* Elements as values of fields, of a set whose shape is known; *why: what can't be. */
static bool convert(struct reader *r, struct raw_set *raw, struct elements *out, const char **why)
{
	bool intervals = raw->flags & NFT_SET_INTERVAL && raw->shape.n == 1;

	out->n = 0;
	out->element = calloc(raw->n ? raw->n : 1, sizeof(*out->element));
	if (!out->element) {
		r->no_memory = true;
		*why = NULL;
		return false;
	}
	sort_raw(raw);
	*why = intervals ? convert_intervals(raw, out) : convert_keys(raw, out);
	if (!*why && raw->shape.n == 1)
		*why = check_disjoint(out);
	if (*why)
		free(out->element);
	return !*why;
}

static bool fill(struct reader *r, struct raw_set *raw, const char **why)
{
	struct set *set = raw->index == UINT32_MAX ? add_set(r, raw) : &r->rs->sets[raw->index];
	struct elements elements;
	uint32_t i;

	*why = NULL;
	if (!set || !convert(r, raw, &elements, why))
		return false;
	set->elements = elements.element;
	set->n_elements = elements.n;
	set->n = raw->shape.n;
	for (i = 0; i < set->n; i++) {
		set->field[i] = raw->shape.component[i].field;
		set->bits[i] = (uint8_t)field_size(set->field[i]);
	}
	return true;
}

bool raw_set_use(struct reader *r, struct raw_set *raw, const struct shape *shape, const char **why)
{
	*why = NULL;
	if (raw->refused)
		return false;
	if (raw->shape.n) {
		if (shape_is_like(&raw->shape, shape))
			return true;
		*why = "the set is used for fields that lie differently; use a set for each";
		return false;
	}
	raw->shape = *shape;
	/* What a rule alone can see of it becomes a part of the rule. */
	if (raw->flags & NFT_SET_ANONYMOUS && !(raw->flags & NFT_SET_MAP) && shape->n == 1)
		return true;
	return fill(r, raw, why);
}

bool raw_set_spans(struct reader *r, struct raw_set *raw, struct span **out, size_t *n,
		   const char **why)
{
	struct elements elements;
	struct span *spans;
	size_t i, count = 0;

	if (!convert(r, raw, &elements, why))
		return false;
	spans = calloc(elements.n ? elements.n : 1, sizeof(*spans));
	for (i = 0; spans && i < elements.n; i++) {
		if (count && elements.element[i].span->from - 1 <= spans[count - 1].to)
			spans[count - 1].to = elements.element[i].span->to;
		else
			spans[count++] = *elements.element[i].span;
	}
	free(elements.element);
	r->no_memory |= !spans;
	*out = spans;
	*n = count;
	return spans;
}

/* What a key of so many bytes could be that nothing looks up: numbers, as they come. */
static bool guess_shape(const struct raw_set *raw, struct shape *shape)
{
	static const struct {
		uint8_t bytes, field;
	} plain[] = {
		{ 1, GATE_L4PROTO }, { 2, GATE_DPORT }, { 4, GATE_IP_SADDR }, { 16, GATE_IP6_SADDR }
	};
	rbit in[128];
	const char *why;
	unsigned int i, bit;

	for (i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		if (plain[i].bytes != raw->len)
			continue;
		for (bit = 0; bit < 8 * raw->len; bit++)
			in[bit] = rbit_of(plain[i].field, 8 * (raw->len - 1 - bit / 8) + bit % 8);
		return shape_of(in, raw->len, shape, &why);
	}
	return false;
}

static void finish_unused(struct reader *r, struct raw_set *raw)
{
	const char *why = "no rule uses it, so its fields are not known; use it or leave it out";

	if (guess_shape(raw, &raw->shape) && fill(r, raw, &why))
		memset(r->rs->sets[raw->index].field, GATE_FIELD_MAX, GATE_TUPLE_FIELDS);
	else if (why)
		refuse(r, raw, why);
}

void raw_sets_finish(struct reader *r)
{
	size_t i;

	for (i = 0; i < r->n_sets; i++)
		if (r->sets[i].why)
			reader_refuse(r, READER_NO_RULE, "table %s %s, a set in a rule: %s",
				      reader_family(r, r->sets[i].table),
				      r->rs->tables[r->sets[i].table].name, r->sets[i].why);
	for (i = 0; i < r->n_sets; i++)
		/* One without a name is a part of a rule that was refused. */
		if (!r->sets[i].refused && !r->sets[i].shape.n && !r->no_memory &&
		    !r->sets[i].is_used && !(r->sets[i].flags & NFT_SET_ANONYMOUS))
			finish_unused(r, &r->sets[i]);
}
