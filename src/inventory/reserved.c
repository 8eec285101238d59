#include "inventory/reserved.h"
#include "base/text.h"

#include <string.h>

#define VALUES_MAX 6
#define SHOWN_BYTES 80

/* A last word in capitals stands for any text. */
static const struct {
	const char *name, *expected;
	const char *values[VALUES_MAX];
} reserved[] = {
	{ "missing-files", "stub or not-found", { "stub", "not-found" } },
	{ "protection",
	    "none, gzip, aes, gzip+aes, aes128gcm or gzip+aes128gcm",
	    { "none", "gzip", "aes", "gzip+aes", "aes128gcm",
		"gzip+aes128gcm" } },
	{ "upgrade-only", "no, below VERSION or for LISTENER",
	    { "no", "below VERSION", "for LISTENER" } },
};

static bool
is_value(const char *allowed, const char *value)
{
	const char *blank = strchr(allowed, ' ');
	size_t len;

	if (blank == NULL)
		return strcmp(allowed, value) == 0;
	len = (size_t)(blank - allowed) + 1;
	return strncmp(allowed, value, len) == 0 && value[len] != '\0' &&
	    value[len] != ' ' && value[strlen(value) - 1] != ' ';
}

static int
refuse(size_t which, const char *value, struct error *err)
{
	const char *const *values = reserved[which].values;
	char shown[SHOWN_BYTES];
	const char *nearest;
	size_t count = 0;

	while (count < VALUES_MAX && values[count] != NULL)
		count++;
	nearest = text_nearest(value, values, count);
	text_escape(value, strlen(value), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "the variable %s cannot be \"%s\": expected %s%s%s%s",
	    reserved[which].name, shown, reserved[which].expected,
	    nearest != NULL ? "; did you mean \"" : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

int
reserved_check(const char *name, const char *value, struct error *err)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		if (strcmp(name, reserved[i].name) != 0 || *value == '\0')
			continue;
		for (size_t k = 0;
		     k < VALUES_MAX && reserved[i].values[k] != NULL; k++)
			if (is_value(reserved[i].values[k], value))
				return 0;
		return refuse(i, value, err);
	}
	return 0;
}
