// SPDX-License-Identifier: GPL-2.0-or-later
#include "register.h"

#include <string.h>

static const uint8_t bits_of[] = {
#define GATE_FIELD(name, bits, text) [GATE_##name] = (bits),
	GATE_FIELDS(GATE_FIELD)
#undef GATE_FIELD
};

#define DSCP_BITS 6

unsigned int field_size(unsigned int field)
{
	return bits_of[field];
}

unsigned int field_bits(unsigned int field)
{
	return field == GATE_IP_DSCP || field == GATE_IP6_DSCP ? DSCP_BITS : bits_of[field];
}

value field_max(unsigned int field)
{
	return ~(value)0 >> (128u - field_bits(field));
}

unsigned int register_host_bit(unsigned int bit, unsigned int bytes)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	(void)bytes;
	return bit;
#else
	return (bytes - 1 - bit / 8) * 8 + bit % 8;
#endif
}

static rbit flipped(rbit b)
{
	if (b & RBIT_FIELD)
		return b ^ RBIT_INVERT;
	return b == RBIT_0 ? RBIT_1 : b == RBIT_1 ? RBIT_0 : b;
}

void register_mask(rbit *out, const rbit *in, const uint8_t *mask, const uint8_t *flip, size_t len)
{
	size_t i;

	for (i = 0; i < 8 * len; i++) {
		out[i] = mask[i / 8] >> i % 8 & 1 ? in[i] : RBIT_0;
		if (flip[i / 8] >> i % 8 & 1)
			out[i] = flipped(out[i]);
	}
}

/*
 * The kernel shifts words of 32 bits, each of this machine's order, the first the most significant.
 */
static size_t place(size_t bit, size_t words)
{
	return 32 * (words - 1 - bit / 32) + register_host_bit(bit % 32, 4);
}

void register_shift(rbit *out, const rbit *in, size_t len, unsigned int bits, bool left)
{
	size_t words = (len + 3) / 4, total = 32 * words, i;
	rbit result[REGISTER_BITS];

	for (i = 0; i < total; i++) {
		if (left)
			result[place(i, words)] = i >= bits ? in[place(i - bits, words)] : RBIT_0;
		else
			result[place(i, words)] = i + bits < total ? in[place(i + bits, words)] :
								     RBIT_0;
	}
	memcpy(out, result, total * sizeof(*out));
}

void register_swap(rbit *out, const rbit *in, size_t len, unsigned int size)
{
	rbit result[REGISTER_BITS];
	size_t i, unit, byte;

	for (i = 0; i < 8 * len; i++) {
		unit = i / 8 / size;
		byte = i / 8 % size;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		byte = size - 1 - byte;
#endif
		result[i] = in[8 * (unit * size + byte) + i % 8];
	}
	memcpy(out, result, 8 * len * sizeof(*out));
}

/* Bit i of the bytes read as a number, the most significant being 0. */
static rbit msb(const rbit *in, size_t i)
{
	return in[i / 8 * 8 + 7 - i % 8];
}

/* The bit of the source port that one of ICMP's type or code is; others are as they are. */
static rbit as_port(rbit b, unsigned int type, unsigned int code)
{
	if (!(b & RBIT_FIELD) || (rbit_field(b) != type && rbit_field(b) != code))
		return b;
	return rbit_of(GATE_SPORT, rbit_index(b) + (rbit_field(b) == type ? 8 : 0)) |
	       (b & RBIT_INVERT);
}

uint32_t register_fields(const rbit *in, size_t bits)
{
	uint32_t fields = 0;
	size_t i;

	for (i = 0; i < bits; i++)
		if (in[i] & RBIT_FIELD)
			fields |= 1u << rbit_field(in[i]);
	return fields;
}

static void join_word(rbit *word, size_t bits, unsigned int type, unsigned int code)
{
	const uint32_t both = 1u << type | 1u << code;
	size_t i;

	if ((register_fields(word, bits) & both) != both)
		return;
	for (i = 0; i < bits; i++)
		word[i] = as_port(word[i], type, code);
}

void register_join(rbit *out, const rbit *in, size_t len)
{
	size_t i, bits;

	memcpy(out, in, 8 * len * sizeof(*out));
	for (i = 0; i < 8 * len; i += bits) {
		bits = 8 * len - i < 32 ? 8 * len - i : 32;
		join_word(out + i, bits, GATE_ICMP_TYPE, GATE_ICMP_CODE);
		join_word(out + i, bits, GATE_ICMPV6_TYPE, GATE_ICMPV6_CODE);
	}
}

bool number_of(const rbit *in, size_t n, struct number *out)
{
	unsigned int next;
	size_t i = 0;

	if (n > 128)
		return false;
	while (i < n && msb(in, i) == RBIT_0)
		i++;
	if (i == n || !(msb(in, i) & RBIT_FIELD))
		return false;
	*out = (struct number){ .field = (uint8_t)rbit_field(msb(in, i)) };
	next = field_bits(out->field);
	for (; i < n && next && msb(in, i) == rbit_of(out->field, next - 1); i++)
		next--;
	if (next == field_bits(out->field))
		return false;
	out->low = (uint8_t)next;
	out->shift = (uint8_t)(n - i);
	for (; i < n; i++)
		if (msb(in, i) != RBIT_0)
			return false;
	return true;
}

bool number_span(const struct number *number, value from, value to, struct span *out)
{
	value unit = (value)1 << number->shift, max = field_max(number->field) >> number->low;
	value first = from >> number->shift, last = to >> number->shift;

	if (from > to)
		return false;
	if (from & (unit - 1))
		first++;
	last = last < max ? last : max;
	if (first > last)
		return false;
	out->from = first << number->low;
	out->to = last << number->low | (((value)1 << number->low) - 1);
	return true;
}

value number_read(const uint8_t *data, size_t len)
{
	value v = 0;

	while (len--)
		v = v << 8 | *data++;
	return v;
}

/* nftables up to 1.0.9 shifts bytes of "ip6 dscp" in sets the wrong way round, for one. */
#define LOST \
	"the bits that nftables looks up are not those of one field; write a set of this field " \
	"alone into the rule, or use another field"

#define MASKED "a mask goes with one value, not with a set; write a rule with == for each element"

/* Fields take whole words of a key, as of registers. */
static bool component_of(const rbit *in, size_t len, struct component *c, const char **why)
{
	size_t i, found = 0;
	rbit b;

	c->bytes = (uint8_t)len;
	memset(c->of, NOT_OF, sizeof(c->of));
	for (i = 0; i < 8 * len; i++) {
		b = msb(in, i);
		if (b == RBIT_0)
			continue;
		if (b == RBIT_UNKNOWN || !(b & RBIT_FIELD) || b & RBIT_INVERT ||
		    rbit_field(b) != c->field) {
			*why = LOST;
			return false;
		}
		c->of[i] = (uint8_t)rbit_index(b);
		found++;
	}
	c->ordered = number_of(in, 8 * len, &c->number);
	if (!c->ordered && found != field_bits(c->field)) {
		*why = field_bits(c->field) == DSCP_BITS ? LOST : MASKED;
		return false;
	}
	return true;
}

static int first_field(const rbit *in, size_t bits)
{
	size_t i;

	for (i = 0; i < bits; i++)
		if (in[i] & RBIT_FIELD)
			return (int)rbit_field(in[i]);
	return -1;
}

bool shape_of(const rbit *in, size_t len, struct shape *out, const char **why)
{
	rbit joined[REGISTER_BITS];
	struct component *c;
	size_t at = 0, take;
	int field;

	register_join(joined, in, len);
	*out = (struct shape){ 0 };
	while (at < len) {
		take = len - at < 4 ? len - at : 4;
		field = first_field(joined + 8 * at, 8 * take);
		if (field < 0 || out->n == GATE_TUPLE_FIELDS) {
			*why = field < 0 ? LOST : "more than 7 fields are concatenated";
			return false;
		}
		take = len - at < 4 ? take : 4 * GATE_WORDS_OF(field_bits((unsigned int)field));
		if (take > len - at) {
			*why = "only a part of a field is looked up";
			return false;
		}
		c = &out->component[out->n++];
		c->field = (uint8_t)field;
		if (!component_of(joined + 8 * at, take, c, why))
			return false;
		at += take;
	}
	return true;
}

bool shape_is_like(const struct shape *a, const struct shape *b)
{
	uint32_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (a->component[i].bytes != b->component[i].bytes ||
		    field_bits(a->component[i].field) != field_bits(b->component[i].field) ||
		    memcmp(a->component[i].of, b->component[i].of, sizeof(a->component[i].of)))
			return false;
	return true;
}

bool component_span(const struct component *c, const uint8_t *from, const uint8_t *to,
		    struct span *out, bool *possible)
{
	unsigned int i;
	value v = 0;

	if (c->ordered) {
		*possible = number_span(&c->number, number_read(from, c->bytes),
					number_read(to, c->bytes), out);
		return true;
	}
	if (memcmp(from, to, c->bytes))
		return false;
	*possible = true;
	for (i = 0; i < 8u * c->bytes; i++) {
		if (!(from[i / 8] >> (7 - i % 8) & 1))
			continue;
		if (c->of[i] == NOT_OF)
			*possible = false;
		else
			v |= (value)1 << c->of[i];
	}
	*out = (struct span){ v, v };
	return true;
}
