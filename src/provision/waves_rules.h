/*
 * waves_rules.h -- the rules of a device in a migration; for waves.c and
 * waves_start.c only.
 */
#ifndef PROVISION_WAVES_RULES_H
#define PROVISION_WAVES_RULES_H

#include "provision/waves.h"

struct device;
struct snapshot;

#define RULE_VARIABLE "profile_rule"
#define RULE_B_VARIABLE "profile_rule_b"

/* Set a variable, or unset it where value is NULL. */
int waves_set_rule(struct device *device, const char *name, const char *value,
    struct error *err) MUST_CHECK;

/*
 * Bring a member to another state (trial, moved, put back) together with its
 * device; MEMBER_CHANGED when somebody else has set its rules meanwhile.  The
 * snapshot is for members that come on trial; it is of this transaction.
 */
int waves_change_member(struct inventory *inventory,
    const struct migration *migration, const struct snapshot *snapshot,
    struct migration_member *member, enum member_state state,
    struct error *err) MUST_CHECK;

/* Ask the record; nothing is known when it is NULL. */
int waves_ask(struct resyncs *resyncs, const struct migration *migration,
    const struct mac *mac, struct member_answers *answers,
    struct error *err) MUST_CHECK;

/* Put all waiting members of that wave on trial. */
int waves_begin(struct inventory *inventory, struct resyncs *resyncs,
    struct migration *migration, size_t wave, struct migration_member *members,
    size_t count, time_t now, struct error *err) MUST_CHECK;

#endif
