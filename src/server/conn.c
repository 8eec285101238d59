#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/request.h"
#include "server/answer.h"
#include "server/config.h"
#include "server/conn_internal.h"
#include "server/intake.h"
#include "server/keystate.h"
#include "server/metrics.h"
#include "server/record.h"
#include "server/service.h"
#include "server/tell.h"
#include "server/upload.h"
#include "server/visits.h"
#include "server/wire.h"
#include "tls/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOLD_LOOK_MS 20 /* how often it is asked whether the key is recorded */
#define DRAIN_TIMEOUT_MS 1000
#define DRAIN_BYTES_MAX (256 * 1024)

static void
free_conn(struct conn *conn)
{
	struct conn_host *host = conn->host;

	if (conn->previous != NULL)
		conn->previous->next = conn->next;
	else
		host->first = conn->next;
	if (conn->next != NULL)
		conn->next->previous = conn->previous;
	tls_conn_free(conn->tls);
	free(conn->peer);
	intake_free(conn->intake);
	upload_free(conn->upload);
	buf_clear(&conn->in);
	buf_clear(&conn->out);
	service_release(conn->service);
	(void)close(conn->fd);
	free(conn);
	host->ended(host);
}

void
conn_release(struct conn *conn)
{
	if (--conn->open_handles == 0)
		free_conn(conn);
}

/* libuv still uses a handle until this is called: only then free. */
static void
on_closed(uv_handle_t *handle)
{
	conn_release(handle->data);
}

void
conn_close(struct conn *conn)
{
	if (conn->phase == PHASE_CLOSED)
		return;
	conn_leave(conn,
	    conn->phase == PHASE_HANDSHAKE ? COUNT_FAILED : COUNT_CLOSED_EARLY,
	    ADMISSION_OURS);
	if (conn->phase == PHASE_ANSWER)
		conn_count(conn, COUNT_CUT);
	conn->phase = PHASE_CLOSED;
	uv_close((uv_handle_t *)&conn->poll, on_closed);
	uv_close((uv_handle_t *)&conn->timer, on_closed);
	conn_close_key(conn);
}

struct record *
conn_record(const struct conn *conn)
{
	return conn->own ? NULL : conn->host->record;
}

struct exchange
conn_exchange(const struct conn *conn)
{
	return (struct exchange) {
		.service = conn->service,
		.listener = conn->listener,
		.snapshot = conn->host->snapshot,
		.tls = conn->tls,
		.peer = tls_conn_peer(conn->tls)->verdict != TLS_PEER_NONE ?
		    conn->peer :
		    NULL,
		.source = &conn->source,
		.choice = conn->chosen.made ?
		    choice_basis_name(conn->chosen.basis) :
		    "",
		.keys = conn->host->keys,
		.cache = conn->host->cache,
		.record = conn_record(conn),
		.metrics = conn_metrics(conn),
		.own = conn->own,
		.started_us = conn->started_us,
	};
}

static void on_timeout(uv_timer_t *timer);

void
conn_enter(struct conn *conn, enum phase phase, unsigned timeout_ms)
{
	conn->phase = phase;
	(void)uv_timer_start(&conn->timer, on_timeout, timeout_ms, 0);
}

/* May another request follow on this connection? */
static bool
may_go_on(const struct conn *conn)
{
	return !conn->host->stopping && conn->service == conn->host->service;
}

/* Between two requests a client may leave without a word. */
static void
no_request(struct conn *conn, const char *reason)
{
	struct exchange exchange = conn_exchange(conn);

	if (!conn->idle)
		tell_no_request(&exchange, reason);
	if (!conn->asked)
		conn_count(conn, COUNT_UNASKED);
}

static enum step write_out(struct conn *conn);

static void
start_answer(struct conn *conn)
{
	static const int on = 1;

	conn_enter(conn, PHASE_ANSWER,
	    service_config(conn->service)->write_timeout_ms);
	conn->sent = 0;
	/* Its records, close_notify and FIN go out together: the end of the
	 * connection pulls the cork. */
	if (!conn->keep_alive)
		(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_CORK, &on,
		    sizeof(on));
}

/* It is ready: what the client's line makes of it is not ours. */
static void
count_latency(const struct conn *conn)
{
	metrics_answered(conn_metrics(conn), conn->listener->metrics_key,
	    clock_monotonic_us() - conn->begun_us);
}

/* The answer may only begin when what it wishes for is on the disk. */
static void
hold_answer(struct conn *conn, const struct keystate_wish *wish)
{
	start_answer(conn);
	if (keystate_wish_is_empty(wish)) {
		count_latency(conn);
		return;
	}
	conn->wish = *wish;
	conn->hold_until_ms = clock_monotonic_ms() +
	    service_config(conn->service)->write_timeout_ms;
	conn_enter(conn, PHASE_HOLD, HOLD_LOOK_MS);
}

/* An answer instead of the body, or of the rest of it. */
static void
refuse_body(struct conn *conn, const struct request *request, int status,
    const char *reason)
{
	struct exchange exchange = conn_exchange(conn);

	conn->keep_alive = false;
	conn->drain = true; /* it may be sending still */
	answer_plain(&exchange, request, status, reason, false, &conn->out);
}

/*
 * Is the body to be read first?  The head alone decides that: who may not send
 * one is answered at once.  True when all is begun, or refused.
 */
static bool
take_body(struct conn *conn, const struct exchange *exchange,
    const struct request *request)
{
	size_t max = answer_body_max(exchange, request);

	if (max == 0)
		return false;
	conn->upload = upload_new(request, max, &conn->host->upload_bytes);
	if (conn->upload == NULL) {
		refuse_body(conn, request, 503, "too-many-bodies");
		start_answer(conn);
		return true;
	}
	conn->sent = 0;
	upload_greet(conn->upload, &conn->in, &conn->out);
	conn_enter(conn, PHASE_BODY,
	    service_config(conn->service)->body_timeout_ms);
	return true;
}

/* Look at what has arrived; true when an answer is ready to be written. */
static bool
take_request(struct conn *conn)
{
	struct exchange exchange = conn_exchange(conn);
	struct keystate_wish wish = { .delivered = 0 };
	struct request request;
	struct error err;
	bool has_body;
	size_t used = 0;
	int status = 400;

	conn->begun_us = clock_monotonic_us();
	switch (request_parse(&request, buf_text(&conn->in), conn->in.len,
	    &used, &status, &err)) {
	case REQUEST_MORE:
		return false;
	case REQUEST_INVALID:
		conn->asked = true;
		conn->keep_alive = false;
		conn->drain = true;
		answer_invalid(&exchange, status, err.text, &conn->out);
		break;
	case REQUEST_COMPLETE:
		conn->asked = true;
		buf_consume(&conn->in, used);
		if (take_body(conn, &exchange, &request))
			return true;
		has_body = request_has_body(&request);
		conn->keep_alive = request.keep_alive && !has_body &&
		    may_go_on(conn);
		conn->drain = has_body;
		answer_request(&exchange, &request, conn->keep_alive,
		    &conn->out, &conn->file, &wish);
		break;
	}
	hold_answer(conn, &wish);
	return true;
}

static enum step
step_request(struct conn *conn)
{
	struct error err;
	char *space;
	size_t n = 0;

	if (conn->in.len > 0 && take_request(conn))
		return STEP_AGAIN;
	/* request_parse() refuses a head of REQUEST_HEAD_MAX bytes, so there
	 * is room here. */
	space = buf_reserve(&conn->in, conn->in.limit - conn->in.len);
	switch (wire_read(conn->tls, conn->fd, space,
	    conn->in.limit - conn->in.len, &n, &err)) {
	case TLS_WANT_READ:
		if (conn->in.len == 0)
			buf_clear(&conn->in); /* hold no memory */
		return STEP_READ;
	case TLS_WANT_WRITE:
		return STEP_WRITE;
	case TLS_CLOSED:
		no_request(conn, "closed by the peer");
		return STEP_END;
	case TLS_FAILED:
		no_request(conn, err.text);
		return STEP_END;
	case TLS_DONE:
		break;
	}
	conn->in.len += n;
	conn->in.data[conn->in.len] = '\0';
	if (conn->idle) {
		conn->idle = false;
		conn_enter(conn, PHASE_REQUEST,
		    service_config(conn->service)->request_timeout_ms);
	}
	return STEP_AGAIN;
}

/* All of it is there: for the pool, unless it is not wanted any more. */
static enum step
body_complete(struct conn *conn)
{
	const struct request *request = upload_request(conn->upload);
	struct exchange exchange = conn_exchange(conn);
	struct keystate_wish wish = { .delivered = 0 };
	const char *data;
	size_t len;

	conn->begun_us = clock_monotonic_us();
	data = upload_bytes(conn->upload, &len);
	buf_clear(&conn->out);
	conn->drain = false;
	conn->keep_alive = request->keep_alive && may_go_on(conn);
	conn->intake = intake_new(&exchange, request, data, len);
	if (conn->intake != NULL) {
		conn->phase = PHASE_WORK;
		(void)uv_timer_stop(&conn->timer);
		return STEP_WORK;
	}
	answer_request(&exchange, request, conn->keep_alive, &conn->out,
	    &conn->file, &wish);
	hold_answer(conn, &wish);
	return STEP_AGAIN;
}

static enum step
read_body(struct conn *conn)
{
	struct error err;
	char *space;
	size_t n = 0;

	/* All that had arrived is in the body: in is empty. */
	space = buf_reserve(&conn->in, conn->in.limit);
	switch (wire_read(conn->tls, conn->fd, space, conn->in.limit, &n,
	    &err)) {
	case TLS_WANT_READ:
		return STEP_READ;
	case TLS_WANT_WRITE:
		return STEP_WRITE;
	case TLS_CLOSED:
		no_request(conn, "closed by the peer within a body");
		return STEP_END;
	case TLS_FAILED:
		no_request(conn, err.text);
		return STEP_END;
	case TLS_DONE:
		break;
	}
	conn->in.len = n;
	conn->in.data[n] = '\0';
	return STEP_AGAIN;
}

static enum step
step_body(struct conn *conn)
{
	struct error err;
	int status = 400, rc = 0;

	if (conn->sent < conn->out.len)
		return write_out(conn);
	rc = upload_feed(conn->upload, &conn->in, &status, &err);
	if (rc > 0)
		return body_complete(conn);
	if (rc == 0)
		return read_body(conn);
	refuse_body(conn, upload_request(conn->upload), status, err.text);
	start_answer(conn);
	return STEP_AGAIN;
}

static enum step
answer_complete(struct conn *conn)
{
	const struct config *config = service_config(conn->service);

	conn_count(conn, COUNT_ANSWERED);
	conn->phase = PHASE_REQUEST; /* the answer cannot be cut any more */
	buf_clear(&conn->out);
	intake_free(conn->intake);
	conn->intake = NULL;
	upload_free(conn->upload);
	conn->upload = NULL;
	if (conn->keep_alive && may_go_on(conn)) {
		conn->started_us = clock_monotonic_us();
		conn->idle = conn->in.len == 0;
		if (conn->idle)
			buf_clear(&conn->in); /* hold no memory */
		conn_enter(conn, PHASE_REQUEST,
		    conn->idle ? config->idle_timeout_ms :
				 config->request_timeout_ms);
		return STEP_AGAIN;
	}
	if (conn->tls != NULL)
		tls_conn_shutdown(conn->tls);
	if (!conn->drain)
		return STEP_END;
	(void)shutdown(conn->fd, SHUT_WR);
	conn_enter(conn, PHASE_DRAIN, DRAIN_TIMEOUT_MS);
	return STEP_AGAIN;
}

/*
 * The next piece of the file: straight to the socket, or into out for TLS.  It
 * has the time of an answer to itself: how long a whole image takes is up to
 * the client's line.
 */
static enum step
next_piece(struct conn *conn)
{
	enum slice_io io;
	struct error err;

	conn->out.len = conn->sent = 0;
	io = conn->tls == NULL ? slice_send(&conn->file, conn->fd, &err) :
				 slice_take(&conn->file, &conn->out, &err);
	switch (io) {
	case SLICE_DONE:
		conn_enter(conn, PHASE_ANSWER,
		    service_config(conn->service)->write_timeout_ms);
		return STEP_AGAIN;
	case SLICE_WAIT:
		return STEP_FETCH;
	case SLICE_FULL:
		return STEP_WRITE;
	case SLICE_FAILED:
		break;
	}
	/* The length is promised: only an end that comes early tells. */
	if (err.kind != ERROR_NONE)
		log_message(LOG_LEVEL_WARN, "file-not-sent", "%s", err.text);
	return STEP_END;
}

static enum step
step_answer(struct conn *conn)
{
	if (conn->sent < conn->out.len)
		return write_out(conn);
	if (conn->file.len > 0)
		return next_piece(conn);
	return answer_complete(conn);
}

static enum step
write_out(struct conn *conn)
{
	struct error err;
	size_t n = 0;

	switch (wire_write(conn->tls, conn->fd, conn->out.data + conn->sent,
	    conn->out.len - conn->sent, &n, &err)) {
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
	conn->sent += n;
	return STEP_AGAIN;
}

static enum step
step_drain(struct conn *conn)
{
	char sink[4096];
	ssize_t n = recv(conn->fd, sink, sizeof(sink), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STEP_READ;
	if (n <= 0)
		return STEP_END;
	conn->drained += (size_t)n;
	return conn->drained > DRAIN_BYTES_MAX ? STEP_END : STEP_AGAIN;
}

static enum step
step(struct conn *conn)
{
	switch (conn->phase) {
	case PHASE_HELLO:
		return conn_step_hello(conn);
	case PHASE_TURN:
		return STEP_TURN;
	case PHASE_HANDSHAKE:
		return conn_step_handshake(conn);
	case PHASE_REQUEST:
		return step_request(conn);
	case PHASE_BODY:
		return step_body(conn);
	case PHASE_WORK:
		return STEP_WORK;
	case PHASE_HOLD:
		return STEP_HOLD;
	case PHASE_ANSWER:
		return step_answer(conn);
	case PHASE_DRAIN:
		return step_drain(conn);
	case PHASE_CLOSED:
		break;
	}
	return STEP_END;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void
wait_for(struct conn *conn, int events)
{
	if (events != conn->events)
		(void)uv_poll_start(&conn->poll, events, on_ready);
	conn->events = events;
}

/* In the pool. */
static void
work_fetch(uv_work_t *work)
{
	struct conn *conn = work->data;
	struct error err;

	conn->fetched = slice_fetch(&conn->file, &err) == 0;
	if (!conn->fetched)
		log_message(LOG_LEVEL_WARN, "file-not-sent", "%s", err.text);
}

static void
after_fetch(uv_work_t *work, int status)
{
	struct conn *conn = work->data;

	metrics_pool(conn->host->metrics, -1);
	if (conn->phase != PHASE_CLOSED) {
		if (status == 0 && conn->fetched)
			conn_run(conn);
		else
			conn_close(conn);
	}
	/* Last: it may have been what kept the connection. */
	conn_release(conn);
}

static void
start_fetch(struct conn *conn)
{
	/* Or the socket wakes us in vain. */
	(void)uv_poll_stop(&conn->poll);
	conn->events = 0;
	conn->fetch.data = conn;
	conn->open_handles++;
	metrics_pool(conn->host->metrics, 1);
	(void)uv_queue_work(conn->host->loop, &conn->fetch, work_fetch,
	    after_fetch);
}

/* In the pool. */
static void
work_report(uv_work_t *work)
{
	struct conn *conn = work->data;

	intake_work(conn->intake);
}

static void
after_report(uv_work_t *work, int status)
{
	struct conn *conn = work->data;

	(void)status; /* nobody cancels it */
	metrics_pool(conn->host->metrics, -1);
	if (conn->phase != PHASE_CLOSED) {
		struct exchange exchange = conn_exchange(conn);

		intake_answer(conn->intake, &exchange,
		    upload_request(conn->upload), conn->keep_alive, &conn->out);
		start_answer(conn);
		count_latency(conn);
		conn_run(conn);
	}
	conn_release(conn);
}

/* Who waits in the pool is not woken by its socket. */
static void
start_report(struct conn *conn)
{
	(void)uv_poll_stop(&conn->poll);
	conn->events = 0;
	conn->fetch.data = conn;
	conn->open_handles++;
	metrics_pool(conn->host->metrics, 1);
	(void)uv_queue_work(conn->host->loop, &conn->fetch, work_report,
	    after_report);
}

void
conn_run(struct conn *conn)
{
	for (;;) {
		switch (step(conn)) {
		case STEP_AGAIN:
			continue;
		case STEP_READ:
			wait_for(conn, UV_READABLE | UV_DISCONNECT);
			return;
		case STEP_WRITE:
			wait_for(conn, UV_WRITABLE);
			return;
		case STEP_TURN:
			(void)uv_poll_stop(&conn->poll);
			conn->events = 0;
			return;
		case STEP_FETCH:
			start_fetch(conn);
			return;
		case STEP_WORK:
			start_report(conn);
			return;
		case STEP_HOLD:
			(void)uv_poll_stop(&conn->poll);
			conn->events = 0;
			return;
		case STEP_END:
			conn_close(conn);
			return;
		}
	}
}

static void
on_ready(uv_poll_t *poll, int status, int events)
{
	struct conn *conn = poll->data;

	(void)status; /* an error shows when the socket is used */
	if (conn->phase == PHASE_CLOSED)
		return;
	if ((events & UV_DISCONNECT) != 0) {
		conn->hung_up = true;
		if (conn->phase == PHASE_HANDSHAKE && conn_is_in_vain(conn)) {
			conn_close(conn);
			return;
		}
	}
	conn_run(conn);
}

/* Is the key recorded?  False: it is waited for no longer.  A device that gets
 * no answer keeps what it has, and a key that is lost locks it out. */
static bool
look_again(struct conn *conn)
{
	if (keystate_has(conn->host->keys, &conn->wish)) {
		start_answer(conn);
		count_latency(conn);
		conn_run(conn);
		return true;
	}
	if (clock_monotonic_ms() >= conn->hold_until_ms) {
		log_message(LOG_LEVEL_ERROR, "answer-withheld",
		    "what it depends on could not be recorded in time: see "
		    "\"keys-not-recorded\", \"exceptions-not-recorded\"");
		return false;
	}
	conn_enter(conn, PHASE_HOLD, HOLD_LOOK_MS);
	return true;
}

static void
on_timeout(uv_timer_t *timer)
{
	struct conn *conn = timer->data;

	if (conn->phase == PHASE_HOLD && look_again(conn))
		return;
	if (conn->phase == PHASE_HELLO)
		conn_silent(conn);
	else if (conn->phase == PHASE_TURN)
		conn_leave(conn, COUNT_LATE, ADMISSION_OURS);
	else if (conn->phase == PHASE_HANDSHAKE)
		conn_handshake_failed(conn, "timed out", true);
	else if (conn->phase == PHASE_REQUEST && conn->in.len > 0) {
		struct exchange exchange = conn_exchange(conn);

		conn->keep_alive = false;
		conn->drain = true; /* it may be sending still */
		answer_invalid(&exchange, 408, "request timed out", &conn->out);
		start_answer(conn);
		conn_run(conn);
		return;
	} else if (conn->phase == PHASE_BODY) {
		/* A greeting that is not out yet is not the answer. */
		buf_clear(&conn->out);
		refuse_body(conn, upload_request(conn->upload), 408,
		    "body timed out");
		start_answer(conn);
		conn_run(conn);
		return;
	} else if (conn->phase == PHASE_REQUEST)
		no_request(conn, "timed out");
	conn_close(conn);
}

void
conn_start(struct conn_host *host, int fd, const struct addr *source,
    struct service *service, size_t listener)
{
	const bool plain = service_listener(service, listener)->policy.plain;
	struct conn *conn = xcalloc(1, sizeof(*conn));

	conn->host = host;
	conn->fd = fd;
	conn->source = *source;
	conn->service = service;
	conn->listener = service_listener(service, listener);
	conn->started_us = clock_monotonic_us();
	buf_init(&conn->in, REQUEST_HEAD_MAX + 1);
	buf_init(&conn->out, ANSWER_MAX);
	conn->next = host->first;
	if (host->first != NULL)
		host->first->previous = conn;
	host->first = conn;
	conn->low_water = 1;
	conn->own = visits_have(record_visits(host->record), source);
	if (!plain) {
		conn_count(conn, COUNT_ACCEPTED);
		admission_arrive(gate_admission(host->gate), &conn->waiting,
		    source, clock_monotonic_ms());
	}
	if (uv_poll_init(host->loop, &conn->poll, fd) != 0) {
		log_message(LOG_LEVEL_ERROR, "connection-refused", "%s",
		    "cannot poll the socket");
		conn_leave(conn, COUNT_CLOSED_EARLY, ADMISSION_OURS);
		free_conn(conn);
		return;
	}
	(void)uv_timer_init(host->loop, &conn->timer); /* cannot fail */
	conn->poll.data = conn;
	conn->timer.data = conn;
	conn->open_handles = 2;
	/* Without TLS there is no handshake, and nothing to wait for a turn. */
	conn_enter(conn, plain ? PHASE_REQUEST : PHASE_HELLO,
	    plain ? service_config(service)->request_timeout_ms :
		    service_config(service)->handshake_timeout_ms);
	conn_run(conn);
}

void
conn_host_sweep(struct conn_host *host, bool all)
{
	struct conn *next;

	for (struct conn *conn = host->first; conn != NULL; conn = next) {
		next = conn->next;
		/* Who has not asked yet is not idle: a device comes for one
		 * file, and would miss its resync. */
		if (all || (conn->idle && !may_go_on(conn)))
			conn_close(conn);
	}
}
