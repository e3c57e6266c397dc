// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guarantee: where the kernel's defragmenter lets fragments by, or there is none, a program
 * behind unfrag sees none of them, and the counters say why. Likewise when there is no program. How
 * it is seen: bypass.h.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <bypass.h>
#include <errno.h>
#include <records.h>
#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "bpffs.h"

#define DATAGRAMS 10ul
#define TCP_PORT  7000

#ifndef IP_NODEFRAG
#define IP_NODEFRAG 22
#endif

static void send_fragments(struct bypass *b)
{
	lab_auto_packets struct lab_packets packets = { 0 };

	for (size_t i = 0; i < DATAGRAMS; i++)
		bypass_add_fragments(b, i % 2, &packets);
	test_ok(lab_send_all(b->sender, &packets));
}

static void notrack(struct bypass *b)
{
	test_err(lab_ns_run(b->router->middle,
			    "nft 'table inet t { chain c { type filter hook "
			    "prerouting priority -450; notrack; }; }'"),
		 0);
}

static void dropped_and_counted(struct bypass *b, int family, enum unfrag_hook hook, uint32_t flags)
{
	struct bypass_heard heard;

	bypass_attach(b, "shoot", family, hook, flags);
	send_fragments(b);
	heard = bypass_mark(b);
	assert_int_equal(heard.fragments, 0);
	assert_int_equal(heard.others, 0);
	COUNTED(b, FIRST = DATAGRAMS, LATER = 2 * DATAGRAMS);
	bypass_program_saw(b, 0);
}

static void accepted_and_counted(struct bypass *b, int family, enum unfrag_hook hook,
				 uint32_t flags)
{
	struct bypass_heard heard;

	bypass_attach(b, "shoot", family, hook, flags | UNFRAG_ATTACH_ACCEPT_FRAGMENTS);
	send_fragments(b);
	heard = bypass_mark(b);
	assert_int_equal(heard.fragments, 3 * DATAGRAMS);
	assert_int_equal(heard.others, 0);
	COUNTED(b, FIRST = DATAGRAMS, LATER = 2 * DATAGRAMS);
	bypass_program_saw(b, 0);
}

static void fragments_of_untracked_traffic_are_dropped_ipv4(void *state)
{
	notrack(state);
	dropped_and_counted(state, AF_INET, UNFRAG_HOOK_PREROUTING, 0);
	dropped_and_counted(state, AF_INET, UNFRAG_HOOK_FORWARD, 0);
}

static void fragments_of_untracked_traffic_are_dropped_ipv6(void *state)
{
	notrack(state);
	dropped_and_counted(state, AF_INET6, UNFRAG_HOOK_PREROUTING, 0);
	dropped_and_counted(state, AF_INET6, UNFRAG_HOOK_FORWARD, 0);
}

static void fragments_of_untracked_traffic_go_on_unjudged_if_asked_ipv4(void *state)
{
	notrack(state);
	accepted_and_counted(state, AF_INET, UNFRAG_HOOK_PREROUTING, 0);
	accepted_and_counted(state, AF_INET, UNFRAG_HOOK_FORWARD, 0);
}

static void fragments_of_untracked_traffic_go_on_unjudged_if_asked_ipv6(void *state)
{
	notrack(state);
	accepted_and_counted(state, AF_INET6, UNFRAG_HOOK_PREROUTING, 0);
	accepted_and_counted(state, AF_INET6, UNFRAG_HOOK_FORWARD, 0);
}

/* The other side of the coin: the same traffic, tracked, is made whole and judged. */
static void fragments_that_are_reassembled_are_judged_whole(void *state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct bypass *b = state;
	struct bypass_heard heard;

	for (size_t i = 0; i < 2; i++) {
		bypass_attach(b, "shoot", families[i], UNFRAG_HOOK_FORWARD, 0);
		send_fragments(b);
		heard = bypass_mark(
			b); /* what was whole on the way leaves in its fragments again */
		assert_int_equal(heard.fragments, 3 * DATAGRAMS);
		COUNTED(b, REASSEMBLED = DATAGRAMS);
		bypass_program_saw(b, DATAGRAMS);
		assert_int_equal(bypass_counters(b).frag_max_size,
				 families[i] == AF_INET6 ? 1448 : 1420);
	}
}

/* Before -400 nobody has reassembled yet, even when somebody will. */
static void before_the_defragmenter(struct bypass *b, int family)
{
	const uint32_t flags = UNFRAG_ATTACH_NO_DEFRAG | UNFRAG_ATTACH_PRIORITY;
	struct unfrag_hold_opts opts = {
		.sz = sizeof(opts),
		.netns = lab_ns_path(b->router->middle),
	};

	test_ok(unfrag_defrag_hold(&b->hold, &opts));
	dropped_and_counted(b, family, UNFRAG_HOOK_PREROUTING, flags);
	bypass_attach(b, "shoot", family, UNFRAG_HOOK_PREROUTING,
		      flags | UNFRAG_ATTACH_ACCEPT_FRAGMENTS);
	send_fragments(b);
	assert_int_equal(bypass_mark(b).fragments, 3 * DATAGRAMS);
	COUNTED(b, FIRST = DATAGRAMS, LATER = 2 * DATAGRAMS);
	bypass_program_saw(b, 0);
}

static void fragments_before_the_defragmenter_are_not_judged_ipv4(void *state)
{
	before_the_defragmenter(state, AF_INET);
}

static void fragments_before_the_defragmenter_are_not_judged_ipv6(void *state)
{
	before_the_defragmenter(state, AF_INET6);
}

static void fragments_without_defragmentation_are_not_judged(void *state)
{
	dropped_and_counted(state, AF_INET, UNFRAG_HOOK_FORWARD, UNFRAG_ATTACH_NO_DEFRAG);
	dropped_and_counted(state, AF_INET6, UNFRAG_HOOK_FORWARD, UNFRAG_ATTACH_NO_DEFRAG);
	accepted_and_counted(state, AF_INET, UNFRAG_HOOK_FORWARD, UNFRAG_ATTACH_NO_DEFRAG);
	accepted_and_counted(state, AF_INET6, UNFRAG_HOOK_FORWARD, UNFRAG_ATTACH_NO_DEFRAG);
}

/* A raw socket that asked the defragmenter to leave it alone sends three fragments. */
static void send_by_nodefrag_socket(struct bypass *b, int want_errno)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	lab_autoclose int fd = -1;
	struct lab_addr to;
	const int on = 1;
	size_t len;

	fd = test_ok(lab_socket(b->router->client, AF_INET, SOCK_RAW, IPPROTO_RAW));
	test_ok(setsockopt(fd, IPPROTO_IP, IP_NODEFRAG, &on, sizeof(on)));
	test_ok(lab_addr_parse(&to, AF_INET, LAB_SERVER_V4, 0));
	bypass_add_fragments(b, false, &packets);
	for (size_t i = 0; i < packets.count; i++) {
		const unsigned char *packet = lab_packet_at(&packets, i, &len);
		ssize_t n = sendto(fd, packet, len, 0, &to.sa, to.len);

		if (want_errno) {
			assert_int_equal(n, -1);
			assert_int_equal(errno, want_errno);
		} else {
			assert_int_equal(n, len);
		}
	}
}

static void fragments_of_a_nodefrag_socket_are_not_judged(void *state)
{
	struct bypass *b = state;

	bypass_attach(b, "shoot", AF_INET, UNFRAG_HOOK_OUTPUT, 0);
	send_by_nodefrag_socket(b, EPERM);
	assert_int_equal(bypass_mark(b).fragments, 0);
	COUNTED(b, FIRST = 1, LATER = 2);
	b->marks = 0; /* they don't come by: the sender writes to the device */
	bypass_program_saw(b, 0);

	bypass_attach(b, "shoot", AF_INET, UNFRAG_HOOK_OUTPUT, UNFRAG_ATTACH_ACCEPT_FRAGMENTS);
	send_by_nodefrag_socket(b, 0);
	assert_int_equal(bypass_mark(b).fragments, 3);
	COUNTED(b, FIRST = 1, LATER = 2);
	b->marks = 0;
	bypass_program_saw(b, 0);
}

/* A listener, a connection to it, and half a megabyte each way. */
static void talk_tcp(const struct lab_ns *client_ns, const struct lab_ns *server_ns, int family,
		     const char *addr)
{
	lab_autoclose int listener = -1, client = -1, server = -1;
	static unsigned char buf[1 << 15];
	const struct timeval limit = { .tv_sec = 5 };
	struct lab_addr at;

	test_ok(lab_addr_parse(&at, family, addr, TCP_PORT));
	listener = test_ok(lab_socket(server_ns, family, SOCK_STREAM, 0));
	test_ok(bind(listener, &at.sa, at.len));
	test_ok(listen(listener, 1));
	client = test_ok(lab_connect(client_ns, SOCK_STREAM, family, addr, TCP_PORT, 5000));
	server = test_ok(accept(listener, NULL, NULL));
	test_ok(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	test_ok(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	for (int i = 0; i < 16; i++) {
		assert_int_equal(send(client, buf, sizeof(buf), 0), sizeof(buf));
		assert_int_equal(recv(server, buf, sizeof(buf), MSG_WAITALL), sizeof(buf));
		assert_int_equal(send(server, buf, sizeof(buf), 0), sizeof(buf));
		assert_int_equal(recv(client, buf, sizeof(buf), MSG_WAITALL), sizeof(buf));
	}
	/* So that the port is free at once: no waiting for the other side's last word. */
	test_ok(setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger)));
}

/* Large datagrams leave whole and are cut behind the last hook. */
static void send_udp(struct bypass *b, int family)
{
	lab_autoclose int fd = test_ok(lab_socket(b->router->client, family, SOCK_DGRAM, 0));
	static const unsigned char data[20000];
	struct lab_addr to;

	test_ok(lab_addr_parse(&to, family, lab_server_addr(family), BYPASS_SERVER_PORT));
	for (size_t len = 1; len < sizeof(data); len += 999)
		assert_int_equal(sendto(fd, data, len, 0, &to.sa, to.len), len);
}

/* What the kernel keeps with a packet for other purposes must not look like fragments' traces. */
static void traffic_of_sockets_is_never_taken_for_fragments(void *state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct unfrag_attach_opts opts = { .sz = sizeof(opts), .hooks = 0x1f };
	struct bypass *b = state;

	test_ok(attached_named(&b->program, b->router->client, "shoot", &opts));
	for (size_t i = 0; i < 2; i++) {
		b->family = families[i];
		talk_tcp(b->router->client, b->router->server, b->family,
			 lab_server_addr(b->family));
		talk_tcp(b->router->client, b->router->client, b->family,
			 lab_client_addr(b->family));
		send_udp(b, b->family);
		for (unsigned int hook = 0; hook < UNFRAG_HOOK_MAX; hook++) {
			b->hook = (enum unfrag_hook)hook;
			COUNTED(b, REASSEMBLED = 0);
			assert_int_equal(bypass_counters(b).frag_max_size, 0);
			assert_true(!!bypass_counters(b).packets == (hook != UNFRAG_HOOK_FORWARD));
		}
	}
}

static int open_slot(const struct bypass *b)
{
	char root[BPFFS_PATH_MAX], path[BPFFS_PATH_MAX + 128];

	test_ok(bpffs_find(root, sizeof(root)));
	snprintf(path, sizeof(path), "%s/unfrag/%s/" ATTACHMENT_SLOT, root, b->program->name);
	return test_ok(bpf_obj_get(path));
}

/* Somebody takes the program out of the slot, behind unfrag's back, and puts it in again. */
static void empty_slot(struct bypass *b, int family, uint32_t flags)
{
	lab_auto_packets struct lab_packets packets = { 0 };
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	lab_auto_datagram struct lab_datagram dg = { 0 };
	const uint32_t key = 0;
	lab_autoclose int slot = -1;
	int prog_fd;

	bypass_attach(b, "shoot", family, UNFRAG_HOOK_FORWARD, flags);
	slot = open_slot(b);
	test_ok(bpf_map_delete_elem(slot, &key));
	bypass_make(b, &dg, b->data, 100);
	test_ok(lab_whole(&dg, &packets));
	bypass_add_fragments(b, false, &packets);
	test_ok(lab_send_all(b->sender, &packets));
	test_ok(unfrag_attachment_info(b->program->att, &info));
	assert_int_equal(info.state, UNFRAG_STATE_BROKEN);
	assert_int_equal(info.program_id, 0);

	prog_fd = bpf_program__fd(bpf_object__next_program(b->program->obj, NULL));
	test_ok(bpf_map_update_elem(slot, &key, &prog_fd, BPF_ANY));
	assert_int_equal(bypass_mark(b).others, flags & UNFRAG_ATTACH_ACCEPT_EMPTY ? 1 : 0);
	COUNTED(b, EMPTY = 2);
	bypass_program_saw(b, 0);
	test_ok(unfrag_attachment_info(b->program->att, &info));
	assert_int_equal(info.state, UNFRAG_STATE_READY);
}

static void packets_at_an_empty_slot_are_dropped(void *state)
{
	empty_slot(state, AF_INET, 0);
	empty_slot(state, AF_INET6, 0);
}

static void packets_at_an_empty_slot_go_on_if_asked(void *state)
{
	empty_slot(state, AF_INET, UNFRAG_ATTACH_ACCEPT_EMPTY);
	empty_slot(state, AF_INET6, UNFRAG_ATTACH_ACCEPT_EMPTY);
}

static const struct test tests[] = {
	BYPASS_TEST(fragments_of_untracked_traffic_are_dropped_ipv4),
	BYPASS_TEST(fragments_of_untracked_traffic_are_dropped_ipv6),
	BYPASS_TEST(fragments_of_untracked_traffic_go_on_unjudged_if_asked_ipv4),
	BYPASS_TEST(fragments_of_untracked_traffic_go_on_unjudged_if_asked_ipv6),
	BYPASS_TEST(fragments_that_are_reassembled_are_judged_whole),
	BYPASS_TEST(fragments_before_the_defragmenter_are_not_judged_ipv4),
	BYPASS_TEST(fragments_before_the_defragmenter_are_not_judged_ipv6),
	BYPASS_TEST(fragments_without_defragmentation_are_not_judged),
	BYPASS_TEST(fragments_of_a_nodefrag_socket_are_not_judged),
	BYPASS_TEST(traffic_of_sockets_is_never_taken_for_fragments),
	BYPASS_TEST(packets_at_an_empty_slot_are_dropped),
	BYPASS_TEST(packets_at_an_empty_slot_go_on_if_asked),
};

TEST_MAIN(tests);
