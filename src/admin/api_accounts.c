/*
 * Who may use the admin listener: accounts of people, tokens of scripts.  For
 * who has the scope for it, and is limited to no group.
 */
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/noting.h"
#include "admin/site.h"
#include "admin/writing.h"
#include "base/file.h"
#include "inventory/grants.h"
#include "server/config.h"
#include "server/service.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

/* -------------------------------------------------------------- open, close */

static void
fail(struct call *call, const struct error *err)
{
	/* Another process changes it, for instance. */
	if (err->kind == ERROR_SYSTEM)
		call_add_field(call, "Retry-After: 2");
	call_error(call, err);
}

/* For reading (action NULL), or for changing it, alone; NULL: a problem is the
 * answer. */
static struct admins *
begin(struct call *call, const char *action)
{
	struct admins *admins;
	struct error err;
	char *path;

	if (!call_no_others(call))
		return NULL;
	if (*call->caller.tenant != '\0') {
		call_problem(call, 403,
		    "who is limited to a group gives nobody access");
		return NULL;
	}
	if (action != NULL)
		site_write_lock(call->site);
	path = file_join(service_config(call->service)->state_directory,
	    ADMINS_FILE);
	admins = admins_open(path, action == NULL, &err);
	free(path);
	if (admins == NULL) {
		fail(call, &err);
		if (action != NULL)
			site_write_unlock(call->site);
	} else if (action != NULL) {
		char address[ADDR_TEXT_BYTES];
		struct audit_act act = noting_act(call, action, NULL, address);

		path = noting_path(call);
		admins_use_audit(admins, path, &act, call->now);
		free(path);
	}
	return admins;
}

static void
end_change(struct call *call, struct admins *admins)
{
	admins_close(admins);
	site_write_unlock(call->site);
}

/* ----------------------------------------------------------------- accounts */

struct listing {
	json_t *list;
	time_t now;
};

static int
add_account(const struct admin_account *account, void *arg)
{
	const struct listing *listing = arg;

	return json_array_append_new(listing->list,
	    grants_account_json(account, listing->now));
}

static int
add_token(const struct admin_token *token, void *arg)
{
	const struct listing *listing = arg;

	return json_array_append_new(listing->list, grants_token_json(token));
}

static void
answer_list(struct call *call, bool tokens)
{
	struct listing listing = { .now = call->now };
	struct admins *admins = begin(call, NULL);
	struct error err = { 0 };
	int rc;

	if (admins == NULL)
		return;
	listing.list = json_array();
	rc = tokens ? admins_each_token(admins, add_token, &listing, &err) :
		      admins_each_account(admins, add_account, &listing, &err);
	if (rc == 0)
		call_json(call, 200,
		    json_pack("{sO}", tokens ? "tokens" : "accounts",
			listing.list));
	else
		fail(call, &err);
	json_decref(listing.list);
	admins_close(admins);
}

void
api_accounts(struct call *call, const char *text)
{
	(void)text;
	answer_list(call, false);
}

static void
set_account_version(struct call *call, const struct admin_account *account)
{
	char tag[WRITING_TAG_BYTES];

	writing_tag_account(call, account, tag);
	memcpy(call->version, tag, sizeof(tag));
}

/* False: a problem is the answer. */
static bool
find_account(struct call *call, struct admins *admins, const char *text,
    struct admin_account *account)
{
	struct error err;

	if (admins_get_account(admins, text, account, &err) == 0)
		return true;
	fail(call, &err);
	return false;
}

void
api_account(struct call *call, const char *text)
{
	struct admins *admins = begin(call, NULL);
	struct admin_account account;

	if (admins == NULL)
		return;
	if (find_account(call, admins, text, &account)) {
		set_account_version(call, &account);
		call_json(call, 200, grants_account_json(&account, call->now));
		OPENSSL_cleanse(&account, sizeof(account));
	}
	admins_close(admins);
}

/* A code lets somebody in for as long as he likes, with the rights of the role.
 * False: a problem is the answer. */
static bool
may_let_in(struct call *call, const struct admin_account *account)
{
	struct error err;

	if (call->caller.until != 0)
		call_problem(call, 403,
		    "a token that ends gives nobody a login without an end");
	else if (grants_check_scopes(admin_role_scopes(account->role),
		     call->caller.scopes, &err) != 0)
		call_error(call, &err);
	else
		return true;
	return false;
}

static void
answer_code(struct call *call, int status, const struct admin_account *account,
    char code[static ADMINS_CODE_BYTES])
{
	set_account_version(call, account);
	call_json_secret(call, status, grants_account_json(account, call->now),
	    "code", code);
	OPENSSL_cleanse(code, ADMINS_CODE_BYTES);
}

static bool
is_new_account(struct call *call, struct admins *admins, const char *name)
{
	struct admin_account there;
	struct error ignored;

	if (admins_get_account(admins, name, &there, &ignored) != 0)
		return true;
	OPENSSL_cleanse(&there, sizeof(there));
	call_problem(call, 409, "there is an account \"%s\" already", name);
	return false;
}

static void
create_account(struct call *call, struct admin_account *account)
{
	char code[ADMINS_CODE_BYTES];
	struct admins *admins;
	struct error err;

	if (!may_let_in(call, account) ||
	    (admins = begin(call, "admin add")) == NULL)
		return;
	if (is_new_account(call, admins, account->name)) {
		if (grants_add_account(admins, account, call->now, code,
			&err) == 0) {
			call_add_field(call, "Location: /api/v1/accounts/%s",
			    account->name);
			answer_code(call, 201, account, code);
		} else {
			fail(call, &err);
		}
	}
	end_change(call, admins);
}

void
api_account_add(struct call *call, const char *text)
{
	const char *name = NULL, *role = "viewer", *group = "";
	json_t *json = call_body_json(call);
	struct admin_account account;
	json_error_t wrong;
	struct error err;

	(void)text;
	if (json == NULL)
		return;
	if (json_unpack_ex(json, &wrong, JSON_STRICT, "{ss s?s s?s}", "name",
		&name, "role", &role, "group", &group) != 0)
		call_problem(call, 422,
		    "expected {\"name\"} with \"role\" and \"group\": %s",
		    wrong.text);
	else if (grants_read_account(&account, name, role, group, call->now,
		     &err) != 0)
		call_error(call, &err);
	else
		create_account(call, &account);
	json_decref(json);
}

/* Opened for a change of that account, which the caller may make.  NULL: a
 * problem is the answer. */
static struct admins *
begin_account(struct call *call, const char *action, const char *text,
    struct admin_account *account)
{
	struct admins *admins = begin(call, action);
	char tag[WRITING_TAG_BYTES];
	struct error err;

	if (admins == NULL)
		return NULL;
	if (find_account(call, admins, text, account)) {
		writing_tag_account(call, account, tag);
		if (writing_matches(call, tag)) {
			if (grants_check_last(admins, account, call->now,
				&err) == 0)
				return admins;
			fail(call, &err);
		}
		OPENSSL_cleanse(account, sizeof(*account));
	}
	end_change(call, admins);
	return NULL;
}

void
api_account_reset(struct call *call, const char *text)
{
	char code[ADMINS_CODE_BYTES];
	struct admin_account account;
	struct admins *admins;
	struct error err;

	admins = begin_account(call, "admin reset", text, &account);
	if (admins == NULL)
		return;
	if (may_let_in(call, &account)) {
		if (grants_reset_account(admins, &account, call->now, code,
			&err) == 0)
			answer_code(call, 200, &account, code);
		else
			fail(call, &err);
	}
	OPENSSL_cleanse(&account, sizeof(account));
	end_change(call, admins);
}

void
api_account_remove(struct call *call, const char *text)
{
	struct admin_account account;
	struct admins *admins;
	struct error err;

	admins = begin_account(call, "admin remove", text, &account);
	if (admins == NULL)
		return;
	if (admins_remove_account(admins, account.name, &err) == 0)
		call_done(call);
	else
		fail(call, &err);
	OPENSSL_cleanse(&account, sizeof(account));
	end_change(call, admins);
}

/* ------------------------------------------------------------------- tokens */

void
api_tokens(struct call *call, const char *text)
{
	(void)text;
	answer_list(call, true);
}

static bool
find_token(struct call *call, struct admins *admins, const char *text,
    struct admin_token *token)
{
	struct error err;

	if (admins_get_token(admins, text, token, &err) == 0)
		return true;
	fail(call, &err);
	return false;
}

static void
set_token_version(struct call *call, const struct admin_token *token)
{
	char tag[WRITING_TAG_BYTES];

	writing_tag_token(call, token, tag);
	memcpy(call->version, tag, sizeof(tag));
}

void
api_token(struct call *call, const char *text)
{
	struct admins *admins = begin(call, NULL);
	struct admin_token token;

	if (admins == NULL)
		return;
	if (find_token(call, admins, text, &token)) {
		set_token_version(call, &token);
		call_json(call, 200, grants_token_json(&token));
	}
	admins_close(admins);
}

/* Neither more than the caller may, nor for longer. */
static bool
may_give(struct call *call, const struct admin_token *token)
{
	time_t own = call->caller.until;
	struct error err;

	if (grants_check_scopes(token->scopes, call->caller.scopes, &err) != 0)
		call_error(call, &err);
	else if (own != 0 && (token->until == 0 || token->until > own))
		call_problem(call, 403,
		    "a token that ends gives none that ends later: expected "
		    "fewer \"days\"");
	else
		return true;
	return false;
}

static bool
is_new_token(struct call *call, struct admins *admins, const char *name)
{
	struct admin_token there;
	struct error ignored;

	if (admins_get_token(admins, name, &there, &ignored) != 0)
		return true;
	call_problem(call, 409, "there is a token \"%s\" already", name);
	return false;
}

static void
create_token(struct call *call, const struct admin_token *token)
{
	char secret[GRANTS_TOKEN_BYTES];
	struct admins *admins;
	struct error err;

	if (!may_give(call, token) ||
	    (admins = begin(call, "admin token add")) == NULL)
		return;
	if (is_new_token(call, admins, token->name)) {
		if (grants_add_token(admins, token, secret, &err) == 0) {
			call_add_field(call, "Location: /api/v1/tokens/%s",
			    token->name);
			set_token_version(call, token);
			call_json_secret(call, 201, grants_token_json(token),
			    "token", secret);
			OPENSSL_cleanse(secret, sizeof(secret));
		} else {
			fail(call, &err);
		}
	}
	end_change(call, admins);
}

void
api_token_add(struct call *call, const char *text)
{
	const char *name = NULL, *scopes = "read", *group = "";
	json_t *json = call_body_json(call);
	struct admin_token token;
	json_error_t wrong;
	json_int_t days = 0;
	struct error err;

	(void)text;
	if (json == NULL)
		return;
	if (json_unpack_ex(json, &wrong, JSON_STRICT, "{ss s?s s?s s?I}",
		"name", &name, "scopes", &scopes, "group", &group, "days",
		&days) != 0)
		call_problem(call, 422,
		    "expected {\"name\"} with \"scopes\", \"group\" and "
		    "\"days\": %s",
		    wrong.text);
	else if (json_object_get(json, "days") != NULL &&
	    (days < 1 || days > GRANTS_DAYS_MAX))
		call_problem(call, 422, "days: expected a number from 1 to %d",
		    GRANTS_DAYS_MAX);
	else if (grants_read_token(&token, name, scopes, group, (unsigned)days,
		     call->now, &err) != 0)
		call_error(call, &err);
	else
		create_token(call, &token);
	json_decref(json);
}

void
api_token_remove(struct call *call, const char *text)
{
	struct admins *admins = begin(call, "admin token remove");
	char tag[WRITING_TAG_BYTES];
	struct admin_token token;
	struct error err;

	if (admins == NULL)
		return;
	if (find_token(call, admins, text, &token)) {
		writing_tag_token(call, &token, tag);
		if (writing_matches(call, tag)) {
			if (admins_remove_token(admins, token.name, &err) == 0)
				call_done(call);
			else
				fail(call, &err);
		}
	}
	end_change(call, admins);
}
