/*
 * wazo_config.h -- what a config of wazo-provd says, as variables.
 *
 * Source: [WAZO-PROVD], devices/schemas.py.  For wazo.c only.
 */
#ifndef IMPORTER_WAZO_CONFIG_H
#define IMPORTER_WAZO_CONFIG_H

#include <jansson.h>

struct fleet;
struct variables;

/* A text that is there and not empty, borrowed from object; or NULL. */
const char *wazo_string(const json_t *object, const char *name);

/* What a raw_config says, servers and lines included; what cannot be taken is
 * said to the fleet, with place. */
void wazo_take_raw_config(struct fleet *fleet, struct variables *variables,
    json_t *raw_config, const char *place);

#endif
