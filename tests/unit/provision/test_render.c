#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/stock.h"
#include "provision/render.h"
#include "provision/starter.h"
#include "provision/template.h"
#include "spa/profile.h"
#include "spa/registry.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define A "000e08aabb01"	/* in group "desk" within "site" */
#define PLAIN "000e08aabb02"	/* no group, no variable of its own */
#define NAMED "000e08aabb03"	/* names its template */
#define ODD "000e08aabb04"	/* of a model that the registry lacks */
#define LINE "000e08aabb05"	/* all that the built-in template knows */
#define BARELINE "000e08aabb06" /* only what it needs */

static const struct stock_device devices[] = {
	{ A, "SPA504G", "7.5.2b", "CCQ000000A1", "desk", DEVICE_ACTIVE },
	{ PLAIN, "SPA962", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ NAMED, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ ODD, "XYZ1", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ LINE, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ BARELINE, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
};

#define D(mac, name, value) \
	{ \
		mac, SCOPE_DEFAULT, NULL, name, value \
	}
static const struct stock_variable variables[] = {
	{ NULL, SCOPE_DEFAULT, "", "nearest", "default" },
	{ NULL, SCOPE_DEFAULT, "", "from_default", "default" },
	{ NULL, SCOPE_DEFAULT, "", "mac", "shadow" },
	{ NULL, SCOPE_DEFAULT, "", "product", "shadow" },
	{ NULL, SCOPE_DEFAULT, "", "ntp", "ntp.example.net" },
	{ NULL, SCOPE_MODEL, "SPA504G", "nearest", "model" },
	{ NULL, SCOPE_MODEL, "SPA504G", "from_model", "model" },
	{ NULL, SCOPE_MODEL, "XYZ1", "from_model", "odd" },
	{ NULL, SCOPE_GROUP, "desk", "nearest", "group" },
	{ NULL, SCOPE_GROUP, "desk", "from_group", "group" },
	D(A, "nearest", "device"),
	D(A, "serial", "shadow"),
	D(A, "model", "shadow"),
	D(A, "password", "p&\"<>'w"),
	D(A, "markup", "<b/>"),
	D(A, "tag", "{{serial}}$MA"),
	D(A, "broken", "</flat-profile>"),
	D(NAMED, "template", "other.xml"),
	D(ODD, "model", "shadow"),
	D(LINE, "user_id", "1001"),
	D(LINE, "password", "s&cret"),
	D(LINE, "proxy", "sip.example.net"),
	D(LINE, "display_name", "Ann <1>"),
	D(LINE, "profile_rule", "https://prov.example.net/spa$MA.cfg"),
	D(BARELINE, "user_id", "1002"),
	D(BARELINE, "password", "s"),
	D(BARELINE, "proxy", "sip.example.net"),
};

static struct snapshot *snapshot;

static int
setup(void **state)
{
	(void)state;
	snapshot = stock_snapshot(devices, COUNT(devices), variables,
	    COUNT(variables));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	snapshot_release(snapshot);
	return 0;
}

static void
add(struct templates *templates, const char *name, const char *text)
{
	struct error err;

	stock_check(templates_add(templates, name, text, strlen(text), &err),
	    &err);
}

static const struct device *
find(const char *mac_text)
{
	const struct mac mac = stock_mac(mac_text);
	const struct device *device = snapshot_find(snapshot, &mac);

	assert_non_null(device);
	return device;
}

/* Render text for the device (or the model, or nobody) within a profile. */
static int
render_text(const char *mac, const char *model, const char *text,
    struct buf *out, struct error *err)
{
	struct templates *templates = templates_new();
	struct buf whole;
	int rc;

	buf_init(&whole, TEMPLATE_TEXT_MAX);
	stock_check(buf_printf(&whole, "<flat-profile>%s</flat-profile>", text),
	    &(struct error) { .text = "long" });
	add(templates, RENDER_DEFAULT_TEMPLATE, buf_text(&whole));
	buf_init(out, PROFILE_BYTES_MAX);
	rc = mac != NULL ?
	    render_profile(templates, snapshot, find(mac), out, err) :
	    render_common(templates, snapshot,
		model != NULL ? registry_find_model(model, NULL) : NULL,
		RENDER_DEFAULT_TEMPLATE, out, err);
	buf_clear(&whole);
	templates_free(templates);
	return rc;
}

static const struct {
	const char *mac, *model; /* of a device, else a model, else none */
	const char *text;
	const char *wanted; /* NULL: refused, and says tells what */
	const char *says;
} cases[] = {
	/* Fields */
	{ A, NULL, "{{mac}} {{mac_upper}} {{mac_colon}}",
	    "000e08aabb01 000E08AABB01 00:0e:08:aa:bb:01", NULL },
	{ A, NULL, "{{model}} {{product}} {{series}} {{family}}",
	    "SPA504G SPA504G 504G SPA5xx", NULL },
	{ PLAIN, NULL, "{{model}} {{product}} {{series}} {{family}}",
	    "SPA962 SPA-962 962 SPA9xx", NULL },
	{ A, NULL, "{{firmware}} {{serial}} {{group}}",
	    "7.5.2b CCQ000000A1 desk", NULL },
	/* Not known is not unset. */
	{ PLAIN, NULL, "({{firmware}}{{serial}}{{group}})", "()", NULL },
	{ PLAIN, NULL, "{{^serial}}none{{/serial}}", "none", NULL },
	/* Variables, the nearest first */
	{ A, NULL, "{{nearest}}", "device", NULL },
	{ LINE, NULL, "{{nearest}}", "model", NULL },
	{ PLAIN, NULL, "{{nearest}}", "default", NULL },
	{ A, NULL, "{{from_group}} {{from_model}} {{from_default}}",
	    "group model default", NULL },
	/* No variable shadows a field. */
	{ A, NULL, "{{mac}}{{serial}}{{model}}{{product}}",
	    "000e08aabb01CCQ000000A1SPA504GSPA504G", NULL },
	/* Of a model that the registry does not know there is the name. */
	{ ODD, NULL, "{{model}} {{from_model}}", "XYZ1 odd", NULL },
	{ ODD, NULL, "{{series}}", NULL, "device.xml:1:15: " },
	/* Values are text. */
	{ A, NULL, "{{password}}", "p&amp;&quot;&lt;&gt;&apos;w", NULL },
	{ A, NULL, "{{{markup}}}{{markup}}", "<b/>&lt;b/&gt;", NULL },
	{ A, NULL, "{{tag}}", "{{serial}}$MA", NULL },
	/* What is not set is said with its place. */
	{ A, NULL, "{{missing}}", NULL, "device.xml:1:15: " },
	{ PLAIN, NULL, "\n{{from_group}}", NULL, "device.xml:2:1: " },
	{ PLAIN, NULL, "{{from_model}}", NULL, "\"from_model\"" },
	{ PLAIN, NULL, "{{#missing}}x{{/missing}}y", "y", NULL },
	/* What would be no profile is not sent. */
	{ A, NULL, "{{{broken}}}", NULL, "device.xml, as rendered: 1:" },
	{ A, NULL, "{{{password}}}", NULL, "device.xml, as rendered: 1:" },
	{ A, NULL, "<a>", NULL, "device.xml, as rendered: 1:" },
	/* For all devices of a model: its fields, its and the defaults'
	 * variables */
	{ NULL, "SPA504G", "{{model}} {{product}} {{series}} {{family}}",
	    "SPA504G SPA504G 504G SPA5xx", NULL },
	{ NULL, "SPA504G", "{{nearest}} {{from_model}} {{ntp}}",
	    "model model ntp.example.net", NULL },
	{ NULL, "SPA962", "{{nearest}} {{product}}", "default SPA-962", NULL },
	{ NULL, "SPA962", "{{from_model}}", NULL, "\"from_model\"" },
	{ NULL, "SPA504G", "{{from_group}}", NULL, "\"from_group\"" },
	{ NULL, "SPA504G", "{{serial}}", NULL, "\"serial\"" },
	{ NULL, "SPA504G", "{{password}}", NULL, "\"password\"" },
	{ NULL, "SPA504G", "{{mac_upper}}", NULL, "\"mac_upper\"" },
	/* For anybody: the defaults only */
	{ NULL, NULL, "{{ntp}} {{nearest}}", "ntp.example.net default", NULL },
	{ NULL, NULL, "{{from_model}}", NULL, "\"from_model\"" },
	{ NULL, NULL, "{{model}}", NULL, "\"model\"" },
	{ NULL, NULL, "{{password}}", NULL, "\"password\"" },
	{ NULL, NULL, "<a>", NULL, "device.xml, as rendered: 1:" },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct error err = { 0 };
		struct buf out, wanted;
		int rc = render_text(cases[i].mac, cases[i].model,
		    cases[i].text, &out, &err);

		if (cases[i].wanted == NULL) {
			if (rc != -1 || strstr(err.text, cases[i].says) == NULL)
				fail_msg("%s: %s%s", cases[i].text,
				    buf_text(&out), err.text);
			/* The log may have it: no value, whole or part. */
			assert_null(strstr(err.text, "p&"));
			buf_clear(&out);
			continue;
		}
		if (rc != 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		buf_init(&wanted, 4096);
		assert_int_equal(buf_printf(&wanted,
				     "<flat-profile>%s</flat-profile>",
				     cases[i].wanted),
		    0);
		assert_string_equal(buf_text(&out), buf_text(&wanted));
		buf_clear(&wanted);
		buf_clear(&out);
	}
}

/* The variable "template" names another one, on whatever scope it is. */
static void
test_template_variable(void **state)
{
	struct templates *templates = templates_new();
	struct error err = { 0 };
	struct buf out;

	(void)state;
	add(templates, RENDER_DEFAULT_TEMPLATE, "<flat-profile/>");
	buf_init(&out, PROFILE_BYTES_MAX);
	assert_int_equal(render_profile(templates, snapshot, find(NAMED), &out,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_non_null(strstr(err.text, "other.xml"));
	assert_int_equal(out.len, 0);
	add(templates, "other.xml", "<flat-profile>{{mac}}</flat-profile>");
	assert_int_equal(render_profile(templates, snapshot, find(NAMED), &out,
			     &err),
	    0);
	assert_string_equal(buf_text(&out),
	    "<flat-profile>" NAMED "</flat-profile>");
	/* It goes behind what is there; only it is checked. */
	assert_int_equal(render_profile(templates, snapshot, find(PLAIN), &out,
			     &err),
	    0);
	assert_string_equal(buf_text(&out),
	    "<flat-profile>" NAMED "</flat-profile><flat-profile/>");
	/* A common file is the one that the route names. */
	buf_clear(&out);
	assert_int_equal(render_common(templates, snapshot, NULL,
			     RENDER_DEFAULT_TEMPLATE, &out, &err),
	    0);
	assert_string_equal(buf_text(&out), "<flat-profile/>");
	assert_int_equal(render_common(templates, snapshot, NULL, "none.xml",
			     &out, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_non_null(strstr(err.text, "none.xml"));
	buf_clear(&out);
	/* No room: out is as it was. */
	buf_init(&out, 20);
	assert_int_equal(render_profile(templates, snapshot, find(NAMED), &out,
			     &err),
	    -1);
	assert_int_equal(err.kind, ERROR_INPUT);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	templates_free(templates);
}

static char *
render_builtin(const char *mac)
{
	struct templates *templates = templates_new();
	struct error err = { 0 };
	struct buf out;

	stock_check(starters_add(templates, &err), &err);
	buf_init(&out, PROFILE_BYTES_MAX);
	if (render_profile(templates, snapshot, find(mac), &out, &err) != 0)
		fail_msg("%s", err.text);
	templates_free(templates);
	return buf_take(&out);
}

static void
test_builtin(void **state)
{
	static const char *const lines[] = {
		("\n  <Profile_Rule ua=\"na\">https://prov.example.net/spa$MA"
		 ".cfg</Profile_Rule>\n"),
		"\n  <Display_Name_1_>Ann &lt;1&gt;</Display_Name_1_>\n",
		"\n  <User_ID_1_>1001</User_ID_1_>\n",
		"\n  <Password_1_ ua=\"na\">s&amp;cret</Password_1_>\n",
		"\n  <Proxy_1_>sip.example.net</Proxy_1_>\n",
	};
	char *text = render_builtin(LINE);

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("no %s in %s", lines[i], text);
	free(text);
	/* A display name is no must. */
	text = render_builtin(BARELINE);
	assert_non_null(strstr(text, "<User_ID_1_>1002</User_ID_1_>"));
	assert_null(strstr(text, "Display_Name"));
	free(text);
	/* Nothing is set: nothing is told, but to come again. */
	text = render_builtin(PLAIN);
	assert_non_null(strstr(text, "<Resync_Periodic>86400+3600<"));
	assert_null(strstr(text, "_1_>"));
	assert_null(strstr(text, "Profile_Rule"));
	free(text);
	/* Nobody knows what it is: what all have in common. */
	text = render_builtin(ODD);
	assert_string_equal(text,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<flat-profile>\n"
	    "  <Resync_On_Reset>Yes</Resync_On_Reset>\n"
	    "  <Resync_Periodic>86400</Resync_Periodic>\n"
	    "</flat-profile>\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_template_variable),
		cmocka_unit_test(test_builtin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
