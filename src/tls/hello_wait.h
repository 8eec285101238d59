/*
 * hello_wait.h -- is a ClientHello there as a whole?
 *
 * Asked of bytes that are still in the socket, so that nothing is allocated for
 * a client that has not said what it wants.
 */
#ifndef TLS_HELLO_WAIT_H
#define TLS_HELLO_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer hello counts as whole once so much of it is there. */
#define TLS_HELLO_WAIT_MAX 8192

/*
 * Look at the first bytes of a connection.  True: the handshake can begin; the
 * hello is there, or what is there is none and OpenSSL is to say so.  False:
 * it cannot before *needed bytes are there, which are more than len.
 */
bool tls_hello_is_whole(const uint8_t *data, size_t len, size_t *needed);

#endif
