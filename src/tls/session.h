/*
 * session.h -- resuming sessions: a second connection without certificate and
 * private operation.
 *
 * Not for other folders.  By ticket, or by id for devices that know no tickets.
 * A session carries the dates between which its device's chain is valid, and
 * what was found out about it, so a resumed one is judged by the clock as a new
 * one is.  It never leaves its context: neither another listener nor the same
 * one after a reload knows it.  The decision is made for each request anyway.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <stddef.h>
#include <time.h>

#include "tls/internal.h"

/* Let a server's context resume; ids is how many sessions of devices without
 * tickets are kept.  Without this it resumes none. */
int
tls_session_set_up(struct tls_context *context, size_t ids, struct error *err);

/* conn->peer was verified; its chain is valid from..until.  Else do not call
 * it, but tls_session_forget(). */
void tls_session_save(struct tls_conn *conn, time_t from, time_t until);

/* Nothing to resume is to come of this handshake. */
void tls_session_forget(struct tls_conn *conn);

/* The handshake resumed a session: fill in conn->peer. */
void tls_session_restore(struct tls_conn *conn);

#endif
