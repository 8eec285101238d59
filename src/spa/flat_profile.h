/*
 * flat_profile.h -- a flat profile as a list of parameters, read and written.
 *
 * Parameters are the elements directly in flat-profile, which may itself be in
 * any other element; names keep their case.  Devices of the SPA1xx and ATA19x
 * families have a nested router-configuration, too, in flat-profile or beside
 * it: each of its innermost elements is a parameter with a path.
 *
 * White space around a value is dropped, and each newline or tab in it becomes
 * a blank.  <X></X> sets an empty value; <X/> leaves the value as it is
 * ([LINKSYS-PROV] p. 30; one book says otherwise, [MPP-AG] p. 100).  Of several
 * occurrences the last one counts, also across profiles ([MPP-AG] p. 100).
 */
#ifndef SPA_FLAT_PROFILE_H
#define SPA_FLAT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* What is longer, or more, is an error. */
#define FLAT_PARAMETERS_MAX 20000
#define FLAT_NAME_MAX 127	   /* bytes */
#define FLAT_PATH_MAX 511	   /* bytes */
#define FLAT_VALUE_MAX (64 * 1024) /* bytes */

#define FLAT_ROUTER "router-configuration"

/* The attribute ua: what a user without the admin's password may do. */
enum flat_access {
	FLAT_ACCESS_UNSET, /* as from the factory */
	FLAT_ACCESS_NONE,  /* "na" */
	FLAT_ACCESS_READ,  /* "ro" */
	FLAT_ACCESS_WRITE, /* "rw" */
	FLAT_ACCESS_WRONG, /* anything else */
};

struct flat_parameter {
	const char *name;  /* "Profile_Rule" */
	const char *path;  /* "", or "router-configuration/WAN_Setup" */
	const char *value; /* UTF-8; "" also when it has none */
	bool has_value;	   /* false: <X/> */
	bool counts;	   /* no later occurrence takes its place */
	bool has_children; /* there are elements in the value; their text is
			    * part of it */
	enum flat_access access;
	size_t line, column; /* of its start tag, from 1; 0: not from a text */
	/* The value as written: bytes start to end of the text; 0 and 0 when
	 * there is none, or no text. */
	size_t start, end;
};

struct flat_profile;

/* Wipes the values, which may be passwords. */
void flat_profile_free(struct flat_profile *profile);

/* Read XML.  Fails as profile_check() does, and past the limits above;
 * "line:column: ...".  DOCTYPE, and with it entities, is refused. */
struct flat_profile *flat_profile_read(const char *text, size_t len,
    struct error *err) MUST_CHECK FREED_BY(flat_profile_free);

/*
 * Build one from something else: add parameters, whose strings are copied and
 * whose counts is ignored, and settle them in the end.  The value is tidied as
 * above.  ERROR_INPUT past the limits, or when name or path cannot be XML.
 */
struct flat_profile *
flat_profile_new(void) MUST_CHECK FREED_BY(flat_profile_free);
int flat_profile_add(struct flat_profile *profile,
    const struct flat_parameter *parameter, struct error *err) MUST_CHECK;
void flat_profile_settle(struct flat_profile *profile);

/* Give one of them, by its index, another value; which one counts stays. */
void flat_profile_set_value(struct flat_profile *profile, size_t index,
    const char *value);

/* All occurrences, in their order; borrowed. */
size_t flat_profile_count(const struct flat_profile *profile);
const struct flat_parameter *
flat_profile_at(const struct flat_profile *profile, size_t index);

/* The occurrence that counts, or NULL; quick. */
const struct flat_parameter *
flat_profile_find(const struct flat_profile *profile, const char *path,
    const char *name);

/* The value of a parameter outside router-configuration; NULL when the profile
 * sets none. */
const char *
flat_profile_value(const struct flat_profile *profile, const char *name);

/*
 * Append the parameters that count as XML, UTF-8, each on its line; those of
 * router-configuration last.  ERROR_INPUT when out is full, or when a value
 * holds what XML cannot; out is then as it was.
 */
int flat_profile_write(const struct flat_profile *profile, struct buf *out,
    struct error *err) MUST_CHECK;

/* Append text as it stands in XML, & < > " ' escaped; -1 when out is full. */
int flat_escape(struct buf *out, const char *text) MUST_CHECK;

/* "na", "ro", "rw"; "" for the others. */
const char *flat_access_name(enum flat_access access);

#endif
