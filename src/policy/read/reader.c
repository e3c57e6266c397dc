// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "reader.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

/* The name of file number n. */
static const char *file_of(const struct reader *r, uint32_t n)
{
	const char *name = (const char *)r->files.data, *end;

	if (!r->files.len || name[r->files.len - 1])
		return NULL;
	end = name + r->files.len;
	for (; n && name < end; n--)
		name += strlen(name) + 1;
	return name < end ? name : NULL;
}

static struct listing_line line_of(const struct reader *r, size_t rule)
{
	struct listing_line line;
	size_t i;

	for (i = 0; i + sizeof(line) <= r->lines.len; i += sizeof(line)) {
		memcpy(&line, r->lines.data + i, sizeof(line));
		if (line.rule == rule)
			return line;
	}
	return (struct listing_line){ 0 };
}

/* Where that is which a message begins with: "table ip t, set s: ..." */
static struct listing_line place_of(const struct reader *r, const char *message)
{
	struct attr rest = r->listing, section;
	struct listing_place place;
	const char *what;
	uint32_t kind;

	while (listing_next(&rest, &kind, &section)) {
		if (kind != LISTING_PLACE || section.len <= sizeof(place) ||
		    section.data[section.len - 1])
			continue;
		memcpy(&place, section.data, sizeof(place));
		what = (const char *)section.data + sizeof(place);
		if (!strncmp(message, what, strlen(what)) && message[strlen(what)] == ':')
			return (struct listing_line){ 0, place.line, place.file };
	}
	return (struct listing_line){ 0 };
}

void reader_refuse(struct reader *r, size_t rule, const char *fmt, ...)
{
	struct listing_line line;
	const char *file = NULL;
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line = rule == READER_NO_RULE ? place_of(r, text) : line_of(r, rule);
	if (line.line)
		file = file_of(r, line.file);
	if (file)
		policy_say(r->messages, "%s:%u: %s", file, line.line, text);
	else
		policy_say(r->messages, "%s: %s", r->path, text);
	r->refused = true;
}

char *reader_copy(struct reader *r, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		r->no_memory = true;
	return copy;
}

static void (*const handlers[])(struct reader *r, uint8_t family, const struct attrs *a) = {
	[NFT_MSG_NEWTABLE] = reader_on_table,         [NFT_MSG_NEWCHAIN] = reader_on_chain,
	[NFT_MSG_NEWRULE] = reader_on_rule,           [NFT_MSG_NEWSET] = reader_on_set,
	[NFT_MSG_NEWSETELEM] = reader_on_elements,    [NFT_MSG_NEWOBJ] = reader_on_object,
	[NFT_MSG_NEWFLOWTABLE] = reader_on_flowtable,
};

static void on_message(struct reader *r, uint16_t type, struct attr payload)
{
	unsigned int message = NFNL_MSG_TYPE(type);
	struct nfgenmsg head;
	struct attrs a;

	if (NFNL_SUBSYS_ID(type) != NFNL_SUBSYS_NFTABLES ||
	    message >= sizeof(handlers) / sizeof(*handlers) || !handlers[message] ||
	    payload.len < sizeof(head)) {
		reader_refuse(r, READER_NO_RULE, "a listing has a message of type 0x%x", type);
		return;
	}
	memcpy(&head, payload.data, sizeof(head));
	attrs_parse(&a, (struct attr){ payload.data + sizeof(head), payload.len - sizeof(head) });
	if (a.broken)
		reader_refuse(r, READER_NO_RULE, "a listing has a broken message");
	else
		handlers[message](r, head.nfgen_family, &a);
}

static void on_messages(struct reader *r, struct attr in)
{
	struct nlmsghdr head;
	size_t step;

	while (in.len >= sizeof(head) && !r->no_memory) {
		memcpy(&head, in.data, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > in.len)
			break;
		on_message(r, head.nlmsg_type,
			   (struct attr){ in.data + sizeof(head), head.nlmsg_len - sizeof(head) });
		step = NLMSG_ALIGN(head.nlmsg_len);
		step = step < in.len ? step : in.len;
		in = (struct attr){ in.data + step, in.len - step };
	}
	if (in.len && !r->no_memory)
		reader_refuse(r, READER_NO_RULE, "a listing has a broken message");
}

static void read_sections(struct reader *r, struct attr rest)
{
	struct attr section;
	uint32_t kind;

	while (listing_next(&rest, &kind, &section))
		if (kind == LISTING_NETLINK)
			on_messages(r, section);
	if (rest.len)
		reader_refuse(r, READER_NO_RULE, "a listing is cut short");
}

static bool is_at(const struct ruleset *rs, const struct chain *chain, uint32_t family,
		  uint32_t hook)
{
	return chain->is_base && chain->hook == hook && rs->tables[chain->table].family & family;
}

/* Is it the first chain of its priority there? */
static bool is_first(const struct ruleset *rs, size_t chain, uint32_t family)
{
	const struct chain *c = &rs->chains[chain];
	size_t i;

	for (i = 0; i < chain; i++)
		if (is_at(rs, &rs->chains[i], family, c->hook) &&
		    rs->chains[i].priority == c->priority)
			return false;
	return is_at(rs, c, family, c->hook);
}

static void count_priorities(struct reader *r, uint32_t family)
{
	const struct ruleset *rs = r->rs;
	unsigned int n[GATE_HOOKS] = { 0 };
	size_t i;

	for (i = 0; i < rs->n_chains; i++)
		if (rs->chains[i].hook < GATE_HOOKS && is_first(rs, i, family) &&
		    n[rs->chains[i].hook]++ == GATE_RANKS_MAX)
			reader_refuse(r, READER_NO_RULE,
				      "table %s %s, chain %s: more than %u priorities at one hook; "
				      "give chains the same priority",
				      reader_family(r, rs->chains[i].table),
				      rs->tables[rs->chains[i].table].name, rs->chains[i].name,
				      GATE_RANKS_MAX);
}

/* Notes where rules stand, for what is said of them later. */
static void note_places(struct reader *r)
{
	struct ruleset *rs = r->rs;
	struct listing_line line;
	const char *file;
	size_t i;

	for (i = 0; i + sizeof(line) <= r->lines.len; i += sizeof(line)) {
		memcpy(&line, r->lines.data + i, sizeof(line));
		file = file_of(r, line.file);
		if (!file || line.rule >= rs->n_rules || rs->rules[line.rule].place)
			continue;
		if (asprintf(&rs->rules[line.rule].place, "%s:%u", file, line.line) < 0) {
			rs->rules[line.rule].place = NULL;
			r->no_memory = true;
		}
	}
}

static void finish(struct reader *r, struct attr listing)
{
	size_t i;

	note_places(r);
	raw_sets_finish(r);
	reader_order_chains(r, listing);
	count_priorities(r, FAMILY_IP);
	count_priorities(r, FAMILY_IP6);
	for (i = 0; i < r->rs->n_chains; i++)
		if (r->rs->chains[i].is_base)
			return;
	reader_refuse(r, READER_NO_RULE,
		      "no chain has a hook, so no packet would meet a rule; give one a "
		      "'type filter hook ... priority ...;'");
}

static void release(struct reader *r)
{
	size_t i;

	for (i = 0; i < r->n_sets; i++)
		free(r->sets[i].elements);
	free(r->sets);
	listing_texts_release(&r->texts);
}

/* A path is a string, whoever kept the listing meanwhile. */
static const char *path_of(struct attr all)
{
	struct attr path = listing_find(all, LISTING_PATH);

	return path.len && !path.data[path.len - 1] ? (const char *)path.data : "ruleset";
}

int policy_parse(struct ruleset *out, const struct policy_listing *listing,
		 struct policy_messages *messages)
{
	const struct attr all = { listing->data, listing->len };
	struct ruleset rs = { 0 };
	struct reader r = { .rs = &rs, .messages = messages, .path = path_of(all) };
	const size_t said = messages->n;
	int err;

	r.listing = all;
	r.lines = listing_find(all, LISTING_LINES);
	r.files = listing_find(all, LISTING_FILES);
	err = listing_texts_init(&r.texts, listing_find(all, LISTING_TEXT));
	if (!err) {
		read_sections(&r, all);
		if (!r.no_memory)
			finish(&r, all);
		err = r.no_memory ? -ENOMEM : r.refused ? -EINVAL : 0;
	}
	release(&r);
	if (err == -ENOMEM)
		policy_say(messages, "no memory for the ruleset");
	else if (err && messages->n == said)
		policy_say(messages, "%s: its listing is broken", r.path);
	if (err)
		ruleset_release(&rs);
	else
		*out = rs;
	return err;
}
