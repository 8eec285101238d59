/*
 * inspect.h -- what is wrong with a profile for the device that is to get it.
 *
 * Names that the device does not know, values that it does not take, and
 * settings that cut it off from its server or its administrator.  Only what a
 * source states is held against a profile; a name that no source has is
 * "unknown here", which may be our ignorance.
 */
#ifndef SPA_INSPECT_H
#define SPA_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct flat_profile;
struct model;

#define FINDINGS_MAX 1000 /* kept; the count goes on */

enum severity {
	SEVERITY_FORM,	   /* the device cannot read it at all */
	SEVERITY_RESYNC,   /* it never asks its server again by itself */
	SEVERITY_ADMIN,	   /* nobody gets at its settings any more */
	SEVERITY_UPGRADE,  /* it takes no firmware any more */
	SEVERITY_EXPOSES,  /* secrets, or itself, to anybody */
	SEVERITY_VALUE,	   /* a value that it does not take */
	SEVERITY_UNKNOWN,  /* a name that it does not know */
	SEVERITY_FIRMWARE, /* a name that its firmware does not know yet */
	SEVERITY_NOTE,	   /* worth a look, no problem */
};
/* "stops resync", "locks the admin out", ... */
const char *severity_name(enum severity severity);

struct finding {
	enum severity severity;
	char *name;	     /* of the parameter, with its path */
	size_t line, column; /* 0: it is missing, or not from a text */
	char *text;	     /* never shows a secret */
};

/* Zero it to begin; findings_clear() releases it. */
struct findings {
	struct finding *list;
	size_t kept, count;
	size_t problems; /* of count: all but notes */
};
void findings_clear(struct findings *findings);

struct inspect_options {
	const struct model *model; /* NULL: any */
	const char *firmware;	   /* NULL or "": any */
	bool is_latin1;		   /* the profile is sent as ISO-8859-1 */
	int tls_max; /* of the server, 0x0303 or 0x0304; 0: not known */
	/* Values that are not there yet: those with INSPECT_SAMPLE in them are
	 * taken for good. */
	bool names_only;
};

/* Stands for what a variable will be; in no profile that is meant. */
#define INSPECT_SAMPLE "\xee\x80\x80" /* U+E000 */

/* Add what is found, by line.  Cannot fail: a firmware that cannot be read is
 * any. */
void inspect_profile(const struct flat_profile *profile,
    const struct inspect_options *options, struct findings *findings);

#endif
