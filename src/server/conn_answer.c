#include "base/clock.h"
#include "base/log.h"
#include "server/answer.h"
#include "server/config.h"
#include "server/conn_internal.h"
#include "server/intake.h"
#include "server/metrics.h"
#include "server/service.h"
#include "server/upload.h"
#include "server/wire.h"
#include "tls/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define HOLD_LOOK_MS 20 /* how often it is asked whether the key is recorded */
#define DRAIN_TIMEOUT_MS 1000
#define DRAIN_BYTES_MAX (256 * 1024)

void
conn_start_answer(struct conn *conn)
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
void
conn_hold_answer(struct conn *conn, const struct keystate_wish *wish)
{
	conn_start_answer(conn);
	if (keystate_wish_is_empty(wish)) {
		count_latency(conn);
		return;
	}
	conn->wish = *wish;
	conn->hold_until_ms = clock_monotonic_ms() +
	    service_config(conn->service)->write_timeout_ms;
	conn_enter(conn, PHASE_HOLD, HOLD_LOOK_MS);
}

enum step
conn_write_out(struct conn *conn)
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

/* Is the key recorded?  False: it is waited for no longer.  A device that gets
 * no answer keeps what it has, and a key that is lost locks it out. */
bool
conn_look_again(struct conn *conn)
{
	if (keystate_has(conn->host->keys, &conn->wish)) {
		conn_start_answer(conn);
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
	if (conn->keep_alive && conn_may_go_on(conn)) {
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

enum step
conn_step_answer(struct conn *conn)
{
	if (conn->sent < conn->out.len)
		return conn_write_out(conn);
	if (conn->file.len > 0)
		return next_piece(conn);
	return answer_complete(conn);
}

enum step
conn_step_drain(struct conn *conn)
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

void
conn_start_fetch(struct conn *conn)
{
	conn_park(conn);
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
		conn_start_answer(conn);
		count_latency(conn);
		conn_run(conn);
	}
	conn_release(conn);
}

/* Who waits in the pool is not woken by its socket. */
void
conn_start_report(struct conn *conn)
{
	conn_park(conn);
	conn->fetch.data = conn;
	conn->open_handles++;
	metrics_pool(conn->host->metrics, 1);
	(void)uv_queue_work(conn->host->loop, &conn->fetch, work_report,
	    after_report);
}
