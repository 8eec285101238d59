/*
 * admins.h -- who may use the admin listener: accounts of people, tokens of
 * scripts.
 *
 * A file of its own beside the inventory.  It holds no password and no token:
 * of passwords what crypt(3) made of them, of tokens and one-time codes, which
 * are random, their SHA-256.  One process writes at a time and only for a
 * moment (it holds PATH.lock), any number read.
 */
#ifndef INVENTORY_ADMINS_H
#define INVENTORY_ADMINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "inventory/names.h"

struct audit_act;

/* Its name in the server's state directory. */
#define ADMINS_FILE "admin.db"
#define ADMINS_NAME_MAX 63
#define ADMINS_PASSWORD_HASH_MAX 383 /* CRYPT_OUTPUT_SIZE of crypt(3), less 1 */
#define ADMINS_SECRET_BYTES 32	     /* random, of a token */

/* What may be done; an account's role is a set of these. */
enum admin_scope {
	ADMIN_READ = 1,	    /* devices, events, plans: all that is looked at */
	ADMIN_WRITE = 2,    /* devices, groups, variables */
	ADMIN_METRICS = 4,  /* the figures for Prometheus */
	ADMIN_AUDIT = 8,    /* who changed what */
	ADMIN_ACCOUNTS = 16 /* accounts and tokens */
};
#define ADMIN_SCOPES 5
const char *admin_scope_name(enum admin_scope scope);

/* "read,metrics" to a set and back; ERROR_INPUT names the word that is none. */
int admin_scopes_parse(const char *text, unsigned *scopes,
    struct error *err) MUST_CHECK;
#define ADMIN_SCOPES_BYTES sizeof("read,write,metrics,audit,accounts")
void admin_scopes_format(unsigned scopes, char text[static ADMIN_SCOPES_BYTES]);

enum admin_role { ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN };
const char *admin_role_name(enum admin_role role);
int admin_role_parse(const char *text, enum admin_role *role,
    struct error *err) MUST_CHECK;
unsigned admin_role_scopes(enum admin_role role);

struct admin_account {
	char name[ADMINS_NAME_MAX + 1];
	enum admin_role role;
	char tenant[INVENTORY_NAME_MAX + 1]; /* a group; "": all of them */
	char password[ADMINS_PASSWORD_HASH_MAX + 1]; /* "": none set */
	bool has_code;				     /* for the first login */
	uint8_t code[32];			     /* SHA-256 */
	time_t code_until, created_at;
};

struct admin_token {
	char name[ADMINS_NAME_MAX + 1];
	unsigned scopes;
	char tenant[INVENTORY_NAME_MAX + 1];
	time_t created_at, until; /* until 0: it does not end */
};

/* 1 to ADMINS_NAME_MAX of letters, digits, "-", "_", "." and "@". */
int admins_check_name(const char *name, struct error *err) MUST_CHECK;

/* "", or what may be the name of a group. */
int admins_check_tenant(const char *group, struct error *err) MUST_CHECK;

/*
 * A code for the first login, good for a day: five groups of four hex digits,
 * for somebody to read out.  The account gets what is kept of it.
 */
#define ADMINS_CODE_BYTES sizeof("0000-0000-0000-0000-0000")
int admins_make_code(struct admin_account *account, time_t now,
    char code[static ADMINS_CODE_BYTES], struct error *err) MUST_CHECK;

struct admins;

/* Open; made when missing, unless read_only: ERROR_NOT_FOUND then. */
void admins_close(struct admins *admins); /* NULL is fine */
struct admins *admins_open(const char *path, bool read_only,
    struct error *err) MUST_CHECK FREED_BY(admins_close);

/* From now on every change is noted in that audit log (inventory/audit.h) just
 * before it comes true, or fails.  All is copied. */
void admins_use_audit(struct admins *admins, const char *audit_path,
    const struct audit_act *act, time_t at);

/* Add or replace an account / remove it: ERROR_NOT_FOUND. */
int admins_put_account(struct admins *admins,
    const struct admin_account *account, struct error *err) MUST_CHECK;
int admins_get_account(struct admins *admins, const char *name,
    struct admin_account *account, struct error *err) MUST_CHECK;
int admins_remove_account(struct admins *admins, const char *name,
    struct error *err) MUST_CHECK;

/* Add a token with the SHA-256 of its text; ERROR_INPUT when there is one of
 * that name. */
int admins_add_token(struct admins *admins, const struct admin_token *token,
    const uint8_t hash[static 32], struct error *err) MUST_CHECK;
/* By its hash.  ERROR_NOT_FOUND; whether it has ended is the caller's to see. */
int admins_find_token(struct admins *admins, const uint8_t hash[static 32],
    struct admin_token *token, struct error *err) MUST_CHECK;
int admins_get_token(struct admins *admins, const char *name,
    struct admin_token *token, struct error *err) MUST_CHECK;
int admins_remove_token(struct admins *admins, const char *name,
    struct error *err) MUST_CHECK;

/* Visit by name.  A visitor that returns non-zero ends the visit, and that value
 * is returned; -1 with err on failure. */
typedef int
admins_visit_account(const struct admin_account *account, void *arg);
typedef int admins_visit_token(const struct admin_token *token, void *arg);
int admins_each_account(struct admins *admins, admins_visit_account *visit,
    void *arg, struct error *err) MUST_CHECK;
int admins_each_token(struct admins *admins, admins_visit_token *visit,
    void *arg, struct error *err) MUST_CHECK;

/* What is kept of a token or a code. */
void admins_hash(const char *secret, uint8_t hash[static 32]);

#endif
