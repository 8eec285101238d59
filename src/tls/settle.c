#include "tls/settle.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

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
 * Can the session go?  A fragment length that was agreed stands there and
 * nowhere else.  Other versions of OpenSSL were not looked at: they keep what
 * they keep.
 */
static bool
may_go(const SSL *ssl)
{
	const SSL_SESSION *session = SSL_get_session(ssl);
	int version = SSL_version(ssl);

	return OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0 &&
	    session != NULL && version >= TLS1_VERSION &&
	    version < TLS1_VERSION + TLS_VERSIONS &&
	    SSL_SESSION_get_max_fragment_length(session) ==
	    TLSEXT_max_fragment_length_DISABLED;
}

/* Under which id may it be resumed?  In TLS 1.3 that is done by ticket. */
static void
keep_id(struct tls_conn *conn)
{
	unsigned len = 0;
	const uint8_t *id = SSL_SESSION_get_id(SSL_get_session(conn->ssl),
	    &len);

	if (conn->context->tickets == NULL || conn->forget ||
	    SSL_version(conn->ssl) == TLS1_3_VERSION)
		return;
	memcpy(conn->session_id, id, len);
	conn->session_id_len = len;
}

/*
 * To OpenSSL an exchange of sessions is a connection without a good end: the
 * old one could not be resumed any more, so there is a good end meanwhile.
 */
static bool
exchange(SSL *ssl, const struct tls_settled *settled)
{
	int shutdown = SSL_get_shutdown(ssl);
	bool done;

	if (SSL_CTX_get_ssl_method(settled->ssl_ctx) !=
		SSL_get_ssl_method(ssl) ||
	    SSL_set_SSL_CTX(ssl, settled->ssl_ctx) != settled->ssl_ctx)
		return false;
	SSL_set_shutdown(ssl, shutdown | SSL_SENT_SHUTDOWN);
	done = SSL_set_session(ssl, settled->session) == 1;
	SSL_set_shutdown(ssl, shutdown);
	return done;
}

bool
tls_settle(struct tls_conn *conn)
{
	struct tls_settled *settled;
	bool done;

	if (!may_go(conn->ssl) ||
	    (settled = settled_of(conn->context, conn->ssl)) == NULL)
		return false;
	keep_id(conn);
	done = exchange(conn->ssl, settled);
	if (!done)
		conn->session_id_len = 0;
	ERR_clear_error();
	return done;
}

void
tls_settle_end(const struct tls_conn *conn)
{
	SSL_SESSION *like;

	if (conn->session_id_len == 0 ||
	    (SSL_get_shutdown(conn->ssl) & SSL_SENT_SHUTDOWN) != 0)
		return;
	/* One is found by these two. */
	like = SSL_SESSION_new();
	if (like != NULL &&
	    SSL_SESSION_set_protocol_version(like, SSL_version(conn->ssl)) ==
		1 &&
	    SSL_SESSION_set1_id(like, conn->session_id, conn->session_id_len) ==
		1)
		(void)SSL_CTX_remove_session(conn->context->ssl_ctx, like);
	SSL_SESSION_free(like);
	ERR_clear_error();
}
