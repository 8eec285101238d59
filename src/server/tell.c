#include "server/tell.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/request.h"
#include "inventory/events.h"
#include "server/answer.h"
#include "server/record.h"
#include "server/service.h"
#include "spa/registry.h"
#include "spa/useragent.h"
#include "tls/conn.h"
#include "tls/fingerprint.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------- lines of the log */

/* Which certificate it was, where there were several. */
static void
log_choice(struct log_line *line, const struct exchange *exchange)
{
	const struct ca *ca = exchange->listener->issuer.ca;

	if (*exchange->choice == '\0')
		return;
	log_text(line, "ca", ca != NULL ? ca->id : "unknown");
	log_text(line, "choice", exchange->choice);
}

static void
log_source(struct log_line *line, const struct exchange *exchange)
{
	char source[ADDR_TEXT_BYTES];

	addr_format(exchange->source, source);
	log_text(line, "listener", exchange->listener->name);
	log_text(line, "source", source);
	log_choice(line, exchange);
}

/* Who the certificate speaks of, whether or not it is believed. */
static void
log_peer(struct log_line *line, const struct exchange *exchange)
{
	const struct tls_peer *tls_peer = tls_conn_peer(exchange->tls);
	const struct peer *peer = exchange->peer;
	char mac[MAC_TEXT_BYTES];

	if (tls_peer->verdict == TLS_PEER_NONE)
		return;
	log_text(line, "issuer", tls_peer->issuer);
	if (tls_peer->verdict != TLS_PEER_TRUSTED) {
		log_text(line, "verify", tls_peer->verify_text);
		log_number(line, "depth", tls_peer->verify_depth);
	}
	if (peer == NULL)
		return;
	log_text(line, "form", peer_form_name(peer->form));
	if (peer->has_mac) {
		mac_format(&peer->mac, mac);
		log_text(line, "mac", mac);
		log_text(line, "product", peer->product);
		log_text(line, "serial", peer->serial);
	}
	if (peer->form == PEER_INVALID)
		log_text(line, "subject", peer->reason);
}

static void
log_tls(struct log_line *line, const struct exchange *exchange)
{
	uint16_t version = tls_conn_version(exchange->tls);

	if (version != 0)
		log_text(line, "tls", tls_version_name(version));
	if (*tls_conn_cipher(exchange->tls) != '\0')
		log_text(line, "cipher", tls_conn_cipher(exchange->tls));
}

static void
log_answer(const struct exchange *exchange, const struct request *request,
    int status, const char *reason, uint64_t body_len)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "request");
	log_source(&line, exchange);
	log_number(&line, "status", status);
	log_text(&line, "reason", reason);
	if (request != NULL) {
		log_text(&line, "method", request->method_name);
		log_text(&line, "path", request->path);
	}
	log_peer(&line, exchange);
	log_tls(&line, exchange);
	if (request != NULL && *request->user_agent != '\0')
		log_text(&line, "agent", request->user_agent);
	log_number(&line, "bytes", (long long)body_len);
	log_number(&line, "us",
	    (long long)(clock_monotonic_us() - exchange->started_us));
	log_end(&line);
}

static void
log_no_request(const struct exchange *exchange, const char *reason)
{
	int received = tls_conn_alert_received(exchange->tls);
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "no-request");
	log_source(&line, exchange);
	log_text(&line, "reason", reason);
	if (received >= 0)
		log_text(&line, "alert-received", tls_alert_name(received));
	log_peer(&line, exchange);
	log_tls(&line, exchange);
	log_number(&line, "us",
	    (long long)(clock_monotonic_us() - exchange->started_us));
	log_end(&line);
}

/* Enough of the ClientHello to see at a glance which kind of device it is. */
static void
log_hello(struct log_line *line, const struct tls_hello *hello)
{
	char ciphers[16 * 5 + 4];
	size_t len = 0;

	if (!hello->seen)
		return;
	log_text(line, "hello",
	    hello->sslv2_format ? "SSLv2-format" :
				  tls_version_name(hello->version));
	log_text(line, "offered", tls_version_name(hello->max_version));
	for (size_t i = 0;
	     i < hello->cipher_count && i < 16 && i < TLS_HELLO_CIPHERS_MAX;
	     i++)
		len += (size_t)snprintf(ciphers + len, sizeof(ciphers) - len,
		    "%s%04x", i > 0 ? "," : "", hello->cipher[i]);
	log_number(line, "cipher-count", (long long)hello->cipher_count);
	if (len > 0)
		log_text(line, "ciphers", ciphers);
	log_number(line, "extensions", (long long)hello->extension_count);
	if (*hello->sni != '\0')
		log_text(line, "sni", hello->sni);
}

static void
log_failed_handshake(const struct exchange *exchange, const char *reason,
    bool phase_timeout)
{
	const struct tls_hello *hello = tls_conn_hello(exchange->tls);
	int received = tls_conn_alert_received(exchange->tls);
	int sent = tls_conn_alert_sent(exchange->tls);
	struct log_line line;

	/*
	 * Port scans and health checks connect and say nothing.  Who says
	 * something else than TLS may be a device whose rule has "http://".
	 */
	log_begin(&line,
	    tls_conn_has_received(exchange->tls) || phase_timeout ?
		LOG_LEVEL_INFO :
		LOG_LEVEL_DEBUG,
	    "handshake-failed");
	log_source(&line, exchange);
	log_text(&line, "reason", reason);
	if (received >= 0)
		log_text(&line, "alert-received", tls_alert_name(received));
	if (sent >= 0)
		log_text(&line, "alert-sent", tls_alert_name(sent));
	log_hello(&line, hello);
	log_peer(&line, exchange);
	log_tls(&line, exchange);
	log_number(&line, "us",
	    (long long)(clock_monotonic_us() - exchange->started_us));
	log_end(&line);
}

/* ------------------------------------------------------------------ events */

/* A text into an array, cut where it is longer. */
#define COPY(array, text) \
	((void)snprintf(array, sizeof(array), "%.*s", (int)sizeof(array) - 1, \
	    text))

static void
note_hello(struct event *event, const struct tls_hello *hello)
{
	size_t kept = hello->cipher_count < EVENT_CIPHERS_MAX ?
	    hello->cipher_count :
	    EVENT_CIPHERS_MAX;

	if (!hello->seen)
		return;
	event->class = tls_fingerprint(hello);
	event->sslv2 = hello->sslv2_format;
	event->offered_min = hello->version;
	event->offered_max = hello->max_version;
	event->cipher_count = (uint16_t)hello->cipher_count;
	memcpy(event->cipher, hello->cipher, kept * sizeof(*event->cipher));
	COPY(event->sni, hello->sni);
}

static void
note_peer(struct event *event, const struct exchange *exchange)
{
	const struct tls_peer *tls_peer = tls_conn_peer(exchange->tls);
	const struct peer *peer = exchange->peer;
	time_t not_before, not_after;

	if (tls_peer->verdict == TLS_PEER_NONE)
		return;
	event->has_certificate = true;
	memcpy(event->certificate, tls_peer->sha256,
	    sizeof(event->certificate));
	COPY(event->issuer, tls_peer->issuer);
	COPY(event->anchor, tls_peer->anchor);
	if (tls_peer->verdict != TLS_PEER_TRUSTED)
		COPY(event->verify, tls_peer->verify_text);
	if (tls_conn_validity(exchange->tls, &not_before, &not_after)) {
		event->not_before = not_before;
		event->not_after = not_after;
	}
	if (peer == NULL)
		return;
	COPY(event->form, peer_form_name(peer->form));
	event->has_mac = peer->has_mac;
	event->mac = peer->mac;
	COPY(event->product, peer->product);
	COPY(event->serial, peer->serial);
}

static void
note_request(struct event *event, const struct request *request)
{
	struct useragent agent;

	COPY(event->method, request->method_name);
	COPY(event->path, request->path);
	COPY(event->agent, request->user_agent);
	if (useragent_parse(&agent, request->user_agent))
		COPY(event->firmware, agent.version);
}

static void
record(const struct exchange *exchange, enum event_kind kind,
    const struct request *request, int status, const char *reason,
    uint64_t bytes, const uint8_t *sent)
{
	const struct ca *ca = exchange->listener->issuer.ca;
	struct event event = { .kind = kind, .status = status, .bytes = bytes };
	char source[ADDR_TEXT_BYTES];

	if (!record_has_events(exchange->record))
		return;
	event.at = clock_wall();
	event.us = (uint32_t)(clock_monotonic_us() - exchange->started_us);
	COPY(event.listener, exchange->listener->name);
	COPY(event.ca, ca != NULL ? ca->id : "");
	addr_format_host(exchange->source, source);
	COPY(event.source, source);
	COPY(event.reason, reason);
	COPY(event.choice, exchange->choice);
	note_hello(&event, tls_conn_hello(exchange->tls));
	event.tls_version = tls_conn_version(exchange->tls);
	COPY(event.tls_cipher, tls_conn_cipher(exchange->tls));
	event.alert_sent = tls_conn_alert_sent(exchange->tls);
	event.alert_received = tls_conn_alert_received(exchange->tls);
	note_peer(&event, exchange);
	if (request != NULL)
		note_request(&event, request);
	event.has_sent = sent != NULL;
	if (sent != NULL)
		memcpy(event.sent, sent, sizeof(event.sent));
	record_event(exchange->record, &event);
}

/* ------------------------------------------------------------------- both */

void
tell_answer(const struct exchange *exchange, const struct request *request,
    int status, const char *reason, uint64_t body_len, bool allowed,
    const uint8_t *sent)
{
	enum event_kind kind = EVENT_INVALID;

	if (exchange->own)
		return;
	if (request != NULL)
		kind = allowed && status < 400 ? EVENT_SERVED : EVENT_REFUSED;
	log_answer(exchange, request, status, reason, body_len);
	record(exchange, kind, request, status, reason, body_len, sent);
}

void
tell_no_request(const struct exchange *exchange, const char *reason)
{
	if (exchange->own)
		return;
	log_no_request(exchange, reason);
	record(exchange, EVENT_NO_REQUEST, NULL, 0, reason, 0, NULL);
}

void
tell_failed_handshake(const struct exchange *exchange, const char *reason,
    bool phase_timeout)
{
	if (exchange->own)
		return;
	log_failed_handshake(exchange, reason, phase_timeout);
	/* Who connects and leaves without a word is no device that failed. */
	if (tls_conn_has_received(exchange->tls) || phase_timeout)
		record(exchange, EVENT_HANDSHAKE, NULL, 0, reason, 0, NULL);
}
