#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../../lib/stock.h"
#include "http/request.h"
#include "provision/decision.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The whole of what plain HTTP is for: public files, and profiles encrypted
 * with a key that went out before. */

#define A "000e08aabb01"       /* with keys */
#define B "000e08aabb02"       /* has another one */
#define OPEN "000e08aabb03"    /* its profile is not to be encrypted */
#define RETIRED "000e08aabb04" /* has keys, and is no longer ours */
#define DAMAGED "000e08aabb05" /* its keys cannot be read */
#define STRANGER "000e08aabbff"

#define NEWEST "1111111111111111"    /* made, never sent */
#define DELIVERED "2222222222222222" /* sent, not yet named */
#define SEEN "3333333333333333"	     /* named by the device */
#define OLD "4444444444444444"	     /* sent before that one */
#define OF_B "5555555555555555"

static const struct stock_device devices[] = {
	{ A, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ B, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ OPEN, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ RETIRED, "SPA504G", NULL, NULL, NULL, DEVICE_RETIRED },
	{ DAMAGED, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
};

#define RING NEWEST ":newest " DELIVERED ":delivered " SEEN ":seen " OLD ":old"

static const struct stock_variable variables[] = {
	{ NULL, SCOPE_DEFAULT, "", "protection", "gzip+aes" },
	{ A, SCOPE_DEFAULT, NULL, KEYRING_VARIABLE, RING },
	{ B, SCOPE_DEFAULT, NULL, KEYRING_VARIABLE, OF_B ":of-b" },
	{ OPEN, SCOPE_DEFAULT, NULL, KEYRING_VARIABLE, RING },
	{ OPEN, SCOPE_DEFAULT, NULL, "protection", "none" },
	{ RETIRED, SCOPE_DEFAULT, NULL, KEYRING_VARIABLE, RING },
	{ DAMAGED, SCOPE_DEFAULT, NULL, KEYRING_VARIABLE, "no keys" },
};

static const struct {
	enum route_kind kind;
	const char *pattern, *template;
} patterns[] = {
	{ ROUTE_PROFILE, "/spa$MA.cfg", NULL },
	{ ROUTE_PROFILE, "/Cisco/$PN/$MA.cfg", NULL },
	{ ROUTE_PROFILE, "/mine/$PN.cfg", NULL },
	{ ROUTE_COMMON, "/all.cfg", "all.xml" },
	{ ROUTE_REPORT, "/report/$MA.xml", NULL },
	{ ROUTE_REPORT_DELTA, "/delta/$MA.xml", NULL },
	{ ROUTE_REPORT_STATUS, "/status/$MA.xml", NULL },
	{ ROUTE_PUBLIC, "/hello.xml", "hello.xml" },
};

static struct snapshot *snapshot;
static struct routes *routes;

static int
setup(void **state)
{
	struct error err;

	(void)state;
	snapshot = stock_snapshot(devices, COUNT(devices), variables,
	    COUNT(variables));
	routes = routes_new();
	for (size_t i = 0; i < COUNT(patterns); i++)
		stock_check(routes_add(routes, patterns[i].kind,
				patterns[i].pattern, patterns[i].template,
				&err),
		    &err);
	stock_check(routes_add_file(routes, ROUTE_DEVICE_FILE, "/image.bin", 7,
			&err),
	    &err);
	stock_check(routes_add_file(routes, ROUTE_PUBLIC_FILE, "/ca.pem", 8,
			&err),
	    &err);
	stock_check(routes_add_own(routes, "/init.cfg", &err), &err);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	snapshot_release(snapshot);
	routes_free(routes);
	return 0;
}

static unsigned
marks_of(void *arg, const struct mac *mac, uint64_t id)
{
	const bool *nothing_went_out = arg;

	(void)mac;
	if (*nothing_went_out)
		return 0;
	switch (id) {
	case 0x2222222222222222:
	case 0x4444444444444444:
	case 0x5555555555555555:
		return KEY_DELIVERED;
	case 0x3333333333333333:
		return KEY_DELIVERED | KEY_SEEN;
	default:
		return 0;
	}
}

static struct decision
decide(enum request_method method, const char *path, const char *query,
    bool nothing_went_out)
{
	static const struct decision_policy policy = { .plain = true };
	struct request request = { .method = method };
	const struct decision_input input = { .policy = &policy,
		.request = &request,
		.routes = routes,
		.snapshot = snapshot,
		.marks = marks_of,
		.marks_arg = &nothing_went_out };
	struct decision decision;

	stock_copy(request.path, path);
	stock_copy(request.query, query);
	memset(&decision, 0x55, sizeof(decision));
	decision_make(&input, &decision);
	return decision;
}

#define GET REQUEST_GET
#define OWN "/spa" A ".cfg"
#define KEY(id) "key=" id

static const struct {
	enum request_method method;
	const char *path, *query;
	enum decision_reason reason;
} cases[] = {
	/* The device holds a key that went out, and asks for its profile. */
	{ GET, OWN, KEY(SEEN), DECISION_OWN_PROFILE },
	{ GET, OWN, KEY(DELIVERED), DECISION_OWN_PROFILE },
	{ GET, OWN, "ikm=" SEEN, DECISION_OWN_PROFILE },
	{ REQUEST_HEAD, OWN, KEY(SEEN), DECISION_OWN_PROFILE },
	{ GET, "/Cisco/SPA504G/" A ".cfg", KEY(SEEN), DECISION_OWN_PROFILE },
	{ GET, "/spa" B ".cfg", KEY(OF_B), DECISION_OWN_PROFILE },
	/* Files for all are for all. */
	{ GET, "/hello.xml", "", DECISION_PUBLIC_FILE },
	{ GET, "/hello.xml", KEY(SEEN), DECISION_PUBLIC_FILE },
	{ REQUEST_HEAD, "/ca.pem", "", DECISION_PUBLIC_FILE },

	/* No key, or not one that it can hold */
	{ GET, OWN, "", DECISION_NO_KEY },
	{ GET, OWN, "x=1", DECISION_NO_KEY },
	{ GET, OWN, "key=", DECISION_BAD_KEY },
	{ GET, OWN, "key=333333333333333", DECISION_BAD_KEY },
	{ GET, OWN, "key=0000000000000000", DECISION_BAD_KEY },
	{ GET, OWN, "key=333333333333333g", DECISION_BAD_KEY },
	{ GET, OWN, KEY(NEWEST), DECISION_KEY_NOT_DELIVERED },
	{ GET, OWN, KEY(OLD), DECISION_RETIRED_KEY },
	{ GET, OWN, KEY(OF_B), DECISION_UNKNOWN_KEY },
	{ GET, "/spa" B ".cfg", KEY(SEEN), DECISION_UNKNOWN_KEY },
	{ GET, "/spa" DAMAGED ".cfg", KEY(SEEN), DECISION_UNKNOWN_KEY },
	/* Devices without a right to it */
	{ GET, "/spa" OPEN ".cfg", KEY(SEEN), DECISION_UNPROTECTED },
	{ GET, "/spa" OPEN ".cfg", "", DECISION_UNPROTECTED },
	{ GET, "/spa" RETIRED ".cfg", KEY(SEEN), DECISION_RETIRED_DEVICE },
	{ GET, "/spa" STRANGER ".cfg", KEY(SEEN), DECISION_UNKNOWN_DEVICE },
	{ GET, "/Cisco/SPA525G2/" A ".cfg", KEY(SEEN), DECISION_OTHER_MODEL },
	/* All else takes a certificate, whatever key is named. */
	{ GET, "/init.cfg", KEY(SEEN), DECISION_NEEDS_TLS },
	{ GET, "/mine/SPA504G.cfg", KEY(SEEN), DECISION_NEEDS_TLS },
	{ GET, "/all.cfg", KEY(SEEN), DECISION_NEEDS_TLS },
	{ GET, "/image.bin", KEY(SEEN), DECISION_NEEDS_TLS },
	{ GET, "/report/" A ".xml", KEY(SEEN), DECISION_NEEDS_TLS },
	{ GET, "/delta/" A ".xml", KEY(SEEN), DECISION_NEEDS_TLS },
	{ GET, "/status/" A ".xml", KEY(SEEN), DECISION_NEEDS_TLS },
	{ GET, "/none", KEY(SEEN), DECISION_NO_SUCH_PATH },
	/* Nothing is taken, */
	{ REQUEST_POST, "/report/" A ".xml", KEY(SEEN), DECISION_METHOD },
	{ REQUEST_PUT, "/report/" A ".xml", KEY(SEEN), DECISION_METHOD },
	{ REQUEST_POST, OWN, KEY(SEEN), DECISION_METHOD },
	{ REQUEST_OTHER, "/hello.xml", "", DECISION_METHOD },
};

static const struct {
	enum decision_reason reason;
	const char *name;
	int status;
} refusals[] = {
	{ DECISION_NO_KEY, "no-key", 403 },
	{ DECISION_BAD_KEY, "bad-key", 403 },
	{ DECISION_UNKNOWN_KEY, "unknown-key", 403 },
	{ DECISION_RETIRED_KEY, "retired-key", 403 },
	{ DECISION_KEY_NOT_DELIVERED, "key-not-delivered", 403 },
	{ DECISION_UNPROTECTED, "unprotected", 403 },
	{ DECISION_NEEDS_TLS, "needs-tls", 403 },
};

/* What an allowed profile is encrypted with, and that a refusal says nothing. */
static void
check_contents(const struct decision *decision, size_t i)
{
	bool own = decision->reason == DECISION_OWN_PROFILE;

	assert_int_equal(decision->allow,
	    own || decision->reason == DECISION_PUBLIC_FILE);
	if (own &&
	    (decision->device == NULL || decision->cipher == CIPHER_NONE ||
		decision->key.text[0] == '\0'))
		fail_msg("case %zu: a profile in clear", i);
	if (!own && (decision->device != NULL || decision->key.text[0] != '\0'))
		fail_msg("case %zu: it tells of a device", i);
}

static void
test_cases(void **state)
{
	bool seen[COUNT(refusals)] = { false };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct decision decision = decide(cases[i].method,
		    cases[i].path, cases[i].query, false);

		if (decision.reason != cases[i].reason)
			fail_msg("case %zu, %s?%s: %s, wanted %s", i,
			    cases[i].path, cases[i].query,
			    decision_reason_name(decision.reason),
			    decision_reason_name(cases[i].reason));
		check_contents(&decision, i);
		for (size_t r = 0; r < COUNT(refusals); r++)
			seen[r] |= refusals[r].reason == decision.reason;
	}
	for (size_t r = 0; r < COUNT(refusals); r++)
		assert_true(seen[r]);
}

static void
test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct decision decision = decide(cases[i].method,
		    cases[i].path, cases[i].query, false);

		for (size_t r = 0; r < COUNT(refusals); r++)
			if (refusals[r].reason == decision.reason)
				assert_int_equal(decision.status,
				    refusals[r].status);
	}
	for (size_t r = 0; r < COUNT(refusals); r++)
		assert_string_equal(decision_reason_name(refusals[r].reason),
		    refusals[r].name);
}

/* The key that the device named is the one that is used. */
static void
test_which_key(void **state)
{
	struct decision decision;

	(void)state;
	decision = decide(GET, OWN, KEY(SEEN), false);
	assert_string_equal(decision.key.text, "seen");
	assert_int_equal(decision.cipher, CIPHER_AES);
	decision = decide(GET, OWN, KEY(DELIVERED), false);
	assert_string_equal(decision.key.text, "delivered");
	decision = decide(GET, OWN, "ikm=" SEEN, false);
	assert_int_equal(decision.cipher, CIPHER_AES128GCM);
}

/* When no key ever went out, no profile leaves at all. */
static void
test_nothing_went_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_not_equal(decide(cases[i].method, cases[i].path,
					 cases[i].query, true)
					 .reason,
		    DECISION_OWN_PROFILE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_which_key),
		cmocka_unit_test(test_nothing_went_out),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
