/*
 * Who the peer is.
 *
 * OpenSSL calls record_error() for each thing that is wrong with a chain and
 * goes on when told so.  The handshake with a device shall go on whatever is
 * wrong, so that the log can say who it was; the verdict is kept here.
 */
#include "tls/client_key.h"
#include "tls/internal.h"
#include "tls/session.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "base/text.h"
#include "pki/anchors.h"
#include "pki/cert.h"

static struct tls_conn *
conn_of(X509_STORE_CTX *store_ctx)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx,
	    SSL_get_ex_data_X509_STORE_CTX_idx());

	return SSL_get_app_data(ssl);
}

static bool
is_date_error(int error)
{
	return error == X509_V_ERR_CERT_HAS_EXPIRED ||
	    error == X509_V_ERR_CERT_NOT_YET_VALID;
}

/*
 * Keep an error.  The first one counts, except that an error about dates gives
 * way to any other: "expired" is said only when nothing else is wrong.
 */
static void
keep_error(struct tls_peer *peer, int error, int depth)
{
	if (peer->verify_error != X509_V_OK &&
	    (!is_date_error(peer->verify_error) || is_date_error(error)))
		return;
	peer->verdict = is_date_error(error) ? TLS_PEER_EXPIRED :
					       TLS_PEER_UNTRUSTED;
	peer->verify_error = error;
	peer->verify_depth = depth;
	peer->verify_text = X509_verify_cert_error_string(error);
}

static int
record_error(int ok, X509_STORE_CTX *store_ctx)
{
	struct tls_conn *conn = conn_of(store_ctx);
	int error = X509_STORE_CTX_get_error(store_ctx);
	int depth = X509_STORE_CTX_get_error_depth(store_ctx);
	const X509 *cert = X509_STORE_CTX_get_current_cert(store_ctx);

	if (ok)
		return 1;
	if (error == X509_V_ERR_CERT_HAS_EXPIRED && depth > 0 && cert != NULL &&
	    anchors_is_allowed_expired(conn->context->anchors, cert))
		X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
	else
		keep_error(&conn->peer, error, depth);
	return 1;
}

static void
copy_common_name(const struct cert_name *name,
    char text[static TLS_PEER_TEXT_MAX])
{
	const struct cert_name_part *part = cert_name_find(name,
	    CERT_COMMON_NAME);

	text[0] = '\0';
	if (part != NULL)
		text_escape(part->value, part->len, text, TLS_PEER_TEXT_MAX);
}

void
tls_verify_copy_leaf(struct tls_conn *conn, const X509 *leaf)
{
	struct error ignored;

	free(conn->peer_der);
	conn->peer_der = NULL;
	if (cert_encode(leaf, &conn->peer_der, &conn->peer.der_len, &ignored) !=
	    0)
		keep_error(&conn->peer, X509_V_ERR_CERT_REJECTED, 0);
	conn->peer.der = conn->peer_der;
}

/* Note what was shown, whatever becomes of it. */
static void
describe_peer(struct tls_conn *conn, X509_STORE_CTX *store_ctx)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);
	X509 *leaf = X509_STORE_CTX_get0_cert(store_ctx);
	struct cert_name name;

	cert_issuer(leaf, &name);
	copy_common_name(&name, conn->peer.issuer);
	if (sk_X509_num(chain) > 1) {
		cert_subject(sk_X509_value(chain, sk_X509_num(chain) - 1),
		    &name);
		copy_common_name(&name, conn->peer.anchor);
	}
	tls_verify_copy_leaf(conn, leaf);
	cert_sha256(leaf, conn->peer.sha256);
	cert_key_sha256(leaf, conn->peer.key_sha256);
}

/*
 * Chains are verified at level 0 under each policy: the devices' certificates
 * are what they are, RSA-1024 and MD5 or SHA-1 included.
 */
static X509_VERIFY_PARAM *
begin_verify(struct tls_conn *conn, X509_STORE_CTX *store_ctx)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store_ctx);

	conn->peer = (struct tls_peer) { .verdict = TLS_PEER_TRUSTED,
		.verify_text = "" };
	X509_VERIFY_PARAM_set_auth_level(param, 0);
	return param;
}

/*
 * When is every certificate of the verified chain valid?  OpenSSL takes
 * notBefore as part of that time, and notAfter as its end.  The end of an
 * anchor that is allowed although expired does not count.
 */
static void
find_validity(const struct anchors *anchors, const STACK_OF(X509) * chain,
    time_t *from, time_t *until)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *cert = sk_X509_value(chain, i);
		time_t begin = cert_not_before(cert);
		time_t end = cert_not_after(cert);

		if (i == 0 || begin > *from)
			*from = begin;
		if (i == 0 ||
		    (end < *until &&
			!anchors_is_allowed_expired(anchors, cert)))
			*until = end;
	}
}

/* Let others profit from a verification that went well. */
static void
remember(struct tls_conn *conn, X509_STORE_CTX *store_ctx)
{
	const struct tls_context *context = conn->context;
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);
	time_t from = 0, until = 0;

	if (conn->peer.verdict != TLS_PEER_TRUSTED || sk_X509_num(chain) <= 0) {
		tls_session_forget(conn);
		return;
	}
	find_validity(context->anchors, chain, &from, &until);
	if (conn->has_chain_key)
		verify_cache_keep(context->verifications, conn->chain_key, from,
		    until, &conn->peer);
	tls_session_save(conn, from, until);
}

int
tls_verify_device(X509_STORE_CTX *store_ctx, void *context)
{
	struct tls_conn *conn = conn_of(store_ctx);
	time_t from, until;
	int rc;

	(void)context;
	(void)begin_verify(conn, store_ctx);
	tls_client_key_of_leaf(store_ctx);
	if (conn->has_chain_key &&
	    verify_cache_find(conn->context->verifications, conn->chain_key,
		time(NULL), &conn->peer, &from, &until)) {
		conn->remembered = true;
		tls_session_save(conn, from, until);
		X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
		tls_verify_copy_leaf(conn, X509_STORE_CTX_get0_cert(store_ctx));
		return 1;
	}
	tls_client_key_of_issuers(store_ctx);
	X509_STORE_CTX_set_verify_cb(store_ctx, record_error);
	rc = X509_verify_cert(store_ctx);
	/* What fails without asking record_error() is a failure all the same. */
	if (rc != 1 && conn->peer.verify_error == X509_V_OK) {
		int error = X509_STORE_CTX_get_error(store_ctx);

		keep_error(&conn->peer,
		    error != X509_V_OK ? error : X509_V_ERR_UNSPECIFIED,
		    X509_STORE_CTX_get_error_depth(store_ctx));
	}
	describe_peer(conn, store_ctx);
	remember(conn, store_ctx);
	/* Else the connection keeps it, and with it the device's certificate,
	 * to its end. */
	X509_STORE_CTX_set0_verified_chain(store_ctx, NULL);
	ERR_clear_error();
	return 1;
}

/* Is any certificate below the anchor signed with a SHA-2 hash? */
static bool
has_sha2_signature(X509_STORE_CTX *store_ctx)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store_ctx);

	for (int i = 0; i + 1 < sk_X509_num(chain); i++) {
		const char *digest = cert_signature_digest(sk_X509_value(chain,
		    i));

		if (text_starts(digest, "sha2") ||
		    text_starts(digest, "sha3") || text_starts(digest, "sha5"))
			return true;
	}
	return false;
}

int
tls_verify_server(X509_STORE_CTX *store_ctx, void *arg)
{
	const struct tls_context *context = arg;
	struct tls_conn *conn = conn_of(store_ctx);
	X509_VERIFY_PARAM *param = begin_verify(conn, store_ctx);
	int error, ok;

	if (context->library != NULL) {
		tls_client_key_of_leaf(store_ctx);
		tls_client_key_of_issuers(store_ctx);
	}
	if (!context->check_time)
		(void)X509_VERIFY_PARAM_set_flags(param,
		    X509_V_FLAG_NO_CHECK_TIME);
	ok = X509_verify_cert(store_ctx) == 1;
	error = X509_STORE_CTX_get_error(store_ctx);
	if (!ok) {
		if (error == X509_V_OK)
			error = X509_V_ERR_UNSPECIFIED;
		keep_error(&conn->peer, error,
		    X509_STORE_CTX_get_error_depth(store_ctx));
	} else if (!context->check_sha256 && has_sha2_signature(store_ctx)) {
		/*
		 * ASSUMED: bad_certificate, which is what OpenSSL sends for a
		 * rejected certificate; no capture of such a device is known.
		 */
		ok = 0;
		error = X509_V_ERR_CERT_REJECTED;
		keep_error(&conn->peer, error, 0);
		conn->peer.verify_text =
		    "signed with SHA-2, which this device cannot verify";
	}
	X509_STORE_CTX_set_error(store_ctx, error);
	describe_peer(conn, store_ctx);
	return ok;
}

int
tls_verify_nothing(X509_STORE_CTX *store_ctx, void *context)
{
	struct tls_conn *conn = conn_of(store_ctx);

	(void)context;
	(void)begin_verify(conn, store_ctx);
	keep_error(&conn->peer, X509_V_ERR_APPLICATION_VERIFICATION, 0);
	conn->peer.verify_text = "not verified";
	describe_peer(conn, store_ctx);
	return 1;
}
