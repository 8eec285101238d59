/*
 * starter.h -- templates to start with, one a family, built into the program.
 *
 * They make the device a phone on one line from five variables, set what keeps
 * it coming back for its profile, and pass their own inspection for every
 * model.  A file of the operator's of the same name takes their place.
 * sprov-profile(1) has the variables.
 */
#ifndef PROVISION_STARTER_H
#define PROVISION_STARTER_H

#include <stddef.h>

#include "base/error.h"

struct model;
struct templates;

struct starter {
	const char *name;     /* "spa-phone.xml" */
	unsigned families;    /* enum parameter_family; 0: of none */
	const char *variable; /* those that it knows beyond the common ones */
	const char *text;
};

extern const struct starter starters[];
extern const size_t starter_count;

/* The one for a model; NULL: of a model that is not known. */
const struct starter *starter_for(const struct model *model);

/* Add those whose names are not there yet. */
int starters_add(struct templates *templates, struct error *err) MUST_CHECK;

/* Made from starter/ by embed.py. */
extern const char starter_spa_ata[], starter_spa_phone[], starter_spa525[],
    starter_spa1xx[], starter_ata19x[], starter_mpp[], starter_generic[];

#endif
