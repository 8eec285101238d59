#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"

static const struct {
	const char *given;
	const char *text; /* as written back; NULL where it must be refused */
	uint16_t port;
} cases[] = {
	{ "192.0.2.1:443", "192.0.2.1:443", 443 },
	{ "0.0.0.0:1", "0.0.0.0:1", 1 },
	{ "192.0.2.1:65535", "192.0.2.1:65535", 65535 },
	{ "[2001:db8::1]:443", "[2001:db8::1]:443", 443 },
	{ "[2001:DB8:0:0:0:0:0:1]:443", "[2001:db8::1]:443", 443 },
	{ "[::]:8443", "[::]:8443", 8443 },
	{ "[::ffff:192.0.2.1]:443", "192.0.2.1:443", 443 },
	{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 65535 },
	{ "192.0.2.1:0", NULL, 0 },
	{ "192.0.2.1:65536", NULL, 0 },
	{ "192.0.2.1:", NULL, 0 },
	{ "192.0.2.1", NULL, 0 },
	{ ":443", NULL, 0 },
	{ "*:443", NULL, 0 },
	{ "192.0.2:443", NULL, 0 },
	{ "192.0.2.256:443", NULL, 0 },
	{ "192.0.2.01:443", NULL, 0 },
	{ "192.0.2.1 :443", NULL, 0 },
	{ "192.0.2.1:443x", NULL, 0 },
	{ "localhost:443", NULL, 0 },
	{ "2001:db8::1:443", NULL, 0 }, /* which part is the port? */
	{ "2001:db8::1", NULL, 0 },
	{ "[192.0.2.1]:443", NULL, 0 },
	{ "[2001:db8::1]", NULL, 0 },
	{ "[2001:db8::1]443", NULL, 0 },
	{ "[2001:db8::1:443", NULL, 0 },
	{ "[2001:db8::g]:443", NULL, 0 },
	{ "[]:443", NULL, 0 },
	{ "[:443", NULL, 0 },
	{ "[fe80::1%lo]:443", NULL, 0 },
	{ "[2001:db8:0000:0000:0000:0000:0000:0000:0000:0001]:443", NULL, 0 },
	{ "", NULL, 0 },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[ADDR_TEXT_BYTES];
		struct error err = { 0 };
		struct addr addr, before;

		memset(&addr, 0x5a, sizeof(addr));
		before = addr;
		if (cases[i].text == NULL) {
			assert_int_equal(addr_parse(&addr, cases[i].given,
					     &err),
			    -1);
			assert_int_equal(err.kind, ERROR_INPUT);
			assert_non_null(strstr(err.text, cases[i].given));
			assert_memory_equal(&addr, &before, sizeof(addr));
			continue;
		}
		assert_int_equal(addr_parse(&addr, cases[i].given, &err), 0);
		addr_format(&addr, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(addr_port(&addr), cases[i].port);
	}
}

static void
test_messages(void **state)
{
	struct error err;
	struct addr addr;

	(void)state;
	assert_int_equal(addr_parse(&addr, "[::1]", &err), -1);
	assert_string_equal(err.text,
	    "\"[::1]\" is not an address with a "
	    "port: expected 192.0.2.1:443 or [2001:db8::1]:443");
	assert_int_equal(addr_parse_host(&addr, "host", 443, &err), -1);
	assert_string_equal(err.text,
	    "\"host\" is not an IPv4 or IPv6 address");
}

static void
test_host(void **state)
{
	char text[ADDR_TEXT_BYTES];
	struct error err;
	struct addr addr;

	(void)state;
	assert_int_equal(addr_parse_host(&addr, "192.0.2.1", 80, &err), 0);
	assert_int_equal(addr.len, sizeof(struct sockaddr_in));
	addr_format_host(&addr, text);
	assert_string_equal(text, "192.0.2.1");
	assert_int_equal(addr_parse_host(&addr, "2001:db8::1", 80, &err), 0);
	assert_int_equal(addr.len, sizeof(struct sockaddr_in6));
	addr_format_host(&addr, text);
	assert_string_equal(text, "2001:db8::1");
	addr_format(&addr, text);
	assert_string_equal(text, "[2001:db8::1]:80");
	assert_int_equal(addr_parse_host(&addr, "[2001:db8::1]", 80, &err), -1);
}

static void
test_neither(void **state)
{
	char text[ADDR_TEXT_BYTES];
	struct addr addr;

	(void)state;
	memset(&addr, 0, sizeof(addr));
	addr.sockaddr.ss_family = AF_UNIX;
	addr_format_host(&addr, text);
	assert_string_equal(text, "?");
	addr_format(&addr, text);
	assert_string_equal(text, "?:0");
	assert_int_equal(addr_port(&addr), 0);
	assert_false(addr_equal(&addr, &addr));
}

static void
test_equal(void **state)
{
	static const char *const different[] = {
		"192.0.2.1:443",
		"192.0.2.2:443",
		"192.0.2.1:444",
		"0.0.0.0:443",
		"[::]:443",
		"[2001:db8::1]:443",
		"[2001:db8::2]:443",
		"[2001:db8::1]:444",
		"[::ffff:192.0.2.1]:443",
	};
	size_t count = sizeof(different) / sizeof(*different);

	(void)state;
	for (size_t i = 0; i < count * count; i++) {
		struct error err;
		struct addr a, b;

		assert_int_equal(addr_parse(&a, different[i / count], &err), 0);
		assert_int_equal(addr_parse(&b, different[i % count], &err), 0);
		assert_int_equal(addr_equal(&a, &b), i / count == i % count);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_neither),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
