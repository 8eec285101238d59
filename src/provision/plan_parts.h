/*
 * plan_parts.h -- what the parts of the planner share.  For plan_*.c only.
 */
#ifndef PROVISION_PLAN_PARTS_H
#define PROVISION_PLAN_PARTS_H

#include "provision/plan.h"

/* Versions of one model that stand for all: see plan_versions(). */
#define PLAN_VERSIONS_MAX 64

/* The versions between which the registry distinguishes, and the known
 * releases of the family, in order; returns how many. */
size_t
plan_versions(const struct model *model, struct firmware *list, size_t max);

/* Those of the model that was asked for last: finding them takes a while. */
struct plan_ladder {
	const struct model *model; /* NULL: of none yet */
	size_t count;
	struct firmware versions[PLAN_VERSIONS_MAX];
};

/* Say why the device is left out, or will be, and what can be done. */
void plan_explain(const struct plan_options *options,
    const struct knowledge *knowledge, struct plan_ladder *ladder,
    struct plan_assignment *assignment);

/* Give the listeners names, addresses, ports and rules. */
int plan_lay_out(struct plan *plan, const struct plan_options *options,
    struct error *err) MUST_CHECK;

/*
 * One rule for the whole fleet, for its caller to free(); NULL with
 * ERROR_INPUT when it would be longer than a rule may be.
 */
char *
plan_universal_rule(const struct plan *plan, const struct plan_options *options,
    const struct knowledge *knowledge, struct error *err) MUST_CHECK;

#endif
