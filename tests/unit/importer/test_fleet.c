#include "reading.h"

#include <stdio.h>

#include "spa/registry.h"

static void
test_models(void **state)
{
	static const struct {
		const char *given, *model;
	} cases[] = {
		{ "cisco/spa504g", "SPA504G" },
		{ "Cisco SPA504G", "SPA504G" },
		{ "linksys/spa-942", "SPA942" },
		{ "SPA112-1.4.1(SR5)", "SPA112" },
		{ "tftpboot/SPA504G/000e08aabbcc.xml", "SPA504G" },
		{ "spa525g2_000e08aabbcc.cfg", "SPA525G2" },
		{ "ata192", "ATA192-MPP" },
		{ "ATA191-MPP-11-1-0-MSR4", "ATA191-MPP" },
		{ "/Cisco/CP-8841-3PCC/000e08aabbcc.cfg", "CP-8841-3PCC" },
		{ "8841-3PCC.xml", "CP-8841-3PCC" },
		{ "cisco/8841", "CP-8841-3PCC" },
		{ "cisco/7960", NULL },
		{ "yealink/t42s", NULL },
		{ "", NULL },
		{ "----", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct model *model = fleet_find_model(cases[i].given);

		assert_string_equal(model != NULL ? model->name : "",
		    cases[i].model != NULL ? cases[i].model : "");
	}
}

static void
test_macs(void **state)
{
	static const char *const good[] = { "000e08aabbcc", "000E08AABBCC",
		"00:0e:08:AA:bb:cc", "00-0e-08-aa-bb-cc", "000e.08aa.bbcc" };
	static const char *const bad[] = { "", "000e08aabbc", "000e08aabbccd",
		"000e08aabbcg", "00/0e/08/aa/bb/cc" };
	struct mac mac;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct mac expected = mac_of("000e08aabbcc");

		assert_true(fleet_read_mac(&mac, good[i]));
		assert_true(mac_equal(&mac, &expected));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(fleet_read_mac(&mac, bad[i]));
}

static struct fleet *
two_devices(void)
{
	static const char *const macs[] = { "000e08aabbcc", "000e08aabbcd" };
	struct fleet *fleet = fleet_new();
	struct scope *group = fleet_scope(fleet, SCOPE_GROUP, "child");

	memcpy(group->parent, "parent", sizeof("parent"));
	fleet_set(fleet, &fleet_scope(fleet, SCOPE_GROUP, "parent")->variables,
	    "proxy", "p", "here");
	for (size_t i = 0; i < 2; i++) {
		struct mac mac = mac_of(macs[i]);
		struct device *device = fleet_add(fleet, &mac, macs[i]);

		memcpy(device->model, "SPA504G", sizeof("SPA504G"));
		memcpy(device->group, "child", sizeof("child"));
		fleet_set_line(fleet, &device->variables, "user_id", 2, "u",
		    "here");
	}
	return fleet;
}

static int
count(const struct device *device, void *arg)
{
	(void)device;
	++*(size_t *)arg;
	return 0;
}

static size_t
devices_in(struct inventory *inventory)
{
	size_t found = 0;
	struct error err = { 0 };

	assert_int_equal(inventory_each_device(inventory, count, &found, &err),
	    0);
	return found;
}

/* All or nothing; a trial changes nothing; a second time is refused, or
 * changes what is there. */
static void
test_commit(void **state)
{
	struct error err = { 0 };
	struct inventory *inventory = inventory_open("memory:", false, &err);
	struct fleet_counts counts = { 0 };
	struct fleet *fleet = two_devices();
	struct mac mac = mac_of("000e08aabbcd");
	struct device device;

	(void)state;
	assert_non_null(inventory);
	assert_int_equal(fleet_commit(fleet, inventory, false, false, &counts),
	    0);
	assert_int_equal(devices_in(inventory), 0);
	assert_int_equal(fleet_commit(fleet, inventory, false, true, &counts),
	    0);
	assert_int_equal(counts.added, 2);
	assert_int_equal(counts.groups, 2);
	assert_int_equal(devices_in(inventory), 2);

	assert_int_equal(fleet_commit(fleet, inventory, true, true, &counts),
	    0);
	assert_int_equal(counts.same, 2);

	/* One of the two is new: it must not get in. */
	assert_int_equal(inventory_remove_device(inventory, &mac, &err), 0);
	assert_int_equal(fleet_commit(fleet, inventory, false, true, &counts),
	    -1);
	assert_true(is_said(fleet, FLEET_ERROR, "--update"));
	assert_int_equal(devices_in(inventory), 1);
	fleet_free(fleet);

	fleet = two_devices();
	fleet_set(fleet, &fleet_find(fleet, &mac)->variables, "user_id_2", "v",
	    "here");
	assert_int_equal(fleet_commit(fleet, inventory, true, true, &counts),
	    0);
	assert_int_equal(counts.added, 1);
	assert_int_equal(counts.same, 1);
	assert_int_equal(inventory_get_device(inventory, &mac, &device, &err),
	    0);
	assert_string_equal(variables_get(&device.variables, "user_id_2"), "v");
	device_clear(&device);
	fleet_free(fleet);
	inventory_close(inventory);
}

static void
test_leaks(void **state)
{
	struct fleet *fleet = fleet_new();
	const struct fleet_leak *leak;

	(void)state;
	fleet_leak(fleet, "a", 0644, "Password_1_", 1, "chmod");
	fleet_leak(fleet, "a", 0644, "Password_1_", 2, "chmod");
	fleet_leak(fleet, "a", 0644, "Password_10_", 1, "chmod");
	assert_int_equal(fleet_leak_count(fleet), 1);
	leak = fleet_leak_at(fleet, 0);
	assert_string_equal(leak->parameters, "Password_1_, Password_10_");
	assert_int_equal(leak->devices, 2);
	for (int i = 0; i < 100; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "Password_%d_", i);
		fleet_leak(fleet, "a", 0644, name, 1, "chmod");
	}
	assert_true(strlen(leak->parameters) < 256);
	assert_non_null(strstr(leak->parameters, ", ..."));
	fleet_free(fleet);
}

static void
test_templates(void **state)
{
	struct fleet *fleet = fleet_new();

	(void)state;
	fleet_template(fleet, "a.xml", "x");
	fleet_template(fleet, "a.xml", "x");
	assert_int_equal(fleet_template_count(fleet), 1);
	assert_good(fleet);
	fleet_template(fleet, "a.xml", "y");
	assert_refused(fleet, "a.xml: two different templates");
	fleet_free(fleet);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_commit),
		cmocka_unit_test(test_leaks),
		cmocka_unit_test(test_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
