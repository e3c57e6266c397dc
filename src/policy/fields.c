// SPDX-License-Identifier: GPL-2.0-or-later
#include "fields.h"

static const struct {
	uint8_t bits, word;
	const char *name;
} fields[GATE_FIELD_MAX] = {
#define FIELD_ROW(id, width, text) [GATE_##id] = { width, GATE_W_##id, text },
	GATE_FIELDS(FIELD_ROW)
#undef FIELD_ROW
};

uint32_t fields_bits(uint32_t field)
{
	return fields[field].bits;
}

uint32_t fields_words(uint32_t field)
{
	return GATE_WORDS_OF(fields[field].bits);
}

uint32_t fields_word(uint32_t field)
{
	return fields[field].word;
}

const char *fields_name(uint32_t field)
{
	return fields[field].name;
}

bool fields_is_address(uint32_t field)
{
	return field == GATE_IP_SADDR || field == GATE_IP_DADDR || field == GATE_IP6_SADDR ||
	       field == GATE_IP6_DADDR;
}

bool fields_has_flags(uint32_t field)
{
	return field == GATE_TCP_FLAGS || field == GATE_CT_STATE;
}

value fields_max(uint32_t bits)
{
	return bits < 128 ? ((value)1 << bits) - 1 : ~(value)0;
}

bool fields_has(const struct gate_values *v, uint32_t field)
{
	return v->present >> field & 1;
}

value fields_get(const struct gate_values *v, uint32_t field)
{
	uint32_t i;
	value x = 0;

	for (i = 0; i < fields_words(field); i++)
		x = x << 32 | v->word[fields_word(field) + i];
	return x;
}

void fields_set(struct gate_values *v, uint32_t field, value to)
{
	v->present |= 1u << field;
	fields_split(&v->word[fields_word(field)], to, fields_bits(field));
}

void fields_split(uint32_t *words, value from, uint32_t bits)
{
	uint32_t i, n = GATE_WORDS_OF(bits);

	for (i = 0; i < n; i++)
		words[i] = (uint32_t)(from >> 32 * (n - 1 - i));
}
