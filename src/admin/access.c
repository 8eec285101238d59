#include "admin/access.h"
#include "admin/call.h"
#include "admin/site.h"
#include "base/file.h"
#include "base/text.h"
#include "inventory/admins.h"
#include "server/config.h"
#include "server/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#define FIELD_MAX 2048

/* Nobody has been added yet: there is no file, and nobody is known. */
static struct admins *
open_admins(struct call *call, struct error *err)
{
	char *path = file_join(service_config(call->service)->state_directory,
	    ADMINS_FILE);
	struct admins *admins = admins_open(path, true, err);

	free(path);
	return admins;
}

static int
by_token(struct call *call, struct admins *admins, const char *text,
    struct error *err)
{
	struct admin_token token;
	uint8_t hash[32];

	/* What was not guessed needs no comparing in constant time: the hash of
	 * a guess says nothing about that of a token. */
	admins_hash(text, hash);
	if (admins_find_token(admins, hash, &token, err) != 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	if (token.until != 0 && call->now >= token.until)
		return 0;
	call->caller.known = true;
	call->caller.by_token = true;
	call->caller.scopes = token.scopes;
	call->caller.until = token.until;
	(void)snprintf(call->caller.name, sizeof(call->caller.name), "token %s",
	    token.name);
	memcpy(call->caller.tenant, token.tenant, sizeof(token.tenant));
	return 0;
}

/* session NULL: by certificate. */
static int
by_account(struct call *call, struct admins *admins, const char *name,
    const char *session, struct error *err)
{
	struct admin_account account;

	if (admins_get_account(admins, name, &account, err) != 0)
		return err->kind == ERROR_NOT_FOUND ? 0 : -1;
	if (session != NULL &&
	    !sessions_is_of(site_sessions(call->site), session, &account))
		return 0;
	call->caller.by_session = session != NULL;
	call->caller.known = true;
	call->caller.scopes = admin_role_scopes(account.role);
	(void)snprintf(call->caller.name, sizeof(call->caller.name), "%s",
	    account.name);
	memcpy(call->caller.tenant, account.tenant, sizeof(account.tenant));
	OPENSSL_cleanse(&account, sizeof(account));
	return 0;
}

/* RFC 6265 5.4: "name=value; name=value". */
bool
access_session(const struct call *call, char text[static SESSION_TEXT_BYTES])
{
	static const char name[] = SESSION_COOKIE "=";
	char field[FIELD_MAX];
	const char *at = field;
	bool found = false;

	call_field(call, "Cookie", field, sizeof(field));
	while (*at != '\0' && !found) {
		size_t len = strcspn(at, ";");

		if (strncmp(at, name, strlen(name)) == 0 &&
		    len - strlen(name) == SESSION_TEXT_BYTES - 1) {
			memcpy(text, at + strlen(name), SESSION_TEXT_BYTES - 1);
			text[SESSION_TEXT_BYTES - 1] = '\0';
			found = true;
		}
		at += len;
		at += strspn(at, "; ");
	}
	OPENSSL_cleanse(field, sizeof(field));
	return found;
}

static int
by_session(struct call *call, struct admins *admins, struct error *err)
{
	char text[SESSION_TEXT_BYTES], name[ADMINS_NAME_MAX + 1];
	int rc = 0;

	if (access_session(call, text) &&
	    sessions_find(site_sessions(call->site), text, call->now, name))
		rc = by_account(call, admins, name, text, err);
	OPENSSL_cleanse(text, sizeof(text));
	return rc;
}

bool
access_check_origin(struct call *call)
{
	char origin[512], own[sizeof("https://") + sizeof(call->request.host)];

	call_field(call, "Origin", origin, sizeof(origin));
	(void)snprintf(own, sizeof(own), "http%s://%s", call->secure ? "s" : "",
	    call->request.host);
	if (strcasecmp(origin, own) == 0 ||
	    (*origin == '\0' && !call->caller.by_session))
		return true;
	call_problem(call, 403,
	    "a page of another origin may not do this: expected %s", own);
	return false;
}

/* Who reads figures on this very machine, where the configuration lets that be
 * without a token. */
static void
trust_neighbour(struct call *call)
{
	if (!service_config(call->service)->admin.open_metrics ||
	    strcmp(call->request.path, "/metrics") != 0 ||
	    !addr_is_loopback(&call->source))
		return;
	call->caller.known = true;
	call->caller.scopes = ADMIN_METRICS;
	(void)snprintf(call->caller.name, sizeof(call->caller.name),
	    "this machine");
}

int
access_identify(struct call *call)
{
	char field[FIELD_MAX];
	struct error err = { 0 };
	struct admins *admins = open_admins(call, &err);
	int rc = 0;

	if (admins == NULL) {
		if (err.kind == ERROR_NOT_FOUND)
			return 0;
		call_problem(call, 503, "accounts cannot be read now");
		return -1;
	}
	call_field(call, "Authorization", field, sizeof(field));
	if (*field == '\0')
		trust_neighbour(call);
	if (strncasecmp(field, "Bearer ", strlen("Bearer ")) == 0)
		rc = by_token(call, admins, field + strlen("Bearer "), &err);
	else if (*field == '\0')
		rc = by_session(call, admins, &err);
	if (rc == 0 && *field == '\0' && !call->caller.known &&
	    call->certificate_name != NULL)
		rc = by_account(call, admins, call->certificate_name, NULL,
		    &err);
	OPENSSL_cleanse(field, sizeof(field));
	admins_close(admins);
	if (rc != 0)
		call_problem(call, 503, "accounts cannot be read now");
	return rc;
}
