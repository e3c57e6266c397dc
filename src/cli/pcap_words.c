// SPDX-License-Identifier: GPL-2.0-or-later
#include "pcap_words.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#include <unfrag/facts.h>

#define NS_PER_S UINT64_C(1000000000)

const char *words_address(const struct datagram_key *key, const uint8_t *address, char *buf)
{
	int family = key->family == UNFRAG_IPV4 ? AF_INET : AF_INET6;

	return inet_ntop(family, address, buf, WORDS) ? buf : "?";
}

const char *words_protocol(uint8_t proto, char *buf)
{
	switch (proto) {
	case UNFRAG_PROTO_ICMP:
		return "icmp";
	case UNFRAG_PROTO_TCP:
		return "tcp";
	case UNFRAG_PROTO_UDP:
		return "udp";
	case UNFRAG_PROTO_ICMPV6:
		return "icmpv6";
	case UNFRAG_PROTO_SCTP:
		return "sctp";
	default:
		snprintf(buf, WORDS, "%u", proto);
		return buf;
	}
}

/* Adds to a list with something between its words. */
__attribute__((format(printf, 3, 4))) static void add(char *buf, const char *between,
						      const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;

	if (n)
		n += (size_t)snprintf(buf + n, WORDS - n, "%s", between);
	if (n >= WORDS)
		return;
	va_start(ap, fmt);
	vsnprintf(buf + n, WORDS - n, fmt, ap);
	va_end(ap);
}

const char *words_vlans(const struct datagram_key *key, char *buf)
{
	int i;

	buf[0] = '\0';
	for (i = 0; i < PLACE_VLANS && key->vlans[i]; i++)
		add(buf, ".", "%u", key->vlans[i]);
	return buf;
}

const char *words_tunnels(const struct datagram_key *key, char *buf)
{
	int i;

	buf[0] = '\0';
	for (i = 0; i < PLACE_TUNNELS && key->tunnels[i]; i++)
		if (key->tunnel_ids[i])
			add(buf, "/", "%s:%u", tunnel_name(key->tunnels[i]), key->tunnel_ids[i]);
		else
			add(buf, "/", "%s", tunnel_name(key->tunnels[i]));
	return buf;
}

const char *words_findings(uint32_t findings, char *buf)
{
	uint32_t i;

	buf[0] = '\0';
	for (i = 0; i < FINDING_MAX; i++)
		if (findings & 1u << i)
			add(buf, ",", "%s", finding_name(i));
	return buf;
}

const char *words_policies(uint32_t policies, char *buf)
{
	uint32_t i;

	buf[0] = '\0';
	for (i = 0; i < UNFRAG_REASM_POLICY_MAX; i++)
		if (policies & 1u << i)
			add(buf, ",", "%s", unfrag_reasm_policy_name(i));
	return buf;
}

const char *words_bytes(const struct reading *reading, char *buf)
{
	uint32_t i;

	buf[0] = '\0';
	for (i = 0; i < reading->n; i++)
		add(buf, " ", "%02x", reading->bytes[i]);
	return buf;
}

const char *words_span(uint64_t ns, char *buf)
{
	if (ns < NS_PER_S / 1000)
		snprintf(buf, WORDS, "%llu us", (unsigned long long)(ns / 1000));
	else if (ns < NS_PER_S)
		snprintf(buf, WORDS, "%.1f ms", (double)ns / 1e6);
	else
		snprintf(buf, WORDS, "%.1f s", (double)ns / 1e9);
	return buf;
}

const char *words_outcome(const struct record *record)
{
	return record->len ? "whole" : unfrag_reason_name(record->reason);
}
