// SPDX-License-Identifier: GPL-2.0-or-later
#include "listing.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

bool listing_next(struct attr *rest, uint32_t *section, struct attr *out)
{
	struct listing_head head;
	size_t step;

	if (rest->len < sizeof(head))
		return false;
	memcpy(&head, rest->data, sizeof(head));
	if (head.len > rest->len - sizeof(head))
		return false;
	*section = head.section;
	*out = (struct attr){ rest->data + sizeof(head), head.len };
	step = sizeof(head) + head.len;
	*rest = (struct attr){ rest->data + step, rest->len - step };
	return true;
}

struct attr listing_find(struct attr listing, uint32_t section)
{
	struct attr out;
	uint32_t found;

	while (listing_next(&listing, &found, &out))
		if (found == section)
			return out;
	return (struct attr){ 0 };
}

bool listing_message(struct listing_message *out, struct attr section)
{
	const size_t heads = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg);
	struct nlmsghdr outer;
	struct nfgenmsg inner;

	if (section.len < heads)
		return false;
	memcpy(&outer, section.data, sizeof(outer));
	memcpy(&inner, section.data + sizeof(outer), sizeof(inner));
	out->type = NFNL_MSG_TYPE(outer.nlmsg_type);
	out->family = inner.nfgen_family;
	attrs_parse(&out->attrs, (struct attr){ section.data + heads, section.len - heads });
	return true;
}

#define HANDLE " # handle "

/* The last one of the line: comments may have such words, too. */
static const char *find_handle(const char *line, size_t len)
{
	const size_t n = strlen(HANDLE);
	size_t at;

	for (at = len; at-- > 0;)
		if (len - at > n && !memcmp(line + at, HANDLE, n))
			return line + at;
	return NULL;
}

/* Rules are what stands two tabs deep and has a handle. */
static int take_line(struct listing_texts *t, const char *line, size_t len)
{
	struct listing_text *text;
	const char *handle;

	if (len < 3 || line[0] != '\t' || line[1] != '\t' || line[2] == '\t')
		return 0;
	handle = find_handle(line, len);
	if (!handle)
		return 0;
	text = ARRAY_ADD(t->texts, t->n);
	if (!text)
		return -ENOMEM;
	text->text = line + 2;
	text->len = (size_t)(handle - text->text);
	for (handle += strlen(HANDLE); handle < line + len && *handle >= '0' && *handle <= '9';)
		text->handle = 10 * text->handle + (uint64_t)(*handle++ - '0');
	return 0;
}

int listing_texts_init(struct listing_texts *t, struct attr text)
{
	const char *line = (const char *)text.data, *end, *stop;
	int r;

	*t = (struct listing_texts){ 0 };
	if (!line)
		return 0;
	for (end = line + text.len; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop)
			stop = end;
		r = take_line(t, line, (size_t)(stop - line));
		if (r) {
			listing_texts_release(t);
			return r;
		}
	}
	return 0;
}

void listing_texts_release(struct listing_texts *t)
{
	free(t->texts);
	*t = (struct listing_texts){ 0 };
}

static bool is_sound(const struct listing_text *text)
{
	bool in_quotes = false;
	size_t i;

	for (i = 0; i < text->len; i++) {
		in_quotes ^= text->text[i] == '"';
		if (!in_quotes && i && (text->text[i] == '>' || text->text[i] == '<') &&
		    text->text[i - 1] == text->text[i])
			return false;
	}
	return !in_quotes;
}

struct attr listing_text_next(struct listing_texts *t, uint64_t handle)
{
	const struct listing_text *text;

	if (t->next == t->n || t->texts[t->next].handle != handle)
		return (struct attr){ 0 };
	text = &t->texts[t->next++];
	return is_sound(text) ? (struct attr){ (const uint8_t *)text->text, text->len } :
				(struct attr){ 0 };
}

/* The comment among what nftables keeps with a rule: type, length, bytes. */
#define USERDATA_COMMENT 0

const char *listing_comment(struct attr userdata)
{
	size_t at = 0, len;

	while (userdata.len - at >= 2) {
		len = userdata.data[at + 1];
		if (len > userdata.len - at - 2)
			break;
		if (userdata.data[at] == USERDATA_COMMENT && len &&
		    !userdata.data[at + 2 + len - 1])
			return (const char *)userdata.data + at + 2;
		at += 2 + len;
	}
	return NULL;
}
