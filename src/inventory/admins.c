#include "inventory/admins.h"
#include "inventory/audit.h"
#include "inventory/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define CODE_RANDOM_BYTES 10
#define CODE_GOOD_S (24 * 3600)

static const char schema[] =
    "CREATE TABLE account ("
    " name TEXT NOT NULL PRIMARY KEY,"
    " role INTEGER NOT NULL,"
    " tenant TEXT NOT NULL,"
    " password TEXT NOT NULL,"
    " code BLOB,"
    " code_until INTEGER NOT NULL," /* seconds since 1970, UTC */
    " created_at INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE token ("
    " name TEXT NOT NULL PRIMARY KEY,"
    " hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),"
    " scopes INTEGER NOT NULL,"
    " tenant TEXT NOT NULL,"
    " created_at INTEGER NOT NULL,"
    " until INTEGER NOT NULL" /* 0: never */
    ") STRICT, WITHOUT ROWID;";

static const char *const migrations[] = { schema };

static const struct sqlite_kind kind = {
	.name = "list of accounts",
	.update = "sprov admin",
	.application_id = 0x53505241, /* "SPRA" */
	.synchronous = "FULL",
	.migrations = migrations,
	.migration_count = 1,
};

struct admins {
	struct sqlite_file file;
	struct audit_note *note; /* NULL: nobody wants to know */
};

/* ------------------------------------------------------------------ words */

static const char *const scope_names[ADMIN_SCOPES] = { "read", "write",
	"metrics", "audit", "accounts" };
static const char *const role_names[] = { "viewer", "operator", "admin" };

const char *
admin_scope_name(enum admin_scope scope)
{
	for (size_t i = 0; i < ADMIN_SCOPES; i++)
		if ((1U << i) == (unsigned)scope)
			return scope_names[i];
	return "?";
}

static int
scope_parse(const char *text, size_t len, unsigned *scopes, struct error *err)
{
	for (size_t i = 0; i < ADMIN_SCOPES; i++)
		if (strlen(scope_names[i]) == len &&
		    strncmp(scope_names[i], text, len) == 0) {
			*scopes |= 1U << i;
			return 0;
		}
	return error_set(err, ERROR_INPUT,
	    "\"%.*s\" is no scope: expected a list of read, write, metrics, "
	    "audit, accounts",
	    (int)(len < 40 ? len : 40), text);
}

int
admin_scopes_parse(const char *text, unsigned *scopes, struct error *err)
{
	unsigned found = 0;

	for (;;) {
		size_t len = strcspn(text, ",");

		if (scope_parse(text, len, &found, err) != 0)
			return -1;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*scopes = found;
	return 0;
}

void
admin_scopes_format(unsigned scopes, char text[static ADMIN_SCOPES_BYTES])
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < ADMIN_SCOPES; i++)
		if ((scopes & 1U << i) != 0)
			len += (size_t)snprintf(text + len,
			    ADMIN_SCOPES_BYTES - len, "%s%s",
			    len > 0 ? "," : "", scope_names[i]);
}

const char *
admin_role_name(enum admin_role role)
{
	return role_names[role];
}

int
admin_role_parse(const char *text, enum admin_role *role, struct error *err)
{
	for (size_t i = 0; i < sizeof(role_names) / sizeof(*role_names); i++)
		if (strcmp(text, role_names[i]) == 0) {
			*role = (enum admin_role)i;
			return 0;
		}
	return error_set(err, ERROR_INPUT,
	    "\"%.40s\" is no role: expected viewer, operator or admin", text);
}

unsigned
admin_role_scopes(enum admin_role role)
{
	static const unsigned scopes[] = {
		[ROLE_VIEWER] = ADMIN_READ | ADMIN_METRICS,
		[ROLE_OPERATOR] = ADMIN_READ | ADMIN_METRICS | ADMIN_WRITE |
		    ADMIN_AUDIT,
		[ROLE_ADMIN] = ADMIN_READ | ADMIN_METRICS | ADMIN_WRITE |
		    ADMIN_AUDIT | ADMIN_ACCOUNTS,
	};

	return scopes[role];
}

int
admins_check_name(const char *name, struct error *err)
{
	size_t len = strlen(name);

	if (len > 0 && len <= ADMINS_NAME_MAX &&
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_.@") == len)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "\"%.40s\" is no name: expected 1 to %d of letters, digits, \"-\", "
	    "\"_\", \".\" and \"@\"",
	    name, ADMINS_NAME_MAX);
}

int
admins_check_tenant(const char *group, struct error *err)
{
	if (strlen(group) <= INVENTORY_NAME_MAX)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "\"%.40s...\" is no group: expected at most %d bytes", group,
	    INVENTORY_NAME_MAX);
}

void
admins_hash(const char *secret, uint8_t hash[static 32])
{
	if (EVP_Digest(secret, strlen(secret), hash, NULL, EVP_sha256(),
		NULL) != 1)
		abort(); /* SHA-256 over memory does not fail */
}

int
admins_make_code(struct admin_account *account, time_t now,
    char code[static ADMINS_CODE_BYTES], struct error *err)
{
	uint8_t random[CODE_RANDOM_BYTES];
	char hex[2 * CODE_RANDOM_BYTES + 1];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return error_set(err, ERROR_SYSTEM, "no random numbers");
	text_hex(random, sizeof(random), hex);
	(void)snprintf(code, ADMINS_CODE_BYTES, "%.4s-%.4s-%.4s-%.4s-%.4s", hex,
	    hex + 4, hex + 8, hex + 12, hex + 16);
	admins_hash(code, account->code);
	account->has_code = true;
	account->code_until = now + CODE_GOOD_S;
	OPENSSL_cleanse(random, sizeof(random));
	OPENSSL_cleanse(hex, sizeof(hex));
	return 0;
}

/* ------------------------------------------------------------------- file */

struct admins *
admins_open(const char *path, bool read_only, struct error *err)
{
	struct admins *admins = xcalloc(1, sizeof(*admins));

	if (sqlite_file_open(&admins->file, &kind, path, read_only, err) == 0)
		return admins;
	free(admins);
	return NULL;
}

void
admins_close(struct admins *admins)
{
	if (admins == NULL)
		return;
	sqlite_file_close(&admins->file);
	audit_note_free(admins->note);
	free(admins);
}

void
admins_use_audit(struct admins *admins, const char *audit_path,
    const struct audit_act *act, time_t at)
{
	audit_note_free(admins->note);
	admins->note = audit_note_new(audit_path, act, at);
}

static sqlite3_stmt *
prepare(struct admins *admins, const char *sql, struct error *err)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(admins->file.db, sql, -1, &stmt, NULL) ==
	    SQLITE_OK)
		return stmt;
	(void)sqlite_file_error(&admins->file, "cannot use it", err);
	return NULL;
}

static void
bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	(void)sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

static void
copy_text(sqlite3_stmt *stmt, int column, char *text, size_t size)
{
	const unsigned char *from = sqlite3_column_text(stmt, column);

	(void)snprintf(text, size, "%s",
	    from != NULL ? (const char *)from : "");
}

static int
begin(struct admins *admins, struct error *err)
{
	return sqlite_file_exec(&admins->file, "BEGIN IMMEDIATE", err);
}

/* What began ends: it comes true when rc is 0 and it is noted.  detail (NULL:
 * none) is taken. */
static int
end_with(struct admins *admins, const char *name, json_t *detail, int rc,
    struct error *err)
{
	if (rc == 0 && admins->note != NULL)
		rc = audit_note_add(admins->note, name, false, detail, NULL,
		    err);
	else
		json_decref(detail);
	if (rc == 0 && sqlite_file_exec(&admins->file, "COMMIT", err) == 0)
		return 0;
	(void)sqlite3_exec(admins->file.db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int
end(struct admins *admins, const char *name, int rc, struct error *err)
{
	return end_with(admins, name, NULL, rc, err);
}

/* Run to its end what yields no rows. */
static int
run(struct admins *admins, sqlite3_stmt *stmt, struct error *err)
{
	int rc = 0;

	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = sqlite_file_error(&admins->file, "cannot write it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

/* ---------------------------------------------------------------- accounts */

int
admins_put_account(struct admins *admins, const struct admin_account *account,
    struct error *err)
{
	sqlite3_stmt *stmt;

	if (admins_check_name(account->name, err) != 0 ||
	    begin(admins, err) != 0)
		return -1;
	stmt = prepare(admins,
	    "INSERT OR REPLACE INTO account VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
	    "?7)",
	    err);
	if (stmt == NULL)
		return end(admins, account->name, -1, err);
	bind_text(stmt, 1, account->name);
	(void)sqlite3_bind_int(stmt, 2, (int)account->role);
	bind_text(stmt, 3, account->tenant);
	bind_text(stmt, 4, account->password);
	if (account->has_code)
		(void)sqlite3_bind_blob(stmt, 5, account->code,
		    sizeof(account->code), SQLITE_STATIC);
	(void)sqlite3_bind_int64(stmt, 6, account->code_until);
	(void)sqlite3_bind_int64(stmt, 7, account->created_at);
	return end_with(admins, account->name,
	    json_pack("{ss ss}", "role", admin_role_name(account->role),
		"group", account->tenant),
	    run(admins, stmt, err), err);
}

/* Of a role that there is not, the least one. */
static void
read_account(sqlite3_stmt *stmt, struct admin_account *account)
{
	int role = sqlite3_column_int(stmt, 1);
	const void *code = sqlite3_column_blob(stmt, 4);

	*account = (struct admin_account) {
		.role = role == ROLE_ADMIN || role == ROLE_OPERATOR ?
		    (enum admin_role)role :
		    ROLE_VIEWER,
		.code_until = sqlite3_column_int64(stmt, 5),
		.created_at = sqlite3_column_int64(stmt, 6),
	};
	copy_text(stmt, 0, account->name, sizeof(account->name));
	copy_text(stmt, 2, account->tenant, sizeof(account->tenant));
	copy_text(stmt, 3, account->password, sizeof(account->password));
	account->has_code = code != NULL &&
	    sqlite3_column_bytes(stmt, 4) == (int)sizeof(account->code);
	if (account->has_code)
		memcpy(account->code, code, sizeof(account->code));
}

static int
remove_row(struct admins *admins, const char *sql, const char *what,
    const char *name, struct error *err)
{
	sqlite3_stmt *stmt;
	int rc = -1;

	if (begin(admins, err) != 0)
		return -1;
	stmt = prepare(admins, sql, err);
	if (stmt != NULL) {
		bind_text(stmt, 1, name);
		rc = run(admins, stmt, err);
	}
	if (rc == 0 && sqlite3_changes(admins->file.db) == 0)
		rc = error_set(err, ERROR_NOT_FOUND, "there is no %s \"%.63s\"",
		    what, name);
	return end(admins, name, rc, err);
}

int
admins_remove_account(struct admins *admins, const char *name,
    struct error *err)
{
	return remove_row(admins, "DELETE FROM account WHERE name = ?1",
	    "account", name, err);
}

int
admins_each_account(struct admins *admins, admins_visit_account *visit,
    void *arg, struct error *err)
{
	sqlite3_stmt *stmt = prepare(admins,
	    "SELECT * FROM account ORDER BY name", err);
	struct admin_account account;
	int row = SQLITE_DONE, rc = 0;

	if (stmt == NULL)
		return -1;
	while (rc == 0 && (row = sqlite3_step(stmt)) == SQLITE_ROW) {
		read_account(stmt, &account);
		rc = visit(&account, arg);
	}
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&admins->file, "cannot read it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

int
admins_get_account(struct admins *admins, const char *name,
    struct admin_account *account, struct error *err)
{
	sqlite3_stmt *stmt = prepare(admins,
	    "SELECT * FROM account WHERE name = ?1", err);
	int row, rc = 0;

	if (stmt == NULL)
		return -1;
	bind_text(stmt, 1, name);
	row = sqlite3_step(stmt);
	if (row == SQLITE_ROW)
		read_account(stmt, account);
	else if (row == SQLITE_DONE)
		rc = error_set(err, ERROR_NOT_FOUND,
		    "there is no account \"%.63s\"", name);
	else
		rc = sqlite_file_error(&admins->file, "cannot read it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

/* ------------------------------------------------------------------ tokens */

/* What it is good for, for the audit log. */
static json_t *
token_detail(const struct admin_token *token)
{
	char scopes[ADMIN_SCOPES_BYTES], until[CLOCK_TEXT_BYTES];

	admin_scopes_format(token->scopes, scopes);
	clock_format(token->until, until);
	return json_pack("{ss ss ss*}", "scopes", scopes, "group",
	    token->tenant, "until", token->until != 0 ? until : NULL);
}

int
admins_add_token(struct admins *admins, const struct admin_token *token,
    const uint8_t hash[static 32], struct error *err)
{
	sqlite3_stmt *stmt;
	int row, rc = 0;

	if (admins_check_name(token->name, err) != 0 || begin(admins, err) != 0)
		return -1;
	stmt = prepare(admins,
	    "INSERT INTO token VALUES (?1, ?2, ?3, ?4, ?5, ?6)", err);
	if (stmt == NULL)
		return end(admins, token->name, -1, err);
	bind_text(stmt, 1, token->name);
	(void)sqlite3_bind_blob(stmt, 2, hash, 32, SQLITE_STATIC);
	(void)sqlite3_bind_int64(stmt, 3, token->scopes);
	bind_text(stmt, 4, token->tenant);
	(void)sqlite3_bind_int64(stmt, 5, token->created_at);
	(void)sqlite3_bind_int64(stmt, 6, token->until);
	row = sqlite3_step(stmt);
	if ((row & 0xff) == SQLITE_CONSTRAINT) /* of any kind */
		rc = error_set(err, ERROR_INPUT,
		    "there is a token \"%s\" already: expected another name, "
		    "or remove it first",
		    token->name);
	else if (row != SQLITE_DONE)
		rc = sqlite_file_error(&admins->file, "cannot write it", err);
	(void)sqlite3_finalize(stmt);
	return end_with(admins, token->name, token_detail(token), rc, err);
}

static void
read_token(sqlite3_stmt *stmt, struct admin_token *token)
{
	*token = (struct admin_token) {
		.scopes = (unsigned)sqlite3_column_int(stmt, 1),
		.created_at = sqlite3_column_int64(stmt, 3),
		.until = sqlite3_column_int64(stmt, 4),
	};
	copy_text(stmt, 0, token->name, sizeof(token->name));
	copy_text(stmt, 2, token->tenant, sizeof(token->tenant));
}

/* stmt is taken. */
static int
step_token(struct admins *admins, sqlite3_stmt *stmt, const char *name,
    struct admin_token *token, struct error *err)
{
	int row = sqlite3_step(stmt), rc = 0;

	if (row == SQLITE_ROW)
		read_token(stmt, token);
	else if (row != SQLITE_DONE)
		rc = sqlite_file_error(&admins->file, "cannot read it", err);
	else if (name != NULL)
		rc = error_set(err, ERROR_NOT_FOUND,
		    "there is no token \"%.63s\"", name);
	else
		rc = error_set(err, ERROR_NOT_FOUND, "there is no such token");
	(void)sqlite3_finalize(stmt);
	return rc;
}

int
admins_find_token(struct admins *admins, const uint8_t hash[static 32],
    struct admin_token *token, struct error *err)
{
	sqlite3_stmt *stmt = prepare(admins,
	    "SELECT name, scopes, tenant, created_at, until FROM token"
	    " WHERE hash = ?1",
	    err);

	if (stmt == NULL)
		return -1;
	(void)sqlite3_bind_blob(stmt, 1, hash, 32, SQLITE_STATIC);
	return step_token(admins, stmt, NULL, token, err);
}

int
admins_get_token(struct admins *admins, const char *name,
    struct admin_token *token, struct error *err)
{
	sqlite3_stmt *stmt = prepare(admins,
	    "SELECT name, scopes, tenant, created_at, until FROM token"
	    " WHERE name = ?1",
	    err);

	if (stmt == NULL)
		return -1;
	bind_text(stmt, 1, name);
	return step_token(admins, stmt, name, token, err);
}

int
admins_remove_token(struct admins *admins, const char *name, struct error *err)
{
	return remove_row(admins, "DELETE FROM token WHERE name = ?1", "token",
	    name, err);
}

int
admins_each_token(struct admins *admins, admins_visit_token *visit, void *arg,
    struct error *err)
{
	sqlite3_stmt *stmt = prepare(admins,
	    "SELECT name, scopes, tenant, created_at, until FROM token"
	    " ORDER BY name",
	    err);
	struct admin_token token;
	int row = SQLITE_DONE, rc = 0;

	if (stmt == NULL)
		return -1;
	while (rc == 0 && (row = sqlite3_step(stmt)) == SQLITE_ROW) {
		read_token(stmt, &token);
		rc = visit(&token, arg);
	}
	if (rc == 0 && row != SQLITE_DONE)
		rc = sqlite_file_error(&admins->file, "cannot read it", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}
