// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel and the engine make differently of the same fragments: each difference that is
 * known, with its reason, and fragments that show it. On all else they agree (test_agree.c,
 * test_agree_relations.c). One that is not met any more fails here, so that the list stays true.
 */
#include <agree.h>
#include <stdio.h>
#include <string.h>

struct scene {
	struct lab_datagram
		dg; /* of 1,000 bytes; one fragment of 800 and one of 200 make it whole */
	struct lab_packets sent;
	struct lab_packets kernel, engine; /* what they make of it */
};

struct difference {
	const char *name;
	int family; /* 0: both */
	void (*make)(struct scene *sc);
	const char *reason;
};

static void send_part(struct scene *sc, size_t offset, size_t len, bool more)
{
	test_ok(lab_fragment_at(&sc->dg, offset, len, more, &sc->sent));
}

/* The same, with other bytes. */
static void send_other(struct scene *sc, size_t offset, size_t len, bool more)
{
	const unsigned char *payload = sc->dg.payload;

	sc->dg.payload = payload + 1;
	send_part(sc, offset, len, more);
	sc->dg.payload = payload;
}

static void whole_in(struct scene *sc, struct lab_packets *side)
{
	test_ok(lab_whole(&sc->dg, side));
}

static void inside(struct scene *sc)
{
	send_part(sc, 0, 800, true);
	send_other(sc, 160, 80, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->kernel);
}

static void same_range(struct scene *sc)
{
	send_part(sc, 0, 800, true);
	send_other(sc, 0, 800, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->kernel);
}

static void forgets(struct scene *sc)
{
	send_part(sc, 0, 800, true);
	send_part(sc, 400, 600, false);
	send_part(sc, 0, 800, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->kernel);
}

static void trims(struct scene *sc)
{
	send_part(sc, 0, 403, true);
	send_part(sc, 400, 600, false);
	whole_in(sc, &sc->kernel);
}

static void empty_kills(struct scene *sc)
{
	send_part(sc, 0, 800, true);
	send_part(sc, 800, 0, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->engine);
}

static void oversize_is_held(struct scene *sc)
{
	send_part(sc, 0, 800, true);
	send_part(sc, 65528, 16, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->engine);
}

static void chain(struct scene *sc)
{
	sc->dg.protocol = IPPROTO_TCP;
	send_part(sc, 0, 16, true);
	send_part(sc, 16, 984, false);
	whole_in(sc, &sc->kernel);
}

static void tiny(struct scene *sc)
{
	sc->dg.protocol = IPPROTO_TCP;
	send_part(sc, 0, 8, true);
	send_part(sc, 8, 992, false);
	whole_in(sc, &sc->kernel);
}

static void discovery(struct scene *sc)
{
	static unsigned char solicitation[1000] = { 135 };

	sc->dg.protocol = IPPROTO_ICMPV6;
	sc->dg.payload = solicitation;
	send_part(sc, 0, 800, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->kernel);
}

static void odd_length_kills(struct scene *sc)
{
	send_part(sc, 0, 800, true);
	send_part(sc, 800, 103, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->engine);
}

static void bad_end_is_ignored(struct scene *sc)
{
	send_part(sc, 800, 200, false);
	send_part(sc, 1000, 8, true);
	send_part(sc, 800, 100, false);
	send_part(sc, 0, 800, true);
	whole_in(sc, &sc->kernel);
}

static void long_header(struct scene *sc)
{
	static const unsigned char longest[1024] = { [1] = 127, [2] = 1, [3] = 255 };

	sc->dg.headers = longest;
	sc->dg.headers_len = sizeof(longest);
	sc->dg.headers_first = IPPROTO_DSTOPTS;
	send_part(sc, 0, 400, true);
	send_part(sc, 400, 400, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->kernel);
}

static void atomic_among_others(struct scene *sc)
{
	send_part(sc, 0, 800, true);
	send_part(sc, 0, 400, false);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->kernel);
	sc->dg.payload_len = 400;
	whole_in(sc, &sc->engine);
	sc->dg.payload_len = 1000;
	whole_in(sc, &sc->engine);
}

static void fragment_in_fragment(struct scene *sc)
{
	static unsigned char inner[1000] = { IPPROTO_UDP, [3] = 1 };

	sc->dg.protocol = IPPROTO_FRAGMENT;
	sc->dg.payload = inner;
	send_part(sc, 0, 800, true);
	send_part(sc, 800, 200, false);
	whole_in(sc, &sc->engine);
}

static const struct difference differences[] = {
	{ "inside", 0, inside, "new data inside held data is ignored, and not compared" },
	{ "same range", 0, same_range, "the same range is a duplicate whatever its bytes are" },
	{ "forgets", 0, forgets, "what comes of a datagram that was given up is a new one" },
	{ "trims", AF_INET, trims, "a length that is no multiple of 8 is cut down to one" },
	{ "empty kills", AF_INET, empty_kills, "an empty fragment ends its datagram" },
	{ "oversize is held", AF_INET, oversize_is_held,
	  "a fragment that ends beyond 65,535 bytes is held, and found too long only when whole" },
	{ "chain", AF_INET, chain, "first fragments without their whole upper-layer header do" },
	{ "tiny", AF_INET, tiny, "fragments made to hide flags of TCP are taken" },
	{ "discovery", AF_INET6, discovery, "Neighbor Discovery may come in fragments" },
	{ "odd length kills", AF_INET6, odd_length_kills,
	  "a length that is no multiple of 8 ends the datagram, not only that fragment" },
	{ "bad end is ignored", AF_INET6, bad_end_is_ignored,
	  "what is beyond the end, or tells another end, is dropped alone" },
	{ "long header", AF_INET6, long_header, "there is no limit to the header in front" },
	{ "atomic among others", AF_INET6, atomic_among_others,
	  "an atomic fragment is taken for one of those that are held under its key" },
	{ "fragment in fragment", AF_INET6, fragment_in_fragment,
	  "the front drops it, as it is a fragment still; the engine hands it out" },
};

static void check(struct agree *s, const struct difference *d, int family)
{
	struct scene sc = { 0 };

	agree_make(s, family, &sc.dg, 1000);
	d->make(&sc);
	printf("# %s, IPv%c: %s\n", d->name, family == AF_INET ? '4' : '6', d->reason);
	agree_send(s, &sc.sent);
	agree_mark(s);
	agree_same(&s->kernel, &sc.kernel);
	agree_same(&s->ours, &sc.engine);
	assert_int_not_equal(sc.kernel.count, sc.engine.count);
	lab_packets_release(&sc.sent);
	lab_packets_release(&sc.kernel);
	lab_packets_release(&sc.engine);
	lab_packets_release(&s->kernel);
	lab_packets_release(&s->ours);
}

static void every_difference_is_met(void *state)
{
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		if (differences[i].family != AF_INET6)
			check(state, &differences[i], AF_INET);
		if (differences[i].family != AF_INET)
			check(state, &differences[i], AF_INET6);
	}
}

static const struct test tests[] = {
	AGREE_TEST(every_difference_is_met),
};

TEST_MAIN(tests);
