#include "base/mac.h"

#include <stdio.h>
#include <string.h>

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
mac_read(struct mac *mac, const char *text, size_t len)
{
	size_t step = len == MAC_TEXT_BYTES - 1 ? 2 : 3;
	struct mac parsed;

	if (len != MAC_TEXT_BYTES - 1 && len != MAC_COLON_BYTES - 1)
		return false;
	if (step == 3 && text[2] != ':' && text[2] != '-')
		return false;
	for (size_t i = 0; i < MAC_OCTETS; i++) {
		const char *pair = text + step * i;
		int high = hex_value(pair[0]);
		int low = hex_value(pair[1]);

		if (high < 0 || low < 0)
			return false;
		if (step == 3 && i > 0 && pair[-1] != text[2])
			return false;
		parsed.octet[i] = (uint8_t)(high << 4 | low);
	}
	*mac = parsed;
	return true;
}

int
mac_parse(struct mac *mac, const char *text, struct error *err)
{
	if (!mac_read(mac, text, strlen(text)))
		return error_set(err, ERROR_INPUT,
		    "\"%.32s\" is not a MAC address: expected 12 hex digits, "
		    "bare or in pairs split by ':' or '-'",
		    text);
	return 0;
}

static void
format_pairs(const struct mac *mac, char *text, const char *digits,
    const char *separator)
{
	for (size_t i = 0; i < MAC_OCTETS; i++) {
		*text++ = digits[mac->octet[i] >> 4];
		*text++ = digits[mac->octet[i] & 15];
		if (*separator != '\0' && i + 1 < MAC_OCTETS)
			*text++ = *separator;
	}
	*text = '\0';
}

void
mac_format(const struct mac *mac, char text[static MAC_TEXT_BYTES])
{
	format_pairs(mac, text, "0123456789abcdef", "");
}

void
mac_format_upper(const struct mac *mac, char text[static MAC_TEXT_BYTES])
{
	format_pairs(mac, text, "0123456789ABCDEF", "");
}

void
mac_format_colon(const struct mac *mac, char text[static MAC_COLON_BYTES])
{
	format_pairs(mac, text, "0123456789abcdef", ":");
}

bool
mac_equal(const struct mac *a, const struct mac *b)
{
	return mac_compare(a, b) == 0;
}

int
mac_compare(const struct mac *a, const struct mac *b)
{
	return memcmp(a->octet, b->octet, MAC_OCTETS);
}
