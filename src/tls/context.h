/*
 * context.h -- what all connections of one listener (or one simulated device)
 * have in common: certificate, policy, anchors.
 *
 * A context is complete when made and never changed afterwards; a reload makes
 * a new one.  Connections hold a reference.  Security level 0 is set on legacy
 * contexts only.
 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/error.h"

struct anchors;
struct chain;

enum tls_policy {
	TLS_LEGACY, /* TLS 1.0 and up, RSA and ECDHE with AES-CBC-SHA and
		     * better; RSA-1024 and MD5/SHA-1 device certificates */
	TLS_MODERN, /* TLS 1.2 and up, ECDHE with AEAD; level 2, but device
		     * certificates are still verified at level 0 (even MICs
		     * are signed with SHA-1) */
};

struct tls_server_options {
	enum tls_policy policy;
	const struct chain *chain;
	/* The leaf's key, when it is one of far_key.h; else NULL.  Handshakes
	 * may wait for it then: tls_conn_waits_for_key(). */
	EVP_PKEY *far_key;
	/* Do the private operations of the chain's key together with others, by
	 * key_batch.h, where that fits; far_key is NULL then. */
	bool together;
	/*
	 * Borrowed until the context is freed.  NULL: no certificate is asked
	 * for.  With anchors a certificate is always asked for, and neither
	 * its absence nor a bad one ends the handshake: tls_conn_peer() tells.
	 */
	const struct anchors *anchors;
	/* Use OpenSSL's own library context, not that of tls/algorithms.h. */
	bool all_algorithms;
	/* How many verifications of chains are remembered, about; 0: none. */
	size_t verifications;
	/* How many sessions are kept for devices that know no tickets; 0: no
	 * session is resumed, by ticket neither. */
	size_t sessions;
};

/* How a simulated device speaks; from the registry's stacks. */
struct tls_client_options {
	int min_version, max_version; /* as 0x0301 (TLS 1.0) .. 0x0304 */
	const char *ciphers;	      /* OpenSSL cipher string up to TLS 1.2 */
	bool extensions; /* false: a ClientHello without any extension,
				  * as far as the version and ciphers allow */
	bool send_sni;
	const struct anchors *anchors; /* the server CAs it trusts; borrowed */
	bool check_time;	       /* of server certificates and anchors */
	bool check_sha256;	   /* can verify SHA-256 signatures; false: a
				  * SHA-2 signed certificate is refused */
	const struct chain *chain; /* its identity; NULL: it shows none */
	bool accept_any; /* take any certificate, in order to look at it; the
			  * peer is then never TRUSTED */
	bool reduced;	 /* with the library context of tls/algorithms.h: for
			  * who is thousands of devices at once */
};

struct tls_context;

void tls_context_free(struct tls_context *context); /* drops a reference */
struct tls_context *
tls_context_new_server(const struct tls_server_options *options,
    struct error *err) MUST_CHECK FREED_BY(tls_context_free);
struct tls_context *
tls_context_new_client(const struct tls_client_options *options,
    struct error *err) MUST_CHECK FREED_BY(tls_context_free);

/* Does a ClientHello, as it came, seem to show a ticket of that context? */
bool tls_context_knows_session(struct tls_context *context, const void *hello,
    size_t len);

/*
 * A client that accepts any certificate, in order to look at it, and verifies
 * nothing: any version from TLS 1.0 on and any cipher there is.  Only for
 * probing what a server shows; nothing may be sent to whoever that is.  With
 * extensions false it says what a device without them says, SNI included.
 */
struct tls_context *tls_context_new_accept_any(bool extensions,
    struct error *err) MUST_CHECK FREED_BY(tls_context_free);

#endif
