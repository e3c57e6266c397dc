// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unfrag policy watch: packets that rules log, while they come.
 *
 * A ring buffer has one reader: two would each get a part, and spoil the other's place. So who
 * watches holds a name that others then find taken.
 *
 * A reload brings another ring buffer. Packets may be inside the old program for a moment, so the
 * old one is read on for a while beside the new one. What came into force and went again between
 * two looks can't be read any more; that is seen by what each ruleset knows of how many reloads led
 * to it, and told.
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
#include "policy_loading.h"
#include "policy_verbs.h"
#include "spell.h"
#include "told.h"
#include "words.h"

#define WATCH_MS 100
#define LATE_NS  1000000000ull /* by far longer than a packet is inside a program */

struct watch {
	const char *name;
	bool json;
	struct unfrag_attachment *att;
	struct source *sources; /* the first one is in force */
	uint32_t program;
	uint64_t since; /* what was logged before was for nobody */
};

/* A ruleset that is in force, or was a moment ago. */
struct source {
	struct source *next;
	const struct watch *watch;
	struct instance *instance;
	struct ring_buffer *ring;
	uint64_t lost;  /* told, or from before */
	uint64_t until; /* 0: to the end */
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

static void print_event(const struct source *s, const struct gate_event *e)
{
	const struct ruleset *rs = instance_ruleset(s->instance);
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

static void print_json(const struct source *s, const struct gate_event *e)
{
	const struct ruleset *rs = instance_ruleset(s->instance);
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
	const struct source *s = arg;
	const struct ruleset *rs = instance_ruleset(s->instance);
	struct gate_event e;

	if (size < sizeof(e))
		return 0;
	memcpy(&e, data, sizeof(e));
	if (e.time < s->watch->since || e.rule >= rs->n_rules || e.log >= rs->n_logs ||
	    e.hook >= GATE_HOOKS)
		return 0;
	if (s->watch->json)
		print_json(s, &e);
	else
		print_event(s, &e);
	return 0;
}

static void tell_lost(struct source *s)
{
	uint64_t lost;

	if (instance_lost(s->instance, &lost) || lost <= s->lost)
		return;
	cli_note("%" PRIu64 " more logged packets were not told: they came too fast",
		 lost - s->lost);
	s->lost = lost;
}

static void close_source(struct source *s)
{
	ring_buffer__free(s->ring);
	instance_free(s->instance);
	free(s);
}

static int fail(const struct watch *w, int err, const char *why)
{
	cli_error("'%s': %s", w->name, why);
	return cli_exit_of(err);
}

/* Opens what is in force now. What was lost before the first one is opened is not told. */
static int open_source(struct source **out, struct watch *w)
{
	struct source *s = must(calloc(1, sizeof(*s)));
	struct complaint c = { "" };
	int r = instance_open(&s->instance, w->att, &c), code;

	s->watch = w;
	code = r ? fail(w, r, c.text) : CLI_DONE;
	if (!code) {
		s->ring = ring_buffer__new(instance_events(s->instance), on_event, s, NULL);
		if (!s->ring)
			code = fail(w, -errno, "its log can't be read");
	}
	if (!code && !w->sources) {
		/* There may be no room left, by what was logged for nobody. */
		ring_buffer__consume(s->ring);
		code = cli_exit_of(instance_lost(s->instance, &s->lost));
	}
	if (code)
		close_source(s);
	else
		*out = s;
	return code;
}

static uint32_t program_in_force(struct watch *w)
{
	struct unfrag_attachment_info info = { .sz = sizeof(info) };

	if (!policy_loading_is_there(w->name))
		return 0;
	return unfrag_attachment_info(w->att, &info) ? 0 : info.program_id;
}

/* Whether it is another one than that in force so far, and whether others were in between. */
static bool is_next(const struct source *now, const struct source *s)
{
	uint64_t before = instance_about(now->instance)->reloads;
	uint64_t after = instance_about(s->instance)->reloads;

	if (after == before)
		return false;
	if (after > before + 1)
		cli_note("reloaded %" PRIu64
			 " times at once: what was logged in between was not "
			 "told",
			 after - before);
	return true;
}

/* Another instance came into force, or none is any more: then *over. */
static int follow(struct watch *w, bool *over)
{
	uint32_t program = program_in_force(w);
	struct source *s;
	int code;

	if (program == w->program)
		return CLI_DONE;
	w->program = program;
	*over = !program;
	if (*over) {
		if (!w->json)
			cli_note("'%s' is no longer in force", w->name);
		return CLI_DONE;
	}
	code = open_source(&s, w);
	if (code)
		return code;
	if (is_next(w->sources, s)) {
		w->sources->until = now(CLOCK_MONOTONIC) + LATE_NS;
		s->next = w->sources;
		w->sources = s;
	} else {
		close_source(s);
	}
	return CLI_DONE;
}

/* What came late, and of those that are over all that is left. */
static void read_rest(struct watch *w, bool all)
{
	struct source *s, **at = &w->sources;
	bool ends;

	while ((s = *at)) {
		ends = all || (s->until && s->until < now(CLOCK_MONOTONIC));
		ring_buffer__consume(s->ring);
		tell_lost(s);
		if (!ends) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		close_source(s);
	}
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
	code = open_source(&w->sources, w);
	if (!code && !w->json)
		cli_note("watching; Ctrl-C ends it");
	while (!code && !over && !interrupt_came()) {
		n = ring_buffer__poll(w->sources->ring, WATCH_MS);
		if (n < 0 && n != -EINTR)
			code = fail(w, n, "its log can't be read");
		read_rest(w, false);
		if (!cli_flush())
			break;
		if (!code && !interrupt_came())
			code = follow(w, &over);
	}
	read_rest(w, true);
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
