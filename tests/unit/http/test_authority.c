#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/authority.h"

static const struct {
	const char *given;
	const char *host; /* NULL where it must be refused */
	unsigned port;
} cases[] = {
	{ "example.net", "example.net", 0 },
	{ "example.net.", "example.net.", 0 },
	{ "Prov-1.Example_x.net:8443", "Prov-1.Example_x.net", 8443 },
	{ "192.0.2.1", "192.0.2.1", 0 },
	{ "192.0.2.1:1", "192.0.2.1", 1 },
	{ "192.0.2.1:65535", "192.0.2.1", 65535 },
	{ "[2001:db8::1]", "2001:db8::1", 0 },
	{ "[2001:db8::1]:443", "2001:db8::1", 443 },
	{ "[::ffff:192.0.2.1]", "::ffff:192.0.2.1", 0 },
	{ "", NULL, 0 },
	{ ":443", NULL, 0 },
	{ ".", NULL, 0 },
	{ ".example.net", NULL, 0 },
	{ "example..net", NULL, 0 },
	{ "example.net..", NULL, 0 },
	{ "user@example.net", NULL, 0 },
	{ "exam ple.net", NULL, 0 },
	{ "ex%61mple.net", NULL, 0 },
	{ "example.net/", NULL, 0 },
	{ "example.net,example.org", NULL, 0 },
	{ "ex\xc3\xa4mple.net", NULL, 0 },
	{ "example.net:", NULL, 0 },
	{ "example.net:0", NULL, 0 },
	{ "example.net:65536", NULL, 0 },
	{ "example.net:065535", NULL, 0 },
	{ "example.net:+80", NULL, 0 },
	{ "example.net:80:80", NULL, 0 },
	{ "2001:db8::1", NULL, 0 }, /* without brackets */
	{ "[2001:db8::1", NULL, 0 },
	{ "[2001:db8::1]x", NULL, 0 },
	{ "[2001:db8::1]:", NULL, 0 },
	{ "[2001:db8::g]", NULL, 0 },
	{ "[192.0.2.1]", NULL, 0 }, /* brackets are for IPv6 */
	{ "[fe80::1%25eth0]", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "[", NULL, 0 },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct authority authority = { "before", 7 };
		bool read = authority_read(&authority, cases[i].given,
		    strlen(cases[i].given));

		if (read != (cases[i].host != NULL))
			fail_msg("\"%s\"", cases[i].given);
		assert_string_equal(authority.host,
		    read ? cases[i].host : "before");
		assert_int_equal(authority.port, read ? cases[i].port : 7);
	}
}

static void
test_lengths(void **state)
{
	struct authority authority;
	char text[AUTHORITY_HOST_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(authority_read(&authority, text, 63));
	assert_false(authority_read(&authority, text, 64));
	for (size_t i = 63; i < sizeof(text); i += 64)
		text[i] = '.';
	assert_true(authority_read(&authority, text, AUTHORITY_HOST_MAX));
	assert_int_equal(strlen(authority.host), AUTHORITY_HOST_MAX);
	assert_false(authority_read(&authority, text, AUTHORITY_HOST_MAX + 1));
	/* A NUL must not hide what comes behind it. */
	assert_false(authority_read(&authority, "example\0.net", 12));
	assert_false(authority_read(&authority, "[::1\0::]", 8));
	assert_false(authority_read(&authority, "example.net:8\0", 14));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
