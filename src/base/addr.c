#include "base/addr.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

int
addr_parse_host(struct addr *addr, const char *host, uint16_t port,
    struct error *err)
{
	struct addr parsed = { .len = 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&parsed.sockaddr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&parsed.sockaddr;

	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		parsed.len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		parsed.len = sizeof(*v6);
	} else {
		return error_set(err, ERROR_INPUT,
		    "\"%.64s\" is not an IPv4 or IPv6 address", host);
	}
	*addr = parsed;
	return 0;
}

int
addr_parse(struct addr *addr, const char *text, struct error *err)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN];
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	struct error ignored;
	uint64_t port;

	if (bracketed) {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host))
		goto malformed;
	memcpy(host, text, len);
	host[len] = '\0';
	if (bracketed != (strchr(host, ':') != NULL))
		goto malformed;
	if (text_parse_number(colon + 1, 1, 65535, &port, &ignored) != 0)
		goto malformed;
	if (addr_parse_host(addr, host, (uint16_t)port, &ignored) == 0)
		return 0;
malformed:
	return error_set(err, ERROR_INPUT,
	    "\"%.64s\" is not an address with a port: expected "
	    "192.0.2.1:443 or [2001:db8::1]:443",
	    text - bracketed);
}

void
addr_format_host(const struct addr *addr, char text[static ADDR_TEXT_BYTES])
{
	const struct sockaddr_in *v4 =
	    (const struct sockaddr_in *)&addr->sockaddr;
	const struct sockaddr_in6 *v6 =
	    (const struct sockaddr_in6 *)&addr->sockaddr;
	const char *done = NULL;

	if (addr->sockaddr.ss_family == AF_INET)
		done = inet_ntop(AF_INET, &v4->sin_addr, text, ADDR_TEXT_BYTES);
	else if (addr->sockaddr.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		done = inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text,
		    ADDR_TEXT_BYTES);
	else if (addr->sockaddr.ss_family == AF_INET6)
		done = inet_ntop(AF_INET6, &v6->sin6_addr, text,
		    ADDR_TEXT_BYTES);
	if (done == NULL)
		memcpy(text, "?", 2);
}

void
addr_format(const struct addr *addr, char text[static ADDR_TEXT_BYTES])
{
	char host[ADDR_TEXT_BYTES];

	addr_format_host(addr, host);
	(void)snprintf(text, ADDR_TEXT_BYTES,
	    strchr(host, ':') != NULL ? "[%.45s]:%u" : "%.45s:%u", host,
	    addr_port(addr));
}

uint16_t
addr_port(const struct addr *addr)
{
	if (addr->sockaddr.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&addr->sockaddr)
				 ->sin_port);
	if (addr->sockaddr.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&addr->sockaddr)
				 ->sin6_port);
	return 0;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	const void *a_raw = &a->sockaddr, *b_raw = &b->sockaddr;
	const struct sockaddr_in *a4 = a_raw, *b4 = b_raw;
	const struct sockaddr_in6 *a6 = a_raw, *b6 = b_raw;

	if (a->sockaddr.ss_family != b->sockaddr.ss_family)
		return false;
	if (a->sockaddr.ss_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		    a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->sockaddr.ss_family == AF_INET6 &&
	    a6->sin6_port == b6->sin6_port &&
	    a6->sin6_scope_id == b6->sin6_scope_id &&
	    IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
}

bool
addr_is_loopback(const struct addr *addr)
{
	const struct sockaddr_in *v4 =
	    (const struct sockaddr_in *)&addr->sockaddr;
	const struct sockaddr_in6 *v6 =
	    (const struct sockaddr_in6 *)&addr->sockaddr;

	if (addr->sockaddr.ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	    (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) &&
		v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}
