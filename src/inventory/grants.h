/*
 * grants.h -- giving access to the admin listener, and taking it: what commands
 * and the API have in common.
 *
 * A secret that is made here is returned once, and nothing but its SHA-256 is
 * kept (admins.h).
 */
#ifndef INVENTORY_GRANTS_H
#define INVENTORY_GRANTS_H

#include <jansson.h>

#include "inventory/admins.h"

#define GRANTS_DAYS_MAX 3650 /* of a token that ends */
#define GRANTS_TOKEN_BYTES (sizeof("sprov_") + 2 * ADMINS_SECRET_BYTES)

/* Who is to be added, made now; ERROR_INPUT names the word that is wrong. */
int grants_read_account(struct admin_account *account, const char *name,
    const char *role, const char *group, time_t now,
    struct error *err) MUST_CHECK;
/* days 0: until it is removed. */
int grants_read_token(struct admin_token *token, const char *name,
    const char *scopes, const char *group, unsigned days, time_t now,
    struct error *err) MUST_CHECK;

/* Add it, unless there is one of that name (ERROR_INPUT), or make the password
 * of one that is there void; with a code for the next login. */
int grants_add_account(struct admins *admins, struct admin_account *account,
    time_t now, char code[static ADMINS_CODE_BYTES],
    struct error *err) MUST_CHECK;
int grants_reset_account(struct admins *admins, struct admin_account *account,
    time_t now, char code[static ADMINS_CODE_BYTES],
    struct error *err) MUST_CHECK;

/* Add it; text is what its bearer shows. */
int grants_add_token(struct admins *admins, const struct admin_token *token,
    char text[static GRANTS_TOKEN_BYTES], struct error *err) MUST_CHECK;

/* ERROR_DENIED unless all that is given is among what the giver has. */
int
grants_check_scopes(unsigned given, unsigned own, struct error *err) MUST_CHECK;

/* Could somebody still give access without that account?  ERROR_DENIED when it
 * is an admin limited to no group, and there is no other one with a password or
 * a code that is good. */
int
grants_check_last(struct admins *admins, const struct admin_account *account,
    time_t now, struct error *err) MUST_CHECK;

/* What is shown of one: nothing that lets anybody in. */
const char *grants_login_state(const struct admin_account *account, time_t now);
json_t *grants_account_json(const struct admin_account *account, time_t now);
json_t *grants_token_json(const struct admin_token *token);

#endif
