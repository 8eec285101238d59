/*
 * addr.h -- a network address and port, IPv4 or IPv6.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"

#define ADDR_TEXT_BYTES \
	sizeof("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%4294967295]:" \
	       "65535")

struct addr {
	struct sockaddr_storage sockaddr;
	socklen_t len;
};

/* Read "192.0.2.1:443" or "[2001:db8::1]:443"; the port is 1..65535. */
int
addr_parse(struct addr *addr, const char *text, struct error *err) MUST_CHECK;

/* Read a bare "192.0.2.1" or "2001:db8::1" and add the port. */
int addr_parse_host(struct addr *addr, const char *host, uint16_t port,
    struct error *err) MUST_CHECK;

/* What addr_parse reads; an IPv4 address mapped into IPv6 is written as IPv4. */
void addr_format(const struct addr *addr, char text[static ADDR_TEXT_BYTES]);

/* Same, without the port. */
void
addr_format_host(const struct addr *addr, char text[static ADDR_TEXT_BYTES]);

uint16_t addr_port(const struct addr *addr);

/* Same family, address and port. */
bool addr_equal(const struct addr *a, const struct addr *b);

/* 127.0.0.0/8, ::1, or the former as an IPv6 address. */
bool addr_is_loopback(const struct addr *addr);

#endif
