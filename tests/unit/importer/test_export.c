#include "reading.h"

#include <stdio.h>

static struct fleet *
read_text(const char *text, size_t len)
{
	struct importer_options options = { 0 };
	struct fleet *fleet = fleet_new();

	import_export_text(fleet, "e.json", 0600, text, len, &options);
	return fleet;
}

#define DEVICE "{\"mac\":\"000e08aabbcc\",\"model\":\"SPA504G\"}"

static const char whole[] =
    "{\"types\":{\"vlan\":\"integer 1..4094\"},\n"
    "\"scopes\":[\n"
    "{\"target\":\"default\",\"variables\":{\"ntp_server\":\"192.0.2.1\"}},\n"
    "{\"target\":\"group:site\",\"kind\":\"site\",\"parent\":\"acme\","
    "\"variables\":{\"empty\":\"\"}},\n"
    "{\"target\":\"group:acme\",\"kind\":\"tenant\",\"parent\":\"\","
    "\"variables\":{}},\n"
    "{\"target\":\"tag:vip\",\"variables\":{\"ring\":\"loud\"}}],\n"
    "\"devices\":[\n"
    "{\"mac\":\"00:0E:08:AA:BB:CC\",\"model\":\"spa504g\",\"firmware\":"
    "\"7.5.4\",\"serial\":\"CCQ1\",\"group\":\"site\",\"tags\":[\"vip\"],"
    "\"state\":\"retired\",\"variables\":{\"vlan\":\"7\"}}]}\n";

static void
test_whole(void **state)
{
	struct fleet *fleet = read_text(whole, strlen(whole));
	struct inventory *inventory;
	struct fleet_counts counts = { 0 };
	const struct device *device;
	struct scope scope;
	struct error err = { 0 };

	(void)state;
	assert_good(fleet);
	assert_int_equal(fleet_count(fleet, FLEET_LEFT_OUT), 0);
	device = device_of(fleet, "000e08aabbcc");
	assert_string_equal(device->model, "SPA504G");
	assert_string_equal(device->firmware, "7.5.4");
	assert_int_equal(device->state, DEVICE_RETIRED);
	assert_true(tags_have(&device->tags, "vip"));
	inventory = inventory_open("memory:", false, &err);
	assert_non_null(inventory);
	assert_int_equal(fleet_commit(fleet, inventory, false, true, &counts),
	    0);
	/* The same again changes nothing. */
	assert_int_equal(fleet_commit(fleet, inventory, true, true, &counts),
	    0);
	assert_int_equal(counts.same, 1);
	assert_int_equal(inventory_get_scope(inventory, SCOPE_GROUP, "site",
			     &scope, &err),
	    0);
	assert_int_equal(scope.group_kind, GROUP_SITE);
	assert_string_equal(scope.parent, "acme");
	assert_string_equal(variables_get(&scope.variables, "empty"), "");
	scope_clear(&scope);
	assert_string_equal(types_find(inventory_types(inventory, &err), "vlan")
				->text,
	    "integer 1..4094");
	inventory_close(inventory);
	fleet_free(fleet);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "e.json:1: expected \"{\", but the file ends" },
		{ "[]", "e.json:1: expected \"{\"" },
		{ "{}", "e.json: it is empty" },
		{ "{\"devices\":[\n" DEVICE ",\n" DEVICE "]}",
		    "e.json:3: the device is at e.json:2 already" },
		{ "{\"devices\":[" DEVICE, "e.json:1: expected \",\", but" },
		{ "{\"devices\":[" DEVICE "]} x", "behind the last" },
		{ "{\"devices\":[\n{\"mac\":\"1\" 2}]}", "e.json:2:1" },
		{ "{\"devices\":{}}", "e.json:1: expected \"[\"" },
		{ "{\"devices\":[\n7]}", "e.json:2: \"devices\": expected" },
		{ "{\"devices\":[{\"mac\":\"00:0e\"}]}", "\"mac\": expected" },
		{ "{\"devices\":[{\"mac\":7}]}", "\"mac\": expected a text" },
		{ "{\"devices\":[{\"mac\":\"000e08aabbcc\"}]}",
		    "nothing tells the model" },
		{ "{\"devices\":[{\"mac\":\"000e08aabbcc\",\"model\":"
		  "\"SPA504X\"}]}",
		    "did you mean SPA504G?" },
		{ "{\"devices\":[{\"mac\":\"000e08aabbcc\",\"model\":"
		  "\"SPA504G\",\"state\":\"gone\"}]}",
		    "e.json:1: " },
		{ "{\"devices\":[{\"mac\":\"000e08aabbcc\",\"model\":"
		  "\"SPA504G\",\"firmware\":\"?\"}]}",
		    "e.json:1: " },
		{ "{\"devices\":[{\"mac\":\"000e08aabbcc\",\"model\":"
		  "\"SPA504G\",\"tags\":\"a\"}]}",
		    "\"tags\": expected a list" },
		{ "{\"devices\":[{\"mac\":\"000e08aabbcc\",\"model\":"
		  "\"SPA504G\",\"tags\":[1]}]}",
		    "\"tags\": expected texts" },
		{ "{\"devices\":[{\"mac\":\"000e08aabbcc\",\"model\":"
		  "\"SPA504G\",\"variables\":{\"a\":1}}]}",
		    "the variable \"a\": expected a text" },
		{ "{\"scopes\":[{\"target\":\"site:x\"}]}",
		    "\"target\": \"site:x\": expected group:NAME" },
		{ "{\"scopes\":[{\"target\":\"group:x\",\"kind\":\"town\"}]}",
		    "e.json:1: " },
		{ "{\"types\":{\"a\":\"number\"}}", "the type of \"a\"" },
		{ "{\"types\":[]}", "\"types\": expected an object" },
		{ "{7:1}", "expected a name in quotes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fleet *fleet = read_text(cases[i].text,
		    strlen(cases[i].text));
		const char *said = fleet_remark(fleet, FLEET_ERROR, 0);

		if (said == NULL || strstr(said, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text,
			    said != NULL ? said : "(taken)");
		fleet_free(fleet);
	}
}

/* Of a later version: the rest is taken. */
static void
test_unknown_members(void **state)
{
	static const char text[] = "\xef\xbb\xbf{\"later\":{\"a\":[1]},"
				   "\"devices\":[" DEVICE "]}";
	struct fleet *fleet = read_text(text, strlen(text));

	(void)state;
	assert_good(fleet);
	assert_int_equal(fleet_device_count(fleet), 1);
	assert_int_equal(fleet_count(fleet, FLEET_LEFT_OUT), 1);
	fleet_free(fleet);
}

/* What is declared, or set on many, otherwise is not changed unasked. */
static void
test_conflicts(void **state)
{
	static const char other[] = "{\"types\":{\"vlan\":\"text\"},\"scopes\":"
				    "[{\"target\":\"tag:vip\","
				    "\"variables\":{\"ring\":\"low\"}}]}";
	struct error err = { 0 };
	struct inventory *inventory = inventory_open("memory:", false, &err);
	struct fleet *one = read_text(whole, strlen(whole));
	struct fleet *two = read_text(other, strlen(other));
	struct fleet_counts counts;

	(void)state;
	assert_non_null(inventory);
	assert_int_equal(fleet_commit(one, inventory, false, true, &counts), 0);
	assert_int_equal(fleet_commit(two, inventory, false, true, &counts),
	    -1);
	assert_int_equal(fleet_count(two, FLEET_ERROR), 2);
	assert_non_null(strstr(fleet_remark(two, FLEET_ERROR, 0), "vlan"));
	assert_non_null(strstr(fleet_remark(two, FLEET_ERROR, 1), "tag:vip"));
	fleet_free(two);
	two = read_text(other, strlen(other));
	assert_int_equal(fleet_commit(two, inventory, true, true, &counts), 0);
	inventory_close(inventory);
	fleet_free(one);
	fleet_free(two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unknown_members),
		cmocka_unit_test(test_conflicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
