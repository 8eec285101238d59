/*
 * One attempt of one device, from connect() to close(), in steps that never
 * wait.  Sockets are watched edge-triggered for both directions, once: each
 * step goes on until it would have to wait.
 */
#include "sim/swarm_internal.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mac.h"
#include "base/mem.h"
#include "http/response.h"
#include "sim/agent.h"
#include "sim/crowd.h"
#include "spa/macro.h"
#include "spa/registry.h"
#include "tls/client.h"
#include "tls/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#define REQUEST_MAX 4096
#define READ_BYTES 16384

static void
note_error(struct swarm *swarm, const char *what, const char *text)
{
	struct swarm_report *report = swarm->report;

	if (report->first_error[0] == '\0')
		(void)snprintf(report->first_error, sizeof(report->first_error),
		    "%s: %.200s", what, text);
}

static struct swarm_second *
second_of(struct swarm *swarm, uint64_t now_us)
{
	struct swarm_report *report = swarm->report;
	size_t i = (size_t)((now_us - swarm->start_us) / 1000000);

	if (i >= SWARM_SECONDS_MAX)
		i = SWARM_SECONDS_MAX - 1;
	if (i >= report->seconds)
		report->seconds = i + 1;
	return &report->second[i];
}

/* ------------------------------------------------------------------- end */

void
attempt_drop(struct attempt *attempt)
{
	struct swarm *swarm = attempt->swarm;

	tls_conn_free(attempt->tls);
	reply_free(attempt->reply);
	buf_clear(&attempt->request);
	if (attempt->fd >= 0)
		(void)close(attempt->fd);
	attempt->previous->next = attempt->next;
	attempt->next->previous = attempt->previous;
	attempt->next = swarm->unused;
	swarm->unused = attempt;
	swarm->report->open--;
}

static void
trace(struct attempt *attempt, enum swarm_outcome outcome)
{
	struct swarm *swarm = attempt->swarm;
	struct swarm_report *report = swarm->report;

	if (!swarm->options->trace)
		return;
	if (report->traces == swarm->trace_size) {
		swarm->trace_size = 2 * swarm->trace_size + 4096;
		report->trace = xrealloc(report->trace,
		    swarm->trace_size * sizeof(*report->trace));
	}
	report->trace[report->traces++] = (struct swarm_trace) {
		attempt->address, attempt->port, (uint8_t)outcome
	};
}

static void
keep_session(struct attempt *attempt)
{
	struct tls_session **kept;

	if (attempt->swarm->sessions == NULL || attempt->tls == NULL)
		return;
	kept = &attempt->swarm->sessions[attempt->device];
	tls_session_free(*kept);
	*kept = tls_conn_take_session(attempt->tls);
}

static void
end(struct attempt *attempt, enum swarm_outcome outcome)
{
	struct swarm *swarm = attempt->swarm;
	struct swarm_report *report = swarm->report;
	uint64_t now_us = clock_monotonic_us();
	struct swarm_second *second = second_of(swarm, now_us);
	size_t device = attempt->device;

	report->ended++;
	report->outcome[outcome]++;
	trace(attempt, outcome);
	if (outcome == SWARM_SERVED) {
		second->served++;
		report->last_served_us = now_us - swarm->start_us;
		histogram_add(&report->served_us, now_us - attempt->due_us);
		keep_session(attempt);
		if (attempt->tls != NULL)
			tls_conn_shutdown(attempt->tls);
	} else {
		second->failed++;
	}
	attempt_drop(attempt);
	if (report->open > second->open)
		second->open = (uint32_t)report->open;
	swarm_ended(swarm, device, outcome, now_us);
}

void
attempt_time_out(struct attempt *attempt)
{
	switch (attempt->state) {
	case ATTEMPT_CONNECTING:
		end(attempt, SWARM_TIMEOUT_CONNECT);
		break;
	case ATTEMPT_HANDSHAKE:
		end(attempt, SWARM_TIMEOUT_HANDSHAKE);
		break;
	case ATTEMPT_SENDING:
	case ATTEMPT_READING:
		end(attempt,
		    attempt->any_body ? SWARM_CUT : SWARM_TIMEOUT_ANSWER);
		break;
	}
}

/* ---------------------------------------------------------------- begin */

static struct attempt *
new_attempt(struct swarm *swarm, size_t device)
{
	struct attempt *attempt = swarm->unused;

	if (attempt != NULL)
		swarm->unused = attempt->next;
	else
		attempt = xmalloc(sizeof(*attempt));
	*attempt = (struct attempt) { .swarm = swarm,
		.device = device,
		.fd = -1,
		.next = &swarm->first,
		.previous = swarm->first.previous };
	buf_init(&attempt->request, REQUEST_MAX);
	attempt->previous->next = attempt;
	swarm->first.previous = attempt;
	return attempt;
}

/* The next of the source addresses; the port is chosen with the destination,
 * so that each address has all ports. */
static int
bind_source(struct swarm *swarm, int fd)
{
	const struct swarm_options *options = swarm->options;
	struct sockaddr_in source = { .sin_family = AF_INET };
	int on = 1;

	if (options->source_count == 0)
		return 0;
	source.sin_addr.s_addr = htonl(options->source_first +
	    swarm->next_source++ % options->source_count);
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	return bind(fd, (const struct sockaddr *)&source, sizeof(source));
}

static void
note_source(struct attempt *attempt)
{
	struct sockaddr_in source;
	socklen_t len = sizeof(source);

	if (!attempt->swarm->options->trace ||
	    getsockname(attempt->fd, (struct sockaddr *)&source, &len) != 0)
		return;
	attempt->address = source.sin_addr.s_addr;
	attempt->port = ntohs(source.sin_port);
}

static enum swarm_outcome
open_socket(struct attempt *attempt)
{
	struct swarm *swarm = attempt->swarm;
	const struct addr *server = &swarm->options->server;
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET |
		    EPOLLRDHUP,
		.data.ptr = attempt };
	int on = 1;

	attempt->fd = socket(server->sockaddr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (attempt->fd < 0 || bind_source(swarm, attempt->fd) != 0) {
		note_error(swarm, "socket", strerror(errno));
		return SWARM_LOCAL;
	}
	(void)setsockopt(attempt->fd, IPPROTO_TCP, TCP_NODELAY, &on,
	    sizeof(on));
	if (connect(attempt->fd, (const struct sockaddr *)&server->sockaddr,
		server->len) != 0 &&
	    errno != EINPROGRESS) {
		note_error(swarm, "connect", strerror(errno));
		return errno == ECONNREFUSED ? SWARM_NO_CONNECT : SWARM_LOCAL;
	}
	note_source(attempt);
	if (epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, attempt->fd, &event) != 0) {
		note_error(swarm, "epoll", strerror(errno));
		return SWARM_LOCAL;
	}
	return SWARM_SERVED;
}

void
attempt_start(struct swarm *swarm, size_t device, uint64_t due_us)
{
	struct swarm_report *report = swarm->report;
	struct attempt *attempt = new_attempt(swarm, device);
	enum swarm_outcome outcome;

	attempt->due_us = due_us;
	attempt->started_us = clock_monotonic_us();
	if (attempt->started_us - due_us > report->late_us_max)
		report->late_us_max = attempt->started_us - due_us;
	report->started++;
	second_of(swarm, attempt->started_us)->started++;
	if (++report->open > report->open_peak)
		report->open_peak = report->open;
	outcome = open_socket(attempt);
	if (outcome != SWARM_SERVED)
		end(attempt, outcome);
}

/* ------------------------------------------------------------- handshake */

static int
set_up_tls(struct attempt *attempt, struct error *err)
{
	struct swarm *swarm = attempt->swarm;
	const struct swarm_options *options = swarm->options;
	size_t device = attempt->device;
	X509 *cert;

	attempt->tls = tls_conn_new_client(options->tls, attempt->fd,
	    options->host, err);
	if (attempt->tls == NULL)
		return -1;
	if (options->show_certificates) {
		cert = crowd_certificate(options->crowd, device, err);
		if (cert == NULL ||
		    tls_conn_show(attempt->tls, cert,
			crowd_key(options->crowd, device), err) != 0)
			return -1;
	}
	if (swarm->sessions != NULL && swarm->sessions[device] != NULL &&
	    swarm_random(swarm) % 100 < options->resume_percent)
		tls_conn_offer_session(attempt->tls, swarm->sessions[device]);
	return 0;
}

/* false: it has ended. */
static bool
connected(struct attempt *attempt)
{
	struct error err = { .kind = ERROR_NONE };
	socklen_t len = sizeof(int);
	int reason = 0;

	(void)getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &reason, &len);
	if (reason != 0) {
		end(attempt, SWARM_NO_CONNECT);
		return false;
	}
	histogram_add(&attempt->swarm->report->connect_us,
	    clock_monotonic_us() - attempt->due_us);
	attempt->state = attempt->swarm->options->tls != NULL ?
	    ATTEMPT_HANDSHAKE :
	    ATTEMPT_SENDING;
	if (attempt->state == ATTEMPT_HANDSHAKE &&
	    set_up_tls(attempt, &err) != 0) {
		note_error(attempt->swarm, "TLS", err.text);
		end(attempt, SWARM_LOCAL);
		return false;
	}
	return true;
}

/* true: go on with the next state; else it waits, or has ended. */
static bool
shake_hands(struct attempt *attempt)
{
	struct swarm_report *report = attempt->swarm->report;
	struct error err = { .kind = ERROR_NONE };
	bool alert;

	switch (tls_conn_handshake(attempt->tls, &err)) {
	case TLS_DONE:
		report->handshakes++;
		report->resumed += tls_conn_is_resumed(attempt->tls) ? 1 : 0;
		histogram_add(&report->handshake_us,
		    clock_monotonic_us() - attempt->due_us);
		attempt->state = ATTEMPT_SENDING;
		return true;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		return false;
	case TLS_CLOSED:
	case TLS_FAILED:
		break;
	}
	note_error(attempt->swarm, "handshake", err.text);
	alert = tls_conn_alert_received(attempt->tls) >= 0 ||
	    tls_conn_alert_sent(attempt->tls) >= 0;
	end(attempt, alert ? SWARM_ALERT : SWARM_DROPPED);
	return false;
}

/* -------------------------------------------------------------- exchange */

static int
write_request(struct attempt *attempt)
{
	const struct swarm_options *options = attempt->swarm->options;
	const struct model *model = crowd_model(options->crowd,
	    attempt->device);
	struct mac mac = crowd_mac(options->crowd, attempt->device);
	char ma[MAC_TEXT_BYTES], mau[MAC_TEXT_BYTES];
	const struct macro list[] = { { "MA", ma, false },
		{ "MAU", mau, false }, { "PN", model->product, false },
		{ "PSN", model->series, false } };
	const struct macros macros = { list, sizeof(list) / sizeof(*list) };
	char serial[CROWD_SERIAL_BYTES];
	const struct agent agent = { NULL, mau, ma, serial };
	const char *path = options->paths != NULL ?
	    options->paths[attempt->device] :
	    options->path;
	struct buf *out = &attempt->request;

	mac_format(&mac, ma);
	mac_format_upper(&mac, mau);
	crowd_serial(options->crowd, attempt->device, serial);
	if (buf_append_text(out, "GET ") != 0 ||
	    macro_expand(&macros, path, strlen(path), false, out) != 0 ||
	    buf_printf(out,
		" HTTP/1.1\r\nHost: %s\r\nUser-Agent: ", options->host) != 0 ||
	    agent_write(&agent, model->user_agent, out) != 0)
		return -1;
	return buf_append_text(out, "\r\nConnection: close\r\n\r\n");
}

/* TLS or not, as tls_conn_write(). */
static enum tls_io
write_some(struct attempt *attempt, const char *data, size_t len, size_t *n,
    struct error *err)
{
	ssize_t sent;

	if (attempt->tls != NULL)
		return tls_conn_write(attempt->tls, data, len, n, err);
	sent = send(attempt->fd, data, len, MSG_NOSIGNAL);
	*n = sent > 0 ? (size_t)sent : 0;
	if (sent >= 0)
		return TLS_DONE;
	if (errno == EAGAIN)
		return TLS_WANT_WRITE;
	(void)error_errno(err, "cannot send");
	return TLS_FAILED;
}

static enum tls_io
read_some(struct attempt *attempt, char *data, size_t *n, struct error *err)
{
	ssize_t got;

	if (attempt->tls != NULL)
		return tls_conn_read(attempt->tls, data, READ_BYTES, n, err);
	got = recv(attempt->fd, data, READ_BYTES, 0);
	*n = got > 0 ? (size_t)got : 0;
	if (got >= 0)
		return got > 0 ? TLS_DONE : TLS_CLOSED;
	if (errno == EAGAIN)
		return TLS_WANT_READ;
	(void)error_errno(err, "cannot receive");
	return TLS_FAILED;
}

static bool
send_request(struct attempt *attempt)
{
	struct error err = { .kind = ERROR_NONE };
	size_t n;

	if (attempt->request.len == 0 && write_request(attempt) != 0) {
		note_error(attempt->swarm, "request", "too long");
		end(attempt, SWARM_LOCAL);
		return false;
	}
	while (attempt->sent < attempt->request.len) {
		switch (write_some(attempt,
		    attempt->request.data + attempt->sent,
		    attempt->request.len - attempt->sent, &n, &err)) {
		case TLS_DONE:
			attempt->sent += n;
			break;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			return false;
		case TLS_CLOSED:
		case TLS_FAILED:
			note_error(attempt->swarm, "request", err.text);
			end(attempt, SWARM_NO_ANSWER);
			return false;
		}
	}
	attempt->reply = reply_new(false);
	attempt->state = ATTEMPT_READING;
	return true;
}

static bool
is_expected(const struct attempt *attempt, const char *body, size_t len)
{
	const struct swarm_options *options = attempt->swarm->options;
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (options->expected == NULL)
		return true;
	return EVP_Digest(body, len, digest, NULL, EVP_sha256(), NULL) == 1 &&
	    memcmp(digest, options->expected[attempt->device],
		SWARM_DIGEST_BYTES) == 0;
}

static int
save(const struct attempt *attempt, const char *body, size_t len)
{
	const struct swarm_options *options = attempt->swarm->options;
	struct mac mac = crowd_mac(options->crowd, attempt->device);
	struct error err = { .kind = ERROR_NONE };
	char text[MAC_TEXT_BYTES], *name;
	int rc;

	if (options->save == NULL)
		return 0;
	mac_format(&mac, text);
	name = xasprintf("%s/%s", options->save, text);
	rc = file_replace_lazily(name, 0600, body, len, &err);
	if (rc != 0)
		note_error(attempt->swarm, "save", err.text);
	free(name);
	return rc;
}

static void
judge(struct attempt *attempt)
{
	size_t len;
	const char *body = reply_body(attempt->reply, &len);
	int status = reply_head(attempt->reply)->status;

	attempt->swarm->report->bytes += len;
	if (status == 200 && save(attempt, body, len) != 0)
		end(attempt, SWARM_LOCAL);
	else if (status == 200)
		end(attempt,
		    is_expected(attempt, body, len) ? SWARM_SERVED :
						      SWARM_WRONG);
	else
		end(attempt, status == 503 ? SWARM_BUSY : SWARM_REFUSED);
}

/* The server has closed, or worse. */
static void
judge_closed(struct attempt *attempt, const struct error *err)
{
	struct error broken = { .kind = ERROR_NONE };

	if (reply_end(attempt->reply, &broken) > 0) {
		judge(attempt);
		return;
	}
	note_error(attempt->swarm, "answer", err->text);
	end(attempt, attempt->any_body ? SWARM_CUT : SWARM_NO_ANSWER);
}

static void
read_answer(struct attempt *attempt)
{
	struct error err = { .kind = ERROR_NONE };
	char data[READ_BYTES];
	size_t n, len;
	int rc;

	for (;;) {
		switch (read_some(attempt, data, &n, &err)) {
		case TLS_DONE:
			break;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			return;
		case TLS_CLOSED:
		case TLS_FAILED:
			judge_closed(attempt, &err);
			return;
		}
		rc = reply_feed(attempt->reply, data, n, &err);
		(void)reply_body(attempt->reply, &len);
		attempt->any_body |= len > 0;
		if (rc < 0) {
			note_error(attempt->swarm, "answer", err.text);
			end(attempt, SWARM_GARBLED);
			return;
		}
		if (rc > 0) {
			judge(attempt);
			return;
		}
	}
}

void
attempt_drive(struct attempt *attempt)
{
	if (attempt->state == ATTEMPT_CONNECTING && !connected(attempt))
		return;
	if (attempt->state == ATTEMPT_HANDSHAKE && !shake_hands(attempt))
		return;
	if (attempt->state == ATTEMPT_SENDING && !send_request(attempt))
		return;
	read_answer(attempt);
}
