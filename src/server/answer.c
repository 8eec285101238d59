#include "server/answer.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/request.h"
#include "http/response.h"
#include "inventory/documents.h"
#include "inventory/resyncs.h"
#include "inventory/snapshot.h"
#include "provision/decision.h"
#include "provision/render.h"
#include "provision/small_templates.h"
#include "provision/template.h"
#include "provision/upgrade.h"
#include "server/answer_file.h"
#include "server/answer_profile.h"
#include "server/config.h"
#include "server/exceptions.h"
#include "server/files.h"
#include "server/keep.h"
#include "server/metrics.h"
#include "server/record.h"
#include "server/service.h"
#include "server/tell.h"
#include "spa/profile.h"
#include "spa/registry.h"
#include "tls/conn.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

/*
 * With each 503 (RFC 9110 10.2.3).  There is none before or instead of a
 * handshake: who cannot be served in time is closed before anything was spent
 * on it (server/gate.h), and who has its handshake behind it gets its answer.
 */
#define RETRY_AFTER "Retry-After: 60\r\n"

/*
 * Common files say nothing about a device's own profile.  Strangers are left
 * out too: their certificate may say what it likes.
 */
static void
record_answer(const struct exchange *exchange, const struct decision *decision,
    int status)
{
	const struct ca *ca = exchange->listener->issuer.ca;
	struct resync resync = { .status = status, .at = clock_wall() };

	if (decision->device == NULL ||
	    route_kind_is_report(decision->route.kind) ||
	    decision->reason == DECISION_COMMON_FILE ||
	    decision->reason == DECISION_PUBLIC_FILE ||
	    decision->reason == DECISION_DEVICE_FILE ||
	    decision->reason == DECISION_STUB)
		return;
	resync.mac = decision->device->mac;
	(void)snprintf(resync.listener, sizeof(resync.listener), "%s",
	    exchange->listener->name);
	(void)snprintf(resync.ca, sizeof(resync.ca), "%s",
	    ca != NULL ? ca->id : "");
	record_add(exchange->record, &resync);
}

static const struct ca *
listener_ca(const void *arg, const char *name)
{
	const struct service *service = arg;

	for (size_t i = 0; i < service_listener_count(service); i++) {
		const struct service_listener *l = service_listener(service, i);

		if (strcmp(l->name, name) == 0)
			return l->issuer.ca;
	}
	return NULL;
}

/* Does the device get nothing but the way to newer firmware? */
static bool
is_upgrade_only(const struct exchange *exchange, const struct request *request,
    const struct decision *decision)
{
	struct firmware now;

	return decision->reason == DECISION_OWN_PROFILE &&
	    upgrade_firmware(decision->device, request->user_agent, &now) &&
	    upgrade_is_due(templates_ladders(service_templates(exchange
								   ->service)),
		exchange->snapshot, decision->device, &now, listener_ca,
		exchange->service);
}

static int
render(const struct exchange *exchange, const struct decision *decision,
    bool upgrade_only, struct buf *body, struct answer_profile *profile,
    struct error *err)
{
	const struct templates *templates =
	    service_templates(exchange->service);
	const struct model *model = NULL;

	if (decision->reason == DECISION_OWN_PROFILE)
		return answer_profile(exchange, decision, upgrade_only, body,
		    profile, err);
	if (decision->reason == DECISION_STUB)
		return render_common(templates, exchange->snapshot, NULL,
		    TEMPLATE_EMPTY, body, err);
	if (decision->reason == DECISION_COMMON_FILE)
		model = registry_find_model(decision->device->model, NULL);
	return render_common(templates, exchange->snapshot, model,
	    decision->route.template, body, err);
}

/* What is to be said, before it is. */
struct reply_parts {
	struct response response;
	struct buf body; /* in memory */
	struct answer_profile profile;
	struct slice file; /* or this */
	char range[ANSWER_RANGE_BYTES];
	const char *reason;
	bool upgrade_only; /* not its profile, but the way to newer firmware */
};

/* Remember what the device now has.  False: there was no room for it. */
static bool
keep_profile(const struct exchange *exchange, const struct decision *decision,
    const struct answer_profile *profile)
{
	const struct buf *clear = &profile->clear;
	struct document document = { .kind = DOCUMENT_SERVED, .status = 200 };

	if (record_keep(exchange->record) == NULL)
		return true;
	document.mac = decision->device->mac;
	document.at = clock_wall();
	(void)snprintf(document.listener, sizeof(document.listener), "%s",
	    exchange->listener->name);
	(void)snprintf(document.template, sizeof(document.template), "%s",
	    render_template_name(service_templates(exchange->service),
		exchange->snapshot, decision->device));
	(void)snprintf(document.protection, sizeof(document.protection), "%s",
	    profile->protection);
	memcpy(document.sent_sha256, profile->note.sha256,
	    sizeof(document.sent_sha256));
	if (profile->packed)
		document_hash(buf_text(clear), clear->len,
		    document.clear_sha256);
	else
		memcpy(document.clear_sha256, document.sent_sha256,
		    sizeof(document.clear_sha256));
	return keep_served(record_keep(exchange->record), &document,
	    buf_text(clear), clear->len);
}

/* It has just been made: what comes from the cache later was kept now.  What
 * could not be is made again, to be kept then. */
static void
keep_answer(const struct exchange *exchange, const struct decision *decision,
    const struct reply_parts *parts)
{
	const struct answer_profile *profile = &parts->profile;

	if (profile->clear.len == 0)
		return;
	/* What leads to newer firmware only is not its profile. */
	if (parts->upgrade_only || keep_profile(exchange, decision, profile))
		answer_profile_cache(exchange, decision, parts->upgrade_only,
		    &parts->body, profile);
}

/* The body of a refusal: a word for people who try with curl. */
static void
put_text(struct buf *body, int status)
{
	/* body is empty and its limit far above this line. */
	if (buf_printf(body, "%d %s\n", status, response_reason(status)) != 0)
		buf_clear(body);
}

static void
put_answer(struct buf *out, const struct response *response,
    const struct buf *body, bool head_only)
{
	if (response_write_head(response, out) != 0 ||
	    (!head_only && buf_append(out, buf_text(body), body->len) != 0))
		buf_clear(out); /* cannot be: ANSWER_MAX holds both */
}

static bool
is_file(const struct decision *decision)
{
	return decision->allow &&
	    (decision->route.kind == ROUTE_PUBLIC_FILE ||
		decision->route.kind == ROUTE_DEVICE_FILE);
}

/* Ours to mend: the device keeps what it has and asks again. */
static void
fail(struct reply_parts *parts, const char *reason, const struct error *err)
{
	log_message(LOG_LEVEL_ERROR, reason, "%s", err->text);
	buf_clear(&parts->body);
	parts->response.status = 500;
	parts->reason = reason;
}

static void
make_file(const struct exchange *exchange, const struct request *request,
    const struct decision *decision, struct reply_parts *parts)
{
	const struct served_file *file =
	    files_get(service_files(exchange->service), decision->route.file);
	struct error err;

	if (answer_file(file, request, &parts->response, parts->range,
		&parts->file, &err) != 0)
		fail(parts, "file-changed", &err);
}

static void
make_body(const struct exchange *exchange, const struct request *request,
    const struct decision *decision, struct reply_parts *parts)
{
	struct error err;

	parts->upgrade_only = is_upgrade_only(exchange, request, decision);
	if (decision->allow &&
	    render(exchange, decision, parts->upgrade_only, &parts->body,
		&parts->profile, &err) != 0)
		fail(parts, "render-failed", &err);
	else if (decision->allow)
		parts->response.content_type = decision->cipher != CIPHER_NONE ?
		    "application/octet-stream" :
		    "text/xml";
	if (decision->exception != NULL && parts->response.status == 200)
		parts->reason = decision->exception->label;
	if (parts->response.status == 200)
		parts->response.content_encoding = parts->profile.coding;
	if (parts->upgrade_only && parts->response.status == 200 &&
	    decision->exception == NULL)
		parts->reason = "upgrade-only";
	parts->response.content_length = parts->body.len;
}

/* A word instead of what was asked for. */
static void
make_refusal(const struct decision *decision, struct reply_parts *parts)
{
	if (parts->response.status == 405)
		parts->response.allow =
		    route_kind_is_report(decision->route.kind) ? "POST, PUT" :
								 "GET, HEAD";
	put_text(&parts->body, parts->response.status);
	parts->response.content_type = "text/plain";
	parts->response.content_length = parts->body.len;
}

/* None where their uses cannot be counted. */
static const struct exception *
exceptions_of(const struct exchange *exchange)
{
	return keystate_exceptions(exchange->keys) != NULL ?
	    service_config(exchange->service)->exceptions :
	    NULL;
}

/* Count it.  What may be used once only waits until that is on the disk. */
static void
count_exception(const struct exchange *exchange,
    const struct decision *decision, struct keystate_wish *wish)
{
	struct exceptions *exceptions = keystate_exceptions(exchange->keys);
	const struct exception *exception = decision->exception;
	const struct mac *mac = &decision->device->mac;

	if (exception == NULL)
		return;
	if (exception->once &&
	    exceptions_first_use(exceptions, exception->name, mac) == 0) {
		wish->mac = *mac;
		memcpy(wish->exception, exception->name,
		    sizeof(wish->exception));
	}
	exceptions_count(exceptions, exception->name, mac, clock_wall());
}

static void
count_answer(const struct exchange *exchange, const struct decision *decision,
    const struct reply_parts *parts)
{
	size_t reason = decision->reason;

	if (parts->response.status == 500)
		reason = METRICS_NOT_MADE;
	else if (decision->exception != NULL && parts->response.status == 200)
		reason = METRICS_EXCEPTION;
	else if (parts->upgrade_only)
		reason = METRICS_UPGRADE_ONLY;
	metrics_request(exchange->metrics, exchange->listener->metrics_key,
	    reason, parts->response.status);
}

/* Of the profile that goes out, the device's own or a common one; NULL: none
 * does. */
static const uint8_t *
sent_hash(const struct request *request, const struct decision *decision,
    struct reply_parts *parts)
{
	uint8_t *hash = parts->profile.note.sha256;

	if (parts->response.status != 200 || is_file(decision) ||
	    request->method != REQUEST_GET)
		return NULL;
	if (decision->reason != DECISION_OWN_PROFILE)
		document_hash(buf_text(&parts->body), parts->body.len, hash);
	return hash;
}

void
answer_decide(const struct exchange *exchange, const struct request *request,
    struct decision *decision)
{
	const struct decision_input input = {
		.policy = &exchange->listener->policy,
		.tls_peer = tls_conn_peer(exchange->tls),
		.peer = exchange->peer,
		.request = request,
		.routes = service_routes(exchange->service),
		.snapshot = exchange->snapshot,
		.marks = keystate_marks,
		.marks_arg = exchange->keys,
		.exceptions = exceptions_of(exchange),
		.exception_count = exceptions_of(exchange) != NULL ?
		    service_config(exchange->service)->exception_count :
		    0,
		.listener = exchange->listener->name,
		.source = exchange->source,
		.now = clock_wall(),
		.first_use = exceptions_first_use,
		.first_use_arg = keystate_exceptions(exchange->keys),
	};

	decision_make(&input, decision);
}

/* Most requests have no body, and are decided once. */
size_t
answer_body_max(const struct exchange *exchange, const struct request *request)
{
	struct decision decision;

	if (request->framing == REQUEST_NO_BODY)
		return 0;
	answer_decide(exchange, request, &decision);
	return decision.body_max;
}

void
answer_request(const struct exchange *exchange, const struct request *request,
    bool keep_alive, struct buf *out, struct slice *file,
    struct keystate_wish *wish)
{
	struct reply_parts parts = {
		.response = { .keep_alive = keep_alive, .date = clock_wall() },
		.file = { .fd = -1 },
	};
	struct decision decision;

	*wish = (struct keystate_wish) { .delivered = 0 };
	buf_init(&parts.body, PROFILE_BYTES_MAX + ANSWER_PROFILE_ROOM);
	answer_decide(exchange, request, &decision);
	parts.response.status = decision.status;
	parts.reason = decision_reason_name(decision.reason);
	if (is_file(&decision))
		make_file(exchange, request, &decision, &parts);
	else
		make_body(exchange, request, &decision, &parts);
	if (parts.response.status >= 400)
		make_refusal(&decision, &parts);
	put_answer(out, &parts.response, &parts.body,
	    request->method == REQUEST_HEAD);
	*file = parts.file;
	if (decision.reason == DECISION_OWN_PROFILE &&
	    parts.response.status == 200 && request->method == REQUEST_GET) {
		keep_answer(exchange, &decision, &parts);
		answer_profile_wish(exchange, &decision, &parts.profile, wish);
		keystate_ask(exchange->keys, wish);
		count_exception(exchange, &decision, wish);
	}
	record_answer(exchange, &decision, parts.response.status);
	count_answer(exchange, &decision, &parts);
	tell_answer(exchange, request, parts.response.status, parts.reason,
	    parts.response.content_length, decision.allow,
	    sent_hash(request, &decision, &parts));
	OPENSSL_cleanse(&decision.key, sizeof(decision.key));
	answer_profile_clear(&parts.profile);
	buf_clear(&parts.body);
}

void
answer_invalid(const struct exchange *exchange, int status, const char *reason,
    struct buf *out)
{
	answer_plain(exchange, NULL, status, reason, false, out);
}

/* Requests that are answered so have bodies, or are none. */
static size_t
plain_reason(const struct request *request, int status)
{
	if (request == NULL)
		return METRICS_INVALID;
	if (status < 400)
		return DECISION_REPORT;
	return status == 503 ? METRICS_BUSY : METRICS_BAD_BODY;
}

void
answer_plain(const struct exchange *exchange, const struct request *request,
    int status, const char *reason, bool keep_alive, struct buf *out)
{
	struct response response = { .status = status,
		.keep_alive = keep_alive,
		.content_type = "text/plain",
		.date = clock_wall(),
		.fields = status == 503 ? RETRY_AFTER : NULL };
	struct buf body;

	buf_init(&body, 256);
	put_text(&body, status);
	response.content_length = body.len;
	put_answer(out, &response, &body, false);
	tell_answer(exchange, request, status, reason, body.len, status < 400,
	    NULL);
	metrics_request(exchange->metrics, exchange->listener->metrics_key,
	    plain_reason(request, status), status);
	buf_clear(&body);
}
