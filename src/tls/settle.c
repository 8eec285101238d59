#include "tls/settle.h"
#include "base/mem.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* What stands in for all of a context's connections of one version. */
struct tls_settled {
	SSL_CTX *ssl_ctx;
	SSL_SESSION *session;
};

void
tls_settle_free(struct tls_settled *settled)
{
	if (settled == NULL)
		return;
	SSL_SESSION_free(settled->session);
	SSL_CTX_free(settled->ssl_ctx);
	free(settled);
}

/* NULL when there is no memory. */
static struct tls_settled *
make(const struct tls_context *context, const SSL *ssl)
{
	struct tls_settled *settled = xcalloc(1, sizeof(*settled));

	settled->session = SSL_SESSION_new();
	settled->ssl_ctx = SSL_CTX_new_ex(context->library, NULL,
	    SSL_get_ssl_method(ssl));
	if (settled->session == NULL || settled->ssl_ctx == NULL ||
	    SSL_SESSION_set_protocol_version(settled->session,
		SSL_version(ssl)) != 1) {
		tls_settle_free(settled);
		return NULL;
	}
	/* OpenSSL asks the context for this one, and has the rest itself. */
	SSL_CTX_set_info_callback(settled->ssl_ctx, tls_conn_see_event);
	return settled;
}

/* Made by the first connection of the version; never changes after that. */
static struct tls_settled *
settled_of(struct tls_context *context, const SSL *ssl)
{
	_Atomic(struct tls_settled *) *place =
	    &context->settled[SSL_version(ssl) - TLS1_VERSION];
	struct tls_settled *known = atomic_load(place), *made;

	if (known != NULL)
		return known;
	made = make(context, ssl);
	if (made == NULL || atomic_compare_exchange_strong(place, &known, made))
		return made;
	tls_settle_free(made); /* another thread was quicker */
	return known;
}

/*
 * Is the session of no use to anybody after this?  One that is kept to be
 * resumed by its id is: an alert must still find it, to end it (RFC 5246 7.2).
 * A fragment length that was agreed stands in the session and nowhere else.
 * Other versions of OpenSSL were not looked at: they keep what they keep.
 */
static bool
may_go(const struct tls_conn *conn)
{
	const SSL_SESSION *session = SSL_get_session(conn->ssl);
	int version = SSL_version(conn->ssl);
	unsigned id_len = 0;

	if (OPENSSL_version_major() != 3 || OPENSSL_version_minor() != 0 ||
	    session == NULL || version < TLS1_VERSION ||
	    version >= TLS1_VERSION + TLS_VERSIONS ||
	    SSL_SESSION_get_max_fragment_length(session) !=
		TLSEXT_max_fragment_length_DISABLED)
		return false;
	(void)SSL_SESSION_get_id(session, &id_len);
	return conn->context->tickets == NULL || conn->forget || id_len == 0 ||
	    version == TLS1_3_VERSION;
}

bool
tls_settle(struct tls_conn *conn)
{
	struct tls_settled *settled;
	bool done;

	if (!may_go(conn) ||
	    (settled = settled_of(conn->context, conn->ssl)) == NULL)
		return false;
	done = SSL_CTX_get_ssl_method(settled->ssl_ctx) ==
		SSL_get_ssl_method(conn->ssl) &&
	    SSL_set_SSL_CTX(conn->ssl, settled->ssl_ctx) == settled->ssl_ctx &&
	    SSL_set_session(conn->ssl, settled->session) == 1;
	ERR_clear_error();
	return done;
}
