#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/addr.h"
#include "server/visits.h"

static struct addr
address(const char *host, unsigned port)
{
	struct error err;
	struct addr addr;

	assert_int_equal(addr_parse_host(&addr, host, (uint16_t)port, &err), 0);
	return addr;
}

static void
test_visits(void **state)
{
	struct visits *visits = visits_new();
	struct addr one = address("127.0.0.1", 1000);
	struct addr port = address("127.0.0.1", 1001);
	struct addr host = address("127.0.0.2", 1000);

	(void)state;
	assert_false(visits_have(NULL, &one));
	assert_false(visits_have(visits, &one));
	visits_add(visits, &one);
	assert_true(visits_have(visits, &one));
	assert_false(visits_have(visits, &port));
	assert_false(visits_have(visits, &host));
	visits_end(visits);
	assert_false(visits_have(visits, &one));
	visits_free(visits);
	visits_free(NULL);
}

/* The oldest go. */
static void
test_many(void **state)
{
	struct visits *visits = visits_new();
	struct addr addr;

	(void)state;
	for (unsigned i = 0; i < VISITS_MAX + 1; i++) {
		addr = address("127.0.0.1", 1000 + i);
		visits_add(visits, &addr);
	}
	addr = address("127.0.0.1", 1000);
	assert_false(visits_have(visits, &addr));
	for (unsigned i = 1; i < VISITS_MAX + 1; i++) {
		addr = address("127.0.0.1", 1000 + i);
		assert_true(visits_have(visits, &addr));
	}
	visits_free(visits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_visits),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
