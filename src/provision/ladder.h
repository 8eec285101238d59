/*
 * ladder.h -- the way of a device from its firmware to the newest one.
 *
 * Not every release can be installed over every other: a ladder says over
 * which.  A step leads to one version, from any version below it that is not
 * below "from".  A device takes the highest step that starts at or below what
 * it has; so it never goes down, and as each step starts at or below the end
 * of the one before (ladder_check), there is no version between the first
 * start and the top at which it is stuck.
 *
 * Pure: where the images are is told by the caller.
 * Source for the rule's form: [LINKSYS-PROV] p. 37-38; upgrade rules take
 * conditions but no options: [MPP-PROV].
 */
#ifndef PROVISION_LADDER_H
#define PROVISION_LADDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "spa/firmware.h"

struct ladder_step {
	struct firmware to;
	bool has_from; /* else from any version below */
	struct firmware from;
};

/*
 * Are these steps, in this order, a ladder?  ERROR_INPUT tells why not, and
 * *bad which step is to blame.  Each goes higher than the one before, starts
 * below its own end, and not above the end of the one before.
 */
int ladder_check(const struct ladder_step *steps, size_t count, size_t *bad,
    struct error *err) MUST_CHECK;

/* The step that a device with that firmware takes; count: none, because it is
 * at the top, above it, or below every start. */
size_t ladder_next(const struct ladder_step *steps, size_t count,
    const struct firmware *now);

/*
 * The Upgrade_Rule of the ladder, urls[i] being where the image of step i is;
 * the caller's to free().  ERROR_INPUT when it is too long for a rule.
 */
char *ladder_rule(const struct ladder_step *steps, size_t count,
    const char *const *urls, struct error *err) MUST_CHECK;

/* ------------------------------- the rules of a server, ready for templates */

struct model;
struct ladders;

void ladders_free(struct ladders *ladders);
struct ladders *ladders_new(void) MUST_CHECK FREED_BY(ladders_free);

/* Keep a ladder's rule for one model; name, steps and rule are copied. */
void ladders_add(struct ladders *ladders, const char *name,
    const struct model *model, const struct ladder_step *steps, size_t count,
    const char *rule);

/* The rule of that ladder for that model, borrowed; NULL: there is none. */
const char *ladders_rule(const struct ladders *ladders, const char *name,
    const struct model *model);

/* Does that ladder lead a device of that model and firmware further? */
bool ladders_leads_on(const struct ladders *ladders, const char *name,
    const struct model *model, const struct firmware *now);

#endif
