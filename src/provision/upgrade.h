/*
 * upgrade.h -- does a device have to be upgraded before it may be sent on?
 *
 * The variable "upgrade-only" of a device, which it inherits, says when its
 * profile is to lead to newer firmware and to nothing else:
 *
 *     below VERSION   its firmware is below that
 *     for LISTENER    nothing says that its firmware trusts the CA of that
 *                     listener, to which it is to move
 *     no              never; so is it without the variable
 *
 * And only while its ladder (variable "firmware-ladder") leads it further: a
 * device that cannot go on gets what it would get anyway.
 */
#ifndef PROVISION_UPGRADE_H
#define PROVISION_UPGRADE_H

#include <stdbool.h>

struct ca;
struct device;
struct firmware;
struct ladders;
struct model;
struct snapshot;

#define UPGRADE_LADDER_VARIABLE "firmware-ladder"
#define UPGRADE_ONLY_VARIABLE "upgrade-only"

/* The Upgrade_Rule of the device, or NULL; borrowed. */
const char *
upgrade_rule(const struct ladders *ladders, const struct snapshot *snapshot,
    const struct device *device, const struct model *model);

/* Who shows which CA: that of the listener of that name; NULL: not known. */
typedef const struct ca *upgrade_listener_ca(const void *arg, const char *name);

/* now: what it runs, as far as it is known (NULL: it is not). */
bool
upgrade_is_due(const struct ladders *ladders, const struct snapshot *snapshot,
    const struct device *device, const struct firmware *now,
    upgrade_listener_ca *listener_ca, const void *arg);

/* What a device runs: by its User-Agent where that is one of its model, else
 * what the inventory says.  False: not known. */
bool upgrade_firmware(const struct device *device, const char *user_agent,
    struct firmware *now);

/*
 * Is it known that the model's family fetches images over HTTPS?  Those of
 * before cannot ([SPA9000-AG]), and of those between nobody says: ASSUMED that
 * they cannot, as plain HTTP and TFTP work for all.  [ATA19X-RN], [MPP-SEC].
 */
bool upgrade_by_https(const struct model *model);

#endif
