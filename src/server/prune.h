/*
 * prune.h -- documents of devices that the inventory has no more.
 *
 * What a removed device was served and reported may hold secrets, and is of no
 * use.  While the server runs, two snapshots tell which devices went; what went
 * while it did not is found by going through the file once, in steps, so that
 * the writer's thread gets to other things in between.
 */
#ifndef SERVER_PRUNE_H
#define SERVER_PRUNE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/mac.h"

#define PRUNE_STEP 2000 /* devices looked at in one step */

struct documents;
struct snapshot;

struct prune;

/* Devices that before has and after has not; before NULL: whatever the file has.
 * References of both are taken.  Counted by references. */
void prune_release(struct prune *prune); /* NULL is fine */
struct prune *prune_new(struct snapshot *before, struct snapshot *after);
struct prune *prune_retain(struct prune *prune);

/*
 * One step, within the caller's transaction.  A device that now has (the newest
 * snapshot) is not forgotten, and none is while it has no devices at all: an
 * inventory that is empty is more likely the wrong one.  forgotten is told of
 * each.  0, or -1 with err; prune_has_more(): another step is wanted.
 */
typedef void prune_forgotten(void *arg, const struct mac *mac);
int prune_step(struct prune *prune, const struct snapshot *now,
    struct documents *documents, prune_forgotten *forgotten, void *arg,
    struct error *err) MUST_CHECK;
bool prune_has_more(const struct prune *prune);

#endif
