// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The walk through link layers.
 *
 * Each layer says what stands behind it; a walk is steps until IP or something else. What separates
 * address spaces (VLAN, label, session, interface) is noted on the way. Priority tags (VLAN 0)
 * separate nothing, nor do entropy labels (RFC 6790), which differ between the fragments of one
 * datagram.
 */
#include "link.h"

#include <pcap/dlt.h>
#include <string.h>

#include "walk.h"
#include "wire.h"

#define STEPS_MAX   16
#define LABELS_MAX  16
#define LABEL_ELI   7u /* the label behind it is for balancing load */
#define PPP_IPV4    0x0021
#define PPP_IPV6    0x0057
#define PPP_MPLS    0x0281
#define TYPE_IPV4   0x0800
#define TYPE_IPV6   0x86dd
#define TYPE_VLAN   0x8100
#define TYPE_QINQ   0x88a8
#define TYPE_QINQ_2 0x9100
#define TYPE_MPLS   0x8847
#define TYPE_MPLS_2 0x8848
#define TYPE_PPPOE  0x8864
#define LENGTH_MAX  1500

static enum next take_type(struct walk *w)
{
	w->type = get16(walk_take(w, 2));
	return NEXT_TYPE;
}

static void note_vlan(struct place *place, uint16_t id)
{
	if (!id)
		return;
	place_narrow(place, NARROW_VLAN, id);
	if (!place->vlans[0])
		place->vlans[0] = id;
	else if (!place->vlans[1])
		place->vlans[1] = id;
}

static enum next step_vlan(struct walk *w)
{
	note_vlan(w->place, get16(walk_take(w, 2)) & 0xfff);
	return take_type(w);
}

static enum next ip_by_version(const struct walk *w)
{
	if (w->short_of || w->at == w->size)
		return NEXT_NOTHING;
	return w->packet[w->at] >> 4 == 4 || w->packet[w->at] >> 4 == 6 ? NEXT_IP : NEXT_NOTHING;
}

/* Nothing in a label stack says what it carries; the first four bits behind it do by custom. */
static enum next step_mpls(struct walk *w)
{
	bool entropy = false;
	uint32_t entry;
	int i;

	for (i = 0; i < LABELS_MAX; i++) {
		entry = get32(walk_take(w, 4));
		if (!entropy && entry >> 12 != LABEL_ELI)
			place_narrow(w->place, NARROW_LABEL, entry >> 12);
		entropy = entry >> 12 == LABEL_ELI;
		if (entry & 0x100)
			return NEXT_VERSION;
	}
	return NEXT_NOTHING;
}

/* Address and control may be left out, and the first byte of a small protocol number. */
static enum next step_ppp(struct walk *w)
{
	uint16_t protocol = walk_take(w, 1)[0];

	if (protocol == 0xff && walk_take(w, 1)[0] == 0x03)
		protocol = walk_take(w, 1)[0];
	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | walk_take(w, 1)[0]);
	if (protocol == PPP_IPV4 || protocol == PPP_IPV6)
		return NEXT_IP;
	return protocol == PPP_MPLS ? NEXT_MPLS : NEXT_NOTHING;
}

static enum next step_pppoe(struct walk *w)
{
	const uint8_t *p = walk_take(w, 6);

	if (p[0] != 0x11 || p[1] != 0)
		return NEXT_NOTHING;
	place_narrow(w->place, NARROW_SESSION, get16(p + 2));
	return place_add_fix(w->place, FIX_PPPOE, w->at - 2, 0) ? NEXT_PPP : NEXT_NOTHING;
}

static enum next step_802_3(struct walk *w)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	uint32_t length = w->at - 2;

	if (memcmp(walk_take(w, sizeof(snap)), snap, sizeof(snap)) != 0 ||
	    !place_add_fix(w->place, FIX_SNAP, length, 0))
		return NEXT_NOTHING;
	return take_type(w);
}

static enum next step_type(struct walk *w)
{
	switch (w->type) {
	case TYPE_IPV4:
	case TYPE_IPV6:
		return NEXT_IP;
	case TYPE_VLAN:
	case TYPE_QINQ:
	case TYPE_QINQ_2:
		return step_vlan(w);
	case TYPE_MPLS:
	case TYPE_MPLS_2:
		return NEXT_MPLS;
	case TYPE_PPPOE:
		return step_pppoe(w);
	default:
		return w->type <= LENGTH_MAX ? step_802_3(w) : NEXT_NOTHING;
	}
}

static enum next step_ethernet(struct walk *w)
{
	walk_take(w, 12);
	return take_type(w);
}

static enum next begin_ethernet(struct walk *w)
{
	(void)w;
	return NEXT_ETHERNET;
}

static enum next begin_cooked(struct walk *w)
{
	walk_take(w, 14);
	return take_type(w);
}

static enum next begin_cooked_2(struct walk *w)
{
	const uint8_t *p = walk_take(w, 20);

	place_narrow(w->place, NARROW_INTERFACE, get32(p + 4));
	w->type = get16(p);
	return NEXT_TYPE;
}

/* The family as some system numbers it, in that system's byte order. */
static enum next begin_loopback(struct walk *w)
{
	uint32_t family = get32(walk_take(w, 4));

	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
	case 10:
	case 24:
	case 28:
	case 30:
		return NEXT_VERSION;
	default:
		return NEXT_NOTHING;
	}
}

static enum next begin_hdlc(struct walk *w)
{
	walk_take(w, 2);
	return take_type(w);
}

static enum next begin_ppp(struct walk *w)
{
	(void)w;
	return NEXT_PPP;
}

static enum next begin_raw(struct walk *w)
{
	(void)w;
	return NEXT_VERSION;
}

static const struct link {
	int type;
	enum next (*begin)(struct walk *w);
} links[] = {
	{ DLT_EN10MB, begin_ethernet },  { DLT_RAW, begin_raw },
	{ DLT_IPV4, begin_raw },         { DLT_IPV6, begin_raw },
	{ DLT_LINUX_SLL, begin_cooked }, { DLT_LINUX_SLL2, begin_cooked_2 },
	{ DLT_NULL, begin_loopback },    { DLT_LOOP, begin_loopback },
	{ DLT_PPP, begin_ppp },          { DLT_PPP_SERIAL, begin_ppp },
	{ DLT_PPP_ETHER, step_pppoe },   { DLT_C_HDLC, begin_hdlc },
};

const struct link *link_of(int type)
{
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (links[i].type == type)
			return &links[i];
	return NULL;
}

static enum next step(struct walk *w, enum next next)
{
	switch (next) {
	case NEXT_VERSION:
		return ip_by_version(w);
	case NEXT_TYPE:
		return step_type(w);
	case NEXT_ETHERNET:
		return step_ethernet(w);
	case NEXT_PPP:
		return step_ppp(w);
	case NEXT_MPLS:
		return step_mpls(w);
	default:
		return NEXT_NOTHING;
	}
}

bool walk_to_ip(struct walk *w, enum next next)
{
	int i;

	for (i = 0; i < STEPS_MAX && next > NEXT_IP && !w->short_of; i++)
		next = step(w, next);
	w->place->ip = w->at;
	return next == NEXT_IP && !w->short_of;
}

bool link_find(struct place *place, const struct link *link, const uint8_t *packet, uint32_t size)
{
	struct walk w = { .packet = packet, .size = size, .place = place };

	return walk_to_ip(&w, link->begin(&w));
}
