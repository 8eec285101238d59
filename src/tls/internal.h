/*
 * internal.h -- what context.c, conn.c and verify.c know of each other.
 *
 * Not for other folders: it shows OpenSSL's types.
 */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include <openssl/ssl.h>

#include "tls/conn.h"
#include "tls/context.h"
#include "tls/verify_cache.h"

/* TLS 1.0 to 1.3 */
#define TLS_VERSIONS 4

struct tls_settled; /* tls/settle.h */

struct tls_context {
	atomic_uint references;
	SSL_CTX *ssl_ctx;
	OSSL_LIB_CTX *library; /* NULL: OpenSSL's own */
	bool is_server;
	bool has_far_key;
	struct batch_key *batch_key;   /* NULL: none, or not ours to release */
	const struct anchors *anchors; /* borrowed; may be NULL */
	/* Of a server: */
	struct verify_cache *verifications; /* NULL: none are kept */
	EVP_MD *sha256;			    /* for their keys */
	struct tickets *tickets;	    /* NULL: no session is resumed */
	EVP_CIPHER *ticket_cipher;
	_Atomic(struct tls_settled *) settled[TLS_VERSIONS];
	/* Of a client: */
	bool send_sni;
	bool check_time;
	bool check_sha256;
};

struct tls_conn {
	struct tls_context *context; /* one reference */
	SSL *ssl;		     /* its app data is this struct */
	bool complete;		     /* the handshake is */
	bool certificate_requested;  /* by the server, of a client */
	bool broken;		     /* nothing more may be sent */
	int alert_sent, alert_received;
	struct tls_hello hello;
	struct tls_peer peer;	   /* as verified */
	struct tls_peer *unproven; /* as told until the handshake is complete;
				    * NULL until somebody asks */
	uint8_t *peer_der;
	bool settled; /* what the session said: */
	time_t not_before, not_after;
	const char *cipher;
	uint8_t session_id[SSL_MAX_SSL_SESSION_ID_LENGTH];
	unsigned session_id_len; /* 0: cannot be resumed by id */
	bool waits_for_key;
	void (*wake)(void *arg); /* when a far key is done; or NULL */
	void *wake_arg;
	bool forget;	    /* its session is not to be resumed */
	bool remembered;    /* its chain was verified before */
	bool has_chain_key; /* the Certificate message was seen; its SHA-256: */
	uint8_t chain_key[VERIFY_CACHE_KEY_BYTES];
};

/* Add a reference. */
struct tls_context *tls_context_use(struct tls_context *context);

/*
 * Verification of a peer's chain, to be set with
 * SSL_CTX_set_cert_verify_callback() and the context as its argument.  Both
 * fill in conn->peer.  The server's always lets the handshake go on; the
 * client's ends it as a device does.
 */
int tls_verify_device(X509_STORE_CTX *store_ctx, void *context);
int tls_verify_server(X509_STORE_CTX *store_ctx, void *context);

/* The same for tls_context_new_accept_any(): notes what was shown. */
int tls_verify_nothing(X509_STORE_CTX *store_ctx, void *context);

/* For SSL_CTX_set_cert_cb() of clients: notes that one is asked for. */
int tls_conn_see_certificate_request(SSL *ssl, void *arg);

/* Keep the leaf's DER for conn->peer. */
void tls_verify_copy_leaf(struct tls_conn *conn, const X509 *leaf);

/* For SSL_CTX_set_msg_callback and SSL_CTX_set_info_callback. */
void tls_conn_see_message(int sent, int version, int type, const void *data,
    size_t len, SSL *ssl, void *arg);
void tls_conn_see_event(const SSL *ssl, int where, int value);

#endif
