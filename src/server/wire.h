/*
 * wire.h -- reading and writing a connection that has TLS, or none.
 */
#ifndef SERVER_WIRE_H
#define SERVER_WIRE_H

#include <stddef.h>

#include "base/error.h"
#include "tls/conn.h"

/* As tls_conn_read() and tls_conn_write(); tls NULL: over the bare socket. */
enum tls_io wire_read(struct tls_conn *tls, int fd, void *data, size_t size,
    size_t *n, struct error *err) MUST_CHECK;
enum tls_io wire_write(struct tls_conn *tls, int fd, const void *data,
    size_t len, size_t *n, struct error *err) MUST_CHECK;

#endif
