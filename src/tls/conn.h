/*
 * conn.h -- one TLS connection over a non-blocking socket, from either side.
 *
 * The caller owns the socket and waits for it; each call here does what can be
 * done now and says what it waits for.  Writing to a socket whose peer is gone
 * raises SIGPIPE: programs that use this ignore that signal.
 */
#ifndef TLS_CONN_H
#define TLS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/types.h>

#include "base/error.h"

/* What can be asked of a connection can be asked of NULL, too: it is one
 * without TLS, with no peer and nothing agreed. */
struct tls_conn;
struct tls_context;

enum tls_io {
	TLS_DONE,	/* the step is complete; *n bytes were moved */
	TLS_WANT_READ,	/* call again when the socket is readable */
	TLS_WANT_WRITE, /* call again when the socket is writable */
	TLS_CLOSED,	/* the peer closed (close_notify or plain FIN); err
			 * says so */
	TLS_FAILED,	/* err says why; the connection is of no more use */
};

/* Server side / client side over fd.  The context is referenced.  host is the
 * server's name for SNI (used only with send_sni); NULL: none. */
void tls_conn_free(struct tls_conn *conn);
struct tls_conn *tls_conn_new_server(struct tls_context *context, int fd,
    struct error *err) MUST_CHECK FREED_BY(tls_conn_free);
struct tls_conn *tls_conn_new_client(struct tls_context *context, int fd,
    const char *host, struct error *err) MUST_CHECK FREED_BY(tls_conn_free);

enum tls_io
tls_conn_handshake(struct tls_conn *conn, struct error *err) MUST_CHECK;

/*
 * Where the context has a far key: after TLS_WANT_READ, is it the key that is
 * waited for?  Then call tls_conn_handshake() again once wake was called, which
 * any thread may do.  Without a waker the handshake waits by itself.  A
 * connection that waits must not be freed: call tls_conn_handshake() until it
 * does not.
 */
void
tls_conn_set_waker(struct tls_conn *conn, void (*wake)(void *arg), void *arg);
bool tls_conn_waits_for_key(const struct tls_conn *conn);
bool tls_context_has_far_key(const struct tls_context *context);
enum tls_io tls_conn_read(struct tls_conn *conn, void *data, size_t size,
    size_t *n, struct error *err) MUST_CHECK;
enum tls_io tls_conn_write(struct tls_conn *conn, const void *data, size_t len,
    size_t *n, struct error *err) MUST_CHECK;

/* Send close_notify; does not wait for the peer's. */
void tls_conn_shutdown(struct tls_conn *conn);

/* Has the peer sent anything yet, TLS or not? */
bool tls_conn_has_received(const struct tls_conn *conn);

/* What a ClientHello offered; known on the server side once it has arrived. */
#define TLS_HELLO_CIPHERS_MAX 64
#define TLS_HELLO_EXTENSIONS_MAX 32
struct tls_hello {
	bool seen;
	bool sslv2_format;
	uint16_t version;     /* legacy_version: 0x0301 is TLS 1.0 */
	uint16_t max_version; /* supported_versions, or version without it */
	size_t cipher_count;  /* all offered; the first ones are kept; without
			       * SSL 2.0's own, of three bytes */
	uint16_t cipher[TLS_HELLO_CIPHERS_MAX];
	size_t extension_count;
	uint16_t extension[TLS_HELLO_EXTENSIONS_MAX];
	char sni[256]; /* "" when absent; escaped by text_escape() */
};
const struct tls_hello *tls_conn_hello(const struct tls_conn *conn);

/* Who the other side is. */
enum tls_verdict {
	TLS_PEER_NONE,	    /* showed no certificate */
	TLS_PEER_TRUSTED,   /* chains to an anchor, all dates good (or the
			     * anchor's expiry allowed by name) */
	TLS_PEER_EXPIRED,   /* would be trusted but for dates (verify error
			     * expired or not yet valid, in leaf or issuer) */
	TLS_PEER_UNTRUSTED, /* any other verification error */
};

/* RFC 5280 A.1: ub-common-name is 64; escapes make it longer. */
#define TLS_PEER_TEXT_MAX 128
struct tls_peer {
	enum tls_verdict verdict;
	int verify_error;		/* X509_V_ERR_..., 0 when trusted */
	int verify_depth;		/* 0 is the leaf */
	const char *verify_text;	/* in OpenSSL's words; never freed */
	char anchor[TLS_PEER_TEXT_MAX]; /* subject CN of the chain's end as
					     * far as it was built; "" when that
				     * is the leaf */
	char issuer[TLS_PEER_TEXT_MAX]; /* issuer CN of the leaf */
	const uint8_t *der;		/* leaf; NULL when there is none */
	size_t der_len;
	uint8_t sha256[32]; /* of the leaf and of its key; zero without */
	uint8_t key_sha256[32];
};
/*
 * Complete once the handshake is; borrowed until tls_conn_free.  After a
 * handshake that failed it tells whose certificate was shown, but the verdict
 * is never TRUSTED, and on the server never EXPIRED: possession of the key was
 * not proven.  On the client a verify_error other than 0 is why it refused the
 * server.
 */
const struct tls_peer *tls_conn_peer(struct tls_conn *conn);

/* Let go of peer->der; tls_conn_certificate() is enough for most. */
void tls_conn_drop_der(struct tls_conn *conn);

/* The leaf itself, as OpenSSL parsed it: reading it again from DER would cost
 * as much as all the rest of an answer.  Borrowed until tls_conn_settle(); NULL
 * when there is none. */
const X509 *tls_conn_certificate(const struct tls_conn *conn);

/* When is the leaf valid?  False when there is none. */
bool tls_conn_validity(const struct tls_conn *conn, time_t *not_before,
    time_t *not_after);

/*
 * Server side, once the handshake is complete: let go of what is not needed to
 * read and write, which is a quarter of the connection's memory.  There may be
 * no certificate and no peer->der any more after this; all the rest that can be
 * asked of a connection has the same answer as before.
 */
void tls_conn_settle(struct tls_conn *conn);

/* Server side, before the handshake: do not make a ticket.  One costs a tenth of
 * a handshake, and saves most of another one only if the device comes back. */
void tls_conn_skip_ticket(struct tls_conn *conn);

/* Server side: was its chain verified before, for another connection? */
bool tls_conn_is_remembered(const struct tls_conn *conn);

/*
 * The certificates that a server has sent, leaf first, also when the handshake
 * failed after that.  *certs is an array of *count (0: none);
 * cert_free_all() releases it.
 */
void tls_conn_shown(const struct tls_conn *conn, X509 ***certs, size_t *count);

/* Did the server ask for a client's certificate? */
bool tls_conn_certificate_requested(const struct tls_conn *conn);

/*
 * The CAs that it named when it did: the subject CN of each, escaped; "" for
 * one without.  Writes at most max and returns how many it named, 0 when it
 * leaves the choice to the client.
 */
#define TLS_CA_TEXT_MAX 256
size_t tls_conn_requested_cas(const struct tls_conn *conn,
    char (*names)[TLS_CA_TEXT_MAX], size_t max);

/* Alert numbers (RFC 8446 6), -1 when none: the last sent and received.
 * close_notify does not count. */
int tls_conn_alert_sent(const struct tls_conn *conn);
int tls_conn_alert_received(const struct tls_conn *conn);

/* "unknown_ca", ... as RFC 8446 B.2 spells them; "alert_NNN" for others,
 * which holds until the thread's next call. */
const char *tls_alert_name(int alert);

/* "TLS1.0", ... for 0x0301; "0xNNNN" text for others, which holds until the
 * thread's next call. */
const char *tls_version_name(uint16_t version);

/* The negotiated ones; version 0 and "" before the handshake is complete. */
uint16_t tls_conn_version(const struct tls_conn *conn);
const char *tls_conn_cipher(const struct tls_conn *conn);

#endif
