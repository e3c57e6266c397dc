// SPDX-License-Identifier: GPL-2.0-or-later
#include "guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "quantity.h"

int guard_open(const struct guard_request *q, struct unfrag_guard **out)
{
	return q->id ? unfrag_guard_open_id(out, q->id) : unfrag_guard_open(out, q->netns);
}

const char *guard_devices(const struct unfrag_guard_info *i, char *buf)
{
	size_t n = 0;
	uint32_t d;

	buf[0] = '\0';
	for (d = 0; d < i->device_count; d++)
		n += (size_t)snprintf(buf + n, GUARD_WORDS - n, "%s%s:%s", d ? "," : "",
				      i->device[d].name, unfrag_guard_mode_name(i->device[d].mode));
	return buf[0] ? buf : "-";
}

const char *guard_address(uint32_t family, const uint8_t *address, uint32_t prefix, char *buf)
{
	bool ipv6 = family == UNFRAG_FAMILIES_IPV6;
	size_t len;

	inet_ntop(ipv6 ? AF_INET6 : AF_INET, address, buf, GUARD_ADDRESS);
	len = strlen(buf);
	if (prefix && prefix != (ipv6 ? 128 : 32))
		snprintf(buf + len, GUARD_ADDRESS - len, "/%u", prefix);
	return buf;
}

json_t *guard_json_devices(const struct unfrag_guard_info *i)
{
	json_t *list = json_array();
	uint32_t d;

	for (d = 0; d < i->device_count; d++)
		json_array_append_new(list,
				      json_pack("{s:o, s:s}", "name", json_text(i->device[d].name),
						"mode", unfrag_guard_mode_name(i->device[d].mode)));
	return list;
}

static json_t *json_allow(uint32_t allow)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < UNFRAG_REASON_MAX; i++)
		if (allow >> i & 1)
			json_array_append_new(list, json_string(unfrag_reason_name(i)));
	return list;
}

json_t *guard_json_limits(struct unfrag_guard *guard)
{
	struct unfrag_guard_limits l = { .sz = sizeof(l) };

	if (unfrag_guard_get_limits(guard, &l))
		return json_null();
	return json_pack(
		"{s:[I, I], s:[I, I], s:i, s:I, s:I, s:[i, i], s:I, s:I, s:I, s:I, s:I,"
		" s:o}",
		"memory_bytes", (json_int_t)l.memory[0], (json_int_t)l.memory[1], "timeout_ms",
		(json_int_t)l.timeout[0], (json_int_t)l.timeout[1], "share_percent", (int)l.share,
		"floor_bytes", (json_int_t)l.floor, "datagrams_max", (json_int_t)l.datagrams,
		"prefix_bits", (int)l.prefix[0], (int)l.prefix[1], "small_after",
		(json_int_t)l.small_after, "small_mean_bytes", (json_int_t)l.small_mean,
		"truesize_bytes", (json_int_t)l.least_charge, "events", (json_int_t)l.events,
		"forget_ms", (json_int_t)l.forget, "allow", json_allow(l.allow));
}

static int add_sysctl(const struct unfrag_guard_sysctl *s, void *arg)
{
	json_t *now = s->now < 0 ? json_null() : json_integer((json_int_t)s->now);

	return json_array_append_new(arg, json_pack("{s:s, s:I, s:I, s:o}", "name", s->name, "old",
						    (json_int_t)s->old, "set", (json_int_t)s->set,
						    "now", now));
}

json_t *guard_json_sysctls(struct unfrag_guard *guard)
{
	json_t *list = json_array();

	unfrag_guard_each_sysctl(guard, add_sysctl, list);
	return list;
}

/* It is on, whether it can be looked at or not. */
static int print_on(const struct guard_request *q, struct unfrag_guard *guard)
{
	struct unfrag_guard_info i = { .sz = sizeof(i) };
	char buf[GUARD_WORDS];

	if (unfrag_guard_info(guard, &i))
		i.place = q->place;
	if (q->json)
		return json_finish(json_pack("{s:s, s:o, s:i, s:o, s:o, s:o}", "place",
					     unfrag_guard_place_name(i.place), "families",
					     json_families(i.families), "priority", (int)i.priority,
					     "devices", guard_json_devices(&i), "limits",
					     guard_json_limits(guard), "sysctls",
					     guard_json_sysctls(guard)));
	printf("the guard is on, at %s%s%s\n", unfrag_guard_place_name(i.place),
	       i.device_count ? " of " : "", i.device_count ? guard_devices(&i, buf) : "");
	return CLI_DONE;
}

static int on(const struct guard_request *q)
{
	struct unfrag_guard_opts opts = {
		.sz = sizeof(opts),
		.netns = q->netns,
		.families = q->families,
		.place = q->place,
		.mode = q->mode,
		.devices = q->devices,
		.device_count = q->device_count,
		.priority = q->priority,
		.flags = q->no_tune ? UNFRAG_GUARD_NO_TUNE : 0,
		.limits = &q->limits,
	};
	struct unfrag_guard *guard;
	int code = cli_exit_of(unfrag_guard_on(&guard, &opts));

	if (code)
		return code;
	code = print_on(q, guard);
	unfrag_guard_free(guard);
	return code;
}

static int off(const struct guard_request *q)
{
	struct unfrag_guard_info i = { .sz = sizeof(i) };
	struct unfrag_guard *guard;
	int r = guard_open(q, &guard);

	if (r)
		return cli_exit_of(r);
	r = unfrag_guard_info(guard, &i);
	if (!r)
		r = unfrag_guard_off(guard);
	unfrag_guard_free(guard);
	if (r)
		return cli_exit_of(r);
	if (q->json)
		return json_finish(json_pack("{s:I}", "netns_inode", (json_int_t)i.netns_inode));
	puts("the guard is off");
	return CLI_DONE;
}

static int tune(const struct guard_request *q)
{
	struct unfrag_guard *guard;
	int code = cli_exit_of(guard_open(q, &guard));

	if (code)
		return code;
	code = cli_exit_of(unfrag_guard_tune(guard, &q->limits));
	if (!code && q->json)
		code = json_finish(json_pack("{s:o, s:o}", "limits", guard_json_limits(guard),
					     "sysctls", guard_json_sysctls(guard)));
	else if (!code)
		puts("the guard's limits are set");
	unfrag_guard_free(guard);
	return code;
}

static const struct word {
	const char *name;
	int (*run)(const struct guard_request *q);
	unsigned int takes;
} words[] = {
	{ "on", on, GUARD_GIVEN_PLACE | GUARD_GIVEN_LIMITS },
	{ "off", off, GUARD_GIVEN_ID },
	{ "status", guard_status, GUARD_GIVEN_ID | GUARD_GIVEN_ALL | GUARD_GIVEN_OPENMETRICS },
	{ "top", guard_top, GUARD_GIVEN_ID | GUARD_GIVEN_ROWS },
	{ "watch", guard_watch, GUARD_GIVEN_ID },
	{ "tune", tune, GUARD_GIVEN_ID | GUARD_GIVEN_LIMITS },
};

static const struct word *find_word(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc - optind == 1 && i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(argv[optind], words[i].name))
			return &words[i];
	return NULL;
}

static int run(const struct verb *self, int argc, char **argv)
{
	struct guard_request q = { .limits.sz = sizeof(q.limits), .rows = 10 };
	const struct word *word;
	unsigned int given = 0;
	int code;

	if (!guard_options(self, &q, argc, argv, &given, &code))
		return code;
	word = find_word(argc, argv);
	if (!word)
		return cli_usage(self, "one of on, off, status, top, watch and tune is needed");
	if (given & ~word->takes)
		return cli_usage(self, "an option is given that does not go with '%s'", word->name);
	if (q.id && q.netns)
		return cli_usage(self, "one of --id and --netns says which guard");
	if (q.json && q.openmetrics)
		return cli_usage(self, "one of --json and --openmetrics, please");
	if (word->run == tune && !(given & GUARD_GIVEN_LIMITS))
		return cli_usage(self, "a limit to change is needed");
	return word->run(&q);
}

const struct verb verb_guard = {
	.name = "guard",
	.args = "on|off|status|top|watch|tune [OPTIONS]",
	.summary = "let only fragments pass that can become a datagram, in fair shares",
	.help = "      --at PLACE        on: netfilter, tc or xdp (default: netfilter)\n"
		"      --dev IF          on: device, for tc and xdp; several times for several\n"
		"      --xdp MODE        on: native, generic or auto (default: auto)\n"
		"  -f, --family F        on: ipv4, ipv6 or both (default: both)\n"
		"  -p, --priority N      on: place at netfilter, below -400 (default: -410)\n"
		"      --no-tune         on: leave the kernel's own limits as they are\n"
		"      --netns NS        network namespace: a name, a path or a process id\n"
		"      --id ID           but for on: the guard of that id, broken ones too\n"
		"      --all             status: guards in all namespaces\n"
		"  -n, --number N        top: so many sources (default: 10)\n"
		"      --json            print as JSON\n"
		"      --openmetrics     status: as OpenMetrics, for Prometheus\n"
		"Limits, for on and tune:\n"
		"      --memory SIZE     for fragments, in each family (default: 16M, or less)\n"
		"      --timeout TIME    for a datagram to become whole (default: 3s)\n"
		"      --share PERCENT   of free memory, for one source (default: 50%)\n"
		"      --floor SIZE      for a source in any case (default: 16K)\n"
		"      --datagrams N     open at once, in each family (default: 8192)\n"
		"      --ipv4-prefix N   bits of an address that make a source (default: 32)\n"
		"      --ipv6-prefix N   likewise (default: 64)\n"
		"      --small-after N   fragments before their mean size counts (default: 32)\n"
		"      --small-mean SIZE that it has to be (default: 128)\n"
		"      --truesize SIZE   of a fragment, at tc and xdp (default: 2304)\n"
		"      --forget TIME     until good standing counts no more (default: 10m)\n"
		"      --events N        refusals told a second (default: 100)\n"
		"      --allow R[,R...]  rules to switch off, none for all on (default: none)\n",
	.run = run,
};
