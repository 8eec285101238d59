#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/certs.h"
#include "pki/order.h"

/* leaf <- middle <- root, and what has nothing to do with it. */
enum { LEAF, MIDDLE, ROOT, STRANGER, NAMESAKE, NEWER, COUNT };

static EVP_PKEY *key, *ca_key, *root_key, *other_key;
static X509 *all[COUNT];

static int
setup(void **state)
{
	(void)state;
	key = test_key(1024);
	ca_key = test_key(1024);
	root_key = test_key(1024);
	other_key = test_key(1024);
	all[ROOT] = test_mint("Root",
	    (struct mint_request) { .key = root_key, .ca = true });
	all[MIDDLE] = test_mint("Middle",
	    (struct mint_request) { .key = ca_key,
		.issuer = all[ROOT],
		.issuer_key = root_key,
		.ca = true });
	all[LEAF] = test_mint("prov.example.net",
	    (struct mint_request) {
		.key = key, .issuer = all[MIDDLE], .issuer_key = ca_key });
	all[STRANGER] = test_mint("Client Root",
	    (struct mint_request) { .key = other_key, .ca = true });
	/* The middle one's name with another key. */
	all[NAMESAKE] = test_mint("Middle",
	    (struct mint_request) { .key = other_key, .ca = true });
	all[NEWER] = test_mint("prov.example.net",
	    (struct mint_request) { .key = key,
		.issuer = all[MIDDLE],
		.issuer_key = ca_key,
		.not_after = time(NULL) + 9L * DAY });
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++)
		X509_free(all[i]);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(other_key);
	return 0;
}

static const struct {
	const char *given, *ordered; /* letters: Leaf, Middle, Root, ... */
	size_t length;
	bool moved;
} cases[] = {
	{ "L", "L", 1, false },
	{ "LM", "LM", 2, false },
	{ "LMR", "LMR", 3, false },
	{ "RML", "LMR", 3, true },
	{ "ML", "LM", 2, true },
	{ "LRM", "LMR", 3, true },
	{ "LR", "LR", 1, false },   /* the middle one is missing */
	{ "LSM", "LMS", 2, true },  /* apart */
	{ "LMS", "LMS", 2, false }, /* only something too many */
	{ "SL", "LS", 1, true },
	{ "LML", "LML", 2, false }, /* twice */
	{ "LLM", "LML", 2, true },
	{ "LMRRS", "LMRRS", 3, false },
	{ "LNM", "LMN", 2, true }, /* a name is no signature */
	{ "LN", "LN", 1, false },
};

static X509 *
by_letter(char letter)
{
	return all[strchr("LMRSN", letter) - "LMRSN"];
}

static void
test_orders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t count = strlen(cases[i].given), length = 0;
		X509 *certs[8];
		struct error err;
		bool moved = !cases[i].moved;

		for (size_t j = 0; j < count; j++)
			certs[j] = by_letter(cases[i].given[j]);
		assert_int_equal(order_chain(certs, count, key, &length, &moved,
				     &err),
		    0);
		if (length != cases[i].length || moved != cases[i].moved)
			fail_msg("%s: length %zu, moved %d", cases[i].given,
			    length, moved);
		for (size_t j = 0; j < count; j++)
			if (certs[j] != by_letter(cases[i].ordered[j]))
				fail_msg("%s: %zu", cases[i].given, j);
	}
}

static void
test_refused(void **state)
{
	X509 *none[] = { all[MIDDLE], all[ROOT] };
	X509 *two[] = { all[MIDDLE], all[LEAF], all[NEWER] };
	size_t length = 7;
	bool moved;
	struct error err;

	(void)state;
	assert_int_equal(order_chain(none, 2, key, &length, &moved, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "none of the 2 certificates"));
	assert_int_equal(order_chain(two, 3, key, &length, &moved, &err), -1);
	assert_non_null(strstr(err.text,
	    "certificates 2 and 3 both belong to the key"));
	assert_int_equal(length, 7);
	assert_ptr_equal(two[0], all[MIDDLE]);
}

static void
test_is_ca(void **state)
{
	(void)state;
	assert_true(order_is_ca(all[ROOT]));
	assert_true(order_is_ca(all[MIDDLE]));
	assert_false(order_is_ca(all[LEAF]));
}

/* Property: of any shuffle of the whole, the leaf's chain comes out. */
static void
test_shuffles(void **state)
{
	uint32_t random = 7;

	(void)state;
	for (int n = 0; n < 200; n++) {
		X509 *certs[] = { all[LEAF], all[MIDDLE], all[ROOT],
			all[STRANGER], all[NAMESAKE], all[LEAF] };
		size_t length;
		bool moved;
		struct error err;

		for (size_t i = 5; i > 0; i--) {
			size_t j;
			X509 *swap = certs[i];

			random = random * 1664525 + 1013904223;
			j = (random >> 16) % (i + 1);
			certs[i] = certs[j];
			certs[j] = swap;
		}
		assert_int_equal(order_chain(certs, 6, key, &length, &moved,
				     &err),
		    0);
		assert_int_equal(length, 3);
		assert_ptr_equal(certs[0], all[LEAF]);
		assert_ptr_equal(certs[1], all[MIDDLE]);
		assert_ptr_equal(certs[2], all[ROOT]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_is_ca),
		cmocka_unit_test(test_shuffles),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
