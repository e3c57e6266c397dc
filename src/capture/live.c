// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading does not block: what libpcap waits for is packets alone, but here time has to go on
 * without any, for datagrams whose rest never comes.
 */
#include "live.h"

#include <errno.h>
#include <poll.h>

#define DELAY_MS 50 /* that packets are kept, to be handed over in bunches */
#define WAIT_MS  100
#define SNAP_ALL 262144     /* libpcap's own limit: any datagram fits */
#define ROOM     (32 << 20) /* bytes for packets that come in between */

static int errno_of(int status)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return -ENODEV;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return -EPERM;
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENETDOWN;
	default:
		return -EIO;
	}
}

/* Some have no nanoseconds; whatever there is will do. */
static void prepare(pcap_t *pcap)
{
	pcap_set_snaplen(pcap, SNAP_ALL);
	pcap_set_promisc(pcap, 1);
	pcap_set_timeout(pcap, DELAY_MS);
	pcap_set_buffer_size(pcap, ROOM);
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static int fail(pcap_t *pcap, const char *interface, int status, struct trouble *t)
{
	const char *why = pcap_geterr(pcap);
	int r;

	r = trouble(t, errno_of(status), "nothing can be captured from interface '%s': %s%s%s",
		    interface, pcap_statustostr(status), *why ? ": " : "", why);
	pcap_close(pcap);
	return r;
}

int live_open(pcap_t **out, const char *interface, struct trouble *t)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_create(interface, why);
	int status;

	if (!pcap)
		return trouble(t, -EIO, "nothing can be captured from interface '%s': %s",
			       interface, why);
	prepare(pcap);
	status = pcap_activate(pcap);
	if (status < 0)
		return fail(pcap, interface, status, t);
	if (pcap_setnonblock(pcap, 1, why))
		return fail(pcap, interface, PCAP_ERROR, t);
	*out = pcap;
	return 0;
}

void live_wait(pcap_t *pcap)
{
	struct pollfd fd = { .fd = pcap_get_selectable_fd(pcap), .events = POLLIN };

	poll(&fd, 1, WAIT_MS);
}

unsigned int live_lost(pcap_t *pcap)
{
	struct pcap_stat stat;

	return pcap_stats(pcap, &stat) ? 0 : stat.ps_drop;
}
