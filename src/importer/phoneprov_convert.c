#include "importer/phoneprov.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define SHOWN_BYTES 72
#define CONSTRUCT_MAX 1024
#define EACH "PP_EACH_EXTENSION("

/* [ASTERISK], phoneprov.conf: the built-in variables. */
static const struct {
	const char *name, *ours;
	bool is_line;
} variables[] = {
	{ "MAC", "mac", false },
	{ "TOUPPER(${MAC})", "mac_upper", false },
	{ "TOLOWER(${MAC})", "mac", false },
	{ "USERNAME", "user_id", true },
	{ "SECRET", "password", true },
	{ "DISPLAY_NAME", "display_name", true },
	{ "LABEL", "label", true },
	{ "CALLERID", "callerid", true },
	{ "LINE", "line", true },
	{ "LINEKEYS", "linekeys", true },
	{ "SERVER", "proxy", false },
	{ "SERVER_PORT", "proxy_port", false },
	{ "VOICEMAIL_EXTEN", "voicemail", false },
	{ "EXTENSION_LENGTH", "extension_length", false },
	{ "TIMEZONE", "timezone", false },
};

/* What Asterisk reckons from the time zone when it is asked. */
static const char *const computed[] = { "TZOFFSET", "DST_ENABLE",
	"DST_START_MONTH", "DST_START_MDAY", "DST_START_HOUR", "DST_END_MONTH",
	"DST_END_MDAY", "DST_END_HOUR" };

struct job {
	struct fleet *fleet;
	unsigned lines;
	phoneprov_load *load;
	void *arg;
	struct buf *out;
	struct phoneprov_names *names;
	unsigned unknown; /* constructs so far */
};

struct place {
	const char *name, *text;
	unsigned line; /* of the device; 0: not within EACH */
	int depth;
};

const char *
phoneprov_variable(const char *name, bool *is_line)
{
	for (size_t i = 0; i < LENGTH(variables); i++)
		if (strcmp(name, variables[i].name) == 0) {
			*is_line = variables[i].is_line;
			return variables[i].ours;
		}
	*is_line = false;
	return NULL;
}

static void
locate(const struct place *place, const char *at, size_t *line, size_t *column)
{
	const char *start = place->text;

	*line = 1;
	for (const char *p = place->text; p < at; p++)
		if (*p == '\n') {
			++*line;
			start = p + 1;
		}
	*column = (size_t)(at - start) + 1;
}

static void
say(struct job *job, const struct place *place, enum fleet_remark kind,
    const char *at, size_t len, const char *what)
{
	char shown[SHOWN_BYTES];
	size_t line, column;

	locate(place, at, &line, &column);
	text_escape(at, len, shown, sizeof(shown));
	fleet_say(job->fleet, kind, "%s:%zu:%zu: %s: \"%s\"", place->name, line,
	    column, what, shown);
}

static int
put(struct job *job, const struct place *place, const char *text, size_t len)
{
	if (buf_append(job->out, text, len) == 0)
		return 0;
	fleet_say(job->fleet, FLEET_ERROR,
	    "%s: as a template of ours it is longer than %zu bytes",
	    place->name, job->out->limit);
	return -1;
}

/* One of our tags: "{{{" would be another kind. */
static int
put_text_tag(struct job *job, const struct place *place, const char *tag)
{
	const struct buf *out = job->out;

	if (out->len == 0 || out->data[out->len - 1] != '{')
		return put(job, place, tag, strlen(tag));
	fleet_say(job->fleet, FLEET_ERROR,
	    "%s: a '{' stands before %s, as which it would be read: put a "
	    "blank between",
	    place->name, tag);
	return -1;
}

static void
note_name(struct job *job, const char *name)
{
	struct phoneprov_names *names = job->names;

	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return;
	if (names->count < PHONEPROV_NAMES_MAX)
		(void)snprintf(names->names[names->count++],
		    sizeof(names->names[0]), "%s", name);
}

/* The end of "${...}" or "$[...]" that begins at text, past its bracket; NULL:
 * it has none, or is too long. */
static const char *
find_end(const char *text, size_t len)
{
	char open = text[1], close = open == '{' ? '}' : ']';
	int depth = 0;

	for (size_t i = 1; i < len && i < CONSTRUCT_MAX; i++) {
		if (text[i] == open)
			depth++;
		else if (text[i] == close && --depth == 0)
			return text + i + 1;
	}
	return NULL;
}

static bool
is_name(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	return len > 0 && len < INVENTORY_NAME_MAX &&
	    !isdigit((unsigned char)text[0]);
}

static bool
is_computed(const char *name)
{
	for (size_t i = 0; i < LENGTH(computed); i++)
		if (strcmp(name, computed[i]) == 0)
			return true;
	return false;
}

static int
put_tag(struct job *job, const struct place *place, const char *name,
    bool is_line)
{
	char tag[INVENTORY_NAME_MAX + 16];

	if (is_line && place->line > 1)
		(void)snprintf(tag, sizeof(tag), "{{%s_%u}}", name,
		    place->line);
	else
		(void)snprintf(tag, sizeof(tag), "{{%s}}", name);
	if (!is_line || place->line <= 1)
		note_name(job, name);
	return put_text_tag(job, place, tag);
}

/* Never rendered: the name is that of no variable. */
static int
put_unknown(struct job *job, const struct place *place, const char *at,
    size_t len)
{
	char tag[64];

	say(job, place, FLEET_LEFT_OUT, at, len, "is not converted");
	(void)snprintf(tag, sizeof(tag), "{{phoneprov-not-converted-%u}}",
	    ++job->unknown);
	return put_text_tag(job, place, tag);
}

static int convert(struct job *job, const struct place *place, size_t len);

/* A tag of a section takes its line with it when it is alone there; one more
 * newline makes up for the one that goes. */
static int
put_section(struct job *job, const struct place *place, char kind,
    bool newline_follows)
{
	const struct buf *out = job->out;
	char tag[64];

	if (place->line == 1)
		(void)snprintf(tag, sizeof(tag), "{{%cuser_id}}", kind);
	else
		(void)snprintf(tag, sizeof(tag), "{{%cuser_id_%u}}", kind,
		    place->line);
	if (newline_follows &&
	    (out->len == 0 || out->data[out->len - 1] == '\n'))
		(void)strncat(tag, "\n", 2);
	return put_text_tag(job, place, tag);
}

/* The file once for each line that any device has. */
static int
put_each(struct job *job, const struct place *place, const char *name,
    bool newline_follows)
{
	char *text = NULL;
	size_t len = 0;
	int rc = 0;

	if (place->depth == PHONEPROV_DEPTH_MAX || place->line != 0 ||
	    !job->load(job->arg, name, &text, &len))
		return -1;
	for (unsigned line = 1; rc == 0 && line <= job->lines; line++) {
		const struct place inner = { name, text, line,
			place->depth + 1 };

		rc = put_section(job, &inner, '#', len > 0 && text[0] == '\n');
		if (rc == 0)
			rc = convert(job, &inner, len);
		/* What follows: the next tag on the same line, or the rest. */
		if (rc == 0)
			rc = put_section(job, &inner, '/',
			    line == job->lines && newline_follows);
	}
	free(text);
	return rc;
}

/* "PP_EACH_EXTENSION(${MAC}|file)": the name of the file, or false. */
static bool
find_each(const char *inside, char file[static 128])
{
	const char *p = inside + strlen(EACH);
	size_t len;

	if (!text_starts(inside, EACH "${MAC}"))
		return false;
	p += strlen("${MAC}");
	p += strspn(p, " \t");
	if (*p != '|' && *p != ',')
		return false;
	p++;
	p += strspn(p, " \t\"");
	len = strcspn(p, ")\"");
	if (len == 0 || len >= 128 || p[len] == '\0')
		return false;
	memcpy(file, p, len);
	file[len] = '\0';
	return true;
}

static int
put_construct(struct job *job, const struct place *place, const char *at,
    const char *end, const char *text_end)
{
	size_t len = (size_t)(end - at);
	char inside[CONSTRUCT_MAX];
	char file[128];
	bool is_line = false;
	const char *ours;

	memcpy(inside, at + 2, len - 3);
	inside[len - 3] = '\0';
	ours = phoneprov_variable(inside, &is_line);
	if (at[1] == '[' || is_computed(inside))
		return put_unknown(job, place, at, len);
	if (ours != NULL)
		return put_tag(job, place, ours, is_line);
	if (is_name(inside))
		return put_tag(job, place, inside, false);
	if (find_each(inside, file) &&
	    put_each(job, place, file, end < text_end && *end == '\n') == 0)
		return 0;
	if (fleet_count(job->fleet, FLEET_ERROR) > 0)
		return -1;
	return put_unknown(job, place, at, len);
}

static int
convert(struct job *job, const struct place *place, size_t len)
{
	const char *end = place->text + len;

	for (const char *p = place->text; p < end;) {
		const char *special = p;
		const char *past;

		while (special < end &&
		    !(special + 1 < end &&
			((special[0] == '$' &&
			     (special[1] == '{' || special[1] == '[')) ||
			    memcmp(special, "{{", 2) == 0)))
			special++;
		if (special > p &&
		    put(job, place, p, (size_t)(special - p)) != 0)
			return -1;
		if (special == end)
			return 0;
		if (*special == '{') {
			say(job, place, FLEET_ERROR, special, 2,
			    "begins a tag in our templates: take it out");
			return -1;
		}
		past = find_end(special, (size_t)(end - special));
		if (past == NULL) {
			say(job, place, FLEET_ERROR, special,
			    end - special < 16 ? (size_t)(end - special) : 16,
			    "has no closing bracket");
			return -1;
		}
		if (put_construct(job, place, special, past, end) != 0)
			return -1;
		p = past;
	}
	return 0;
}

int
phoneprov_convert(struct fleet *fleet, const char *name, const char *text,
    size_t len, unsigned lines, phoneprov_load *load, void *arg,
    struct buf *out, struct phoneprov_names *names)
{
	struct job job = { fleet, lines, load, arg, out, names, 0 };
	const struct place place = { name, text, 0, 0 };

	if (memchr(text, '\0', len) != NULL) {
		fleet_say(fleet, FLEET_ERROR, "%s: a NUL byte: is it a text?",
		    name);
		return -1;
	}
	return convert(&job, &place, len);
}
