/*
 * call.h -- one request to the admin listener, on its way to an answer.
 *
 * It owns all that its answer needs, because the answer is made in the pool:
 * the request, what the site was at that moment, who asks, and the answer
 * itself.  What is wrong is said as a problem of RFC 9457.
 */
#ifndef ADMIN_CALL_H
#define ADMIN_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "base/addr.h"
#include "base/buf.h"
#include "http/query.h"
#include "http/request.h"
#include "http/response.h"
#include "inventory/names.h"

struct finder;
struct mac;
struct service;
struct site;
struct snapshot;

#define CALL_BODY_MAX (1024 * 1024)	    /* of a request */
#define CALL_IMPORT_MAX (128 * 1024 * 1024) /* of one with many devices */
#define CALL_ANSWER_MAX (64 * 1024 * 1024)  /* of an answer */
#define CALL_NAME_MAX 127

/* Who asks, and what he may do. */
struct caller {
	bool known;
	char name[CALL_NAME_MAX + 1];	     /* "token ci", "noc@example.net" */
	unsigned scopes;		     /* of enum admin_scope */
	char tenant[INVENTORY_NAME_MAX + 1]; /* "": all of them */
	bool by_session;		     /* of a browser */
	bool by_token;			     /* name is "token NAME" */
	time_t until;			     /* of a token that ends; else 0 */
};

struct call {
	struct site *site;
	struct request request;
	char *head; /* as it came: for fields */
	size_t head_len;
	char *body; /* with a NUL */
	size_t body_len;
	struct addr source;
	bool secure;		      /* over TLS */
	const char *certificate_name; /* CN of a person's certificate that is
				  * trusted; NULL: none */
	time_t now;		      /* when it arrived */
	struct caller caller;
	struct service *service; /* held until the end */
	struct snapshot *snapshot;
	struct finder *finder; /* NULL until call_finder() */
	struct query query;
	bool parameter_used[QUERY_PARAMETERS_MAX];
	/* The answer. */
	int status;
	const char *content_type;
	const char *content_encoding; /* NULL: none */
	struct buf out;
	struct buf again;  /* what is kept of it for who asks twice (replay.h),
			   * where that is not the same; "": it is */
	const void *bytes; /* instead of out: lives as long as the program */
	size_t bytes_len;
	struct buf fields;	  /* further ones of the head */
	char version[2 * 12 + 1]; /* of what can be changed; "": nothing can */
	char etag[64];
	char allow[64]; /* of a 405 */
};

/* The site's service and snapshot of now are held. */
void call_free(struct call *call); /* NULL is fine */
struct call *call_new(struct site *site, const struct request *request,
    const char *head, size_t head_len) MUST_CHECK FREED_BY(call_free);

/* A field of the head; "" when there is none, or two. */
void
call_field(const struct call *call, const char *name, char *value, size_t size);

/* ------------------------------------------------------------- parameters */

/* Split and decode the query.  False: it is malformed, a problem is the answer. */
bool call_read_query(struct call *call) MUST_CHECK;

/* The value of a parameter, which is then a known one; NULL when absent. */
const char *call_parameter(struct call *call, const char *name);

/* Is it there, and "1" or "true"? */
bool call_is_set(struct call *call, const char *name);

/* A number between min and max; fallback when absent.  False: a problem. */
bool call_number(struct call *call, const char *name, uint64_t min,
    uint64_t max, uint64_t fallback, uint64_t *number) MUST_CHECK;

/*
 * The number that stands for a position in a record (0: none) which all write:
 * the position itself, but for a tenant one that says nothing (veil.h).  And
 * back from a parameter, 0 when absent; false: a problem.
 */
int64_t call_position(const struct call *call, const char *record, int64_t id);
bool call_read_position(struct call *call, const char *parameter, uint64_t min,
    const char *record, int64_t *id) MUST_CHECK;

/* Are all parameters known ones?  False: a problem that names the first. */
bool call_no_others(struct call *call) MUST_CHECK;

/* The body as a JSON object or array; NULL: a problem is the answer.  The
 * caller's, for call_wipe_json() when there are secrets in it. */
json_t *call_body_json(struct call *call) MUST_CHECK;

/* Overwrite its texts, and release it. */
void call_wipe_json(json_t *json);

/* ----------------------------------------------------------------- answers */

/* Answer with that status and a problem; the text is for people. */
void call_problem(struct call *call, int status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The same with further keys; json is taken. */
void call_problem_with(struct call *call, int status, json_t *json,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same for what a function below said. */
void call_error(struct call *call, const struct error *err);

/* Answer with JSON; json is taken. */
void call_json(struct call *call, int status, json_t *json);
/* The same with one more key, whose text is said this once and never again:
 * call->again is without it. */
void call_json_secret(struct call *call, int status, json_t *json,
    const char *key, const char *secret);
/* Answer with JSON text; free()d with the call. */
void call_json_text(struct call *call, char *text, size_t len);

/* Answer that it is done, with nothing more to say. */
void call_done(struct call *call);

/* Another field of the head. */
void call_add_field(struct call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "2034-01-30T22:34:23Z", or null for 0. */
json_t *call_time(time_t when);

/* May the caller see this device, that group? */
bool call_may_see_group(const struct call *call, const char *group);
/* Is it for who sees all devices?  Else a problem, 403, is the answer. */
bool call_sees_all(struct call *call) MUST_CHECK;
struct finder *call_finder(struct call *call); /* the call's */

#endif
