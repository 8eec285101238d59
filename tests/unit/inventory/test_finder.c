#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/finder.h"
#include "inventory/inventory.h"
#include "inventory/resyncs.h"
#include "inventory/snapshot.h"
#include "scratch.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define fill(field, text) (void)snprintf(field, sizeof(field), "%s", text)

static void
put_group(struct inventory *inventory, const char *name, const char *parent)
{
	struct scope scope = { .kind = SCOPE_GROUP };
	struct error err;

	fill(scope.name, name);
	fill(scope.parent, parent);
	assert_int_equal(inventory_put_scope(inventory, &scope, &err), 0);
}

/* Five devices; the finder holds all that it needs. */
static struct finder *
make(void)
{
	static const struct {
		const char *mac, *model, *serial, *group;
		enum device_state state;
	} devices[] = {
		{ "000e08000001", "SPA504G", "CBT1", "berlin", DEVICE_ACTIVE },
		{ "000e08000002", "SPA504G", "CBT22", "munich", DEVICE_ACTIVE },
		{ "000e08000003", "SPA962", "", "", DEVICE_ACTIVE },
		{ "000e08aabbcc", "SPA962", "FLI9", "mitte", DEVICE_RETIRED },
		{ "1c2d3e4f5a6b", "CP-7841-3PCC", "CBT1", "berlin",
		    DEVICE_ACTIVE },
	};
	struct error err;
	struct inventory *inventory = inventory_open("memory:", false, &err);
	struct snapshot *snapshot;
	struct finder *finder;

	put_group(inventory, "berlin", "");
	put_group(inventory, "mitte", "berlin");
	put_group(inventory, "munich", "");
	for (size_t i = 0; i < COUNT(devices); i++) {
		struct device device = { .state = devices[i].state };

		assert_int_equal(mac_parse(&device.mac, devices[i].mac, &err),
		    0);
		fill(device.model, devices[i].model);
		fill(device.serial, devices[i].serial);
		fill(device.group, devices[i].group);
		assert_int_equal(inventory_add_device(inventory, &device, &err),
		    0);
	}
	snapshot = snapshot_load(inventory, &err);
	assert_non_null(snapshot);
	finder = finder_new(snapshot);
	snapshot_release(snapshot);
	inventory_close(inventory);
	return finder;
}

static void
test_find(void **state)
{
	static const struct {
		const char *text, *model, *group, *below;
		int wanted_state;
		size_t total;
		const char *first; /* MAC */
	} cases[] = {
		{ NULL, NULL, NULL, NULL, -1, 5, "000e08000001" },
		{ "", NULL, NULL, NULL, -1, 5, "000e08000001" },
		/* Any part of a MAC, however spelled. */
		{ "aabbcc", NULL, NULL, NULL, -1, 1, "000e08aabbcc" },
		{ "AA:BB", NULL, NULL, NULL, -1, 1, "000e08aabbcc" },
		{ "0e-08", NULL, NULL, NULL, -1, 4, "000e08000001" },
		{ "1c2d3e4f5a6b", NULL, NULL, NULL, -1, 1, "1c2d3e4f5a6b" },
		{ "01c2d3e4f5a6b", NULL, NULL, NULL, -1, 0, NULL },
		/* Serial numbers, models, groups. */
		{ "cbt", NULL, NULL, NULL, -1, 3, "000e08000001" },
		{ "t22", NULL, NULL, NULL, -1, 1, "000e08000002" },
		{ "fli9", NULL, NULL, NULL, -1, 1, "000e08aabbcc" },
		{ "3pcc", NULL, NULL, NULL, -1, 1, "1c2d3e4f5a6b" },
		{ "MUN", NULL, NULL, NULL, -1, 1, "000e08000002" },
		{ "nothing", NULL, NULL, NULL, -1, 0, NULL },
		/* Filters. */
		{ NULL, "spa962", NULL, NULL, -1, 2, "000e08000003" },
		{ NULL, "SPA9", NULL, NULL, -1, 0, NULL },
		{ NULL, NULL, "berlin", NULL, -1, 3, "000e08000001" },
		{ NULL, NULL, "mitte", NULL, -1, 1, "000e08aabbcc" },
		{ NULL, NULL, "nowhere", NULL, -1, 0, NULL },
		{ NULL, NULL, NULL, "berlin", -1, 3, "000e08000001" },
		{ NULL, NULL, "munich", "berlin", -1, 0, NULL },
		{ NULL, NULL, NULL, NULL, DEVICE_RETIRED, 1, "000e08aabbcc" },
		{ "cbt1", "SPA504G", "berlin", NULL, DEVICE_ACTIVE, 1,
		    "000e08000001" },
	};
	struct finder *finder = make();
	struct finder_match list[8];
	char mac[MAC_TEXT_BYTES];
	size_t total;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct finder_query query = {
			.text = cases[i].text,
			.model = cases[i].model,
			.group = cases[i].group,
			.below = cases[i].below,
			.state = cases[i].wanted_state,
			.limit = COUNT(list),
		};

		assert_int_equal(finder_find(finder, &query, list, &total),
		    cases[i].total);
		assert_int_equal(total, cases[i].total);
		if (cases[i].first == NULL)
			continue;
		mac_format(&list[0].device->mac, mac);
		assert_string_equal(mac, cases[i].first);
	}
	finder_release(finder);
}

static void
test_pages(void **state)
{
	struct finder *finder = make();
	struct finder_query query = { .state = -1, .limit = 2 };
	struct finder_match list[2];
	struct mac after;
	size_t total, seen = 0, n;

	(void)state;
	while ((n = finder_find(finder, &query, list, &total)) > 0) {
		assert_int_equal(total, 5);
		seen += n;
		after = list[n - 1].device->mac;
		query.after = &after;
	}
	assert_int_equal(seen, 5);
	finder_release(finder);
}

/* What is added to one finder, without a look at what it knows, is not in the
 * one before it. */
static void
see_again(struct finder *before, struct resyncs *resyncs)
{
	struct resync row = { .listener = "b", .status = 200, .at = 1100 };
	struct finder *finder = finder_again(before);
	struct finder_totals totals;
	struct finder_match match;
	struct error err;

	assert_int_equal(mac_parse(&row.mac, "000e08000002", &err), 0);
	assert_int_equal(resyncs_put(resyncs, &row, 1, &err), 0);
	row.at = 1049;
	assert_int_equal(mac_parse(&row.mac, "000e08000003", &err), 0);
	assert_int_equal(resyncs_put(resyncs, &row, 1, &err), 0);
	finder_totals(finder, NULL, 1000, &totals);
	assert_int_equal(totals.failing, 1);
	finder_release(finder);

	finder = finder_again(before);
	assert_int_equal(finder_see(finder, resyncs, 1050, &err), 0);
	finder_totals(finder, NULL, 1000, &totals);
	assert_int_equal(totals.devices, 5);
	assert_int_equal(totals.served, 2);
	assert_int_equal(totals.failing, 0);
	assert_int_equal(totals.never, 2); /* that row is older */
	finder_totals(finder, NULL, 1001, &totals);
	assert_int_equal(totals.today, 1);
	finder_totals(before, NULL, 1000, &totals);
	assert_int_equal(totals.failing, 1);
	assert_true(finder_get(finder, &row.mac, &match));
	assert_int_equal(match.standing, STANDING_NEVER);
	assert_int_equal(finder_change_number(finder),
	    finder_change_number(before));
	finder_release(finder);
}

static void
test_seen(void **state)
{
	static const struct {
		const char *mac, *listener;
		int status;
		time_t at;
		enum finder_standing standing;
	} rows[] = {
		{ "000e08000001", "a", 200, 1000, STANDING_SERVED },
		{ "000e08000002", "a", 200, 1000, STANDING_FAILING },
		{ "000e08000002", "b", 403, 1001, STANDING_FAILING },
		{ "000e08aabbcc", "b", 404, 900, STANDING_SERVED },
		{ "000e08aabbcc", "a", 200, 901, STANDING_SERVED },
		{ "ffffffffffff", "a", 200, 901, STANDING_NEVER },
	};
	char *folder = scratch_make();
	char *path = xasprintf("%s/resyncs.db", folder);
	struct error err;
	struct resyncs *resyncs = resyncs_open(path, false, &err);
	struct finder *finder = make();
	struct finder_totals totals;
	struct finder_match match;
	struct mac mac;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct resync row = { .status = rows[i].status,
			.at = rows[i].at };

		assert_int_equal(mac_parse(&row.mac, rows[i].mac, &err), 0);
		fill(row.listener, rows[i].listener);
		assert_int_equal(resyncs_put(resyncs, &row, 1, &err), 0);
	}
	assert_int_equal(finder_see(finder, resyncs, 0, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(mac_parse(&mac, rows[i].mac, &err), 0);
		if (rows[i].standing == STANDING_NEVER) {
			assert_false(finder_get(finder, &mac, &match));
			continue;
		}
		assert_true(finder_get(finder, &mac, &match));
		assert_int_equal(match.standing, rows[i].standing);
	}
	finder_totals(finder, NULL, 1000, &totals);
	assert_int_equal(totals.devices, 5);
	assert_int_equal(totals.retired, 1);
	assert_int_equal(totals.never, 2);
	assert_int_equal(totals.served, 1);
	assert_int_equal(totals.failing, 1);
	assert_int_equal(totals.today, 2);
	finder_totals(finder, "berlin", 1001, &totals);
	assert_int_equal(totals.devices, 3);
	assert_int_equal(totals.today, 0);
	see_again(finder, resyncs);
	finder_release(finder);
	resyncs_close(resyncs);
	free(path);
	scratch_remove(folder);
}

static void
add_up(const char *name, size_t count, void *arg)
{
	size_t *sums = arg;

	sums[0] += count;
	sums[1] += strcmp(name, "berlin") == 0 || strcmp(name, "SPA504G") == 0 ?
	    count :
	    0;
}

/* Any part of any address finds it, and no other part does. */
static void
test_parts_of_addresses(void **state)
{
	static const char *const macs[] = { "000e08000001", "000e08000002",
		"000e08000003", "000e08aabbcc", "1c2d3e4f5a6b" };
	struct finder *finder = make();
	struct finder_match match;
	uint32_t random = 9;
	size_t total;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		struct finder_query query = { .state = -1, .limit = 1 };
		char text[13] = "";
		size_t len, expected = 0;

		random = random * 1664525 + 1013904223;
		len = 1 + (random >> 8) % 12;
		(void)snprintf(text, sizeof(text), "%.*s", (int)len,
		    macs[(random >> 12) % COUNT(macs)] +
			(random >> 16) % (13 - len));
		if ((random >> 20 & 1) != 0)
			text[(random >> 21) % len] =
			    "0123456789abcdef"[random >> 24 & 15];
		for (size_t i = 0; i < COUNT(macs); i++)
			expected += strstr(macs[i], text) != NULL;
		if (len < 3 || text[0] == 'c') /* groups, models, serials */
			continue;
		query.text = text;
		(void)finder_find(finder, &query, &match, &total);
		if (total != expected)
			print_error("%s\n", text);
		assert_int_equal(total, expected);
	}
	finder_release(finder);
}

static void
test_names(void **state)
{
	struct finder *finder = make();
	size_t groups[2] = { 0 }, models[2] = { 0 };

	(void)state;
	finder_each_group(finder, add_up, groups);
	assert_int_equal(groups[0], 5);
	assert_int_equal(groups[1], 2);
	finder_each_model(finder, "berlin", add_up, models);
	assert_int_equal(models[0], 3);
	assert_int_equal(models[1], 1);
	finder_release(finder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_seen),
		cmocka_unit_test(test_parts_of_addresses),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
