// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <test.h>
#include <unistd.h>

void text_freep(char **text)
{
	free(*text);
}

__attribute__((format(printf, 1, 0))) static char *vformat(const char *fmt, va_list ap)
{
	char *s;

	assert_true(vasprintf(&s, fmt, ap) >= 0);
	return s;
}

char *text_format(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vformat(fmt, ap);
	va_end(ap);
	return s;
}

static char *slurp(FILE *f)
{
	char *text = NULL, chunk[4096];
	size_t size, n;
	FILE *all = open_memstream(&text, &size);

	assert_non_null(all);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_int_equal(fwrite(chunk, 1, n, all), n);
	assert_int_equal(fclose(all), 0);
	return text;
}

char *text_file(const char *fmt, ...)
{
	text_auto char *path = NULL;
	char *text;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	path = vformat(fmt, ap);
	va_end(ap);
	if (access(path, R_OK))
		printf("# %s can't be read\n", path);
	f = fopen(path, "re");
	assert_non_null(f);
	text = slurp(f);
	fclose(f);
	return text;
}

static char *run(const char *command)
{
	text_auto char *both = text_format("exec 2>&1\n%s", command);
	char *text, *line, *rest = NULL;
	FILE *f = popen(both, "re"); /* NOLINT(cert-env33-c): a shell is wanted */
	int status;

	assert_non_null(f);
	text = slurp(f);
	status = pclose(f);
	if (status) {
		printf("# %s\n", command);
		for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			printf("# | %s\n", line);
		free(text);
	}
	assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
	return text;
}

char *text_of(const char *fmt, ...)
{
	text_auto char *command = NULL;
	va_list ap;

	va_start(ap, fmt);
	command = vformat(fmt, ap);
	va_end(ap);
	return run(command);
}

void text_run(const char *fmt, ...)
{
	text_auto char *command = NULL, *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	command = vformat(fmt, ap);
	va_end(ap);
	text = run(command);
}

void text_write(const char *text, const char *fmt, ...)
{
	text_auto char *path = NULL;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	path = vformat(fmt, ap);
	va_end(ap);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

char *text_between(const char *text, const char *from, const char *to)
{
	const char *begin = strstr(text, from), *end;
	char *part;

	if (!begin)
		return NULL;
	begin += strlen(from);
	end = strstr(begin, to);
	part = strndup(begin, end ? (size_t)(end - begin) : strlen(begin));
	assert_non_null(part);
	return part;
}

void text_unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++;
		*to++ = *text;
	}
	*to = '\0';
}

void text_flatten(char *text)
{
	char *to = text, last = ' ';

	for (; *text; text++) {
		if (isspace((unsigned char)*text) && (last == ' ' || last == '('))
			continue;
		last = isspace((unsigned char)*text) ? ' ' : *text;
		*to++ = last;
	}
	*to = '\0';
}

void text_uncomment(char *text)
{
	char *to = text, *end;

	for (; *text; text++) {
		if (!strncmp(text, "/*", 2)) {
			end = strstr(text, "*/");
			assert_non_null(end);
			text = end + 1;
			continue;
		}
		*to++ = *text;
	}
	*to = '\0';
}

void text_unpreprocess(char *text)
{
	char *to = text, *end, *line = text;

	for (; *line; line = end) {
		end = strchrnul(line, '\n');
		while (*line == '#' && *end && end[-1] == '\\')
			end = strchrnul(end + 1, '\n');
		end += !!*end;
		if (*line == '#')
			continue;
		memmove(to, line, (size_t)(end - line));
		to += end - line;
	}
	*to = '\0';
}

void text_expect(const char *text, const char *fmt, ...)
{
	text_auto char *what = NULL;
	va_list ap;

	va_start(ap, fmt);
	what = vformat(fmt, ap);
	va_end(ap);
	if (!strstr(text, what))
		printf("# is not there: %s\n", what);
	assert_non_null(strstr(text, what));
}

bool words_have(const struct words *w, const char *word)
{
	size_t i;

	for (i = 0; i < w->count; i++)
		if (!strcmp(w->word[i], word))
			return true;
	return false;
}

void words_add(struct words *w, const char *word, size_t len)
{
	char *new;

	assert_true(w->count < WORDS_MAX && len < WORD_MAX);
	new = w->word[w->count];
	memcpy(new, word, len);
	new[len] = '\0';
	if (!words_have(w, new))
		w->count++;
}

void words_collect(struct words *w, const char *text, const char *prefix, const char *characters)
{
	size_t len;

	for (text += strcspn(text, characters); *text; text += strcspn(text, characters)) {
		len = strspn(text, characters);
		if (len > strlen(prefix) && !strncmp(text, prefix, strlen(prefix)))
			words_add(w, text, len);
		text += len;
	}
}

void words_options(struct words *w, const char *text)
{
	words_collect(w, text, "--", "-abcdefghijklmnopqrstuvwxyz");
}

bool words_function(struct words *w, const char *declaration)
{
	const char *name = strstr(declaration, "unfrag_");
	size_t len;

	for (; name; name = strstr(name + len, "unfrag_")) {
		len = strspn(name, LOWER NUMBERS "_");
		if (name[len] != '(')
			continue;
		words_add(w, name, len);
		return true;
	}
	return false;
}

/* The last word before each semicolon. */
void words_members(struct words *w, const char *header, const char *name)
{
	const char *p, *end;

	for (p = strstr(header, name); p; p = strstr(p + 1, name)) {
		p += strspn(p, LOWER NUMBERS "_ ");
		if (*p != '{')
			continue;
		for (; *p != '}'; p = end + 1) {
			end = p + strcspn(p, ";}");
			if (*end == '}')
				break;
			p = end;
			if (p[-1] == ']')
				while (*p != '[')
					p--;
			while (strchr(LOWER NUMBERS "_", p[-1]))
				p--;
			words_add(w, p, strspn(p, LOWER NUMBERS "_"));
		}
	}
}

void words_expect(const struct words *want, const struct words *have, const char *where)
{
	char lacking[1024] = "";
	size_t i, n = 0;

	for (i = 0; i < want->count; i++)
		if (!words_have(have, want->word[i]) && n < sizeof(lacking))
			n += (size_t)snprintf(lacking + n, sizeof(lacking) - n, " %s",
					      want->word[i]);
	if (n)
		printf("# %s lacks%s\n", where, lacking);
	assert_string_equal(lacking, "");
}

size_t text_expect_functions(char *manual, char *header, char *map)
{
	struct words functions = { 0 }, exported = { 0 };
	char *d, *rest = NULL;

	text_uncomment(map);
	words_collect(&exported, map, "unfrag_", LOWER NUMBERS "_");
	text_uncomment(header);
	text_unpreprocess(header);
	text_flatten(header);
	text_flatten(manual);
	for (d = strtok_r(header, ";{}", &rest); d; d = strtok_r(NULL, ";{}", &rest))
		if (words_function(&functions, d))
			text_expect(manual, "%s;", d + strspn(d, " "));
	words_expect(&exported, &functions, "the header");
	words_expect(&functions, &exported, "the map of symbols");
	return functions.count;
}
