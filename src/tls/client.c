#include "tls/client.h"
#include "tls/internal.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* struct tls_session is OpenSSL's own by another name: it has no other part,
 * and there may be one for each of a million devices. */
static SSL_SESSION *
session_of(struct tls_session *session)
{
	return (SSL_SESSION *)session;
}

int
tls_conn_show(struct tls_conn *conn, X509 *cert, EVP_PKEY *key,
    struct error *err)
{
	ERR_clear_error();
	if (SSL_use_certificate(conn->ssl, cert) != 1 ||
	    SSL_use_PrivateKey(conn->ssl, key) != 1)
		return error_openssl(err,
		    "cannot show the device's certificate");
	return 0;
}

void
tls_session_free(struct tls_session *session)
{
	SSL_SESSION_free(session_of(session));
}

struct tls_session *
tls_conn_take_session(struct tls_conn *conn)
{
	SSL_SESSION *session = SSL_get1_session(conn->ssl);

	if (session != NULL && !SSL_SESSION_is_resumable(session)) {
		SSL_SESSION_free(session);
		session = NULL;
	}
	return (struct tls_session *)session;
}

void
tls_conn_offer_session(struct tls_conn *conn, struct tls_session *session)
{
	/* Fails for a version that the context does not speak: then it is a
	 * full handshake. */
	if (SSL_set_session(conn->ssl, session_of(session)) != 1)
		ERR_clear_error();
}

bool
tls_conn_is_resumed(const struct tls_conn *conn)
{
	return SSL_session_reused(conn->ssl) == 1;
}
