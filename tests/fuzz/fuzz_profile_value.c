/*
 * Values of a profile: what profile_check() takes is read, what it refuses is
 * not; values are tidy and bounded.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spa/profile.h"
#include "spa/profile_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_value(const char *value)
{
	size_t len = strlen(value);

	assert(len <= PROFILE_VALUE_MAX);
	assert(strpbrk(value, "\t\r\n") == NULL);
	assert(len == 0 || (value[0] != ' ' && value[len - 1] != ' '));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "Profile_Rule", "Profile_Rule_B",
		"a" };
	char *values[3] = { NULL, NULL, NULL };
	const char *text = size > 0 ? (const char *)data : "";
	struct error err = { 0 };

	if (profile_check(text, size, &err) != 0) {
		assert(profile_values(text, size, names, 3, values, &err) != 0);
		assert(values[0] == NULL && values[1] == NULL);
		return 0;
	}
	if (profile_values(text, size, names, 3, values, &err) != 0) {
		assert(strstr(err.text, "is longer than") != NULL);
		return 0;
	}
	for (size_t i = 0; i < 3; i++) {
		if (values[i] != NULL)
			check_value(values[i]);
		free(values[i]);
	}
	return 0;
}
