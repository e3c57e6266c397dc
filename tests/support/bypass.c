// SPDX-License-Identifier: GPL-2.0-or-later
#include "bypass.h"

#include <linux/if_ether.h>
#include <shoot.h>
#include <stdio.h>
#include <string.h>

#include "records.h"

#define DEADLINE_MS 5000

void bypass_setup(void **state)
{
	struct bypass *b;

	test_require_root();
	test_ok(records_in_order());
	b = calloc(1, sizeof(*b));
	assert_non_null(b);
	*state = b;
	b->ear = b->sink = -1;
	lab_pattern(b->data, sizeof(b->data), 1);
	test_ok(lab_router_new(&b->router));
	test_ok(lab_link_sender(&b->sender, b->router->client, LAB_CLIENT_IF));
}

static void silence(struct bypass *b)
{
	attached_free(b->program);
	b->program = NULL;
	lab_closep(&b->ear);
	lab_closep(&b->sink);
	b->ear = b->sink = -1;
}

void bypass_teardown(void *state)
{
	struct bypass *b = state;

	if (!b)
		return;
	silence(b);
	if (b->hold)
		unfrag_defrag_release(b->hold);
	lab_sender_free(b->sender);
	lab_router_free(b->router);
	free(b);
}

void bypass_attach(struct bypass *b, const char *object, int family, enum unfrag_hook hook,
		   uint32_t flags)
{
	struct lab_ns *ns = hook == UNFRAG_HOOK_OUTPUT ? b->router->client : b->router->middle;
	struct unfrag_attach_opts opts = {
		.sz = sizeof(opts),
		.hooks = 1u << hook,
		.flags = flags,
		.priority = -500, /* counts only with UNFRAG_ATTACH_PRIORITY */
	};

	silence(b);
	b->family = family;
	b->hook = hook;
	b->marks = 0;
	test_ok(attached_named(&b->program, ns, object, &opts));
	b->sink = test_ok(lab_udp_server(b->router->server, family, NULL, BYPASS_SERVER_PORT));
	b->ear = test_ok(lab_packet_socket(b->router->server, SOCK_DGRAM, LAB_SERVER_IF,
					   family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP));
}

void bypass_make(struct bypass *b, struct lab_datagram *dg, const void *data, size_t len)
{
	lab_datagram_release(dg);
	test_ok(lab_datagram_init(dg, b->family, lab_client_addr(b->family),
				  lab_server_addr(b->family)));
	dg->identification = ++b->id;
	test_ok(lab_datagram_set_udp(dg, BYPASS_CLIENT_PORT, BYPASS_SERVER_PORT, data, len));
}

static bool from_client(const struct bypass *b, const unsigned char *packet)
{
	struct lab_addr client;

	lab_addr_parse(&client, b->family, lab_client_addr(b->family), 0);
	if (b->family == AF_INET6)
		return !memcmp(packet + 8, &client.v6.sin6_addr, 16);
	return !memcmp(packet + 12, &client.v4.sin_addr, 4);
}

static bool is_fragment(const struct bypass *b, const unsigned char *packet)
{
	if (b->family == AF_INET6)
		return packet[6] == IPPROTO_FRAGMENT;
	return (packet[6] & 0x3f) || packet[7];
}

/* Whether it was the mark. */
static bool hear(struct bypass *b, struct bypass_heard *heard)
{
	unsigned char packet[2048] = { 0 };
	ssize_t n = lab_recv_deadline(b->ear, packet, sizeof(packet), DEADLINE_MS);

	test_ok((int)n);
	if (!from_client(b, packet))
		return false;
	if (n > 8 && !memcmp(packet + n - 4, "mark", 4))
		return true;
	if (is_fragment(b, packet))
		heard->fragments++;
	else
		heard->others++;
	return false;
}

struct bypass_heard bypass_mark(struct bypass *b)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct bypass_heard heard = { 0 };

	bypass_make(b, &dg, "mark", 4);
	test_ok(lab_whole(&dg, &packets));
	test_ok(lab_send_all(b->sender, &packets));
	b->marks++;
	while (!hear(b, &heard))
		;
	return heard;
}

void bypass_add_fragments(struct bypass *b, bool turned, struct lab_packets *packets)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	struct lab_packets three = { 0 };
	size_t len;

	bypass_make(b, &dg, b->data, sizeof(b->data));
	test_ok(lab_fragment(&dg, 1400, &three));
	assert_int_equal(three.count, BYPASS_FRAGMENTS);
	test_ok(lab_packets_order(&three, turned ? LAB_REVERSED : LAB_IN_ORDER, false, 0));
	for (size_t i = 0; i < three.count; i++) {
		const unsigned char *packet = lab_packet_at(&three, i, &len);

		test_ok(lab_packets_add(packets, packet, len));
	}
	lab_packets_release(&three);
}

struct unfrag_counters bypass_counters(const struct bypass *b)
{
	struct unfrag_counters c = { .sz = sizeof(c) };
	uint64_t sum = 0;

	test_ok(unfrag_attachment_counters(b->program->att,
					   b->family == AF_INET6 ? UNFRAG_FAMILIES_IPV6 :
								   UNFRAG_FAMILIES_IPV4,
					   b->hook, &c));
	for (int i = 0; i < UNFRAG_OUTCOME_MAX; i++)
		sum += c.outcomes[i];
	assert_int_equal(c.packets, sum);
	return c;
}

void bypass_counted(const struct bypass *b, struct bypass_outcomes want)
{
	struct unfrag_counters c = bypass_counters(b);

	for (int i = 0; i < UNFRAG_OUTCOME_MAX; i++) {
		if (i == UNFRAG_OUTCOME_WHOLE)
			continue;
		if (c.outcomes[i] != want.n[i])
			printf("# %s is %ju\n", unfrag_outcome_name((enum unfrag_outcome)i),
			       (uintmax_t)c.outcomes[i]);
		assert_int_equal(c.outcomes[i], want.n[i]);
	}
}

void bypass_program_saw(const struct bypass *b, uint64_t whole)
{
	int fd = attached_map(b->program, "counts");

	assert_int_equal(counter_read(fd, SHOOT_DOWN), 0);
	assert_int_equal(counter_read(fd, SHOOT_WHOLE), whole + b->marks);
}
