#include "base/scfg.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The text is read line by line: first its characters are checked, then it is
 * cut into tokens, and these build the tree.  Braces are followed wherever
 * they stand, also where they may not, so that one misplaced brace is one
 * error and not a page of them.
 */
enum token {
	TOKEN_END, /* of the line; a comment counts as its end */
	TOKEN_WORD,
	TOKEN_OPEN,
	TOKEN_CLOSE,
};

struct parser {
	const char *name;
	struct errors *errors;
	struct buf word; /* the last TOKEN_WORD */
	bool overlong;	 /* its limit was reported */
	struct scfg_directive *open[SCFG_DEPTH_MAX + 1]; /* [0] is the root */
	size_t depth;	 /* entries of open in use */
	size_t too_deep; /* blocks open beyond SCFG_DEPTH_MAX */
	bool torn;	 /* blocks do not match up */
	bool carriage_return_told;

	/* The current line, without its newline. */
	const char *line;
	size_t len;
	size_t at;			/* the next byte to read */
	unsigned number;		/* from 1 */
	struct scfg_directive *current; /* the one that words are added to */
	enum token last;
	bool damaged; /* a mistake was found in it */
	bool crowded; /* the limit of words was reported */
};

static void
complain(struct parser *p, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void
complain(struct parser *p, size_t at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errors_add(p->errors, "%s:%u:%zu: %s", p->name, p->number, at + 1,
	    text);
	p->damaged = true;
	if (p->current != NULL)
		p->current->damaged = 1;
}

/*
 * Make room for one more element of an array of count; it doubles at each
 * power of two, so that no separate field has to say how much was allocated.
 */
static void *
grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return xrealloc(array, (count != 0 ? 2 * count : 1) * size);
}

/* RFC 3629 section 4: the bytes of the first character; 0 when malformed. */
static size_t
utf8_read(const char *text, size_t len, uint32_t *code)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least; /* a smaller value has a shorter form */
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};
	const uint8_t *bytes = (const uint8_t *)text;
	size_t n = 0;
	uint32_t value;

	while (n < 4 && (bytes[0] & forms[n].mask) != forms[n].lead)
		n++;
	if (n == 4 || n + 1 > len)
		return 0;
	value = bytes[0] & (uint8_t)~forms[n].mask;
	for (size_t i = 1; i <= n; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (bytes[i] & 0x3f);
	}
	if (value < forms[n].least || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return n + 1;
}

/* Comments are checked too: an editor that hides text in one is no friend. */
static void
check_characters(struct parser *p)
{
	size_t step;

	if (p->len > 0 && p->line[p->len - 1] == '\r') {
		p->len--;
		if (!p->carriage_return_told)
			complain(p, p->len,
			    "a carriage return ends the line: "
			    "expected lines that end in a newline alone");
		p->carriage_return_told = true;
	}
	for (size_t i = 0; i < p->len; i += step) {
		uint32_t code;

		step = utf8_read(p->line + i, p->len - i, &code);
		if (step == 0) {
			complain(p, i, "byte 0x%02x: expected UTF-8",
			    (unsigned char)p->line[i]);
			step = 1;
		} else if ((code < 0x20 && code != '\t') ||
		    (code >= 0x7f && code < 0xa0)) {
			complain(p, i,
			    "control character U+%04X: "
			    "expected text",
			    (unsigned)code);
		} else if (code == 0xfeff) {
			complain(p, i,
			    "byte order mark: expected UTF-8 "
			    "without one");
		}
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* One more byte of the word that began at start. */
static void
take(struct parser *p, size_t start)
{
	if (buf_append(&p->word, p->line + p->at++, 1) == 0)
		return;
	if (!p->overlong)
		complain(p, start, "a word of more than %d bytes",
		    SCFG_WORD_MAX);
	p->overlong = true;
}

static void
read_quoted(struct parser *p)
{
	size_t start = p->at;
	char quote = p->line[p->at++];

	while (p->at < p->len && p->line[p->at] != quote) {
		if (quote == '"' && p->line[p->at] == '\\' &&
		    p->at + 1 < p->len)
			p->at++;
		take(p, start);
	}
	if (p->at == p->len) {
		complain(p, start,
		    "a quoted word does not end: expected %c "
		    "before the end of the line",
		    quote);
		return;
	}
	p->at++;
	if (p->at < p->len && !is_blank(p->line[p->at]))
		complain(p, p->at, "expected a blank after the closing quote");
}

static void
read_bare(struct parser *p)
{
	size_t start = p->at;
	bool quote_told = false;

	while (p->at < p->len && !is_blank(p->line[p->at])) {
		char c = p->line[p->at];

		if (c == '{' || c == '}') {
			complain(p, p->at,
			    "\"%c\" inside a word: expected a "
			    "blank before it, or quotes around the word",
			    c);
			return; /* it counts as a brace, as it looks */
		}
		if ((c == '"' || c == '\'') && !quote_told) {
			complain(p, p->at,
			    "a quote inside a word: expected "
			    "it around the whole word, or a backslash "
			    "before it");
			quote_told = true;
		}
		if (c == '\\' && ++p->at == p->len) {
			complain(p, p->at - 1,
			    "a backslash ends the line: "
			    "expected a character after it");
			return;
		}
		take(p, start);
	}
}

static enum token
next_token(struct parser *p, size_t *start)
{
	while (p->at < p->len && is_blank(p->line[p->at]))
		p->at++;
	*start = p->at;
	if (p->at == p->len || p->line[p->at] == '#')
		return TOKEN_END;
	buf_consume(&p->word, p->word.len);
	p->overlong = false;
	switch (p->line[p->at]) {
	case '{':
		p->at++;
		return TOKEN_OPEN;
	case '}':
		p->at++;
		return TOKEN_CLOSE;
	case '"':
	case '\'':
		read_quoted(p);
		break;
	default:
		read_bare(p);
		break;
	}
	return TOKEN_WORD;
}

static void
add_word(struct parser *p, size_t start)
{
	struct scfg_directive *parent = p->open[p->depth - 1];
	struct scfg_directive *d = p->current;

	if (p->too_deep > 0)
		return;
	if (d == NULL) {
		parent->children = grow(parent->children, parent->child_count,
		    sizeof(*parent->children));
		d = &parent->children[parent->child_count++];
		*d = (struct scfg_directive) { .damaged = p->damaged };
		p->current = d;
	}
	if (d->count == SCFG_WORDS_MAX) {
		if (!p->crowded)
			complain(p, start,
			    "more than %d words in one "
			    "directive",
			    SCFG_WORDS_MAX);
		p->crowded = true;
		return;
	}
	d->words = grow(d->words, d->count, sizeof(*d->words));
	d->words[d->count++] = (struct scfg_word) {
		.text = xstrndup(buf_text(&p->word), p->word.len),
		.line = p->number,
		.column = (unsigned)start + 1,
	};
}

static void
open_block(struct parser *p, size_t start)
{
	if (p->too_deep > 0) {
		p->too_deep++;
		return;
	}
	if (p->current == NULL) {
		/* A directive without a name holds what the block holds. */
		complain(p, start, "\"{\" without a directive before it");
		add_word(p, start);
	}
	if (p->depth > SCFG_DEPTH_MAX) {
		complain(p, start, "more than %d blocks within each other",
		    SCFG_DEPTH_MAX);
		p->too_deep = 1;
	} else {
		p->current->has_block = 1;
		p->open[p->depth++] = p->current;
	}
	p->current = NULL;
}

static void
close_block(struct parser *p, size_t start)
{
	p->current = NULL;
	if (p->too_deep > 0) {
		p->too_deep--;
	} else if (p->depth > 1) {
		p->depth--;
	} else {
		complain(p, start, "\"}\" without a block that it could end");
		p->torn = true;
	}
}

/* Not in a damaged line: there it would be the same mistake once more. */
static void
check_layout(struct parser *p, enum token token, size_t start)
{
	if (p->damaged || p->last == TOKEN_END)
		return;
	if (p->last == TOKEN_OPEN)
		complain(p, start, "expected the end of the line after \"{\"");
	else if (p->last == TOKEN_CLOSE || token == TOKEN_CLOSE)
		complain(p, start, "expected \"}\" alone on its line");
}

static void
read_line(struct parser *p)
{
	enum token token;
	size_t start;

	check_characters(p);
	while ((token = next_token(p, &start)) != TOKEN_END) {
		check_layout(p, token, start);
		p->last = token;
		switch (token) {
		case TOKEN_WORD:
			add_word(p, start);
			break;
		case TOKEN_OPEN:
			open_block(p, start);
			break;
		case TOKEN_CLOSE:
			close_block(p, start);
			break;
		case TOKEN_END:
			break;
		}
	}
}

static void
read_lines(struct parser *p, const char *text, size_t len)
{
	size_t begin = 0;

	while (begin < len) {
		const char *newline = memchr(text + begin, '\n', len - begin);

		p->line = text + begin;
		p->len = newline != NULL ? (size_t)(newline - p->line) :
					   len - begin;
		p->at = 0;
		p->current = NULL;
		p->last = TOKEN_END;
		p->damaged = p->crowded = false;
		begin += p->len + 1;
		read_line(p);
		if (newline != NULL) {
			p->number++;
			p->len = 0; /* where the next line begins */
		}
	}
}

static void
check_end(struct parser *p)
{
	p->current = NULL;
	for (; p->depth > 1; p->depth--) {
		const struct scfg_word *word = p->open[p->depth - 1]->words;
		char shown[64];

		text_escape(word->text, strlen(word->text), shown,
		    sizeof(shown));
		complain(p, p->len,
		    "the file ends inside the block \"%s\" of "
		    "line %u: expected \"}\"",
		    shown, word->line);
		p->torn = true;
	}
}

struct scfg_directive *
scfg_parse_all(const char *name, const char *text, size_t len,
    struct errors *errors)
{
	struct scfg_directive *root;
	struct parser p = { .name = name, .errors = errors, .number = 1 };

	if (len > SCFG_TEXT_MAX) {
		complain(&p, 0, "%zu bytes: expected at most %d", len,
		    SCFG_TEXT_MAX);
		return NULL;
	}
	root = xcalloc(1, sizeof(*root));
	root->has_block = 1;
	p.open[p.depth++] = root;
	buf_init(&p.word, SCFG_WORD_MAX);
	read_lines(&p, text, len);
	check_end(&p);
	buf_clear(&p.word);
	if (p.torn) {
		scfg_free(root);
		return NULL;
	}
	return root;
}

struct scfg_directive *
scfg_parse(const char *name, const char *text, size_t len,
    struct errors *errors)
{
	size_t before = errors->count;
	struct scfg_directive *root = scfg_parse_all(name, text, len, errors);

	if (errors->count != before) {
		scfg_free(root);
		return NULL;
	}
	return root;
}

static void
clear_directive(struct scfg_directive *directive)
{
	for (size_t i = 0; i < directive->count; i++)
		free(directive->words[i].text);
	free(directive->words);
	for (size_t i = 0; i < directive->child_count; i++)
		clear_directive(&directive->children[i]);
	free(directive->children);
}

void
scfg_free(struct scfg_directive *root)
{
	if (root == NULL)
		return;
	clear_directive(root);
	free(root);
}
