// SPDX-License-Identifier: GPL-2.0-or-later
#include "judgement.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

int judgement_new(struct judgement **out, const struct ruleset *rs, struct complaint *c)
{
	struct judgement *j = calloc(1, sizeof(*j));
	int err;

	if (!j)
		return complain(c, -ENOMEM, "no memory");
	j->rs = rs;
	err = image_new(&j->image, rs, NULL, c);
	if (!err)
		err = trial_new(&j->trial, rs);
	if (!err)
		err = native_new(&j->native, j->image);
	if (err) {
		judgement_free(j);
		return complain(c, err, "no memory");
	}
	*out = j;
	return 0;
}

void judgement_free(struct judgement *j)
{
	if (!j)
		return;
	native_free(j->native);
	trial_free(j->trial);
	image_free(j->image);
	free(j);
}

#define PRE     (1 << NF_INET_PRE_ROUTING)
#define INPUT   (1 << NF_INET_LOCAL_IN)
#define FORWARD (1 << NF_INET_FORWARD)
#define OUTPUT  (1 << NF_INET_LOCAL_OUT)
#define POST    (1 << NF_INET_POST_ROUTING)

int judgement_hooks(const struct judgement *j, const struct told_packet *p)
{
	int with_chains = 0, way = INPUT | FORWARD | OUTPUT, turn, i;

	for (i = 0; i < (int)GATE_HOOKS; i++)
		with_chains |= (j->image->config.place[p->family][i][0].n != 0) << i;
	if (p->hook >= 0)
		return with_chains & 1 << p->hook;
	if (p->has_iif)
		way &= ~OUTPUT;
	if (p->has_oif)
		way &= ~INPUT;
	/* What comes to one of the three comes to no other. */
	turn = way & with_chains;
	if (turn & (turn - 1))
		return -EINVAL;
	way = turn ? turn : way;
	if (way & (INPUT | FORWARD))
		way |= PRE;
	if (way & (FORWARD | OUTPUT))
		way |= POST;
	return way & with_chains;
}

static bool logs_agree(const struct judgement *j)
{
	const struct trial_log *logs;
	size_t n;

	logs = native_logs(j->native, &n);
	if (n != j->trial->n_logs)
		return false;
	if (n > NATIVE_LOGS_MAX)
		n = NATIVE_LOGS_MAX;
	return !n || !memcmp(logs, j->trial->logs, n * sizeof(*logs));
}

static bool counters_agree(const struct judgement *j)
{
	return !j->rs->n_counters || !memcmp(native_counters(j->native), j->trial->counters,
					     j->rs->n_counters * sizeof(*j->trial->counters));
}

int judgement_at(struct judgement *j, const struct told_packet *p, uint32_t hook, uint64_t now)
{
	const struct gate_values v = told_values(p, hook);
	int verdict = trial_packet(j->trial, p->family, hook, &v, now);

	if (verdict < 0)
		return verdict;
	if (native_packet(j->native, p->family, hook, &v, now) != (uint32_t)verdict ||
	    !logs_agree(j) || !counters_agree(j))
		return -EUCLEAN;
	return verdict;
}
