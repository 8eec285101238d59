#include "tls/session.h"
#include "base/text.h"
#include "pki/cert.h"
#include "tls/tickets.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>

/* Periodic resyncs are an hour apart ([LINKSYS-PROV] p. 64), so that a
 * session outlives one. */
#define LIFETIME_S (2 * TICKET_SEAL_S)

/* What a session tells of its device, besides the certificate. */
struct saved {
	int64_t from, until;
	char anchor[TLS_PEER_TEXT_MAX];
};

static uint64_t
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec;
}

/* ------------------------------------------------------------------ tickets */

static bool
set_keys(const struct tls_context *context, const struct ticket_key *key,
    const uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
	char digest[] = "SHA256";
	uint8_t mac_key[TICKET_KEY_BYTES];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key,
		    sizeof(mac_key)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    0),
		OSSL_PARAM_construct_end(),
	};
	bool ok;

	memcpy(mac_key, key->mac, sizeof(mac_key));
	ok = EVP_CipherInit_ex2(cipher, context->ticket_cipher, key->cipher, iv,
		 seal, NULL) == 1 &&
	    EVP_MAC_CTX_set_params(mac, params) == 1;
	OPENSSL_cleanse(mac_key, sizeof(mac_key));
	return ok;
}

/*
 * SSL_CTX_set_tlsext_ticket_key_evp_cb(): 1 go on, 2 go on and give a newer
 * ticket, 0 no such key, -1 failure.
 */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
	const struct tls_conn *conn = SSL_get_app_data(ssl);
	const struct tls_context *context = conn->context;
	struct ticket_key key;
	bool newest = true, ok;

	if (seal) {
		int iv_len = EVP_CIPHER_get_iv_length(context->ticket_cipher);

		if (!tickets_seal(context->tickets, seconds(), &key) ||
		    RAND_bytes(iv, iv_len) != 1)
			return -1;
		memcpy(name, key.name, sizeof(key.name));
	} else if (!tickets_open(context->tickets, seconds(), name, &key,
		       &newest)) {
		return 0;
	}
	ok = set_keys(context, &key, iv, cipher, mac, seal);
	OPENSSL_cleanse(&key, sizeof(key));
	if (!ok)
		return -1;
	/* RFC 8446 C.4: a ticket of TLS 1.3 is used once. */
	return newest && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
}

int
tls_session_set_up(struct tls_context *context, size_t ids, struct error *err)
{
	SSL_CTX *ctx = context->ssl_ctx;

	context->tickets = tickets_new();
	context->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (context->ticket_cipher == NULL ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 1) != 1)
		return error_openssl(err, "cannot set up tickets");
	(void)SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	(void)SSL_CTX_sess_set_cache_size(ctx, (long)ids);
	(void)SSL_CTX_set_timeout(ctx, LIFETIME_S);
	return 0;
}

bool
tls_context_knows_session(struct tls_context *context, const void *hello,
    size_t len)
{
	return context->tickets != NULL &&
	    tickets_appear(context->tickets, seconds(), hello, len);
}

/* ------------------------------------------------------- what they tell */

void
tls_session_save(struct tls_conn *conn, time_t from, time_t until)
{
	struct saved saved = { .from = from, .until = until };

	if (conn->context->tickets == NULL)
		return;
	memcpy(saved.anchor, conn->peer.anchor, sizeof(saved.anchor));
	if (SSL_SESSION_set1_ticket_appdata(SSL_get_session(conn->ssl), &saved,
		sizeof(saved)) != 1)
		tls_session_forget(conn);
}

void
tls_session_forget(struct tls_conn *conn)
{
	conn->forget = true;
	(void)SSL_set_num_tickets(conn->ssl, 0); /* of TLS 1.3 */
}

/* What its session says does not hold any more, or never did. */
static void
refuse(struct tls_conn *conn, enum tls_verdict verdict, int error,
    const char *text)
{
	conn->peer.verdict = verdict;
	conn->peer.verify_error = error;
	conn->peer.verify_text = text;
}

static void
judge(struct tls_conn *conn)
{
	time_t now = time(NULL);
	const struct saved *saved = NULL;
	void *data = NULL;
	size_t len = 0;

	if (SSL_SESSION_get0_ticket_appdata(SSL_get_session(conn->ssl), &data,
		&len) == 1 &&
	    len == sizeof(*saved))
		saved = data;
	if (saved == NULL) {
		refuse(conn, TLS_PEER_UNTRUSTED,
		    X509_V_ERR_APPLICATION_VERIFICATION,
		    "the session is one of a device that was not trusted");
		return;
	}
	(void)snprintf(conn->peer.anchor, sizeof(conn->peer.anchor), "%.*s",
	    (int)sizeof(saved->anchor) - 1, saved->anchor);
	if (now < saved->from)
		refuse(conn, TLS_PEER_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID,
		    X509_verify_cert_error_string(
			X509_V_ERR_CERT_NOT_YET_VALID));
	else if (now >= saved->until)
		refuse(conn, TLS_PEER_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED,
		    X509_verify_cert_error_string(X509_V_ERR_CERT_HAS_EXPIRED));
}

void
tls_session_restore(struct tls_conn *conn)
{
	X509 *leaf = SSL_get0_peer_certificate(conn->ssl);
	const struct cert_name_part *part;
	struct cert_name name;

	conn->peer = (struct tls_peer) { .verdict = TLS_PEER_NONE,
		.verify_text = "" };
	if (leaf == NULL)
		return;
	conn->peer.verdict = TLS_PEER_TRUSTED;
	tls_verify_copy_leaf(conn, leaf);
	cert_sha256(leaf, conn->peer.sha256);
	cert_key_sha256(leaf, conn->peer.key_sha256);
	cert_issuer(leaf, &name);
	part = cert_name_find(&name, CERT_COMMON_NAME);
	if (part != NULL)
		text_escape(part->value, part->len, conn->peer.issuer,
		    sizeof(conn->peer.issuer));
	if (conn->peer.verdict == TLS_PEER_TRUSTED)
		judge(conn);
}
