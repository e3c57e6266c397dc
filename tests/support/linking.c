// SPDX-License-Identifier: GPL-2.0-or-later
#include "linking.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attached.h"

static void hear(enum unfrag_log_level level, const char *message, void *arg)
{
	struct linking *l = arg;

	if (level == UNFRAG_LOG_ERROR)
		snprintf(l->heard, sizeof(l->heard), "%s", message);
}

void linking_setup(void **state)
{
	struct linking *l;

	test_require_root();
	l = calloc(1, sizeof(*l));
	assert_non_null(l);
	*state = l;
	test_ok(lab_ns_new(&l->ns));
	test_ok(attached_load(&l->obj, "shoot"));
	l->prog = bpf_object__next_program(l->obj, NULL);
	unfrag_set_log(hear, l);
}

void linking_teardown(void *state)
{
	struct linking *l = state;

	if (!l)
		return;
	unfrag_set_log(NULL, NULL);
	if (l->pin[0])
		unlink(l->pin);
	bpf_object__close(l->obj);
	lab_ns_free(l->ns);
	free(l);
}

int linking_attach(struct linking *l, struct unfrag_netfilter_opts o, struct bpf_link **link)
{
	o.sz = sizeof(o);
	l->heard[0] = '\0';
	*link = attached_link_in(l->ns, l->prog, &o);
	return *link ? 0 : -errno;
}

static void show(const struct unfrag_netfilter_opts *o)
{
	printf("# pf %u hook %u priority %d flags 0x%x\n", o->pf, o->hook, o->priority, o->flags);
}

void linking_refused(struct linking *l, struct unfrag_netfilter_opts o, int err, const char *words)
{
	struct bpf_link *link;
	int r = linking_attach(l, o, &link);
	char why[256];

	o.sz = sizeof(o);
	unfrag_explain(err, &o, why, sizeof(why));
	bpf_link__destroy(link);
	if (r != -err || !strstr(why, words)) {
		show(&o);
		printf("# said: %s\n", why);
	}
	test_err(r, -err);
	assert_non_null(strstr(why, words));
	assert_string_equal(l->heard, why);
}

void linking_accepted(struct linking *l, struct unfrag_netfilter_opts o)
{
	struct bpf_link *link;
	int r = linking_attach(l, o, &link);

	if (r)
		show(&o);
	test_ok(r);
	test_ok(bpf_link__destroy(link));
}
