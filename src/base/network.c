#include "base/network.h"
#include "base/addr.h"
#include "base/text.h"

#include <netinet/in.h>
#include <string.h>

#define MAPPED_BITS 96 /* before an IPv4 address */

static bool
to_octets(const struct addr *addr, uint8_t octet[static 16])
{
	const struct sockaddr_in *v4 =
	    (const struct sockaddr_in *)&addr->sockaddr;
	const struct sockaddr_in6 *v6 =
	    (const struct sockaddr_in6 *)&addr->sockaddr;

	if (addr->sockaddr.ss_family == AF_INET6) {
		memcpy(octet, &v6->sin6_addr, 16);
		return true;
	}
	if (addr->sockaddr.ss_family != AF_INET)
		return false;
	memset(octet, 0, 10);
	memset(octet + 10, 0xff, 2);
	memcpy(octet + 12, &v4->sin_addr, 4);
	return true;
}

/* Do the first bits agree? */
static bool
is_same(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned rest = bits % 8;

	return memcmp(a, b, bits / 8) == 0 &&
	    (rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0);
}

static bool
ends_in_zeros(const struct network *network)
{
	for (unsigned i = network->bits; i < 128; i++)
		if ((network->octet[i / 8] & 0x80 >> i % 8) != 0)
			return false;
	return true;
}

int
network_parse(struct network *network, const char *text, struct error *err)
{
	size_t len = strcspn(text, "/");
	bool has_v6 = memchr(text, ':', len) != NULL;
	uint64_t bits = has_v6 ? 128 : 32;
	struct network found = { .bits = 0 };
	struct error ignored;
	struct addr addr;
	char host[64];

	if (len >= sizeof(host))
		goto malformed;
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_parse_host(&addr, host, 1, &ignored) != 0 ||
	    (text[len] == '/' &&
		text_parse_number(text + len + 1, 0, bits, &bits, &ignored) !=
		    0) ||
	    !to_octets(&addr, found.octet))
		goto malformed;
	found.bits = (unsigned)bits + (has_v6 ? 0 : MAPPED_BITS);
	if (!ends_in_zeros(&found))
		return error_set(err, ERROR_INPUT,
		    "\"%.64s\" has bits set beyond its prefix: expected the "
		    "first address of the network",
		    text);
	*network = found;
	return 0;
malformed:
	return error_set(err, ERROR_INPUT,
	    "\"%.64s\" is no network: expected 192.0.2.0/24 or 2001:db8::/32",
	    text);
}

bool
network_has(const struct network *network, const struct addr *addr)
{
	uint8_t octet[16];

	return to_octets(addr, octet) &&
	    is_same(network->octet, octet, network->bits);
}
