/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the report that its forms share: words for what a capture has, and what is kept of the
 * differences until they are printed.
 */
#pragma once

#include <capture.h>
#include <jansson.h>
#include <stdio.h>

#define WORDS 512

/* Each fills buf, of WORDS bytes, and returns it. */
const char *words_address(const struct datagram_key *key, const uint8_t *address, char *buf);
const char *words_protocol(uint8_t proto, char *buf);
const char *words_vlans(const struct datagram_key *key, char *buf); /* "" if there is none */
const char *words_tunnels(const struct datagram_key *key, char *buf);
const char *words_findings(uint32_t findings, char *buf); /* "" likewise */
const char *words_policies(uint32_t policies, char *buf);
const char *words_bytes(const struct reading *reading, char *buf);
const char *words_span(uint64_t ns, char *buf);
const char *words_outcome(const struct record *record);

json_t *json_datagram(const struct record *record);
json_t *json_difference(const struct difference *d);
json_t *json_summary(const struct capture_stats *stats, const char *in, const char *written,
		     const char *trouble);
