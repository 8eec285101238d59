#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/request.h"
#include "server/answer.h"
#include "server/config.h"
#include "server/conn_internal.h"
#include "server/intake.h"
#include "server/record.h"
#include "server/service.h"
#include "server/upload.h"
#include "server/visits.h"
#include "tls/conn.h"

#include <stdlib.h>
#include <unistd.h>

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
bool
conn_may_go_on(const struct conn *conn)
{
	return !conn->host->stopping && conn->service == conn->host->service;
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
		return conn_step_request(conn);
	case PHASE_BODY:
		return conn_step_body(conn);
	case PHASE_WORK:
		return STEP_WORK;
	case PHASE_HOLD:
		return STEP_HOLD;
	case PHASE_ANSWER:
		return conn_step_answer(conn);
	case PHASE_DRAIN:
		return conn_step_drain(conn);
	case PHASE_CLOSED:
		break;
	}
	return STEP_END;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void
wait_for(struct conn *conn, int events)
{
	conn->is_parked = false;
	if (events != conn->events)
		(void)uv_poll_start(&conn->poll, events, on_ready);
	conn->events = events;
}

/* Most go on before their socket says anything: polling it goes on, too, which
 * is cheaper than to stop and to start. */
void
conn_park(struct conn *conn)
{
	conn->is_parked = true;
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
		case STEP_HOLD:
			conn_park(conn);
			return;
		case STEP_FETCH:
			conn_start_fetch(conn);
			return;
		case STEP_WORK:
			conn_start_report(conn);
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
	if (conn->is_parked) {
		(void)uv_poll_stop(&conn->poll); /* or it wakes us again */
		conn->events = 0;
		return;
	}
	if ((events & UV_DISCONNECT) != 0) {
		conn->hung_up = true;
		if (conn->phase == PHASE_HANDSHAKE && conn_is_in_vain(conn)) {
			conn_close(conn);
			return;
		}
	}
	conn_run(conn);
}

static void
on_timeout(uv_timer_t *timer)
{
	struct conn *conn = timer->data;

	if (conn->phase == PHASE_HOLD && conn_look_again(conn))
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
		conn_start_answer(conn);
		conn_run(conn);
		return;
	} else if (conn->phase == PHASE_BODY) {
		/* A greeting that is not out yet is not the answer. */
		buf_clear(&conn->out);
		conn_refuse_body(conn, upload_request(conn->upload), 408,
		    "body timed out");
		conn_start_answer(conn);
		conn_run(conn);
		return;
	} else if (conn->phase == PHASE_REQUEST)
		conn_no_request(conn, "timed out");
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
		if (all || (conn->idle && !conn_may_go_on(conn)))
			conn_close(conn);
	}
}
