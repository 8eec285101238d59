#include "inventory/grants.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/clock.h"
#include "base/text.h"

#define DAY_S 86400

/* ----------------------------------------------------------------- reading */

int
grants_read_account(struct admin_account *account, const char *name,
    const char *role, const char *group, time_t now, struct error *err)
{
	*account = (struct admin_account) { .created_at = now };
	if (admins_check_name(name, err) != 0 ||
	    admin_role_parse(role, &account->role, err) != 0 ||
	    admins_check_tenant(group, err) != 0)
		return -1;
	(void)snprintf(account->name, sizeof(account->name), "%s", name);
	(void)snprintf(account->tenant, sizeof(account->tenant), "%s", group);
	return 0;
}

int
grants_read_token(struct admin_token *token, const char *name,
    const char *scopes, const char *group, unsigned days, time_t now,
    struct error *err)
{
	*token = (struct admin_token) { .created_at = now };
	if (admins_check_name(name, err) != 0 ||
	    admin_scopes_parse(scopes, &token->scopes, err) != 0 ||
	    admins_check_tenant(group, err) != 0)
		return -1;
	if (days > GRANTS_DAYS_MAX)
		return error_set(err, ERROR_INPUT, "days: expected at most %d",
		    GRANTS_DAYS_MAX);
	(void)snprintf(token->name, sizeof(token->name), "%s", name);
	(void)snprintf(token->tenant, sizeof(token->tenant), "%s", group);
	if (days > 0)
		token->until = now + (time_t)days * DAY_S;
	return 0;
}

/* ------------------------------------------------------------------ giving */

static int
put_with_code(struct admins *admins, struct admin_account *account, time_t now,
    char code[static ADMINS_CODE_BYTES], struct error *err)
{
	if (admins_make_code(account, now, code, err) != 0)
		return -1;
	if (admins_put_account(admins, account, err) == 0)
		return 0;
	OPENSSL_cleanse(code, ADMINS_CODE_BYTES);
	return -1;
}

int
grants_add_account(struct admins *admins, struct admin_account *account,
    time_t now, char code[static ADMINS_CODE_BYTES], struct error *err)
{
	struct admin_account there;

	/* Nobody else adds one meanwhile: the lock is ours. */
	if (admins_get_account(admins, account->name, &there, err) == 0) {
		OPENSSL_cleanse(&there, sizeof(there));
		return error_set(err, ERROR_INPUT,
		    "there is an account \"%s\" already: expected another "
		    "name, or a reset",
		    account->name);
	}
	if (err->kind != ERROR_NOT_FOUND)
		return -1;
	return put_with_code(admins, account, now, code, err);
}

int
grants_reset_account(struct admins *admins, struct admin_account *account,
    time_t now, char code[static ADMINS_CODE_BYTES], struct error *err)
{
	OPENSSL_cleanse(account->password, sizeof(account->password));
	return put_with_code(admins, account, now, code, err);
}

int
grants_add_token(struct admins *admins, const struct admin_token *token,
    char text[static GRANTS_TOKEN_BYTES], struct error *err)
{
	uint8_t random[ADMINS_SECRET_BYTES], hash[32];
	size_t prefix = strlen("sprov_");
	int rc;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return error_openssl(err, "no random numbers");
	memcpy(text, "sprov_", prefix);
	text_hex(random, sizeof(random), text + prefix);
	OPENSSL_cleanse(random, sizeof(random));
	admins_hash(text, hash);
	rc = admins_add_token(admins, token, hash, err);
	if (rc != 0)
		OPENSSL_cleanse(text, GRANTS_TOKEN_BYTES);
	return rc;
}

/* ---------------------------------------------------------------- checking */

int
grants_check_scopes(unsigned given, unsigned own, struct error *err)
{
	char names[ADMIN_SCOPES_BYTES];

	if ((given & ~own) == 0)
		return 0;
	admin_scopes_format(given & ~own, names);
	return error_set(err, ERROR_DENIED,
	    "nobody can give what he does not have himself: %s", names);
}

struct search {
	const char *name;
	time_t now;
	bool found;
};

static bool
gives_access(const struct admin_account *account)
{
	return account->role == ROLE_ADMIN && *account->tenant == '\0';
}

static int
look_for_other(const struct admin_account *account, void *arg)
{
	struct search *search = arg;
	bool can_log_in = *account->password != '\0' ||
	    (account->has_code && search->now < account->code_until);

	if (strcmp(account->name, search->name) != 0 && gives_access(account) &&
	    can_log_in)
		search->found = true;
	return 0;
}

int
grants_check_last(struct admins *admins, const struct admin_account *account,
    time_t now, struct error *err)
{
	struct search search = { .name = account->name, .now = now };

	if (!gives_access(account))
		return 0;
	if (admins_each_account(admins, look_for_other, &search, err) != 0)
		return -1;
	if (search.found)
		return 0;
	return error_set(err, ERROR_DENIED,
	    "without \"%s\" there is no admin who can log in: add another one "
	    "first",
	    account->name);
}

/* ----------------------------------------------------------------- showing */

const char *
grants_login_state(const struct admin_account *account, time_t now)
{
	if (account->has_code)
		return now < account->code_until ? "code" : "code ended";
	return *account->password != '\0' ? "password" : "none";
}

static json_t *
time_json(time_t when)
{
	char text[CLOCK_TEXT_BYTES];

	if (when == 0)
		return json_null();
	clock_format(when, text);
	return json_string(text);
}

json_t *
grants_account_json(const struct admin_account *account, time_t now)
{
	return json_pack("{ss ss ss ss so}", "name", account->name, "role",
	    admin_role_name(account->role), "group", account->tenant, "login",
	    grants_login_state(account, now), "created_at",
	    time_json(account->created_at));
}

json_t *
grants_token_json(const struct admin_token *token)
{
	char scopes[ADMIN_SCOPES_BYTES];

	admin_scopes_format(token->scopes, scopes);
	return json_pack("{ss ss ss so so}", "name", token->name, "scopes",
	    scopes, "group", token->tenant, "created_at",
	    time_json(token->created_at), "until", time_json(token->until));
}
