/*
 * privilege.h -- giving up root.
 */
#ifndef SERVER_PRIVILEGE_H
#define SERVER_PRIVILEGE_H

#include "base/error.h"

struct config;

/*
 * Become the configured user and group for good, and forbid gaining privileges
 * by exec.  Started as root without a "user" directive: the user "sprov" when
 * there is one, else ERROR_DENIED.  "user root" stays root, with a warning.
 * Not started as root: only checks that the configured user is who we are.
 */
int privilege_drop(const struct config *config, struct error *err) MUST_CHECK;

/* Before that: as many descriptors as the connections may need; a warning when
 * that cannot be. */
void privilege_raise_limits(const struct config *config);

#endif
