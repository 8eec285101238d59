/* Certificates: an identity is complete, and stands in the certificate. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "spa/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
contains(const uint8_t *data, size_t size, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i + len <= size; i++) {
		size_t j = 0;

		while (j < len &&
		    tolower(data[i + j]) == tolower((unsigned char)text[j]))
			j++;
		if (j == len)
			return true;
	}
	return false;
}

/* In any of the spellings that mac_read() accepts. */
static bool
contains_mac(const uint8_t *data, size_t size, const struct mac *mac)
{
	char bare[MAC_TEXT_BYTES], pairs[MAC_COLON_BYTES];

	mac_format(mac, bare);
	mac_format_colon(mac, pairs);
	if (contains(data, size, bare) || contains(data, size, pairs))
		return true;
	for (char *p = pairs; *p != '\0'; p++) {
		if (*p == ':')
			*p = '-';
	}
	return contains(data, size, pairs);
}

static void
check_identity(const struct peer *peer, const uint8_t *data, size_t size)
{
	static const struct mac zero;

	assert(*peer->reason == '\0');
	assert(*peer->serial != '\0' && *peer->product != '\0');
	assert(strlen(peer->serial) <= PEER_TEXT_MAX);
	assert(strlen(peer->product) <= PEER_TEXT_MAX);
	for (const char *p = peer->serial; *p != '\0'; p++)
		assert(isalnum((unsigned char)*p));
	assert((peer->mac.octet[0] & 1) == 0);
	assert(!mac_equal(&peer->mac, &zero));
	assert(contains_mac(data, size, &peer->mac));
	assert(contains(data, size, peer->serial));
	assert(contains(data, size, peer->product));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peer;

	memset(&peer, 0xa5, sizeof(peer));
	peer_parse(&peer, data, size);
	assert(peer.has_mac ==
	    (peer.form == PEER_DOCUMENTED || peer.form == PEER_OBSERVED ||
		peer.form == PEER_MIC));
	if (peer.has_mac)
		check_identity(&peer, data, size);
	else
		assert(*peer.serial == '\0' && *peer.product == '\0');
	assert((peer.form == PEER_INVALID) == (*peer.reason != '\0'));
	for (const char *p = peer.reason; *p != '\0'; p++)
		assert(*p >= 0x20 && *p <= 0x7e);
	return 0;
}
