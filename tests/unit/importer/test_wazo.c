#include "reading.h"

#include <stdio.h>

#include "base/buf.h"

static struct fleet *
read_text(const char *text, size_t len)
{
	struct importer_options options = { 0 };
	struct fleet *fleet = fleet_new();

	import_wazo_text(fleet, "w.json", 0640, text, len, &options);
	return fleet;
}

#define DEVICE(config) \
	"{\"mac\":\"00:0e:08:aa:bb:cc\",\"model\":\"SPA504G\",\"config\":" \
	"\"" config "\"}"

static void
test_inheritance(void **state)
{
	static const char text[] = "{\"devices\":[" DEVICE(
	    "c") "],\"configs\":["
		 "{\"id\":\"c\",\"parent_id\":\"site\",\"raw_config\":{"
		 "\"sip_lines\":{\"2\":{\"username\":\"u2\",\"proxy_ip\":"
		 "\"p2\","
		 "\"proxy_port\":5070}}}},"
		 "{\"id\":\"site\",\"parent_ids\":[\"base\"],\"raw_config\":{"
		 "\"sip_proxy_ip\":\"p1\",\"vlan_id\":7,\"sip_subscribe_mwi\":"
		 "true}},"
		 "{\"id\":\"base\",\"parent_ids\":[],\"raw_config\":{"
		 "\"ntp_enabled\":false,\"ntp_ip\":\"n\",\"locale\":null}}]}";
	struct fleet *fleet = read_text(text, strlen(text));
	const struct scope *site;

	(void)state;
	assert_good(fleet);
	assert_string_equal(device_of(fleet, "000e08aabbcc")->group, "site");
	assert_string_equal(variable_of(fleet, "000e08aabbcc", "user_id_2"),
	    "u2");
	assert_string_equal(variable_of(fleet, "000e08aabbcc", "proxy_2"),
	    "p2:5070");
	assert_int_equal(fleet_scope_count(fleet), 2);
	site = fleet_scope(fleet, SCOPE_GROUP, "site");
	assert_string_equal(site->parent, "base");
	assert_string_equal(variables_get(&site->variables, "proxy"), "p1");
	assert_string_equal(variables_get(&site->variables, "vlan_id"), "7");
	assert_string_equal(variables_get(&site->variables,
				"sip_subscribe_mwi"),
	    "yes");
	/* What is not enabled is nothing. */
	assert_int_equal(fleet_scope(fleet, SCOPE_GROUP, "base")
			     ->variables.count,
	    0);
	fleet_free(fleet);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "w.json:1:0: " }, { "{\"devices\": [}", "w.json:1:" },
		{ "{}", "no device was found" },
		{ "[1]", "w.json: [0]: expected an object" },
		{ "{\"devices\": 1}", "devices: expected a list" },
		{ "{\"a\":1,\"a\":2}", "w.json:1:" },
		{ "{\"devices\":[{\"mac\":\"00:0e:08\"}]}",
		    "devices[0]: mac: expected 12 hex digits" },
		{ "{\"devices\":[{\"mac\":7}]}", "devices[0]: mac" },
		{ "{\"devices\":[{\"mac\":\"000e08aabbcc\"}]}",
		    "devices[0]: nothing tells the model" },
		{ "{\"devices\":[" DEVICE("c") "," DEVICE("c") "]}",
		    "w.json: devices[1]: the device is at w.json: devices[0] "
		    "already" },
		{ "{\"devices\":[" DEVICE("c") "],\"configs\":[{\"id\":\"c\","
					       "\"parent_id\":\"x\","
					       "\"raw_config\":{}}]}",
		    "configs[0]: the config \"x\" is not among what was read" },
		{ "{\"devices\":[" DEVICE("c") "],\"configs\":[{\"id\":\"c\","
					       "\"raw_config\":1}]}",
		    "configs[0]: a config needs" },
		{ "{\"devices\":[" DEVICE("c") "],\"configs\":[{\"id\":\"c\","
					       "\"raw_config\":{}},{\"id\":"
					       "\"c\","
					       "\"raw_config\":{}}]}",
		    "configs[1]: the id \"c\" is that of another config" },
		{ "{\"devices\":[" DEVICE("c") "],\"configs\":[{\"id\":\"c\","
					       "\"raw_config\":"
					       "{\"sip_lines\":{\"x\":{}}}}]}",
		    "raw_config.sip_lines: the number of a line" },
		{ "{\"devices\":[" DEVICE("c") "],\"configs\":[{\"id\":\"c\","
					       "\"raw_config\":"
					       "{\"sip_lines\":{\"1\":{"
					       "\"username\":\"\\u0001\"}}}}]"
					       "}",
		    "user_id holds a control character" },
		{ "{\"devices\":[" DEVICE("c") "],\"configs\":[{\"id\":\"c\","
					       "\"raw_config\":{\"a b\":1}}]}",
		    "\"a b\" is not the name of a variable" },
		{ "{\"devices\":[\"\xfc\"]}", "w.json:1:" }, /* Latin-1 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fleet *fleet = read_text(cases[i].text,
		    strlen(cases[i].text));

		assert_refused(fleet, cases[i].says);
		fleet_free(fleet);
	}
}

/* A circle of parents ends; so does a nest of brackets. */
static void
test_deep(void **state)
{
	static const char circle[] = "{\"devices\":[" DEVICE(
	    "a") "],\"configs\":["
		 "{\"id\":\"a\",\"parent_id\":\"b\",\"raw_config\":{}},"
		 "{\"id\":\"b\",\"parent_id\":\"a\",\"raw_config\":{}}]}";
	struct fleet *fleet = read_text(circle, strlen(circle));
	struct inventory *inventory;
	struct fleet_counts counts = { 0 };
	struct error err = { 0 };
	char *deep = malloc(100000);

	(void)state;
	inventory = inventory_open("memory:", false, &err);
	assert_non_null(inventory);
	assert_int_equal(fleet_commit(fleet, inventory, false, true, &counts),
	    -1);
	fleet_free(fleet);
	inventory_close(inventory);

	assert_non_null(deep);
	memset(deep, '[', 100000);
	fleet = read_text(deep, 100000);
	assert_refused(fleet, "w.json:1:");
	fleet_free(fleet);
	free(deep);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inheritance),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
