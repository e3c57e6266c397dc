/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of IPv6 packets in the kernel's defragmenter, as witness.bpf.c saw it.
 */
#pragma once

enum witness {
	WITNESS_WHOLE,   /* the last fragment of a datagram, which left it as the whole */
	WITNESS_QUEUED,  /* kept until others come */
	WITNESS_PASSED,  /* a fragment that came out as it went in */
	WITNESS_REFUSED, /* a fragment that is to be dropped */
	WITNESS_NO_FRAGMENT,
	WITNESS_MAX,
};
