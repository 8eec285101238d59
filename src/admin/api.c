#include "admin/api.h"
#include "admin/access.h"
#include "admin/call.h"
#include "admin/handlers.h"
#include "admin/noting.h"
#include "admin/openapi.h"
#include "admin/ready.h"
#include "admin/replay.h"
#include "admin/site.h"
#include "base/mac.h"
#include "base/mem.h"
#include "dashboard/assets.h"
#include "inventory/admins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

#define PATH_TEXT_BYTES 64 /* of what stands for '*' */
#define OPEN (1U << 31)	   /* for everybody */

/* '*' stands for one segment of a path.  scope 0: whoever is known. */
static const struct route {
	const char *method;
	const char *path;
	unsigned scope;
	api_handler *answer;
} routes[] = {
	{ "GET", "/api/v1/session", 0, api_session },
	{ "POST", "/api/v1/login", OPEN, api_login },
	{ "POST", "/api/v1/logout", OPEN, api_logout },
	{ "POST", "/api/v1/password", 0, api_password },
	{ "GET", "/api/v1/overview", ADMIN_READ, api_overview },
	{ "GET", "/api/v1/rates", ADMIN_READ, api_rates },
	{ "GET", "/api/v1/devices", ADMIN_READ, api_devices },
	{ "POST", "/api/v1/devices", ADMIN_WRITE, api_device_add },
	{ "POST", "/api/v1/devices/import", ADMIN_WRITE, api_device_import },
	{ "GET", "/api/v1/devices/*", ADMIN_READ, api_device },
	{ "PATCH", "/api/v1/devices/*", ADMIN_WRITE, api_device_change },
	{ "DELETE", "/api/v1/devices/*", ADMIN_WRITE, api_device_remove },
	{ "GET", "/api/v1/devices/*/variables", ADMIN_READ, api_variables },
	{ "GET", "/api/v1/devices/*/profile", ADMIN_READ, api_profile },
	{ "GET", "/api/v1/devices/*/diff", ADMIN_READ, api_diff },
	{ "GET", "/api/v1/devices/*/drift", ADMIN_READ, api_drift },
	{ "GET", "/api/v1/devices/*/doctor", ADMIN_READ, api_device_doctor },
	{ "GET", "/api/v1/devices/*/events", ADMIN_READ, api_device_events },
	{ "GET", "/api/v1/groups", ADMIN_READ, api_groups },
	{ "GET", "/api/v1/settings", ADMIN_READ, api_settings },
	{ "PATCH", "/api/v1/settings", ADMIN_WRITE, api_settings_change },
	{ "DELETE", "/api/v1/settings", ADMIN_WRITE, api_settings_remove },
	{ "GET", "/api/v1/listeners", ADMIN_READ, api_listeners },
	{ "GET", "/api/v1/certificates", ADMIN_READ, api_certificates },
	{ "GET", "/api/v1/cas", ADMIN_READ, api_cas },
	{ "GET", "/api/v1/matrix", ADMIN_READ, api_matrix },
	{ "GET", "/api/v1/matrix/*", ADMIN_READ, api_trust },
	{ "GET", "/api/v1/plan", ADMIN_READ, api_plan },
	{ "GET", "/api/v1/migrations", ADMIN_READ, api_migrations },
	{ "GET", "/api/v1/migrations/newest", ADMIN_READ, api_migration },
	{ "POST", "/api/v1/migrations/newest/stop", ADMIN_WRITE,
	    api_migration_stop },
	{ "POST", "/api/v1/migrations/newest/rollback", ADMIN_WRITE,
	    api_migration_rollback },
	{ "GET", "/api/v1/events", ADMIN_READ, api_events },
	{ "GET", "/api/v1/audit", ADMIN_AUDIT, api_audit },
	{ "GET", "/api/v1/doctor", ADMIN_READ, api_doctor },
	{ "GET", "/api/v1/exceptions", ADMIN_READ, api_exceptions },
	{ "GET", "/api/v1/expiry", ADMIN_READ, api_expiry },
	{ "GET", "/api/v1/accounts", ADMIN_ACCOUNTS, api_accounts },
	{ "POST", "/api/v1/accounts", ADMIN_ACCOUNTS, api_account_add },
	{ "GET", "/api/v1/accounts/*", ADMIN_ACCOUNTS, api_account },
	{ "DELETE", "/api/v1/accounts/*", ADMIN_ACCOUNTS, api_account_remove },
	{ "POST", "/api/v1/accounts/*/reset", ADMIN_ACCOUNTS,
	    api_account_reset },
	{ "GET", "/api/v1/tokens", ADMIN_ACCOUNTS, api_tokens },
	{ "POST", "/api/v1/tokens", ADMIN_ACCOUNTS, api_token_add },
	{ "GET", "/api/v1/tokens/*", ADMIN_ACCOUNTS, api_token },
	{ "DELETE", "/api/v1/tokens/*", ADMIN_ACCOUNTS, api_token_remove },
	{ "GET", "/metrics", ADMIN_METRICS, api_metrics },
};

/* Does path fit?  What stands for '*' is copied to text then. */
static bool
fits(const char *pattern, const char *path, char *text, size_t size)
{
	const char *star = strchr(pattern, '*');
	size_t before = star != NULL ? (size_t)(star - pattern) : 0, len;

	*text = '\0';
	if (star == NULL)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, before) != 0)
		return false;
	len = strcspn(path + before, "/");
	if (len == 0 || len >= size ||
	    strcmp(path + before + len, star + 1) != 0)
		return false;
	memcpy(text, path + before, len);
	text[len] = '\0';
	return true;
}

/* HEAD is GET without the body, which conn.c leaves out. */
static const char *
method_of(const struct call *call)
{
	return call->request.method == REQUEST_HEAD ? "GET" :
						      call->request.method_name;
}

/* The methods of a path, as the field Allow lists them. */
static void
list_methods(struct call *call)
{
	char text[PATH_TEXT_BYTES];
	size_t len = 0;

	for (size_t i = 0; i < LENGTH(routes); i++)
		if (fits(routes[i].path, call->request.path, text,
			sizeof(text)))
			len += (size_t)snprintf(call->allow + len,
			    sizeof(call->allow) - len, "%s%s%s",
			    len > 0 ? ", " : "", routes[i].method,
			    strcmp(routes[i].method, "GET") == 0 ? ", HEAD" :
								   "");
}

/* NULL: a problem is the answer. */
static const struct route *
find_route(struct call *call, char *text, size_t size)
{
	for (size_t i = 0; i < LENGTH(routes); i++)
		if (strcmp(routes[i].method, method_of(call)) == 0 &&
		    fits(routes[i].path, call->request.path, text, size))
			return &routes[i];
	list_methods(call);
	if (*call->allow != '\0')
		call_problem(call, 405, "%s is not for this path",
		    call->request.method_name);
	else
		call_problem(call, 404,
		    "there is nothing here: see /api/v1/openapi.json");
	return NULL;
}

static bool
may(struct call *call, const struct route *route)
{
	if (route->scope == OPEN)
		return true;
	if (!call->caller.known) {
		call_add_field(call,
		    "WWW-Authenticate: Bearer realm=\"sprov\"");
		call_problem(call, 401,
		    "who asks is not known: log in, or send a token of "
		    "\"sprov admin token add\"");
		return false;
	}
	if (route->scope != 0 && (call->caller.scopes & route->scope) == 0) {
		call_problem(call, 403,
		    "%s may not do this: the scope \"%s\" is needed",
		    call->caller.name,
		    admin_scope_name((enum admin_scope)route->scope));
		return false;
	}
	return true;
}

/* ------------------------------------------------------------------- once */

/* Each part with its length, so that no two lists of parts are one text. */
static void
hash_parts(const char *const *parts, const size_t *lens, size_t count,
    uint8_t hash[static REPLAY_HASH_BYTES])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		abort(); /* no memory */
	for (size_t i = 0; i < count; i++) {
		(void)EVP_DigestUpdate(md, &lens[i], sizeof(lens[i]));
		(void)EVP_DigestUpdate(md, parts[i], lens[i]);
	}
	(void)EVP_DigestFinal_ex(md, hash, NULL);
	EVP_MD_CTX_free(md);
}

static void
hash_call(const struct call *call, const char *key,
    uint8_t who[static REPLAY_HASH_BYTES],
    uint8_t what[static REPLAY_HASH_BYTES])
{
	const char *const asker[] = { call->caller.name, key };
	const size_t asker_lens[] = { strlen(asker[0]), strlen(key) };
	const char *const asked[] = { call->request.method_name,
		call->request.target, call->body != NULL ? call->body : "" };
	const size_t asked_lens[] = { strlen(asked[0]), strlen(asked[1]),
		call->body_len };

	hash_parts(asker, asker_lens, LENGTH(asker), who);
	hash_parts(asked, asked_lens, LENGTH(asked), what);
}

static void
answer_again(struct call *call, struct replay_answer *answer)
{
	call->status = answer->status;
	call->content_type = answer->body_len > 0 ? "application/json" : NULL;
	if (buf_append_text(&call->fields, answer->fields) != 0 ||
	    buf_append(&call->out, answer->body, answer->body_len) != 0)
		call_problem(call, 500, "the answer is too long");
	(void)snprintf(call->version, sizeof(call->version), "%s",
	    answer->version);
	call_add_field(call, "Idempotent-Replayed: true");
	replay_answer_clear(answer);
}

static void
keep_answer(struct call *call, struct replay *replay, const uint8_t *who)
{
	char *fields = xstrdup(buf_text(&call->fields));
	const struct buf *body = call->again.len > 0 ? &call->again :
						       &call->out;
	struct replay_answer answer = { .status = call->status,
		.fields = fields,
		.version = call->version,
		.body = body->data,
		.body_len = body->len };
	bool good = call->status >= 200 && call->status < 300;

	replay_end(replay, who, good ? &answer : NULL);
	free(fields);
}

/* A change whose client may ask for it twice. */
static void
answer_once(struct call *call, const struct route *route, const char *text)
{
	struct replay *replay = site_replay(call->site);
	char key[REPLAY_KEY_MAX + 2];
	uint8_t who[REPLAY_HASH_BYTES], what[REPLAY_HASH_BYTES];
	struct replay_answer answer;

	call_field(call, "Idempotency-Key", key, sizeof(key));
	if (*key == '\0' || strcmp(method_of(call), "GET") == 0) {
		route->answer(call, text);
		return;
	}
	hash_call(call, key, who, what);
	switch (replay_begin(replay, who, what, call->now, &answer)) {
	case REPLAY_NEW:
		route->answer(call, text);
		keep_answer(call, replay, who);
		break;
	case REPLAY_SAME:
		answer_again(call, &answer);
		break;
	case REPLAY_OTHER:
		call_problem(call, 422,
		    "this Idempotency-Key was used for another request: "
		    "expected a new one");
		break;
	case REPLAY_BUSY:
		call_add_field(call, "Retry-After: 1");
		call_problem(call, 409,
		    "the request with this Idempotency-Key is not answered "
		    "yet");
		break;
	}
}

/* ---------------------------------------------------------------- refused */

/* What a write is called in the audit log; NULL: it is none. */
static const char *
action_of(const struct route *route)
{
	static const struct {
		api_handler *answer;
		const char *action;
	} actions[] = {
		{ api_password, "password set" },
		{ api_device_add, "device add" },
		{ api_device_change, "device set" },
		{ api_device_remove, "device remove" },
		{ api_device_import, "device import" },
		{ api_settings_change, "device set" },
		{ api_settings_remove, "device remove" },
		{ api_account_add, "admin add" },
		{ api_account_reset, "admin reset" },
		{ api_account_remove, "admin remove" },
		{ api_token_add, "admin token add" },
		{ api_token_remove, "admin token remove" },
		{ api_migration_stop, "migrate stop" },
		{ api_migration_rollback, "migrate rollback" },
	};

	for (size_t i = 0; i < LENGTH(actions); i++)
		if (actions[i].answer == route->answer)
			return actions[i].action;
	return NULL;
}

/* "000e08aabbcc", "group:east"; "": it is not said where that would be. */
static void
find_object(struct call *call, const char *text, char *object, size_t size)
{
	const char *target;
	struct error ignored;
	struct mac mac;

	/* Who may not is told so before his query is looked at. */
	if (call->query.count == 0)
		(void)!query_read(&call->query, call->request.query);
	target = call_parameter(call, "target");
	*object = '\0';
	if (*text != '\0' && mac_parse(&mac, text, &ignored) == 0)
		mac_format(&mac, object);
	else if (*text != '\0' || target != NULL)
		text_escape(*text != '\0' ? text : target,
		    strlen(*text != '\0' ? text : target), object, size);
}

/* Whether it is refused for who asks (403) or for what is asked (422): it goes
 * to the audit log.  Not so what was only asked for as a trial. */
static void
note_refused(struct call *call, const struct route *route, const char *text)
{
	const char *action = action_of(route);
	char object[128];

	if (action == NULL || !call->caller.known ||
	    (call->status != 403 && call->status != 422))
		return;
	find_object(call, text, object, sizeof(object));
	if (call->status == 422 && call_is_set(call, "dry-run"))
		return;
	if (route->answer == api_password)
		(void)snprintf(object, sizeof(object), "%s", call->caller.name);
	noting_refused(call, action, *object != '\0' ? object : NULL);
}

static void
answer_route(struct call *call, const struct route *route, const char *text)
{
	if (!may(call, route) ||
	    (strcmp(method_of(call), "GET") != 0 &&
		!access_check_origin(call)) ||
	    !call_read_query(call))
		return;
	if (route->scope == ADMIN_WRITE || route->scope == ADMIN_ACCOUNTS)
		answer_once(call, route, text);
	else
		route->answer(call, text);
}

/* NULL: a problem is the answer. */
static const struct route *
identify(struct call *call, char *text, size_t size)
{
	const struct route *route;

	if (access_identify(call) != 0)
		return NULL;
	route = find_route(call, text, size);
	/* Who is not known learns nothing about which paths there are. */
	if (!call->caller.known && (route == NULL || route->scope != OPEN)) {
		*call->allow = '\0';
		route = &routes[0];
	}
	return route;
}

void
api_answer(struct call *call)
{
	char text[PATH_TEXT_BYTES];
	const struct route *route = identify(call, text, sizeof(text));

	if (route == NULL)
		return;
	answer_route(call, route, text);
	note_refused(call, route, text);
}

bool
api_may_send(struct call *call)
{
	char text[PATH_TEXT_BYTES];
	const struct route *route = identify(call, text, sizeof(text));

	if (route == NULL)
		return false;
	if (may(call, route) && access_check_origin(call))
		return true;
	note_refused(call, route, text);
	return false;
}

size_t
api_body_max(const struct request *request)
{
	return strcmp(request->path, "/api/v1/devices/import") == 0 ?
	    CALL_IMPORT_MAX :
	    CALL_BODY_MAX;
}

/* ------------------------------------------------------------- at once */

static const char without_pages[] =
    "This sprov was built without its dashboard: npm or its packages were\n"
    "missing.  Where they can be had, \"make dashboard\" builds it in.\n"
    "The API is here, without it, too: /api/v1/openapi.json\n";

static void
answer_text(struct call *call, int status, const char *type, const char *text)
{
	call->status = status;
	call->content_type = type;
	call->bytes = text;
	call->bytes_len = strlen(text);
}

static bool
answer_asset(struct call *call)
{
	const char *path = call->request.path;

	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (size_t i = 0; i < dashboard_asset_count; i++) {
		const struct asset *asset = &dashboard_assets[i];

		if (strcmp(asset->path, path) != 0)
			continue;
		call->status = 200;
		call->content_type = asset->type;
		call->content_encoding = "gzip";
		call->bytes = asset->gzip;
		call->bytes_len = asset->gzip_len;
		return true;
	}
	return false;
}

bool
api_answer_now(struct call *call)
{
	static const char openapi_path[] = "/api/v1/openapi.json";
	const char *path = call->request.path;
	bool reads = strcmp(method_of(call), "GET") == 0;

	if (strcmp(path, "/metrics") == 0 ||
	    (text_starts(path, "/api/") && strcmp(path, openapi_path) != 0))
		return false;
	if (!reads) {
		memcpy(call->allow, "GET, HEAD", sizeof("GET, HEAD"));
		call_problem(call, 405, "%s is not for this path",
		    call->request.method_name);
	} else if (strcmp(path, "/readyz") == 0) {
		ready_answer(call);
	} else if (strcmp(path, "/healthz") == 0) {
		/* That it is answered is the answer. */
		answer_text(call, 200, "text/plain; charset=utf-8", "good\n");
	} else if (strcmp(path, openapi_path) == 0) {
		call->status = 200;
		call->content_type = "application/json";
		call->bytes = admin_openapi;
		call->bytes_len = admin_openapi_len;
	} else if (!answer_asset(call)) {
		if (strcmp(path, "/") == 0)
			answer_text(call, 404, "text/plain; charset=utf-8",
			    without_pages);
		else
			call_problem(call, 404, "there is nothing here");
	}
	return true;
}

/* ---------------------------------------------------------------- finish */

static void
make_etag(struct call *call)
{
	const void *data = call->bytes != NULL ? call->bytes : call->out.data;
	size_t len = call->bytes != NULL ? call->bytes_len : call->out.len;
	uint8_t hash[32];
	char hex[2 * 12 + 1];

	if (EVP_Digest(len > 0 ? data : "", len, hash, NULL, EVP_sha256(),
		NULL) != 1)
		return;
	text_hex(hash, 12, hex);
	/* What can be changed first: writing.h looks at that part only. */
	(void)snprintf(call->etag, sizeof(call->etag), "\"%s%s%s\"",
	    call->version, *call->version != '\0' ? "-" : "", hex);
}

/* RFC 9110 13.1.2: a list of tags, or "*"; ours have no comma in them. */
static bool
is_known_to_client(const struct call *call)
{
	char field[1024];
	const char *at;
	size_t len = strlen(call->etag);

	call_field(call, "If-None-Match", field, sizeof(field));
	if (strcmp(field, "*") == 0)
		return true;
	for (at = field; (at = strstr(at, call->etag)) != NULL; at += len)
		if (at[len] == '\0' || at[len] == ',' || at[len] == ' ')
			return true;
	return false;
}

void
api_finish(struct call *call)
{
	bool reads = strcmp(method_of(call), "GET") == 0;

	call_add_field(call, "X-Content-Type-Options: nosniff");
	call_add_field(call, "Referrer-Policy: no-referrer");
	call_add_field(call,
	    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
	    "style-src 'self'; img-src 'self' data:; font-src 'self'; "
	    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
	    "form-action 'self'; frame-ancestors 'none'");
	call_add_field(call, "Cross-Origin-Opener-Policy: same-origin");
	call_add_field(call, "Cross-Origin-Resource-Policy: same-origin");
	/* Kept by nobody without asking, and by no proxy at all. */
	call_add_field(call, "Cache-Control: %s",
	    reads && call->status == 200 ? "private, no-cache" : "no-store");
	if (!reads && *call->version != '\0')
		(void)snprintf(call->etag, sizeof(call->etag), "\"%s\"",
		    call->version);
	if (!reads || call->status != 200)
		return;
	make_etag(call);
	if (*call->etag != '\0' && is_known_to_client(call)) {
		call->status = 304;
		call->content_type = NULL;
		call->content_encoding = NULL;
	}
}
