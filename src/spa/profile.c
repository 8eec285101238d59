#include "spa/profile.h"

#include <stdbool.h>
#include <string.h>

#include <expat.h>

struct check {
	XML_Parser parser;
	bool has_profile;
	bool has_doctype;
};

static void XMLCALL
on_element(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct check *check = arg;

	(void)attributes;
	if (strcmp(name, "flat-profile") == 0)
		check->has_profile = true;
}

/*
 * Without DOCTYPE there are no entities but the five of XML itself, so none
 * that could expand without end or name a file.  No device needs one.
 */
static void XMLCALL
on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
    const XML_Char *public_id, int has_subset)
{
	struct check *check = arg;

	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_subset;
	check->has_doctype = true;
	(void)XML_StopParser(check->parser, XML_FALSE);
}

static int
set_at_position(const struct check *check, struct error *err, const char *what)
{
	return error_set(err, ERROR_INPUT, "%lu:%lu: %s",
	    (unsigned long)XML_GetCurrentLineNumber(check->parser),
	    (unsigned long)XML_GetCurrentColumnNumber(check->parser) + 1, what);
}

static int
run(struct check *check, const char *text, size_t len, struct error *err)
{
	enum XML_Status status;

	XML_SetUserData(check->parser, check);
	XML_SetStartElementHandler(check->parser, on_element);
	XML_SetStartDoctypeDeclHandler(check->parser, on_doctype);
	status = XML_Parse(check->parser, text, (int)len, XML_TRUE);
	if (check->has_doctype)
		return set_at_position(check, err,
		    "DOCTYPE is not allowed in a profile");
	if (status != XML_STATUS_OK)
		return set_at_position(check, err,
		    XML_ErrorString(XML_GetErrorCode(check->parser)));
	if (!check->has_profile)
		return set_at_position(check, err,
		    "no flat-profile element up to here");
	return 0;
}

int
profile_check(const char *text, size_t len, struct error *err)
{
	struct check check = { .parser = NULL };
	int rc;

	if (len > PROFILE_BYTES_MAX)
		return error_set(err, ERROR_INPUT,
		    "1:1: the profile has %zu "
		    "bytes: at most %d are allowed",
		    len, PROFILE_BYTES_MAX);
	check.parser = XML_ParserCreate(NULL);
	if (check.parser == NULL)
		return error_set(err, ERROR_SYSTEM,
		    "no memory for an XML parser");
	rc = run(&check, text, len, err);
	XML_ParserFree(check.parser);
	return rc;
}
