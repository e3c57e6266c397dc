// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The honest side of the demo. Both programs are the real ones, run as children.
 *
 * The server is nsd because of the 8,000 byte answer: knot and bind send at most 4,096 bytes over
 * UDP, whatever they are told. All its files are in a private directory, removed afterwards.
 * Answers that a middlebox drops can only be waited for, so all questions go out at once and the
 * tool's own deadline is the deadline of them all.
 */
#define _GNU_SOURCE
#include "demo_dns.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "demo_tool.h"
#include "sock.h"

#define READY_DEADLINE_MS 15000
#define RETRY_MS          20
#define KDIG_TIMEOUT      "+timeout=3"
#define KDIG_DEADLINE_MS  10000
#define QUESTIONS_MAX     64
#define OUTPUT_MAX        32768
#define STRING_MAX        250 /* of the 255 bytes that one string of a TXT record may have */

static const unsigned int answer_sizes[] = { 1800, 4000, 8000 };

#define SIZES (sizeof(answer_sizes) / sizeof(answer_sizes[0]))

struct demo_dns {
	const struct lab_ns *client;
	pid_t server;
	char dir[64];
};

/* Two addresses, then the directory three times. The others are there where somebody adds them. */
static const char config[] =
	"server:\n"
	"\tip-address: %s\n"
	"\tip-address: %s\n"
	"\tip-address: " LAB_OTHER_V4
	"\n"
	"\tip-address: " LAB_OTHER_V6
	"\n"
	"\tip-freebind: yes\n"
	"\tserver-count: 1\n"
	"\tusername: \"\"\n"
	"\tchroot: \"\"\n"
	"\tdatabase: \"\"\n"
	"\tpidfile: \"\"\n"
	"\txfrdfile: \"\"\n"
	"\tzonelistfile: \"%s/zone.list\"\n"
	"\tzonesdir: \"%s\"\n"
	"\txfrdir: \"%s\"\n"
	"\tipv4-edns-size: 65535\n"
	"\tipv6-edns-size: 65535\n"
	"\trrl-ratelimit: 0\n"
	"remote-control:\n"
	"\tcontrol-enable: no\n"
	"zone:\n"
	"\tname: demo.example\n"
	"\tzonefile: zone\n";

static const char zone_head[] =
	"$ORIGIN demo.example.\n"
	"$TTL 60\n"
	"@ SOA ns hostmaster 1 3600 600 86400 60\n"
	"@ NS ns\n"
	"ns A %s\n"
	"ns AAAA %s\n";

static FILE *create_file(const struct demo_dns *dns, const char *name)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dns->dir, name);
	file = fopen(path, "wxe");
	if (!file)
		demo_error("can't create '%s': %s", path, strerror(errno));
	return file;
}

static int close_file(FILE *file)
{
	bool bad = ferror(file);

	if (fclose(file) || bad) {
		demo_error("can't write the files of the DNS server: %s", strerror(errno));
		return -EIO;
	}
	return 0;
}

static void write_text_record(FILE *zone, unsigned int size)
{
	fprintf(zone, "t%u TXT", size);
	while (size) {
		unsigned int len = size < STRING_MAX ? size : STRING_MAX;

		fputs(" \"", zone);
		for (unsigned int i = 0; i < len; i++)
			fputc('a' + (int)(i % 26), zone);
		fputc('"', zone);
		size -= len;
	}
	fputc('\n', zone);
}

static int write_files(const struct demo_dns *dns)
{
	FILE *file = create_file(dns, "zone");
	int err;

	if (!file)
		return -EIO;
	fprintf(file, zone_head, LAB_SERVER_V4, LAB_SERVER_V6);
	for (size_t i = 0; i < SIZES; i++)
		write_text_record(file, answer_sizes[i]);
	err = close_file(file);
	if (err)
		return err;
	file = create_file(dns, "nsd.conf");
	if (!file)
		return -EIO;
	fprintf(file, config, LAB_SERVER_V4, LAB_SERVER_V6, dns->dir, dns->dir, dns->dir);
	return close_file(file);
}

static int make_dir(struct demo_dns *dns)
{
	snprintf(dns->dir, sizeof(dns->dir), "/tmp/unfrag-demo-XXXXXX");
	if (mkdtemp(dns->dir))
		return 0;
	demo_error("can't create a directory in /tmp: %s", strerror(errno));
	dns->dir[0] = '\0';
	return -EIO;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void demo_dns_free(struct demo_dns *dns)
{
	if (!dns)
		return;
	lab_child_stop(dns->server);
	if (dns->dir[0] && nftw(dns->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS))
		demo_error("can't remove '%s': %s", dns->dir, strerror(errno));
	free(dns);
}

static int start_server(struct demo_dns *dns, const struct lab_ns *ns)
{
	char path[128];
	const char *const argv[] = { "nsd", "-d", "-c", path, NULL };
	lab_autoclose int log = -1;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/log", dns->dir);
	log = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (log < 0) {
		demo_error("can't create '%s': %s", path, strerror(errno));
		return -EIO;
	}
	snprintf(path, sizeof(path), "%s/nsd.conf", dns->dir);
	pid = lab_ns_spawn(ns, argv, log);
	if (pid == -ENOENT)
		demo_error("no 'nsd' found: install the package nsd");
	else if (pid < 0)
		demo_error("can't start 'nsd': %s", strerror(-pid));
	if (pid < 0)
		return pid;
	dns->server = pid;
	return 0;
}

static int start_question(const struct demo_dns *dns, int family, unsigned int size,
			  struct demo_tool *tool)
{
	char server[64], name[64];
	const char *const argv[] = { "kdig",     "-q",         name,
				     "-t",       "TXT",        server,
				     "+notcp",   "+ignore",    "+bufsize=16384",
				     "+retry=0", KDIG_TIMEOUT, NULL };
	int err;

	snprintf(server, sizeof(server), "@%s", lab_server_addr(family));
	snprintf(name, sizeof(name), "t%u.demo.example.", size);
	err = demo_tool_start(tool, dns->client, argv);
	if (err == -ENOENT)
		demo_error("no 'kdig' found: install the package knot-dnsutils");
	else if (err)
		demo_error("can't start 'kdig': %s", strerror(-err));
	return err;
}

/* Whether kdig shows an answer that is no less than it has to be. */
static bool answer_is_whole(const char *out, unsigned int size)
{
	const char *flags = strstr(out, ";; Flags:");
	const char *cut = flags ? strstr(flags, " tc") : NULL;
	const char *received = strstr(out, ";; Received ");
	unsigned int bytes;

	if (!flags || !received || !strstr(out, "status: NOERROR"))
		return false;
	if (cut && cut < strchrnul(flags, '\n'))
		return false;
	return sscanf(received, ";; Received %u B", &bytes) == 1 && bytes > size;
}

/* 1: came whole, 0: did not, -EINTR: stopped. */
static int finish_question(struct demo_tool *tool, unsigned int size, int64_t deadline)
{
	char out[OUTPUT_MAX];
	int status = demo_tool_finish(tool, deadline, true, out, sizeof(out));

	if (status == -EINTR)
		return -EINTR;
	return status == 0 && answer_is_whole(out, size);
}

int demo_dns_ask(const struct demo_dns *dns, int family, int count)
{
	int64_t deadline = lab_now_ms() + KDIG_DEADLINE_MS;
	struct demo_tool tools[QUESTIONS_MAX];
	int asked, whole = 0, err = 0;

	if (count < 0 || count > QUESTIONS_MAX)
		return -EINVAL;
	for (asked = 0; asked < count && !err; asked++)
		err = start_question(dns, family, answer_sizes[(size_t)asked % SIZES],
				     &tools[asked]);
	if (err)
		asked--;
	for (int i = 0; i < asked; i++) {
		int came = finish_question(&tools[i], answer_sizes[(size_t)i % SIZES], deadline);

		if (came < 0)
			err = came;
		else
			whole += came;
	}
	return err ? err : whole;
}

static const char *family_name(int family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

static void show_log(const struct demo_dns *dns)
{
	char path[128], line[256];
	FILE *log;

	snprintf(path, sizeof(path), "%s/log", dns->dir);
	log = fopen(path, "re");
	if (!log)
		return;
	while (fgets(line, sizeof(line), log))
		fprintf(stderr, "  nsd: %s", line);
	fclose(log);
}

/* Asks for the zone's SOA record by hand, again and again: kdig waits for seconds, once. */
static int wait_listening(struct demo_dns *dns, int family, int64_t deadline)
{
	static const unsigned char question[] =
		"\x75\x66\0\0\0\1\0\0\0\0\0\0"
		"\4demo\7example\0"
		"\0\6\0\1";
	lab_autoclose int fd = lab_socket(dns->client, family, SOCK_DGRAM, 0);
	unsigned char answer[512];
	struct lab_addr to;
	int status;
	ssize_t n;

	if (fd < 0)
		return fd;
	lab_addr_parse(&to, family, lab_server_addr(family), 53);
	do {
		if (demo_interrupted())
			return -EINTR;
		sendto(fd, question, sizeof(question) - 1, 0, &to.sa, to.len);
		n = lab_recv_deadline(fd, answer, sizeof(answer), RETRY_MS);
		if (n > 0)
			return 0;
		status = lab_child_wait(dns->server, 0);
	} while (status == -ETIMEDOUT && lab_now_ms() < deadline);
	if (status >= 0) {
		dns->server = 0;
		demo_error("nsd ended by itself, exit status %d", status);
	} else {
		demo_error("nsd does not answer over %s", family_name(family));
	}
	return -EIO;
}

/* One answer of each size, with nothing in between: the wire and the server are as they must be. */
static int check_answers(const struct demo_dns *dns, int family)
{
	int whole = demo_dns_ask(dns, family, SIZES);

	if (whole < 0 || whole == SIZES)
		return whole < 0 ? whole : 0;
	demo_error("nsd gives no large answers over %s, even with no middlebox",
		   family_name(family));
	return -EIO;
}

static int wait_ready(struct demo_dns *dns)
{
	int64_t deadline = lab_now_ms() + READY_DEADLINE_MS;
	int err;

	err = wait_listening(dns, AF_INET, deadline);
	if (!err)
		err = wait_listening(dns, AF_INET6, deadline);
	if (!err)
		err = check_answers(dns, AF_INET);
	if (!err)
		err = check_answers(dns, AF_INET6);
	if (err == -EIO)
		show_log(dns);
	return err;
}

int demo_dns_new(struct demo_dns **out, const struct lab_router *router)
{
	lab_cleanup(demo_dns_freep) struct demo_dns *dns = calloc(1, sizeof(*dns));
	int err;

	if (!dns)
		return -ENOMEM;
	dns->client = router->client;
	err = make_dir(dns);
	if (!err)
		err = write_files(dns);
	if (!err)
		err = start_server(dns, router->server);
	if (!err)
		err = wait_ready(dns);
	if (err)
		return err;
	*out = LAB_TAKE_PTR(dns);
	return 0;
}
