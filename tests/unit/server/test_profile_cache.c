#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/profile_cache.h"

static struct profile_cache_name
name_of(uint64_t change, uint8_t octet, uint64_t key_id)
{
	struct profile_cache_name name;

	memset(&name, 0, sizeof(name));
	name.change = change;
	name.serial = 1;
	name.key_id = key_id;
	name.mac.octet[5] = octet;
	return name;
}

static bool
has(struct profile_cache *cache, uint64_t change, uint8_t octet,
    uint64_t key_id, const char *wanted)
{
	struct profile_cache_name name = name_of(change, octet, key_id);
	struct profile_cache_note note = { false, { 0 } };
	bool found;
	struct buf out;

	buf_init(&out, 100000);
	found = profile_cache_get(cache, &name, &out, &note);
	if (found)
		assert_true(note.carries_key && note.sha256[31] == 3);
	if (found && wanted != NULL)
		assert_string_equal(buf_text(&out), wanted);
	if (!found)
		assert_int_equal(out.len, 0);
	buf_clear(&out);
	return found;
}

static void
put(struct profile_cache *cache, uint64_t change, uint8_t octet,
    uint64_t key_id, const char *text, size_t len)
{
	struct profile_cache_name name = name_of(change, octet, key_id);

	profile_cache_put(cache, &name, text, len,
	    &(struct profile_cache_note) { true, { [31] = 3 } });
}

/* Found by nothing but the very name: whatever changes, it is another one. */
static void
test_names(void **state)
{
	struct profile_cache *cache = profile_cache_new(1000000);
	struct profile_cache_counts counts;

	(void)state;
	put(cache, 7, 1, 0, "clear", 5);
	put(cache, 7, 1, 9, "packed", 6);
	assert_true(has(cache, 7, 1, 0, "clear"));
	assert_true(has(cache, 7, 1, 9, "packed"));
	assert_false(has(cache, 8, 1, 0, NULL));  /* the inventory */
	assert_false(has(cache, 7, 2, 0, NULL));  /* the device */
	assert_false(has(cache, 7, 1, 10, NULL)); /* the key */
	put(cache, 7, 1, 0, "again", 5);
	assert_true(has(cache, 7, 1, 0, "again"));
	counts = profile_cache_counts(cache);
	assert_int_equal(counts.entries, 2);
	assert_int_equal(counts.hits, 3);
	assert_int_equal(counts.misses, 3);
	profile_cache_free(cache);
}

static void
test_bound(void **state)
{
	static char text[2000];
	struct profile_cache *cache = profile_cache_new(16 * 10000);
	struct profile_cache_counts counts;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (uint64_t key = 1; key <= 100; key++) {
		put(cache, 1, 3, key, text, sizeof(text));
		assert_true(has(cache, 1, 3, 1, NULL) == true);
		counts = profile_cache_counts(cache);
		assert_true(counts.bytes <= 10000); /* all in one shard */
	}
	/* Asked for all the time, the first one is still there. */
	assert_true(has(cache, 1, 3, 1, NULL));
	assert_true(has(cache, 1, 3, 100, NULL));
	assert_false(has(cache, 1, 3, 50, NULL));
	assert_true(profile_cache_counts(cache).evicted > 90);
	put(cache, 1, 3, 200, text, sizeof(text));
	profile_cache_limit(cache, 0);
	assert_int_equal(profile_cache_counts(cache).bytes, 0);
	put(cache, 1, 3, 201, text, sizeof(text));
	assert_false(has(cache, 1, 3, 201, NULL));
	profile_cache_free(cache);
	profile_cache_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
