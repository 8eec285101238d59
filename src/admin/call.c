#include "admin/call.h"
#include "admin/site.h"
#include "admin/veil.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/field.h"
#include "inventory/finder.h"
#include "inventory/snapshot.h"
#include "server/service.h"

#include <openssl/crypto.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct call *
call_new(struct site *site, const struct request *request, const char *head,
    size_t head_len)
{
	struct call *call = xcalloc(1, sizeof(*call));

	call->site = site;
	call->request = *request;
	call->head = xstrndup(head, head_len);
	call->head_len = head_len;
	call->now = clock_wall();
	call->service = site_service(site);
	call->snapshot = site_snapshot(site);
	call->status = 500; /* until somebody knows better */
	buf_init(&call->out, CALL_ANSWER_MAX);
	buf_init(&call->again, CALL_ANSWER_MAX);
	buf_init(&call->fields, 4096);
	return call;
}

/* Tokens, cookies and passwords are in there. */
static void
wipe(char *data, size_t len)
{
	if (data != NULL)
		OPENSSL_cleanse(data, len);
	free(data);
}

void
call_free(struct call *call)
{
	if (call == NULL)
		return;
	wipe(call->head, call->head_len);
	wipe(call->body, call->body_len);
	if (call->out.data != NULL)
		OPENSSL_cleanse(call->out.data, call->out.len);
	buf_clear(&call->out);
	buf_clear(&call->again);
	if (call->fields.data != NULL)
		OPENSSL_cleanse(call->fields.data, call->fields.len);
	buf_clear(&call->fields);
	finder_release(call->finder);
	snapshot_release(call->snapshot);
	service_release(call->service);
	free(call);
}

void
call_field(const struct call *call, const char *name, char *value, size_t size)
{
	(void)field_find(call->head, call->head_len, name, value, size);
}

/* ------------------------------------------------------------- parameters */

bool
call_read_query(struct call *call)
{
	if (query_read(&call->query, call->request.query))
		return true;
	call_problem(call, 400,
	    "the query is malformed: expected at most %d different NAME=VALUE "
	    "of at most %d bytes",
	    QUERY_PARAMETERS_MAX, QUERY_VALUE_MAX);
	return false;
}

const char *
call_parameter(struct call *call, const char *name)
{
	int i = query_find(&call->query, name);

	if (i < 0)
		return NULL;
	call->parameter_used[i] = true;
	return call->query.list[i].value;
}

bool
call_is_set(struct call *call, const char *name)
{
	const char *text = call_parameter(call, name);

	return text != NULL &&
	    (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

bool
call_number(struct call *call, const char *name, uint64_t min, uint64_t max,
    uint64_t fallback, uint64_t *number)
{
	const char *text = call_parameter(call, name);
	struct error ignored;

	*number = fallback;
	if (text == NULL ||
	    text_parse_number(text, min, max, number, &ignored) == 0)
		return true;
	call_problem(call, 400,
	    "%s: expected a number from %" PRIu64 " to %" PRIu64, name, min,
	    max);
	return false;
}

/* Each tenant has its own numbers in each record. */
static char *
veil_name(const struct call *call, const char *record)
{
	return xasprintf("%s/%s", record, call->caller.tenant);
}

int64_t
call_position(const struct call *call, const char *record, int64_t id)
{
	char *name;
	int64_t number;

	if (*call->caller.tenant == '\0' || id == 0)
		return id;
	name = veil_name(call, record);
	number = veil_put(site_tag_key(call->site), name, id);
	free(name);
	return number;
}

bool
call_read_position(struct call *call, const char *parameter, uint64_t min,
    const char *record, int64_t *id)
{
	struct error err;
	uint64_t number;
	char *name;
	int rc;

	*id = 0;
	if (!call_number(call, parameter, min, INT64_MAX, 0, &number))
		return false;
	*id = (int64_t)number;
	if (*call->caller.tenant == '\0' || number == 0)
		return true;
	name = veil_name(call, record);
	rc = veil_take(site_tag_key(call->site), name, (int64_t)number, id,
	    &err);
	free(name);
	if (rc != 0)
		call_problem(call, 400, "%s: %s", parameter, err.text);
	return rc == 0;
}

bool
call_no_others(struct call *call)
{
	char shown[64];

	for (size_t i = 0; i < call->query.count; i++)
		if (!call->parameter_used[i]) {
			text_escape(call->query.list[i].name,
			    strlen(call->query.list[i].name), shown,
			    sizeof(shown));
			call_problem(call, 400,
			    "there is no parameter \"%s\" here: see "
			    "/api/v1/openapi.json",
			    shown);
			return false;
		}
	return true;
}

static bool
has_type(const struct call *call, const char *type)
{
	const char *given = call->request.content_type;
	size_t len = strlen(type);

	return strncasecmp(given, type, len) == 0 &&
	    (given[len] == '\0' || given[len] == ';' || given[len] == ' ');
}

json_t *
call_body_json(struct call *call)
{
	json_error_t wrong;
	json_t *json;

	if (!has_type(call, "application/json") &&
	    !(call->request.method == REQUEST_OTHER &&
		has_type(call, "application/merge-patch+json"))) {
		call_problem(call, 415, "expected a body of application/json");
		return NULL;
	}
	json = json_loadb(call->body_len > 0 ? call->body : "", call->body_len,
	    JSON_REJECT_DUPLICATES, &wrong);
	if (json == NULL)
		call_problem(call, 400, "the body is no JSON: %d:%d: %s",
		    wrong.line, wrong.column, wrong.text);
	return json;
}

/* Jansson keeps texts where one may write as much as there is. */
static void
wipe_texts(json_t *json)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_string(json)) {
		union {
			const char *text;
			void *bytes;
		} of = { json_string_value(json) };

		OPENSSL_cleanse(of.bytes, json_string_length(json));
	}
	json_array_foreach(json, i, value) wipe_texts(value);
	json_object_foreach(json, key, value) wipe_texts(value);
}

void
call_wipe_json(json_t *json)
{
	wipe_texts(json);
	json_decref(json);
}

/* ----------------------------------------------------------------- answers */

static void
drop_answer(struct call *call)
{
	call->bytes = NULL;
	call->content_encoding = NULL;
	buf_consume(&call->out, call->out.len);
	buf_consume(&call->again, call->again.len);
}

static int
add_piece(const char *piece, size_t len, void *arg)
{
	return buf_append(arg, piece, len);
}

static void
put_json(struct call *call, int status, const char *type, json_t *json)
{
	drop_answer(call);
	call->status = status;
	call->content_type = type;
	if (json == NULL ||
	    json_dump_callback(json, add_piece, &call->out,
		JSON_COMPACT | JSON_ENSURE_ASCII) != 0 ||
	    buf_append_text(&call->out, "\n") != 0) {
		drop_answer(call);
		call->status = 500;
	}
	json_decref(json);
}

void
call_json(struct call *call, int status, json_t *json)
{
	put_json(call, status, "application/json", json);
}

void
call_json_secret(struct call *call, int status, json_t *json, const char *key,
    const char *secret)
{
	json_t *again = json_copy(json);

	(void)json_object_set_new(json, key, json_string(secret));
	call_json(call, status, json_incref(json));
	if (json_dump_callback(again, add_piece, &call->again,
		JSON_COMPACT | JSON_ENSURE_ASCII) != 0 ||
	    buf_append_text(&call->again, "\n") != 0)
		call_problem(call, 500, "the answer is too long");
	json_decref(again);
	call_wipe_json(json);
}

void
call_json_text(struct call *call, char *text, size_t len)
{
	drop_answer(call);
	call->status = 200;
	call->content_type = "application/json";
	if (buf_append(&call->out, text, len) != 0)
		call_problem(call, 500, "the answer is too long");
	free(text);
}

/* RFC 9457 3.1: type about:blank, so the title is the status's own. */
void
call_problem(struct call *call, int status, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_json(call, status, "application/problem+json",
	    json_pack("{ss ss si ss}", "type", "about:blank", "title",
		response_reason(status), "status", status, "detail", text));
	if (call->status == 500 && call->out.len == 0) /* no UTF-8 */
		put_json(call, status, "application/problem+json",
		    json_pack("{ss ss si}", "type", "about:blank", "title",
			response_reason(status), "status", status));
}

void
call_problem_with(struct call *call, int status, json_t *json, const char *fmt,
    ...)
{
	char text[512];
	json_t *problem;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problem = json_pack("{ss ss si ss}", "type", "about:blank", "title",
	    response_reason(status), "status", status, "detail", text);
	(void)json_object_update(problem, json);
	json_decref(json);
	put_json(call, status, "application/problem+json", problem);
}

void
call_done(struct call *call)
{
	call->status = 204;
	call->content_type = NULL;
}

void
call_error(struct call *call, const struct error *err)
{
	static const int statuses[] = {
		[ERROR_NONE] = 500,
		[ERROR_INPUT] = 422,
		[ERROR_NOT_FOUND] = 404,
		[ERROR_DENIED] = 403,
		[ERROR_SYSTEM] = 503,
	};

	call_problem(call, statuses[err->kind], "%s", err->text);
}

void
call_add_field(struct call *call, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* What is cut would be another field: rather none. */
	if (len > 0 && (size_t)len < sizeof(line))
		(void)!buf_printf(&call->fields, "%s\r\n", line);
	OPENSSL_cleanse(line, sizeof(line));
}

json_t *
call_time(time_t when)
{
	char text[CLOCK_TEXT_BYTES];

	if (when == 0)
		return json_null();
	clock_format(when, text);
	return json_string(text);
}

/* ------------------------------------------------------------------ seeing */

bool
call_may_see_group(const struct call *call, const char *group)
{
	return *call->caller.tenant == '\0' ||
	    snapshot_group_is_below(call->snapshot, group, call->caller.tenant);
}

bool
call_sees_all(struct call *call)
{
	if (*call->caller.tenant == '\0')
		return true;
	call_problem(call, 403, "this is about the devices of all tenants");
	return false;
}

struct finder *
call_finder(struct call *call)
{
	if (call->finder == NULL)
		call->finder = site_finder(call->site);
	return call->finder;
}
