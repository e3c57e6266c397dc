// SPDX-License-Identifier: GPL-2.0-or-later
#include "output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

struct cell {
	char *text;
	enum colour colour;
	bool right;
};

struct table {
	size_t columns;
	size_t count;
	struct cell *cells;
};

void *must(void *p)
{
	if (p)
		return p;
	cli_error("out of memory");
	exit(CLI_FAILED);
}

struct table *table_new(size_t columns)
{
	struct table *t = must(calloc(1, sizeof(*t)));

	t->columns = columns;
	return t;
}

void table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

void table_add(struct table *t, enum colour colour, bool right, const char *fmt, ...)
{
	struct cell *cell;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->cells = must(reallocarray(t->cells, t->count + 1, sizeof(*t->cells)));
	cell = &t->cells[t->count++];
	cell->text = must(strdup(text));
	cell->colour = colour;
	cell->right = right;
}

static size_t width(const struct table *t, size_t column)
{
	size_t i, len, most = 0;

	for (i = column; i < t->count; i += t->columns) {
		len = strlen(t->cells[i].text);
		most = len > most ? len : most;
	}
	return most;
}

static void print_cell(const struct cell *cell, size_t w, bool last, FILE *out)
{
	int pad = (int)(w - strlen(cell->text));

	if (cell->right)
		fprintf(out, "%*s", pad, "");
	fprintf(out, "%s%s%s", colour_on(cell->colour), cell->text, colour_off(cell->colour));
	if (!last)
		fprintf(out, "%*s", (cell->right ? 0 : pad) + 2, "");
}

/* Empty cells at the end of a row leave no blanks behind. */
static void print_row(const struct table *t, const struct cell *row, const size_t *widths,
		      FILE *out)
{
	size_t column, n = t->columns;

	while (n && !row[n - 1].text[0])
		n--;
	for (column = 0; column < n; column++)
		print_cell(&row[column], widths[column], column + 1 == n, out);
	fputc('\n', out);
}

void table_print(const struct table *t, FILE *out)
{
	size_t *widths = must(calloc(t->columns, sizeof(*widths)));
	size_t i;

	for (i = 0; i < t->columns; i++)
		widths[i] = width(t, i);
	for (i = 0; i + t->columns <= t->count; i += t->columns)
		print_row(t, &t->cells[i], widths, out);
	free(widths);
}

static bool coloured(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no);
}

const char *colour_on(enum colour colour)
{
	static const char *const codes[] = { "", "\033[32m", "\033[33m", "\033[31m" };

	return colour && coloured() ? codes[colour] : "";
}

const char *colour_off(enum colour colour)
{
	return colour && coloured() ? "\033[0m" : "";
}

int json_finish(json_t *root)
{
	int r = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;

	json_decref(root);
	if (r) {
		cli_error("JSON can't be written");
		return CLI_FAILED;
	}
	putchar('\n');
	return CLI_DONE;
}

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Length of the longest start of text, up to four bytes, that jansson takes as one character. */
static size_t character(const char *text)
{
	json_t *string;
	size_t len;

	for (len = 1; len <= 4 && text[len - 1]; len++) {
		string = json_stringn(text, len);
		json_decref(string);
		if (string)
			return len;
	}
	return 0;
}

json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char clean[1024] = "";
	size_t n = 0, len;

	if (string)
		return string;
	for (; *text && n + 4 < sizeof(clean); text += len ? len : 1) {
		len = character(text);
		n += (size_t)snprintf(clean + n, sizeof(clean) - n, "%.*s",
				      len ? (int)len : (int)strlen(REPLACEMENT),
				      len ? text : REPLACEMENT);
	}
	return json_string(clean);
}

const char *output_family(uint32_t family)
{
	return family == UNFRAG_FAMILIES_IPV6 ? "ipv6" : "ipv4";
}

const char *output_families(uint32_t families, char *buf)
{
	snprintf(buf, OUTPUT_WORDS, "%s%s%s", families & UNFRAG_FAMILIES_IPV4 ? "ipv4" : "",
		 families == UNFRAG_FAMILIES_BOTH ? "," : "",
		 families & UNFRAG_FAMILIES_IPV6 ? "ipv6" : "");
	return buf[0] ? buf : "-";
}

const char *output_hooks(uint32_t hooks, char *buf)
{
	size_t n = 0;
	int i;

	buf[0] = '\0';
	for (i = 0; i < UNFRAG_HOOK_MAX; i++)
		if (hooks & 1u << i)
			n += (size_t)snprintf(buf + n, OUTPUT_WORDS - n, "%s%s", n ? "," : "",
					      unfrag_hook_name((enum unfrag_hook)i));
	return buf[0] ? buf : "-";
}

const char *output_time(int64_t seconds, char *buf)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!seconds || !localtime_r(&t, &tm) ||
	    !strftime(buf, OUTPUT_WORDS, "%Y-%m-%d %H:%M:%S", &tm))
		return "-";
	return buf;
}

json_t *json_families(uint32_t families)
{
	json_t *list = json_array();

	if (families & UNFRAG_FAMILIES_IPV4)
		json_array_append_new(list, json_string("ipv4"));
	if (families & UNFRAG_FAMILIES_IPV6)
		json_array_append_new(list, json_string("ipv6"));
	return list;
}

json_t *json_hooks(uint32_t hooks)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < UNFRAG_HOOK_MAX; i++)
		if (hooks & 1u << i)
			json_array_append_new(list,
					      json_string(unfrag_hook_name((enum unfrag_hook)i)));
	return list;
}
