/*
 * plan_macs.h -- a million MAC addresses in 24 MB: which were there already?
 */
#ifndef PROVISION_PLAN_MACS_H
#define PROVISION_PLAN_MACS_H

#include <stddef.h>

#include "base/error.h"

struct mac;
struct plan_macs;

void plan_macs_free(struct plan_macs *macs);
struct plan_macs *plan_macs_new(void) MUST_CHECK FREED_BY(plan_macs_free);

/* Note that mac stands in that line (from 1).  0 when it is new, else the line
 * that had it. */
size_t
plan_macs_add(struct plan_macs *macs, const struct mac *mac, size_t line);

#endif
