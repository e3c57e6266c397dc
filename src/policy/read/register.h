/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of nftables' rules, with what is known of each bit: that it is a bit of a field, or
 * a constant. Expressions move and mask bits; what is compared in the end is told by where the bits
 * came from. So "ip saddr 10.0.0.0/8", for which the kernel loads one byte, is a prefix of a field,
 * and "ip dscp", of which the kernel has two bits more, is that field shifted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule.h"

/* In memory's order: bit i % 8 (0 is the lowest) of byte i / 8. */
#define REGISTER_BYTES 64u
#define REGISTER_BITS  (8u * REGISTER_BYTES)

/* A bit: a constant, or a bit of a field (0 is the lowest), perhaps inverted, or not known. */
typedef uint16_t rbit;

#define RBIT_0       ((rbit)0)
#define RBIT_1       ((rbit)1)
#define RBIT_UNKNOWN ((rbit)2) /* of the packet, but of no field */
#define RBIT_REFUSED ((rbit)3) /* of something that was refused already */
#define RBIT_FIELD   ((rbit)0x8000)
#define RBIT_INVERT  ((rbit)0x4000)

static inline rbit rbit_of(unsigned int field, unsigned int index)
{
	return (rbit)(RBIT_FIELD | field << 7 | index);
}

static inline unsigned int rbit_field(rbit b)
{
	return b >> 7 & 0x7f;
}

static inline unsigned int rbit_index(rbit b)
{
	return b & 0x7f;
}

/* Bits of a field as <gate/field.h> has it, and those that headers have of it. */
unsigned int field_size(unsigned int field);
unsigned int field_bits(unsigned int field);
value field_max(unsigned int field);

/* Where bit `bit` (0 is the lowest) of a number of `bytes` bytes of this machine lies. */
unsigned int register_host_bit(unsigned int bit, unsigned int bytes);

void register_mask(rbit *out, const rbit *in, const uint8_t *mask, const uint8_t *flip, size_t len);
void register_shift(rbit *out, const rbit *in, size_t len, unsigned int bits, bool left);
void register_swap(rbit *out, const rbit *in, size_t len, unsigned int size);

/* The fields that these bits are of: bits as in <gate/field.h>. */
uint32_t register_fields(const rbit *in, size_t bits);

/*
 * Bits of both type and code of ICMP in one word become the source port's: "th sport" looks at
 * these bytes and asks for one number. Fields of a key stand in words of their own.
 */
void register_join(rbit *out, const rbit *in, size_t len);

/* The bits of the field that stand in the register, as a number that grows with what is there. */
struct number {
	uint8_t field;
	uint8_t low;   /* the lowest bit of the field that is there; those above it are, too */
	uint8_t shift; /* how far left it stands */
};

/* False: the bytes are no such number. `n` bits, up to 128. */
bool number_of(const rbit *in, size_t n, struct number *out);

/* Values of the field for which from <= number <= to; false: there are none. */
bool number_span(const struct number *number, value from, value to, struct span *out);

/* Bytes as a number, the first the most significant. */
value number_read(const uint8_t *data, size_t len);

/* A component of a key: which bits of the field are where. */
struct component {
	uint8_t field;
	uint8_t bytes;
	bool ordered;
	struct number number; /* if ordered */
	uint8_t of[128];      /* bit of the field, in the order of the bytes; NOT_OF: always 0 */
};

#define NOT_OF 0xff

/* How a key lies in registers, and in the elements of its set. */
struct shape {
	uint32_t n;
	struct component component[GATE_TUPLE_FIELDS];
};

/* Takes the key of `len` bytes apart; false: it is no concatenation of fields, *why says why. */
bool shape_of(const rbit *in, size_t len, struct shape *out, const char **why);

/* Do two keys lie the same way, whatever the fields? */
bool shape_is_like(const struct shape *a, const struct shape *b);

/*
 * Field values of a component's bytes from..to; *possible: whether there are any. False: unclear.
 */
bool component_span(const struct component *c, const uint8_t *from, const uint8_t *to,
		    struct span *out, bool *possible);
