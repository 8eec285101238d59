#include "tls/fingerprint.h"
#include "base/text.h"
#include "tls/conn.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* FNV-1a, 64 bits: it only has to tell a few dozen stacks apart. */
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static void
mix(uint64_t *hash, uint16_t number)
{
	*hash = (*hash ^ (number >> 8)) * FNV_PRIME;
	*hash = (*hash ^ (number & 0xff)) * FNV_PRIME;
}

/* 0x0a0a, 0x1a1a, ... 0xfafa: RFC 8701. */
static bool
is_reserved(uint16_t number)
{
	return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

/* Extensions that depend on the URL or on an earlier session. */
static bool
is_fleeting(uint16_t extension)
{
	static const uint16_t list[] = {
		0,  /* server_name: absent when the URL has an address */
		21, /* padding (RFC 7685) */
		35, /* session_ticket: some send it only with a ticket */
		41, /* pre_shared_key */
		42, /* early_data */
		44, /* cookie */
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (list[i] == extension)
			return true;
	return false;
}

uint64_t
tls_fingerprint(const struct tls_hello *hello)
{
	uint64_t hash = FNV_OFFSET;

	if (!hello->seen || hello->cipher_count == 0)
		return 0;
	mix(&hash, hello->sslv2_format);
	mix(&hash, hello->version);
	mix(&hash, hello->max_version);
	for (size_t i = 0; i < hello->cipher_count && i < TLS_HELLO_CIPHERS_MAX;
	     i++)
		/* 0x00ff says "no renegotiation yet" (RFC 5746 3.3): no suite,
		 * but a property of the stack. */
		if (!is_reserved(hello->cipher[i]))
			mix(&hash, hello->cipher[i]);
	mix(&hash, UINT16_MAX); /* between the lists */
	for (size_t i = 0;
	     i < hello->extension_count && i < TLS_HELLO_EXTENSIONS_MAX; i++)
		if (!is_reserved(hello->extension[i]) &&
		    !is_fleeting(hello->extension[i]))
			mix(&hash, hello->extension[i]);
	return hash != 0 ? hash : 1;
}

void
tls_fingerprint_format(uint64_t class, char text[static TLS_FINGERPRINT_BYTES])
{
	(void)snprintf(text, TLS_FINGERPRINT_BYTES,
	    class != 0 ? "%016llx" : "-", (unsigned long long)class);
}

bool
tls_fingerprint_parse(const char *text, uint64_t *class)
{
	uint8_t bytes[8];

	if (strlen(text) != TLS_FINGERPRINT_BYTES - 1 ||
	    !text_unhex(text, bytes, sizeof(bytes)))
		return false;
	*class = 0;
	for (size_t i = 0; i < sizeof(bytes); i++)
		*class = *class << 8 | bytes[i];
	return *class != 0;
}
