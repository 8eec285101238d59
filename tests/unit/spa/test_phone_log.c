#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spa/phone_log.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define MAC "00:0e:08:aa:bb:cc"
#define URL "https://192.0.2.1:443/spa000e08aabbcc.cfg"

static const struct {
	const char *given;
	enum phone_log_kind kind;
	const char *product, *url, *error;
} cases[] = {
	{ "SPA-2102 " MAC " -- Requesting resync " URL, PHONE_LOG_RESYNC_ASKS,
	    "SPA-2102", URL, "" },
	{ "SPA-2102 " MAC " -- Successful resync " URL " -- OK",
	    PHONE_LOG_RESYNC_DONE, "SPA-2102", URL, "OK" },
	{ "CP-88xx-3PCC " MAC " -- Successful resync " URL,
	    PHONE_LOG_RESYNC_DONE, "CP-88xx-3PCC", URL, "" },
	{ "SPA-2102 " MAC " -- Resync failed: http_get failed",
	    PHONE_LOG_RESYNC_FAILED, "SPA-2102", "", "http_get failed" },
	{ "SPA-2102 " MAC " -- Resync failed:", PHONE_LOG_RESYNC_FAILED,
	    "SPA-2102", "", "" },
	{ "SPA-2102 " MAC " -- Requesting upgrade " URL, PHONE_LOG_UPGRADE_ASKS,
	    "SPA-2102", URL, "" },
	{ "SPA-2102 " MAC " -- Successful upgrade " URL " -- x y",
	    PHONE_LOG_UPGRADE_DONE, "SPA-2102", URL, "x y" },
	{ "SPA-2102 " MAC " -- Upgrade failed: no", PHONE_LOG_UPGRADE_FAILED,
	    "SPA-2102", "", "no" },
	/* Heads, whole and in parts, with and without identifiers */
	{ "<134>SPA-2102 " MAC " -- Resync failed: x", PHONE_LOG_RESYNC_FAILED,
	    "SPA-2102", "", "x" },
	{ "<134>Nov 25 10:00:00 192.0.2.9 SPA-2102 " MAC
	  " -- Resync failed: x\r\n",
	    PHONE_LOG_RESYNC_FAILED, "SPA-2102", "", "x" },
	{ "<134>Nov  5 10:00:00 000E08AABBCC CP-8841-3PCC " MAC
	  " -- Resync failed: x",
	    PHONE_LOG_RESYNC_FAILED, "CP-8841-3PCC", "", "x" },
	{ "<134>1 2026-11-25T10:00:00Z phone prov - - - CP-8841-3PCC " MAC
	  " -- Resync failed: x",
	    PHONE_LOG_RESYNC_FAILED, "CP-8841-3PCC", "", "x" },
	{ "<134>Nov 25 10:00:00 " MAC " CP-8841-3PCC " MAC
	  " -- Resync failed: x",
	    PHONE_LOG_RESYNC_FAILED, "CP-8841-3PCC", "", "x" },
	/* Dashes as manuals print them */
	{ "A " MAC " \xe2\x80\x93 Resync failed: x", PHONE_LOG_RESYNC_FAILED,
	    "A", "", "x" },
	{ "A " MAC " \xe2\x80\x93- Resync failed: x", PHONE_LOG_RESYNC_FAILED,
	    "A", "", "x" },
	{ "A " MAC " \x96 Successful resync " URL " \xe2\x80\x94 x",
	    PHONE_LOG_RESYNC_DONE, "A", URL, "x" },
	/* What looks like one, and is none */
	{ MAC " -- Resync failed: x", PHONE_LOG_OTHER, "", "", "" },
	{ "A " MAC " - Resync failed: x", PHONE_LOG_OTHER, "", "", "" },
	{ "A " MAC " --- Resync failed: x", PHONE_LOG_OTHER, "", "", "" },
	{ "A " MAC " -- Resync failed", PHONE_LOG_OTHER, "", "", "" },
	{ "A " MAC " -- resync failed: x", PHONE_LOG_OTHER, "", "", "" },
	{ "A 000e08aabbcc -- Resync failed: x", PHONE_LOG_OTHER, "", "", "" },
	{ "A 00:0e:08:aa:bb -- Resync failed: x", PHONE_LOG_OTHER, "", "", "" },
	{ "<134>Nov 25 10:00:00 " MAC " SIP/2.0 200 OK", PHONE_LOG_OTHER, "",
	    "", "" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct phone_log line;

		phone_log_parse(&line, cases[i].given, strlen(cases[i].given));
		if (line.kind != cases[i].kind ||
		    strcmp(line.product, cases[i].product) != 0 ||
		    strcmp(line.url, cases[i].url) != 0 ||
		    strcmp(line.error, cases[i].error) != 0)
			fail_msg("%zu: %s \"%s\" \"%s\" \"%s\"", i,
			    phone_log_kind_name(line.kind), line.product,
			    line.url, line.error);
	}
}

static void
test_identity(void **state)
{
	const struct mac mac = { { 0x00, 0x0e, 0x08, 0xaa, 0xbb, 0xcc } };
	static const struct {
		const char *given;
		bool has_mac;
	} given[] = {
		{ "A " MAC " -- Resync failed: x", true },
		{ "<1>Nov 25 10:00:00 000E08AABBCC hello", true },
		{ "<1>Nov 25 10:00:00 " MAC ": hello", true },
		{ "<1>Nov 25 10:00:00 CCQ000000A1 hello", false },
		{ "", false },
		{ "\n", false },
	};
	struct phone_log line;

	(void)state;
	for (size_t i = 0; i < COUNT(given); i++) {
		phone_log_parse(&line, given[i].given, strlen(given[i].given));
		assert_int_equal(line.has_mac, given[i].has_mac);
		if (line.has_mac)
			assert_true(mac_equal(&line.mac, &mac));
	}
}

/* What anybody may send is fit to be printed, and does not get out of hand. */
static void
test_hostile(void **state)
{
	static const char bell[] = "A " MAC
				   " -- Resync failed: \x07\x1b[2J\"\n.";
	static const char start[] = "A " MAC " -- Resync failed: ";
	size_t len = 70000;
	char *much = malloc(len);
	struct phone_log line;

	(void)state;
	phone_log_parse(&line, bell, sizeof(bell) - 1);
	assert_string_equal(line.error, "\\x07\\x1b[2J\\x22\\x0a.");
	assert_non_null(much);
	memset(much, 'x', len);
	memcpy(much, start, strlen(start));
	phone_log_parse(&line, much, len);
	assert_int_equal(strlen(line.error), PHONE_LOG_TEXT_MAX);
	memset(much, ' ', len);
	phone_log_parse(&line, much, len);
	assert_int_equal(line.kind, PHONE_LOG_OTHER);
	assert_string_equal(line.text, "");
	free(much);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
