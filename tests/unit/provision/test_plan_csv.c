#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mac.h"
#include "base/mem.h"
#include "provision/plan_csv.h"
#include "provision/plan_fleet.h"
#include "provision/plan_macs.h"

/* Read text in pieces; the fleet as "MODEL@FIRMWARE=COUNT ...", or the errors
 * with newlines between. */
static char *
read_text(const char *text, size_t len, size_t piece)
{
	struct errors errors = { 0 };
	struct plan_fleet *fleet = plan_fleet_new();
	struct plan_csv *csv = plan_csv_new(fleet, "f.csv", &errors);
	const struct plan_group *groups;
	char *result = xcalloc(1, 65536);
	size_t used = 0, count;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < len; at += piece)
		rc = plan_csv_read(csv, text + at,
		    len - at < piece ? len - at : piece);
	rc = plan_csv_end(csv);
	assert_int_equal(rc == 0, errors.count == 0);
	groups = plan_fleet_groups(fleet, &count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		used += (size_t)snprintf(result + used, 65536 - used,
		    "%s%s@%s=%llu", i > 0 ? " " : "", groups[i].model->name,
		    groups[i].has_firmware ? groups[i].firmware.text : "",
		    (unsigned long long)groups[i].count);
	for (size_t i = 0; rc != 0 && i < errors.kept; i++)
		used += (size_t)snprintf(result + used, 65536 - used, "%s%s",
		    i > 0 ? "\n" : "", errors.text[i]);
	errors_clear(&errors);
	plan_csv_free(csv);
	plan_fleet_free(fleet);
	return result;
}

static const struct {
	const char *text, *result;
} cases[] = {
	{ "model,firmware,count\nSPA504G,7.5.2b,3\nSPA962,6.1.5(a),2\n",
	    "SPA962@6.1.5(a)=2 SPA504G@7.5.2b=3" },
	{ "model\nSPA504G\nSPA504G", "SPA504G@=2" },
	/* One kind in two spellings. */
	{ "model,firmware\nSPA122,1.4.1(SR5)\nspa-122,1.4.1 SR5\n",
	    "SPA122@1.4.1(SR5)=2" },
	{ "Count , Model\r\n7,SPA962\r\n,SPA962\r\n", "SPA962@=8" },
	{ "\xef\xbb\xbfmodel\nSPA962\n", "SPA962@=1" },
	{ "model,note\n\"SPA962\",\"a \"\"b\"\",\nc\"\n,\n\n", "SPA962@=1" },
	{ "mac,model\n000e08aabbcc,SPA962\n00:0e:08:aa:bb:cd,SPA962\n"
	  ",SPA962\n",
	    "SPA962@=3" },
	{ "model,state\nSPA962,active\nSPA962,retired\nSPA962,\n",
	    "SPA962@=2" },
	{ "model\n", "" }, /* no device: the caller's to say */
	/* What is refused, with the place. */
	{ "",
	    "f.csv:1:1: the file is empty: the first row has to name the "
	    "columns, \"model\" among them" },
	{ "\n\n",
	    "f.csv:3:1: the file is empty: the first row has to name "
	    "the columns, \"model\" among them" },
	{ "firmware,count\n7.5.2b,1\n",
	    "f.csv:1:1: there is no column "
	    "\"model\": the first row has to name the columns: model, and any "
	    "of firmware, count, mac, state" },
	{ "model;firmware\nSPA962;1\n",
	    "f.csv:1:1: the columns have "
	    "semicolons or tabs between them, expected commas" },
	{ "model,count,Model\n",
	    "f.csv:1:13: there is a column \"model\" "
	    "already" },
	{ "model,firmware\nSPA504G,7.5.2b\nSPA999X,1\nSPA505G,2.0\n",
	    "f.csv:3:1: unknown model \"SPA999X\"; did you mean SPA9000?\n"
	    "f.csv:4:1: unknown model \"SPA505G\"; did you mean SPA501G?" },
	{ "model\nqqqqqqqqqqqqqqqqqq\n",
	    "f.csv:2:1: unknown model "
	    "\"qqqqqqqqqqqqqqqqqq\": expected one such as SPA504G or "
	    "ATA191-MPP" },
	{ "count,model\n2,\n", "f.csv:2:3: the model is missing" },
	{ "model,firmware\nSPA504G,  banana\n",
	    "f.csv:2:11: firmware "
	    "\"banana\": column 1: a number is wanted first; wanted a version "
	    "such as 7.5.2b, 1.3.1(003) or 11-1-0MSR4" },
	{ "model,firmware\nSPA504G,12.0(3)\nCP-8841-3PCC,7.5.6\n"
	  "CP-8831-3PCC,9.3(4)\n",
	    "f.csv:2:9: firmware \"12.0(3)\" cannot be that of a SPA504G: "
	    "those known are 7.4.3a to 7.6.2g\n"
	    "f.csv:3:14: firmware \"7.5.6\" cannot be that of a CP-8841-3PCC: "
	    "those known are 11.3(1) to 12.0(7)SR3" },
	{ "model,count\nSPA962,0\nSPA962,-1\nSPA962,two\n"
	  "SPA962,1000000001\nSPA962,12345678901234567890\n",
	    "f.csv:2:8: count \"0\": expected a number from 1 to 1000000000\n"
	    "f.csv:3:8: count \"-1\": expected a number from 1 to 1000000000\n"
	    "f.csv:4:8: count \"two\": expected a number from 1 to "
	    "1000000000\n"
	    "f.csv:5:8: count \"1000000001\": expected a number from 1 to "
	    "1000000000\n"
	    "f.csv:6:8: count \"12345678901234567890\": expected a number "
	    "from 1 to 1000000000" },
	{ "model,mac\nSPA962,000e08aabbcc\nSPA962,000e08aabbcd\n"
	  "SPA504G,00:0E:08:AA:BB:CC\n",
	    "f.csv:4:9: the device "
	    "00:0E:08:AA:BB:CC is in line 2 already" },
	{ "model,mac,count\nSPA962,000e08aabbc,1\nSPA962,000e08aabbcc,2\n",
	    "f.csv:2:8: \"000e08aabbc\" is not a MAC address: expected 12 hex "
	    "digits, bare or in pairs split by ':' or '-'\n"
	    "f.csv:3:8: a row with a MAC address is one device: expected no "
	    "count, or 1" },
	{ "model,state\nSPA962,sold\n",
	    "f.csv:2:8: state \"sold\": expected "
	    "active or retired" },
	{ "model,note\nSPA962\n",
	    "f.csv:2:1: 1 cells, expected 2 as in the "
	    "first row" },
	{ "model,note\nSPA962,\"a\"b\nSPA111,c\n",
	    "f.csv:2:1: a quote "
	    "stands where none can be: a cell with quotes in it is put in "
	    "quotes, and those in it are doubled\n"
	    "f.csv:3:1: unknown model \"SPA111\"; did you mean SPA112?" },
	{ "model\n\"SPA962\n", "f.csv:2:1: a quoted cell does not end" },
	{ "note,model\n\"two\nlines\",SPA111\n",
	    "f.csv:3:8: unknown model "
	    "\"SPA111\"; did you mean SPA112?" },
	{ "\"mo\"del\n",
	    "f.csv:1:1: a quote stands where none can be: a cell "
	    "with quotes in it is put in quotes, and those in it are "
	    "doubled" },
	{ "\xff\xfem\0o\0",
	    "f.csv:1:1: the file is in UTF-16: save it as "
	    "\"CSV UTF-8\"" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t len = strlen(cases[i].text);
		char *whole = read_text(cases[i].text, len, len + 1);

		assert_string_equal(whole, cases[i].result);
		for (size_t piece = 1; piece < 9; piece++) {
			char *again = read_text(cases[i].text, len, piece);

			assert_string_equal(again, whole);
			free(again);
		}
		free(whole);
	}
}

static void
test_nul(void **state)
{
	static const char text[] = "model,firmware,count\nSPA962\0,,\n"
				   "SPA962,6\0,\nSPA962,,1\0\n";
	char *result = read_text(text, sizeof(text) - 1, 7);

	(void)state;
	assert_string_equal(result,
	    "f.csv:2:1: unknown model "
	    "\"SPA962\\x00\": expected one such as SPA504G or ATA191-MPP\n"
	    "f.csv:3:8: firmware \"6\\x00\": wanted a version such as 7.5.2b, "
	    "1.3.1(003) or 11-1-0MSR4\n"
	    "f.csv:4:9: count \"1\\x00\": expected a number from 1 to "
	    "1000000000");
	free(result);
}

/* Rows, columns, spellings and errors without end. */
static void
test_limits(void **state)
{
	size_t size = 4 * PLAN_CSV_ROW_MAX;
	char *text = xcalloc(1, size + 64), *result;
	size_t len = 0;

	(void)state;
	len = (size_t)snprintf(text, size, "model,note\nSPA962,\"");
	memset(text + len, 'x', PLAN_CSV_ROW_MAX);
	result = read_text(text, len + PLAN_CSV_ROW_MAX, 1000);
	assert_string_equal(result,
	    "f.csv:2:1: the row is longer than 65536 "
	    "bytes: is a quote missing?");
	free(result);

	memset(text, ',', PLAN_CSV_COLUMNS_MAX);
	(void)snprintf(text + PLAN_CSV_COLUMNS_MAX, 16, "model\n");
	result = read_text(text, strlen(text), 1000);
	assert_string_equal(result, "f.csv:1:1: more columns than 256");
	free(result);

	len = (size_t)snprintf(text, size, "model\n");
	for (size_t i = 0; i < 300; i++)
		len += (size_t)snprintf(text + len, size - len, "zz\n");
	result = read_text(text, len, 1000);
	assert_non_null(strstr(result, "f.csv:101:1: "));
	assert_null(strstr(result, "f.csv:102:1: "));
	free(result);
	free(text);
}

static void
test_too_many_spellings(void **state)
{
	struct plan_fleet *fleet = plan_fleet_new();
	struct error err = { 0 };
	bool bad_firmware;
	char version[32];
	int rc = 0;

	(void)state;
	for (unsigned i = 0; i <= PLAN_SPELLINGS_MAX; i++) {
		assert_int_equal(rc, 0);
		(void)snprintf(version, sizeof(version), "6.1.%u", i);
		rc = plan_fleet_add(fleet, "SPA962", 6, version,
		    strlen(version), 1, &bad_firmware, &err);
	}
	assert_int_equal(rc, -1);
	assert_string_equal(err.text,
	    "more than 65536 different spellings of "
	    "model and firmware");
	/* Those that are there go on counting. */
	assert_int_equal(plan_fleet_add(fleet, "SPA962", 6, "6.1.0", 5, 1,
			     &bad_firmware, &err),
	    0);
	plan_fleet_free(fleet);
}

static void
test_macs(void **state)
{
	struct plan_macs *macs = plan_macs_new();
	struct mac mac = { { 0, 0, 0, 0, 0, 0 } };

	(void)state;
	/* Zero is an address as any other. */
	assert_int_equal(plan_macs_add(macs, &mac, 7), 0);
	assert_int_equal(plan_macs_add(macs, &mac, 8), 7);
	for (unsigned i = 1; i < 100000; i++) {
		mac = (struct mac) { { 0, 0x0e, (uint8_t)(i & 1),
		    (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
		assert_int_equal(plan_macs_add(macs, &mac, i), 0);
	}
	for (unsigned i = 1; i < 100000; i++) {
		mac = (struct mac) { { 0, 0x0e, (uint8_t)(i & 1),
		    (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
		assert_int_equal(plan_macs_add(macs, &mac, i + 1), i);
	}
	mac = (struct mac) { { 255, 255, 255, 255, 255, 255 } };
	assert_int_equal(plan_macs_add(macs, &mac, SIZE_MAX), 0);
	assert_int_equal(plan_macs_add(macs, &mac, 1), UINT32_MAX);
	plan_macs_free(macs);
	plan_macs_free(NULL);
	plan_csv_free(NULL);
	plan_fleet_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_too_many_spellings),
		cmocka_unit_test(test_macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
