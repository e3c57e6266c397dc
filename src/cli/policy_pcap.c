// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy_pcap.h"

#include <errno.h>
#include <stdlib.h>

#include <unfrag/reasm.h>

#include "fields.h"
#include "input.h"
#include "link.h"

#define PACKET_MAX (UINT16_MAX + 40u)
#define SEED       0x6f1d2c3b4a596877 /* of scopes, which nobody attacks here */

struct pass {
	struct input *in;
	struct unfrag_reasm *reasm;
	const struct link *link;
	struct policy_pcap *stats;
	policy_pcap_fn *fn;
	void *arg;
	uint8_t whole[PACKET_MAX];
};

static int tell(struct pass *p, struct told_packet *told, const struct packet *packet)
{
	return p->fn(told, p->stats->packets, packet->time, p->arg);
}

static int take_bytes(struct pass *p, const struct packet *packet, const uint8_t *ip, size_t size)
{
	struct told_packet told;

	if (told_from_bytes(&told, ip, size)) {
		p->stats->unreadable++;
		return 0;
	}
	return tell(p, &told, packet);
}

static int take_whole(struct pass *p, const struct packet *packet,
		      const struct unfrag_reasm_result *res)
{
	long size = unfrag_reasm_copy(p->reasm, res, p->whole, sizeof(p->whole));
	struct told_packet told;

	if (size < 0 || told_from_bytes(&told, p->whole, (size_t)size)) {
		p->stats->unreadable++;
		return 0;
	}
	if (res->outcome == UNFRAG_REASM_COMPLETE) {
		fields_set(&told.values, GATE_REASSEMBLED, 1);
		fields_set(&told.values, GATE_LARGEST, res->largest);
		fields_set(&told.values, GATE_SMALLEST, res->smallest);
	}
	return tell(p, &told, packet);
}

static int take(struct pass *p, const struct packet *packet)
{
	struct unfrag_reasm_result res;
	struct unfrag_reasm_packet ip = { 0 };
	struct place place;

	p->stats->packets++;
	place_begin(&place, SEED);
	if (!link_find(&place, p->link, packet->data, packet->caplen)) {
		p->stats->unreadable++;
		return 0;
	}
	ip.data = packet->data + place.ip;
	ip.size = packet->caplen - place.ip;
	ip.scope = place.scope;
	unfrag_reasm_push(p->reasm, &ip, packet->time, &res);
	switch (res.outcome) {
	case UNFRAG_REASM_NOT_FRAGMENT:
		return take_bytes(p, packet, ip.data, ip.size);
	case UNFRAG_REASM_ATOMIC:
	case UNFRAG_REASM_COMPLETE:
		return take_whole(p, packet, &res);
	default:
		p->stats->unreadable += res.reason == UNFRAG_REASON_UNREADABLE;
		return 0;
	}
}

static void count_lost(struct pass *p)
{
	struct unfrag_reasm_stats stats;
	int i;

	while (unfrag_reasm_flush(p->reasm, SIZE_MAX))
		;
	unfrag_reasm_stats(p->reasm, &stats);
	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		if (i != UNFRAG_REASON_UNREADABLE) /* is no fragment of any packet */
			p->stats->fragments += stats.reasons[i];
}

static int pass_all(struct pass *p, struct trouble *t)
{
	struct packet packet;
	int state, err = 0;

	while (!err && (state = input_next(p->in, &packet, t)) != INPUT_END)
		err = state < 0 ? state : state == INPUT_PACKET ? take(p, &packet) : 0;
	if (!err)
		count_lost(p);
	return err;
}

int policy_pcap_each(struct policy_pcap *stats, const char *path, policy_pcap_fn *fn, void *arg,
		     struct trouble *t)
{
	const struct unfrag_reasm_opts opts = { .sz = sizeof(opts), .memory = 64u << 20 };
	struct pass *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return trouble(t, -ENOMEM, "no memory");
	*stats = (struct policy_pcap){ 0 };
	p->stats = stats;
	p->fn = fn;
	p->arg = arg;
	err = input_new(&p->in, path, false, t);
	if (!err) {
		p->link = link_of(input_link(p->in));
		if (!p->link)
			err = trouble(t, -EINVAL, "'%s' is of a link layer that is not known here",
				      path);
	}
	if (!err) {
		err = unfrag_reasm_new(&p->reasm, &opts);
		if (err)
			trouble(t, err, "no memory for reassembly");
	}
	if (!err)
		err = pass_all(p, t);
	unfrag_reasm_free(p->reasm);
	input_free(p->in);
	free(p);
	return err;
}
