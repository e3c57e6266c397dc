// SPDX-License-Identifier: GPL-2.0-or-later
/* What rulesets must not have: each is refused in words that say where, what, and what to use. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rulefile.h"

struct refusal {
	const char *text;
	const char *words;
};

/* Not every kernel has all that nftables knows. */
static bool kernel_lacks_it(struct rulefile *f)
{
	rulefile_read(f, NULL);
	return rulefile_says(f, "Error: No such file or directory") ||
	       rulefile_says(f, "Operation not supported");
}

/* Each as the second rule of a chain. */
static void refuse_rules(struct rulefile *f, const struct refusal *list, size_t n)
{
	char words[512];
	size_t i;

	for (i = 0; i < n; i++) {
		rulefile_write(f,
			       "table inet t {\n chain other { }\n"
			       " set s { type ipv4_addr; flags dynamic; }\n"
			       " chain c { type filter hook prerouting priority 0\n"
			       "  accept\n  %s\n }\n}\n",
			       list[i].text);
		if (kernel_lacks_it(f)) {
			print_message("# the kernel has no '%s'\n", list[i].text);
			continue;
		}
		snprintf(words, sizeof(words), "table inet t, chain c, rule 2: %s", list[i].words);
		rulefile_must_refuse(f, words);
	}
}

static void refuse_files(struct rulefile *f, const struct refusal *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		rulefile_write(f, "%s", list[i].text);
		if (kernel_lacks_it(f)) {
			print_message("# the kernel has no '%s'\n", list[i].text);
			continue;
		}
		rulefile_must_refuse(f, list[i].words);
	}
}

#define REFUSE(how, f, list) how((f), (list), sizeof(list) / sizeof(*(list)))

static void what_is_more_than_judging_is_refused(void *state)
{
	static const struct refusal list[] = {
		{ "reject", "reject: not supported; the gate sends no packets; use drop" },
		{ "queue", "queue: not supported; use accept or drop" },
		{ "notrack", "notrack: not supported" },
		{ "meta mark set 5", "meta mark set: not supported; the gate only judges packets" },
		{ "ct mark set 5", "ct ... set: not supported" },
		{ "ip ttl set 5", "a change of the packet: not supported" },
		{ "tcp option maxseg size set 1360",
		  "a change of an option: not supported; the gate only judges packets; keep it" },
		{ "ip saddr 1.2.3.4 meta nftrace set 1", "meta nftrace set: not supported" },
		{ "add @s { ip saddr }",
		  "add or update of a set: not supported; rules do not change "
		  "sets; use 'unfrag policy set'" },
	};

	REFUSE(refuse_rules, state, list);
}

static void matches_on_other_fields_are_refused(void *state)
{
	static const struct refusal list[] = {
		{ "ip id 5", "@nh,32,16: not supported; use a field of ip" },
		{ "tcp sequence 5", "@th,32,32: not supported" },
		{ "udp length 5", "@th,32,16: not supported" },
		{ "ip hdrlength 5", "@nh,0,8: not supported" },
		{ "@th,8,8 5", "@th,8,8: not supported" },
		{ "@nh,96,32 5", "@nh,96,32: not supported" },
		{ "ether saddr 00:00:00:00:00:01", "meta iiftype: not supported; use iifname" },
		{ "meta protocol ip", "meta protocol: not supported; use 'meta nfproto'" },
		{ "meta skuid 0", "meta skuid: not supported" },
		{ "meta cpu 0", "meta cpu: not supported" },
		{ "meta iifgroup 1", "meta iifgroup: not supported; use iifname" },
		{ "ct mark 5", "ct: not supported; of connections only 'ct state'" },
		{ "ct original ip saddr 1.2.3.4", "ct: not supported" },
		{ "ip6 nexthdr hopopt exthdr hbh exists", "exthdr or option: not supported" },
		{ "tcp option maxseg size 5", "exthdr or option: not supported" },
		{ "frag id 5",
		  "exthdr or option: not supported; options and extension headers are not looked "
		  "at; use meta l4proto, or of fragments the comment \"unfrag: reassembled\"" },
		{ "ip frag-off & 0x1fff != 0",
		  "@nh,48,16: not supported; packets are whole here; use the comment" },
		{ "tcp flags & (syn|ack) { syn, ack }",
		  "a lookup in a set: not supported; a mask goes with one value, not with" },
		{ "meta mark & 0xf0 < 0x20", "a comparison of bytes that are no number" },
		{ "fib saddr type local", "fib: not supported" },
		{ "rt classid 5", "rt: not supported" },
		{ "socket transparent 1", "socket: not supported" },
		{ "numgen random mod 2 0", "numgen: not supported; use limit rate" },
		{ "jhash ip saddr mod 2 0", "jhash or symhash: not supported" },
		{ "meta length . ip id { 5 . 6 }", "@nh,32,16: not supported" },
	};

	REFUSE(refuse_rules, state, list);
}

static void statements_with_more_than_the_gate_has_are_refused(void *state)
{
	static const struct refusal list[] = {
		{ "log level debug", "log with a level, flags or group: not supported" },
		{ "log flags all", "log with a level, flags or group: not supported" },
		{ "log group 3", "log with a level, flags or group: not supported" },
		{ "quota 5 mbytes", "quota: not supported" },
		{ "ct count 5", "ct count: not supported" },
		{ "accept comment \"unfrag: fragmented\"",
		  "a comment that begins with 'unfrag:': not supported; use reassembled" },
		{ "accept comment \"unfrag: reassembled and more\"", "a comment that begins with" },
		{ "accept comment \"unfrag: largest > 70000\"", "a comment that begins with" },
		{ "accept comment \"unfrag: not largest > 7\"", "a comment that begins with" },
		{ "accept comment \"unfrag:\"", "a comment that begins with" },
	};

	REFUSE(refuse_rules, state, list);
}

#define HOOK "type filter hook input priority 0; "

static void other_tables_and_chains_are_refused(void *state)
{
	static const struct refusal list[] = {
		{ "table arp t { chain c { type filter hook input priority 0; }\n}",
		  "table arp t: packets of this family do not come by; use ip, ip6 or inet" },
		{ "table bridge t { }", "table bridge t: packets of this family" },
		{ "table ip t { flags dormant; chain c { " HOOK "}\n}",
		  "table ip t: flags dormant: not supported; leave the table out" },
		{ "table ip t { chain c { type nat hook input priority 0; }\n}",
		  "chain c: type nat: not supported; the gate changes no packet; load it with" },
		{ "table ip t { chain c { type route hook output priority 0; }\n}",
		  "chain c: type route: not supported" },
		{ "table inet t { chain c { type filter hook ingress device lo priority 0; }\n}",
		  "chain c: a hook of devices: not supported" },
		{ "table ip t { chain c { type filter hook prerouting priority -400; }\n}",
		  "chain c: priority -400: packets are reassembled at -400" },
		{ "table ip t { chain c { }\n}", "no chain has a hook" },
		{ "", "no chain has a hook" },
		{ "table ip t { chain c { " HOOK "jump { accept; }\n}\n}",
		  "table ip t: a chain without a name: not supported" },
		{ "table ip t { limit l { rate 5/second; }\nchain c { " HOOK "}\n}",
		  "table ip t, limit l: not supported; write the limit into the rules" },
		{ "table ip t { quota q { 5 mbytes; }\nchain c { " HOOK "}\n}",
		  "table ip t, quota q: not supported" },
	};

	REFUSE(refuse_files, state, list);
}

static void other_sets_are_refused(void *state)
{
	static const struct refusal list[] = {
		{ "table ip t { set s { type ipv4_addr; timeout 5s; }\nchain c { " HOOK "}\n}",
		  "table ip t, set s: timeouts: not supported" },
		{ "table ip t { set s { type ipv4_addr; flags dynamic; }\nchain c { " HOOK "}\n}",
		  "set s: flags dynamic: not supported" },
		{ "table ip t { map m { type ipv4_addr : mark; }\nchain c { " HOOK "}\n}",
		  "set m: a map of what is no verdict: not supported" },
		{ "table ip t { set s { type ipv4_addr; counter; }\nchain c { " HOOK "}\n}",
		  "set s: statements or flags of sets: not supported" },
		{ "table ip t { chain c { " HOOK "tcp dport vmap { 80 : accept, * : drop }\n}\n}",
		  "the element '*': not supported; write what it does as the next rule" },
		{ "table inet t { set s { typeof meta length; }\n"
		  "chain c { " HOOK "meta length @s accept\nip length @s accept\n}\n}\n",
		  "rule 2: a lookup in a set: not supported; the set is used for fields that lie "
		  "differently; use a set for each" },
		{ "table ip t { chain c { " HOOK "ip saddr . ip daddr . tcp sport . tcp dport . "
		  "ip ttl . ip protocol . meta mark . ip dscp { 1.1.1.1 . 1.1.1.1 . 1 . 1 . 1 . 1 "
		  ". 1 . 1 } accept\n}\n}\n",
		  "rule 1: a lookup in a set: not supported; more than 7 fields are concatenated" },
		{ "table ip6 t { set s { type dscp; elements = { cs1 }; }\n"
		  "chain c { " HOOK "ip6 dscp @s accept\n}\n}",
		  "a lookup in a set: not supported; the bits that nftables looks up" },
	};

	REFUSE(refuse_files, state, list);
}

static void a_set_that_a_refused_rule_uses_is_not_called_unused(void *state)
{
	struct rulefile *f = state;

	rulefile_write(f,
		       "table ip6 t { set s { typeof ip6 dscp . tcp dport; }\n"
		       "chain c { " HOOK "ip6 dscp . tcp dport @s accept\n}\n}\n");
	rulefile_must_refuse(f, "rule 1: a lookup in a set: not supported; the bits that nftables");
	assert_false(rulefile_says(f, "no rule uses it"));
	rulefile_write(f,
		       "table ip6 t { set s { typeof ip6 dscp . tcp dport; }\n"
		       "chain c { " HOOK "}\n}\n");
	rulefile_must_refuse(f, "set s: no rule uses it");
}

static void more_priorities_than_the_gate_has_are_refused(void *state)
{
	struct rulefile *f = state;
	char text[1024] = "table ip t {\n";
	size_t len = strlen(text);
	int i;

	for (i = 0; i < 9; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"chain c%d { type filter hook input priority %d; }\n", i,
					i);
	rulefile_write(f, "%s}\n", text);
	rulefile_must_refuse(f, "table ip t, chain c8: more than 8 priorities at one hook");
}

static void all_that_is_wrong_is_said_at_once(void *state)
{
	struct rulefile *f = state;

	rulefile_write(f,
		       "table ip t {\n chain c { type filter hook prerouting priority -500;\n"
		       "  ip id 5 meta cpu 1 notrack\n  reject\n  accept\n }\n}\n");
	rulefile_must_refuse(f, "rule 1: @nh,32,16");
	assert_true(rulefile_says(f, "rule 1: meta cpu"));
	assert_true(rulefile_says(f, "rule 1: notrack"));
	assert_true(rulefile_says(f, "priority -500"));
}

static void errors_come_as_nftables_says_them(void *state)
{
	struct rulefile *f = state;
	char where[128];

	rulefile_write(f, "table ip t {\n chain c {\n  tcp dport nonsense accept\n }\n}\n");
	snprintf(where, sizeof(where), "%s:3:13-20: Error: ", f->path);
	rulefile_must_refuse(f, where);
	rulefile_write(f, "table ip t {\n chain c {\n  jump nowhere\n }\n}\n");
	snprintf(where, sizeof(where), "%s:3:", f->path);
	rulefile_must_refuse(f, where);
	rulefile_write(f, "include \"/nonexistent/file.nft\"\n");
	rulefile_must_refuse(f, "/nonexistent/file.nft");
}

#define WITH(fn) TEST_WITH(fn, rulefile_setup, rulefile_teardown)

static const struct test tests[] = {
	WITH(what_is_more_than_judging_is_refused),
	WITH(matches_on_other_fields_are_refused),
	WITH(statements_with_more_than_the_gate_has_are_refused),
	WITH(other_tables_and_chains_are_refused),
	WITH(other_sets_are_refused),
	WITH(a_set_that_a_refused_rule_uses_is_not_called_unused),
	WITH(more_priorities_than_the_gate_has_are_refused),
	WITH(all_that_is_wrong_is_said_at_once),
	WITH(errors_come_as_nftables_says_them),
};

TEST_MAIN(tests);
