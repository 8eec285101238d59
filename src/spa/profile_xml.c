#include "spa/profile_xml.h"
#include "spa/profile.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * Without DOCTYPE there are no entities but the five of XML itself, so none
 * that could expand without end or name a file.  No device needs one.
 */
static void XMLCALL
on_doctype(void *arg, const XML_Char *name, const XML_Char *system_id,
    const XML_Char *public_id, int has_subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_subset;
	profile_xml_refuse(arg, "DOCTYPE is not allowed in a profile");
}

int
profile_xml_open(struct profile_xml *xml, const char *text, size_t len,
    struct error *err)
{
	*xml = (struct profile_xml) { .text = text, .len = len };
	if (len > PROFILE_BYTES_MAX)
		return error_set(err, ERROR_INPUT,
		    "1:1: the profile has %zu "
		    "bytes: at most %d are allowed",
		    len, PROFILE_BYTES_MAX);
	xml->parser = XML_ParserCreate(NULL);
	if (xml->parser == NULL)
		return error_set(err, ERROR_SYSTEM,
		    "no memory for an XML parser");
	XML_SetUserData(xml->parser, xml);
	XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
	return 0;
}

void
profile_xml_close(struct profile_xml *xml)
{
	if (xml->parser != NULL)
		XML_ParserFree(xml->parser);
	xml->parser = NULL;
}

void
profile_xml_refuse(struct profile_xml *xml, const char *fmt, ...)
{
	va_list ap;

	if (!xml->is_refused) {
		xml->is_refused = true;
		va_start(ap, fmt);
		(void)vsnprintf(xml->refusal, sizeof(xml->refusal), fmt, ap);
		va_end(ap);
	}
	(void)XML_StopParser(xml->parser, XML_FALSE);
}

bool
profile_xml_start(struct profile_xml *xml, const XML_Char *name)
{
	/* A stopped parser may still report the end of an empty element. */
	if (xml->is_refused)
		return false;
	if (++xml->depth > PROFILE_DEPTH_MAX) {
		profile_xml_refuse(xml, "more than %d elements in each other",
		    PROFILE_DEPTH_MAX);
		return false;
	}
	if (strcmp(name, "flat-profile") == 0)
		xml->has_profile = true;
	return true;
}

/* What usually is behind an error of expat, for those who wrote the file. */
static const char *
advice(const struct profile_xml *xml, enum XML_Error code)
{
	XML_Index at = XML_GetCurrentByteIndex(xml->parser);
	char before;

	if (code != XML_ERROR_INVALID_TOKEN || at < 1 || (size_t)at >= xml->len)
		return "";
	/* The token began with it, but is wrong only from here on. */
	before = xml->text[at - 1];
	if (before == '&')
		return "; in a value, & is written &amp;";
	if (before == '<')
		return "; in a value, < is written &lt;";
	if ((unsigned char)xml->text[at] >= 0x80)
		return "; this byte is not UTF-8: is encoding=\"ISO-8859-1\" "
		       "missing in the first line?";
	return "";
}

static int
fail(const struct profile_xml *xml, const char *what, const char *more,
    struct error *err)
{
	return error_set(err, ERROR_INPUT, "%lu:%lu: %s%s",
	    (unsigned long)XML_GetCurrentLineNumber(xml->parser),
	    (unsigned long)XML_GetCurrentColumnNumber(xml->parser) + 1, what,
	    more);
}

int
profile_xml_run(struct profile_xml *xml, struct error *err)
{
	enum XML_Status status;
	enum XML_Error code;

	status = XML_Parse(xml->parser, xml->text, (int)xml->len, XML_TRUE);
	if (xml->is_refused)
		return fail(xml, xml->refusal, "", err);
	if (status != XML_STATUS_OK) {
		code = XML_GetErrorCode(xml->parser);
		return fail(xml, XML_ErrorString(code), advice(xml, code), err);
	}
	if (!xml->has_profile)
		return fail(xml, "no flat-profile element up to here", "", err);
	return 0;
}
