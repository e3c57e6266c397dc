// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The programs of an attachment, put into its slot; see attachment.h.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "attachment.h"
#include "cleanup.h"
#include "front.h"
#include "link.h"
#include "log.h"
#include "places.h"
#include "program.h"

int programs_choose(struct programs *p, struct bpf_object *obj, struct bpf_program *prog,
		    struct bpf_program *const *list, uint32_t n)
{
	uint32_t i;
	int r = 0;

	p->obj = obj;
	p->n = n ? n : 1;
	if (!n)
		return program_choose(&p->progs[0], obj, prog);
	if (prog || !list || n > UNFRAG_PROGRAMS_MAX)
		return log_error(-EINVAL, "one program, or up to %u in the options",
				 UNFRAG_PROGRAMS_MAX);
	for (i = 0; i < n && !r; i++)
		r = list[i] ? program_choose(&p->progs[i], obj, list[i]) :
			      log_error(-EINVAL, "program %u of the options is missing", i);
	return r;
}

const struct bpf_program *programs_first(const struct programs *p, const struct about *about,
					 unsigned int half)
{
	int seat = places_first(about, half);

	return p->progs[seat < 0 ? 0 : place_program(about, half, (unsigned int)seat)];
}

int programs_put_pass(int slot_fd, unsigned int half, uint32_t seats)
{
	_cleanup_close_ int fd = seats ? link_load_pass() : -1;
	uint32_t seat;
	int r = 0;

	if (!seats)
		return 0;
	if (fd < 0)
		return log_error(fd, "a program can't be loaded: %s", strerror(-fd));
	for (seat = 0; seat < FRONT_SEATS && !r; seat++)
		if (seats & 1u << seat)
			r = front_put(slot_fd, half * FRONT_SEATS + seat, fd);
	return r;
}

int programs_copy(const struct programs *p, int slot_fd, const struct about *about,
		  unsigned int half, unsigned int to)
{
	uint32_t seat;
	int program, r = 0;

	for (seat = 0; seat < FRONT_SEATS && !r; seat++) {
		program = place_program(about, half, seat);
		if (program >= 0)
			r = front_put(slot_fd, to * FRONT_SEATS + seat,
				      bpf_program__fd(p->progs[program]));
	}
	return r;
}

int programs_put(const struct programs *p, int slot_fd, const struct about *about,
		 unsigned int half)
{
	uint32_t here = places_seats(about, PLACES_HALF(half));
	uint32_t there = places_seats(about, PLACES_HALF(!half));
	int r = programs_put_pass(slot_fd, half, there & ~here);

	return r ? r : programs_copy(p, slot_fd, about, half, half);
}
