/*
 * noting.h -- what is done here, in the audit log.
 */
#ifndef ADMIN_NOTING_H
#define ADMIN_NOTING_H

#include "base/addr.h"
#include "inventory/audit.h"

struct call;
struct refusals_rest;
struct site;

/* Who asks, as the log names him; borrowed from the call and from address. */
struct audit_act noting_act(const struct call *call, const char *action,
    const char *object, char address[static ADDR_TEXT_BYTES]);

/* The log's path, the caller's to free(). */
char *noting_path(const struct call *call);

/* Note what changes nothing that is kept, such as a login.  That it cannot be
 * noted is logged, and holds up nobody: a full disk is to be looked at. */
void noting_add(const struct call *call, const struct audit_act *act);

/* Note a write that was refused to somebody who is known, as often as
 * refusals.h lets one; object may be NULL. */
void
noting_refused(const struct call *call, const char *action, const char *object);

/* Note how many were not noted one by one. */
void
noting_rest(struct site *site, const struct refusals_rest *rest, time_t now);

#endif
