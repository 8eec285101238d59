#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mac.h"
#include "provision/keyring.h"

static const struct mac phone = { { 0, 0x0e, 8, 0xaa, 0xbb, 0xcc } };

/* What the server has on its disk. */
struct disk {
	uint64_t id[256];
	unsigned marks[256];
	size_t count;
};

static unsigned *
entry(struct disk *disk, uint64_t id)
{
	for (size_t i = 0; i < disk->count; i++)
		if (disk->id[i] == id)
			return &disk->marks[i];
	assert_true(disk->count < 256);
	disk->id[disk->count] = id;
	disk->marks[disk->count] = 0;
	return &disk->marks[disk->count++];
}

static unsigned
marks(void *arg, const struct mac *mac, uint64_t id)
{
	assert_true(mac_equal(mac, &phone));
	return *entry(arg, id);
}

static struct keyring_key
make(void)
{
	uint8_t random[KEYRING_RANDOM_BYTES];
	struct keyring_key key;

	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)rand();
	keyring_make_key(random, &key);
	return key;
}

static void
test_make(void **state)
{
	uint8_t random[KEYRING_RANDOM_BYTES] = { 0 };
	struct keyring_key key;

	(void)state;
	keyring_make_key(random, &key);
	assert_int_not_equal(key.id, 0);
	for (int i = 0; i < 1000; i++) {
		key = make();
		assert_int_equal(strlen(key.text), KEYRING_KEY_CHARS);
		assert_true(protection_key_fits(key.text));
	}
}

static void
test_text(void **state)
{
	static const char *const bad[] = { "x", "0123456789abcdef",
		"0123456789abcdef:", "0123456789ABCDEF:key",
		"0000000000000000:key", "0123456789abcdef:a b",
		"0123456789abcdef:a\"", "0123456789abcdef-key",
		"0123456789abcdef:a 0123456789abcdef:b",
		" 0123456789abcdef:a" };
	char text[KEYRING_TEXT_BYTES], again[KEYRING_TEXT_BYTES];
	struct keyring ring, read;
	struct disk disk = { .count = 0 };
	struct error err;

	(void)state;
	assert_int_equal(keyring_parse(NULL, &ring, &err), 0);
	assert_int_equal(ring.count, 0);
	for (size_t i = 0; i < KEYRING_KEYS_MAX; i++) {
		struct keyring_key key = make();

		assert_int_equal(keyring_rotate(&ring, &phone, marks, &disk,
				     &key, &err),
		    0);
		keyring_format(&ring, text);
		assert_int_equal(keyring_parse(text, &read, &err), 0);
		keyring_format(&read, again);
		assert_string_equal(text, again);
	}
	strcat(text, " 0123456789abcdef:k"); /* there is room for the check */
	assert_int_equal(keyring_parse(text, &read, &err), -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (keyring_parse(bad[i], &read, &err) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_null(strstr(err.text, "a\""));
	}
}

static void
test_query(void **state)
{
	static const struct {
		const char *query;
		enum key_request_kind kind;
	} cases[] = {
		{ "", KEY_REQUEST_NONE },
		{ "a=b&c", KEY_REQUEST_NONE },
		{ "monkey=0123456789abcdef", KEY_REQUEST_NONE },
		{ "key=0123456789abcdef", KEY_REQUEST_AES },
		{ "ikm=0123456789abcdef", KEY_REQUEST_AES128GCM },
		{ "a=b&key=0123456789abcdef&c", KEY_REQUEST_AES },
		{ "key=", KEY_REQUEST_BAD },
		{ "key=0123456789ABCDEF", KEY_REQUEST_BAD },
		{ "key=0123456789abcde", KEY_REQUEST_BAD },
		{ "key=0123456789abcdef0", KEY_REQUEST_BAD },
		{ "key=0000000000000000", KEY_REQUEST_BAD },
		{ "key=0123456789abcdef&ikm=0123456789abcdef",
		    KEY_REQUEST_BAD },
		{ "key=0123456789abcdef&key=0123456789abcdef",
		    KEY_REQUEST_BAD },
		{ "key=%30123456789abcdef", KEY_REQUEST_BAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct key_request got = keyring_read_query(cases[i].query);

		if (got.kind != cases[i].kind)
			fail_msg("\"%s\": %d", cases[i].query, got.kind);
		if (got.kind == KEY_REQUEST_AES)
			assert_true(got.id == 0x0123456789abcdef);
	}
}

/* ------------------------------------------ any sequence of accidents */

/* The device: what its rule names now, and what it would be after the power
 * went before the flash was written. */
struct world {
	struct keyring ring; /* the inventory's */
	struct disk disk;
	uint64_t now, flash; /* ids of keys; 0: none, the factory's rule */
};

/* A fetch as decision.c and answer.c do it; false: refused. */
static bool
fetch(struct world *world, bool plain, uint64_t *gets)
{
	size_t index = 0;

	if (world->now == 0 && plain)
		return true; /* its rule is still that of mutual TLS */
	if (world->now != 0) {
		enum key_verdict verdict = keyring_judge(&world->ring,
		    world->now, &phone, marks, &world->disk, &index);

		if (verdict == KEY_UNKNOWN || verdict == KEY_RETIRED ||
		    (plain && verdict == KEY_NOT_DELIVERED))
			return false;
		*entry(&world->disk, world->now) |= KEY_SEEN;
	}
	if (world->ring.count > 0) {
		*gets = world->ring.key[0].id;
		*entry(&world->disk, *gets) |= KEY_DELIVERED;
	}
	return true;
}

static void
accident(struct world *world, int which)
{
	struct keyring_key key = make();
	uint64_t gets = world->now;
	struct error err;

	switch (which) {
	case 0: /* rotation; refused when too many are open */
		if (keyring_rotate(&world->ring, &phone, marks, &world->disk,
			&key, &err) != 0)
			assert_int_equal(err.kind, ERROR_DENIED);
		break;
	case 1: /* a resync that goes well; the flash is written */
	case 2:
		world->flash = world->now; /* it is, before the next one */
		assert_true(fetch(world, which == 1, &gets));
		world->now = gets;
		break;
	case 3: /* the answer is lost: over plain HTTP, over TLS */
	case 4:
		world->flash = world->now;
		assert_true(fetch(world, which == 3, &gets));
		break;
	case 5: /* power cut before the flash is written */
		world->now = world->flash;
		break;
	case 6: /* reset to the factory's settings */
		world->now = world->flash = 0;
		break;
	}
}

static void
test_never_locked_out(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 3000; seed++) {
		struct world world = { .now = 0 };

		srand(seed);
		for (int step = 0; step < 40 && world.disk.count < 200; step++)
			accident(&world, rand() % 7);
		/* Afterwards, quiet: it comes to the newest key, and then all
		 * older ones are refused. */
		accident(&world, 2);
		accident(&world, 2);
		if (world.ring.count == 0)
			continue;
		assert_true(world.now == world.ring.key[0].id);
		accident(&world, 1);
		for (size_t i = 1; i < world.ring.count; i++) {
			size_t index;

			assert_int_equal(keyring_judge(&world.ring,
					     world.ring.key[i].id, &phone,
					     marks, &world.disk, &index),
			    KEY_RETIRED);
		}
	}
}

static void
test_rotate(void **state)
{
	struct keyring ring = { .count = 0 };
	struct disk disk = { .count = 0 };
	struct keyring_key key;
	struct error err;
	size_t index;

	(void)state;
	for (size_t i = 0; i < KEYRING_KEYS_MAX; i++) {
		key = make();
		assert_int_equal(keyring_rotate(&ring, &phone, marks, &disk,
				     &key, &err),
		    0);
	}
	assert_int_equal(keyring_rotate(&ring, &phone, marks, &disk, &key,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	/* The third newest is seen: the older five go with the next one. */
	*entry(&disk, ring.key[2].id) |= KEY_SEEN | KEY_DELIVERED;
	assert_int_equal(keyring_judge(&ring, ring.key[3].id, &phone, marks,
			     &disk, &index),
	    KEY_RETIRED);
	assert_int_equal(keyring_judge(&ring, ring.key[2].id, &phone, marks,
			     &disk, &index),
	    KEY_GOOD);
	assert_int_equal(keyring_judge(&ring, ring.key[1].id, &phone, marks,
			     &disk, &index),
	    KEY_NOT_DELIVERED);
	assert_int_equal(keyring_judge(&ring, 12345, &phone, marks, &disk,
			     &index),
	    KEY_UNKNOWN);
	key = make();
	assert_int_equal(keyring_rotate(&ring, &phone, marks, &disk, &key,
			     &err),
	    0);
	assert_int_equal(ring.count, 4);
	assert_true(ring.key[0].id == key.id);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_rotate),
		cmocka_unit_test(test_never_locked_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
