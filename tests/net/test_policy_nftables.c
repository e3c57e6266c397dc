// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate and nftables, with the same random rulesets and the same random packets: the same
 * verdicts at each hook, the same packets on the other side, and the same counters.
 *
 * Seeds that are the same each time come first, then others, which are told. UNFRAG_RULESETS sets
 * how many of each a test tries, and UNFRAG_SEED the first of those to try instead of both. A
 * ruleset with a difference is shrunk for as long as it shows, and shown with the packet.
 */
#include <enforced.h>
#include <errno.h>
#include <script.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <test.h>
#include <unistd.h>

#define SHOTS      250
#define RULESETS   10
#define FIXED_SEED 5000

struct side {
	struct passage *passage;
	struct nft_counts counts;
	uint32_t *seen;
};

struct trial {
	struct side nft, gate;
	struct enforced *enforced;
	char dir[32], path[64];
	bool tracked;  /* connections, on both sides; and some packets come in fragments */
	bool is_first; /* run of a ruleset */
	struct script script;
	struct shots shots;
	size_t only; /* of the shots; shots.n: all */
	size_t refused, lacking, unread, packets, reached;
};

/* Turns connection tracking on, and with it nftables' defragmentation. */
#define TRACK \
	"table inet track { " \
	"chain in { type filter hook prerouting priority 300; ct state invalid continue; }; " \
	"chain out { type filter hook output priority 300; ct state invalid continue; }; }"

enum outcome {
	SAME,
	DIFFERENT,
	REFUSED, /* by nftables */
	LACKING, /* refused by the gate alone */
};

static void setup(void **state)
{
	struct trial *t;

	test_require_root();
	t = calloc(1, sizeof(*t));
	assert_non_null(t);
	*state = t;
	strcpy(t->dir, "/tmp/unfrag-test-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	snprintf(t->path, sizeof(t->path), "%s/rules.nft", t->dir);
	t->nft.seen = calloc(PASSAGE_NUMBERS, sizeof(*t->nft.seen));
	t->gate.seen = calloc(PASSAGE_NUMBERS, sizeof(*t->gate.seen));
	assert_true(t->nft.seen && t->gate.seen);
	passage_new(&t->nft.passage);
	passage_new(&t->gate.passage);
}

static void teardown(void *state)
{
	struct trial *t = state;

	if (!t)
		return;
	enforced_free(t->enforced);
	passage_free(t->nft.passage);
	passage_free(t->gate.passage);
	nft_counts_release(&t->nft.counts);
	nft_counts_release(&t->gate.counts);
	shots_release(&t->shots);
	script_release(&t->script);
	free(t->nft.seen);
	free(t->gate.seen);
	unlink(t->path);
	rmdir(t->dir);
	free(t);
}

static void write_script(const struct trial *t)
{
	FILE *f = fopen(t->path, "w");

	assert_non_null(f);
	script_print(&t->script, f);
	assert_int_equal(fclose(f), 0);
}

static bool run_nft(struct trial *t)
{
	struct side *s = &t->nft;
	int status = lab_ns_run(passage_ns(s->passage),
				"{ echo 'flush ruleset; %s'; cat %s; } | nft -f -",
				t->tracked ? TRACK : "", t->path);

	if (status)
		return false;
	passage_shoot(s->passage, &t->shots, t->only, s->seen);
	nft_counts_release(&s->counts);
	test_ok(nft_counts_read(&s->counts, passage_ns(s->passage)));
	return true;
}

static bool run_gate(struct trial *t)
{
	struct side *s = &t->gate;
	char why[2048];
	int err = enforced_new(&t->enforced, passage_ns(s->passage), t->path, why, sizeof(why));

	if (err) {
		if (t->is_first) {
			printf("# seed %llu: the gate refuses: %s\n",
			       (unsigned long long)t->script.seed, why);
			t->unread += err != -E2BIG;
		}
		return false;
	}
	passage_shoot(s->passage, &t->shots, t->only, s->seen);
	nft_counts_release(&s->counts);
	test_ok(enforced_counts(t->enforced, &s->counts));
	enforced_free(LAB_TAKE_PTR(t->enforced));
	return true;
}

/* The first packet with another fate; shots.n: there is none. */
static size_t first_difference(const struct trial *t)
{
	for (size_t i = 0; i < t->shots.n; i++)
		if (t->nft.seen[i] != t->gate.seen[i])
			return i;
	return t->shots.n;
}

static bool same_count(const struct nft_count *a, const struct nft_count *b)
{
	return !strcmp(a->where, b->where) && a->packets == b->packets && a->bytes == b->bytes;
}

static bool same_counts(const struct trial *t)
{
	if (t->nft.counts.n != t->gate.counts.n)
		return false;
	for (size_t i = 0; i < t->nft.counts.n; i++)
		if (!same_count(&t->nft.counts.count[i], &t->gate.counts.count[i]))
			return false;
	return true;
}

static enum outcome run(struct trial *t)
{
	write_script(t);
	if (t->tracked) {
		test_ok(nft_forget_flows(passage_ns(t->nft.passage)));
		test_ok(nft_forget_flows(passage_ns(t->gate.passage)));
	}
	if (!run_nft(t))
		return REFUSED;
	if (!run_gate(t))
		return LACKING;
	if (first_difference(t) != t->shots.n || !same_counts(t))
		return DIFFERENT;
	return SAME;
}

static bool still_fails(void *arg)
{
	return run(arg) == DIFFERENT;
}

static void show_shot(const struct trial *t, size_t i)
{
	const struct shot *s = &t->shots.shot[i];
	static const char *const ways[] = { "from the client", "from the server", "output" };

	printf("# packet %zu, %s, mark 0x%x; hooks passed: nftables 0x%02x, gate 0x%02x\n", i,
	       ways[s->way], s->mark, t->nft.seen[i], t->gate.seen[i]);
	for (size_t k = s->first; k < s->first + s->n; k++) {
		size_t len;
		const unsigned char *packet = lab_packet_at(&t->shots.packets, k, &len);

		printf("#   ");
		for (size_t j = 0; j < len && j < 128; j++)
			printf("%02x", packet[j]);
		printf(" (%zu)\n", len);
	}
}

static void show_counts(const struct trial *t)
{
	size_t n = t->nft.counts.n > t->gate.counts.n ? t->nft.counts.n : t->gate.counts.n;
	static const struct nft_count none = { "nothing", 0, 0 };

	for (size_t i = 0; i < n; i++) {
		const struct nft_count *a = i < t->nft.counts.n ? &t->nft.counts.count[i] : &none;
		const struct nft_count *b = i < t->gate.counts.n ? &t->gate.counts.count[i] : &none;

		if (!same_count(a, b))
			printf("# counter: nftables '%s' %llu packets %llu bytes, "
			       "gate '%s' %llu packets %llu bytes\n",
			       a->where, (unsigned long long)a->packets,
			       (unsigned long long)a->bytes, b->where,
			       (unsigned long long)b->packets, (unsigned long long)b->bytes);
	}
}

static void show_script(const struct trial *t)
{
	char *text = NULL, *line, *rest;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	script_print(&t->script, f);
	fclose(f);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		printf("# | %s\n", line);
	free(text);
}

static void show_difference(struct trial *t)
{
	size_t i;

	t->only = first_difference(t);
	if (t->only < t->shots.n && run(t) != DIFFERENT)
		t->only = t->shots.n;
	script_shrink(&t->script, still_fails, t);
	printf("# seed %llu: with all else left out\n", (unsigned long long)t->script.seed);
	run(t);
	show_script(t);
	show_counts(t);
	i = first_difference(t);
	if (i < t->shots.n)
		show_shot(t, i);
	fflush(stdout);
}

static void count_reached(struct trial *t)
{
	for (size_t i = 0; i < t->nft.counts.n; i++)
		t->reached += t->nft.counts.count[i].packets > 0;
	t->packets += t->shots.n;
}

static bool try_seed(struct trial *t, uint64_t seed)
{
	const struct script_opts opts = { .seed = seed, .ct = t->tracked };
	enum outcome outcome;

	script_make(&t->script, &opts);
	script_shots(&t->script, &t->shots, SHOTS, t->tracked);
	t->only = t->shots.n;
	t->is_first = true;
	outcome = run(t);
	t->is_first = false;
	if (outcome == DIFFERENT)
		show_difference(t);
	else if (outcome == REFUSED)
		t->refused++;
	else if (outcome == LACKING)
		t->lacking++;
	else
		count_reached(t);
	script_release(&t->script);
	shots_release(&t->shots);
	return outcome != DIFFERENT;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/*
 * What either side can't load proves nothing, so it must not be much. All that is written is
 * supported, so the gate may only find it too much; rulesets that nobody has seen yet may say
 * otherwise, which is told and fails nobody's build.
 */
static void try_seeds(struct trial *t, uint64_t seed, bool is_fresh)
{
	uint64_t n = number_from("UNFRAG_RULESETS", RULESETS);
	unsigned int bad = 0;

	t->refused = t->lacking = t->unread = t->packets = t->reached = 0;
	for (uint64_t i = 0; i < n; i++)
		bad += !try_seed(t, seed + i);
	printf("# seeds from %llu: %zu packets, %zu counters reached, refused by nftables %zu, "
	       "by the gate %zu, different %u\n",
	       (unsigned long long)seed, t->packets, t->reached, t->refused, t->lacking, bad);
	assert_int_equal(bad, 0);
	assert_true(is_fresh || !t->unread);
	assert_true(4 * (t->refused + t->lacking) <= n);
}

static void try_all(struct trial *t)
{
	uint32_t fresh;

	if (getenv("UNFRAG_SEED")) {
		try_seeds(t, number_from("UNFRAG_SEED", 0), false);
		return;
	}
	try_seeds(t, FIXED_SEED, false);
	assert_int_equal(getrandom(&fresh, sizeof(fresh), 0), sizeof(fresh));
	try_seeds(t, fresh, true);
}

static void whole_packets_meet_the_same_verdicts(void *state)
{
	try_all(state);
}

static void track(const struct passage *p)
{
	const struct lab_ns *ns = passage_ns(p);

	assert_int_equal(lab_ns_run(ns, "nft '%s'", TRACK), 0);
	/* Transport checksums are not written. */
	test_ok(lab_ns_sysctl(ns, "net/netfilter/nf_conntrack_checksum", "0"));
}

static void fragments_meet_the_verdicts_that_nftables_has_with_conntrack(void *state)
{
	struct trial *t = state;

	t->tracked = true;
	track(t->nft.passage);
	track(t->gate.passage);
	try_all(t);
}

static const struct test tests[] = {
	TEST_WITH(whole_packets_meet_the_same_verdicts, setup, teardown),
	TEST_WITH(fragments_meet_the_verdicts_that_nftables_has_with_conntrack, setup, teardown),
};

TEST_MAIN(tests);
