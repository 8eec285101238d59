/*
 * profile_xml.h -- the XML of a profile under limits, for those who read it.
 *
 * Inside the folder only: profile.c asks whether it is well-formed, and
 * flat_profile.c what is in it.  A reader embeds a struct profile_xml as its
 * first member, so that it is the user data of all handlers, sets the handlers
 * it wants, and calls profile_xml_start() first in that of start tags.
 */
#ifndef SPA_PROFILE_XML_H
#define SPA_PROFILE_XML_H

#include <stdbool.h>
#include <stddef.h>

#include <expat.h>

#include "base/error.h"

#define PROFILE_DEPTH_MAX 32 /* elements within each other */

struct profile_xml {
	XML_Parser parser;
	const char *text;
	size_t len;
	unsigned depth;	   /* of elements that are open; readers count down */
	bool has_profile;  /* an element that begins a profile was seen */
	bool is_refused;   /* refusal says why */
	char refusal[160]; /* what it is that no device needs */
};

/* text is borrowed until close.  Refuses more than PROFILE_BYTES_MAX. */
void profile_xml_close(struct profile_xml *xml);
int profile_xml_open(struct profile_xml *xml, const char *text, size_t len,
    struct error *err) MUST_CHECK;

/* A start tag: counts the depth.  False when parsing was stopped. */
bool profile_xml_start(struct profile_xml *xml, const XML_Char *name);

/* End the parsing with this error at this position; the first one counts. */
void profile_xml_refuse(struct profile_xml *xml, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* Parse all.  Errors are ERROR_INPUT, "line:column: what[; what to do]". */
int profile_xml_run(struct profile_xml *xml, struct error *err) MUST_CHECK;

#endif
