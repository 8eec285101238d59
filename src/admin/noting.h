/*
 * noting.h -- what is done here, in the audit log.
 */
#ifndef ADMIN_NOTING_H
#define ADMIN_NOTING_H

#include "base/addr.h"
#include "inventory/audit.h"

struct call;

/* Who asks, as the log names him; borrowed from the call and from address. */
struct audit_act noting_act(const struct call *call, const char *action,
    const char *object, char address[static ADDR_TEXT_BYTES]);

/* The log's path, the caller's to free(). */
char *noting_path(const struct call *call);

/* Note what changes nothing that is kept, such as a login.  That it cannot be
 * noted is logged, and holds up nobody: a full disk is to be looked at. */
void noting_add(const struct call *call, const struct audit_act *act);

#endif
