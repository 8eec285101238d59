#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/answer.h"
#include "server/config.h"
#include "server/conn_internal.h"
#include "server/metrics.h"
#include "server/service.h"
#include "server/tell.h"
#include "tls/client.h"
#include "tls/conn.h"
#include "tls/context.h"
#include "tls/hello_wait.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#define RECORD_HANDSHAKE 22 /* RFC 5246 6.2.1 */

void
conn_count(struct conn *conn, enum counter what)
{
	if (!conn->own)
		counters_add(conn->host->counters, what);
}

void
conn_leave(struct conn *conn, enum counter what, enum admission_end end)
{
	if (conn->waiting.place == WAITING_NOWHERE)
		return;
	conn_count(conn, what);
	/* Our own visits say nothing about who else is at that address. */
	admission_leave(gate_admission(conn->host->gate), &conn->waiting,
	    conn->own ? ADMISSION_OURS : end, clock_monotonic_ms());
}

/* Wake only when there are so many bytes; no matter where it cannot be. */
static void
set_low_water(struct conn *conn, int bytes)
{
	if (bytes == conn->low_water)
		return;
	(void)setsockopt(conn->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes,
	    sizeof(bytes));
	conn->low_water = bytes;
}

/* Not before there is something to put into it: most that wait never have. */
static struct peer *
make_peer(struct conn *conn)
{
	if (conn->peer == NULL)
		conn->peer = xcalloc(1, sizeof(*conn->peer));
	return conn->peer;
}

struct metrics *
conn_metrics(const struct conn *conn)
{
	return conn->own ? NULL : conn->host->metrics;
}

static void
count_failure(const struct conn *conn, bool timeout)
{
	uint16_t version = tls_conn_version(conn->tls);
	enum metrics_handshake how = !tls_conn_has_received(conn->tls) ?
	    METRICS_SILENT :
	    timeout ? METRICS_TIMED_OUT :
		      METRICS_FAILED;

	metrics_failed(conn_metrics(conn), conn->listener->metrics_key,
	    version != 0 ? version : tls_conn_hello(conn->tls)->max_version,
	    how, tls_conn_alert_received(conn->tls),
	    tls_conn_alert_sent(conn->tls));
}

void
conn_handshake_failed(struct conn *conn, const char *reason, bool timeout)
{
	const struct tls_peer *tls_peer = tls_conn_peer(conn->tls);
	struct exchange exchange;

	/* It has not proved that the key is its own, but it helps the log. */
	if (tls_peer->der != NULL)
		peer_parse(make_peer(conn), tls_peer->der, tls_peer->der_len);
	if (!timeout)
		choose_learn(conn_record(conn), conn->listener, &conn->chosen,
		    conn->tls, false);
	exchange = conn_exchange(conn);
	tell_failed_handshake(&exchange, reason, timeout);
	count_failure(conn, timeout);
	conn_leave(conn, timeout ? COUNT_TIMED_OUT : COUNT_FAILED,
	    ADMISSION_WASTED);
}

/* Is all of the ClientHello in the socket?  Until then the kernel keeps it. */
enum step
conn_step_hello(struct conn *conn)
{
	const struct config *config = service_config(conn->service);
	uint8_t data[TLS_HELLO_WAIT_MAX];
	ssize_t n = recv(conn->fd, data, sizeof(data), MSG_PEEK);
	size_t needed = 1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STEP_READ;
	/* Who has left, or hung up in the middle, is OpenSSL's to describe. */
	conn->said_hello = n > 0 &&
	    tls_hello_is_whole(data, (size_t)n, &needed);
	if (n > 0 && !conn->said_hello && !conn->hung_up) {
		set_low_water(conn, (int)needed);
		return STEP_READ;
	}
	conn->said_hello &= data[0] == RECORD_HANDSHAKE;
	set_low_water(conn, 1);
	conn->phase = PHASE_TURN;
	conn->resumes = n > 0 &&
	    choose_session(&conn->listener, &conn->source, data, (size_t)n,
		&conn->chosen);
	gate_queue(conn->host->gate, &conn->waiting, conn->resumes,
	    &(struct admission_limits) {
		.handshakes_max = config->performance.handshakes,
		.patience_ms = config->performance.device_timeout_ms / 2,
	    });
	return STEP_TURN;
}

/* A private key that is elsewhere is done with what it was asked for. */
static void
on_key(struct key_waiter *waiter)
{
	struct conn *conn = (struct conn *)(void *)((char *)waiter -
	    offsetof(struct conn, key));
	struct error ignored;

	if (conn->phase != PHASE_CLOSED)
		conn_run(conn);
	else if (tls_conn_waits_for_key(conn->tls))
		(void)!tls_conn_handshake(conn->tls, &ignored);
	if (conn->phase == PHASE_CLOSED)
		conn_close_key(conn);
}

static void
listen_to_key(struct conn *conn)
{
	conn->key.turn = conn->host->key_turn;
	conn->key.ready = on_key;
	conn->open_handles++;
	tls_conn_set_waker(conn->tls, key_turn_wake, &conn->key);
}

void
conn_close_key(struct conn *conn)
{
	/* What waits for its key must not go before that. */
	if (conn->key.turn == NULL || tls_conn_waits_for_key(conn->tls))
		return;
	key_turn_forget(&conn->key);
	conn->key.turn = NULL;
	conn_release(conn);
}

/* Where there are several certificates: the hello is there, still in the
 * socket. */
static void
choose(struct conn *conn)
{
	uint8_t data[TLS_HELLO_WAIT_MAX];
	ssize_t n = recv(conn->fd, data, sizeof(data), MSG_PEEK);

	conn->listener = choose_certificate(conn_record(conn), conn->listener,
	    &conn->source, data, n > 0 ? (size_t)n : 0, &conn->chosen);
}

/* Make what a handshake needs. */
static bool
begin(struct conn *conn)
{
	struct error err;

	if (conn->listener->alternative_count > 1 && !conn->chosen.made)
		choose(conn);
	conn->tls = tls_conn_new_server(conn->listener->tls, conn->fd, &err);
	if (conn->tls == NULL) {
		log_message(LOG_LEVEL_ERROR, "connection-refused", "%s",
		    err.text);
		return false;
	}
	/* While not all can be served, they come before the next resync of this
	 * one.  Without a ticket for it there is no reading of an old one
	 * either. */
	if (!conn->resumes && gate_is_behind(conn->host->gate))
		tls_conn_skip_ticket(conn->tls);
	if (tls_context_has_far_key(conn->listener->tls))
		listen_to_key(conn);
	conn_count(conn, COUNT_BEGUN);
	conn->phase = PHASE_HANDSHAKE;
	conn->begun_us = clock_monotonic_us();
	return true;
}

void
conn_silent(struct conn *conn)
{
	struct error ignored;

	conn_leave(conn, COUNT_SILENT, ADMISSION_WASTED);
	if (!begin(conn))
		return;
	(void)!tls_conn_handshake(conn->tls, &ignored);
	conn_handshake_failed(conn, "timed out", true);
}

enum step
conn_step_handshake(struct conn *conn)
{
	const struct config *config = service_config(conn->service);
	struct error err = { 0 };
	uint64_t took_us;
	const X509 *cert;

	switch (tls_conn_handshake(conn->tls, &err)) {
	case TLS_WANT_READ:
		return tls_conn_waits_for_key(conn->tls) ? STEP_TURN :
							   STEP_READ;
	case TLS_WANT_WRITE:
		return STEP_WRITE;
	case TLS_CLOSED:
		conn_handshake_failed(conn, "closed by the peer", false);
		return STEP_END;
	case TLS_FAILED:
		conn_handshake_failed(conn, err.text, false);
		return STEP_END;
	case TLS_DONE:
		break;
	}
	conn_leave(conn, COUNT_COMPLETED, ADMISSION_PROVED);
	took_us = clock_monotonic_us() - conn->begun_us;
	gate_took(conn->host->gate, took_us / 1000);
	metrics_completed(conn_metrics(conn), conn->listener->metrics_key,
	    tls_conn_version(conn->tls), tls_conn_is_resumed(conn->tls),
	    took_us);
	if (tls_conn_is_resumed(conn->tls))
		conn_count(conn, COUNT_RESUMED);
	choose_learn(conn_record(conn), conn->listener, &conn->chosen,
	    conn->tls, true);
	if (tls_conn_is_remembered(conn->tls))
		conn_count(conn, COUNT_REMEMBERED);
	cert = tls_conn_certificate(conn->tls);
	if (cert != NULL)
		peer_read(make_peer(conn), cert);
	tls_conn_settle(conn->tls);
	conn_enter(conn, PHASE_REQUEST, config->request_timeout_ms);
	return STEP_AGAIN;
}

bool
conn_is_in_vain(struct conn *conn)
{
	char type;

	if (recv(conn->fd, &type, 1, MSG_PEEK) != 1 || type != RECORD_HANDSHAKE)
		return false;
	conn_leave(conn, COUNT_GONE, ADMISSION_WASTED);
	conn_handshake_failed(conn, "closed by the peer", false);
	return true;
}

static struct conn *
conn_of(struct waiting *waiting)
{
	return (struct conn *)(void *)((char *)waiting -
	    offsetof(struct conn, waiting));
}

/* Its turn has come. */
static void
on_turn(struct waiting *waiting)
{
	struct conn *conn = conn_of(waiting);
	struct pollfd fd = { conn->fd, POLLRDHUP, 0 };

	/* Else OpenSSL is to say what is wrong with what there is. */
	if (conn->said_hello && (conn->hung_up || poll(&fd, 1, 0) == 1)) {
		conn_leave(conn, COUNT_GONE, ADMISSION_LEFT);
		conn_close(conn);
	} else if (begin(conn)) {
		conn_run(conn);
	} else {
		conn_close(conn);
	}
}

static void
on_late(struct waiting *waiting)
{
	struct conn *conn = conn_of(waiting);

	conn_leave(conn, COUNT_LATE, ADMISSION_OURS);
	conn_close(conn);
}

const struct gate_actions conn_gate_actions = { on_turn, on_late };

bool
conn_host_make_room(struct conn_host *host)
{
	struct waiting *oldest = admission_oldest(gate_admission(host->gate));
	struct conn *conn;

	if (oldest == NULL)
		return false;
	conn = conn_of(oldest);
	conn_leave(conn, COUNT_DROPPED_FULL, ADMISSION_ROOM);
	conn_close(conn);
	return true;
}
