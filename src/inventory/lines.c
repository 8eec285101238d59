#include "inventory/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PIECE_BYTES 65536

struct lines {
	lines_read *read;
	void *arg;
	size_t limit, number;
	bool latin1, ended;
	char piece[PIECE_BYTES];
	size_t at, have; /* of piece */
	char *line;
	size_t len;
	bool too_long;
};

struct lines *
lines_new(lines_read *read, void *arg, size_t limit, bool latin1)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));

	lines->read = read;
	lines->arg = arg;
	lines->limit = limit;
	lines->latin1 = latin1;
	lines->line = xmalloc(limit + 1);
	return lines;
}

void
lines_free(struct lines *lines)
{
	if (lines == NULL)
		return;
	/* There may be passwords in it. */
	explicit_bzero(lines->line, lines->limit);
	explicit_bzero(lines->piece, sizeof(lines->piece));
	free(lines->line);
	free(lines);
}

size_t
lines_number(const struct lines *lines)
{
	return lines->number;
}

static void
take_bytes(struct lines *lines, const char *bytes, size_t len)
{
	if (lines->too_long || lines->limit - lines->len < len) {
		lines->too_long = true;
		return;
	}
	memcpy(lines->line + lines->len, bytes, len);
	lines->len += len;
}

static void
take_latin1(struct lines *lines, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		const char pair[2] = { (char)(0xc0 | byte >> 6),
			(char)(0x80 | (byte & 0x3f)) };

		if (byte < 0x80)
			take_bytes(lines, bytes + i, 1);
		else
			take_bytes(lines, pair, 2);
	}
}

static int
fill(struct lines *lines, struct error *err)
{
	lines->at = lines->have = 0;
	if (lines->read(lines->arg, lines->piece, sizeof(lines->piece),
		&lines->have, err) != 0)
		return -1;
	lines->ended = lines->have == 0;
	return 0;
}

enum line
lines_next(struct lines *lines, const char **text, size_t *len,
    struct error *err)
{
	bool newline = false, any = false;

	lines->len = 0;
	lines->too_long = false;
	while (!newline) {
		const char *start = lines->piece + lines->at, *end;
		size_t n = lines->have - lines->at;

		if (n == 0 && !lines->ended && fill(lines, err) != 0)
			return LINE_FAILED;
		if (lines->ended)
			break;
		if (n == 0)
			continue;
		end = memchr(start, '\n', n);
		newline = end != NULL;
		n = newline ? (size_t)(end - start) + 1 : n;
		if (lines->latin1)
			take_latin1(lines, start, n);
		else
			take_bytes(lines, start, n);
		lines->at += n;
		any = true;
	}
	if (!any)
		return LINE_END;
	lines->number++;
	*text = lines->line;
	*len = lines->len;
	return lines->too_long ? LINE_LONG : LINE_TEXT;
}
