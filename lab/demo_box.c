// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The middleboxes of the demo.
 *
 * The first two are what a filter does without reassembly: plain links without the defragmentation
 * flag, by the library's own plain call, gone with their descriptors. The third is attached and
 * detached by the real command, as a person would do it; its links are pinned, so whatever
 * happens on the way, the way out detaches.
 */
#include "demo_box.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unfrag/unfrag.h>

#include "demo_tool.h"

#define COMMAND_DEADLINE_MS 30000
#define NFPROTO_V4          2
#define NFPROTO_V6          10

struct demo_box {
	const struct lab_ns *ns;
	const struct demo_paths *paths;
	struct bpf_object *object;
	struct bpf_link *links[2];
	char attachment[32]; /* its name, while there may be one */
};

static const struct {
	const char *name;
	const char *object;
} kinds[] = {
	[DEMO_BOX_ACCEPT_LATER] = { "judges first fragments, accepts later ones",
				    "accept_later.bpf.o" },
	[DEMO_BOX_DROP_LATER] = { "judges first fragments, drops later ones", "drop_later.bpf.o" },
	[DEMO_BOX_UNFRAG] = { "unfrag: judges whole packets", NULL },
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == DEMO_BOX_MAX, "a name each");

const char *demo_box_name(enum demo_box_kind kind)
{
	return kinds[kind].name;
}

static int load_object(struct demo_box *box, const char *name)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/%s", box->paths->objects, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	box->object = bpf_object__open_file(path, NULL);
	if (!box->object || bpf_object__load(box->object)) {
		int err = errno ? -errno : -EIO;

		demo_error("can't load '%s': %s", path, strerror(-err));
		return err;
	}
	return 0;
}

/* Runs inside the namespace: a link is made where its maker stands. */
static int attach_links(void *arg)
{
	static const uint32_t families[] = { NFPROTO_V4, NFPROTO_V6 };
	struct demo_box *box = arg;
	struct bpf_program *prog = bpf_object__next_program(box->object, NULL);

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct unfrag_netfilter_opts opts = {
			.sz = sizeof(opts),
			.pf = families[i],
			.hook = UNFRAG_HOOK_FORWARD,
		};

		box->links[i] = unfrag_attach_netfilter(prog, &opts);
		if (!box->links[i]) {
			char why[256];
			int err = errno ? errno : EIO;

			unfrag_explain(err, &opts, why, sizeof(why));
			demo_error("can't attach a program for fragments: %s", why);
			return -err;
		}
	}
	return 0;
}

/* The command, to its end. Its words are shown if it fails, unless silent. */
static int run_unfrag(const char *const argv[], bool silent)
{
	struct demo_tool tool;
	char out[4096];
	int status;

	status = demo_tool_start(&tool, NULL, argv);
	if (status == 0)
		status = demo_tool_finish(&tool, lab_now_ms() + COMMAND_DEADLINE_MS, false, out,
					  sizeof(out));
	else
		out[0] = '\0';
	if (status == 0 || silent)
		return status;
	if (status < 0)
		demo_error("'%s %s %s': %s", argv[0], argv[1], argv[2], strerror(-status));
	else
		demo_error("'%s %s %s': exit status %d", argv[0], argv[1], argv[2], status);
	fputs(out, stderr);
	return status < 0 ? status : -EIO;
}

static int attach_unfrag(struct demo_box *box)
{
	const char *netns = lab_ns_path(box->ns);
	const struct demo_paths *paths = box->paths;
	const char *const load[] = { paths->unfrag,  "policy", "load",
				     paths->ruleset, "--name", box->attachment,
				     "--netns",      netns,    NULL };
	const char *const attach[] = { paths->unfrag,   "attach",  paths->program, "--name",
				       box->attachment, "--netns", netns,          "--hook",
				       "forward",       NULL };

	snprintf(box->attachment, sizeof(box->attachment), "demo-%d", (int)getpid());
	return run_unfrag(paths->program ? attach : load, false);
}

static int detach_unfrag(const struct demo_box *box, bool silent)
{
	const char *const unload[] = { box->paths->unfrag, "policy", "unload", box->attachment,
				       NULL };
	const char *const detach[] = { box->paths->unfrag, "detach", box->attachment, NULL };

	return run_unfrag(box->paths->program ? detach : unload, silent);
}

int demo_box_new(struct demo_box **out, enum demo_box_kind kind, const struct lab_ns *ns,
		 const struct demo_paths *paths)
{
	struct demo_box *box = calloc(1, sizeof(*box));
	int err;

	if (!box)
		return -ENOMEM;
	box->ns = ns;
	box->paths = paths;
	if (kind == DEMO_BOX_UNFRAG) {
		err = attach_unfrag(box);
		if (err)
			detach_unfrag(box, true);
	} else {
		err = load_object(box, kinds[kind].object);
		if (!err)
			err = lab_ns_call(ns, attach_links, box);
	}
	if (err) {
		box->attachment[0] = '\0';
		demo_box_free(box);
		return err;
	}
	*out = box;
	return 0;
}

int demo_box_free(struct demo_box *box)
{
	int err = 0;

	if (!box)
		return 0;
	if (box->attachment[0])
		err = detach_unfrag(box, false);
	for (size_t i = 0; i < sizeof(box->links) / sizeof(box->links[0]); i++)
		bpf_link__destroy(box->links[i]);
	bpf_object__close(box->object);
	free(box);
	return err;
}
