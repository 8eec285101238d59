#include "spa/profile_value.h"
#include "base/buf.h"
#include "base/mem.h"
#include "spa/profile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

struct reader {
	XML_Parser parser;
	const char *const *names;
	size_t count;
	char **values;
	unsigned depth;	  /* of elements that are open */
	unsigned profile; /* depth of flat-profile; 0: it is not open */
	size_t current;	  /* index of the open parameter, or count */
	struct buf text;
	bool too_long;
};

static void XMLCALL
on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = arg;

	(void)attributes;
	reader->depth++;
	if (reader->profile == 0 && strcmp(name, "flat-profile") == 0) {
		reader->profile = reader->depth;
		return;
	}
	if (reader->profile == 0 || reader->depth != reader->profile + 1)
		return;
	buf_clear(&reader->text);
	for (size_t i = 0; i < reader->count; i++)
		if (strcmp(name, reader->names[i]) == 0)
			reader->current = i;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char *
tidy(const char *text)
{
	size_t len = strlen(text), start = 0;
	char *value;

	while (start < len && is_blank(text[start]))
		start++;
	while (len > start && is_blank(text[len - 1]))
		len--;
	value = xstrndup(text + start, len - start);
	for (char *p = value; *p != '\0'; p++)
		if (is_blank(*p))
			*p = ' ';
	return value;
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
	struct reader *reader = arg;

	(void)name;
	/* The end of <X/> has no bytes of its own. */
	if (reader->depth == reader->profile + 1 &&
	    reader->current < reader->count) {
		if (XML_GetCurrentByteCount(reader->parser) > 0) {
			free(reader->values[reader->current]);
			reader->values[reader->current] =
			    tidy(buf_text(&reader->text));
		}
		reader->current = reader->count;
	}
	if (reader->depth == reader->profile)
		reader->profile = 0;
	reader->depth--;
}

static void XMLCALL
on_text(void *arg, const XML_Char *text, int len)
{
	struct reader *reader = arg;

	if (reader->current < reader->count &&
	    buf_append(&reader->text, text, (size_t)len) != 0) {
		reader->too_long = true;
		(void)XML_StopParser(reader->parser, XML_FALSE);
	}
}

/* The text is well-formed: only its size or memory can be in the way. */
static int
read_values(struct reader *reader, const char *text, size_t len,
    struct error *err)
{
	XML_SetUserData(reader->parser, reader);
	XML_SetElementHandler(reader->parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->parser, on_text);
	if (XML_Parse(reader->parser, text, (int)len, XML_TRUE) ==
	    XML_STATUS_OK)
		return 0;
	if (reader->too_long)
		return error_set(err, ERROR_INPUT,
		    "%lu:%lu: the value of %s is longer than %d bytes",
		    (unsigned long)XML_GetCurrentLineNumber(reader->parser),
		    (unsigned long)XML_GetCurrentColumnNumber(reader->parser) +
			1,
		    reader->names[reader->current], PROFILE_VALUE_MAX);
	return error_set(err, ERROR_SYSTEM, "%s",
	    XML_ErrorString(XML_GetErrorCode(reader->parser)));
}

int
profile_values(const char *text, size_t len, const char *const *names,
    size_t count, char **values, struct error *err)
{
	struct reader reader = {
		.names = names, .count = count, .current = count
	};
	int rc;

	if (profile_check(text, len, err) != 0)
		return -1;
	reader.parser = XML_ParserCreate(NULL);
	if (reader.parser == NULL)
		return error_set(err, ERROR_SYSTEM,
		    "no memory for an XML parser");
	reader.values = xcalloc(count, sizeof(*reader.values));
	buf_init(&reader.text, PROFILE_VALUE_MAX);
	rc = read_values(&reader, text, len, err);
	for (size_t i = 0; i < count; i++) {
		if (rc == 0)
			values[i] = reader.values[i];
		else
			free(reader.values[i]);
	}
	free(reader.values);
	buf_clear(&reader.text);
	XML_ParserFree(reader.parser);
	return rc;
}
