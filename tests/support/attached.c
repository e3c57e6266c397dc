// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs of the tests at work. Every attachment has a name of its own, made of the process id and
 * a number, so that tests that run side by side, and what a killed one left behind, don't meet.
 */
#include "attached.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void say(enum unfrag_log_level level, const char *message, void *arg)
{
	(void)arg;
	if (level == UNFRAG_LOG_ERROR)
		printf("# %s\n", message);
}

int attached_load(struct bpf_object **out, const char *object)
{
	struct bpf_object *obj;
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", TEST_OBJECTS, object);
	obj = bpf_object__open(path);
	if (!obj)
		return -errno;
	r = bpf_object__load(obj);
	if (r) {
		bpf_object__close(obj);
		return r;
	}
	*out = obj;
	return 0;
}

struct link_request {
	const struct bpf_program *prog;
	const struct unfrag_netfilter_opts *opts;
	struct bpf_link *link;
};

static int attach_here(void *arg)
{
	struct link_request *req = arg;

	req->link = unfrag_attach_netfilter(req->prog, req->opts);
	return req->link ? 0 : -errno;
}

struct bpf_link *attached_link_in(const struct lab_ns *ns, const struct bpf_program *prog,
				  const struct unfrag_netfilter_opts *opts)
{
	struct link_request req = { .prog = prog, .opts = opts };
	int r = lab_ns_call(ns, attach_here, &req);

	errno = -r;
	return req.link;
}

static struct attached *new_attached(const char *object, int *err)
{
	struct attached *a = calloc(1, sizeof(*a));

	*err = a ? attached_load(&a->obj, object) : -ENOMEM;
	if (!*err)
		return a;
	attached_free(a);
	return NULL;
}

int attached_link(struct attached **out, const struct lab_ns *ns, const char *object,
		  const struct unfrag_netfilter_opts *opts)
{
	int err;
	auto_attached struct attached *a = new_attached(object, &err);

	if (!a)
		return err;
	unfrag_set_log(say, NULL);
	a->link = attached_link_in(ns, bpf_object__next_program(a->obj, NULL), opts);
	err = errno;
	unfrag_set_log(NULL, NULL);
	if (!a->link)
		return -err;
	*out = LAB_TAKE_PTR(a);
	return 0;
}

int attached_named(struct attached **out, const struct lab_ns *ns, const char *object,
		   const struct unfrag_attach_opts *opts)
{
	struct unfrag_attach_opts o = *opts;
	static unsigned int number;
	int err;
	auto_attached struct attached *a = new_attached(object, &err);

	if (!a)
		return err;
	snprintf(a->name, sizeof(a->name), "test-%d-%u", (int)getpid(), number++);
	o.netns = ns ? lab_ns_path(ns) : NULL;
	o.source = object;
	unfrag_set_log(say, NULL);
	err = unfrag_attachment_attach(&a->att, a->name, a->obj, NULL, &o);
	unfrag_set_log(NULL, NULL);
	if (err)
		return err;
	*out = LAB_TAKE_PTR(a);
	return 0;
}

void attached_free(struct attached *a)
{
	if (!a)
		return;
	if (a->att && unfrag_attachment_detach(a->att))
		printf("# attachment %s was not taken away\n", a->name);
	unfrag_attachment_free(a->att);
	bpf_link__destroy(a->link);
	bpf_object__close(a->obj);
	free(a);
}

int attached_map(const struct attached *a, const char *name)
{
	return bpf_object__find_map_fd_by_name(a->obj, name);
}
