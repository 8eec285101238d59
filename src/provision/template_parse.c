#include "provision/template_parse.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

#define DELIMITER_MAX 15
/* As much of a wrong text as its error message shows. */
#define SHOWN_BYTES 40

struct parser {
	struct template *template;
	struct error *err;
	size_t at;			 /* all before it is in nodes */
	size_t size;			 /* nodes allocated */
	size_t open[TEMPLATE_DEPTH_MAX]; /* sections: their nodes */
	size_t depth;
	char left[DELIMITER_MAX + 1]; /* delimiters now in force */
	char right[DELIMITER_MAX + 1];
};

/* What stands between delimiters. */
struct tag {
	size_t start, end; /* offsets, delimiters included */
	char sigil;	   /* one of "#^/>!&={", or '\0' */
	const char *body;  /* trimmed, without sigil; within the text */
	size_t body_len;
};

int
template_locate(const struct template *template, size_t offset,
    struct error *err)
{
	size_t line = 1, start = 0;

	for (size_t i = 0; i < offset; i++) {
		if (template->text[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	return error_prefix(err, "%s:%zu:%zu: ", template->name, line,
	    offset - start + 1);
}

/* The text from start has to stand in the error; it is made printable. */
static void
show(char shown[static SHOWN_BYTES], const char *text, size_t len)
{
	text_escape(text, len, shown, SHOWN_BYTES);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct node *
add_node(struct parser *parser, enum node_kind kind, size_t offset)
{
	struct template *template = parser->template;
	struct node *node;

	if (template->count == parser->size) {
		parser->size = parser->size != 0 ? 2 * parser->size : 16;
		template->nodes = xrealloc(template->nodes,
		    parser->size * sizeof(*template->nodes));
	}
	node = &template->nodes[template->count++];
	*node = (struct node) { .kind = kind, .offset = offset };
	return node;
}

static void
add_text(struct parser *parser, size_t start, size_t end)
{
	if (end > start)
		add_node(parser, NODE_TEXT, start)->len = end - start;
}

/* The offset of what behind from, or SIZE_MAX. */
static size_t
find(const struct parser *parser, size_t from, const char *what)
{
	const struct template *template = parser->template;
	const char *found = memmem(template->text + from, template->len - from,
	    what, strlen(what));

	return found != NULL ? (size_t)(found - template->text) : SIZE_MAX;
}

/* Read the tag whose left delimiter is at start. */
static int
read_tag(struct parser *parser, size_t start, struct tag *tag)
{
	const char *text = parser->template->text;
	size_t len = parser->template->len;
	size_t body = start + strlen(parser->left);
	char right[DELIMITER_MAX + 2] = "";
	size_t end;

	while (body < len && is_blank(text[body]))
		body++;
	*tag = (struct tag) { .start = start };
	if (body < len && text[body] != '\0' &&
	    strchr("#^/>!&={", text[body]) != NULL)
		tag->sigil = text[body++];
	/* {{{name}}} and {{=<% %>=}} mirror their sigil. */
	if (tag->sigil == '{')
		right[0] = '}';
	else if (tag->sigil == '=')
		right[0] = '=';
	memcpy(right + strlen(right), parser->right, strlen(parser->right) + 1);
	end = find(parser, body, right);
	if (end == SIZE_MAX) {
		(void)error_set(parser->err, ERROR_INPUT,
		    "tag is not closed: expected \"%s\"", right);
		return template_locate(parser->template, start, parser->err);
	}
	tag->end = end + strlen(right);
	while (body < end && is_blank(text[body]))
		body++;
	while (end > body && is_blank(text[end - 1]))
		end--;
	tag->body = text + body;
	tag->body_len = end - body;
	return 0;
}

/*
 * Is the tag alone on its line (or lines)?  Then *line is where that begins,
 * and *next where the following one does.
 */
static bool
is_standalone(const struct parser *parser, const struct tag *tag, size_t *line,
    size_t *next)
{
	const char *text = parser->template->text;
	size_t len = parser->template->len;
	size_t start = tag->start, end = tag->end;

	if (tag->sigil == '\0' || strchr("#^/!=", tag->sigil) == NULL)
		return false;
	while (start > 0 && (text[start - 1] == ' ' || text[start - 1] == '\t'))
		start--;
	while (end < len && (text[end] == ' ' || text[end] == '\t'))
		end++;
	if (end + 1 < len && text[end] == '\r' && text[end + 1] == '\n')
		end++;
	if ((start > 0 && text[start - 1] != '\n') ||
	    (end < len && text[end] != '\n'))
		return false;
	*line = start;
	*next = end < len ? end + 1 : len;
	return true;
}

static bool
is_name_byte(char c, bool first, bool partial)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
		return true;
	if (c >= '0' && c <= '9')
		return partial || !first;
	return !first && (c == '-' || c == '.' || (partial && c == '/'));
}

/* Names are spelled as the inventory spells those of variables; those of
 * templates may begin with a digit and hold '/'. */
static int
read_name(struct parser *parser, const struct tag *tag, char *name)
{
	bool partial = tag->sigil == '>';
	bool valid = tag->body_len > 0 && tag->body_len <= TEMPLATE_NAME_MAX;
	char shown[SHOWN_BYTES];

	for (size_t i = 0; valid && i < tag->body_len; i++)
		valid = is_name_byte(tag->body[i], i == 0, partial);
	if (!valid) {
		show(shown, tag->body, tag->body_len);
		(void)error_set(parser->err, ERROR_INPUT,
		    "\"%s\" is not a "
		    "name: expected at most %d letters, digits, '_', '-' "
		    "and '.'%s",
		    shown, TEMPLATE_NAME_MAX,
		    partial ? " and '/'" : ", not first a digit");
		return template_locate(parser->template, tag->start,
		    parser->err);
	}
	memcpy(name, tag->body, tag->body_len);
	name[tag->body_len] = '\0';
	return 0;
}

static int
open_section(struct parser *parser, const struct tag *tag)
{
	if (parser->depth == TEMPLATE_DEPTH_MAX) {
		(void)error_set(parser->err, ERROR_INPUT,
		    "more than %d sections within each other",
		    TEMPLATE_DEPTH_MAX);
		return template_locate(parser->template, tag->start,
		    parser->err);
	}
	/* The caller has just added the node. */
	parser->open[parser->depth++] = parser->template->count - 1;
	return 0;
}

static int
close_section(struct parser *parser, const struct tag *tag, const char *name)
{
	struct template *template = parser->template;
	const char *expected = NULL;
	struct node *node = NULL;

	if (parser->depth > 0) {
		node = &template->nodes[parser->open[parser->depth - 1]];
		expected = node->name;
	}
	if (expected == NULL) {
		(void)error_set(parser->err, ERROR_INPUT,
		    "\"/%s\" closes no section", name);
		return template_locate(template, tag->start, parser->err);
	}
	if (strcmp(expected, name) != 0) {
		(void)error_set(parser->err, ERROR_INPUT,
		    "\"/%s\" does not "
		    "close the section \"%s\": expected \"/%s\"",
		    name, expected, expected);
		return template_locate(template, tag->start, parser->err);
	}
	node->end = template->count;
	parser->depth--;
	return 0;
}

/* A delimiter is 1..DELIMITER_MAX bytes, none of them blank or '='. */
static bool
copy_delimiter(char *to, const char *text, size_t len)
{
	if (len == 0 || len > DELIMITER_MAX || memchr(text, '=', len) != NULL)
		return false;
	memcpy(to, text, len);
	to[len] = '\0';
	return true;
}

static int
change_delimiters(struct parser *parser, const struct tag *tag)
{
	char left[DELIMITER_MAX + 1], right[DELIMITER_MAX + 1];
	const char *end = tag->body + tag->body_len;
	const char *first_end = tag->body, *second;
	bool valid;

	while (first_end < end && !is_blank(*first_end))
		first_end++;
	second = first_end;
	while (second < end && is_blank(*second))
		second++;
	valid = copy_delimiter(left, tag->body,
		    (size_t)(first_end - tag->body)) &&
	    copy_delimiter(right, second, (size_t)(end - second)) &&
	    strpbrk(right, " \t\r\n") == NULL;
	if (!valid) {
		(void)error_set(parser->err, ERROR_INPUT,
		    "delimiters are "
		    "not two words of at most %d bytes without '=': expected "
		    "as in {{=<%% %%>=}}",
		    DELIMITER_MAX);
		return template_locate(parser->template, tag->start,
		    parser->err);
	}
	memcpy(parser->left, left, sizeof(left));
	memcpy(parser->right, right, sizeof(right));
	return 0;
}

static int
add_tag(struct parser *parser, const struct tag *tag)
{
	static const char sigils[] = "&{#^>";
	static const enum node_kind kinds[] = { NODE_RAW, NODE_RAW,
		NODE_SECTION, NODE_INVERTED, NODE_PARTIAL };
	const char *sigil = strchr(sigils, tag->sigil);
	enum node_kind kind = NODE_ESCAPED;
	char name[TEMPLATE_NAME_MAX + 1];

	if (tag->sigil == '!')
		return 0;
	if (tag->sigil == '=')
		return change_delimiters(parser, tag);
	if (read_name(parser, tag, name) != 0)
		return -1;
	if (tag->sigil == '/')
		return close_section(parser, tag, name);
	if (tag->sigil != '\0')
		kind = kinds[sigil - sigils];
	memcpy(add_node(parser, kind, tag->start)->name, name, sizeof(name));
	if (kind == NODE_SECTION || kind == NODE_INVERTED)
		return open_section(parser, tag);
	return 0;
}

int
template_parse(struct template *template, struct error *err)
{
	struct parser parser = {
		.template = template, .err = err, .left = "{{", .right = "}}"
	};
	size_t start, line, next;
	struct tag tag;

	while ((start = find(&parser, parser.at, parser.left)) != SIZE_MAX) {
		if (read_tag(&parser, start, &tag) != 0)
			return -1;
		line = tag.start;
		next = tag.end;
		(void)is_standalone(&parser, &tag, &line, &next);
		add_text(&parser, parser.at, line);
		if (add_tag(&parser, &tag) != 0)
			return -1;
		parser.at = next;
	}
	add_text(&parser, parser.at, template->len);
	if (parser.depth > 0) {
		const struct node *node =
		    &template->nodes[parser.open[parser.depth - 1]];

		(void)error_set(err, ERROR_INPUT,
		    "section \"%s\" is not closed", node->name);
		return template_locate(template, node->offset, err);
	}
	return 0;
}
