/*
 * settle.h -- what a complete connection keeps of its handshake.
 *
 * OpenSSL keeps the session of a connection, and in it the client's
 * certificate with its key, for as long as the connection lasts: 5 kB.  Reading
 * and writing needs none of it, but there must be a session: where there is
 * none, OpenSSL 3.0 does not check what it has decrypted.  So the session gives
 * way to an empty one, which all connections of a context share, one for each
 * version.  SSL_set_session() would begin the connection anew when its context
 * has another method than the version that was agreed; an SSL_CTX of that very
 * method stands in for the rest of the connection.
 *
 * Not for other folders.
 */
#ifndef TLS_SETTLE_H
#define TLS_SETTLE_H

#include "tls/internal.h"

/* Give the session back if that can be done; true when it was. */
bool tls_settle(struct tls_conn *conn);

/*
 * The connection ends.  Without close_notify, and so after each alert that is
 * fatal, its session must not be resumed (RFC 5246 7.2); where OpenSSL does not
 * know it any more, this sees to it.
 */
void tls_settle_end(const struct tls_conn *conn);

void tls_settle_free(struct tls_settled *settled);

#endif
