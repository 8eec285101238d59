/*
 * refusals.h -- how many refused writes of one person or token are noted.
 *
 * Somebody who tries what he may not belongs into the audit log, and a script
 * that tries it a thousand times a second must not fill the disk with that.  So
 * of each minute of each of them the first ones are noted, and of the others
 * how many there were.  In memory; any thread may ask.
 */
#ifndef ADMIN_REFUSALS_H
#define ADMIN_REFUSALS_H

#include <stdbool.h>
#include <time.h>

#include "inventory/admins.h"
#include "inventory/audit.h"

#define REFUSALS_NOTED 10    /* of one of them, in a minute */
#define REFUSALS_MINUTE_S 60 /* from the first one on */
#define REFUSALS_KEPT 256    /* of those who were refused lately */

struct refusals;
void refusals_free(struct refusals *refusals); /* NULL is fine */
struct refusals *refusals_new(void) MUST_CHECK FREED_BY(refusals_free);

/* Those of a minute that were not noted one by one; count 0: none. */
struct refusals_rest {
	unsigned long count;
	enum audit_by by;
	char who[ADMINS_NAME_MAX + 1];
	char tenant[INVENTORY_NAME_MAX + 1];
	time_t since; /* the first one of that minute */
};

/* act was refused: is it to be noted?  What is in *rest has to be noted before
 * it; that can be another one's. */
bool refusals_add(struct refusals *refusals, const struct audit_act *act,
    time_t now, struct refusals_rest *rest);

/* Is a minute over of which something is to be noted?  It is in *rest then,
 * and forgotten; to be asked until it is false.  all: also those that are not
 * over. */
bool refusals_end(struct refusals *refusals, time_t now, bool all,
    struct refusals_rest *rest);

#endif
