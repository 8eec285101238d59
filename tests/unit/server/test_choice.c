/* Which certificate: from nothing known to everything, and what is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/choice.h"

enum { SB2 = 101, SB1, SIPURA };

static const uint64_t cas[] = { SB2, SB1, SIPURA };

static struct choice_question
question_of(uint64_t source, uint64_t class)
{
	return (struct choice_question) { .cas = cas,
		.count = 3,
		.source = source,
		.class = class,
		.sni = -1 };
}

static size_t
ask(struct choice *choice, uint64_t source, uint64_t class,
    enum choice_basis *basis)
{
	const struct choice_question question = question_of(source, class);

	return choice_make(choice, &question, basis);
}

static void
learn(struct choice *choice, uint64_t ca, uint64_t source, uint64_t class,
    bool accepted)
{
	struct choice_row place, of_class;

	(void)choice_learn(choice, ca, source, class, accepted, 1800000000,
	    &place, &of_class);
}

static void
test_default(void **state)
{
	struct choice *choice = choice_new();
	enum choice_basis basis;

	(void)state;
	assert_int_equal(ask(choice, 1, 5, &basis), 0);
	assert_int_equal(basis, CHOICE_DEFAULT);
	assert_int_equal(ask(choice, 1, 0, &basis), 0);
	choice_free(choice);
	choice_free(NULL);
}

static void
test_name_and_registry(void **state)
{
	static const unsigned prior[] = { 3, 9, 7 };
	struct choice *choice = choice_new();
	struct choice_question question = question_of(1, 5);
	enum choice_basis basis;

	(void)state;
	question.prior = prior;
	assert_int_equal(choice_make(choice, &question, &basis), 1);
	assert_int_equal(basis, CHOICE_REGISTRY);
	question.sni = 2;
	assert_int_equal(choice_make(choice, &question, &basis), 2);
	assert_int_equal(basis, CHOICE_SNI);
	choice_free(choice);
}

/* Refused by one after the other; then it stays, here and for its class. */
static void
test_retry(void **state)
{
	struct choice *choice = choice_new();
	enum choice_basis basis;

	(void)state;
	learn(choice, SB2, 1, 5, false);
	assert_int_equal(ask(choice, 1, 5, &basis), 1);
	assert_int_equal(basis, CHOICE_RETRY);
	learn(choice, SB1, 1, 5, false);
	assert_int_equal(ask(choice, 1, 5, &basis), 2);
	learn(choice, SIPURA, 1, 5, true);
	assert_int_equal(ask(choice, 1, 5, &basis), 2);
	assert_int_equal(basis, CHOICE_ADDRESS);
	/* Another address, the same class. */
	assert_int_equal(ask(choice, 2, 5, &basis), 2);
	assert_int_equal(basis, CHOICE_CLASS);
	/* Another class at the first address knows nothing of it. */
	assert_int_equal(ask(choice, 1, 6, &basis), 0);
	assert_int_equal(basis, CHOICE_DEFAULT);
	choice_free(choice);
}

/* All were refused: it begins again, and not with the last one. */
static void
test_all_refused(void **state)
{
	struct choice *choice = choice_new();
	enum choice_basis basis;

	(void)state;
	learn(choice, SB2, 1, 5, false);
	learn(choice, SB1, 1, 5, false);
	learn(choice, SIPURA, 1, 5, false);
	assert_int_not_equal(ask(choice, 1, 5, &basis), 2);
	choice_free(choice);
}

/* One odd device behind an address of many: it moves one connection. */
static void
test_odd_one(void **state)
{
	struct choice *choice = choice_new();
	enum choice_basis basis;

	(void)state;
	for (int i = 0; i < 100; i++)
		learn(choice, SB2, 1, 5, true);
	learn(choice, SB2, 1, 5, false);
	assert_int_not_equal(ask(choice, 1, 5, &basis), 0);
	assert_int_equal(basis, CHOICE_RETRY);
	assert_int_equal(ask(choice, 1, 5, &basis), 0);
	assert_int_equal(basis, CHOICE_ADDRESS);
	choice_free(choice);
}

/* A class in which half refuse one and all take another. */
static void
test_mixed_class(void **state)
{
	struct choice *choice = choice_new();
	enum choice_basis basis;

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		learn(choice, SB2, i + 10, 5, i % 4 == 0);
	learn(choice, SIPURA, 50, 5, true);
	assert_int_equal(ask(choice, 99, 5, &basis), 2);
	assert_int_equal(basis, CHOICE_CLASS);
	choice_free(choice);
}

/* What is stored brings the same choice back. */
static void
test_restore(void **state)
{
	struct choice *choice = choice_new(), *again = choice_new();
	struct choice_row place, of_class;
	enum choice_basis basis;

	(void)state;
	assert_true(choice_learn(choice, SB2, 1, 5, false, 1800000000, &place,
	    &of_class));
	choice_restore(again, &place);
	choice_restore(again, &of_class);
	assert_true(choice_learn(choice, SIPURA, 1, 5, true, 1800000001, &place,
	    &of_class));
	assert_int_equal(place.accepted, 1);
	assert_int_equal(of_class.source, 0);
	choice_restore(again, &place);
	choice_restore(again, &of_class);
	assert_int_equal(ask(again, 1, 5, &basis), 2);
	assert_int_equal(basis, CHOICE_ADDRESS);
	assert_int_equal(ask(again, 2, 5, &basis), 2);
	/* Not every handshake is written. */
	for (int i = 2; i < 9; i++)
		assert_int_equal(choice_learn(choice, SIPURA, 1, 5, true,
				     1800000002, &place, &of_class),
		    i == 2 || i == 4 || i == 8);
	choice_free(choice);
	choice_free(again);
}

/* A flood of addresses takes no more memory, and does not hurt classes. */
static void
test_flood(void **state)
{
	struct choice *choice = choice_new();
	enum choice_basis basis;

	(void)state;
	for (uint64_t i = 1; i < 3 * CHOICE_PLACES_MAX; i++)
		learn(choice, SIPURA, i * 0x9e3779b97f4a7c15, 5, true);
	assert_int_equal(ask(choice, 7, 5, &basis), 2);
	assert_int_equal(basis, CHOICE_CLASS);
	choice_free(choice);
}

static void
test_key(void **state)
{
	(void)state;
	assert_true(choice_key("ciscosb-prov-1") !=
	    choice_key("ciscosb-prov-2"));
	assert_true(choice_key("") != 0);
	assert_string_equal(choice_basis_name(CHOICE_RETRY), "retry");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_name_and_registry),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_all_refused),
		cmocka_unit_test(test_odd_one),
		cmocka_unit_test(test_mixed_class),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
