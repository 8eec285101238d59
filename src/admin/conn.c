#include "admin/conn.h"
#include "admin/api.h"
#include "admin/call.h"
#include "admin/conn_parts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/body.h"
#include "pki/cert.h"
#include "server/wire.h"
#include "tls/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDSHAKE_MS 10000
#define REQUEST_MS 10000 /* from its first byte to its last */
#define BODY_MS 30000
#define LARGE_BYTES_PER_MS 256 /* of a body longer than usual, at least */
#define ANSWER_MS 60000
#define DRAIN_MS 1000
#define DRAIN_BYTES_MAX (4 * 1024 * 1024)
#define IDLE_MS 75000 /* pages look again every few seconds */

enum step { STEP_AGAIN, STEP_READ, STEP_WRITE, STEP_WORK, STEP_END };

/* --------------------------------------------------------------- its end */

static void
drop_call(struct person *person)
{
	call_free(person->call);
	person->call = NULL;
	person->desk->large -= person->large;
	person->large = 0;
}

void
person_release(struct person *person)
{
	struct desk *desk = person->desk;

	if (--person->open_handles > 0)
		return;
	if (person->previous != NULL)
		person->previous->next = person->next;
	else
		desk->first = person->next;
	if (person->next != NULL)
		person->next->previous = person->previous;
	desk->count--;
	body_free(person->body);
	drop_call(person);
	tls_conn_free(person->tls);
	front_release(person->front);
	free(person->certificate_name);
	buf_clear(&person->in);
	buf_clear(&person->out);
	(void)close(person->fd);
	free(person);
}

static void
on_closed(uv_handle_t *handle)
{
	person_release(handle->data);
}

void
person_close(struct person *person)
{
	if (person->phase == PHASE_CLOSED)
		return;
	person->phase = PHASE_CLOSED;
	desk_leave(person);
	uv_close((uv_handle_t *)&person->poll, on_closed);
	uv_close((uv_handle_t *)&person->timer, on_closed);
}

static void on_timeout(uv_timer_t *timer);

static void
enter(struct person *person, enum phase phase, unsigned timeout_ms)
{
	person->phase = phase;
	(void)uv_timer_start(&person->timer, on_timeout, timeout_ms, 0);
}

/* --------------------------------------------------------------- answers */

static void
log_call(const struct person *person, const struct call *call)
{
	bool ours = call->status >= 500;
	char source[ADDR_TEXT_BYTES];
	struct log_line line;

	addr_format_host(&person->source, source);
	log_begin(&line, ours ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG,
	    "admin-request");
	log_text(&line, "source", source);
	log_text(&line, "who",
	    call->caller.known ? call->caller.name : "unknown");
	log_text(&line, "method", call->request.method_name);
	log_text(&line, "path", call->request.path);
	log_number(&line, "status", call->status);
	log_number(&line, "us",
	    (long long)(clock_monotonic_us() - person->began_us));
	log_end(&line);
}

/* All is said: head, and what follows it. */
static void
start_answer(struct person *person)
{
	struct call *call = person->call;
	const char *body = call->bytes != NULL ? call->bytes : call->out.data;
	size_t len = call->bytes != NULL ? call->bytes_len : call->out.len;
	bool none, head = call->request.method == REQUEST_HEAD;

	api_finish(call);
	none = call->status == 304 || call->status == 204;
	log_call(person, call);
	if (response_write_head(
		&(struct response) {
		    .status = call->status,
		    .content_type = call->content_type,
		    .content_length = none ? 0 : len,
		    .keep_alive = person->keep_alive,
		    .date = clock_wall(),
		    .allow = call->allow,
		    .content_encoding = call->content_encoding,
		    .etag = call->etag,
		    .fields = buf_text(&call->fields),
		},
		&person->out) != 0) {
		person_close(person);
		return;
	}
	person->sent = 0;
	person->bytes = body;
	person->bytes_len = none || head ? 0 : len;
	person->bytes_sent = 0;
	enter(person, PHASE_ANSWER, ANSWER_MS);
}

static void run(struct person *person);

void
person_answer(struct person *person)
{
	start_answer(person);
	run(person);
}
static void
answer(struct person *person)
{
	if (api_answer_now(person->call))
		start_answer(person);
	else
		desk_queue(person);
}

/* -------------------------------------------------------------- requests */

/* Bytes that are no request, or a body that is none: nobody is answered in
 * detail, and the connection ends. */
static void
refuse(struct person *person, int status)
{
	struct response response = {
		.status = status,
		.date = clock_wall(),
		.content_type = "application/problem+json",
	};
	char body[128];

	(void)snprintf(body, sizeof(body),
	    "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
	    "\"detail\":\"no request that can be answered\"}\n",
	    response_reason(status), status);
	response.content_length = strlen(body);
	person->keep_alive = false;
	person->bytes_len = 0;
	person->bytes_sent = 0;
	person->sent = 0;
	if (response_write_head(&response, &person->out) != 0 ||
	    buf_append_text(&person->out, body) != 0)
		person_close(person);
	else
		enter(person, PHASE_ANSWER, ANSWER_MS);
}

/* How much of the desk's room for long bodies it may come to need; what says
 * that it is longer than it may be is refused before that. */
static size_t
large_bytes(const struct request *request, size_t max)
{
	size_t bytes = max;

	if (request->framing != REQUEST_CHUNKED && request->body_length <= max)
		bytes = (size_t)request->body_length;
	return bytes > CALL_BODY_MAX ? bytes : 0;
}

static void
read_body(struct person *person)
{
	const struct request *request = &person->call->request;
	size_t max = api_body_max(request);

	person->large = large_bytes(request, max);
	person->desk->large += person->large;
	if (person->desk->large > DESK_LARGE_BYTES_MAX) {
		refuse(person, 503);
		return;
	}
	person->body = body_new(request, max);
	/* It is always read, up to its limit, so it may come. */
	if (request->expect == REQUEST_EXPECT_CONTINUE && person->in.len == 0)
		(void)!buf_append_text(&person->out,
		    "HTTP/1.1 100 Continue\r\n\r\n");
	enter(person, PHASE_BODY,
	    BODY_MS + (unsigned)(person->large / LARGE_BYTES_PER_MS));
}

/* Room for long bodies is for who may send one. */
static void
begin_body(struct person *person)
{
	const struct request *request = &person->call->request;

	if (large_bytes(request, api_body_max(request)) == 0) {
		read_body(person);
		return;
	}
	person->asks = true;
	desk_queue(person);
}

void
person_asked(struct person *person)
{
	person->asks = false;
	if (person->may_send) {
		read_body(person);
	} else {
		person->keep_alive = false; /* it may be sending already */
		start_answer(person);
	}
	run(person);
}

/* True when something came of what has arrived. */
static bool
take_request(struct person *person)
{
	struct request request;
	int status = 400;
	size_t used = 0;
	struct error err;

	switch (request_parse(&request, buf_text(&person->in), person->in.len,
	    &used, &status, &err)) {
	case REQUEST_MORE:
		return false;
	case REQUEST_INVALID:
		refuse(person, status);
		return true;
	case REQUEST_COMPLETE:
		break;
	}
	person->began_us = clock_monotonic_us();
	person->keep_alive = request.keep_alive;
	person->call = call_new(person->desk->site, &request,
	    buf_text(&person->in), used);
	person->call->source = person->source;
	person->call->secure = person->tls != NULL;
	person->call->certificate_name = person->certificate_name;
	buf_consume(&person->in, used);
	if (request.expect == REQUEST_EXPECT_UNKNOWN)
		refuse(person, 417);
	else if (request_has_body(&request))
		begin_body(person);
	else
		answer(person);
	return true;
}

static bool
take_body(struct person *person)
{
	struct error err;
	int status = 400;
	size_t used = 0;

	switch (body_feed(person->body, buf_text(&person->in), person->in.len,
	    &used, &status, &err)) {
	case -1:
		refuse(person, status);
		return true;
	case 0:
		buf_consume(&person->in, used);
		return false;
	default:
		break;
	}
	buf_consume(&person->in, used);
	person->call->body = body_take(person->body, &person->call->body_len);
	body_free(person->body);
	person->body = NULL;
	answer(person);
	return true;
}

/* ----------------------------------------------------------------- steps */

static enum step
step_handshake(struct person *person)
{
	const struct tls_peer *peer;
	struct error err;

	switch (tls_conn_handshake(person->tls, &err)) {
	case TLS_WANT_READ:
		return STEP_READ;
	case TLS_WANT_WRITE:
		return STEP_WRITE;
	case TLS_CLOSED:
	case TLS_FAILED:
		return STEP_END;
	case TLS_DONE:
		break;
	}
	peer = tls_conn_peer(person->tls);
	if (peer->verdict == TLS_PEER_TRUSTED) {
		const struct cert_name_part *cn;
		struct cert_name name;

		cert_subject(tls_conn_certificate(person->tls), &name);
		cn = cert_name_find(&name, CERT_COMMON_NAME);
		if (cn != NULL && !cn->truncated && !cn->wide &&
		    strlen(cn->value) == cn->len)
			person->certificate_name = xstrdup(cn->value);
	}
	enter(person, PHASE_IDLE, IDLE_MS);
	return STEP_AGAIN;
}

static enum step
step_input(struct person *person)
{
	struct error err;
	size_t n = 0;
	char *space;

	if (person->in.len > 0 || person->phase == PHASE_BODY) {
		if (person->phase == PHASE_BODY ? take_body(person) :
						  take_request(person))
			return STEP_AGAIN;
	}
	if (person->out.len > 0) /* "go on" has to be said first */
		return STEP_WRITE;
	space = buf_reserve(&person->in, person->in.limit - person->in.len);
	switch (wire_read(person->tls, person->fd, space,
	    person->in.limit - person->in.len, &n, &err)) {
	case TLS_WANT_READ:
		return STEP_READ;
	case TLS_WANT_WRITE:
		return STEP_WRITE;
	case TLS_CLOSED:
	case TLS_FAILED:
		return STEP_END;
	case TLS_DONE:
		break;
	}
	person->in.len += n;
	person->in.data[person->in.len] = '\0';
	if (person->phase == PHASE_IDLE)
		enter(person, PHASE_REQUEST, REQUEST_MS);
	return STEP_AGAIN;
}

/* Write what is left of a run of bytes. */
static enum step
write_some(struct person *person, const char *data, size_t len, size_t *sent)
{
	struct error err;
	size_t n = 0;

	switch (wire_write(person->tls, person->fd, data + *sent, len - *sent,
	    &n, &err)) {
	case TLS_WANT_READ:
		return STEP_READ;
	case TLS_WANT_WRITE:
		return STEP_WRITE;
	case TLS_CLOSED:
	case TLS_FAILED:
		return STEP_END;
	case TLS_DONE:
		break;
	}
	*sent += n;
	return STEP_AGAIN;
}

static enum step
step_answer(struct person *person)
{
	if (person->sent < person->out.len)
		return write_some(person, person->out.data, person->out.len,
		    &person->sent);
	if (person->bytes_sent < person->bytes_len)
		return write_some(person, person->bytes, person->bytes_len,
		    &person->bytes_sent);
	buf_clear(&person->out);
	drop_call(person);
	if (!person->keep_alive) {
		if (person->tls != NULL)
			tls_conn_shutdown(person->tls);
		(void)shutdown(person->fd, SHUT_WR);
		enter(person, PHASE_DRAIN, DRAIN_MS);
		return STEP_AGAIN;
	}
	enter(person, PHASE_IDLE, IDLE_MS);
	return STEP_AGAIN;
}

static enum step
step_drain(struct person *person)
{
	char ignored[16384];
	ssize_t n = recv(person->fd, ignored, sizeof(ignored), 0);

	if (n < 0 && errno == EAGAIN)
		return STEP_READ;
	if (n <= 0)
		return STEP_END;
	person->drained += (size_t)n;
	return person->drained < DRAIN_BYTES_MAX ? STEP_AGAIN : STEP_END;
}

/* "100 Continue" goes out while the body is awaited. */
static enum step
step_greeting(struct person *person)
{
	enum step step = write_some(person, person->out.data, person->out.len,
	    &person->sent);

	if (step == STEP_AGAIN && person->sent == person->out.len) {
		buf_clear(&person->out);
		person->sent = 0;
	}
	return step;
}

static enum step
step(struct person *person)
{
	switch (person->phase) {
	case PHASE_HANDSHAKE:
		return step_handshake(person);
	case PHASE_BODY:
		if (person->out.len > 0)
			return step_greeting(person);
		return step_input(person);
	case PHASE_IDLE:
	case PHASE_REQUEST:
		return step_input(person);
	case PHASE_WORK:
		return STEP_WORK;
	case PHASE_ANSWER:
		return step_answer(person);
	case PHASE_DRAIN:
		return step_drain(person);
	case PHASE_CLOSED:
		break;
	}
	return STEP_WORK;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void
run(struct person *person)
{
	for (;;) {
		switch (step(person)) {
		case STEP_AGAIN:
			continue;
		case STEP_READ:
			(void)uv_poll_start(&person->poll, UV_READABLE,
			    on_ready);
			return;
		case STEP_WRITE:
			(void)uv_poll_start(&person->poll, UV_WRITABLE,
			    on_ready);
			return;
		case STEP_WORK:
			if (person->phase != PHASE_CLOSED)
				(void)uv_poll_stop(&person->poll);
			return;
		case STEP_END:
			person_close(person);
			return;
		}
	}
}

static void
on_ready(uv_poll_t *poll, int status, int events)
{
	struct person *person = poll->data;

	(void)status; /* an error shows when the socket is used */
	(void)events;
	if (person->phase != PHASE_CLOSED)
		run(person);
}

static void
on_timeout(uv_timer_t *timer)
{
	struct person *person = timer->data;

	if (person->phase == PHASE_REQUEST || person->phase == PHASE_BODY) {
		buf_clear(&person->out);
		refuse(person, 408);
		if (person->phase != PHASE_CLOSED)
			run(person);
		return;
	}
	person_close(person);
}

void
person_start(struct desk *desk, struct front *front, int fd,
    const struct addr *source)
{
	static const int one = 1;
	struct person *person;
	struct error err;

	if (!desk_make_room(desk)) {
		(void)close(fd);
		return;
	}
	person = xcalloc(1, sizeof(*person));
	person->desk = desk;
	person->fd = fd;
	person->source = *source;
	buf_init(&person->in, REQUEST_HEAD_MAX + 1);
	buf_init(&person->out, 16384);
	if (front->tls != NULL &&
	    (person->tls = tls_conn_new_server(front->tls, fd, &err)) == NULL) {
		log_message(LOG_LEVEL_ERROR, "admin", "%s", err.text);
		(void)close(fd);
		free(person);
		return;
	}
	if (uv_poll_init(desk->loop, &person->poll, fd) != 0) {
		tls_conn_free(person->tls);
		(void)close(fd);
		free(person);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	person->front = front;
	front->references++;
	(void)uv_timer_init(desk->loop, &person->timer); /* cannot fail */
	person->poll.data = person;
	person->timer.data = person;
	person->open_handles = 2;
	person->next = desk->first;
	if (desk->first != NULL)
		desk->first->previous = person;
	desk->first = person;
	desk->count++;
	enter(person, person->tls != NULL ? PHASE_HANDSHAKE : PHASE_IDLE,
	    person->tls != NULL ? HANDSHAKE_MS : IDLE_MS);
	run(person);
}
