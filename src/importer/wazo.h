/*
 * wazo.h -- the parts of the importer of wazo-provd's JSON; for wazo*.c.
 */
#ifndef IMPORTER_WAZO_H
#define IMPORTER_WAZO_H

#include <jansson.h>

#include "importer/fleet.h"

/* A member that is text; NULL when it is not, or empty. */
const char *wazo_string(const json_t *object, const char *name);

/* Set what a raw_config says; what cannot be is said with its place. */
void wazo_take_config(struct fleet *fleet, struct variables *variables,
    json_t *raw_config, const char *place);

#endif
