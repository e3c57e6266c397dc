// SPDX-License-Identifier: GPL-2.0-or-later
/* What fills registers and moves their bits. */
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#include "expression.h"

#define ETHERNET "link layer headers are not there at every hook; use iifname"

/* Where fields stand in headers, in bits from their start. `protocol` 0: any. */
static const struct header_field {
	uint8_t base;
	uint8_t families; /* enum family */
	uint8_t protocol;
	uint8_t field;
	uint16_t at;
} header_fields[] = {
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP, 0, GATE_IP_LENGTH, 16 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP, 0, GATE_IP_TTL, 64 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP, 0, GATE_IP_PROTOCOL, 72 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP, 0, GATE_IP_SADDR, 96 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP, 0, GATE_IP_DADDR, 128 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP6, 0, GATE_IP6_LENGTH, 32 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP6, 0, GATE_IP6_NEXTHDR, 48 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP6, 0, GATE_IP6_HOPLIMIT, 56 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP6, 0, GATE_IP6_SADDR, 64 },
	{ NFT_PAYLOAD_NETWORK_HEADER, FAMILY_IP6, 0, GATE_IP6_DADDR, 192 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, FAMILY_IP, IPPROTO_ICMP, GATE_ICMP_TYPE, 0 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, FAMILY_IP, IPPROTO_ICMP, GATE_ICMP_CODE, 8 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, FAMILY_IP6, IPPROTO_ICMPV6, GATE_ICMPV6_TYPE, 0 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, FAMILY_IP6, IPPROTO_ICMPV6, GATE_ICMPV6_CODE, 8 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, 0, IPPROTO_TCP, GATE_TCP_FLAGS, 104 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, 0, 0, GATE_SPORT, 0 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, 0, 0, GATE_DPORT, 16 },
};

#define IP_FRAG_OFF 6 /* byte of the header: two of flags and offset */

/* Six bits amid two bytes. */
#define IP_DSCP_AT  8
#define IP6_DSCP_AT 4
#define DSCP_BITS   field_bits(GATE_IP_DSCP)

static rbit dscp_bit(const struct rule_reader *rr, uint32_t at)
{
	unsigned int start = rr->families == FAMILY_IP ? IP_DSCP_AT : IP6_DSCP_AT;

	if (at < start || at >= start + DSCP_BITS)
		return RBIT_UNKNOWN;
	return rbit_of(rr->families == FAMILY_IP ? GATE_IP_DSCP : GATE_IP6_DSCP,
		       start + DSCP_BITS - 1 - at);
}

static rbit header_bit(const struct rule_reader *rr, uint32_t base, uint32_t at)
{
	const struct header_field *f = header_fields;
	const struct header_field *end = f + sizeof(header_fields) / sizeof(*f);
	unsigned int bits;

	if (base == NFT_PAYLOAD_NETWORK_HEADER && (rr->families == FAMILY_INET || !rr->families))
		return RBIT_UNKNOWN;
	for (; f < end; f++) {
		bits = field_bits(f->field);
		if (f->base == base && (!f->families || f->families == rr->families) &&
		    (!f->protocol || f->protocol == rr->protocol) && at >= f->at &&
		    at < f->at + bits)
			return rbit_of(f->field, f->at + bits - 1 - at);
	}
	return base == NFT_PAYLOAD_NETWORK_HEADER ? dscp_bit(rr, at) : RBIT_UNKNOWN;
}

static void fill(rbit *reg, size_t len, rbit with)
{
	size_t i;

	/* A load clears the rest of its last word. */
	for (i = 0; i < (len + 3) / 4 * 32; i++)
		reg[i] = i < 8 * len ? with : RBIT_0;
}

static const char *base_name(uint32_t base)
{
	static const char *const names[] = { "ll", "nh", "th" };

	return base < 3 ? names[base] : "ih";
}

/* A part of a port is there where the whole may not be, so what depends on it is not told apart. */
static bool has_half_a_port(const rbit *reg, size_t len)
{
	unsigned int bits[2] = { 0 };
	size_t i;

	for (i = 0; i < 8 * len; i++)
		if (reg[i] & RBIT_FIELD && rbit_field(reg[i]) == GATE_SPORT)
			bits[0]++;
		else if (reg[i] & RBIT_FIELD && rbit_field(reg[i]) == GATE_DPORT)
			bits[1]++;
	return bits[0] % 16 || bits[1] % 16;
}

static bool note_fields(struct rule_reader *rr, const rbit *reg, size_t len)
{
	const uint32_t fields = register_fields(reg, 8 * len);

	rr->pending |= fields;
	return fields;
}

/* What to use in place of bytes that are in no field. */
static const char *instead_of(const struct rule_reader *rr, uint32_t base, uint32_t at)
{
	if (base == NFT_PAYLOAD_LL_HEADER)
		return ETHERNET;
	if (base == NFT_PAYLOAD_NETWORK_HEADER && rr->families == FAMILY_IP &&
	    (at == IP_FRAG_OFF || at == IP_FRAG_OFF + 1))
		return "packets are whole here; use the comment \"unfrag: reassembled\"";
	return "use a field of ip, ip6, tcp, udp, th or icmp";
}

bool load_payload(struct rule_reader *rr, const struct attrs *a)
{
	uint32_t base = attr_u32(a, NFTA_PAYLOAD_BASE, UINT32_MAX);
	uint32_t at = attr_u32(a, NFTA_PAYLOAD_OFFSET, UINT32_MAX), i;
	uint32_t len = attr_u32(a, NFTA_PAYLOAD_LEN, 0);
	rbit *reg;

	if (a->at[NFTA_PAYLOAD_SREG].data) {
		rule_refuse(rr, "a change of the packet",
			    "the gate only judges packets; keep it in "
			    "a chain of nftables'");
		return true;
	}
	reg = rule_register(rr, a, NFTA_PAYLOAD_DREG, len);
	if (!reg || at > UINT16_MAX)
		return false;
	fill(reg, len, RBIT_0);
	for (i = 0; i < 8 * len; i++)
		reg[i / 8 * 8 + 7 - i % 8] = header_bit(rr, base, 8 * at + i);
	snprintf(rr->loaded, sizeof(rr->loaded), "@%s,%u,%u", base_name(base), 8 * at, 8 * len);
	if (!has_half_a_port(reg, len) && note_fields(rr, reg, len))
		return true;
	rule_refuse(rr, rr->loaded, instead_of(rr, base, at));
	fill(reg, len, RBIT_REFUSED);
	return true;
}

static const struct meta_field {
	uint32_t key;
	uint8_t field;
	uint8_t len;
	bool is_number; /* in this machine's order */
} meta_fields[] = {
	{ NFT_META_LEN, GATE_LENGTH, 4, true },
	{ NFT_META_MARK, GATE_MARK, 4, true },
	{ NFT_META_IIF, GATE_IIF, 4, true },
	{ NFT_META_OIF, GATE_OIF, 4, true },
	{ NFT_META_IIFNAME, GATE_IIFNAME, 16, false },
	{ NFT_META_OIFNAME, GATE_OIFNAME, 16, false },
	{ NFT_META_NFPROTO, GATE_NFPROTO, 1, false },
	{ NFT_META_L4PROTO, GATE_L4PROTO, 1, false },
};

static void fill_field(struct rule_reader *rr, rbit *reg, unsigned int field, size_t len,
		       bool is_number)
{
	unsigned int bit, bits = field_bits(field);

	fill(reg, len, RBIT_0);
	for (bit = 0; bit < bits; bit++)
		reg[is_number ? register_host_bit(bit, (unsigned int)len) :
				8 * ((bits - 1 - bit) / 8) + bit % 8] = rbit_of(field, bit);
	rr->pending |= 1u << field;
}

/* What nftables calls the keys that are not among the fields. */
static const char *const meta_names[] = {
	[NFT_META_PROTOCOL] = "protocol",
	[NFT_META_PRIORITY] = "priority",
	[NFT_META_IIFTYPE] = "iiftype",
	[NFT_META_OIFTYPE] = "oiftype",
	[NFT_META_SKUID] = "skuid",
	[NFT_META_SKGID] = "skgid",
	[NFT_META_NFTRACE] = "nftrace",
	[NFT_META_RTCLASSID] = "rtclassid",
	[NFT_META_SECMARK] = "secmark",
	[NFT_META_BRI_IIFNAME] = "ibrname",
	[NFT_META_BRI_OIFNAME] = "obrname",
	[NFT_META_PKTTYPE] = "pkttype",
	[NFT_META_CPU] = "cpu",
	[NFT_META_IIFGROUP] = "iifgroup",
	[NFT_META_OIFGROUP] = "oifgroup",
	[NFT_META_CGROUP] = "cgroup",
	[NFT_META_PRANDOM] = "random",
	[NFT_META_SECPATH] = "ipsec",
	[NFT_META_IIFKIND] = "iifkind",
	[NFT_META_OIFKIND] = "oifkind",
	[NFT_META_TIME_NS] = "time",
	[NFT_META_TIME_DAY] = "day",
	[NFT_META_TIME_HOUR] = "hour",
	[NFT_META_MARK] = "mark",
};

static const char *meta_hint(uint32_t key)
{
	switch (key) {
	case NFT_META_PROTOCOL:
		return "use 'meta nfproto'";
	case NFT_META_IIFTYPE:
	case NFT_META_IIFGROUP:
	case NFT_META_IIFKIND:
	case NFT_META_BRI_IIFNAME:
		return "use iifname";
	case NFT_META_OIFTYPE:
	case NFT_META_OIFGROUP:
	case NFT_META_OIFKIND:
	case NFT_META_BRI_OIFNAME:
		return "use oifname";
	default:
		return "leave it out, or keep it in a chain of nftables'";
	}
}

static void refuse_meta(struct rule_reader *rr, uint32_t key, bool set)
{
	const char *name = "?";
	char statement[48];

	if (key < sizeof(meta_names) / sizeof(*meta_names) && meta_names[key])
		name = meta_names[key];
	snprintf(statement, sizeof(statement), "meta %s%s", name, set ? " set" : "");
	rule_refuse(rr, statement,
		    set ? "the gate only judges packets; keep it in a chain of nftables'" :
			  meta_hint(key));
}

bool load_meta(struct rule_reader *rr, const struct attrs *a)
{
	const struct meta_field *f = meta_fields;
	const struct meta_field *end = f + sizeof(meta_fields) / sizeof(*f);
	uint32_t key = attr_u32(a, NFTA_META_KEY, UINT32_MAX);
	rbit *reg;

	if (a->at[NFTA_META_SREG].data) {
		refuse_meta(rr, key, true);
		return true;
	}
	while (f < end && f->key != key)
		f++;
	reg = rule_register(rr, a, NFTA_META_DREG, f < end ? f->len : 4);
	if (!reg)
		return false;
	if (f < end) {
		fill_field(rr, reg, f->field, f->len, f->is_number);
		return true;
	}
	refuse_meta(rr, key, false);
	fill(reg, 4, RBIT_REFUSED);
	return true;
}

bool load_ct(struct rule_reader *rr, const struct attrs *a)
{
	uint32_t key = attr_u32(a, NFTA_CT_KEY, UINT32_MAX);
	rbit *reg;

	if (a->at[NFTA_CT_SREG].data) {
		rule_refuse(rr, "ct ... set",
			    "the gate changes no connection; keep it in a chain of "
			    "nftables'");
		return true;
	}
	reg = rule_register(rr, a, NFTA_CT_DREG, 4);
	if (!reg)
		return false;
	if (key == NFT_CT_STATE && !a->at[NFTA_CT_DIRECTION].data) {
		fill_field(rr, reg, GATE_CT_STATE, 4, true);
		return true;
	}
	rule_refuse(rr, "ct", "of connections only 'ct state' is known here");
	fill(reg, 4, RBIT_REFUSED);
	return true;
}

bool change_bitwise(struct rule_reader *rr, const struct attrs *a)
{
	uint32_t op = attr_u32(a, NFTA_BITWISE_OP, NFT_BITWISE_MASK_XOR);
	uint32_t len = attr_u32(a, NFTA_BITWISE_LEN, 0), shift;
	struct attr mask = attr_value(a, NFTA_BITWISE_MASK);
	struct attr flip = attr_value(a, NFTA_BITWISE_XOR);
	struct attr data = attr_value(a, NFTA_BITWISE_DATA);
	rbit *in = rule_register(rr, a, NFTA_BITWISE_SREG, len);
	rbit *out = rule_register(rr, a, NFTA_BITWISE_DREG, len);

	if (!in || !out || a->present >> (NFTA_BITWISE_DATA + 1))
		return false;
	if (op == NFT_BITWISE_MASK_XOR) {
		if (mask.len != len || flip.len != len)
			return false;
		register_mask(out, in, mask.data, flip.data, len);
		return true;
	}
	if ((op != NFT_BITWISE_LSHIFT && op != NFT_BITWISE_RSHIFT) || data.len != sizeof(shift))
		return false;
	memcpy(&shift, data.data, sizeof(shift));
	if (!shift || shift > 31)
		return false;
	register_shift(out, in, len, shift, op == NFT_BITWISE_LSHIFT);
	return true;
}

bool change_byteorder(struct rule_reader *rr, const struct attrs *a)
{
	uint32_t size = attr_u32(a, NFTA_BYTEORDER_SIZE, 0);
	uint32_t len = attr_u32(a, NFTA_BYTEORDER_LEN, 0);
	rbit *in = rule_register(rr, a, NFTA_BYTEORDER_SREG, len);
	rbit *out = rule_register(rr, a, NFTA_BYTEORDER_DREG, len);

	if (!in || !out || (size != 2 && size != 4 && size != 8))
		return false;
	/* Of a single byte the kernel is asked to swap one of two: it leaves it as it is. */
	register_swap(out, in, len - len % size, size);
	return true;
}
