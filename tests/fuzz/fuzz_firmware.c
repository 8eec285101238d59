/*
 * fuzz_firmware.c -- firmware_parse() and firmware_compare().
 *
 * The input is two texts, split at the first newline or else in the middle.
 * Whatever parses must keep its text, parse again to the same, and have a
 * place in the order that does not depend on who asks.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spa/firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool true_here)
{
	if (!true_here)
		abort();
}

static bool
parse(struct firmware *firmware, const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct firmware again;
	struct error err = { 0 };
	bool ok = firmware_parse(firmware, text, &err) == 0;

	if (ok) {
		must(err.kind == ERROR_NONE);
		must(strcmp(firmware->text, text) == 0);
		must(firmware->part_count > 0);
		must(firmware_parse(&again, firmware->text, &err) == 0);
		must(memcmp(&again, firmware, sizeof(again)) == 0);
		must(firmware_compare(&again, firmware) == 0);
	} else {
		must(err.kind == ERROR_INPUT);
		must(strchr(err.text, '\n') == NULL);
	}
	free(text);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size == 0 ? NULL : memchr(data, '\n', size);
	size_t first = newline != NULL ? (size_t)(newline - data) : size / 2;
	size_t skip = newline != NULL ? first + 1 : first;
	struct firmware a, b, between;
	int ab, ba;

	if (size == 0 || !parse(&a, data, first) ||
	    !parse(&b, data + skip, size - skip))
		return 0;
	ab = firmware_compare(&a, &b);
	ba = firmware_compare(&b, &a);
	must((ab > 0) == (ba < 0) && (ab < 0) == (ba > 0));
	/* A third version has one place beside both. */
	must(parse(&between, (const uint8_t *)"7.5.2b", 6));
	if (firmware_compare(&a, &between) <= 0 &&
	    firmware_compare(&between, &b) <= 0)
		must(ab <= 0);
	return 0;
}
