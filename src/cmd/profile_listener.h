/*
 * profile_listener.h -- does a profile send its device to a listener of ours
 * that the device will not take?
 *
 * Such a profile is the last one that it gets: with its rule it leaves the
 * listener that it trusts.
 */
#ifndef CMD_PROFILE_LISTENER_H
#define CMD_PROFILE_LISTENER_H

#include "base/error.h"
#include "base/mac.h"
#include "spa/inspect.h"

struct config;
struct flat_profile;
struct knowledge;
struct model;
struct profile_listeners;

/* Read the certificates of the configuration's listeners; what cannot be read
 * is said and passed over.  NULL: own claims are wrong, which is said. */
void profile_listeners_free(struct profile_listeners *listeners);
struct profile_listeners *
profile_listeners_new(const struct config *config) MUST_CHECK
    FREED_BY(profile_listeners_free);

/*
 * Add what is found about the rule that the device would go by.  A rule whose
 * host none of our certificates is for leads elsewhere, and nothing is said.
 * firmware "": not known.  mac NULL: not known.
 */
void profile_listeners_inspect(const struct profile_listeners *listeners,
    const struct flat_profile *profile, const struct model *model,
    const char *firmware, const struct mac *mac, struct findings *findings);

#endif
