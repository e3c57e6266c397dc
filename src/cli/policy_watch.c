// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy watch: packets that rules log, while they come.
 *
 * A ring buffer has one reader: two would each get a part, and spoil the other's place. So who
 * watches holds a name that others then find taken. A reload brings another ring buffer; the old
 * one is read to its end once the new one is there.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fields.h"
#include "instance.h"
#include "interrupt.h"
#include "output.h"
#include "policy_verbs.h"
#include "spell.h"
#include "told.h"
#include "words.h"

#define WATCH_MS 250

struct watch {
	const char *name;
	bool json;
	struct unfrag_attachment *att;
	struct instance *instance;
	struct ring_buffer *ring;
	uint32_t program;
	uint64_t since; /* what was logged before was for nobody */
	uint64_t lost;  /* of this instance, told or from before */
};

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Nanoseconds since 1970 of a moment on the clock that does not step. */
static uint64_t real_time(uint64_t monotonic)
{
	return now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC) + monotonic;
}

static const char *device_of(const struct gate_values *v, uint32_t field, char name[17])
{
	value bytes = fields_get(v, field);
	int i;

	for (i = 0; i < 16; i++)
		name[i] = (char)(bytes >> (120 - 8 * i));
	name[16] = '\0';
	return fields_has(v, field) && name[0] ? name : NULL;
}

static struct told_packet packet_of(const struct gate_event *e)
{
	return (struct told_packet){
		.family = fields_has(&e->values, GATE_IP6_SADDR),
		.hook = (int)e->hook,
		.values = e->values,
	};
}

static void print_event(const struct watch *w, const struct gate_event *e)
{
	const struct ruleset *rs = instance_ruleset(w->instance);
	const struct told_packet p = packet_of(e);
	const uint64_t when = real_time(e->time);
	const time_t seconds = (time_t)(when / 1000000000);
	char in[17], out[17], clock[16] = "";
	const char *iif = device_of(&e->values, GATE_IIFNAME, in);
	const char *oif = device_of(&e->values, GATE_OIFNAME, out);
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s.%03u  %s%s%s%s%s%s%s  %s: %s\n", clock, (unsigned int)(when / 1000000 % 1000),
	       rs->logs[e->log].prefix, rs->logs[e->log].prefix[0] ? "  " : "", told_spell(&p).text,
	       iif ? " iif " : "", iif ? iif : "", oif ? " oif " : "", oif ? oif : "",
	       spell_hook(e->hook), words_of_rule(rs, e->rule).text);
}

static void add_field(json_t *to, const struct gate_values *v, const char *key, uint32_t field)
{
	if (fields_has(v, field))
		json_object_set_new(to, key,
				    json_string(spell_value(field, fields_get(v, field)).text));
}

static void add_number(json_t *to, const struct gate_values *v, const char *key, uint32_t field)
{
	if (fields_has(v, field))
		json_object_set_new(to, key, json_integer((json_int_t)fields_get(v, field)));
}

static void add_device(json_t *to, const struct gate_values *v, const char *key, uint32_t field)
{
	char name[17];

	if (device_of(v, field, name))
		json_object_set_new(to, key, json_text(name));
}

static void add_packet(json_t *to, const struct gate_values *v, bool is_ipv6)
{
	add_field(to, v, "source", is_ipv6 ? GATE_IP6_SADDR : GATE_IP_SADDR);
	add_field(to, v, "destination", is_ipv6 ? GATE_IP6_DADDR : GATE_IP_DADDR);
	add_number(to, v, "protocol", GATE_L4PROTO);
	if (told_has_ports((int)fields_get(v, GATE_L4PROTO))) {
		add_number(to, v, "source_port", GATE_SPORT);
		add_number(to, v, "destination_port", GATE_DPORT);
	}
	add_number(to, v, "length", GATE_LENGTH);
	json_object_set_new(to, "reassembled", json_boolean(fields_get(v, GATE_REASSEMBLED)));
	add_number(to, v, "largest_fragment", GATE_LARGEST);
	add_number(to, v, "smallest_fragment", GATE_SMALLEST);
	add_device(to, v, "iif", GATE_IIFNAME);
	add_device(to, v, "oif", GATE_OIFNAME);
}

static void print_json(const struct watch *w, const struct gate_event *e)
{
	const struct ruleset *rs = instance_ruleset(w->instance);
	const struct rule *rule = &rs->rules[e->rule];
	const struct chain *chain = &rs->chains[rule->chain];
	const struct told_packet p = packet_of(e);
	json_t *line = must(json_pack("{s:f, s:o, s:s, s:s, s:o, s:o, s:o}", "time",
				      (double)real_time(e->time) / 1e9, "prefix",
				      json_text(rs->logs[e->log].prefix), "hook",
				      spell_hook(e->hook), "family", p.family ? "ipv6" : "ipv4",
				      "table", json_text(words_of_table(rs, chain->table).text),
				      "chain", json_text(chain->name), "rule",
				      json_text(rule->text ? rule->text : "")));

	add_packet(line, &e->values, p.family);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static int on_event(void *arg, void *data, size_t size)
{
	const struct watch *w = arg;
	const struct ruleset *rs = instance_ruleset(w->instance);
	struct gate_event e;

	if (size < sizeof(e))
		return 0;
	memcpy(&e, data, sizeof(e));
	if (e.time < w->since || e.rule >= rs->n_rules || e.log >= rs->n_logs ||
	    e.hook >= GATE_HOOKS)
		return 0;
	if (w->json)
		print_json(w, &e);
	else
		print_event(w, &e);
	return 0;
}

static void tell_lost(struct watch *w)
{
	uint64_t lost;

	if (instance_lost(w->instance, &lost) || lost <= w->lost)
		return;
	cli_note("%" PRIu64 " more logged packets were not told: they came too fast",
		 lost - w->lost);
	w->lost = lost;
}

static void let_go(struct watch *w)
{
	ring_buffer__free(w->ring);
	instance_free(w->instance);
	w->ring = NULL;
	w->instance = NULL;
}

static int fail(const struct watch *w, int err, const char *why)
{
	cli_error("'%s': %s", w->name, why);
	return cli_exit_of(err);
}

/* Opens what is in force now. What it lost before is not told, unless a reload began it. */
static int open_ring(struct watch *w, bool is_first)
{
	struct complaint c = { "" };
	int r = instance_open(&w->instance, w->att, &c);

	if (r)
		return fail(w, r, c.text);
	w->ring = ring_buffer__new(instance_events(w->instance), on_event, w, NULL);
	if (!w->ring)
		return fail(w, -errno, "its log can't be read");
	w->lost = 0;
	return is_first ? cli_exit_of(instance_lost(w->instance, &w->lost)) : CLI_DONE;
}

static uint32_t program_in_force(struct watch *w)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };

	return unfrag_attachment_info(w->att, &info) ? 0 : info.program_id;
}

/* Another instance came into force, or none is any more: then *over. */
static int follow(struct watch *w, bool *over)
{
	uint32_t program = program_in_force(w);

	if (program == w->program)
		return CLI_DONE;
	/* No packet is inside the old one by the time that the new one's id can be seen. */
	ring_buffer__consume(w->ring);
	tell_lost(w);
	let_go(w);
	w->program = program;
	*over = !program;
	if (!program && !w->json)
		cli_note("'%s' is no longer in force", w->name);
	return program ? open_ring(w, false) : CLI_DONE;
}

/* Free again when this process ends, however it does. */
static int claim(const struct watch *w)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "unfrag-watch-%s", w->name);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);

	if (fd >= 0 && !bind(fd, (struct sockaddr *)&name, len))
		return CLI_DONE; /* kept open to the end */
	if (errno == EADDRINUSE)
		cli_error("'%s' is being watched by another process; only one can", w->name);
	else
		cli_error("a socket can't be made: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return CLI_FAILED;
}

static int watch(struct watch *w)
{
	bool over = false;
	int code, n;

	w->program = program_in_force(w);
	code = open_ring(w, true);
	if (!code && !w->json)
		cli_note("watching; Ctrl-C ends it");
	while (!code && !over && !interrupt_came()) {
		n = ring_buffer__poll(w->ring, WATCH_MS);
		if (n < 0 && n != -EINTR)
			code = fail(w, n, "its log can't be read");
		tell_lost(w);
		if (fflush(stdout))
			break;
		if (!code && !interrupt_came())
			code = follow(w, &over);
	}
	let_go(w);
	return code;
}

struct only {
	char name[UNFRAG_NAME_MAX + 1];
	size_t n;
};

static int count_rulesets(const char *name, void *arg)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };
	struct only *only = arg;
	struct unfrag_attachment *att;
	int fd = -1;

	if (unfrag_attachment_open(&att, name))
		return 0;
	if (!unfrag_attachment_info(att, &info) && info.state != UNFRAG_STATE_BROKEN)
		fd = unfrag_attachment_map(att, "events");
	unfrag_attachment_free(att);
	if (fd < 0)
		return 0;
	close(fd);
	only->n++;
	snprintf(only->name, sizeof(only->name), "%s", name);
	return 0;
}

/* The only ruleset in force. */
static int find_only(struct only *only)
{
	int code = cli_exit_of(unfrag_attachment_each(count_rulesets, only));

	if (code || only->n == 1)
		return code;
	if (only->n)
		cli_error("%zu rulesets are in force: say which ('unfrag list' has the names)",
			  only->n);
	else
		cli_error("no ruleset is in force");
	return CLI_FAILED;
}

static int run_named(struct watch *w)
{
	int code = cli_exit_of(unfrag_attachment_open(&w->att, w->name));

	if (code)
		return code;
	code = claim(w);
	if (!code) {
		interrupt_catch();
		w->since = now(CLOCK_MONOTONIC);
		code = watch(w);
	}
	unfrag_attachment_free(w->att);
	return code;
}

static int run(const struct verb *self, int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, OPTION_JSON },
						 CLI_COMMON_OPTIONS };
	struct watch w = { 0 };
	struct only only = { "", 0 };
	int option, code;

	while ((option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == OPTION_JSON)
			w.json = true;
		else if (cli_common_option(self, option, &code))
			return code;
	}
	if (argc - optind > 1)
		return cli_usage(self, "one name, or none if only one ruleset is in force");
	code = cli_exit_of(unfrag_probe_kernel());
	if (!code && optind == argc)
		code = find_only(&only);
	w.name = optind < argc ? argv[optind] : only.name;
	return code ? code : run_named(&w);
}

const struct verb verb_policy_watch = {
	.name = "policy watch",
	.args = "[--json] [NAME]",
	.summary = "print packets that rules log, while they come",
	.help = "      --json            a line of JSON for each\n",
	.run = run,
};
