/*
 * useragent.h -- what a device's User-Agent field says.
 *
 *     Linksys/SPA-942-6.1.5(a) (88019FA42805)
 *     Cisco/SPA504G-7.4.9c (649EF3788E6A)(CCQ162306EA)
 *     Cisco/SPA525G-7.4.7 (CBT141900G7)
 *     Cisco/ATA191-MPP-11-1-0-MSR4 (FCH2443D9R4)
 *     Cisco-CP-7832-3PCC/11.0.1 (00562b043615)
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

struct useragent {
	const struct model *model; /* NULL: not known */
	char product[64];	   /* as written: "SPA-942", "CP-7832-3PCC" */
	char version[FIRMWARE_TEXT_MAX + 1]; /* "" when absent */
	bool has_mac;
	struct mac mac;
	char serial[64];	   /* "" when absent */
};

/* True when text has one of the forms; all fields are then set. */
bool useragent_parse(struct useragent *ua, const char *text);

#endif
