/*
 * mac.h -- Ethernet (MAC) addresses: reading and spelling them.
 *
 * A label, a profile URL and a spreadsheet spell one address in three ways.
 * They are read here, once; all other modules hold a struct mac, not a string.
 * Sources: [LINKSYS-PROV] p. 70, macros MA, MAU and MAC.
 */
#ifndef BASE_MAC_H
#define BASE_MAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MAC_OCTETS 6
#define MAC_TEXT_BYTES (2 * MAC_OCTETS + 1) /* with the final NUL */
#define MAC_COLON_BYTES (3 * MAC_OCTETS)    /* with the final NUL */

struct mac {
	uint8_t octet[MAC_OCTETS]; /* as written, manufacturer first */
};

/*
 * Read 12 hex digits in either case, bare or in pairs split by ':' or '-'
 * throughout.  Returns 0, or -1 with ERROR_INPUT; *mac is then as it was.
 */
int mac_parse(struct mac *mac, const char *text, struct error *err) MUST_CHECK;

/* As mac_parse, for len bytes that need no NUL at the end; only yes or no. */
bool mac_read(struct mac *mac, const char *text, size_t len);

/* Write the $MA spelling: 12 lower-case digits.  Cannot fail. */
void mac_format(const struct mac *mac, char text[static MAC_TEXT_BYTES]);

/* Write the $MAU spelling: 12 upper-case digits. */
void mac_format_upper(const struct mac *mac, char text[static MAC_TEXT_BYTES]);

/* Write the $MAC spelling: pairs of lower-case digits between colons. */
void mac_format_colon(const struct mac *mac, char text[static MAC_COLON_BYTES]);

bool mac_equal(const struct mac *a, const struct mac *b);

/* Order by octets: negative, 0 or positive, as memcmp. */
int mac_compare(const struct mac *a, const struct mac *b);

#endif
