#include "sim/look.h"
#include "base/buf.h"
#include "base/clock.h"
#include "http/response.h"
#include "http/url.h"
#include "sim/stream.h"
#include "spa/profile.h"
#include "spa/registry.h"
#include "tls/conn.h"
#include "tls/context.h"

#include <stdio.h>
#include <string.h>

#define REQUEST_MAX 8192

_Static_assert(CHECK_TEXT_MAX == TLS_CA_TEXT_MAX,
    "names of CAs are copied as they are");

static struct tls_context *
make_context(const struct sim_look *look, struct error *err)
{
	const struct tls_client_options options = {
		.min_version = look->stack->min_version,
		.max_version = look->stack->max_version,
		.ciphers = look->stack->ciphers,
		.extensions = look->stack->extensions,
		.send_sni = look->stack->sni,
		.chain = look->identity,
		.accept_any = true,
	};

	return tls_context_new_client(&options, err);
}

static void
note_error(struct check_view *view, const struct error *err)
{
	(void)snprintf(view->error, sizeof(view->error), "%.255s", err->text);
}

static void
note_tls(struct check_view *view, const struct tls_conn *tls)
{
	view->alert_received = tls_conn_alert_received(tls);
	view->tls_version = tls_conn_version(tls);
	(void)snprintf(view->cipher, sizeof(view->cipher), "%s",
	    tls_conn_cipher(tls));
	if (view->count == 0)
		tls_conn_shown(tls, &view->certs, &view->count);
	view->asks_certificate = tls_conn_certificate_requested(tls);
	view->ca_name_count = tls_conn_requested_cas(tls, view->ca_names,
	    CHECK_CA_NAMES_MAX);
}

static int
send_request(const struct sim_look *look, struct stream *stream,
    uint64_t deadline_ms, struct error *err)
{
	struct url url = { .scheme = URL_HTTPS, .port = look->port };
	char authority[URL_AUTHORITY_BYTES];
	struct buf request;
	int rc;

	(void)snprintf(url.host, sizeof(url.host), "%s", look->host);
	url_authority(&url, authority);
	buf_init(&request, REQUEST_MAX);
	rc = buf_printf(&request,
	    "GET %s HTTP/1.%d\r\n"
	    "Host: %s\r\nUser-Agent: %s\r\nConnection: close\r\n\r\n",
	    look->path, look->stack->http_1_1 ? 1 : 0, authority,
	    look->user_agent);
	rc = rc != 0 ?
	    error_set(err, ERROR_INPUT, "the request is too long") :
	    stream_send(stream, request.data, request.len, deadline_ms, err);
	buf_clear(&request);
	return rc;
}

static int
read_reply(struct stream *stream, struct reply *reply, uint64_t deadline_ms,
    struct error *err)
{
	char data[16384];
	size_t n;
	int more, rc = 0;

	do {
		more = stream_receive(stream, data, sizeof(data), &n,
		    deadline_ms, err);
		if (more < 0)
			return -1;
		rc = more > 0 ? reply_feed(reply, data, n, err) :
				reply_end(reply, err);
	} while (rc == 0 && more > 0);
	if (rc == 0)
		return error_set(err, ERROR_INPUT, "the answer is cut off");
	return rc > 0 ? 0 : -1;
}

static void
note_answer(struct check_view *view, const struct reply *reply)
{
	const struct reply_head *head = reply_head(reply);
	struct error err = { 0 };
	const char *body;
	size_t len;

	view->reached = CHECK_ANSWER;
	view->status = head->status;
	view->has_length = head->has_content_length;
	view->chunked = head->chunked;
	(void)snprintf(view->location, sizeof(view->location), "%.255s",
	    head->location);
	body = reply_body(reply, &len);
	view->is_profile = profile_check(body != NULL ? body : "", len, &err) ==
	    0;
	if (!view->is_profile)
		(void)snprintf(view->profile_error, sizeof(view->profile_error),
		    "%.255s", err.text);
}

static void
ask(const struct sim_look *look, struct stream *stream, struct check_view *view)
{
	uint64_t deadline_ms = clock_monotonic_ms() + look->timeout_ms;
	struct reply *reply = reply_new(false);
	struct error err = { 0 };

	view->asked = true;
	if (send_request(look, stream, deadline_ms, &err) == 0 &&
	    read_reply(stream, reply, deadline_ms, &err) == 0)
		note_answer(view, reply);
	else
		note_error(view, &err);
	/* A TLS 1.3 server tells only now what it thinks of the client. */
	note_tls(view, stream->tls);
	reply_free(reply);
}

int
sim_look(const struct sim_look *look, const struct addr *address,
    struct check_view *view, struct error *err)
{
	struct tls_context *context = make_context(look, err);
	struct stream stream = { .fd = -1 };
	struct error failure = { 0 };

	if (context == NULL)
		return error_prefix(err, "TLS stack %s: ", look->stack->id);
	*view = (struct check_view) { .stack = look->stack,
		.host = look->host,
		.reached = CHECK_NO_CONNECTION,
		.alert_received = -1,
		.showed_certificate = look->identity != NULL };
	addr_format_host(address, view->address);
	if (stream_connect_bound(&stream, look->source, address,
		look->timeout_ms, look->bound, look->bound_arg,
		&failure) != 0) {
		note_error(view, &failure);
	} else if (stream_start_tls(&stream, context, look->host,
		       look->timeout_ms, &failure) != 0) {
		view->reached = CHECK_NO_HANDSHAKE;
		note_error(view, &failure);
		if (stream.tls != NULL)
			note_tls(view, stream.tls);
	} else {
		view->reached = CHECK_HANDSHAKE;
		note_tls(view, stream.tls);
		if (look->path != NULL)
			ask(look, &stream, view);
	}
	stream_close(&stream);
	tls_context_free(context);
	return 0;
}
