/*
 * reading.h -- what tests of importers share.
 */
#ifndef TESTS_IMPORTER_READING_H
#define TESTS_IMPORTER_READING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "importer/importer.h"

/* A MAC that the test knows to be one. */
static inline struct mac
mac_of(const char *text)
{
	struct mac mac = { { 0 } };

	assert_true(mac_read(&mac, text, strlen(text)));
	return mac;
}

static inline const struct device *
device_of(struct fleet *fleet, const char *mac)
{
	struct mac key = mac_of(mac);

	return fleet_find(fleet, &key);
}

/* A variable of a device; "" when it has none. */
static inline const char *
variable_of(struct fleet *fleet, const char *mac, const char *name)
{
	const struct device *device = device_of(fleet, mac);
	const char *value;

	assert_non_null(device);
	value = variables_get(&device->variables, name);
	return value != NULL ? value : "";
}

static inline bool
is_said(const struct fleet *fleet, enum fleet_remark kind, const char *part)
{
	const char *text;

	for (size_t i = 0; (text = fleet_remark(fleet, kind, i)) != NULL; i++)
		if (strstr(text, part) != NULL)
			return true;
	return false;
}

/* Nothing wrong, or the first thing that was: readable in a failed test. */
static inline void
assert_good(const struct fleet *fleet)
{
	const char *text = fleet_remark(fleet, FLEET_ERROR, 0);

	assert_string_equal(text != NULL ? text : "", "");
}

static inline void
assert_refused(const struct fleet *fleet, const char *part)
{
	const char *text = fleet_remark(fleet, FLEET_ERROR, 0);

	if (!is_said(fleet, FLEET_ERROR, part))
		fail_msg("expected \"%s\", found \"%s\"", part,
		    text != NULL ? text : "no error");
}

#endif
