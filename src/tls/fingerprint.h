/*
 * fingerprint.h -- the class of a ClientHello: one number for all that tells
 * one TLS stack from another.
 *
 * Devices of one model and firmware send the same hello but for what belongs to
 * the connection: random, session, ticket, name of the server.  What stays goes
 * into the class: format, versions, cipher suites and extensions in their
 * order.  Left out are the reserved values of RFC 8701, and the extensions that
 * come and go with sessions and URLs.  It is no identity: anybody can send the
 * hello of another.
 */
#ifndef TLS_FINGERPRINT_H
#define TLS_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

struct tls_hello;

/* The class; 0 when the hello was not seen, or not whole. */
uint64_t tls_fingerprint(const struct tls_hello *hello);

/* 16 hex digits; "-" for 0. */
#define TLS_FINGERPRINT_BYTES 17
void
tls_fingerprint_format(uint64_t class, char text[static TLS_FINGERPRINT_BYTES]);

/* Read what tls_fingerprint_format() writes; false when it is none. */
bool tls_fingerprint_parse(const char *text, uint64_t *class);

#endif
