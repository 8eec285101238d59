#include "reading.h"

#include <stdio.h>

#include "base/mem.h"
#include "importer/asterisk_conf.h"
#include "importer/phoneprov.h"

/* Settings */

static const char *
value_of(const struct conf *conf, const char *section, const char *name)
{
	const struct conf_section *found = conf_find(conf, section);
	const struct conf_setting *setting = found != NULL ?
	    conf_get(found, name) :
	    NULL;

	return setting != NULL ? setting->value : NULL;
}

static void
test_conf(void **state)
{
	static const char text[] = "\xef\xbb\xbf; a comment\r\n"
				   "[base](!)\n"
				   "a=1\r\n"
				   "b => two words ; and a comment\n"
				   "[user](base)\n"
				   "A = 3\n"
				   "c = x\\;y\n"
				   ";-- all\n"
				   "[gone]\n"
				   "--;d=4\n"
				   "empty =\n"
				   "${MAC}.cfg => t.cfg\n";
	struct fleet *fleet = fleet_new();
	struct conf *conf = conf_read(fleet, "a.conf", text, strlen(text));

	(void)state;
	assert_good(fleet);
	assert_int_equal(conf_count(conf), 2);
	assert_true(conf_at(conf, 0)->is_template);
	assert_string_equal(value_of(conf, "user", "a"), "3");
	assert_string_equal(value_of(conf, "user", "b"), "two words");
	assert_string_equal(value_of(conf, "user", "c"), "x;y");
	assert_string_equal(value_of(conf, "user", "d"), "4");
	assert_string_equal(value_of(conf, "user", "empty"), "");
	assert_string_equal(value_of(conf, "user", "${MAC}.cfg"), "t.cfg");
	assert_null(conf_find(conf, "gone"));
	conf_free(conf);
	fleet_free(fleet);
}

static void
test_conf_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "a=1\n", "a.conf:1:1: it is in no section: \"a\"" },
		{ "[a\n", "a.conf:1:1: expected \"]\"" },
		{ "[a]\n  words\n", "a.conf:2:3: expected [section] or name" },
		{ "[a]\n=1\n", "a.conf:2:1: expected" },
		{ "[a](b)\n", "no section of that name to build on: \"b\"" },
		{ "[a](a)\n", "no section of that name to build on: \"a\"" },
		{ "[a]b\n", "expected \"(...)\" or nothing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fleet *fleet = fleet_new();

		assert_null(conf_read(fleet, "a.conf", cases[i].text,
		    strlen(cases[i].text)));
		assert_refused(fleet, cases[i].says);
		fleet_free(fleet);
	}
}

static void
test_conf_limits(void **state)
{
	struct fleet *fleet = fleet_new();
	size_t len = 100UL * 1024 * 1024;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	assert_null(conf_read(fleet, "a.conf", text, len));
	assert_refused(fleet, "a.conf:1:1: the line is too long");
	fleet_free(fleet);
	free(text);
	/* Sections that build on sections grow no faster than the limit. */
	fleet = fleet_new();
	text = xcalloc(1, 64 * 1024);
	(void)strcat(text, "[s0]\na=1\nb=2\n");
	for (int i = 1; i < 40; i++)
		(void)sprintf(text + strlen(text), "[s%d](s%d,s%d)\n", i, i - 1,
		    i - 1);
	assert_null(conf_read(fleet, "a.conf", text, strlen(text)));
	assert_refused(fleet, "too many settings");
	fleet_free(fleet);
	free(text);
}

/* Templates */

static bool
load_line(void *arg, const char *name, char **text, size_t *len)
{
	const char *line = arg;

	assert_string_equal(name, "line.xml");
	*text = xstrdup(line);
	*len = strlen(line);
	return true;
}

static char *
convert(struct fleet *fleet, const char *text, char *line, unsigned lines)
{
	struct phoneprov_names *names = xcalloc(1, sizeof(*names));
	struct buf out;
	int rc;

	buf_init(&out, PHONEPROV_TEMPLATE_MAX);
	rc = phoneprov_convert(fleet, "t.xml", text, strlen(text), lines,
	    load_line, line, &out, names);
	free(names);
	if (rc == 0)
		return buf_take(&out);
	buf_clear(&out);
	return NULL;
}

static void
test_convert(void **state)
{
	static const struct {
		const char *given, *expected;
	} cases[] = {
		{ "a${MAC}b", "a{{mac}}b" },
		{ "${TOUPPER(${MAC})}", "{{mac_upper}}" },
		{ "${SECRET}${USERNAME}", "{{password}}{{user_id}}" },
		{ "${OWN_NAME}$MA$", "{{OWN_NAME}}$MA$" },
		{ "{x}", "{x}" },
		{ "a\n${PP_EACH_EXTENSION(${MAC}|line.xml)}\nb",
		    "a\n{{#user_id}}L{{line}}\n{{/user_id}}"
		    "{{#user_id_2}}L{{line_2}}\n{{/user_id_2}}\n\nb" },
		{ "a ${PP_EACH_EXTENSION(${MAC},line.xml)} b",
		    "a {{#user_id}}L{{line}}\n{{/user_id}}"
		    "{{#user_id_2}}L{{line_2}}\n{{/user_id_2}} b" },
	};
	char line[] = "L${LINE}\n";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fleet *fleet = fleet_new();
		char *out = convert(fleet, cases[i].given, line, 2);

		assert_good(fleet);
		assert_int_equal(fleet_count(fleet, FLEET_LEFT_OUT), 0);
		assert_string_equal(out, cases[i].expected);
		free(out);
		fleet_free(fleet);
	}
}

static void
test_unknown(void **state)
{
	static const struct {
		const char *given, *says;
	} cases[] = {
		{ "\n ${CALLERID:0:3}", "t.xml:2:2: is not converted" },
		{ "${IF($[1]?a:b)}", "\"${IF($[1]?a:b)}\"" },
		{ "$[1 + 1]", "t.xml:1:1: is not converted: \"$[1 + 1]\"" },
		{ "${DST_ENABLE}", "is not converted" },
		{ "${}", "is not converted" },
		{ "${PP_EACH_USER(a|${MAC})}", "is not converted" },
	};
	char line[] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fleet *fleet = fleet_new();
		char *out = convert(fleet, cases[i].given, line, 1);

		assert_good(fleet);
		assert_true(is_said(fleet, FLEET_LEFT_OUT, cases[i].says));
		assert_non_null(strstr(out, "{{phoneprov-not-converted-1}}"));
		free(out);
		fleet_free(fleet);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *given, *says;
	} cases[] = {
		{ "a ${MAC", "t.xml:1:3: has no closing bracket" },
		{ "$[", "t.xml:1:1: has no closing bracket" },
		{ "a\n{{x}}", "t.xml:2:1: begins a tag" },
		{ "{${MAC}}", "t.xml: a '{' stands before {{mac}}" },
	};
	char line[] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fleet *fleet = fleet_new();

		assert_null(convert(fleet, cases[i].given, line, 1));
		assert_refused(fleet, cases[i].says);
		fleet_free(fleet);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf),
		cmocka_unit_test(test_conf_refused),
		cmocka_unit_test(test_conf_limits),
		cmocka_unit_test(test_convert),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
