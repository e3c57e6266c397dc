// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The report's objects in JSON. Times are seconds since 1970 as strings, with all nine decimals:
 * no number of JSON's keeps them.
 */
#include <string.h>

#include "output.h"
#include "pcap_words.h"

static json_t *time_text(uint64_t ns)
{
	return json_sprintf("%llu.%09llu", (unsigned long long)(ns / 1000000000),
			    (unsigned long long)(ns % 1000000000));
}

static json_t *key_object(const struct datagram_key *key)
{
	char src[WORDS], dst[WORDS];
	json_t *vlans = json_array(), *tunnels = json_array();
	int i;

	for (i = 0; i < PLACE_VLANS && key->vlans[i]; i++)
		json_array_append_new(vlans, json_integer(key->vlans[i]));
	for (i = 0; i < PLACE_TUNNELS && key->tunnels[i]; i++)
		json_array_append_new(tunnels,
				      json_pack("{s:s, s:I}", "kind", tunnel_name(key->tunnels[i]),
						"number", (json_int_t)key->tunnel_ids[i]));
	return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "family",
			 key->family == UNFRAG_IPV4 ? "ipv4" : "ipv6", "source",
			 words_address(key, key->src, src), "destination",
			 words_address(key, key->dst, dst), "id", (json_int_t)key->id, "vlans",
			 vlans, "tunnels", tunnels);
}

static json_t *finding_list(uint32_t findings)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < FINDING_MAX; i++)
		if (findings & 1u << i)
			json_array_append_new(list, json_string(finding_name(i)));
	return list;
}

json_t *json_datagram(const struct record *r)
{
	json_t *root = key_object(&r->key);

	json_object_update_new(
		root,
		json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:o, s:o, s:s, s:s, s:o}",
			  "protocol", (int)r->proto, "fragments", (int)r->fragments, "duplicates",
			  (int)r->duplicates, "largest", (int)r->largest, "smallest",
			  (int)r->smallest, "length", (int)r->len, "order", order_name(r->order),
			  "first", time_text(r->first), "last", time_text(r->last), "outcome",
			  r->len ? "whole" : "incomplete", "reason", unfrag_reason_name(r->reason),
			  "findings", finding_list(r->findings)));
	return root;
}

static json_t *reading_object(const struct reading *reading)
{
	json_t *policies = json_array();
	char bytes[WORDS];
	uint32_t i;

	for (i = 0; i < UNFRAG_REASM_POLICY_MAX; i++)
		if (reading->policies & 1u << i)
			json_array_append_new(policies, json_string(unfrag_reasm_policy_name(i)));
	return json_pack("{s:o, s:s}", "policies", policies, "bytes", words_bytes(reading, bytes));
}

json_t *json_difference(const struct difference *d)
{
	json_t *root = key_object(&d->key), *readings = json_array();
	uint32_t i;

	for (i = 0; i < d->n; i++)
		json_array_append_new(readings, reading_object(&d->readings[i]));
	json_object_update_new(root,
			       json_pack("{s:o, s:i, s:i, s:i, s:o}", "last", time_text(d->time),
					 "length", (int)d->len, "offset", (int)d->at, "size",
					 (int)d->size, "readings", readings));
	return root;
}

static json_t *reason_object(const struct capture_stats *s)
{
	json_t *root = json_object();
	uint32_t i;

	for (i = 1; i < UNFRAG_REASON_MAX; i++)
		json_object_set_new(root, unfrag_reason_name(i),
				    json_integer((json_int_t)s->reasons[i]));
	return root;
}

static json_t *finding_object(const struct capture_stats *s)
{
	json_t *root = json_object();
	uint32_t i;

	for (i = 0; i < FINDING_MAX; i++)
		json_object_set_new(root, finding_name(i),
				    json_integer((json_int_t)s->findings[i]));
	return root;
}

json_t *json_summary(const struct capture_stats *s, const char *in, const char *written,
		     const char *trouble)
{
	json_t *root = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "input", json_text(in),
				 "output", written ? json_text(written) : json_null(), "trouble",
				 trouble ? json_text(trouble) : json_null(), "first",
				 time_text(s->first), "last", time_text(s->last), "reasons",
				 reason_object(s), "snap_length", (json_int_t)s->snap, "largest",
				 (json_int_t)s->largest);
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "packets", s->packets },
		{ "lost", s->lost },
		{ "nested", s->nested },
		{ "not_ip", s->not_ip },
		{ "not_fragments", s->not_fragments },
		{ "unreadable", s->unreadable },
		{ "cut", s->cut },
		{ "atomic", s->atomic },
		{ "fragments", s->fragments },
		{ "whole_fragments", s->whole_fragments },
		{ "single_fragments", s->single },
		{ "duplicates", s->duplicates },
		{ "whole", s->whole },
		{ "differ", s->differ },
		{ "written", s->written },
		{ "filtered", s->filtered },
		{ "left_out", s->left_out },
		{ "datagrams", s->datagrams },
	};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		json_object_set_new(root, numbers[i].name,
				    json_integer((json_int_t)numbers[i].value));
	json_object_set_new(root, "findings", finding_object(s));
	return root;
}
