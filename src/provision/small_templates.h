/*
 * small_templates.h -- templates that are always there, unless the operator's
 * folder has one of that name.
 */
#ifndef PROVISION_SMALL_TEMPLATES_H
#define PROVISION_SMALL_TEMPLATES_H

#include "base/error.h"

struct templates;

/* A profile that changes nothing: for a path that leads nowhere. */
#define TEMPLATE_EMPTY "empty.xml"

/* A profile that only leads to newer firmware: {{upgrade_rule}} must be set. */
#define TEMPLATE_UPGRADE "upgrade.xml"

/* Add those that are not in the set yet. */
int
templates_add_small(struct templates *templates, struct error *err) MUST_CHECK;

#endif
