#include "tls/conn.h"
#include "base/addr.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"
#include "tls/far_key.h"
#include "tls/hello.h"
#include "tls/internal.h"
#include "tls/session.h"
#include "tls/settle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

void
tls_conn_free(struct tls_conn *conn)
{
	if (conn == NULL)
		return;
	if (conn->settled)
		tls_settle_end(conn);
	SSL_free(conn->ssl);
	tls_context_free(conn->context);
	free(conn->peer_der);
	free(conn->unproven);
	free(conn);
}

static struct tls_conn *
new_conn(struct tls_context *context, int fd, struct error *err)
{
	struct tls_conn *conn = xcalloc(1, sizeof(*conn));

	conn->alert_sent = conn->alert_received = -1;
	conn->peer.verify_text = "";
	conn->context = tls_context_use(context);
	ERR_clear_error();
	if ((conn->ssl = SSL_new(context->ssl_ctx)) == NULL ||
	    SSL_set_fd(conn->ssl, fd) != 1) {
		(void)error_openssl(err, "cannot set up a TLS connection");
		tls_conn_free(conn);
		return NULL;
	}
	(void)SSL_set_app_data(conn->ssl, conn);
	return conn;
}

struct tls_conn *
tls_conn_new_server(struct tls_context *context, int fd, struct error *err)
{
	struct tls_conn *conn = new_conn(context, fd, err);

	if (conn != NULL)
		SSL_set_accept_state(conn->ssl);
	return conn;
}

struct tls_conn *
tls_conn_new_client(struct tls_context *context, int fd, const char *host,
    struct error *err)
{
	struct tls_conn *conn = new_conn(context, fd, err);
	struct error ignored;
	struct addr address;
	char *name;

	if (conn == NULL)
		return NULL;
	SSL_set_connect_state(conn->ssl);
	/* RFC 6066 3: an address is no server name. */
	if (!context->send_sni || host == NULL ||
	    addr_parse_host(&address, host, 1, &ignored) == 0)
		return conn;
	name = xstrdup(host); /* OpenSSL's macro takes no const text */
	if (SSL_set_tlsext_host_name(conn->ssl, name) != 1) {
		(void)error_openssl(err, "server name \"%.64s\"", host);
		tls_conn_free(conn);
		conn = NULL;
	}
	free(name);
	return conn;
}

void
tls_conn_see_message(int sent, int version, int type, const void *data,
    size_t len, SSL *ssl, void *arg)
{
	struct tls_conn *conn = SSL_get_app_data(ssl);
	bool sslv2 = type == 0 && version == SSL2_VERSION;

	(void)arg;
	if (sent || len == 0 || (type != SSL3_RT_HANDSHAKE && !sslv2))
		return;
	if (!conn->hello.seen)
		(void)tls_hello_parse(&conn->hello, sslv2, data, len);
	else if (*(const uint8_t *)data == SSL3_MT_CERTIFICATE)
		conn->has_chain_key = EVP_Digest(data, len, conn->chain_key,
					  NULL, conn->context->sha256,
					  NULL) == 1;
	else
		return;
	if (conn->has_chain_key || conn->context->verifications == NULL)
		SSL_set_msg_callback(ssl, NULL);
}

void
tls_conn_see_event(const SSL *ssl, int where, int value)
{
	struct tls_conn *conn = SSL_get_app_data(ssl);
	int alert = value & 0xff;

	/* close_notify is a good end, not a reason to look into. */
	if ((where & SSL_CB_ALERT) == 0 || alert == SSL_AD_CLOSE_NOTIFY)
		return;
	if ((where & SSL_CB_READ) != 0)
		conn->alert_received = alert;
	else
		conn->alert_sent = alert;
}

/* Say why a call failed, in the terms of the one who looks for the cause. */
static void
explain(const struct tls_conn *conn, const char *what, int saved_errno,
    struct error *err)
{
	if (!conn->context->is_server && conn->peer.verify_error != X509_V_OK) {
		(void)error_set(err, ERROR_DENIED,
		    "%s: the server's certificate is refused: %s", what,
		    conn->peer.verify_text);
	} else if (conn->alert_received >= 0) {
		(void)error_set(err, ERROR_DENIED,
		    "%s: the peer ended it with the alert %s", what,
		    tls_alert_name(conn->alert_received));
	} else if (ERR_peek_error() == 0) {
		errno = saved_errno;
		(void)error_errno(err, "%s", what);
	} else {
		(void)error_openssl(err, "%s", what);
	}
	ERR_clear_error();
}

/* What a call that did not succeed means. */
static enum tls_io
io_result(struct tls_conn *conn, int rc, const char *what, struct error *err)
{
	int saved = errno;

	switch (SSL_get_error(conn->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_WANT_ASYNC:
		conn->waits_for_key = true;
		return TLS_WANT_READ;
	case SSL_ERROR_ZERO_RETURN:
		(void)error_set(err, ERROR_INPUT,
		    "%s: the peer closed the connection", what);
		conn->broken |= !conn->complete;
		return TLS_CLOSED;
	default:
		explain(conn, what, saved, err);
		/* OpenSSL forbids SSL_shutdown() from here on. */
		conn->broken = true;
		return TLS_FAILED;
	}
}

static void
complete(struct tls_conn *conn)
{
	conn->complete = true;
	if (!conn->context->is_server)
		return;
	/* The key was all that there was to wait for. */
	(void)SSL_clear_mode(conn->ssl, SSL_MODE_ASYNC);
	if (SSL_session_reused(conn->ssl))
		tls_session_restore(conn);
	else if (conn->forget)
		(void)SSL_CTX_remove_session(conn->context->ssl_ctx,
		    SSL_get_session(conn->ssl));
}

enum tls_io
tls_conn_handshake(struct tls_conn *conn, struct error *err)
{
	OSSL_LIB_CTX *before = NULL;
	int rc;

	ERR_clear_error();
	errno = 0;
	conn->waits_for_key = false;
	far_key_set_waker(conn->wake, conn->wake_arg);
	/* Sessions in tickets are read with the thread's default library. */
	if (conn->context->library != NULL)
		before = OSSL_LIB_CTX_set0_default(conn->context->library);
	rc = SSL_do_handshake(conn->ssl);
	if (before != NULL)
		(void)OSSL_LIB_CTX_set0_default(before);
	if (rc == 1) {
		complete(conn);
		return TLS_DONE;
	}
	return io_result(conn, rc, "TLS handshake", err);
}

enum tls_io
tls_conn_read(struct tls_conn *conn, void *data, size_t size, size_t *n,
    struct error *err)
{
	int rc;

	*n = 0;
	ERR_clear_error();
	errno = 0;
	rc = SSL_read_ex(conn->ssl, data, size, n);
	return rc == 1 ? TLS_DONE : io_result(conn, rc, "TLS read", err);
}

enum tls_io
tls_conn_write(struct tls_conn *conn, const void *data, size_t len, size_t *n,
    struct error *err)
{
	int rc;

	*n = 0;
	if (len == 0)
		return TLS_DONE;
	ERR_clear_error();
	errno = 0;
	rc = SSL_write_ex(conn->ssl, data, len, n);
	return rc == 1 ? TLS_DONE : io_result(conn, rc, "TLS write", err);
}

void
tls_conn_shutdown(struct tls_conn *conn)
{
	if (conn->broken || !conn->complete)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(conn->ssl);
	ERR_clear_error();
}

bool
tls_conn_has_received(const struct tls_conn *conn)
{
	return conn != NULL && BIO_number_read(SSL_get_rbio(conn->ssl)) > 0;
}

const struct tls_hello *
tls_conn_hello(const struct tls_conn *conn)
{
	static const struct tls_hello none;

	return conn != NULL ? &conn->hello : &none;
}

const struct tls_peer *
tls_conn_peer(struct tls_conn *conn)
{
	static const char text[] = "not proven: the handshake did not end";
	static const struct tls_peer none = { .verdict = TLS_PEER_NONE,
		.verify_text = "" };

	if (conn == NULL)
		return &none;
	if (conn->complete ||
	    (conn->peer.verdict != TLS_PEER_TRUSTED &&
		conn->peer.verdict != TLS_PEER_EXPIRED) ||
	    (!conn->context->is_server &&
		conn->peer.verdict == TLS_PEER_EXPIRED))
		return &conn->peer;
	/* A certificate is public; it is the signature that proves. */
	if (conn->unproven == NULL)
		conn->unproven = xcalloc(1, sizeof(*conn->unproven));
	*conn->unproven = conn->peer;
	conn->unproven->verdict = TLS_PEER_UNTRUSTED;
	conn->unproven->verify_text = text;
	return conn->unproven;
}

void
tls_conn_drop_der(struct tls_conn *conn)
{
	free(conn->peer_der);
	conn->peer_der = NULL;
	conn->peer.der = NULL;
	conn->peer.der_len = 0;
}

const X509 *
tls_conn_certificate(const struct tls_conn *conn)
{
	return conn != NULL ? SSL_get0_peer_certificate(conn->ssl) : NULL;
}

bool
tls_conn_validity(const struct tls_conn *conn, time_t *not_before,
    time_t *not_after)
{
	const X509 *cert = tls_conn_certificate(conn);

	if (cert != NULL) {
		*not_before = cert_not_before(cert);
		*not_after = cert_not_after(cert);
		return true;
	}
	if (conn == NULL || !conn->settled ||
	    conn->peer.verdict == TLS_PEER_NONE)
		return false;
	*not_before = conn->not_before;
	*not_after = conn->not_after;
	return true;
}

void
tls_conn_settle(struct tls_conn *conn)
{
	tls_conn_drop_der(conn);
	if (!conn->complete || !conn->context->is_server || conn->settled)
		return;
	(void)tls_conn_validity(conn, &conn->not_before, &conn->not_after);
	conn->cipher = SSL_get_cipher_name(conn->ssl);
	conn->settled = tls_settle(conn);
}

void
tls_conn_set_waker(struct tls_conn *conn, void (*wake)(void *arg), void *arg)
{
	conn->wake = wake;
	conn->wake_arg = arg;
}

void
tls_conn_skip_ticket(struct tls_conn *conn)
{
	(void)SSL_set_options(conn->ssl, SSL_OP_NO_TICKET);
	(void)SSL_set_num_tickets(conn->ssl, 0); /* of TLS 1.3 */
}

bool
tls_conn_waits_for_key(const struct tls_conn *conn)
{
	return conn->waits_for_key;
}

bool
tls_context_has_far_key(const struct tls_context *context)
{
	return context->has_far_key;
}

bool
tls_conn_is_remembered(const struct tls_conn *conn)
{
	return conn->remembered;
}

void
tls_conn_shown(const struct tls_conn *conn, X509 ***certs, size_t *count)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(conn->ssl);

	*certs = NULL;
	*count = 0;
	if (chain == NULL || sk_X509_num(chain) <= 0)
		return;
	*count = (size_t)sk_X509_num(chain);
	*certs = xcalloc(*count, sizeof(X509 *));
	for (size_t i = 0; i < *count; i++) {
		(*certs)[i] = sk_X509_value(chain, (int)i);
		(void)X509_up_ref((*certs)[i]);
	}
}

/* OpenSSL asks for a certificate when the server does. */
int
tls_conn_see_certificate_request(SSL *ssl, void *arg)
{
	struct tls_conn *conn = SSL_get_app_data(ssl);

	(void)arg;
	conn->certificate_requested = true;
	return 1;
}

bool
tls_conn_certificate_requested(const struct tls_conn *conn)
{
	return conn->certificate_requested;
}

static void
common_name(const X509_NAME *name, char text[static TLS_CA_TEXT_MAX])
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *value = at < 0 ?
	    NULL :
	    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));

	text[0] = '\0';
	if (value != NULL)
		text_escape(ASN1_STRING_get0_data(value),
		    (size_t)ASN1_STRING_length(value), text, TLS_CA_TEXT_MAX);
}

size_t
tls_conn_requested_cas(const struct tls_conn *conn,
    char (*names)[TLS_CA_TEXT_MAX], size_t max)
{
	const STACK_OF(X509_NAME) *list = SSL_get0_peer_CA_list(conn->ssl);
	int count = list != NULL ? sk_X509_NAME_num(list) : 0;

	for (int i = 0; i < count && (size_t)i < max; i++)
		common_name(sk_X509_NAME_value(list, i), names[i]);
	return count > 0 ? (size_t)count : 0;
}

int
tls_conn_alert_sent(const struct tls_conn *conn)
{
	return conn != NULL ? conn->alert_sent : -1;
}

int
tls_conn_alert_received(const struct tls_conn *conn)
{
	return conn != NULL ? conn->alert_received : -1;
}

const char *
tls_alert_name(int alert)
{
	static const struct {
		int alert;
		const char *name;
	} names[] = {
		{ 0, "close_notify" },
		{ 10, "unexpected_message" },
		{ 20, "bad_record_mac" },
		{ 21, "decryption_failed" },
		{ 22, "record_overflow" },
		{ 30, "decompression_failure" },
		{ 40, "handshake_failure" },
		{ 41, "no_certificate" },
		{ 42, "bad_certificate" },
		{ 43, "unsupported_certificate" },
		{ 44, "certificate_revoked" },
		{ 45, "certificate_expired" },
		{ 46, "certificate_unknown" },
		{ 47, "illegal_parameter" },
		{ 48, "unknown_ca" },
		{ 49, "access_denied" },
		{ 50, "decode_error" },
		{ 51, "decrypt_error" },
		{ 60, "export_restriction" },
		{ 70, "protocol_version" },
		{ 71, "insufficient_security" },
		{ 80, "internal_error" },
		{ 86, "inappropriate_fallback" },
		{ 90, "user_canceled" },
		{ 100, "no_renegotiation" },
		{ 109, "missing_extension" },
		{ 110, "unsupported_extension" },
		{ 111, "certificate_unobtainable" },
		{ 112, "unrecognized_name" },
		{ 113, "bad_certificate_status_response" },
		{ 114, "bad_certificate_hash_value" },
		{ 115, "unknown_psk_identity" },
		{ 116, "certificate_required" },
		{ 120, "no_application_protocol" },
	};
	static _Thread_local char other[sizeof("alert_-2147483648")];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (names[i].alert == alert)
			return names[i].name;
	}
	(void)snprintf(other, sizeof(other), "alert_%d", alert);
	return other;
}

const char *
tls_version_name(uint16_t version)
{
	static const struct {
		uint16_t version;
		const char *name;
	} names[] = {
		{ SSL2_VERSION, "SSL2.0" },
		{ SSL3_VERSION, "SSL3.0" },
		{ TLS1_VERSION, "TLS1.0" },
		{ TLS1_1_VERSION, "TLS1.1" },
		{ TLS1_2_VERSION, "TLS1.2" },
		{ TLS1_3_VERSION, "TLS1.3" },
	};
	static _Thread_local char other[sizeof("0xffff")];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (names[i].version == version)
			return names[i].name;
	}
	(void)snprintf(other, sizeof(other), "0x%04x", version);
	return other;
}

uint16_t
tls_conn_version(const struct tls_conn *conn)
{
	return conn != NULL && conn->complete ?
	    (uint16_t)SSL_version(conn->ssl) :
	    0;
}

const char *
tls_conn_cipher(const struct tls_conn *conn)
{
	if (conn == NULL || !conn->complete)
		return "";
	return conn->settled ? conn->cipher : SSL_get_cipher_name(conn->ssl);
}
