/*
 * useragent.h -- what a device's User-Agent field says.
 *
 *     Linksys/SPA-942-6.1.5(a) (88019FB00123)
 *     Cisco/SPA504G-7.4.9c (000E08AABBCC)(CCQ00000001)
 *     Cisco/SPA525G-7.4.7 (CBT00000001)
 *     Cisco/ATA191-MPP-11-1-0-MSR4 (FCH00000001)
 *     Cisco-CP-7832-3PCC/11.0.1 (000e08aabbcc)
 *
 * The version is everything up to the blank: "1.3.5(004p_XU001)".  Product and
 * version both hold hyphens; they part where the registry knows the product,
 * at the longest one that it knows, or else where a version seems to begin.
 * Of two groups the first is the MAC and the second the serial.  A single one
 * is the serial under the brand Linksys and for models that are known to send
 * no MAC, be it 12 hex digits; otherwise such a group is the MAC, and another
 * one the serial.
 *
 * A hint only: anyone can write it.  Source: [WAZO], [LINKSYS-PROV] p. 23,
 * [MPP-PROV].
 */
#ifndef SPA_USERAGENT_H
#define SPA_USERAGENT_H

#include <stdbool.h>

#include "base/mac.h"
#include "spa/firmware.h"

struct model;

#define USERAGENT_TEXT_MAX 63

struct useragent {
	const struct model *model; /* NULL: not known */
	/* as written: "SPA-942", "CP-7832-3PCC" */
	char product[USERAGENT_TEXT_MAX + 1];
	char version[FIRMWARE_TEXT_MAX + 1]; /* "" when absent */
	bool has_mac;
	struct mac mac;
	char serial[USERAGENT_TEXT_MAX + 1]; /* "" when absent */
};

/*
 * True when text has one of the forms; all fields are then set.  Otherwise *ua
 * is as it was.  The MAC is as written, be it one that no device can have.
 */
bool useragent_parse(struct useragent *ua, const char *text);

#endif
