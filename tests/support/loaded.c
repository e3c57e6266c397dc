// SPDX-License-Identifier: GPL-2.0-or-later
#include "loaded.h"

#include <bpf/libbpf.h>
#include <fields.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>
#include <told.h>
#include <unistd.h>

#include "testrun.h"

#define LOOPBACK ((value)('l' << 8 | 'o') << 112)

void loaded_start(struct loaded *l, const struct instance_opts *opts)
{
	struct complaint c = { "" };
	int err = image_new(&l->image, &l->rs, NULL, &c);

	if (!err)
		err = instance_load(&l->instance, l->image, &l->rs, opts, &c);
	if (err)
		printf("# %s\n", c.text);
	assert_int_equal(err, 0);
}

void loaded_read(struct loaded *l, struct policy_listing *listing, const char *text)
{
	struct policy_messages said = { 0 };
	const struct policy_read_opts opts = { .netns = -1, .messages = &said, .listing = listing };
	char path[] = "/tmp/unfrag-test-XXXXXX";
	int fd = mkstemp(path), err;
	size_t i;

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	err = policy_read(&l->rs, path, &opts);
	unlink(path);
	for (i = 0; i < said.n; i++)
		printf("# %s\n", said.text[i]);
	policy_messages_release(&said);
	assert_int_equal(err, 0);
}

void loaded_release(struct loaded *l)
{
	instance_free(l->instance);
	image_free(l->image);
	ruleset_release(&l->rs);
	memset(l, 0, sizeof(*l));
}

uint32_t loaded_packet(const struct loaded *l, uint32_t family, uint32_t hook, const void *packet,
		       size_t len)
{
	struct bpf_program *programs[GATE_RANKS_MAX];
	uint32_t n = instance_programs(l->instance, programs), rank;

	for (rank = 0; rank < n; rank++) {
		if (!l->image->config.place[family][hook][rank].n)
			continue;
		if (!test_ok(testrun(bpf_program__fd(programs[rank]),
				     family ? NFPROTO_IPV6 : NFPROTO_IPV4, hook, packet, len, 1)))
			return GATE_DROP;
	}
	return GATE_ACCEPT;
}

/* A test run has packets go to the loopback device and come from none, whatever the hook. */
struct gate_values loaded_values(uint32_t hook, const void *packet, size_t len)
{
	struct told_packet told;
	struct gate_values v;

	test_ok(told_from_bytes(&told, packet, len));
	v = told_values(&told, hook);
	fields_set(&v, GATE_OIFNAME, LOOPBACK);
	fields_set(&v, GATE_OIF, if_nametoindex("lo"));
	return v;
}

struct gate_counter loaded_counter(const struct instance *in, uint32_t number)
{
	size_t n = instance_ruleset(in)->n_counters;
	struct gate_counter *all = calloc(n, sizeof(*all)), one;
	struct complaint c = { "" };

	assert_true(all && number < n);
	test_ok(instance_counters(in, all, n, &c));
	one = all[number];
	free(all);
	return one;
}

size_t loaded_udp(uint8_t packet[64], uint32_t source, uint32_t dest, uint16_t sport,
		  uint16_t dport)
{
	const uint32_t words[] = {
		0x4500001c, 0, 0x40110000, source, dest, (uint32_t)sport << 16 | dport, 0x00080000,
	};
	size_t i;

	for (i = 0; i < sizeof(words); i++)
		packet[i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
	return sizeof(words);
}
