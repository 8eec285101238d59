/*
 * client.h -- one client that is many devices.
 *
 * A context for each device would take longer to make than its handshake; here
 * all connections share one, and each shows another certificate and offers
 * another session.
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include <stdbool.h>

#include <openssl/types.h>

#include "base/error.h"

struct tls_conn;
struct tls_session; /* what a device keeps in order to resume */

/* Show this certificate instead of the context's.  Before the handshake; takes
 * references of its own. */
int tls_conn_show(struct tls_conn *conn, X509 *cert, EVP_PKEY *key,
    struct error *err) MUST_CHECK;

void tls_session_free(struct tls_session *session);

/* The session to offer next time, NULL when the server gave none.  Call it when
 * the connection is of no more use: TLS 1.3 tells it after the handshake. */
struct tls_session *
tls_conn_take_session(struct tls_conn *conn) FREED_BY(tls_session_free);

/* Offer it.  Before the handshake; the session stays the caller's. */
void tls_conn_offer_session(struct tls_conn *conn, struct tls_session *session);

/* Was the handshake a short one? */
bool tls_conn_is_resumed(const struct tls_conn *conn);

#endif
