/*
 * The block "exception": what it says, and what it may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "server/config.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define LISTENER \
	"listener a {\naddress 192.0.2.1:443\ncertificate a.crt key a.key\n" \
	"client-anchors ca.crt\n}\n"
#define REST "until 2027-03-31\nreason 'a b'\nwho noc@example.net\n}\n"

static struct config *
parse(const char *text, struct errors *errors)
{
	char *whole = xasprintf("%s" LISTENER, text);
	struct config *config = config_parse("f", whole, strlen(whole), errors);

	free(whole);
	return config;
}

static void
test_good(void **state)
{
	struct errors errors = { 0 };
	struct config *config = parse(
	    "exception one {\nallow generic-certificate\n"
	    "scope group attic model spa504g listener a\n"
	    "scope device 00:0e:08:aa:bb:cc\nscope tag old\n"
	    "require source 192.0.2.0/24 2001:db8::/32\n"
	    "require aes-profile\nrequire one-time 10m\n" REST
	    "exception two {\nallow expired-certificate\nscope model PAP2T\n"
	    "require one-time 30s\n" REST
	    "exception three {\nallow defective-certificate\n"
	    "scope device 000e08aabbcc\nrequire one-time 30s\n" REST,
	    &errors);
	const struct exception *e;

	(void)state;
	if (errors.count > 0)
		print_error("%s\n", errors.text[0]);
	assert_non_null(config);
	assert_int_equal(config->exception_count, 3);
	e = config->exceptions;
	assert_string_equal(e->name, "one");
	assert_string_equal(e->label, "own-profile by exception one");
	assert_int_equal(e->kind, EXCEPTION_GENERIC);
	assert_int_equal(e->scope_count, 3);
	assert_string_equal(e->scopes[0].group, "attic");
	assert_string_equal(e->scopes[0].model, "SPA504G");
	assert_string_equal(e->scopes[0].listener, "a");
	assert_false(e->scopes[0].has_mac);
	assert_true(e->scopes[1].has_mac);
	assert_string_equal(e->scopes[2].tag, "old");
	assert_int_equal(e->network_count, 2);
	assert_true(e->needs_encryption && e->once);
	assert_int_equal(e->window_ms, 600000);
	assert_int_equal(e->until, 1806537600); /* 2027-04-01 */
	assert_string_equal(e->reason, "a b");
	assert_string_equal(e->who, "noc@example.net");
	assert_false(e[1].needs_encryption);
	assert_int_equal(e[1].network_count, 0);
	config_free(config);
}

static const struct {
	const char *text, *error; /* the first one, from its line on */
} bad[] = {
	{ "exception x {\n}\n",
	    "1:11: \"allow\" is missing: expected \"allow "
	    "expired-certificate|generic-certificate|"
	    "defective-certificate\"" },
	{ "exception X {\nallow expired-certificate\nscope tag a\n"
	  "require aes-profile\n" REST,
	    "1:11: \"X\" is no name for an exception: expected 1 to 31 of a-z, "
	    "0-9, \"-\" and \"_\"" },
	{ "exception x {\nallow no-certificate\nscope tag a\n"
	  "require aes-profile\n" REST,
	    "2:7: \"no-certificate\" is no kind of certificate: expected "
	    "expired-certificate, generic-certificate or "
	    "defective-certificate" },
	{ "exception x {\nallow expired-certificate\nrequire "
	  "aes-profile\n" REST,
	    "1:11: \"scope\" is missing: expected \"scope "
	    "device|model|group|tag|listener NAME...\"" },
	{ "exception x {\nallow expired-certificate\nscope tag a\n" REST,
	    "1:11: \"require\" is missing: expected \"require "
	    "aes-profile|source NETWORK...|one-time DURATION\"" },
	{ "exception x {\nallow expired-certificate\nscope tag a tag b\n"
	  "require aes-profile\n" REST,
	    "3:13: \"tag\" is given twice: expected another line for the other "
	    "one" },
	{ "exception x {\nallow expired-certificate\nscope tag a group\n"
	  "require aes-profile\n" REST,
	    "3:13: expected a name after \"group\"" },
	{ "exception x {\nallow expired-certificate\nscope model SPA504\n"
	  "require aes-profile\n" REST,
	    "3:13: \"SPA504\" is no known model: did you mean \"SPA504G\"?" },
	{ "exception x {\nallow expired-certificate\nscope listener b\n"
	  "require aes-profile\n" REST,
	    "1:11: there is no listener \"b\"" },
	{ "exception x {\nallow expired-certificate\nscope tag a\n"
	  "require source 192.0.2.1/24\n" REST,
	    "4:16: \"192.0.2.1/24\" has bits set beyond its prefix: expected "
	    "the first address of the network" },
	{ "exception x {\nallow expired-certificate\nscope tag a\n"
	  "require source\n" REST,
	    "4:9: expected \"require source NETWORK...\"" },
	{ "exception x {\nallow expired-certificate\nscope tag a\n"
	  "require aes-profile now\n" REST,
	    "4:9: expected \"require aes-profile\"" },
	{ "exception x {\nallow expired-certificate\nscope tag a\n"
	  "require one-time\n" REST,
	    "4:9: expected \"require one-time DURATION\"" },
	{ "exception x {\nallow expired-certificate\nscope tag a\n"
	  "require aes-profile\nuntil 2027-02-30\nreason a\nwho b\n}\n",
	    "5:7: \"2027-02-30\" is no date: wanted one such as 2027-01-31" },
	{ "exception x {\nallow expired-certificate\nscope tag a\n"
	  "require aes-profile\nuntil 2027-02-20\nreason ''\nwho b\n}\n",
	    "6:8: expected 1 to 200 bytes of text" },
	/* Whoever comes first would get somebody's passwords. */
	{ "exception x {\nallow generic-certificate\nscope model SPA2102\n"
	  "require one-time 1m\n" REST,
	    "1:11: \"one-time\" alone lets in whoever comes first with a "
	    "certificate that proves nobody: expected \"require aes-profile\" "
	    "or \"require source\" besides, or \"scope device MAC\" in every "
	    "scope" },
	{ "exception x {\nallow expired-certificate\nscope tag a\n"
	  "require aes-profile\n" REST
	  "exception x {\nallow expired-certificate\nscope tag a\n"
	  "require aes-profile\n" REST,
	    "9:11: exception \"x\" is given twice: expected another name than "
	    "at f:1:11" },
};

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct errors errors = { 0 };

		assert_null(parse(bad[i].text, &errors));
		assert_true(errors.count > 0);
		if (strcmp(errors.text[0] + 2, bad[i].error) != 0)
			fail_msg("%zu: %s", i, errors.text[0]);
		errors_clear(&errors);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
