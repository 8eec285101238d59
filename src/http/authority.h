/*
 * authority.h -- host and port, as in a Host field, a target or a URL.
 *
 *     ( name / IPv4 address / "[" IPv6 address "]" ) [ ":" port ]
 *
 * Narrower than RFC 3986 3.2 on purpose: no user information, no escapes, and
 * names of letters, digits, '-', '_' and '.' only, which is all that DNS names
 * of servers need.
 */
#ifndef HTTP_AUTHORITY_H
#define HTTP_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTHORITY_HOST_MAX 253 /* RFC 1035 2.3.4, as text without final dot */

struct authority {
	char
	    host[AUTHORITY_HOST_MAX + 1]; /* an IPv6 address without brackets */
	uint16_t port;			  /* 0 when none is stated */
};

/* Read the len bytes at text, all of them; *authority is as it was on false. */
bool authority_read(struct authority *authority, const char *text, size_t len);

#endif
