// SPDX-License-Identifier: GPL-2.0-or-later
#include "asker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sock.h"
#include "util.h"

#define ANSWER_MS    1000
#define QUESTION_MAX 128
#define ANSWER_MAX   16384
#define TYPE_TXT     16

/* The question of number `id`, with an OPT record that allows large answers (RFC 6891). */
static size_t write_question(unsigned char *q, const char *name, uint16_t id)
{
	static const unsigned char tail[] =
		"\4demo\7example\0\0\x10\0\1"
		"\0\0\x29\x3f\xff\0\0\0\0\0\0";
	size_t len = strlen(name);
	unsigned char *p = q;

	memcpy(p, "\0\0\0\0\0\1\0\0\0\0\0\1", 12);
	p[0] = (unsigned char)(id >> 8);
	p[1] = (unsigned char)id;
	p += 12;
	*p++ = (unsigned char)len;
	memcpy(p, name, len);
	p += len;
	memcpy(p, tail, sizeof(tail) - 1);
	return (size_t)(p - q) + sizeof(tail) - 1;
}

struct asker {
	int fd;
	struct lab_addr server;
	const char *name;
	uint32_t size;
	uint32_t questions;
	bool *came;
	struct lab_asked result;
};

static void hear(struct asker *a)
{
	unsigned char answer[ANSWER_MAX];
	ssize_t n;
	uint32_t id;

	while ((n = recv(a->fd, answer, sizeof(answer), MSG_DONTWAIT)) >= 0) {
		if (n < 12 || !(answer[2] & 0x80) || answer[2] & 2 || n <= (ssize_t)a->size)
			continue; /* no answer, cut, or too short */
		id = (uint32_t)answer[0] << 8 | answer[1];
		if (id >= a->questions || a->came[id])
			continue;
		a->came[id] = true;
		a->result.answered++;
	}
}

static void ask(struct asker *a, uint32_t id)
{
	unsigned char q[QUESTION_MAX];
	size_t len = write_question(q, a->name, (uint16_t)id);

	a->result.asked++;
	sendto(a->fd, q, len, 0, &a->server.sa, a->server.len);
}

static void wait_until(struct asker *a, int64_t deadline)
{
	int64_t left;

	while ((left = deadline - lab_now_ms()) > 0) {
		lab_wait_readable(a->fd, (int)left);
		hear(a);
	}
}

static int bind_asker(struct asker *a, const struct lab_ns *ns, int family, const char *client)
{
	int room = 4 << 20;
	struct lab_addr from;
	int err = lab_addr_parse(&from, family, client, 0);

	if (err)
		return err;
	a->fd = lab_socket(ns, family, SOCK_DGRAM, 0);
	if (a->fd < 0)
		return a->fd;
	setsockopt(a->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return bind(a->fd, &from.sa, from.len) ? -errno : 0;
}

int lab_ask(struct lab_asked *out, const struct lab_ns *ns, int family, const char *client,
	    const char *server, const char *name, uint32_t size, uint32_t rate, uint32_t questions)
{
	struct asker a = { .fd = -1, .name = name, .size = size, .questions = questions };
	int64_t begun, all_asked;
	uint32_t i;
	int err;

	if (questions > UINT16_MAX || !rate || strlen(name) > 60)
		return -EINVAL;
	err = lab_addr_parse(&a.server, family, server, 53);
	if (!err)
		err = bind_asker(&a, ns, family, client);
	a.came = err ? NULL : calloc(questions ? questions : 1, sizeof(*a.came));
	if (!err && !a.came)
		err = -ENOMEM;
	begun = lab_now_ms();
	for (i = 0; i < questions && !err; i++) {
		wait_until(&a, begun + (int64_t)i * 1000 / rate);
		ask(&a, i);
	}
	all_asked = lab_now_ms();
	while (!err && a.result.answered < questions && lab_now_ms() < all_asked + ANSWER_MS)
		wait_until(&a, lab_now_ms() + 10);
	if (a.fd >= 0)
		close(a.fd);
	free(a.came);
	*out = a.result;
	return err;
}
