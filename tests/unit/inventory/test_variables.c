#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/store.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* 63 and 64 characters */
#define NAME_63 \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define NAME_64 NAME_63 "l"

static const struct {
	const char *name;
	bool good;
} names[] = {
	{ "a", true },
	{ "_", true },
	{ "Display_Name_1_", true },
	{ "sip.proxy-2", true },
	{ NAME_63, true },
	{ NAME_64, false },
	{ "", false },
	{ "1a", false },
	{ "-a", false },
	{ ".a", false },
	{ "a b", false },
	{ "a=b", false },
	{ "a{", false },
	{ "a\n", false },
	{ "na\xc3\xafve", false },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(names); i++) {
		struct variables variables = { 0 };
		struct error err = { 0 };
		int rc = variables_set(&variables, names[i].name, "v", &err);

		assert_int_equal(rc, names[i].good ? 0 : -1);
		assert_int_equal(variables.count, names[i].good ? 1 : 0);
		assert_int_equal(err.kind,
		    names[i].good ? ERROR_NONE : ERROR_INPUT);
		variables_clear(&variables);
	}
}

static const struct {
	const char *value;
	const char *fault; /* what the message says; NULL: it is accepted */
} values[] = {
	{ "", NULL },
	{ "plain", NULL },
	{ "two\nlines\twith a tab", NULL },
	{ "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x93\x9e", NULL },
	{ "\xef\xbf\xbd", NULL },
	{ "\xf4\x8f\xbf\xbf", NULL }, /* U+10FFFF */
	{ "\x01", "control character" },
	{ "a\r\n", "control character" },
	{ "\x1b[31m", "control character" },
	{ "\x7f", "control character" },
	{ "\xc2\x85", "control character" },
	{ "Z\xfcrich", "not UTF-8" }, /* Latin-1 */
	{ "\xc0\xaf", "not UTF-8" },  /* over-long */
	{ "\xe0\x80\xaf", "not UTF-8" },
	{ "\xf0\x80\x80\xaf", "not UTF-8" },
	{ "\xed\xa0\x80", "not UTF-8" },     /* surrogate */
	{ "\xf4\x90\x80\x80", "not UTF-8" }, /* past U+10FFFF */
	{ "\xf8\x88\x80\x80\x80", "not UTF-8" },
	{ "\xc3", "not UTF-8" }, /* cut off */
	{ "\xe2\x82", "not UTF-8" },
	{ "\x80", "not UTF-8" },
	{ "\xc3(", "not UTF-8" },
	{ "\xef\xbf\xbe", "XML" },
	{ "\xef\xbf\xbf", "XML" },
};

static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(values); i++) {
		struct variables variables = { 0 };
		struct error err = { 0 };
		int rc = variables_set(&variables, "name", values[i].value,
		    &err);

		if (values[i].fault == NULL) {
			assert_int_equal(rc, 0);
			assert_string_equal(variables_get(&variables, "name"),
			    values[i].value);
		} else {
			assert_int_equal(rc, -1);
			assert_non_null(strstr(err.text, "value of name"));
			assert_non_null(strstr(err.text, values[i].fault));
			assert_null(variables.list);
		}
		variables_clear(&variables);
	}
}

static void
test_nul(void **state)
{
	(void)state;
	assert_string_equal(inventory_text_fault("a\0b", 3), "a NUL byte");
	assert_null(inventory_text_fault("a\0b", 1));
	assert_null(inventory_text_fault("", 0));
}

static void
test_limits(void **state)
{
	struct variables variables = { 0 };
	struct error err = { 0 };
	char *value = xcalloc(1, INVENTORY_VALUE_MAX + 2);

	(void)state;
	memset(value, 'x', INVENTORY_VALUE_MAX);
	assert_int_equal(variables_set(&variables, "a", value, &err), 0);
	value[INVENTORY_VALUE_MAX] = 'x';
	assert_int_equal(variables_set(&variables, "a", value, &err), -1);
	assert_non_null(strstr(err.text, "4097 bytes long"));
	assert_int_equal(strlen(variables_get(&variables, "a")),
	    INVENTORY_VALUE_MAX);
	free(value);
	for (unsigned i = 1; i < INVENTORY_VARIABLES_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(variables_set(&variables, name, "", &err), 0);
	}
	assert_int_equal(variables_set(&variables, "more", "", &err), -1);
	assert_non_null(strstr(err.text, "no room"));
	/* Replacing needs no room. */
	assert_int_equal(variables_set(&variables, "n7", "new", &err), 0);
	assert_string_equal(variables_get(&variables, "n7"), "new");
	variables_clear(&variables);
	assert_int_equal(variables.count, 0);
}

static void
test_replace_and_unset(void **state)
{
	struct variables variables = { 0 }, copy;
	struct error err = { 0 };

	(void)state;
	assert_false(variables_unset(&variables, "a"));
	assert_null(variables_get(&variables, "a"));
	assert_int_equal(variables_set(&variables, "b", "2", &err), 0);
	assert_int_equal(variables_set(&variables, "a", "1", &err), 0);
	assert_int_equal(variables_set(&variables, "c", "3", &err), 0);
	assert_int_equal(variables_set(&variables, "b", "two", &err), 0);
	/* A value may be handed in that is in there already. */
	assert_int_equal(variables_set(&variables, "b",
			     variables_get(&variables, "b"), &err),
	    0);
	assert_int_equal(variables.count, 3);
	assert_int_equal(variables_copy(&copy, &variables), 0);
	assert_true(variables_unset(&variables, "b"));
	assert_null(variables_get(&variables, "b"));
	assert_string_equal(variables_get(&variables, "c"), "3");
	assert_string_equal(variables_get(&copy, "b"), "two");
	assert_null(variables_get(&copy, "B"));
	variables_clear(&variables);
	variables_clear(&copy);
}

/* Whatever is done in whatever order: sorted, without doubles, and the same
 * as a plain table of what was done last. */
static void
test_against_table(void **state)
{
	struct variables variables = { 0 };
	int table[50];
	uint32_t random = 1;

	(void)state;
	memset(table, 0, sizeof(table));
	for (int step = 1; step <= 5000; step++) {
		struct error err = { 0 };
		char name[16], value[16];
		unsigned which;
		const char *found;

		random = random * 1664525 + 1013904223;
		which = random >> 8 & 0xffff;
		which %= LENGTH(table);
		(void)snprintf(name, sizeof(name), "v%u", which);
		(void)snprintf(value, sizeof(value), "%d", step);
		if ((random >> 28) < 6) {
			assert_int_equal(variables_unset(&variables, name),
			    table[which] != 0);
			table[which] = 0;
		} else {
			assert_int_equal(variables_set(&variables, name, value,
					     &err),
			    0);
			table[which] = step;
		}
		found = variables_get(&variables, name);
		assert_int_equal(found == NULL ? 0 : atoi(found), table[which]);
		for (size_t i = 1; i < variables.count; i++)
			assert_true(strcmp(variables.list[i - 1].name,
					variables.list[i].name) < 0);
	}
	variables_clear(&variables);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_replace_and_unset),
		cmocka_unit_test(test_against_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
