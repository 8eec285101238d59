/*
 * render_key.h -- what a template learns of the device's newest profile key.
 *
 *     key_options  "[--key KEY]", or "" when none is to be used
 *     key_query    "?key=ID" or "?ikm=ID"; or ""
 *     ikm          KEY for <IKM_HTTP_Encrypt_Content>; or ""
 *
 * And the variables profile_rule, profile_rule_b, ... come out with both put
 * into every URL (rule_key.h), so that a template need not know.  All are
 * there only when the device's variable "protection" asks for encryption and
 * its key ring is not empty.
 */
#ifndef PROVISION_RENDER_KEY_H
#define PROVISION_RENDER_KEY_H

#include <stdbool.h>

#include "base/error.h"
#include "provision/keyring.h"
#include "spa/protection.h"
#include "spa/rule.h"

struct device;
struct snapshot;

#define RENDER_KEY_RULES 4 /* Profile_Rule, _B, _C, _D */

struct render_key {
	bool used;
	char key[PROTECTION_KEY_MAX + 1]; /* or a mask */
	char options[PROTECTION_KEY_MAX + sizeof("[--key ]")];
	char query[sizeof("?ikm=") + KEYRING_ID_CHARS];
	const char *ikm;
	char *rule[RENDER_KEY_RULES];
};

/* How profiles of this device are to be packed: its variable "protection";
 * none without one.  ERROR_INPUT when that is no protection. */
int
render_protection(const struct snapshot *snapshot, const struct device *device,
    struct protection *protection, struct error *err) MUST_CHECK;

/* The key ring of the device.  ERROR_INPUT when its variable is damaged. */
int render_keyring(const struct device *device, struct keyring *ring,
    struct error *err) MUST_CHECK;

/* mask: instead of key and id; NULL: as they are.  Cleared also on failure. */
void render_key_clear(struct render_key *key);
int render_key_init(struct render_key *key, const struct snapshot *snapshot,
    const struct device *device, const char *mask,
    struct error *err) MUST_CHECK;

/* The value of one of the names above; NULL: another name. */
const char *render_key_field(const struct render_key *key, const char *name);

/* Is it the name of a profile rule? */
bool render_key_is_rule(const char *name);
/* The rule with the key; *text borrowed until render_key_clear(). */
int render_key_rule(struct render_key *key, const char *name, const char *rule,
    const char **text, struct error *err) MUST_CHECK;

#endif
