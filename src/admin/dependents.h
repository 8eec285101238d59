/*
 * dependents.h -- what is known of the whole fleet only after having looked at all
 * of it, kept for who asks often: how many devices depend on a certificate or
 * on an anchor.
 *
 * Two reports (report.h) are run anew in the pool, at most every five minutes
 * and a twentieth of the time, and only while somebody asks.
 */
#ifndef ADMIN_DEPENDENTS_H
#define ADMIN_DEPENDENTS_H

#include <stdbool.h>
#include <time.h>

#include <jansson.h>

#include "base/error.h"

struct dependents;
struct site;

void dependents_free(struct dependents *dependents); /* NULL is fine */
struct dependents *dependents_new(void) FREED_BY(dependents_free);

/* Is it time to call dependents_refresh(), in the pool?  Then it has to be called. */
bool dependents_is_stale(struct dependents *dependents);
void dependents_refresh(struct dependents *dependents, struct site *site);

/* The newest reports: "cert status" and "doctor --expiry"; each may be NULL.
 * The caller's references.  *at: when that was; 0: not yet. */
void dependents_get(struct dependents *dependents, json_t **certificates,
    json_t **expiry, time_t *at);

#endif
