/*
 * firmware.h -- firmware versions as the families write them, and their order.
 *
 *     7.5.2b   1.3.1(003_240)   6.1.5(a)   1.4.1(SR5)   1.4.1 SR5
 *     12.0(7)SR2   11-1-0MSR4   11.3.1MPP0001-191   sip88xx.11-3-2MPP0001-609
 *
 * Order: the numeric parts as numbers, then the rest part by part.  Where two
 * spellings name one version they compare equal ("1.4.1(SR5)", "1.4.1 SR5";
 * "12-0-3MPP0001-87" and "12.0.3MPP0001-87"; "12.0(7)SR2" and "12-0-7SR2").
 * A letter is a service release after the plain version: 7.5.2 < 7.5.2b <
 * 7.5.4, and 7.6.2g is 7.6.2SR7 [RE-7.6.2SR7].
 * Sources: [SPA-PROV] p. 43, [MPP-PROV], [SPA-LIST].
 */
#ifndef SPA_FIRMWARE_H
#define SPA_FIRMWARE_H

#include <stddef.h>

#include "base/error.h"

#define FIRMWARE_TEXT_MAX 63

struct firmware {
	char text[FIRMWARE_TEXT_MAX + 1]; /* as written */
	/* The sort key that firmware_compare() works on; see firmware.c. */
	size_t part_count;
	struct firmware_part {
		unsigned kind;
		unsigned long number;
		char word[16];
	} part[16];
};

/*
 * Read text; -1 with ERROR_INPUT when it is no firmware version, *firmware is
 * then as it was.
 */
int firmware_parse(struct firmware *firmware, const char *text,
    struct error *err) MUST_CHECK;

/* Negative, 0, positive: a total order over everything that parses. */
int firmware_compare(const struct firmware *a, const struct firmware *b);

#endif
