/*
 * ca_accept.h -- who trusts a CA: models of a family together, as they answer.
 */
#ifndef CMD_CA_ACCEPT_H
#define CMD_CA_ACCEPT_H

#include <jansson.h>

struct ca;
struct ca_fleet;
struct ca_sources;
struct knowledge;

/* Print the models and firmware versions that trust it, each with who says so
 * and (with a fleet that is present) how many devices; sources may be NULL. */
void ca_accept_print(const struct knowledge *knowledge, const struct ca *ca,
    const struct ca_fleet *fleet, struct ca_sources *sources);

/* The same as an array. */
json_t *ca_accept_json(const struct knowledge *knowledge, const struct ca *ca,
    const struct ca_fleet *fleet);

#endif
