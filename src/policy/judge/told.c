// SPDX-License-Identifier: GPL-2.0-or-later
#include "told.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

#define TEXT_MAX     1024
#define IPV4_HEADER  20u
#define IPV6_HEADER  40u
#define TTL          64u
#define PROTO_TCP    6
#define PROTO_ICMP   1
#define PROTO_ICMPV6 58
#define LENGTH_LEAST 60u
#define TCP_ACK      16

#define EXAMPLE "a packet is told as \"udp 10.0.0.1:5353 > 10.8.0.2:53\""

/* Words of a text, one after the other. */
struct reader {
	struct told_packet *packet;
	struct complaint *complaint;
	char text[TEXT_MAX];
	char *rest;
	bool has_length, has_ports;
	int protocol, type, code;
	uint32_t port[2];
};

static char *next_word(struct reader *r)
{
	return strtok_r(NULL, " \t\n", &r->rest);
}

static int number(struct reader *r, const char *name, const char *word, uint64_t most,
		  uint64_t *out)
{
	char *end;

	if (!word)
		return complain(r->complaint, -EINVAL, "'%s' needs a number behind it", name);
	errno = 0;
	*out = strtoull(word, &end, 0);
	if (errno || *end || *word < '0' || *word > '9' || *out > most)
		return complain(r->complaint, -EINVAL, "'%s' of '%s' is no number up to %llu", word,
				name, (unsigned long long)most);
	return 0;
}

static void set(struct reader *r, uint32_t field, value to)
{
	fields_set(&r->packet->values, field, to);
}

static int set_number(struct reader *r, const char *name, uint32_t field)
{
	uint64_t n = 0;
	int err = number(r, name, next_word(r), (uint64_t)fields_max(fields_bits(field)), &n);

	if (!err)
		set(r, field, n);
	return err;
}

/* A field that has a name of its own in each family. */
static int set_number_of_family(struct reader *r, const char *name, uint32_t ipv4, uint32_t ipv6)
{
	return set_number(r, name, r->packet->family ? ipv6 : ipv4);
}

static value device_name(const char *name)
{
	value v = 0;
	size_t i, n = strlen(name);

	for (i = 0; i < IFNAMSIZ; i++)
		v = v << 8 | (i < n ? (unsigned char)name[i] : 0);
	return v;
}

static int set_device(struct reader *r, const char *key, uint32_t name, uint32_t index)
{
	const char *word = next_word(r);

	if (!word || strlen(word) >= IFNAMSIZ)
		return complain(r->complaint, -EINVAL,
				"'%s' needs the name of a device behind it, of up to %d letters",
				key, IFNAMSIZ - 1);
	set(r, name, device_name(word));
	set(r, index, if_nametoindex(word));
	if (name == GATE_IIFNAME)
		r->packet->has_iif = true;
	else
		r->packet->has_oif = true;
	return 0;
}

static int set_flags(struct reader *r, const char *name, uint32_t field)
{
	const char *word = next_word(r);
	int bits = word ? spell_flags_number(field, word) : -1;

	if (bits < 0)
		return complain(r->complaint, -EINVAL,
				"'%s' of '%s' is none that is known; there are, with commas "
				"between them, %s",
				word ? word : "", name,
				spell_value(field, field == GATE_TCP_FLAGS ? 0xff : ~0u).text);
	set(r, field, (value)bits);
	return 0;
}

static int set_hook(struct reader *r)
{
	const char *word = next_word(r);

	r->packet->hook = word ? spell_hook_number(word) : -1;
	if (r->packet->hook < 0)
		return complain(r->complaint, -EINVAL,
				"'%s' is no hook: prerouting, input, forward, output, postrouting",
				word ? word : "");
	return 0;
}

static int set_part(struct reader *r, const char *name, int *part)
{
	const char *word;
	uint64_t n = 0;
	int err;

	if (r->protocol != PROTO_ICMP && r->protocol != PROTO_ICMPV6)
		return complain(r->complaint, -EINVAL, "only icmp and icmpv6 have a '%s'", name);
	word = next_word(r);
	*part = word && part == &r->type ? spell_icmp_type_number(r->protocol, word) : -1;
	if (*part >= 0)
		return 0;
	err = number(r, name, word, UINT8_MAX, &n);
	*part = err ? 0 : (int)n;
	return err;
}

static int set_length(struct reader *r)
{
	const uint64_t least = r->packet->family ? IPV6_HEADER : IPV4_HEADER;
	const uint64_t most = UINT16_MAX + (r->packet->family ? least : 0);
	uint64_t n = 0;
	int err = number(r, "len", next_word(r), UINT32_MAX, &n);

	if (err)
		return err;
	if (n < least || n > most)
		return complain(r->complaint, -EINVAL,
				"a packet can't be %llu bytes long, with its header; from %llu to "
				"%llu it can",
				(unsigned long long)n, (unsigned long long)least,
				(unsigned long long)most);
	set(r, GATE_LENGTH, n);
	if (r->packet->family)
		set(r, GATE_IP6_LENGTH, n - IPV6_HEADER);
	else
		set(r, GATE_IP_LENGTH, n);
	return 0;
}

static int set_option(struct reader *r, const char *word)
{
	if (!strcmp(word, "len"))
		return set_length(r);
	if (!strcmp(word, "iif"))
		return set_device(r, word, GATE_IIFNAME, GATE_IIF);
	if (!strcmp(word, "oif"))
		return set_device(r, word, GATE_OIFNAME, GATE_OIF);
	if (!strcmp(word, "hook"))
		return set_hook(r);
	if (!strcmp(word, "mark"))
		return set_number(r, word, GATE_MARK);
	if (!strcmp(word, "ct")) {
		r->packet->has_ct = true;
		return set_flags(r, word, GATE_CT_STATE);
	}
	if (!strcmp(word, "ttl") || !strcmp(word, "hoplimit"))
		return set_number_of_family(r, word, GATE_IP_TTL, GATE_IP6_HOPLIMIT);
	if (!strcmp(word, "dscp"))
		return set_number_of_family(r, word, GATE_IP_DSCP, GATE_IP6_DSCP);
	if (!strcmp(word, "type"))
		return set_part(r, word, &r->type);
	if (!strcmp(word, "code"))
		return set_part(r, word, &r->code);
	return -ENOENT;
}

static int set_more_options(struct reader *r, const char *word)
{
	if (!strcmp(word, "flags") && r->protocol == PROTO_TCP)
		return set_flags(r, word, GATE_TCP_FLAGS);
	if (!strcmp(word, "reassembled")) {
		set(r, GATE_REASSEMBLED, 1);
		return 0;
	}
	if (!strcmp(word, "largest") || !strcmp(word, "smallest")) {
		set(r, GATE_REASSEMBLED, 1);
		return set_number(r, word, word[0] == 'l' ? GATE_LARGEST : GATE_SMALLEST);
	}
	return complain(r->complaint, -EINVAL,
			"'%s' is not understood here; known are len, iif, oif, hook, mark, ct, "
			"ttl, hoplimit, dscp, flags (tcp), type and code (icmp), reassembled, "
			"largest, smallest",
			word);
}

static int read_options(struct reader *r)
{
	const char *word;
	int err = 0;

	while (!err && (word = next_word(r))) {
		err = set_option(r, word);
		if (err == -ENOENT)
			err = set_more_options(r, word);
	}
	return err;
}

/* Splits "ADDRESS:PORT" and "[ADDRESS]:PORT"; without a port *port is NULL. */
static char *split_port(char *word, char **port)
{
	char *end;

	*port = NULL;
	if (*word == '[') {
		end = strchr(++word, ']');
		if (end && end[1] == ':')
			*port = end + 2;
		if (end)
			*end = '\0';
		return word;
	}
	end = strchr(word, ':');
	if (!end || strchr(end + 1, ':'))
		return word;
	*end = '\0';
	*port = end + 1;
	return word;
}

static value from_bytes(const unsigned char *bytes, int n)
{
	value v = 0;
	int i;

	for (i = 0; i < n; i++)
		v = v << 8 | bytes[i];
	return v;
}

/* side 0: source, 1: destination */
static int read_address(struct reader *r, int side)
{
	static const uint32_t fields[2][2] = { { GATE_IP_SADDR, GATE_IP_DADDR },
					       { GATE_IP6_SADDR, GATE_IP6_DADDR } };
	char *word = next_word(r), *port, whole[128] = "";
	unsigned char bytes[16];
	uint32_t family;
	uint64_t n = 0;

	if (!word)
		return complain(r->complaint, -EINVAL, "the packet's %s is missing; " EXAMPLE,
				side ? "destination" : "source");
	strncpy(whole, word, sizeof(whole) - 1);
	word = split_port(word, &port);
	family = inet_pton(AF_INET, word, bytes) == 1 ? 0 : 1;
	if (family && inet_pton(AF_INET6, word, bytes) != 1)
		return complain(r->complaint, -EINVAL,
				"'%s' is no address: 10.0.0.1, 10.0.0.1:53, 2001:db8::1 or "
				"[2001:db8::1]:53",
				whole);
	if (side && family != r->packet->family)
		return complain(r->complaint, -EINVAL,
				"source and destination are of two families");
	r->packet->family = family;
	set(r, fields[family][side], from_bytes(bytes, family ? 16 : 4));
	if (!port)
		return 0;
	if (number(r, "port", port, UINT16_MAX, &n))
		return -EINVAL;
	r->port[side] = (uint32_t)n;
	r->has_ports = true;
	return 0;
}

bool told_has_ports(int protocol)
{
	static const uint8_t with[] = { 6, 17, 33, 132, 136 };

	return memchr(with, protocol, sizeof(with)) != NULL;
}

static int read_head(struct reader *r)
{
	char *word = strtok_r(r->text, " \t\n", &r->rest);
	int err;

	r->protocol = word ? spell_protocol_number(word) : -1;
	if (r->protocol < 0)
		return complain(r->complaint, -EINVAL, "'%s' is no protocol; " EXAMPLE,
				word ? word : "");
	err = read_address(r, 0);
	if (err)
		return err;
	word = next_word(r);
	if (!word || strcmp(word, ">") != 0)
		return complain(r->complaint, -EINVAL,
				"'>' is missing behind the source; " EXAMPLE);
	err = read_address(r, 1);
	if (!err && r->has_ports && !told_has_ports(r->protocol))
		return complain(r->complaint, -EINVAL, "protocol %d has no ports", r->protocol);
	return err;
}

/* What is the same of all packets as long as nothing else is told. */
static void set_defaults(struct told_packet *p, uint32_t family, uint32_t length)
{
	static const uint32_t zero[] = { GATE_MARK,    GATE_IIF,     GATE_OIF,
					 GATE_IIFNAME, GATE_OIFNAME, GATE_REASSEMBLED };
	size_t i;

	p->hook = -1;
	p->family = family;
	for (i = 0; i < sizeof(zero) / sizeof(*zero); i++)
		fields_set(&p->values, zero[i], 0);
	fields_set(&p->values, GATE_NFPROTO, family ? NFPROTO_IPV6 : NFPROTO_IPV4);
	fields_set(&p->values, GATE_LENGTH, length);
	fields_set(&p->values, GATE_CT_STATE, GATE_CT_INVALID);
}

/* What a header has, unless told otherwise. */
static void set_header(struct reader *r)
{
	bool v6 = r->packet->family;

	set(r, GATE_L4PROTO, (value)r->protocol);
	set(r, v6 ? GATE_IP6_NEXTHDR : GATE_IP_PROTOCOL, (value)r->protocol);
	set(r, v6 ? GATE_IP6_HOPLIMIT : GATE_IP_TTL, TTL);
	set(r, v6 ? GATE_IP6_DSCP : GATE_IP_DSCP, 0);
	set(r, v6 ? GATE_IP6_LENGTH : GATE_IP_LENGTH, LENGTH_LEAST - (v6 ? IPV6_HEADER : 0));
	if (r->protocol == PROTO_TCP)
		set(r, GATE_TCP_FLAGS, TCP_ACK);
}

/* nftables looks at the first bytes behind the IP header, whatever they are. */
static void set_transport(struct reader *r)
{
	if (r->protocol == PROTO_ICMP || r->protocol == PROTO_ICMPV6)
		r->port[0] = (uint32_t)(r->type << 8 | r->code);
	set(r, GATE_SPORT, r->port[0]);
	set(r, GATE_DPORT, r->port[1]);
	set(r, GATE_ICMP_TYPE, r->port[0] >> 8);
	set(r, GATE_ICMPV6_TYPE, r->port[0] >> 8);
	set(r, GATE_ICMP_CODE, r->port[0] & 0xff);
	set(r, GATE_ICMPV6_CODE, r->port[0] & 0xff);
}

static int take_text(struct reader *r, const char *text)
{
	size_t len = strlen(text);

	if (len >= sizeof(r->text))
		return complain(r->complaint, -EINVAL, "a packet is told in fewer than %d letters",
				TEXT_MAX);
	memcpy(r->text, text, len + 1);
	return 0;
}

int told_parse(struct told_packet *out, const char *text, struct complaint *c)
{
	struct told_packet packet = { 0 };
	struct reader r = { .packet = &packet, .complaint = c };
	int err = take_text(&r, text);

	if (!err)
		err = read_head(&r);
	if (err)
		return err;
	set_defaults(&packet, packet.family, LENGTH_LEAST);
	set_header(&r);
	err = read_options(&r);
	if (err)
		return err;
	set_transport(&r);
	*out = packet;
	return 0;
}

int told_parse_options(struct told_packet *p, const char *text, struct complaint *c)
{
	struct reader r = { .packet = p, .complaint = c, .protocol = -1 };
	char *word;
	int err = take_text(&r, text);

	word = err ? NULL : strtok_r(r.text, " \t\n", &r.rest);
	if (!word)
		return err;
	err = set_option(&r, word);
	if (err == -ENOENT)
		err = set_more_options(&r, word);
	return err ? err : read_options(&r);
}

static void clear_device(struct gate_values *v, uint32_t name, uint32_t index)
{
	fields_set(v, name, 0);
	fields_set(v, index, 0);
}

struct gate_values told_values(const struct told_packet *p, uint32_t hook)
{
	struct gate_values v = p->values;

	if (hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_IN)
		clear_device(&v, GATE_OIFNAME, GATE_OIF);
	if (hook == NF_INET_LOCAL_OUT)
		clear_device(&v, GATE_IIFNAME, GATE_IIF);
	return v;
}
