// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IP in IP (RFC 2003, 2473, 4213), GRE (RFC 2784, 2890) with PPP in its version 1 (RFC 2637),
 * VXLAN (RFC 7348) and GTP-U (3GPP TS 29.281).
 *
 * A port is no proof: what does not read as such a tunnel with a sound IP header in it is none. A
 * tunnel is told from others by its two ends and by its number, but not by its UDP source port,
 * which may be made from the inner ports, and so differ between the fragments of one datagram.
 * Behind an Authentication header nothing is looked for, as nobody could put its digest right, nor
 * behind a Routing header, as the checksum of UDP counts an address that stands elsewhere.
 */
#include "tunnel.h"

#include <string.h>

#include <unfrag/packet.h>

#include "walk.h"
#include "wire.h"

#define PROTO_IPV4   4
#define PROTO_IPV6   41
#define PROTO_GRE    47
#define PORT_GTP     2152
#define PORT_VXLAN   4789
#define PORT_VXLAN_2 8472 /* Linux's, from before there was a number */
#define UDP_HLEN     8u
#define GRE_SUM      0x80
#define GRE_ROUTING  0x40
#define GRE_KEY      0x20
#define GRE_SEQUENCE 0x10
#define GRE_VERSION  0x07
#define GRE_ACK      0x80 /* in the second byte, version 1 */
#define TYPE_BRIDGED 0x6558
#define TYPE_PPP     0x880b
#define VXLAN_VNI    0x08
#define GTP_FIRST    0xf0 /* bits that have to be as in GTP_VERSION */
#define GTP_VERSION  0x30 /* version 1, and GTP, not GTP' */
#define GTP_LONG     0x07 /* any of: extension, sequence number, N-PDU number */
#define GTP_EXTENDED 0x04
#define GTP_PDU      255
#define GTP_HLEN     8u
#define GTP_MORE_MAX 8 /* extension headers */

static void note(struct walk *w, enum tunnel_kind kind, uint32_t id)
{
	struct place *place = w->place;

	place_narrow(place, NARROW_TUNNEL, (uint64_t)kind << 32 | id);
	place->tunnels[place->n_tunnels] = (uint8_t)kind;
	place->tunnel_ids[place->n_tunnels++] = id;
}

static enum next gre_carries(struct walk *w, uint16_t type)
{
	w->type = type;
	return type == TYPE_BRIDGED ? NEXT_ETHERNET : type == TYPE_PPP ? NEXT_PPP : NEXT_TYPE;
}

/*
 *      | C R K S . . . . | . . . . . 0 0 0 | type |      version 0
 *      [ checksum | 0 ] [ key ] [ sequence number ]
 */
static enum next step_gre_0(struct walk *w, const uint8_t *gre)
{
	uint8_t flags = gre[0];
	uint32_t key = 0, at = w->at - 4;

	if (flags & GRE_ROUTING)
		return NEXT_NOTHING;
	if (flags & GRE_SUM) {
		walk_take(w, 4);
		if (!place_add_fix(w->place, FIX_GRE, at, 0))
			return NEXT_NOTHING;
	}
	if (flags & GRE_KEY)
		key = get32(walk_take(w, 4));
	if (flags & GRE_SEQUENCE)
		walk_take(w, 4);
	note(w, TUNNEL_GRE, key);
	return gre_carries(w, get16(gre + 2));
}

/*
 *      | 0 0 1 S . . . . | A . . . . 0 0 1 | 88 0B | payload length | call |
 *      [ sequence number ] [ acknowledgment ]
 */
static enum next step_gre_1(struct walk *w, const uint8_t *gre)
{
	uint32_t call, at = w->at - 4;

	if (gre[0] & (GRE_SUM | GRE_ROUTING) || !(gre[0] & GRE_KEY) || get16(gre + 2) != TYPE_PPP)
		return NEXT_NOTHING;
	call = get16(walk_take(w, 4) + 2);
	if (gre[0] & GRE_SEQUENCE)
		walk_take(w, 4);
	if (gre[1] & GRE_ACK)
		walk_take(w, 4);
	note(w, TUNNEL_GRE, call);
	return place_add_fix(w->place, FIX_PPTP, at, w->at) ? NEXT_PPP : NEXT_NOTHING;
}

static enum next step_gre(struct walk *w)
{
	const uint8_t *gre = walk_take(w, 4);

	switch (gre[1] & GRE_VERSION) {
	case 0:
		return step_gre_0(w, gre);
	case 1:
		return step_gre_1(w, gre);
	default:
		return NEXT_NOTHING;
	}
}

/*
 *      | flags | reserved | network identifier | reserved |
 */
static enum next step_vxlan(struct walk *w)
{
	const uint8_t *vxlan = walk_take(w, 8);

	if (!(vxlan[0] & VXLAN_VNI))
		return NEXT_NOTHING;
	note(w, TUNNEL_VXLAN, get32(vxlan + 4) >> 8);
	return NEXT_ETHERNET;
}

/* Extension headers: their length in words, what they say, the type of the next. */
static bool skip_gtp_extensions(struct walk *w, uint8_t type)
{
	uint32_t bytes;
	int i;

	for (i = 0; type && i < GTP_MORE_MAX && !w->short_of; i++) {
		bytes = walk_take(w, 1)[0] * 4u;
		if (!bytes || w->size - w->at < bytes - 1)
			return false;
		w->at += bytes - 1;
		type = w->packet[w->at - 1];
	}
	return !type;
}

/*
 *      | 0 0 1 1 . E S P | 255 | length | tunnel endpoint identifier |
 *      [ sequence number | N-PDU number | type of the extension behind ]
 */
static enum next step_gtp(struct walk *w)
{
	uint32_t at = w->at, end;
	const uint8_t *gtp = walk_take(w, GTP_HLEN);
	uint8_t more;

	if ((gtp[0] & GTP_FIRST) != GTP_VERSION || gtp[1] != GTP_PDU)
		return NEXT_NOTHING;
	end = w->at + get16(gtp + 2);
	if (w->short_of || end > w->size || !place_add_fix(w->place, FIX_GTP, at, 0))
		return NEXT_NOTHING;
	w->size = end;
	note(w, TUNNEL_GTP, get32(gtp + 4));
	if (gtp[0] & GTP_LONG) {
		more = walk_take(w, 4)[3];
		if (gtp[0] & GTP_EXTENDED && !skip_gtp_extensions(w, more))
			return NEXT_NOTHING;
	}
	return NEXT_VERSION;
}

static enum next step_udp(struct walk *w)
{
	uint32_t at = w->at, len;
	const uint8_t *udp = walk_take(w, UDP_HLEN);
	uint16_t port = get16(udp + 2);

	len = get16(udp + 4);
	if (w->short_of || len < UDP_HLEN || len > w->size - at ||
	    !place_add_fix(w->place, FIX_UDP, at, w->place->ip))
		return NEXT_NOTHING;
	w->size = at + len;
	if (port == PORT_VXLAN || port == PORT_VXLAN_2)
		return step_vxlan(w);
	return port == PORT_GTP || get16(udp) == PORT_GTP ? step_gtp(w) : NEXT_NOTHING;
}

static bool may_carry(uint8_t proto)
{
	return proto == UNFRAG_PROTO_UDP || proto == PROTO_IPV4 || proto == PROTO_IPV6 ||
	       proto == PROTO_GRE;
}

static enum next step_protocol(struct walk *w, uint8_t proto)
{
	switch (proto) {
	case PROTO_IPV4:
	case PROTO_IPV6:
		note(w, TUNNEL_IP, 0);
		return NEXT_VERSION;
	case PROTO_GRE:
		return step_gre(w);
	default:
		return step_udp(w);
	}
}

/* Two extension headers of IPv6 that have nothing to do with what is behind them. */
static bool can_be_changed_behind(const struct unfrag_facts *f, const uint8_t *ip)
{
	uint32_t at = UNFRAG_IPV6_HLEN;
	uint8_t type = ip[6];

	if (f->family == UNFRAG_IPV4)
		return true;
	while (at < f->l4_off) {
		if (type != UNFRAG_PROTO_HOPOPTS && type != UNFRAG_PROTO_DSTOPTS)
			return false;
		type = ip[at];
		at += 8 + ip[at + 1] * 8u;
	}
	return true;
}

static void narrow_by_ends(struct place *place, const struct unfrag_facts *f, const uint8_t *ip)
{
	uint32_t at = f->family == UNFRAG_IPV4 ? 12 : 8, end = at;

	for (end += f->family == UNFRAG_IPV4 ? 8 : 32; at < end; at += 8)
		place_narrow(place, NARROW_TUNNEL,
			     (uint64_t)get32(ip + at) << 32 | get32(ip + at + 4));
}

static bool enter(struct walk *w, const struct unfrag_facts *f)
{
	struct place *place = w->place;
	const uint8_t *ip = w->packet + place->ip;
	struct unfrag_facts inner;

	if (!place_add_fix(place, f->family == UNFRAG_IPV4 ? FIX_IPV4 : FIX_IPV6, place->ip, 0))
		return false;
	narrow_by_ends(place, f, ip);
	return walk_to_ip(w, step_protocol(w, f->proto)) &&
	       !unfrag_facts_read(&inner, w->packet + place->ip, w->size - place->ip);
}

bool tunnel_enter(struct place *place, const uint8_t *packet, uint32_t size)
{
	const uint8_t *ip = packet + place->ip;
	struct unfrag_facts f;
	struct place inside;
	struct walk w = { .packet = packet, .place = &inside };

	if (unfrag_facts_read(&f, ip, size - place->ip) || f.frag != UNFRAG_FRAG_NONE ||
	    !may_carry(f.proto) || place->n_tunnels == PLACE_TUNNELS ||
	    !can_be_changed_behind(&f, ip))
		return false;
	inside = *place;
	w.size = place->ip + f.len;
	w.at = place->ip + f.l4_off;
	if (!enter(&w, &f))
		return false;
	*place = inside;
	return true;
}
