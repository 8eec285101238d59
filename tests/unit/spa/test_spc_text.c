#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "spa/spc_text.h"

/* "again.txt" imports itself, others set one parameter. */
static int
import(void *arg, const char *name, char **text, size_t *len, struct error *err)
{
	++*(int *)arg;
	if (strcmp(name, "none.txt") == 0)
		return error_set(err, ERROR_NOT_FOUND, "none.txt: not there");
	*text = xstrdup(strcmp(name, "again.txt") == 0 ?
		"import again.txt\nimport again.txt\n" :
		strcmp(name, "bad.txt") == 0 ? "A \"1\" ;\nB \"\n" :
					       "Imported \"yes\" ;\n");
	*len = strlen(*text);
	return 0;
}

static struct flat_profile *
read_text(const char *text, struct error *err)
{
	int count = 0;

	*err = (struct error) { 0 };
	return spc_text_read(text, strlen(text), import, &count, err);
}

static void
test_forms(void **state)
{
	/* Those of [SIPURA-AG] p. 22, and what else is allowed. */
	static const char text[] =
	    "\xef\xbb\xbf# These parameters are for illustration only\r\n"
	    "Feature_Enable ! \"Enable\" ; # user read-write\r\n"
	    "Another_Parameter ? \"3600\" ; # user read-only\n"
	    "Hidden_Parameter \"abc123\" ;\n"
	    "Some_Entry ! ;\n"
	    "import base.txt\n"
	    "Dial_Plan[1]\"(xx.|#;)\";Proxy[16]!\"\n"
	    " pbx \" ; Hidden_Parameter \"last\" ; Empty \"\" ;";
	static const struct {
		const char *name, *value;
		bool has_value;
		enum flat_access access;
		size_t line, column;
	} expected[] = {
		{ "Feature_Enable", "Enable", true, FLAT_ACCESS_WRITE, 2, 1 },
		{ "Another_Parameter", "3600", true, FLAT_ACCESS_READ, 3, 1 },
		{ "Hidden_Parameter", "last", true, FLAT_ACCESS_NONE, 8, 10 },
		{ "Some_Entry", "", false, FLAT_ACCESS_WRITE, 5, 1 },
		{ "Imported", "yes", true, FLAT_ACCESS_NONE, 1, 1 },
		{ "Dial_Plan_1_", "(xx.|#;)", true, FLAT_ACCESS_NONE, 7, 1 },
		{ "Proxy_16_", "pbx", true, FLAT_ACCESS_WRITE, 7, 24 },
		{ "Empty", "", true, FLAT_ACCESS_NONE, 8, 36 },
	};
	struct error err;
	struct flat_profile *profile = read_text(text, &err);

	(void)state;
	assert_string_equal(err.text, "");
	assert_non_null(profile);
	assert_int_equal(flat_profile_count(profile), 9);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		const struct flat_parameter *p = flat_profile_find(profile, "",
		    expected[i].name);

		assert_non_null(p);
		assert_string_equal(p->value, expected[i].value);
		assert_int_equal(p->has_value, expected[i].has_value);
		assert_int_equal(p->access, expected[i].access);
		assert_int_equal(p->line, expected[i].line);
		assert_int_equal(p->column, expected[i].column);
	}
	flat_profile_free(profile);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "A", "1:2: the text ends; expected a value" },
		{ "A \"1\"", "1:6: the text ends; expected ';'" },
		{ "A \"1\"\nB \"2\" ;", "2:1: expected ';' at \"B\"" },
		{ "A \"1 ;\n\nB", "1:3: the value has no closing quote" },
		{ "A 1 ;", "1:3: expected a value in quotes, or ';' at \"1\"" },
		{ "\n  = ;", "2:3: expected the name of a parameter" },
		{ "A !! \"1\" ;", "1:4: expected a value in quotes" },
		{ "1A \"1\" ;", "1:1: " }, /* no name for XML */
		{ "import none.txt", "1:1: import none.txt: none.txt: not" },
		{ "import", "1:7: the text ends" },
		{ "import \n", "1:1: import: expected the name" },
		{ "\nimport bad.txt\n",
		    "2:1: import bad.txt: bad.txt:2:3: the value has no" },
		{ "import again.txt\n", "more than 8 files deep" },
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct flat_profile *profile = read_text(cases[i].text, &err);

		if (profile != NULL || strstr(err.text, cases[i].says) == NULL)
			fail_msg("%s: expected \"%s\", found \"%s\"",
			    cases[i].text, cases[i].says, err.text);
	}
}

/* The limits, and that a circle ends before it has cost anything. */
static void
test_limits(void **state)
{
	struct error err = { 0 };
	size_t len = 100UL * 1024 * 1024;
	char *text = malloc(len + 1);
	int count = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	text[len] = '\0';
	assert_null(spc_text_read(text, len, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "longer than"));
	err = (struct error) { 0 };
	assert_null(spc_text_read(text, 1000, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "1:1: the name is longer than 127"));
	free(text);
	err = (struct error) { 0 };
	assert_null(spc_text_read("import x.txt\n", 13, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "which is not here"));

	text = xcalloc(1, 100 * 20 + 1);
	for (int i = 0; i < 100; i++)
		(void)strcat(text, "import x.txt\n");
	err = (struct error) { 0 };
	assert_null(spc_text_read(text, strlen(text), import, &count, &err));
	assert_non_null(strstr(err.text, "65:1: import x.txt: more than 64"));
	assert_int_equal(count, 64);
	free(text);
}

static void
test_latin1(void **state)
{
	struct error err;
	struct flat_profile *profile = read_text("Station_Name \"B\xfcro\" ;",
	    &err);

	(void)state;
	assert_non_null(profile);
	assert_string_equal(flat_profile_value(profile, "Station_Name"),
	    "B\xc3\xbcro");
	flat_profile_free(profile);
	profile = read_text("Station_Name \"B\xc3\xbcro\" ;", &err);
	assert_non_null(profile);
	assert_string_equal(flat_profile_value(profile, "Station_Name"),
	    "B\xc3\xbcro");
	flat_profile_free(profile);
}

static void
test_write(void **state)
{
	static const char text[] = "Feature_Enable ! \"Enable\" ;\n"
				   "Dial_Plan[1] ? \"(xx.)\" ;\n"
				   "Enable_802.1X \"a\" ;\n"
				   "_1_ \"b\" ;\n"
				   "Some_Entry ! ;\n";
	static const char xml[] =
	    "<flat-profile><A>1</A><B>\"</B></flat-profile>";
	struct error err;
	struct flat_profile *profile = read_text(text, &err);
	struct buf out;

	(void)state;
	assert_non_null(profile);
	buf_init(&out, 1000);
	assert_int_equal(spc_text_write(profile, &out, &err), 0);
	assert_string_equal(buf_text(&out), text);
	flat_profile_free(profile);
	buf_clear(&out);

	/* Nothing is written of what cannot be said, or has no room. */
	profile = flat_profile_read(xml, strlen(xml), &err);
	assert_non_null(profile);
	assert_int_equal(spc_text_write(profile, &out, &err), -1);
	assert_non_null(strstr(err.text, "B: plain text cannot hold a quote"));
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	flat_profile_free(profile);
	profile = read_text("A \"12345678\" ;", &err);
	buf_init(&out, 8);
	assert_int_equal(spc_text_write(profile, &out, &err), -1);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	flat_profile_free(profile);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_latin1),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
