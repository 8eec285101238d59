/*
 * decision_parts.h -- the parts of decision.c: what each makes of a request.
 * DECISION_OWN_PROFILE means that nothing speaks against it.
 */
#ifndef PROVISION_DECISION_PARTS_H
#define PROVISION_DECISION_PARTS_H

#include <stdbool.h>

#include "provision/decision.h"

/* decision.c */

/* A certificate that many have, or that somebody else may have. */
bool decision_is_generic(const struct decision_input *input);

/*
 * The inventory may know more than the MAC: what it knows must agree.  A
 * product that the registry does not know proves nothing either way.
 */
enum decision_reason decision_judge_device(const struct decision_input *input,
    const struct device *device);

/* What the path is for, and whether it is for this device. */
enum decision_reason decision_judge_path(const struct decision_input *input,
    const struct device *device, struct route_match *route);

/* decision_plain.c */

/*
 * The key that the request names.  With KEY_NOT_DELIVERED all else is right:
 * over mutual TLS that is no obstacle, the certificate is the identity there.
 */
enum decision_reason decision_judge_key(const struct decision_input *input,
    struct decision *decision);

/* Somebody on the wire, who may be anybody. */
enum decision_reason decision_judge_plain(const struct decision_input *input,
    struct decision *decision);

/* decision_exception.c */

/* A refusal of a certificate that an exception may make up for; else it is what
 * comes back, or what the exception has against it. */
enum decision_reason
decision_judge_exceptions(const struct decision_input *input,
    struct decision *decision, enum decision_reason refusal);

#endif
