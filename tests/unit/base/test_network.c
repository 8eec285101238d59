#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/network.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *network, *addr; /* addr NULL: refused */
	bool has;
} cases[] = {
	{ "192.0.2.0/24", "192.0.2.255:1", true },
	{ "192.0.2.0/24", "192.0.3.0:1", false },
	{ "192.0.2.0/24", "[::ffff:192.0.2.9]:1", true },
	{ "192.0.2.0/24", "[2001:db8::1]:1", false },
	{ "192.0.2.128/25", "192.0.2.127:1", false },
	{ "192.0.2.128/25", "192.0.2.129:1", true },
	{ "192.0.2.7", "192.0.2.7:9", true },
	{ "192.0.2.7", "192.0.2.6:9", false },
	{ "192.0.2.6/31", "192.0.2.7:9", true },
	{ "0.0.0.0/0", "198.51.100.1:1", true },
	{ "0.0.0.0/0", "[2001:db8::1]:1", false },
	{ "2001:db8::/33", "[2001:db8:7fff::1]:1", true },
	{ "2001:db8::/33", "[2001:db8:8000::1]:1", false },
	{ "::/0", "[2001:db8::1]:1", true },
	{ "::/0", "192.0.2.1:1", true }, /* as mapped */
	{ "2001:db8::1", "[2001:db8::1]:1", true },
	{ "192.0.2.1/24", NULL, false }, /* beyond the prefix */
	{ "2001:db8::1/32", NULL, false },
	{ "192.0.2.0/33", NULL, false },
	{ "192.0.2.0/", NULL, false },
	{ "192.0.2.0/-1", NULL, false },
	{ "192.0.2.0/24 ", NULL, false },
	{ "2001:db8::/129", NULL, false },
	{ "example.net/24", NULL, false },
	{ "/24", NULL, false },
	{ "", NULL, false },
	{ "1111111111111111111111111111111111111111111111111111111111111111/1",
	    NULL, false },
};

static void
test_cases(void **state)
{
	struct network network;
	struct error err;
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int rc = network_parse(&network, cases[i].network, &err);

		if (rc != (cases[i].addr != NULL ? 0 : -1))
			fail_msg("%s: %d", cases[i].network, rc);
		if (rc != 0) {
			assert_int_equal(err.kind, ERROR_INPUT);
			continue;
		}
		assert_int_equal(addr_parse(&addr, cases[i].addr, &err), 0);
		if (network_has(&network, &addr) != cases[i].has)
			fail_msg("%s in %s", cases[i].addr, cases[i].network);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
