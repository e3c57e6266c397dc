// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Defragmentation held without a program, as plain nftables rules see it that use no connection
 * tracking: fragments before, none while it is held, fragments after.
 */
#include <child.h>
#include <frag.h>
#include <life.h>
#include <net.h>
#include <send.h>
#include <sock.h>
#include <stdio.h>
#include <string.h>
#include <test.h>

#define PAYLOAD 3000
#define PIECE   1200

/* Packets that an nft counter of the server saw. */
static int nft_count(const struct lab_pair *pair, const char *counter)
{
	char text[512], *at;
	int n;

	assert_int_equal(lab_ns_output(pair->server, text, sizeof(text),
				       "nft list counter inet t %s", counter),
			 0);
	at = strstr(text, "packets ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "packets %d", &n), 1);
	return n;
}

/* A datagram in three fragments; waits until it came to the server whole. */
static void send_in_pieces(const struct lab_pair *pair, int family)
{
	lab_auto_datagram struct lab_datagram dg = { 0 };
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_auto_sender struct lab_sender *sender = NULL;
	lab_autoclose int server = -1;
	static unsigned char data[PAYLOAD], got[PAYLOAD + 1];
	static uint32_t id;

	server = test_ok(lab_udp_server(pair->server, family, NULL, LIFE_PORT));
	test_ok(lab_datagram_init(&dg, family, lab_client_addr(family), lab_server_addr(family)));
	lab_pattern(data, sizeof(data), ++id);
	dg.identification = id;
	test_ok(lab_datagram_set_udp(&dg, 1000, LIFE_PORT, data, sizeof(data)));
	test_ok(lab_fragment(&dg, PIECE, &packets));
	assert_int_equal(packets.count, 3);
	test_ok(lab_link_sender(&sender, pair->client, LAB_CLIENT_IF));
	test_ok(lab_send_all(sender, &packets));
	assert_int_equal(lab_recv_deadline(server, got, sizeof(got), LIFE_DEADLINE_MS), PAYLOAD);
	assert_memory_equal(got, data, PAYLOAD);
}

struct wire {
	struct lab_pair *pair;
	struct unfrag_hold *hold;
};

static void wire_up(void **state)
{
	struct wire *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	*state = w;
	life_begin();
	test_ok(lab_pair_new(&w->pair));
	assert_int_equal(lab_ns_run(w->pair->server,
				    "nft 'table inet t {"
				    " counter later { }; counter pieces { };"
				    " chain c { type filter hook prerouting priority -300;"
				    " ip frag-off & 0x1fff != 0 counter name later;"
				    " exthdr frag exists counter name pieces; }; }'"),
			 0);
}

static void wire_down(void *state)
{
	struct wire *w = state;

	if (!w)
		return;
	unfrag_hold_free(w->hold);
	lab_pair_free(w->pair);
	free(w);
	life_clean();
}

static void while_held_plain_rules_see_no_fragment(void *state)
{
	struct wire *w = state;
	struct unfrag_hold_opts opts = {
		.sz = sizeof(opts),
		.netns = lab_ns_path(w->pair->server),
	};

	send_in_pieces(w->pair, AF_INET);
	send_in_pieces(w->pair, AF_INET6);
	assert_int_equal(nft_count(w->pair, "later"), 2);
	assert_int_equal(nft_count(w->pair, "pieces"), 3);
	test_ok(unfrag_defrag_hold(&w->hold, &opts));
	for (int i = 0; i < 20; i++) {
		send_in_pieces(w->pair, AF_INET);
		send_in_pieces(w->pair, AF_INET6);
	}
	assert_int_equal(nft_count(w->pair, "later"), 2);
	assert_int_equal(nft_count(w->pair, "pieces"), 3);
	test_ok(unfrag_defrag_release(w->hold));
	w->hold = NULL;
	send_in_pieces(w->pair, AF_INET);
	send_in_pieces(w->pair, AF_INET6);
	assert_int_equal(nft_count(w->pair, "later"), 4);
	assert_int_equal(nft_count(w->pair, "pieces"), 6);
}

static const struct test tests[] = {
	TEST_WITH(while_held_plain_rules_see_no_fragment, wire_up, wire_down),
};

TEST_MAIN(tests);
