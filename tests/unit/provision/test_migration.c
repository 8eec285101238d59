#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/resyncs.h"
#include "provision/migration.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static void
test_shares(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		unsigned first, last_but_one;
	} good[] = {
		{ "100%", 1, 100, 100 },
		{ "1%,10%,50%,100%", 4, 1, 50 },
		{ "99%,100%", 2, 99, 99 },
		{ "1%,2%,3%,4%,5%,6%,7%,8%,9%,10%,11%,12%,13%,14%,100%", 15, 1,
		    14 },
	};
	static const char *const bad[] = { "", "%", "100", "50%", "0%,100%",
		"10%,10%,100%", "50%,10%,100%", "101%", "1%,,100%", "1%;100%",
		"1%,100%,", "1%,100%x", " 1%,100%", "-1%,100%", "+5%,100%",
		"1.5%,100%", "99999999999999999999%,100%", "1%,200%",
		"1%,2%,3%,4%,5%,6%,7%,8%,9%,10%,11%,12%,13%,14%,15%,100%" };
	struct wave_shares shares;
	struct error err;

	(void)state;
	for (size_t i = 0; i < LENGTH(good); i++) {
		assert_int_equal(wave_shares_parse(&shares, good[i].text, &err),
		    0);
		assert_int_equal(shares.count, good[i].count);
		assert_int_equal(shares.percent[0], good[i].first);
		assert_int_equal(shares.percent[shares.count - 1], 100);
		if (shares.count > 1)
			assert_int_equal(shares.percent[shares.count - 2],
			    good[i].last_but_one);
	}
	shares.count = 77;
	for (size_t i = 0; i < LENGTH(bad); i++) {
		err = (struct error) { 0 };
		if (wave_shares_parse(&shares, bad[i], &err) != -1)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.text, "1%,10%,50%,100%"));
	}
	assert_int_equal(shares.count, 77);
}

static void
test_cut(void **state)
{
	static const struct {
		const char *shares;
		size_t canary, count, waves, ends[6];
	} cases[] = {
		{ "1%,10%,50%,100%", 0, 1000, 4, { 10, 100, 500, 1000 } },
		{ "1%,10%,50%,100%", 3, 1000, 5, { 3, 10, 100, 500, 1000 } },
		/* A canary above the first shares takes their place. */
		{ "1%,10%,50%,100%", 100, 1000, 3, { 100, 500, 1000 } },
		{ "1%,10%,50%,100%", 5000, 1000, 1, { 1000 } },
		/* Rounded up, and no wave is empty. */
		{ "1%,10%,50%,100%", 0, 5, 3, { 1, 3, 5 } },
		{ "1%,10%,50%,100%", 0, 1, 1, { 1 } },
		{ "1%,10%,50%,100%", 1, 1, 1, { 1 } },
		{ "100%", 0, 7, 1, { 7 } },
		{ "33%,100%", 0, 3, 2, { 1, 3 } },
	};
	size_t ends[MIGRATION_WAVES_MAX];
	struct wave_shares shares;
	struct error err;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(wave_shares_parse(&shares, cases[i].shares,
				     &err),
		    0);
		assert_int_equal(waves_cut(&shares, cases[i].canary,
				     cases[i].count, ends),
		    cases[i].waves);
		for (size_t j = 0; j < cases[i].waves; j++)
			assert_int_equal(ends[j], cases[i].ends[j]);
	}
}

/* Every count and canary: rising ends, the last at count, never too many. */
static void
test_cut_property(void **state)
{
	struct wave_shares shares;
	struct error err;

	(void)state;
	assert_int_equal(wave_shares_parse(&shares,
			     "1%,2%,3%,4%,5%,6%,7%,8%,"
			     "9%,10%,20%,40%,60%,80%,100%",
			     &err),
	    0);
	for (size_t count = 1; count < 400; count++) {
		for (size_t canary = 0; canary < 12; canary++) {
			size_t ends[MIGRATION_WAVES_MAX], before = 0;
			size_t n = waves_cut(&shares, canary, count, ends);

			assert_true(n >= 1 && n <= MIGRATION_WAVES_MAX);
			for (size_t i = 0; i < n; i++) {
				assert_true(ends[i] > before);
				before = ends[i];
			}
			assert_int_equal(before, count);
		}
	}
}

static int
compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The same every time, different for all, and neighbours are spread. */
static void
test_rank(void **state)
{
	uint64_t ranks[2000];
	size_t low = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(ranks); i++) {
		const struct mac mac = { { 0x00, 0x0e, 0x08, 0xaa,
		    (uint8_t)(i >> 8), (uint8_t)i } };

		ranks[i] = wave_rank(&mac);
		assert_true(ranks[i] == wave_rank(&mac));
		low += ranks[i] < UINT64_MAX / 2;
	}
	assert_in_range(low, 900, 1100);
	qsort(ranks, LENGTH(ranks), sizeof(*ranks), compare_numbers);
	for (size_t i = 1; i < LENGTH(ranks); i++)
		assert_true(ranks[i] != ranks[i - 1]);
}

static struct migration
sample(void)
{
	return (struct migration) {
		.from = { true, "ciscosb-prov-1" },
		.to = { false, "new" },
		.threshold = 95,
		.min_wait_s = 3600,
		.wave_count = 2,
		.waves = { { WAVE_TRIAL, 1000, 0 } },
	};
}

static struct resync_summary
summary(const char *listener, const char *ca, int status, time_t at,
    uint64_t answers, uint64_t profiles)
{
	struct resync_summary made = { .answers = answers,
		.profiles = profiles };

	(void)snprintf(made.last.listener, sizeof(made.last.listener), "%s",
	    listener);
	(void)snprintf(made.last.ca, sizeof(made.last.ca), "%s", ca);
	made.last.status = status;
	made.last.at = at;
	return made;
}

static void
test_answers(void **state)
{
	const struct migration migration = sample();
	const struct resync_summary list[] = {
		summary("old", "ciscosb-prov-1", 200, 50, 4, 3),
		summary("other", "ciscosb-prov-1", 200, 40, 2, 2),
		summary("new", "ciscosb-prov-2", 403, 60, 5, 1),
		summary("third", "linksys-prov-1", 200, 99, 9, 9),
		/* A listener by name, whatever its CA. */
		summary("new", "ciscosb-prov-1", 200, 55, 1, 1),
		summary("old", "ciscosb-prov-2", 200, 99, 9, 9),
	};
	struct member_answers answers = { 0 };

	(void)state;
	for (size_t i = 0; i < LENGTH(list); i++)
		member_answers_add(&answers, &migration, &list[i]);
	assert_int_equal(answers.old_answers, 6);
	assert_int_equal(answers.old_at, 50);
	assert_int_equal(answers.new_answers, 6);
	assert_int_equal(answers.new_profiles, 2);
	assert_int_equal(answers.new_at, 60);
	assert_int_equal(answers.new_status, 403);
}

static void
test_progress(void **state)
{
	/* On trial since 1000, with 10 old and 2 new answers, 1 profile. */
	const struct migration_member member = { .state = MEMBER_TRIAL,
		.trial_at = 1000,
		.old_answers = 10,
		.new_answers = 2,
		.new_profiles = 1 };
	static const struct {
		struct member_answers answers;
		enum member_progress progress;
	} cases[] = {
		{ { 10, 2, 1, 900, 900, 200 }, PROGRESS_ABSENT },
		{ { 10, 2, 1, 900, 900, 403 }, PROGRESS_ABSENT },
		{ { 11, 2, 1, 1001, 900, 403 }, PROGRESS_OLD },
		{ { 12, 2, 1, 9999, 900, 200 }, PROGRESS_OLD },
		/* Three, but all of them at once: the rule may be under way. */
		{ { 13, 2, 1, 1599, 900, 200 }, PROGRESS_OLD },
		{ { 13, 2, 1, 1600, 900, 200 }, PROGRESS_FAILING },
		{ { 11, 3, 2, 1001, 1001, 200 }, PROGRESS_NEW },
		{ { 99, 3, 2, 9999, 1001, 200 }, PROGRESS_NEW },
		{ { 11, 3, 1, 1001, 1001, 403 }, PROGRESS_FAILING },
		{ { 11, 4, 2, 1001, 1002, 500 }, PROGRESS_FAILING },
		/* It worked again afterwards. */
		{ { 11, 4, 2, 1001, 1002, 200 }, PROGRESS_NEW },
		/* The record was removed, and begins anew. */
		{ { 1, 0, 0, 1001, 0, 0 }, PROGRESS_OLD },
		{ { 1, 1, 1, 1001, 1001, 200 }, PROGRESS_NEW },
		{ { 0, 0, 0, 0, 0, 0 }, PROGRESS_ABSENT },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		if (member_progress(&member, &cases[i].answers) !=
		    cases[i].progress)
			fail_msg("case %zu", i);
}

static void
test_tally(void **state)
{
	static const struct {
		enum member_state state;
		enum member_progress progress;
	} members[] = {
		{ MEMBER_WAITING, PROGRESS_ABSENT },
		{ MEMBER_TRIAL, PROGRESS_ABSENT },
		{ MEMBER_TRIAL, PROGRESS_OLD },
		{ MEMBER_TRIAL, PROGRESS_NEW },
		{ MEMBER_TRIAL, PROGRESS_FAILING },
		{ MEMBER_MOVED, PROGRESS_NEW },
		{ MEMBER_MOVED, PROGRESS_FAILING },
		{ MEMBER_PUT_BACK, PROGRESS_ABSENT },
		{ MEMBER_CHANGED, PROGRESS_ABSENT },
	};
	struct wave_tally tally = { 0 };

	(void)state;
	for (size_t i = 0; i < LENGTH(members); i++) {
		const struct migration_member member = {
			.state = members[i].state
		};

		wave_tally_add(&tally, &member, members[i].progress);
	}
	assert_int_equal(tally.members, 8);
	assert_int_equal(tally.waiting, 1);
	assert_int_equal(tally.absent, 1);
	assert_int_equal(tally.old, 1);
	assert_int_equal(tally.new, 1);
	assert_int_equal(tally.failing, 1);
	assert_int_equal(tally.moved, 2);
	assert_int_equal(tally.moved_failing, 1);
	assert_int_equal(tally.put_back, 1);
	assert_int_equal(tally.changed, 1);
}

static void
test_judge(void **state)
{
	enum { EARLY = 1000 + 3599, LATE = 1000 + 3600 };
	static const struct {
		size_t absent, old, new, failing, moved;
		time_t now;
		enum wave_verdict verdict;
		const char *reason; /* a part of it */
	} cases[] = {
		{ 100, 0, 0, 0, 0, EARLY, WAVE_WAIT, "0 of the 100" },
		{ 6, 0, 94, 0, 0, EARLY, WAVE_WAIT, "94 of the 100" },
		{ 5, 0, 95, 0, 0, EARLY, WAVE_ADVANCE, "95 of the 100" },
		{ 0, 5, 0, 0, 95, EARLY, WAVE_ADVANCE, "95 of the 100" },
		{ 95, 0, 0, 5, 0, EARLY, WAVE_WAIT, "0 of the 100" },
		{ 94, 0, 0, 6, 0, EARLY, WAVE_STOP, "6 of the 100" },
		{ 0, 0, 94, 6, 0, EARLY, WAVE_STOP, "do not accept it" },
		/* Small ones: 95 % of one or two is all of them. */
		{ 0, 0, 1, 0, 0, EARLY, WAVE_ADVANCE, "1 of the 1" },
		{ 0, 1, 1, 0, 0, EARLY, WAVE_WAIT, "1 of the 2" },
		{ 0, 0, 0, 1, 0, EARLY, WAVE_STOP, "1 of the 1" },
		/* Nobody is left in it. */
		{ 0, 0, 0, 0, 0, EARLY, WAVE_ADVANCE, "0 of the 0" },
		/* The clock went backwards. */
		{ 100, 0, 0, 0, 0, 10, WAVE_WAIT, "0 of the 100" },
		/* After the minimal wait, devices that are silent do not count
		 * against it; those seen at the old one do. */
		{ 100, 0, 0, 0, 0, LATE, WAVE_STOP, "none of the 100" },
		{ 80, 0, 20, 0, 0, LATE, WAVE_ADVANCE, "20 were heard of" },
		{ 80, 1, 19, 0, 0, LATE, WAVE_ADVANCE, "19 of these" },
		{ 80, 2, 18, 0, 0, LATE, WAVE_STOP, "18 of these" },
		{ 80, 20, 0, 0, 0, LATE, WAVE_STOP, "0 of these" },
		{ 99, 1, 0, 0, 0, LATE, WAVE_STOP, "1 were heard of" },
		{ 80, 0, 18, 2, 0, LATE, WAVE_STOP, "18 of these" },
	};
	const struct migration migration = sample();

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct wave_tally tally = {
			.members = cases[i].absent + cases[i].old +
			    cases[i].new + cases[i].failing + cases[i].moved,
			.absent = cases[i].absent,
			.old = cases[i].old,
			.new = cases[i].new,
			.failing = cases[i].failing,
			.moved = cases[i].moved,
		};
		char reason[MIGRATION_REASON_MAX + 1] = "";

		if (wave_judge(&migration, 1, &tally, &tally, cases[i].now,
			reason) != cases[i].verdict)
			fail_msg("case %zu: %s", i, reason);
		if (strstr(reason, cases[i].reason) == NULL)
			fail_msg("case %zu says %s", i, reason);
	}
}

/* Devices that were moved before and fail now stop it as well. */
static void
test_judge_moved(void **state)
{
	struct migration migration = sample();
	const struct wave_tally good = { .members = 10, .new = 10 };
	struct wave_tally all = { .members = 110, .moved = 100 };
	char reason[MIGRATION_REASON_MAX + 1];

	(void)state;
	all.moved_failing = 5;
	assert_int_equal(wave_judge(&migration, 1, &good, &all, 1001, reason),
	    WAVE_ADVANCE);
	all.moved_failing = 6;
	assert_int_equal(wave_judge(&migration, 1, &good, &all, 1001, reason),
	    WAVE_STOP);
	assert_string_equal(reason,
	    "new refuses 6 of the 100 devices that were moved to it");
	migration.threshold = 100;
	all.moved_failing = 1;
	assert_int_equal(wave_judge(&migration, 1, &good, &all, 1001, reason),
	    WAVE_STOP);
}

/* Whatever the numbers: never advance below the threshold of those heard of,
 * and a wave in which no device fails or is at the old one never stops. */
static void
test_judge_property(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		struct migration migration = sample();
		size_t n[4];
		char reason[MIGRATION_REASON_MAX + 1];
		struct wave_tally tally;
		enum wave_verdict verdict;
		time_t now;

		for (size_t j = 0; j < 4; j++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			n[j] = (size_t)(seed >> 33) % 30;
		}
		migration.threshold = (unsigned)(seed >> 40) % 100 + 1;
		now = 1000 + (time_t)((seed >> 35) % 7200);
		tally = (struct wave_tally) { .absent = n[0],
			.old = n[1],
			.new = n[2],
			.failing = n[3],
			.members = n[0] + n[1] + n[2] + n[3] };
		verdict = wave_judge(&migration, 1, &tally, &tally, now,
		    reason);
		if (verdict == WAVE_ADVANCE)
			assert_true(n[2] * 100 >=
			    migration.threshold * (n[1] + n[2] + n[3]));
		if (verdict == WAVE_STOP && now < 1000 + 3600)
			assert_true(n[3] > 0);
		if (verdict == WAVE_STOP)
			assert_true(n[1] + n[3] > 0 || n[2] == 0);
		if (now >= 1000 + 3600)
			assert_true(verdict != WAVE_WAIT);
		assert_true(*reason != '\0');
	}
}

static void
test_waves(void **state)
{
	struct migration migration = sample();

	(void)state;
	assert_int_equal(migration_current_wave(&migration), 1);
	assert_false(migration_is_over(&migration, 999999));
	migration.waves[0].state = WAVE_DONE;
	assert_int_equal(migration_current_wave(&migration), 0);
	migration.waves[1].state = WAVE_TRIAL;
	assert_int_equal(migration_current_wave(&migration), 2);
	migration.waves[1].state = WAVE_DONE;
	migration.waves[1].ended_at = 5000;
	assert_int_equal(migration_current_wave(&migration), 0);
	assert_false(migration_is_over(&migration, 5000 + 3599));
	assert_true(migration_is_over(&migration, 5000 + 3600));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_property),
		cmocka_unit_test(test_rank),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_tally),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_judge_moved),
		cmocka_unit_test(test_judge_property),
		cmocka_unit_test(test_waves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
