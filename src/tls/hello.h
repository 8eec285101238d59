/*
 * hello.h -- reading what a ClientHello offers, for logs and statistics.
 *
 * OpenSSL's ClientHello callback does not tell of extensions that OpenSSL
 * itself does not know, and tells nothing of a hello that it cannot parse.
 * So the bytes are read here.  Nothing is decided by what is found.
 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_hello;

/*
 * Read a handshake message with its 4-byte header (RFC 8446 4.1.2, RFC 5246
 * 7.4.1.2) or, with sslv2, the message of an SSLv2 record (RFC 5246 E.2).
 * True when all of it could be read; otherwise hello has what came before the
 * place that could not, and "seen" when that includes the version.
 */
bool tls_hello_parse(struct tls_hello *hello, bool sslv2, const uint8_t *data,
    size_t len);

/*
 * The same from the first bytes of a connection: records with their headers, of
 * either format.  A hello that goes on in another record is not read.
 */
bool tls_hello_read(struct tls_hello *hello, const uint8_t *data, size_t len);

#endif
