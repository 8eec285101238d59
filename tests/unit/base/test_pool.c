#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

static bool has_pool;

/* Each size, its edges and what is above all: apart, aligned, whole. */
static void
test_sizes(void **state)
{
	enum { COUNT = POOL_BLOCK_BYTES + 40 };
	uint8_t **blocks = calloc(COUNT, sizeof(*blocks));

	(void)state;
	assert_non_null(blocks);
	for (size_t size = 0; size < COUNT; size += size < 1100 ? 1 : 37) {
		blocks[size] = pool_alloc(size);
		assert_non_null(blocks[size]);
		assert_int_equal((uintptr_t)blocks[size] % 16, 0);
		memset(blocks[size], (int)(size % 251), size);
	}
	for (size_t size = 0; size < COUNT; size += size < 1100 ? 1 : 37) {
		for (size_t i = 0; i < size; i++)
			if (blocks[size][i] != size % 251)
				fail_msg("block of %zu, byte %zu", size, i);
		pool_free(blocks[size]);
	}
	free(blocks);
	pool_free(NULL);
#ifndef __SANITIZE_ADDRESS__ /* which ends the process for asking */
	assert_null(pool_alloc(SIZE_MAX));
#endif
}

static void
test_resize(void **state)
{
	char *p = pool_realloc(NULL, 3);

	(void)state;
	memcpy(p, "ab", 3);
	for (size_t size = 4; size < 3 * POOL_BLOCK_BYTES;
	     size = size * 3 / 2) {
		p = pool_realloc(p, size);
		assert_non_null(p);
		assert_string_equal(p, "ab");
	}
#ifndef __SANITIZE_ADDRESS__
	assert_null(pool_realloc(p, SIZE_MAX));
#endif
	assert_string_equal(p, "ab"); /* it is as it was */
	pool_free(p);
	p = pool_alloc(2000);
	memcpy(p, "ab", 3);
	p = pool_realloc(p, 3);
	assert_string_equal(p, "ab");
	pool_free(p);
}

/* What was given back is taken again, not something new. */
static void
test_reuse(void **state)
{
	void *blocks[500], *p = pool_alloc(100), *again;
	size_t bytes;

	(void)state;
	pool_free(p);
	again = pool_alloc(112);
	if (has_pool)
		assert_ptr_equal(again, p);
	pool_free(again);
	for (int turn = 0; turn < 100; turn++) {
		for (size_t i = 0; i < 500; i++)
			blocks[i] = pool_alloc(100 + i % 300);
		for (size_t i = 0; i < 500; i++)
			pool_free(blocks[i]);
		if (turn == 0)
			bytes = pool_bytes();
		assert_int_equal(pool_bytes(), bytes);
	}
}

#define HANDED 2000

static void *
give_back(void *blocks)
{
	for (size_t i = 0; i < HANDED; i++)
		pool_free(((void **)blocks)[i]);
	return NULL;
}

/*
 * One thread takes, another one gives back: as when a reload makes in one
 * thread what ends in another.  Blocks that a thread has when it ends stay
 * with it, two batches at most; the rest comes back.
 */
static void
test_other_thread(void **state)
{
	static void *blocks[HANDED];
	size_t bytes = 0;
	pthread_t thread;

	(void)state;
	for (int turn = 0; turn < 50; turn++) {
		for (size_t i = 0; i < HANDED; i++) {
			blocks[i] = pool_alloc(200);
			memset(blocks[i], turn, 200);
		}
		assert_int_equal(pthread_create(&thread, NULL, give_back,
				     blocks),
		    0);
		(void)pthread_join(thread, NULL);
		if (turn == 0)
			bytes = pool_bytes();
	}
	/* 50 times 2000 times 200 bytes would be 20 MB. */
	assert_true(pool_bytes() - bytes < 1024 * 1024);
}

static void *
churn(void *seed)
{
	uint32_t random = (uint32_t)(uintptr_t)seed;
	uint8_t *blocks[200] = { NULL };
	size_t sizes[200] = { 0 };

	for (int i = 0; i < 100000; i++) {
		size_t at;

		random = random * 1664525 + 1013904223;
		at = (random >> 8) % 200;
		if (blocks[at] != NULL &&
		    (blocks[at][0] != at || blocks[at][sizes[at] - 1] != at))
			return seed;
		pool_free(blocks[at]);
		sizes[at] = (random >> 16) % 5000 + 1;
		blocks[at] = pool_alloc(sizes[at]);
		blocks[at][0] = blocks[at][sizes[at] - 1] = (uint8_t)at;
	}
	for (size_t i = 0; i < 200; i++)
		pool_free(blocks[i]);
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t threads[4];
	void *failed;

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn,
				     (void *)(i + 1)),
		    0);
	for (size_t i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], &failed);
		assert_null(failed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_other_thread),
		cmocka_unit_test(test_threads),
	};

	has_pool = pool_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
