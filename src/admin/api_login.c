/*
 * Logging in and out: a browser's session, and the first password.
 */
#include "admin/access.h"
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/noting.h"
#include "admin/password.h"
#include "admin/session.h"
#include "admin/site.h"
#include "base/file.h"
#include "base/log.h"
#include "server/config.h"
#include "server/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

static struct admins *
open_admins(struct call *call, bool read_only)
{
	char *path = file_join(service_config(call->service)->state_directory,
	    ADMINS_FILE);
	struct error err;
	struct admins *admins = admins_open(path, read_only, &err);

	free(path);
	if (admins == NULL && !(read_only && err.kind == ERROR_NOT_FOUND)) {
		call_add_field(call, "Retry-After: 1");
		call_problem(call, 503, "accounts cannot be %s now",
		    read_only ? "read" : "changed");
	}
	return admins;
}

/* An account that is not there is one without password and code. */
static void
get_account(struct admins *admins, const char *name,
    struct admin_account *account)
{
	struct error ignored;

	*account = (struct admin_account) { .has_code = false };
	if (admins_check_name(name, &ignored) == 0 &&
	    admins_get_account(admins, name, account, &ignored) != 0)
		*account = (struct admin_account) { .has_code = false };
}

/* False: a problem is the answer. */
static bool
is_allowed_to_try(struct call *call, const char *name, const char *address)
{
	struct sessions *sessions = site_sessions(call->site);
	unsigned wait = sessions_must_wait(sessions, name, call->now);
	unsigned other = sessions_must_wait(sessions, address, call->now);

	if (other > wait)
		wait = other;
	if (wait == 0)
		return true;
	call_add_field(call, "Retry-After: %u", wait);
	call_problem(call, 429, "too many tries: the next one in %u s", wait);
	return false;
}

static void
log_try(const struct call *call, const char *name, const char *address,
    bool good)
{
	const struct audit_act act = {
		.by = good ? AUDIT_ACCOUNT : AUDIT_NOBODY,
		.who = name,
		.from = address,
		.action = "login",
		.refused = !good,
	};
	struct log_line line;

	noting_add(call, &act);
	log_begin(&line, good ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    good ? "login" : "login-refused");
	log_text(&line, "source", address);
	log_text(&line, "who", name);
	log_end(&line);
}

static void
note_password(const struct call *call, struct admins *admins,
    const struct admin_account *account)
{
	char address[ADDR_TEXT_BYTES], *path = noting_path(call);
	struct audit_act act = noting_act(call, "password set", account->name,
	    address);

	act.who = account->name; /* also the first time */
	admins_use_audit(admins, path, &act, call->now);
	free(path);
}

/* The code is good once: then the password is what counts. */
static int
set_password(struct call *call, struct admin_account *account,
    const char *password)
{
	struct admins *admins;
	struct error err;
	int rc;

	if (password_check(password, &err) != 0 ||
	    password_hash(password, account->password, &err) != 0) {
		call_error(call, &err);
		return -1;
	}
	account->has_code = false;
	OPENSSL_cleanse(account->code, sizeof(account->code));
	account->code_until = 0;
	admins = open_admins(call, false);
	if (admins == NULL)
		return -1;
	note_password(call, admins, account);
	rc = admins_put_account(admins, account, &err);
	admins_close(admins);
	if (rc != 0)
		call_error(call, &err);
	return rc;
}

static bool
code_matches(const struct call *call, const struct admin_account *account,
    const char *code)
{
	uint8_t hash[32];

	admins_hash(code, hash);
	return account->has_code && call->now < account->code_until &&
	    CRYPTO_memcmp(hash, account->code, sizeof(hash)) == 0;
}

static void
answer_session(struct call *call, const struct admin_account *account)
{
	char text[SESSION_TEXT_BYTES], scopes[ADMIN_SCOPES_BYTES];
	struct error err;

	if (sessions_begin(site_sessions(call->site), account, call->now, text,
		&err) != 0) {
		call_error(call, &err);
		return;
	}
	call_add_field(call,
	    "Set-Cookie: " SESSION_COOKIE
	    "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%d",
	    text, SESSION_LIFE_S);
	OPENSSL_cleanse(text, sizeof(text));
	admin_scopes_format(admin_role_scopes(account->role), scopes);
	call_json(call, 200,
	    json_pack("{ss ss ss so}", "name", account->name, "scopes", scopes,
		"tenant", account->tenant, "now", call_time(call->now)));
}

static void
try_login(struct call *call, const char *name, const char *password,
    const char *code)
{
	char address[ADDR_TEXT_BYTES];
	struct sessions *sessions = site_sessions(call->site);
	struct admin_account account = { .has_code = false };
	struct admins *admins;
	bool good;

	addr_format_host(&call->source, address);
	if (!is_allowed_to_try(call, name, address))
		return;
	call->status = 0;
	admins = open_admins(call, true);
	if (admins == NULL && call->status == 503)
		return;
	if (admins != NULL)
		get_account(admins, name, &account);
	admins_close(admins);
	good = code != NULL ? code_matches(call, &account, code) :
			      password_matches(password, account.password);
	sessions_tried(sessions, name, good, call->now);
	sessions_tried(sessions, address, good, call->now);
	log_try(call, name, address, good);
	if (!good)
		call_problem(call, 401, "name and %s do not belong together",
		    code != NULL ? "code" : "password");
	else if (code == NULL || set_password(call, &account, password) == 0)
		answer_session(call, &account);
	OPENSSL_cleanse(&account, sizeof(account));
}

void
api_login(struct call *call, const char *text)
{
	json_t *json = call_body_json(call);
	const char *name = NULL, *password = NULL, *code = NULL;
	json_error_t wrong;

	(void)text;
	if (json == NULL)
		return;
	if (json_unpack_ex(json, &wrong, JSON_STRICT, "{ss ss s?s}", "name",
		&name, "password", &password, "code", &code) != 0)
		call_problem(call, 422,
		    "expected {\"name\", \"password\"} or, the first time, "
		    "{\"name\", \"code\", \"password\"}: %s",
		    wrong.text);
	else if (strlen(name) > ADMINS_NAME_MAX ||
	    strlen(password) > PASSWORD_MAX)
		call_problem(call, 422, "the name or the password is too long");
	else
		try_login(call, name, password, code);
	call_wipe_json(json);
}

static void
note_logout(const struct call *call)
{
	char address[ADDR_TEXT_BYTES];
	struct audit_act act = noting_act(call, "logout", NULL, address);

	/* Of a session that had ended nobody is known. */
	if (call->caller.by_session)
		noting_add(call, &act);
}

void
api_logout(struct call *call, const char *text)
{
	char session[SESSION_TEXT_BYTES];

	(void)text;
	if (access_session(call, session)) {
		sessions_end(site_sessions(call->site), session);
		note_logout(call);
	}
	call_add_field(call,
	    "Set-Cookie: " SESSION_COOKIE
	    "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
	call_done(call);
}

static void
change_password(struct call *call, const char *old, const char *new)
{
	char address[ADDR_TEXT_BYTES];
	struct sessions *sessions = site_sessions(call->site);
	struct admin_account account = { .has_code = false };
	const char *name = call->caller.name;
	struct admins *admins;

	addr_format_host(&call->source, address);
	if (!is_allowed_to_try(call, name, address))
		return;
	call->status = 0;
	admins = open_admins(call, true);
	if (admins == NULL && call->status == 503)
		return;
	if (admins != NULL)
		get_account(admins, name, &account);
	admins_close(admins);
	if (!password_matches(old, account.password)) {
		sessions_tried(sessions, name, false, call->now);
		sessions_tried(sessions, address, false, call->now);
		call_problem(call, 403, "that is not the password");
	} else if (set_password(call, &account, new) == 0) {
		/* All sessions of before are of another password. */
		answer_session(call, &account);
	}
	OPENSSL_cleanse(&account, sizeof(account));
}

void
api_password(struct call *call, const char *text)
{
	json_t *json = call_body_json(call);
	const char *old = NULL, *new = NULL;

	(void)text;
	if (json == NULL)
		return;
	if (!call->caller.by_session)
		call_problem(call, 403, "only who is logged in has a password");
	else if (json_unpack_ex(json, NULL, JSON_STRICT, "{ss ss}", "old", &old,
		     "new", &new) != 0)
		call_problem(call, 422, "expected {\"old\", \"new\"}");
	else if (strlen(old) > PASSWORD_MAX || strlen(new) > PASSWORD_MAX)
		call_problem(call, 422, "the password is too long");
	else
		change_password(call, old, new);
	call_wipe_json(json);
}
