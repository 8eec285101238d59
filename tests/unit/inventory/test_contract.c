/*
 * One contract, run over every store: what inventory.h promises holds for all
 * of them, with the same kinds of error and the same words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "inventory/inventory.h"
#include "pki/seal.h"
#include "scratch.h"

#define fill(field, text) (void)snprintf(field, sizeof(field), "%s", text)

struct place {
	char *folder; /* NULL: no files */
	char *uri;
	struct inventory *inventory;
};

static int
set_up(struct place *place, const char *uri)
{
	struct error err = { 0 };

	place->uri = xstrdup(uri);
	place->inventory = inventory_open(uri, false, &err);
	if (place->inventory == NULL)
		(void)fprintf(stderr, "%s\n", err.text);
	return place->inventory == NULL ? -1 : 0;
}

static int
set_up_memory(void **state)
{
	*state = xcalloc(1, sizeof(struct place));
	return set_up(*state, "memory:");
}

static int
set_up_sqlite(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));
	char *uri;
	int rc;

	*state = place;
	place->folder = scratch_make();
	uri = xasprintf("sqlite:%s/inventory.db", place->folder);
	rc = set_up(place, uri);
	free(uri);
	return rc;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	inventory_close(place->inventory);
	if (place->folder != NULL)
		scratch_remove(place->folder);
	free(place->uri);
	free(place);
	return 0;
}

static struct inventory *
get(void **state)
{
	return ((struct place *)*state)->inventory;
}

static struct mac
mac(const char *text)
{
	struct mac value = { { 0 } };

	assert_true(mac_read(&value, text, strlen(text)));
	return value;
}

/* A device; the caller clears it. */
static struct device
make(const char *address, const char *model)
{
	struct device device = { .mac = mac(address) };

	fill(device.model, model);
	return device;
}

static void
set(struct variables *variables, const char *name, const char *value)
{
	struct error err = { 0 };

	assert_int_equal(variables_set(variables, name, value, &err), 0);
}

static void
add(struct inventory *inventory, const char *address)
{
	struct device device = make(address, "SPA504G");
	struct error err = { 0 };

	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
}

static int
put_group(struct inventory *inventory, const char *name, const char *parent,
    struct error *err)
{
	struct scope scope = { .kind = SCOPE_GROUP };

	fill(scope.name, name);
	fill(scope.parent, parent);
	return inventory_put_scope(inventory, &scope, err);
}

static uint64_t
number(struct inventory *inventory)
{
	struct error err = { 0 };
	uint64_t value = 0;

	assert_int_equal(inventory_change_number(inventory, &value, &err), 0);
	return value;
}

static int
write_mac(const struct device *device, void *arg)
{
	char text[MAC_TEXT_BYTES];

	mac_format(&device->mac, text);
	assert_int_equal(buf_printf(arg, "%s ", text), 0);
	return 0;
}

static int
write_scope(const struct scope *scope, void *arg)
{
	assert_int_equal(buf_printf(arg, "%d:%s<%s", (int)scope->kind,
			     scope->name, scope->parent),
	    0);
	for (size_t i = 0; i < scope->variables.count; i++)
		assert_int_equal(buf_printf(arg, ",%s=%s",
				     scope->variables.list[i].name,
				     scope->variables.list[i].value),
		    0);
	assert_int_equal(buf_append_text(arg, " "), 0);
	return 0;
}

static void
expect_macs(struct inventory *inventory, const char *expected)
{
	struct error err = { 0 };
	struct buf buf;

	buf_init(&buf, 65536);
	assert_int_equal(inventory_each_device(inventory, write_mac, &buf,
			     &err),
	    0);
	assert_string_equal(buf_text(&buf), expected);
	buf_clear(&buf);
}

static void
expect_scopes(struct inventory *inventory, const char *expected)
{
	struct error err = { 0 };
	struct buf buf;

	buf_init(&buf, 65536);
	assert_int_equal(inventory_each_scope(inventory, write_scope, &buf,
			     &err),
	    0);
	assert_string_equal(buf_text(&buf), expected);
	buf_clear(&buf);
}

static void
test_empty(void **state)
{
	struct inventory *inventory = get(state);
	const struct mac address = mac("000e08aabbcc");
	struct device device = make("020000000001", "untouched");
	struct scope scope = { .name = "untouched" };
	struct error err = { 0 };

	expect_macs(inventory, "");
	expect_scopes(inventory, "");
	assert_int_equal(inventory_get_device(inventory, &address, &device,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.text,
	    "there is no device 000e08aabbcc in the inventory");
	assert_string_equal(device.model, "untouched");
	assert_int_equal(inventory_get_scope(inventory, SCOPE_GROUP, "berlin",
			     &scope, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.text,
	    "there is no group \"berlin\" in the inventory");
	assert_string_equal(scope.name, "untouched");
	assert_int_equal(inventory_get_scope(inventory, SCOPE_DEFAULT, "",
			     &scope, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(inventory_get_scope(inventory, SCOPE_MODEL, "SPA962",
			     &scope, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_non_null(strstr(err.text, "SPA962"));
	assert_int_equal(inventory_remove_device(inventory, &address, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_true(number(inventory) > 0);
}

static void
test_device(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA525G2"), got;
	struct error err = { 0 };

	assert_int_equal(put_group(inventory, "berlin", "", &err), 0);
	fill(device.firmware, "7.5.4");
	fill(device.serial, "CBT00000001");
	fill(device.group, "berlin");
	device.state = DEVICE_RETIRED;
	set(&device.variables, "User_ID_1_", "100");
	set(&device.variables, "Display_Name_1_", "Z\xc3\xbcrich \"<&'");
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);

	assert_int_equal(inventory_get_device(inventory, &device.mac, &got,
			     &err),
	    0);
	assert_true(mac_equal(&got.mac, &device.mac));
	assert_string_equal(got.model, "SPA525G2");
	assert_string_equal(got.firmware, "7.5.4");
	assert_string_equal(got.serial, "CBT00000001");
	assert_string_equal(got.group, "berlin");
	assert_int_equal(got.state, DEVICE_RETIRED);
	assert_int_equal(got.variables.count, 2);
	assert_string_equal(got.variables.list[0].name, "Display_Name_1_");
	assert_string_equal(got.variables.list[0].value, "Z\xc3\xbcrich \"<&'");
	assert_string_equal(variables_get(&got.variables, "User_ID_1_"), "100");
	device_clear(&got);

	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_string_equal(err.text,
	    "the device 000e08aabbcc is in the inventory already");
	device_clear(&device);
}

static void
test_update(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA962"), got;
	struct error err = { 0 };

	assert_int_equal(inventory_update_device(inventory, &device, &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	set(&device.variables, "a", "1");
	set(&device.variables, "b", "2");
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	assert_true(variables_unset(&device.variables, "a"));
	set(&device.variables, "c", "3");
	fill(device.firmware, "6.1.5(a)");
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
	/* The same again is fine too. */
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
	assert_int_equal(inventory_get_device(inventory, &device.mac, &got,
			     &err),
	    0);
	assert_string_equal(got.firmware, "6.1.5(a)");
	assert_int_equal(got.variables.count, 2);
	assert_null(variables_get(&got.variables, "a"));
	assert_string_equal(variables_get(&got.variables, "c"), "3");
	device_clear(&got);

	assert_int_equal(inventory_remove_device(inventory, &device.mac, &err),
	    0);
	assert_int_equal(inventory_get_device(inventory, &device.mac, &got,
			     &err),
	    -1);
	/* Its variables are gone with it. */
	variables_clear(&device.variables);
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	assert_int_equal(inventory_get_device(inventory, &device.mac, &got,
			     &err),
	    0);
	assert_int_equal(got.variables.count, 0);
	device_clear(&got);
}

static void
test_missing_group(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA962");
	struct error err = { 0 };

	fill(device.group, "berlin");
	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_string_equal(err.text,
	    "there is no group \"berlin\" in the inventory");
	expect_macs(inventory, "");
	device.group[0] = '\0';
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	fill(device.group, "berlin");
	assert_int_equal(inventory_update_device(inventory, &device, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	/* A model of that name is no group. */
	assert_int_equal(inventory_put_scope(inventory,
			     &(struct scope) {
				 .kind = SCOPE_MODEL, .name = "berlin" },
			     &err),
	    0);
	assert_int_equal(inventory_update_device(inventory, &device, &err), -1);
	assert_int_equal(put_group(inventory, "berlin", "", &err), 0);
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
}

static const struct {
	struct device device;
	const char *says;
} bad_devices[] = {
	{ { .model = "" }, "the model is empty" },
	{ { .model = "SPA\t962" }, "control character" },
	{ { .model = "SPA962", .firmware = " 6.1" }, "blank" },
	{ { .model = "SPA962", .serial = "x\n" }, "control character" },
	{ { .model = "SPA962", .serial = "x\x1b" }, "control character" },
	{ { .model = "SPA962", .group = "M\xfcnchen" }, "not UTF-8" },
	{ { .model = "SPA962", .group = "a " }, "blank" },
};

static void
test_bad_devices(void **state)
{
	struct inventory *inventory = get(state);

	for (size_t i = 0; i < sizeof(bad_devices) / sizeof(*bad_devices);
	     i++) {
		const struct device *device = &bad_devices[i].device;
		struct error err = { 0 };

		assert_int_equal(inventory_add_device(inventory, device, &err),
		    -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.text, bad_devices[i].says));
		assert_int_equal(inventory_update_device(inventory, device,
				     &err),
		    -1);
		assert_int_equal(err.kind, ERROR_INPUT);
	}
	expect_macs(inventory, "");
}

static void
test_scopes(void **state)
{
	struct inventory *inventory = get(state);
	struct scope scope = { .kind = SCOPE_GROUP, .name = "b" }, got;
	struct error err = { 0 };

	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	set(&scope.variables, "x", "1");
	set(&scope.variables, "w", "0");
	fill(scope.name, "a");
	fill(scope.parent, "b");
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	scope.parent[0] = '\0';
	scope.kind = SCOPE_MODEL;
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	scope.kind = SCOPE_DEFAULT;
	scope.name[0] = '\0';
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	expect_scopes(inventory,
	    "0:<,w=0,x=1 1:a<,w=0,x=1 2:a<b,w=0,x=1 2:b< ");

	/* Putting replaces all of it. */
	assert_true(variables_unset(&scope.variables, "w"));
	scope.kind = SCOPE_GROUP;
	fill(scope.name, "a");
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	expect_scopes(inventory, "0:<,w=0,x=1 1:a<,w=0,x=1 2:a<,x=1 2:b< ");
	assert_int_equal(inventory_get_scope(inventory, SCOPE_GROUP, "a", &got,
			     &err),
	    0);
	assert_string_equal(got.name, "a");
	assert_int_equal(got.kind, SCOPE_GROUP);
	assert_string_equal(variables_get(&got.variables, "x"), "1");
	scope_clear(&got);
	scope_clear(&scope);
}

static void
test_long_names(void **state)
{
	struct inventory *inventory = get(state);
	struct scope scope = { .kind = SCOPE_GROUP }, got;
	struct error err = { 0 };
	char longer[INVENTORY_NAME_MAX + 2];

	memset(longer, 'g', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memset(scope.name, 'g', INVENTORY_NAME_MAX);
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	assert_int_equal(inventory_get_scope(inventory, SCOPE_GROUP, scope.name,
			     &got, &err),
	    0);
	assert_string_equal(got.name, scope.name);
	scope_clear(&got);
	assert_int_equal(inventory_get_scope(inventory, SCOPE_GROUP, longer,
			     &got, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

static const struct {
	struct scope scope;
	const char *says;
} bad_scopes[] = {
	{ { .kind = SCOPE_DEFAULT, .name = "x" }, "defaults have no name" },
	{ { .kind = SCOPE_DEFAULT, .parent = "x" }, "only groups" },
	{ { .kind = SCOPE_MODEL, .name = "" }, "the model is empty" },
	{ { .kind = SCOPE_MODEL, .name = "m", .parent = "x" }, "only groups" },
	{ { .kind = SCOPE_GROUP, .name = "" }, "the group is empty" },
	{ { .kind = SCOPE_GROUP, .name = "a\x07" }, "control character" },
	{ { .kind = SCOPE_GROUP, .name = "a", .parent = " b" }, "blank" },
	{ { .kind = SCOPE_GROUP, .name = "a", .parent = "a" },
	    "its own parent" },
	{ { .kind = SCOPE_GROUP, .name = "a", .parent = "b" },
	    "there is no group \"b\"" },
};

static void
test_bad_scopes(void **state)
{
	struct inventory *inventory = get(state);

	for (size_t i = 0; i < sizeof(bad_scopes) / sizeof(*bad_scopes); i++) {
		struct error err = { 0 };

		assert_int_equal(inventory_put_scope(inventory,
				     &bad_scopes[i].scope, &err),
		    -1);
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.text, bad_scopes[i].says));
	}
	expect_scopes(inventory, "");
}

static void
test_circle(void **state)
{
	struct inventory *inventory = get(state);
	struct error err = { 0 };

	assert_int_equal(put_group(inventory, "a", "", &err), 0);
	assert_int_equal(put_group(inventory, "b", "a", &err), 0);
	assert_int_equal(put_group(inventory, "c", "b", &err), 0);
	assert_int_equal(put_group(inventory, "a", "c", &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "that one is below it"));
	assert_int_equal(put_group(inventory, "a", "b", &err), -1);
	assert_int_equal(put_group(inventory, "c", "a", &err), 0);
	expect_scopes(inventory, "2:a< 2:b<a 2:c<a ");
}

static void
test_depth(void **state)
{
	struct inventory *inventory = get(state);
	struct error err = { 0 };
	char name[4] = "g1", parent[4] = "";

	for (char i = '1'; i <= '0' + INVENTORY_GROUP_DEPTH_MAX; i++) {
		name[1] = i;
		assert_int_equal(put_group(inventory, name, parent, &err), 0);
		memcpy(parent, name, sizeof(parent));
	}
	/* One more at the bottom, ... */
	assert_int_equal(put_group(inventory, "g9", "g8", &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "more than 8 groups"));
	assert_int_equal(put_group(inventory, "g9", "g7", &err), 0);
	/* ... or one more at the top. */
	assert_int_equal(put_group(inventory, "top", "", &err), 0);
	assert_int_equal(put_group(inventory, "g1", "top", &err), -1);
	assert_non_null(strstr(err.text, "more than 8 groups"));
	/* Half of it can move. */
	assert_int_equal(put_group(inventory, "g5", "top", &err), 0);
}

static void
test_order(void **state)
{
	struct inventory *inventory = get(state);

	add(inventory, "ff0000000000");
	add(inventory, "000e08aabbcd");
	add(inventory, "000e08aabbcc");
	add(inventory, "7f0000000000");
	expect_macs(inventory,
	    "000e08aabbcc 000e08aabbcd 7f0000000000 "
	    "ff0000000000 ");
	add(inventory, "000000000000");
	expect_macs(inventory,
	    "000000000000 000e08aabbcc 000e08aabbcd "
	    "7f0000000000 ff0000000000 ");
}

static int
stop_at_second(const struct device *device, void *arg)
{
	int *count = arg;

	assert_string_equal(device->model, "SPA504G");
	return ++*count == 2 ? 42 : 0;
}

static int
stop_at_first_scope(const struct scope *scope, void *arg)
{
	assert_string_equal(scope->name, "a");
	++*(int *)arg;
	return 7;
}

static void
test_visits_end(void **state)
{
	struct inventory *inventory = get(state);
	struct error err = { 0 };
	int count = 0;

	add(inventory, "000e08aabbcc");
	add(inventory, "000e08aabbcd");
	add(inventory, "000e08aabbce");
	assert_int_equal(inventory_each_device(inventory, stop_at_second,
			     &count, &err),
	    42);
	assert_int_equal(count, 2);
	assert_int_equal(put_group(inventory, "a", "", &err), 0);
	assert_int_equal(put_group(inventory, "b", "", &err), 0);
	count = 0;
	assert_int_equal(inventory_each_scope(inventory, stop_at_first_scope,
			     &count, &err),
	    7);
	assert_int_equal(count, 1);
	/* After a visit that ended early, all can be changed and seen. */
	add(inventory, "000e08aabbcf");
	expect_macs(inventory,
	    "000e08aabbcc 000e08aabbcd 000e08aabbce "
	    "000e08aabbcf ");
}

static void
test_commit(void **state)
{
	struct inventory *inventory = get(state);
	struct error err = { 0 };
	uint64_t before = number(inventory);

	assert_int_equal(inventory_begin(inventory, &err), 0);
	add(inventory, "000e08aabbcc");
	add(inventory, "000e08aabbcd");
	/* It sees its own changes. */
	expect_macs(inventory, "000e08aabbcc 000e08aabbcd ");
	assert_int_equal(inventory_commit(inventory, &err), 0);
	expect_macs(inventory, "000e08aabbcc 000e08aabbcd ");
	assert_true(number(inventory) > before);

	before = number(inventory);
	assert_int_equal(inventory_begin(inventory, &err), 0);
	assert_int_equal(inventory_commit(inventory, &err), 0);
	assert_int_equal(number(inventory), before);
}

static void
test_rollback(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA962");
	struct error err = { 0 };
	uint64_t before;

	set(&device.variables, "a", "1");
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	add(inventory, "000e08aabbcd");
	assert_int_equal(put_group(inventory, "g", "", &err), 0);
	before = number(inventory);

	assert_int_equal(inventory_begin(inventory, &err), 0);
	set(&device.variables, "a", "2");
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
	set(&device.variables, "a", "3");
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
	device_clear(&device);
	device = make("000e08aabbcd", "");
	assert_int_equal(inventory_remove_device(inventory, &device.mac, &err),
	    0);
	add(inventory, "000e08aabbcd");
	add(inventory, "000e08aabbce");
	assert_int_equal(put_group(inventory, "h", "", &err), 0);
	assert_int_equal(put_group(inventory, "g", "h", &err), 0);
	inventory_rollback(inventory);
	inventory_rollback(inventory); /* once more does nothing */

	expect_macs(inventory, "000e08aabbcc 000e08aabbcd ");
	expect_scopes(inventory, "2:g< ");
	assert_int_equal(number(inventory), before);
	device.mac = mac("000e08aabbcc");
	assert_int_equal(inventory_get_device(inventory, &device.mac, &device,
			     &err),
	    0);
	assert_string_equal(device.model, "SPA962");
	assert_string_equal(variables_get(&device.variables, "a"), "1");
	device_clear(&device);
}

/* A refused change leaves the others of its transaction alone. */
static void
test_refusal_in_transaction(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA962");
	struct error err = { 0 };

	assert_int_equal(inventory_begin(inventory, &err), 0);
	add(inventory, "000e08aabbcc");
	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	device.mac = mac("000e08aabbcd");
	assert_int_equal(inventory_update_device(inventory, &device, &err), -1);
	assert_int_equal(inventory_remove_device(inventory, &device.mac, &err),
	    -1);
	assert_int_equal(put_group(inventory, "a", "b", &err), -1);
	add(inventory, "000e08aabbce");
	assert_int_equal(inventory_commit(inventory, &err), 0);
	expect_macs(inventory, "000e08aabbcc 000e08aabbce ");
}

static void
test_change_number(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA962");
	struct error err = { 0 };
	uint64_t before = number(inventory);

	add(inventory, "000e08aabbcc");
	assert_true(number(inventory) > before);
	before = number(inventory);
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
	assert_true(number(inventory) > before);
	before = number(inventory);
	assert_int_equal(put_group(inventory, "g", "", &err), 0);
	assert_true(number(inventory) > before);
	before = number(inventory);
	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	assert_int_equal(number(inventory), before);
	assert_int_equal(inventory_remove_device(inventory, &device.mac, &err),
	    0);
	assert_true(number(inventory) > before);
}

static void
test_read_only(void **state)
{
	const struct place *place = *state;
	const struct device device = make("000e08aabbcc", "SPA962");
	const struct scope scope = { .kind = SCOPE_DEFAULT };
	struct error err = { 0 };
	struct inventory *reader = inventory_open(place->uri, true, &err);

	assert_non_null(reader);
	assert_int_equal(inventory_begin(reader, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	err.kind = ERROR_NONE;
	assert_int_equal(inventory_add_device(reader, &device, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	err.kind = ERROR_NONE;
	assert_int_equal(inventory_update_device(reader, &device, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	err.kind = ERROR_NONE;
	assert_int_equal(inventory_remove_device(reader, &device.mac, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	err.kind = ERROR_NONE;
	assert_int_equal(inventory_put_scope(reader, &scope, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_string_equal(err.text, "the inventory is open for reading only");
	expect_macs(reader, "");
	inventory_close(reader);
}

/* The same random changes as a plain table of what has to be there. */
static void
test_against_table(void **state)
{
	struct inventory *inventory = get(state);
	bool there[16] = { false }, after[16] = { false };
	uint32_t random = 7;
	struct error err = { 0 };

	assert_int_equal(inventory_begin(inventory, &err), 0);
	for (int step = 0; step < 600; step++) {
		struct device device = make("020000000000", "SPA962");
		unsigned which, what;
		int rc;

		random = random * 1664525 + 1013904223;
		which = random >> 8 & 15;
		what = random >> 24 & 15;
		device.mac.octet[5] = (uint8_t)which;
		if (what < 7) {
			rc = inventory_add_device(inventory, &device, &err);
			assert_int_equal(rc, after[which] ? -1 : 0);
			after[which] = true;
		} else if (what < 12) {
			rc = inventory_remove_device(inventory, &device.mac,
			    &err);
			assert_int_equal(rc, after[which] ? 0 : -1);
			after[which] = false;
		} else if (what < 14) {
			assert_int_equal(inventory_commit(inventory, &err), 0);
			memcpy(there, after, sizeof(there));
			assert_int_equal(inventory_begin(inventory, &err), 0);
		} else {
			inventory_rollback(inventory);
			memcpy(after, there, sizeof(after));
			assert_int_equal(inventory_begin(inventory, &err), 0);
		}
		for (size_t i = 0; i < 16; i++) {
			device.mac.octet[5] = (uint8_t)i;
			rc = inventory_get_device(inventory, &device.mac,
			    &device, &err);
			assert_int_equal(rc, after[i] ? 0 : -1);
		}
	}
}

static int
write_kind(const struct device_kind *kind, void *arg)
{
	assert_int_equal(buf_printf(arg, "%lld %s %s %s, ",
			     (long long)kind->count, kind->model,
			     kind->firmware, device_state_name(kind->state)),
	    0);
	return 0;
}

static void
expect_kinds(struct inventory *inventory, const char *expected)
{
	struct error err = { 0 };
	struct buf buf;

	buf_init(&buf, 4096);
	assert_int_equal(inventory_each_kind(inventory, write_kind, &buf, &err),
	    0);
	assert_string_equal(buf_text(&buf), expected);
	buf_clear(&buf);
}

static int
stop_at_first_kind(const struct device_kind *kind, void *arg)
{
	assert_string_equal(kind->model, "SPA504G");
	++*(int *)arg;
	return 7;
}

static void
test_kinds(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcd", "SPA962");
	struct error err = { 0 };
	int count = 0;

	expect_kinds(inventory, "");
	add(inventory, "000e08aabbcc");
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	expect_kinds(inventory, "1 SPA504G  active, 1 SPA962  active, ");
	assert_int_equal(inventory_each_kind(inventory, stop_at_first_kind,
			     &count, &err),
	    7);
	assert_int_equal(count, 1);

	fill(device.model, "SPA504G");
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
	expect_kinds(inventory, "2 SPA504G  active, ");
	fill(device.firmware, "7.5.2b");
	device.state = DEVICE_RETIRED;
	assert_int_equal(inventory_begin(inventory, &err), 0);
	assert_int_equal(inventory_update_device(inventory, &device, &err), 0);
	/* It sees its own changes. */
	expect_kinds(inventory,
	    "1 SPA504G  active, 1 SPA504G 7.5.2b retired, ");
	add(inventory, "000e08aabbce");
	inventory_rollback(inventory);
	expect_kinds(inventory, "2 SPA504G  active, ");

	/* What is refused counts for nothing. */
	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	fill(device.group, "none");
	assert_int_equal(inventory_update_device(inventory, &device, &err), -1);
	device.mac = mac("000e08aabbff");
	assert_int_equal(inventory_update_device(inventory, &device, &err), -1);
	assert_int_equal(inventory_remove_device(inventory, &device.mac, &err),
	    -1);
	expect_kinds(inventory, "2 SPA504G  active, ");
	device.mac = mac("000e08aabbcc");
	assert_int_equal(inventory_remove_device(inventory, &device.mac, &err),
	    0);
	expect_kinds(inventory, "1 SPA504G  active, ");
}

struct sums {
	int64_t list[4][3][2]; /* by model, firmware and state */
};

static const char *const sum_models[] = { "PAP2T", "SPA2102", "SPA504G",
	"SPA962" };
static const char *const sum_firmwares[] = { "", "7.5.2b", "7.6.2" };

static int64_t *
find_sum(struct sums *sums, const char *model, const char *firmware,
    enum device_state device_state)
{
	size_t i = 0, j = 0;

	while (strcmp(sum_models[i], model) != 0)
		i++;
	while (strcmp(sum_firmwares[j], firmware) != 0)
		j++;
	return &sums->list[i][j][device_state];
}

static int
sum_device(const struct device *device, void *arg)
{
	++*find_sum(arg, device->model, device->firmware, device->state);
	return 0;
}

static int
sum_kind(const struct device_kind *kind, void *arg)
{
	assert_true(kind->count > 0);
	*find_sum(arg, kind->model, kind->firmware, kind->state) += kind->count;
	return 0;
}

/* After random changes the kinds are what a visit of all devices counts. */
static void
test_kinds_are_the_devices(void **state)
{
	struct inventory *inventory = get(state);
	struct error err = { 0 };
	uint32_t random = 5;

	assert_int_equal(inventory_begin(inventory, &err), 0);
	for (int step = 0; step < 600; step++) {
		struct device device = make("020000000000", "");
		struct sums devices = { 0 }, kinds = { 0 };
		unsigned what;

		random = random * 1664525 + 1013904223;
		what = random >> 24 & 15;
		device.mac.octet[5] = (uint8_t)(random >> 8 & 31);
		fill(device.model, sum_models[random >> 13 & 3]);
		fill(device.firmware, sum_firmwares[(random >> 15 & 7) % 3]);
		device.state = (enum device_state)(random >> 18 & 1);
		/* Some fail, because they are there or are not. */
		if (what < 6) {
			(void)!inventory_add_device(inventory, &device, &err);
		} else if (what < 10) {
			(void)!inventory_update_device(inventory, &device,
			    &err);
		} else if (what < 12) {
			(void)!inventory_remove_device(inventory, &device.mac,
			    &err);
		} else {
			if (what < 15)
				assert_int_equal(inventory_commit(inventory,
						     &err),
				    0);
			else
				inventory_rollback(inventory);
			assert_int_equal(inventory_begin(inventory, &err), 0);
		}
		if (what < 8 && step % 4 != 0)
			continue; /* let some changes add up */
		assert_int_equal(inventory_each_device(inventory, sum_device,
				     &devices, &err),
		    0);
		assert_int_equal(inventory_each_kind(inventory, sum_kind,
				     &kinds, &err),
		    0);
		assert_memory_equal(&devices, &kinds, sizeof(kinds));
	}
}

static void
test_close_rolls_back(void **state)
{
	struct place *place = *state;
	struct error err = { 0 };

	assert_int_equal(inventory_begin(place->inventory, &err), 0);
	add(place->inventory, "000e08aabbcc");
	inventory_close(place->inventory);
	place->inventory = inventory_open(place->uri, false, &err);
	assert_non_null(place->inventory);
	expect_macs(place->inventory, "");
}

static void
test_uris(void **state)
{
	static const char *const bad[] = { "", "memory", "memory:x", "sqlite",
		"sqlite:", "sqlite::memory:", "inventory.db", "postgres:x" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct error err = { 0 };

		assert_null(inventory_open(bad[i], false, &err));
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.text,
		    "expected sqlite:PATH or memory:"));
	}
	inventory_close(NULL);
}

static void
test_states(void **state)
{
	enum device_state value = DEVICE_ACTIVE;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(device_state_parse("retired", &value, &err), 0);
	assert_int_equal(value, DEVICE_RETIRED);
	assert_string_equal(device_state_name(value), "retired");
	assert_int_equal(device_state_parse("active", &value, &err), 0);
	assert_int_equal(value, DEVICE_ACTIVE);
	assert_string_equal(device_state_name(value), "active");
	assert_int_equal(device_state_parse("Active", &value, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_string_equal(err.text,
	    "\"Active\" is not a state: expected active or retired");
}

static int
put_kind(struct inventory *inventory, const char *name, const char *parent,
    enum group_kind kind, struct error *err)
{
	struct scope scope = { .kind = SCOPE_GROUP, .group_kind = kind };

	fill(scope.name, name);
	fill(scope.parent, parent);
	return inventory_put_scope(inventory, &scope, err);
}

/* Which kind of group may be below which. */
static void
test_group_kinds(void **state)
{
	static const struct {
		enum group_kind kind;
		const char *parent;
		bool good;
	} cases[] = {
		{ GROUP_PLAIN, "", true },
		{ GROUP_PLAIN, "plain", true },
		{ GROUP_PLAIN, "site", true },
		{ GROUP_PLAIN, "tenant", true },
		{ GROUP_SITE, "", true },
		{ GROUP_SITE, "plain", false },
		{ GROUP_SITE, "site", true },
		{ GROUP_SITE, "tenant", true },
		{ GROUP_TENANT, "", true },
		{ GROUP_TENANT, "plain", false },
		{ GROUP_TENANT, "site", false },
		{ GROUP_TENANT, "tenant", false },
	};
	struct inventory *inventory = get(state);
	struct error err = { 0 };
	struct scope scope;

	assert_int_equal(put_kind(inventory, "tenant", "", GROUP_TENANT, &err),
	    0);
	assert_int_equal(put_kind(inventory, "site", "tenant", GROUP_SITE,
			     &err),
	    0);
	assert_int_equal(put_kind(inventory, "plain", "site", GROUP_PLAIN,
			     &err),
	    0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int rc = put_kind(inventory, "new", cases[i].parent,
		    cases[i].kind, &err);

		assert_int_equal(rc, cases[i].good ? 0 : -1);
		if (rc != 0)
			assert_int_equal(err.kind, ERROR_INPUT);
	}
	/* What is below it counts too. */
	assert_int_equal(put_kind(inventory, "tenant", "", GROUP_PLAIN, &err),
	    -1);
	assert_string_equal(err.text,
	    "\"site\" is a site and \"tenant\" a group: the parent of a site "
	    "is "
	    "a tenant or a site");
	assert_int_equal(inventory_get_scope(inventory, SCOPE_GROUP, "site",
			     &scope, &err),
	    0);
	assert_int_equal(scope.group_kind, GROUP_SITE);
	scope_clear(&scope);
}

static void
test_tags(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA962"), got;
	struct scope scope = { .kind = SCOPE_TAG, .name = "lobby" };
	struct error err = { 0 };
	char *text;

	assert_int_equal(tags_parse(&device.tags, "vip, lobby,vip", &err), 0);
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	device_clear(&device);
	set(&scope.variables, "a", "1");
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	scope_clear(&scope);
	device = make("000e08aabbcc", "");
	assert_int_equal(inventory_get_device(inventory, &device.mac, &got,
			     &err),
	    0);
	text = tags_format(&got.tags);
	assert_string_equal(text, "vip,lobby");
	free(text);
	device_clear(&got);
	/* A removed tag is on no device any more, with variables or without. */
	assert_int_equal(inventory_remove_scope(inventory, SCOPE_TAG, "lobby",
			     &err),
	    0);
	assert_int_equal(inventory_remove_scope(inventory, SCOPE_TAG, "vip",
			     &err),
	    0);
	assert_int_equal(inventory_get_device(inventory, &device.mac, &got,
			     &err),
	    0);
	assert_int_equal(got.tags.count, 0);
	device_clear(&got);
	assert_int_equal(inventory_remove_scope(inventory, SCOPE_TAG, "vip",
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

static void
test_remove_groups(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA962");
	struct error err = { 0 };

	assert_int_equal(put_group(inventory, "top", "", &err), 0);
	assert_int_equal(put_group(inventory, "below", "top", &err), 0);
	fill(device.group, "below");
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	assert_int_equal(inventory_remove_scope(inventory, SCOPE_GROUP, "top",
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_int_equal(inventory_remove_scope(inventory, SCOPE_GROUP, "below",
			     &err),
	    -1);
	assert_non_null(strstr(err.text, "1 devices and 0 groups are in it"));
	assert_int_equal(inventory_remove_device(inventory, &device.mac, &err),
	    0);
	assert_int_equal(inventory_remove_scope(inventory, SCOPE_GROUP, "below",
			     &err),
	    0);
	assert_int_equal(inventory_remove_scope(inventory, SCOPE_GROUP, "top",
			     &err),
	    0);
	assert_int_equal(inventory_remove_scope(inventory, SCOPE_GROUP, "top",
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	/* A group that is gone takes no device. */
	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
}

static int
declare(struct inventory *inventory, const char *name, const char *text,
    struct error *err)
{
	struct type type;

	assert_int_equal(type_parse(&type, text, err), 0);
	return inventory_put_type(inventory, name, &type, err);
}

static void
test_types(void **state)
{
	struct inventory *inventory = get(state);
	struct device device = make("000e08aabbcc", "SPA962");
	struct scope scope = { .kind = SCOPE_DEFAULT };
	struct error err = { 0 };
	const struct types *types;

	assert_int_equal(declare(inventory, "Port", "integer 1..65535", &err),
	    0);
	assert_int_equal(declare(inventory, "Another", "boolean", &err), 0);
	types = inventory_types(inventory, &err);
	assert_non_null(types);
	assert_int_equal(types->count, 2);
	assert_string_equal(types->list[0].name, "Another");
	assert_string_equal(types_find(types, "Port")->text,
	    "integer 1..65535");
	set(&device.variables, "Port", "70000");
	assert_int_equal(inventory_add_device(inventory, &device, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_string_equal(err.text,
	    "Port=\"70000\": expected integer 1..65535");
	set(&device.variables, "Port", "5060");
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	set(&scope.variables, "Port", "x");
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	/* What is there already has to be of the type. */
	assert_int_equal(declare(inventory, "Port", "address", &err), -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_non_null(strstr(err.text, "(device 000e08aabbcc)"));
	types = inventory_types(inventory, &err);
	assert_string_equal(types_find(types, "Port")->text,
	    "integer 1..65535");
	assert_int_equal(inventory_put_type(inventory, "Port", NULL, &err), 0);
	assert_int_equal(inventory_put_type(inventory, "Port", NULL, &err), -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
	scope_clear(&scope);
	device_clear(&device);
}

static struct seal_key *
new_key(uint8_t seed)
{
	uint8_t bytes[SEAL_KEY_BYTES] = { seed };
	struct error err = { 0 };
	struct seal_key *key = seal_key_new(bytes, &err);

	assert_non_null(key);
	return key;
}

static void
expect_kept(struct inventory *inventory, const char *name, const char *value,
    bool sealed)
{
	struct device device = make("000e08aabbcc", "");
	struct error err = { 0 };
	struct device got;

	assert_int_equal(inventory_get_device(inventory, &device.mac, &got,
			     &err),
	    0);
	for (size_t i = 0; i < got.variables.count; i++) {
		if (strcmp(got.variables.list[i].name, name) != 0)
			continue;
		assert_int_equal(got.variables.list[i].sealed, sealed);
		if (sealed)
			assert_true(seal_text_is_sealed(got.variables.list[i]
							    .value,
			    NULL));
		else
			assert_string_equal(got.variables.list[i].value, value);
		device_clear(&got);
		return;
	}
	fail();
}

static void
test_secrets(void **state)
{
	struct inventory *inventory = get(state);
	struct seal_key *key = new_key(1), *other = new_key(2);
	struct device device = make("000e08aabbcc", "SPA962"), got;
	struct inventory_secrets secrets;
	struct error err = { 0 };
	size_t n = 0;

	set(&device.variables, "Password_1_", "s3cret");
	set(&device.variables, "Pass", "code");
	set(&device.variables, "name", "open");
	assert_int_equal(inventory_add_device(inventory, &device, &err), 0);
	assert_int_equal(inventory_clear_writes(inventory), 1);
	assert_int_equal(inventory_reseal(inventory, key, &n, &err), 0);
	assert_int_equal(n, 1);
	expect_kept(inventory, "Password_1_", "s3cret", false);
	assert_int_equal(inventory_use_key(inventory, other, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);

	/* Without the key: read as it is, and kept as it is. */
	assert_int_equal(inventory_use_key(inventory, NULL, &err), 0);
	expect_kept(inventory, "Password_1_", NULL, true);
	expect_kept(inventory, "name", "open", false);
	assert_int_equal(inventory_get_device(inventory, &device.mac, &got,
			     &err),
	    0);
	set(&got.variables, "name", "new");
	assert_int_equal(inventory_update_device(inventory, &got, &err), 0);
	set(&got.variables, "Password_1_", "in clear");
	assert_int_equal(inventory_update_device(inventory, &got, &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	device_clear(&got);
	/* Declaring a secret seals what is there: not without the key. */
	assert_int_equal(declare(inventory, "Pass", "secret", &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_false(inventory_is_secret(inventory, "Pass"));

	assert_int_equal(inventory_use_key(inventory, key, &err), 0);
	expect_kept(inventory, "Password_1_", "s3cret", false);
	expect_kept(inventory, "name", "new", false);
	assert_int_equal(declare(inventory, "Pass", "secret", &err), 0);
	assert_true(inventory_is_secret(inventory, "Pass"));
	assert_int_equal(inventory_count_secrets(inventory, &secrets, &err), 0);
	assert_int_equal(secrets.sealed, 2);
	assert_int_equal(secrets.clear, 0);
	assert_int_equal(declare(inventory, "Password_1_", "text", &err), 0);
	assert_int_equal(inventory_count_secrets(inventory, &secrets, &err), 0);
	assert_int_equal(secrets.sealed, 1);
	expect_kept(inventory, "Password_1_", "s3cret", false);
	device_clear(&device);
	seal_key_release(key);
	seal_key_release(other);
}

#define BOTH(test) \
	cmocka_unit_test_setup_teardown(test, set_up_memory, tear_down), \
	    cmocka_unit_test_setup_teardown(test, set_up_sqlite, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_empty),
		BOTH(test_device),
		BOTH(test_update),
		BOTH(test_missing_group),
		BOTH(test_bad_devices),
		BOTH(test_scopes),
		BOTH(test_long_names),
		BOTH(test_bad_scopes),
		BOTH(test_circle),
		BOTH(test_depth),
		BOTH(test_order),
		BOTH(test_visits_end),
		BOTH(test_commit),
		BOTH(test_rollback),
		BOTH(test_refusal_in_transaction),
		BOTH(test_change_number),
		BOTH(test_read_only),
		BOTH(test_against_table),
		BOTH(test_kinds),
		BOTH(test_kinds_are_the_devices),
		BOTH(test_close_rolls_back),
		BOTH(test_group_kinds),
		BOTH(test_tags),
		BOTH(test_remove_groups),
		BOTH(test_types),
		BOTH(test_secrets),
		cmocka_unit_test(test_uris),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
