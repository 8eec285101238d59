#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provision/plan_cover.h"

#define MAX_CAS 10
#define MAX_MASKS 12

static uint64_t random_state = 88172645463325252U;

static uint64_t
random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static void
test_merits(void **state)
{
	static const struct plan_merit merits[] = {
		{ true, false, false, 10 },  /* what we have, first of all */
		{ false, true, false, 20 },  /* then what still signs */
		{ false, false, true, 5 },   /* then what we had */
		{ false, false, false, 90 }, /* then what lasts */
		{ false, false, false, 0 },  /* not known is worst */
	};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++) {
			int order = plan_merit_compare(&merits[i], &merits[j]);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
	assert_int_equal(plan_best(0x1e, merits), 1);
	assert_int_equal(plan_best(0x18, merits), 3);
	assert_int_equal(plan_best(0x10, merits), 4);
}

static void
test_ties(void **state)
{
	static const struct plan_merit same[4] = { { .signs = true },
		{ .signs = true }, { .signs = true }, { .signs = true } };
	static const struct plan_merit lives[4] = { { .life = 1 },
		{ .life = 9 }, { .life = 8 }, { .life = 8 } };
	static const struct plan_merit held[4] = {
		{ .signs = true, .life = 99 }, { .held = true, .life = 1 },
		{ .held = true, .life = 2 }, { .signs = true, .life = 99 }
	};
	static const uint64_t one[] = { 0xf };
	static const uint64_t two[] = { 0x3, 0xc, 0xf, 0x3 };

	(void)state;
	assert_int_equal(plan_cover(NULL, 0, same, 4), 0);
	/* All alike: the first in order. */
	assert_int_equal(plan_cover(one, 1, same, 4), 0x1);
	assert_int_equal(plan_cover(two, 4, same, 4), 0x5);
	/* Which lasts longest; of two, the one that ends first counts. */
	assert_int_equal(plan_cover(one, 1, lives, 4), 0x2);
	assert_int_equal(plan_cover(two, 4, lives, 4), 0x6);
	/* What we have. */
	assert_int_equal(plan_cover(one, 1, held, 4), 0x4);
	assert_int_equal(plan_cover(two, 4, held, 4), 0x6);
}

/* A held CA of small use is not lost to one of more use. */
static void
test_small_but_held(void **state)
{
	static const struct plan_merit merits[] = { { .life = 9 },
		{ .held = true, .life = 9 }, { .held = true, .life = 9 } };
	/* 1 and 2 serve all; 0 could stand for 1, and does not. */
	static const uint64_t masks[] = { 0x3, 0x5, 0x4 };

	(void)state;
	assert_int_equal(plan_cover(masks, 3, merits, 3), 0x6);
}

/* ------------------------------------------------------- against all sets */

struct sum {
	unsigned held, signs, kept;
	time_t life;
};

static struct sum
sum_of(uint64_t set, const struct plan_merit *merits)
{
	struct sum sum = { 0, 0, 0, INT64_MAX };

	for (size_t i = 0; i < MAX_CAS; i++)
		if ((set >> i & 1) != 0) {
			sum.held += merits[i].held;
			sum.signs += merits[i].signs;
			sum.kept += merits[i].kept;
			if (merits[i].life < sum.life)
				sum.life = merits[i].life;
		}
	return sum;
}

static int
is_better(uint64_t a, uint64_t b, const struct plan_merit *merits)
{
	struct sum x = sum_of(a, merits), y = sum_of(b, merits);

	if (__builtin_popcountll(a) != __builtin_popcountll(b))
		return __builtin_popcountll(a) < __builtin_popcountll(b);
	if (x.held != y.held)
		return x.held > y.held;
	if (x.signs != y.signs)
		return x.signs > y.signs;
	if (x.kept != y.kept)
		return x.kept > y.kept;
	if (x.life != y.life)
		return x.life > y.life;
	for (size_t i = 0; i < MAX_CAS; i++)
		if ((a >> i & 1) != (b >> i & 1))
			return (a >> i & 1) != 0;
	return 0;
}

static uint64_t
try_all(const uint64_t *masks, size_t count, const struct plan_merit *merits,
    size_t ca_count)
{
	uint64_t best = 0;

	for (uint64_t set = 1; set < UINT64_C(1) << ca_count; set++) {
		size_t covered = 0;

		for (size_t i = 0; i < count; i++)
			covered += (masks[i] & set) != 0;
		if (covered == count &&
		    (best == 0 || is_better(set, best, merits)))
			best = set;
	}
	return best;
}

static void
test_random(void **state)
{
	(void)state;
	for (size_t round = 0; round < 3000; round++) {
		struct plan_merit merits[MAX_CAS];
		uint64_t masks[MAX_MASKS];
		size_t cas = 1 + random_below(MAX_CAS);
		size_t count = 1 + random_below(MAX_MASKS);
		uint64_t sparse = random_below(3) + 1;

		for (size_t i = 0; i < MAX_CAS; i++)
			merits[i] = (struct plan_merit) { random_below(2),
				random_below(2), random_below(2),
				(time_t)random_below(3) };
		for (size_t i = 0; i < count; i++) {
			masks[i] = UINT64_MAX;
			for (uint64_t k = 0; k < sparse; k++)
				masks[i] &= random_below(UINT64_C(1) << cas);
			masks[i] |= UINT64_C(1) << random_below(cas);
		}
		assert_int_equal(plan_cover(masks, count, merits, cas),
		    try_all(masks, count, merits, cas));
	}
}

/* The most CAs there may be, each needed. */
static void
test_largest(void **state)
{
	struct plan_merit merits[PLAN_CAS_MAX] = { { .life = 0 } };
	uint64_t masks[PLAN_CAS_MAX];

	(void)state;
	for (size_t i = 0; i < PLAN_CAS_MAX; i++)
		masks[i] = UINT64_C(1) << i;
	assert_true(plan_cover(masks, PLAN_CAS_MAX, merits, PLAN_CAS_MAX) ==
	    UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merits),
		cmocka_unit_test(test_ties),
		cmocka_unit_test(test_small_but_held),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
