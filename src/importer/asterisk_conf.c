#include "importer/asterisk_conf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/mem.h"
#include "base/text.h"

#define SHOWN_BYTES 64

struct conf {
	struct conf_section *sections;
	size_t count, settings;
};

struct reader {
	struct fleet *fleet;
	const char *file;
	struct conf *conf;
	size_t line;
	bool in_comment; /* of several lines */
	bool failed;
};

static void
say(struct reader *reader, enum fleet_remark kind, size_t column,
    const char *what, const char *text)
{
	char shown[SHOWN_BYTES];

	text_escape(text, strlen(text), shown, sizeof(shown));
	fleet_say(reader->fleet, kind, "%s:%zu:%zu: %s%s%s%s", reader->file,
	    reader->line, column, what, *text != '\0' ? ": \"" : "", shown,
	    *text != '\0' ? "\"" : "");
	reader->failed |= kind == FLEET_ERROR;
}

/* Cut what is commented out: all after a ';' that no backslash precedes, and
 * all between ";--" and "--;". */
static void
cut_comments(struct reader *reader, char *line)
{
	char *to = line;

	for (const char *p = line; *p != '\0';) {
		if (reader->in_comment) {
			const char *end = strstr(p, "--;");

			reader->in_comment = end == NULL;
			if (end == NULL)
				break;
			p = end + 3;
		} else if (strncmp(p, ";--", 3) == 0 && p[3] != '-') {
			reader->in_comment = true;
			p += 3;
		} else if (*p == ';') {
			break;
		} else if (p[0] == '\\' && p[1] == ';') {
			*to++ = ';';
			p += 2;
		} else {
			*to++ = *p++;
		}
	}
	while (to > line && isspace((unsigned char)to[-1]))
		to--;
	*to = '\0';
}

static void
add_setting(struct reader *reader, struct conf_section *section,
    const char *name, const char *value, size_t line, size_t column)
{
	if (reader->conf->settings == CONF_SETTINGS_MAX) {
		say(reader, FLEET_ERROR, column, "too many settings", name);
		return;
	}
	reader->conf->settings++;
	if ((section->count & (section->count - 1)) == 0)
		section->settings = xrealloc(section->settings,
		    (section->count == 0 ? 1 : 2 * section->count) *
			sizeof(*section->settings));
	section->settings[section->count++] = (struct conf_setting) {
		xstrdup(name), xstrdup(value), line, column
	};
}

/* "(!)", "(base)", "(!,base,other)", "(+)" */
static void
take_bases(struct reader *reader, struct conf_section *section, char *text)
{
	char *state = NULL;
	int bases = 0;

	for (char *word = strtok_r(text, ", \t", &state); word != NULL;
	     word = strtok_r(NULL, ", \t", &state)) {
		const struct conf_section *base;

		if (strcmp(word, "!") == 0) {
			section->is_template = true;
			continue;
		}
		if (strcmp(word, "+") == 0)
			continue; /* more of a section: conf_get sees both */
		base = conf_find(reader->conf, word);
		if (base == NULL || base == section ||
		    ++bases > CONF_BASES_MAX) {
			say(reader, FLEET_ERROR, 1,
			    "no section of that name to build on", word);
			return;
		}
		for (size_t i = 0; i < base->count && !reader->failed; i++)
			add_setting(reader, section, base->settings[i].name,
			    base->settings[i].value, base->settings[i].line,
			    base->settings[i].column);
	}
}

static void
take_section(struct reader *reader, char *text)
{
	char *end = strchr(text, ']');
	struct conf *conf = reader->conf;
	struct conf_section *section;

	if (end == NULL) {
		say(reader, FLEET_ERROR, 1, "expected \"]\" after a section",
		    text);
		return;
	}
	*end = '\0';
	if ((conf->count & (conf->count - 1)) == 0)
		conf->sections = xrealloc(conf->sections,
		    (conf->count == 0 ? 1 : 2 * conf->count) *
			sizeof(*conf->sections));
	section = &conf->sections[conf->count++];
	*section = (struct conf_section) { .name = xstrdup(text + 1),
		.line = reader->line };
	text = end + 1;
	if (*text == '(' && strchr(text, ')') != NULL) {
		*strchr(text, ')') = '\0';
		take_bases(reader, section, text + 1);
	} else if (*text != '\0') {
		say(reader, FLEET_ERROR, (size_t)(text - end) + 1,
		    "expected \"(...)\" or nothing after a section", text);
	}
}

static void
take_setting(struct reader *reader, char *text, size_t column)
{
	char *equals = strchr(text, '=');
	char *value, *end;

	if (equals == NULL || equals == text) {
		/* Not the text: it may be a password. */
		say(reader, FLEET_ERROR, column,
		    "expected [section] or name = value", "");
		return;
	}
	value = equals + 1 + (equals[1] == '>');
	value += strspn(value, " \t");
	for (end = equals; end > text && isspace((unsigned char)end[-1]);)
		end--;
	*end = '\0';
	if (reader->conf->count == 0)
		say(reader, FLEET_ERROR, column, "it is in no section", text);
	else
		add_setting(reader,
		    &reader->conf->sections[reader->conf->count - 1], text,
		    value, reader->line, column);
}

static void
take_line(struct reader *reader, char *line)
{
	char *text = line;

	cut_comments(reader, line);
	text += strspn(text, " \t");
	if (*text == '\0')
		return;
	if (*text == '[')
		take_section(reader, text);
	else if (*text == '#')
		say(reader, FLEET_LEFT_OUT, (size_t)(text - line) + 1,
		    "is not followed: import that file by itself", text);
	else
		take_setting(reader, text, (size_t)(text - line) + 1);
}

struct conf *
conf_read(struct fleet *fleet, const char *file, const char *text, size_t len)
{
	struct reader reader = { .fleet = fleet, .file = file };
	char line[CONF_LINE_MAX + 1];

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	reader.conf = xcalloc(1, sizeof(*reader.conf));
	while (len > 0 && !reader.failed) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline != NULL ? (size_t)(newline - text) : len;

		reader.line++;
		if (n > CONF_LINE_MAX || memchr(text, '\0', n) != NULL) {
			say(&reader, FLEET_ERROR, 1,
			    "the line is too long, or binary", "");
			break;
		}
		memcpy(line, text, n);
		line[n] = '\0';
		take_line(&reader, line);
		n += newline != NULL;
		text += n;
		len -= n;
	}
	OPENSSL_cleanse(line, sizeof(line));
	if (!reader.failed)
		return reader.conf;
	conf_free(reader.conf);
	return NULL;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	for (size_t i = 0; i < conf->count; i++) {
		struct conf_section *section = &conf->sections[i];

		for (size_t j = 0; j < section->count; j++) {
			char *value = section->settings[j].value;

			OPENSSL_cleanse(value, strlen(value));
			free(value);
			free(section->settings[j].name);
		}
		free(section->settings);
		free(section->name);
	}
	free(conf->sections);
	free(conf);
}

size_t
conf_count(const struct conf *conf)
{
	return conf->count;
}

const struct conf_section *
conf_at(const struct conf *conf, size_t i)
{
	return &conf->sections[i];
}

const struct conf_section *
conf_find(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->count; i++)
		if (strcasecmp(conf->sections[i].name, name) == 0)
			return &conf->sections[i];
	return NULL;
}

const struct conf_setting *
conf_get(const struct conf_section *section, const char *name)
{
	for (size_t i = section->count; i > 0; i--)
		if (strcasecmp(section->settings[i - 1].name, name) == 0)
			return &section->settings[i - 1];
	return NULL;
}
