// SPDX-License-Identifier: GPL-2.0-or-later
#include "enforced.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <instance.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unfrag/unfrag.h>

/* A file as it goes through all its stages. */
struct stages {
	struct ruleset rs;
	bool is_read;
	struct image *image;
	struct instance *instance;
};

struct enforced {
	const struct lab_ns *ns;
	char name[UNFRAG_NAME_MAX + 1];
	struct unfrag_attachment *att;
	struct stages now;
};

struct places {
	struct unfrag_place place[UNFRAG_PLACES_MAX];
	uint32_t n;
	struct bpf_program *program[GATE_RANKS_MAX];
	uint32_t n_programs;
};

static void say_messages(const struct policy_messages *m, char *why, size_t size)
{
	for (size_t i = 0; i < m->n; i++) {
		size_t len = strlen(why);

		snprintf(why + len, size - len, "%s%s", len ? "; " : "", m->text[i]);
	}
}

static int read_file(struct stages *s, struct policy_listing *listing, const struct lab_ns *ns,
		     const char *path, char *why, size_t size)
{
	struct policy_messages messages = { 0 };
	const struct policy_read_opts opts = {
		.netns = lab_ns_fd(ns),
		.messages = &messages,
		.listing = listing,
	};
	int err = policy_read(&s->rs, path, &opts);

	s->is_read = !err;
	if (err)
		say_messages(&messages, why, size);
	policy_messages_release(&messages);
	return err;
}

static int build(struct stages *s, const struct lab_ns *ns, const char *path, char *why,
		 size_t size)
{
	const struct image_opts opts = { 0 };
	struct policy_listing listing = { 0 };
	const struct instance_opts instance_opts = { .listing = &listing };
	struct complaint c = { "" };
	int err = read_file(s, &listing, ns, path, why, size);

	if (err)
		return err;
	err = image_new(&s->image, &s->rs, &opts, &c);
	if (!err)
		err = instance_load(&s->instance, s->image, &s->rs, &instance_opts, &c);
	if (err)
		snprintf(why, size, "%s", c.text);
	policy_listing_release(&listing);
	return err;
}

static void release(struct stages *s)
{
	instance_free(s->instance);
	image_free(s->image);
	if (s->is_read)
		ruleset_release(&s->rs);
	memset(s, 0, sizeof(*s));
}

static int add_place(struct places *p, uint32_t family, uint32_t hook, uint32_t rank,
		     int32_t priority)
{
	if (p->n == UNFRAG_PLACES_MAX)
		return -E2BIG;
	p->place[p->n++] = (struct unfrag_place){
		.families = family ? UNFRAG_FAMILIES_IPV6 : UNFRAG_FAMILIES_IPV4,
		.hook = hook,
		.priority = priority,
		.program = rank,
	};
	return 0;
}

/* A place of both families that have the same program there, or of one. */
static int find_places(struct places *p, const struct stages *s)
{
	const struct image *image = s->image;
	int err = 0;

	p->n = 0;
	for (uint32_t f = 0; f < GATE_FAMILIES; f++)
		for (uint32_t h = 0; h < GATE_HOOKS; h++)
			for (uint32_t r = 0; r < GATE_RANKS_MAX && !err; r++)
				if (image->config.place[f][h][r].n)
					err = add_place(p, f, h, r, image->priority[f][h][r]);
	p->n_programs = instance_programs(s->instance, p->program);
	return err;
}

static int attach(struct enforced *e)
{
	struct unfrag_attach_opts opts = { .sz = sizeof(opts), .netns = lab_ns_path(e->ns) };
	struct places places;
	int err = find_places(&places, &e->now);

	opts.places = places.place;
	opts.n_places = places.n;
	opts.programs = places.program;
	opts.n_programs = places.n_programs;
	if (err)
		return err;
	return unfrag_attachment_attach(&e->att, e->name, instance_object(e->now.instance), NULL,
					&opts);
}

static void keep_message(enum unfrag_log_level level, const char *message, void *arg)
{
	if (level == UNFRAG_LOG_ERROR)
		snprintf(arg, 512, "%s", message);
}

int enforced_new(struct enforced **out, const struct lab_ns *ns, const char *path, char *why,
		 size_t size)
{
	struct enforced *e = calloc(1, sizeof(*e));
	static unsigned int number;
	char message[512] = "";
	int err;

	if (!e)
		return -ENOMEM;
	e->ns = ns;
	snprintf(e->name, sizeof(e->name), "test-%d-gate-%u", (int)getpid(), number++);
	why[0] = '\0';
	err = build(&e->now, ns, path, why, size);
	if (!err) {
		unfrag_set_log(keep_message, message);
		err = attach(e);
		unfrag_set_log(NULL, NULL);
		if (err)
			snprintf(why, size, "attaching: %s", message);
	}
	if (err)
		enforced_free(e);
	else
		*out = e;
	return err;
}

int enforced_replace(struct enforced *e, const char *path, char *why, size_t size)
{
	struct unfrag_replace_opts opts = { .sz = sizeof(opts) };
	struct stages next = { 0 };
	struct places places;
	int err;

	why[0] = '\0';
	err = build(&next, e->ns, path, why, size);
	if (!err)
		err = find_places(&places, &next);
	if (!err) {
		opts.places = places.place;
		opts.n_places = places.n;
		opts.programs = places.program;
		opts.n_programs = places.n_programs;
		err = unfrag_attachment_replace(e->att, instance_object(next.instance), NULL,
						&opts);
	}
	if (err) {
		release(&next);
		return err;
	}
	release(&e->now);
	e->now = next;
	return 0;
}

void enforced_free(struct enforced *e)
{
	if (!e)
		return;
	if (e->att && unfrag_attachment_detach(e->att))
		printf("# attachment %s was not taken away\n", e->name);
	unfrag_attachment_free(e->att);
	release(&e->now);
	free(e);
}

static void name_counter(char *where, size_t size, const struct enforced *e, uint32_t table,
			 const char *rest)
{
	const struct table *t = &e->now.rs.tables[table];

	snprintf(where, size, "%s %.20s %.31s",
		 t->family == FAMILY_INET ? "inet" :
		 t->family == FAMILY_IP   ? "ip" :
					    "ip6",
		 t->name, rest);
}

static void add_count(const struct enforced *e, struct nft_counts *out,
		      const struct gate_counter *shown, uint32_t table, const char *rest)
{
	struct nft_count *count = &out->count[out->n++];

	name_counter(count->where, sizeof(count->where), e, table, rest);
	count->packets = shown->packets;
	count->bytes = shown->bytes;
}

static void add_rule(const struct enforced *e, struct nft_counts *out,
		     const struct gate_counter *shown, size_t rule)
{
	const struct ruleset *rs = &e->now.rs;
	const struct rule *r = &rs->rules[rule];
	const struct chain *c = &rs->chains[r->chain];
	char rest[32];

	snprintf(rest, sizeof(rest), "%.20s %u", c->name, (unsigned int)(rule - c->first_rule));
	for (size_t i = 0; i < r->n; i++) {
		const struct statement *s = &r->statements[i];

		if (s->kind == STATEMENT_COUNTER && !rs->counters[s->index].name)
			add_count(e, out, &shown[s->index], c->table, rest);
	}
}

int enforced_counts(const struct enforced *e, struct nft_counts *out)
{
	const struct ruleset *rs = &e->now.rs;
	lab_autofree struct gate_counter *shown = calloc(rs->n_counters + 1, sizeof(*shown));
	struct complaint c = { "" };
	int err = -ENOMEM;

	out->n = 0;
	out->count = calloc(rs->n_counters + 1, sizeof(*out->count));
	if (shown && out->count)
		err = instance_counters(e->now.instance, shown, rs->n_counters, &c);
	if (err) {
		nft_counts_release(out);
		return err;
	}
	for (size_t i = 0; i < rs->n_rules; i++)
		add_rule(e, out, shown, i);
	for (uint32_t i = 0; i < rs->n_counters; i++) {
		char rest[32];

		if (!rs->counters[i].name)
			continue;
		snprintf(rest, sizeof(rest), "counter %.20s", rs->counters[i].name);
		add_count(e, out, &shown[i], rs->counters[i].table, rest);
	}
	return 0;
}

const char *enforced_name(const struct enforced *e)
{
	return e->name;
}

int enforced_program(const struct enforced *e)
{
	struct bpf_program *programs[GATE_RANKS_MAX];

	instance_programs(e->now.instance, programs);
	return bpf_program__fd(programs[0]);
}
