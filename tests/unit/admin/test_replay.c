#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/replay.h"

#define NOW 1000000

static char fields[] = "Location: /x\r\n", version[] = "v1", body[] = "{}";
static const struct replay_answer good = { 201, fields, version, body, 2 };

static int
set_up(void **state)
{
	*state = replay_new();
	return 0;
}

static int
tear_down(void **state)
{
	replay_free(*state);
	return 0;
}

static void
make(uint8_t hash[static REPLAY_HASH_BYTES], unsigned number)
{
	memset(hash, 0, REPLAY_HASH_BYTES);
	memcpy(hash, &number, sizeof(number));
}

static enum replay_found
ask(struct replay *replay, unsigned who, unsigned what, time_t now)
{
	uint8_t one[REPLAY_HASH_BYTES], two[REPLAY_HASH_BYTES];
	struct replay_answer answer = { .status = 0 };
	enum replay_found found;

	make(one, who);
	make(two, what);
	found = replay_begin(replay, one, two, now, &answer);
	if (found == REPLAY_SAME) {
		assert_int_equal(answer.status, 201);
		assert_string_equal(answer.fields, fields);
		assert_string_equal(answer.version, version);
		replay_answer_clear(&answer);
	}
	return found;
}

static void
end(struct replay *replay, unsigned who, const struct replay_answer *answer)
{
	uint8_t one[REPLAY_HASH_BYTES];

	make(one, who);
	replay_end(replay, one, answer);
}

static void
test_once(void **state)
{
	struct replay *replay = *state;

	assert_int_equal(ask(replay, 1, 1, NOW), REPLAY_NEW);
	assert_int_equal(ask(replay, 1, 1, NOW), REPLAY_BUSY);
	assert_int_equal(ask(replay, 1, 2, NOW), REPLAY_OTHER);
	assert_int_equal(ask(replay, 2, 1, NOW), REPLAY_NEW);
	end(replay, 1, &good);
	assert_int_equal(ask(replay, 1, 1, NOW), REPLAY_SAME);
	assert_int_equal(ask(replay, 1, 1, NOW + REPLAY_LIFE_S - 1),
	    REPLAY_SAME);
	assert_int_equal(ask(replay, 1, 2, NOW), REPLAY_OTHER);
	/* What was refused is forgotten. */
	end(replay, 2, NULL);
	assert_int_equal(ask(replay, 2, 3, NOW), REPLAY_NEW);
	/* And what is too old. */
	assert_int_equal(ask(replay, 1, 2, NOW + REPLAY_LIFE_S), REPLAY_NEW);
}

static void
test_full(void **state)
{
	struct replay *replay = *state;

	for (unsigned i = 0; i < REPLAY_KEPT; i++)
		assert_int_equal(ask(replay, i, 1, NOW + (time_t)i),
		    REPLAY_NEW);
	/* All are under way: none of them may go. */
	assert_int_equal(ask(replay, REPLAY_KEPT, 1, NOW), REPLAY_BUSY);
	for (unsigned i = 1; i < REPLAY_KEPT; i++)
		end(replay, i, &good);
	assert_int_equal(ask(replay, REPLAY_KEPT, 1, NOW), REPLAY_NEW);
	assert_int_equal(ask(replay, 0, 1, NOW), REPLAY_BUSY);
	assert_int_equal(ask(replay, 2, 1, NOW), REPLAY_SAME);
	assert_int_equal(ask(replay, 1, 1, NOW), REPLAY_NEW); /* the oldest */
}

static void
test_bytes(void **state)
{
	struct replay *replay = *state;
	struct replay_answer large = good;

	large.body_len = REPLAY_BYTES_MAX / 2;
	large.body = calloc(1, REPLAY_BYTES_MAX + 1);
	assert_non_null(large.body);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ask(replay, i, 1, NOW + (time_t)i),
		    REPLAY_NEW);
		end(replay, i, &large);
	}
	assert_int_equal(ask(replay, 0, 1, NOW + 3), REPLAY_NEW);
	assert_int_equal(ask(replay, 1, 1, NOW + 3), REPLAY_SAME);
	assert_int_equal(ask(replay, 2, 1, NOW + 3), REPLAY_SAME);
	large.body_len = REPLAY_BYTES_MAX + 1;
	end(replay, 0, &large);
	assert_int_equal(ask(replay, 0, 1, NOW + 3), REPLAY_NEW);
	free(large.body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bytes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
