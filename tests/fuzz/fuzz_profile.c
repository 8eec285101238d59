/*
 * Profiles: one that is taken has one root, so with another one behind it, it
 * is refused; errors say where.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spa/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char more[] = "<a/>";
	char *text = malloc(size + sizeof(more));
	struct error err = { 0 };

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	if (profile_check(text, size, &err) == 0) {
		memcpy(text + size, more, sizeof(more));
		assert(profile_check(text, size + sizeof(more) - 1, &err) != 0);
	}
	assert(err.kind == ERROR_INPUT);
	assert(err.text[0] >= '1' && err.text[0] <= '9');
	assert(strchr(err.text, ':') != NULL);
	free(text);
	return 0;
}
