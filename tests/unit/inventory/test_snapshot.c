#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <malloc.h>
#include <pthread.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "inventory/snapshot.h"
#include "scratch.h"

#define fill(field, text) (void)snprintf(field, sizeof(field), "%s", text)

static struct inventory *
open_memory(void)
{
	struct error err = { 0 };
	struct inventory *inventory = inventory_open("memory:", false, &err);

	assert_non_null(inventory);
	return inventory;
}

static struct snapshot *
load(struct inventory *inventory)
{
	struct error err = { 0 };
	struct snapshot *snapshot = snapshot_load(inventory, &err);

	assert_non_null(snapshot);
	return snapshot;
}

/* A scope with one to three variables: "name=value name=value". */
static void
put(struct inventory *inventory, enum scope_kind kind, const char *name,
    const char *parent, const char *variables)
{
	struct scope scope = { .kind = kind };
	struct error err = { 0 };
	char *copy = xstrdup(variables), *rest = copy, *word;

	fill(scope.name, name);
	fill(scope.parent, parent);
	while ((word = strsep(&rest, " ")) != NULL && *word != '\0') {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value++ = '\0';
		assert_int_equal(variables_set(&scope.variables, word, value,
				     &err),
		    0);
	}
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	scope_clear(&scope);
	free(copy);
}

static struct mac
number_mac(unsigned number)
{
	return (struct mac) { { 2, 0, (uint8_t)(number >> 24 & 255),
	    (uint8_t)(number >> 16 & 255), (uint8_t)(number >> 8 & 255),
	    (uint8_t)(number & 255) } };
}

static void
add(struct inventory *inventory, unsigned number, const char *model,
    const char *group, const char *own)
{
	struct device device = { .mac = number_mac(number) };
	struct error err = { 0 };

	fill(device.model, model);
	fill(device.group, group);
	if (own != NULL)
		assert_int_equal(variables_set(&device.variables, "own", own,
				     &err),
		    0);
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	device_clear(&device);
}

static void
test_empty(void **state)
{
	struct inventory *inventory = open_memory();
	struct snapshot *snapshot = load(inventory);
	const struct mac mac = number_mac(1);

	(void)state;
	assert_int_equal(snapshot_device_count(snapshot), 0);
	assert_null(snapshot_find(snapshot, &mac));
	assert_null(snapshot_variable(snapshot, NULL, "SPA962", "a"));
	assert_null(snapshot_variable(snapshot, NULL, "", "a"));
	snapshot_release(snapshot);
	snapshot_release(NULL);
	inventory_close(inventory);
}

/* a..f are set in ever fewer places; the letter of the value is the place. */
static const struct {
	const char *name;
	const char *value; /* for device 1; NULL: nobody sets it */
} inherited[] = {
	{ "own", "device" },
	{ "a", "group" },
	{ "b", "parent" },
	{ "c", "grand" },
	{ "d", "model" },
	{ "e", "default" },
	{ "empty", "" }, /* set to nothing is set */
	{ "f", NULL },
	{ "A", NULL },
	{ "", NULL },
};

static void
test_inheritance(void **state)
{
	struct inventory *inventory = open_memory();
	struct snapshot *snapshot;
	const struct mac mac = number_mac(1), other = number_mac(2);
	const struct mac lone = number_mac(3), unknown = number_mac(4);
	const struct device *device;

	(void)state;
	put(inventory, SCOPE_DEFAULT, "", "",
	    "own=default a=default b=default c=default d=default e=default "
	    "empty=full");
	put(inventory, SCOPE_MODEL, "SPA504G", "",
	    "own=model a=model b=model c=model d=model");
	put(inventory, SCOPE_GROUP, "grand", "",
	    "own=grand a=grand b=grand c=grand");
	put(inventory, SCOPE_GROUP, "parent", "grand",
	    "own=parent a=parent b=parent");
	put(inventory, SCOPE_GROUP, "group", "parent",
	    "own=group a=group empty=");
	/* A model's variables are not a group's of the same name. */
	put(inventory, SCOPE_MODEL, "group", "", "a=wrong f=wrong");
	add(inventory, 1, "SPA504G", "group", "device");
	add(inventory, 2, "SPA504G", "", NULL);
	add(inventory, 3, "SPA962", "parent", NULL);
	snapshot = load(inventory);
	/* The snapshot stands on its own. */
	inventory_close(inventory);

	device = snapshot_find(snapshot, &mac);
	assert_non_null(device);
	assert_string_equal(device->group, "group");
	for (size_t i = 0; i < sizeof(inherited) / sizeof(*inherited); i++) {
		const char *value = snapshot_variable(snapshot, device, "",
		    inherited[i].name);

		if (inherited[i].value == NULL)
			assert_null(value);
		else
			assert_string_equal(value, inherited[i].value);
	}
	device = snapshot_find(snapshot, &other);
	assert_string_equal(snapshot_variable(snapshot, device, "", "a"),
	    "model");
	assert_string_equal(snapshot_variable(snapshot, device, "", "e"),
	    "default");
	/* The device's own model counts, not the one given beside it. */
	device = snapshot_find(snapshot, &lone);
	assert_string_equal(snapshot_variable(snapshot, device, "SPA504G", "d"),
	    "default");
	assert_string_equal(snapshot_variable(snapshot, device, "SPA504G", "c"),
	    "grand");
	assert_string_equal(snapshot_variable(snapshot, NULL, "SPA504G", "d"),
	    "model");
	assert_string_equal(snapshot_variable(snapshot, NULL, "", "d"),
	    "default");
	assert_string_equal(snapshot_variable(snapshot, NULL, NULL, "d"),
	    "default");
	assert_null(snapshot_find(snapshot, &unknown));
	snapshot_release(snapshot);
}

/* Old readers keep what they hold. */
static void
test_immutable(void **state)
{
	struct inventory *inventory = open_memory();
	struct snapshot *before, *after;
	const struct mac mac = number_mac(1);
	struct error err = { 0 };

	(void)state;
	add(inventory, 1, "SPA504G", "", "x");
	before = load(inventory);
	assert_ptr_equal(snapshot_retain(before), before);
	snapshot_release(before);
	assert_int_equal(inventory_remove_device(inventory, &mac, &err), 0);
	add(inventory, 2, "SPA962", "", NULL);
	after = load(inventory);
	assert_string_equal(snapshot_find(before, &mac)
				->variables.list[0]
				.value,
	    "x");
	assert_null(snapshot_find(after, &mac));
	assert_true(snapshot_change_number(after) >
	    snapshot_change_number(before));
	snapshot_release(before);
	snapshot_release(after);
	inventory_close(inventory);
}

/* Within a transaction: what that one sees. */
static void
test_in_transaction(void **state)
{
	struct inventory *inventory = open_memory();
	struct snapshot *snapshot;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(inventory_begin(inventory, &err), 0);
	add(inventory, 1, "SPA504G", "", NULL);
	snapshot = load(inventory);
	assert_int_equal(snapshot_device_count(snapshot), 1);
	snapshot_release(snapshot);
	assert_int_equal(inventory_commit(inventory, &err), 0);
	inventory_close(inventory);
}

static void *
use_and_release(void *arg)
{
	struct snapshot *snapshot = arg;

	for (unsigned i = 0; i < 1000; i++) {
		const struct mac mac = number_mac(i % 100);

		snapshot_release(snapshot_retain(snapshot));
		if (snapshot_find(snapshot, &mac) == NULL)
			abort();
	}
	snapshot_release(snapshot);
	return NULL;
}

static void
test_threads(void **state)
{
	struct inventory *inventory = open_memory();
	struct snapshot *snapshot;
	pthread_t threads[4];

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		add(inventory, i, "SPA504G", "", "x");
	snapshot = load(inventory);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
				     use_and_release,
				     snapshot_retain(snapshot)),
		    0);
	snapshot_release(snapshot);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	inventory_close(inventory);
}

/* The size that the design is for: loaded in a blink, and small. */
static void
test_large(void **state)
{
	const unsigned count = 200000;
	char *folder = scratch_make();
	char *uri = xasprintf("sqlite:%s/inventory.db", folder);
	struct error err = { 0 };
	struct inventory *inventory = inventory_open(uri, false, &err);
	struct snapshot *snapshot;
	uint64_t start, load_ms;
	size_t before, bytes;

	(void)state;
	assert_non_null(inventory);
	assert_int_equal(inventory_begin(inventory, &err), 0);
	put(inventory, SCOPE_GROUP, "berlin", "", "a=1");
	for (unsigned i = 0; i < count; i++)
		add(inventory, i * 7919, "SPA504G", "berlin", NULL);
	assert_int_equal(inventory_commit(inventory, &err), 0);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	start = clock_monotonic_ms();
	snapshot = load(inventory);
	load_ms = clock_monotonic_ms() - start;
	bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	print_message("# %u devices loaded in %u ms, %zu bytes each\n", count,
	    (unsigned)load_ms, bytes / count);
	assert_int_equal(snapshot_device_count(snapshot), count);
	for (unsigned i = 0; i < count; i += 997) {
		const struct mac mac = number_mac(i * 7919);
		const struct device *device = snapshot_find(snapshot, &mac);

		assert_non_null(device);
		assert_string_equal(snapshot_variable(snapshot, device, "",
					"a"),
		    "1");
	}
	/* Generous: sanitizers and valgrind run this too. */
	assert_true(load_ms < 20000);
	assert_true(bytes / count < 400);
	snapshot_release(snapshot);
	inventory_close(inventory);
	scratch_remove(folder);
	free(uri);
}

/* Nearest first: device, tags in their order, group, parents, model, defaults. */
static void
test_tags(void **state)
{
	struct inventory *inventory = open_memory();
	struct device device = {
		.mac = number_mac(1), .model = "SPA962", .group = "g"
	};
	const struct device *found;
	struct snapshot *snapshot;
	struct error err = { 0 };

	(void)state;
	put(inventory, SCOPE_GROUP, "g", "", "a=group b=group c=group");
	put(inventory, SCOPE_TAG, "one", "", "b=one c=one");
	put(inventory, SCOPE_TAG, "two", "", "c=two d=two");
	put(inventory, SCOPE_TAG, "other", "", "a=other");
	put(inventory, SCOPE_MODEL, "SPA962", "", "d=model e=model");
	assert_int_equal(tags_parse(&device.tags, "two,unset,one", &err), 0);
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	device_clear(&device);
	snapshot = load(inventory);
	device.mac = number_mac(1);
	found = snapshot_find(snapshot, &device.mac);
	assert_int_equal(found->tags.count, 3);
	assert_string_equal(found->tags.list[2], "one");
	assert_string_equal(snapshot_variable(snapshot, found, "", "a"),
	    "group");
	assert_string_equal(snapshot_variable(snapshot, found, "", "b"), "one");
	assert_string_equal(snapshot_variable(snapshot, found, "", "c"), "two");
	assert_string_equal(snapshot_variable(snapshot, found, "", "d"), "two");
	assert_string_equal(snapshot_variable(snapshot, found, "", "e"),
	    "model");
	snapshot_release(snapshot);
	inventory_close(inventory);
}

/* Same devices, in the same order, with the same variables? */
static void
expect_same(struct inventory *inventory, const struct snapshot *snapshot,
    unsigned limit)
{
	struct snapshot *fresh = load(inventory);

	assert_int_equal(snapshot_device_count(snapshot),
	    snapshot_device_count(fresh));
	assert_int_equal(snapshot_change_number(snapshot),
	    snapshot_change_number(fresh));
	for (unsigned i = 0; i < limit; i++) {
		const struct mac mac = number_mac(i);
		const struct device *a = snapshot_find(snapshot, &mac);
		const struct device *b = snapshot_find(fresh, &mac);
		const char *x, *y;

		assert_int_equal(a != NULL, b != NULL);
		if (a == NULL)
			continue;
		assert_string_equal(a->model, b->model);
		x = snapshot_variable(snapshot, a, "", "own");
		y = snapshot_variable(fresh, b, "", "own");
		assert_int_equal(x != NULL, y != NULL);
		if (x != NULL)
			assert_string_equal(x, y);
	}
	snapshot_release(fresh);
}

/* One random change: a device added, changed or removed, or the defaults. */
static void
change_something(struct inventory *inventory, unsigned random)
{
	const struct mac mac = number_mac(random >> 8 & 511);
	struct device device;
	struct error err = { 0 };
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", random);
	if ((random >> 28) == 0) {
		char variables[32];

		(void)snprintf(variables, sizeof(variables), "own=%s", text);
		put(inventory, SCOPE_DEFAULT, "", "", variables);
	} else if (inventory_get_device(inventory, &mac, &device, &err) != 0) {
		add(inventory, random >> 8 & 511, "SPA962", "",
		    (random & 1) != 0 ? text : NULL);
	} else {
		if ((random & 3) == 0)
			assert_int_equal(inventory_remove_device(inventory,
					     &mac, &err),
			    0);
		else
			assert_int_equal(variables_set(&device.variables, "own",
					     text, &err),
			    0);
		if ((random & 3) != 0)
			assert_int_equal(inventory_update_device(inventory,
					     &device, &err),
			    0);
		device_clear(&device);
	}
}

static void
refresh_many(struct inventory *inventory)
{
	struct snapshot *snapshot = load(inventory), *next;
	unsigned random = 1;
	struct error err = { 0 };

	for (int step = 0; step < 400; step++) {
		for (random = random * 1664525 + 1013904223; random >> 31 == 0;
		     random = random * 1664525 + 1013904223)
			change_something(inventory, random);
		next = snapshot_refresh(snapshot, inventory, &err);
		assert_non_null(next);
		snapshot_release(snapshot);
		snapshot = next;
		expect_same(inventory, snapshot, 512);
	}
	snapshot_release(snapshot);
}

static void
test_refresh(void **state)
{
	char *folder = scratch_make();
	char *uri = xasprintf("sqlite:%s/inventory.db", folder);
	struct error err = { 0 };
	struct inventory *inventory = open_memory();

	(void)state;
	refresh_many(inventory);
	inventory_close(inventory);
	inventory = inventory_open(uri, false, &err);
	assert_non_null(inventory);
	refresh_many(inventory);
	inventory_close(inventory);
	free(uri);
	scratch_remove(folder);
}

static int
count_until(const struct device *device, void *arg)
{
	unsigned *count = arg;

	assert_true(mac_equal(&device->mac,
	    &(struct mac) {
		{ 2, 0, 0, 0, (uint8_t)(*count >> 8), (uint8_t)*count } }));
	return ++*count == 700 ? 42 : 0;
}

/* All of them in their order, over more than one leaf, or until one says so. */
static void
test_each(void **state)
{
	struct inventory *inventory = open_memory();
	struct snapshot *snapshot;
	unsigned count = 0;

	(void)state;
	snapshot = load(inventory);
	assert_int_equal(snapshot_each(snapshot, count_until, &count), 0);
	assert_int_equal(count, 0);
	snapshot_release(snapshot);
	for (unsigned i = 0; i < 600; i++)
		add(inventory, i, "SPA962", "", "1");
	snapshot = load(inventory);
	assert_int_equal(snapshot_each(snapshot, count_until, &count), 0);
	assert_int_equal(count, 600);
	snapshot_release(snapshot);
	for (unsigned i = 600; i < 800; i++)
		add(inventory, i, "SPA962", "", "1");
	snapshot = load(inventory);
	count = 0;
	assert_int_equal(snapshot_each(snapshot, count_until, &count), 42);
	assert_int_equal(count, 700);
	snapshot_release(snapshot);
	inventory_close(inventory);
}

static int
note_removed(const struct device *device, void *arg)
{
	unsigned *sum = arg;

	*sum += device->mac.octet[5] + 1000U;
	return 0;
}

static unsigned
removed(const struct snapshot *before, const struct snapshot *after)
{
	unsigned sum = 0;

	assert_int_equal(snapshot_each_removed(before, after, note_removed,
			     &sum),
	    0);
	return sum;
}

/* Refreshed or loaded anew, each one that went, and no other. */
static void
test_each_removed(void **state)
{
	char *folder = scratch_make();
	char *uri = xasprintf("sqlite:%s/inventory.db", folder);
	struct error err = { 0 };
	struct inventory *inventory = inventory_open(uri, false, &err);
	const struct mac gone[] = { number_mac(0), number_mac(7),
		number_mac(255) };
	struct snapshot *empty, *before, *after, *whole;

	(void)state;
	empty = load(inventory);
	for (unsigned i = 0; i < 256; i++)
		add(inventory, i, "SPA962", "", "1");
	before = load(inventory);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(inventory_remove_device(inventory, &gone[i],
				     &err),
		    0);
	add(inventory, 1000, "SPA962", "", "1");
	after = snapshot_refresh(before, inventory, &err);
	assert_non_null(after);
	whole = load(inventory);
	assert_int_equal(removed(before, after), 3000 + 7 + 255);
	assert_int_equal(removed(before, whole), 3000 + 7 + 255);
	assert_int_equal(removed(after, whole), 0);
	assert_int_equal(removed(before, before), 0);
	assert_int_equal(removed(empty, before), 0);
	assert_int_equal(removed(before, empty), 256000 + 255 * 128);
	snapshot_release(empty);
	snapshot_release(before);
	snapshot_release(after);
	snapshot_release(whole);
	inventory_close(inventory);
	free(uri);
	scratch_remove(folder);
}

static void
test_within(void **state)
{
	static const struct {
		const char *group, *above;
		bool within;
	} cases[] = {
		{ "top", "top", true },
		{ "site", "top", true },
		{ "room", "top", true },
		{ "room", "site", true },
		{ "top", "site", false }, /* not the other way round */
		{ "other", "top", false },
		{ "topping", "top", false },
		{ "", "top", false },
		{ "room", "none", false },
		{ "room", "", false },
		{ "", "", false },
	};
	struct inventory *inventory = open_memory();
	struct snapshot *snapshot;

	(void)state;
	put(inventory, SCOPE_GROUP, "top", "", "a=1");
	put(inventory, SCOPE_GROUP, "topping", "", "a=1");
	put(inventory, SCOPE_GROUP, "site", "top", "a=1");
	put(inventory, SCOPE_GROUP, "room", "site", "a=1");
	put(inventory, SCOPE_GROUP, "other", "", "a=1");
	put(inventory, SCOPE_TAG, "tag", "", "a=1");
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		add(inventory, i, "SPA962", cases[i].group, "1");
	snapshot = load(inventory);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mac mac = number_mac(i);

		assert_int_equal(snapshot_is_below(snapshot,
				     snapshot_find(snapshot, &mac),
				     cases[i].above),
		    cases[i].within);
	}
	assert_true(snapshot_has_group(snapshot, "top"));
	assert_true(snapshot_has_group(snapshot, "room"));
	assert_false(snapshot_has_group(snapshot, "none"));
	assert_false(snapshot_has_group(snapshot, "tag"));
	assert_false(snapshot_has_group(snapshot, ""));
	snapshot_release(snapshot);
	inventory_close(inventory);
}

/* What did not change is the same piece of memory; the log forgets. */
static void
test_refresh_shares(void **state)
{
	char *folder = scratch_make();
	char *uri = xasprintf("sqlite:%s/inventory.db", folder);
	const struct mac far = number_mac(1), near = number_mac(70000);
	struct error err = { 0 };
	struct inventory *inventory = inventory_open(uri, false, &err);
	struct snapshot *before, *after, *last;

	(void)state;
	assert_int_equal(inventory_begin(inventory, &err), 0);
	for (unsigned i = 0; i < 70000; i++)
		add(inventory, i, "SPA962", "", "1");
	assert_int_equal(inventory_commit(inventory, &err), 0);
	before = load(inventory);
	add(inventory, 70000, "SPA962", "", "2");
	after = snapshot_refresh(before, inventory, &err);
	assert_non_null(after);
	assert_null(snapshot_find(before, &near));
	assert_non_null(snapshot_find(after, &near));
	assert_ptr_equal(snapshot_find(before, &far),
	    snapshot_find(after, &far));
	/* More than the log holds: all is read again. */
	assert_int_equal(inventory_begin(inventory, &err), 0);
	for (unsigned i = 70001; i < 140000; i++)
		add(inventory, i, "SPA962", "", "1");
	assert_int_equal(inventory_commit(inventory, &err), 0);
	last = snapshot_refresh(after, inventory, &err);
	assert_non_null(last);
	assert_int_equal(snapshot_device_count(last), 140000);
	assert_ptr_not_equal(snapshot_find(after, &far),
	    snapshot_find(last, &far));
	snapshot_release(before);
	snapshot_release(after);
	snapshot_release(last);
	inventory_close(inventory);
	free(uri);
	scratch_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_each_removed),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_refresh_shares),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_inheritance),
		cmocka_unit_test(test_immutable),
		cmocka_unit_test(test_in_transaction),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
