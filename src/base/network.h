/*
 * network.h -- a range of addresses: "192.0.2.0/24", "2001:db8::/32", or one
 * address.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct addr;

struct network {
	uint8_t octet[16]; /* IPv4 as mapped into IPv6 (RFC 4291 2.5.5.2) */
	unsigned bits;	   /* of these 128 that count */
};

/* ERROR_INPUT when it is none, or when bits beyond the prefix are set: one of
 * the two is a mistake then. */
int network_parse(struct network *network, const char *text,
    struct error *err) MUST_CHECK;

/* An IPv4 address mapped into IPv6 is that IPv4 address. */
bool network_has(const struct network *network, const struct addr *addr);

#endif
