/*
 * From XML to the list of parameters.
 */
#include "spa/flat_profile.h"
#include "spa/profile.h"
#include "spa/profile_xml.h"

#include <string.h>

struct reader {
	struct profile_xml xml; /* first: it is the user data of all handlers */
	struct flat_profile *profile;
	unsigned flat;	 /* depth of flat-profile; 0: it is not open */
	unsigned router; /* depth of router-configuration; 0: not open */
	/* The parameter that is open, or the element of router-configuration
	 * that is one unless elements come up in it. */
	unsigned depth; /* 0: none */
	struct flat_parameter parameter;
	char name[FLAT_NAME_MAX + 1];
	struct buf text;
	/* Where we are in router-configuration. */
	char path[FLAT_PATH_MAX + 1];
	size_t path_lens[PROFILE_DEPTH_MAX + 1]; /* outside an element */
};

static enum flat_access
read_access(const XML_Char **attributes)
{
	static const enum flat_access known[] = { FLAT_ACCESS_NONE,
		FLAT_ACCESS_READ, FLAT_ACCESS_WRITE };

	for (; attributes[0] != NULL; attributes += 2) {
		if (strcmp(attributes[0], "ua") != 0)
			continue;
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (strcmp(attributes[1], flat_access_name(known[i])) ==
			    0)
				return known[i];
		return FLAT_ACCESS_WRONG;
	}
	return FLAT_ACCESS_UNSET;
}

static void
begin_parameter(struct reader *reader, const char *name,
    const XML_Char **attributes)
{
	XML_Parser parser = reader->xml.parser;
	size_t len = strlen(name);

	if (len > FLAT_NAME_MAX) {
		profile_xml_refuse(&reader->xml,
		    "the name of a parameter has %zu bytes: at most %d are "
		    "allowed",
		    len, FLAT_NAME_MAX);
		return;
	}
	memcpy(reader->name, name, len + 1);
	reader->text.len = 0;
	if (reader->text.data != NULL)
		reader->text.data[0] = '\0';
	reader->depth = reader->xml.depth;
	reader->parameter = (struct flat_parameter) {
		.name = reader->name,
		.path = reader->path,
		.access = read_access(attributes),
		.line = XML_GetCurrentLineNumber(parser),
		.column = XML_GetCurrentColumnNumber(parser) + 1,
		.start = (size_t)XML_GetCurrentByteIndex(parser) +
		    (size_t)XML_GetCurrentByteCount(parser),
	};
}

/* The element that is open turns out to hold others: step into it. */
static void
enter(struct reader *reader)
{
	size_t len = strlen(reader->path), more = strlen(reader->name);

	reader->path_lens[reader->xml.depth - 1] = len;
	reader->depth = 0;
	if (len + 1 + more > FLAT_PATH_MAX) {
		profile_xml_refuse(&reader->xml,
		    "a path in " FLAT_ROUTER " of more than %d bytes",
		    FLAT_PATH_MAX);
		return;
	}
	reader->path[len++] = '/';
	memcpy(reader->path + len, reader->name, more + 1);
}

static void
begin_router(struct reader *reader)
{
	reader->router = reader->xml.depth;
	reader->path_lens[reader->router] = 0;
	memcpy(reader->path, FLAT_ROUTER, sizeof(FLAT_ROUTER));
}

static void
start_in_router(struct reader *reader, const char *name,
    const XML_Char **attributes)
{
	if (reader->depth != 0)
		enter(reader);
	if (!reader->xml.is_refused)
		begin_parameter(reader, name, attributes);
}

static void XMLCALL
on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = arg;
	unsigned depth;

	if (!profile_xml_start(&reader->xml, name))
		return;
	depth = reader->xml.depth;
	if (reader->router != 0)
		start_in_router(reader, name, attributes);
	else if (reader->depth != 0)
		reader->parameter.has_children = true;
	else if (strcmp(name, FLAT_ROUTER) == 0 &&
	    (reader->flat == 0 || depth == reader->flat + 1))
		begin_router(reader);
	else if (reader->flat != 0)
		begin_parameter(reader, name, attributes);
	else if (strcmp(name, "flat-profile") == 0)
		reader->flat = depth;
}

static void
end_parameter(struct reader *reader)
{
	XML_Parser parser = reader->xml.parser;
	struct flat_parameter *parameter = &reader->parameter;
	struct error err;

	reader->depth = 0;
	/* The end of <X/> has no bytes of its own. */
	parameter->has_value = XML_GetCurrentByteCount(parser) > 0;
	parameter->value = buf_text(&reader->text);
	if (parameter->has_value)
		parameter->end = (size_t)XML_GetCurrentByteIndex(parser);
	else
		parameter->start = 0;
	if (flat_profile_add(reader->profile, parameter, &err) != 0)
		profile_xml_refuse(&reader->xml, "%s", err.text);
}

static void XMLCALL
on_end(void *arg, const XML_Char *name)
{
	struct reader *reader = arg;
	unsigned depth = reader->xml.depth;

	(void)name;
	if (reader->xml.is_refused)
		return;
	if (reader->depth == depth)
		end_parameter(reader);
	else if (reader->router != 0 && reader->depth == 0)
		reader->path[reader->path_lens[depth]] = '\0';
	if (reader->router == depth)
		reader->router = 0;
	if (reader->flat == depth)
		reader->flat = 0;
	reader->xml.depth--;
}

static void XMLCALL
on_text(void *arg, const XML_Char *text, int len)
{
	struct reader *reader = arg;

	if (reader->depth != 0 && !reader->xml.is_refused &&
	    buf_append(&reader->text, text, (size_t)len) != 0)
		profile_xml_refuse(&reader->xml,
		    "the value of %s is longer than %d bytes", reader->name,
		    FLAT_VALUE_MAX);
}

static int
read_all(struct reader *reader, const char *text, size_t len, struct error *err)
{
	if (profile_xml_open(&reader->xml, text, len, err) != 0)
		return -1;
	XML_SetElementHandler(reader->xml.parser, on_start, on_end);
	XML_SetCharacterDataHandler(reader->xml.parser, on_text);
	return profile_xml_run(&reader->xml, err);
}

struct flat_profile *
flat_profile_read(const char *text, size_t len, struct error *err)
{
	struct reader reader = { .profile = flat_profile_new() };
	struct flat_profile *profile = reader.profile;
	int rc;

	buf_init(&reader.text, FLAT_VALUE_MAX);
	rc = read_all(&reader, text, len, err);
	profile_xml_close(&reader.xml);
	if (reader.text.data != NULL)
		explicit_bzero(reader.text.data, reader.text.size);
	buf_clear(&reader.text);
	if (rc == 0) {
		flat_profile_settle(profile);
		return profile;
	}
	flat_profile_free(profile);
	return NULL;
}
