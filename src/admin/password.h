/*
 * password.h -- passwords by crypt(3), with yescrypt.
 *
 * Each takes some tens of milliseconds and 16 MB, on purpose: for the pool.
 */
#ifndef ADMIN_PASSWORD_H
#define ADMIN_PASSWORD_H

#include <stdbool.h>

#include "base/error.h"
#include "inventory/admins.h"

#define PASSWORD_MIN 12 /* bytes */
#define PASSWORD_MAX 256

/* May it be one?  ERROR_INPUT says what is expected. */
int password_check(const char *password, struct error *err) MUST_CHECK;

/* What is kept of it. */
int password_hash(const char *password,
    char hash[static ADMINS_PASSWORD_HASH_MAX + 1],
    struct error *err) MUST_CHECK;

/* Is it the one of which hash was kept?  With hash "" (there is no such account,
 * or it has no password) it takes as long, and is not. */
bool password_matches(const char *password, const char *hash);

#endif
