#include "reading.h"

#include <stdio.h>

#define HEADER "device_mac_address,device_vendor,device_template,"
#define LINE "line_number,server_address,user_id,password"

static struct fleet *
read_text(const char *text, size_t len)
{
	struct importer_options options = { 0 };
	struct fleet *fleet = fleet_new();

	import_fusionpbx_text(fleet, "d.csv", 0644, text, len, &options);
	return fleet;
}

static void
test_spellings(void **state)
{
	static const char *const headers[] = {
		/* the separators that its import page offers */
		HEADER LINE "\n000E08AABBCC,cisco,cisco/spa504g,1,p,u,s\n",
		"\xef\xbb\xbf" HEADER LINE
		"\r\n00:0e:08:aa:bb:cc,cisco,cisco/spa504g,1,p,u,s\r\n",
		"device_address;device_template;server_address;user_id;"
		"password\n000e.08aa.bbcc;cisco/spa504g;p;u;s",
		"device_mac_address|device_template|server_address_primary|"
		"user_id|password\n00-0E-08-AA-BB-CC|SPA-504G|p|u|s\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		struct fleet *fleet = read_text(headers[i], strlen(headers[i]));

		assert_good(fleet);
		assert_int_equal(fleet_device_count(fleet), 1);
		assert_string_equal(device_of(fleet, "000e08aabbcc")->model,
		    "SPA504G");
		assert_string_equal(variable_of(fleet, "000e08aabbcc", "proxy"),
		    "p");
		assert_string_equal(variable_of(fleet, "000e08aabbcc",
					"password"),
		    "s");
		assert_int_equal(fleet_leak_count(fleet), 1);
		fleet_free(fleet);
	}
}

static void
test_lines(void **state)
{
	/* As rows of one device, and as columns that repeat. */
	static const char *const texts[] = {
		HEADER LINE "\n"
			    "000e08aabbcc,cisco,cisco/spa504g,1,p,u1,s1\n"
			    "00:0E:08:AA:BB:CC,cisco,cisco/spa504g,2,p,u2,s2\n",
		HEADER LINE "," LINE "\n"
			    "000e08aabbcc,cisco,cisco/spa504g,1,p,u1,s1,2,p,u2,"
			    "s2\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct fleet *fleet = read_text(texts[i], strlen(texts[i]));

		assert_good(fleet);
		assert_int_equal(fleet_device_count(fleet), 1);
		assert_string_equal(variable_of(fleet, "000e08aabbcc",
					"user_id"),
		    "u1");
		assert_string_equal(variable_of(fleet, "000e08aabbcc",
					"user_id_2"),
		    "u2");
		assert_string_equal(variable_of(fleet, "000e08aabbcc",
					"password_2"),
		    "s2");
		fleet_free(fleet);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "d.csv:1: the file is empty" },
		{ "mac,model\n1,2\n", "no column \"device_mac_address\"" },
		{ "\xff\xfe"
		  "d",
		    "UTF-16" },
		{ HEADER LINE "\nxyz,cisco,cisco/spa504g,1,p,u,s\n",
		    "d.csv:2, column 1 (device_mac_address): \"xyz\" is no "
		    "MAC" },
		{ HEADER LINE "\n,cisco,cisco/spa504g,1,p,u,s\n",
		    "the MAC address is missing" },
		{ HEADER LINE "\n000e08aabbcc,cisco,cisco/spa504g,1,p\n",
		    "d.csv:2: 5 cells, the first row has 7" },
		{ HEADER LINE "\n000e08aabbcc,cisco,cisco/spa504g,33,p,u,s\n",
		    "line_number" },
		{ HEADER LINE "\n000e08aabbcc,cisco,,1,p,u,s\n",
		    "nothing tells the model" },
		{ HEADER LINE "\n000e08aabbcc,cisco,cisco/spa504g,1,p,u,s\n"
			      "00-0e-08-aa-bb-cc,cisco,cisco/spa504g,1,p,u,s\n",
		    "d.csv:3: the device has line 1 already, at d.csv:2" },
		{ "device_mac_address,device_template\n"
		  "000e08aabbcc,cisco/spa504g\n000E08AABBCC,cisco/spa504g\n",
		    "d.csv:3: the device is at d.csv:2 already" },
		/* Latin-1, and what no profile can hold */
		{ HEADER LINE "\n000e08aabbcc,cisco,cisco/spa504g,1,p,\xfc,s\n",
		    "user_id holds bytes that are not UTF-8" },
		{ HEADER LINE "\n000e08aabbcc,cisco,cisco/spa504g,1,p,\x01,s\n",
		    "user_id holds a control character" },
		{ HEADER LINE "\n000e08aabbcc,cisco,cisco/spa504g,1,p,u,\"s\n",
		    "d.csv:2: a quoted cell does not end" },
		{ HEADER LINE "\n000e08aabbcc,cisco,cisco/spa504g,1,p,u,s\"\n",
		    "d.csv:2: a quote stands where none can be" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fleet *fleet = read_text(cases[i].text,
		    strlen(cases[i].text));

		assert_refused(fleet, cases[i].says);
		fleet_free(fleet);
	}
}

static void
test_left_out(void **state)
{
	static const char text[] = HEADER
	    "colour\n"
	    "001565aabbcc,yealink,yealink/t42s,red\n"
	    "000e08aabbcd,cisco,cisco/7960,\n"
	    "000e08aabbcc,cisco,cisco/spa504g,\n";
	struct fleet *fleet = read_text(text, strlen(text));

	(void)state;
	assert_good(fleet);
	assert_int_equal(fleet_device_count(fleet), 1);
	assert_int_equal(fleet_count(fleet, FLEET_LEFT_OUT), 3);
	assert_true(is_said(fleet, FLEET_LEFT_OUT,
	    "d.csv:2, column 2 (device_vendor): \"yealink\" is another maker"));
	assert_true(is_said(fleet, FLEET_LEFT_OUT,
	    "\"cisco/7960\" is no model that is known"));
	assert_true(is_said(fleet, FLEET_LEFT_OUT, "column 4 (colour)"));
	assert_int_equal(fleet_leak_count(fleet), 0);
	fleet_free(fleet);
}

/* Memory stays that of a row, however long a line is. */
static void
test_long_line(void **state)
{
	size_t len = 100UL * 1024 * 1024;
	char *text = malloc(len);
	struct fleet *fleet;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	memcpy(text, HEADER LINE "\n", strlen(HEADER LINE "\n"));
	fleet = read_text(text, len);
	assert_refused(fleet, "d.csv:2: the row is longer than 65536 bytes");
	fleet_free(fleet);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
