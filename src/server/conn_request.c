#include "base/clock.h"
#include "http/request.h"
#include "server/answer.h"
#include "server/config.h"
#include "server/conn_internal.h"
#include "server/intake.h"
#include "server/service.h"
#include "server/tell.h"
#include "server/upload.h"
#include "server/wire.h"

/* Between two requests a client may leave without a word. */
void
conn_no_request(struct conn *conn, const char *reason)
{
	struct exchange exchange = conn_exchange(conn);

	if (!conn->idle)
		tell_no_request(&exchange, reason);
	if (!conn->asked)
		conn_count(conn, COUNT_UNASKED);
}

/* An answer instead of the body, or of the rest of it. */
void
conn_refuse_body(struct conn *conn, const struct request *request, int status,
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
		conn_refuse_body(conn, request, 503, "too-many-bodies");
		conn_start_answer(conn);
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
		    conn_may_go_on(conn);
		conn->drain = has_body;
		answer_request(&exchange, &request, conn->keep_alive,
		    &conn->out, &conn->file, &wish);
		break;
	}
	conn_hold_answer(conn, &wish);
	return true;
}

/* Read more, behind what is there; closed: what it means when the peer does. */
static enum step
read_more(struct conn *conn, const char *closed)
{
	const size_t room = conn->in.limit - conn->in.len;
	char *space = buf_reserve(&conn->in, room);
	struct error err;
	size_t n = 0;

	switch (wire_read(conn->tls, conn->fd, space, room, &n, &err)) {
	case TLS_WANT_READ:
		return STEP_READ;
	case TLS_WANT_WRITE:
		return STEP_WRITE;
	case TLS_CLOSED:
		conn_no_request(conn, closed);
		return STEP_END;
	case TLS_FAILED:
		conn_no_request(conn, err.text);
		return STEP_END;
	case TLS_DONE:
		break;
	}
	conn->in.len += n;
	conn->in.data[conn->in.len] = '\0';
	return STEP_AGAIN;
}

enum step
conn_step_request(struct conn *conn)
{
	enum step step;

	if (conn->in.len > 0 && take_request(conn))
		return STEP_AGAIN;
	/* request_parse() refuses a head of REQUEST_HEAD_MAX bytes, so there
	 * is room here. */
	step = read_more(conn, "closed by the peer");
	if (step == STEP_READ && conn->in.len == 0)
		buf_clear(&conn->in); /* hold no memory */
	if (step == STEP_AGAIN && conn->idle) {
		conn->idle = false;
		conn_enter(conn, PHASE_REQUEST,
		    service_config(conn->service)->request_timeout_ms);
	}
	return step;
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
	conn->keep_alive = request->keep_alive && conn_may_go_on(conn);
	conn->intake = intake_new(&exchange, request, data, len);
	if (conn->intake != NULL) {
		conn->phase = PHASE_WORK;
		(void)uv_timer_stop(&conn->timer);
		return STEP_WORK;
	}
	answer_request(&exchange, request, conn->keep_alive, &conn->out,
	    &conn->file, &wish);
	conn_hold_answer(conn, &wish);
	return STEP_AGAIN;
}

enum step
conn_step_body(struct conn *conn)
{
	struct error err;
	int status = 400, rc = 0;

	if (conn->sent < conn->out.len)
		return conn_write_out(conn);
	rc = upload_feed(conn->upload, &conn->in, &status, &err);
	if (rc > 0)
		return body_complete(conn);
	if (rc == 0)
		/* All that had arrived is in the body: there is room. */
		return read_more(conn, "closed by the peer within a body");
	conn_refuse_body(conn, upload_request(conn->upload), status, err.text);
	conn_start_answer(conn);
	return STEP_AGAIN;
}
