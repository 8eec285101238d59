#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "spa/flat_profile.h"
#include "spa/profile.h"
#include "spa/profile_xml.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static const char *const names[] = { "Profile_Rule", "Profile_Rule_B" };

static struct flat_profile *
read_good(const char *text)
{
	struct error err = { 0 };
	struct flat_profile *profile = flat_profile_read(text, strlen(text),
	    &err);

	if (profile == NULL)
		fail_msg("\"%s\": %s", text, err.text);
	return profile;
}

static void
test_values(void **state)
{
	static const struct {
		const char *text;
		const char *rule, *rule_b; /* NULL: not said */
	} cases[] = {
		{ "<flat-profile/>", NULL, NULL },
		{ "<flat-profile><Profile_Rule>a</Profile_Rule>"
		  "</flat-profile>",
		    "a", NULL },
		{ "<flat-profile><Profile_Rule>a</Profile_Rule>"
		  "<Profile_Rule_B>b</Profile_Rule_B></flat-profile>",
		    "a", "b" },
		/* Set to empty, and not set at all. */
		{ "<flat-profile><Profile_Rule></Profile_Rule>"
		  "<Profile_Rule_B/></flat-profile>",
		    "", NULL },
		{ "<flat-profile><Profile_Rule>a</Profile_Rule>"
		  "<Profile_Rule ua=\"na\"/></flat-profile>",
		    "a", NULL },
		/* The last one counts. */
		{ "<flat-profile><Profile_Rule>a</Profile_Rule>"
		  "<Profile_Rule>z</Profile_Rule></flat-profile>",
		    "z", NULL },
		{ "<device><x/><flat-profile><Profile_Rule ua=\"na\">"
		  " \n a&amp;&quot;\nb\t</Profile_Rule></flat-profile>"
		  "</device>",
		    "a&\" b", NULL },
		{ "<flat-profile><Profile_Rule>a<!-- no --><![CDATA[<b>]]>"
		  "</Profile_Rule></flat-profile>",
		    "a<b>", NULL },
		/* Elsewhere it is something else. */
		{ "<a><Profile_Rule>n</Profile_Rule><flat-profile><b>"
		  "<Profile_Rule>n</Profile_Rule></b></flat-profile>"
		  "<Profile_Rule>n</Profile_Rule></a>",
		    NULL, NULL },
		{ "<flat-profile><profile_rule>n</profile_rule>"
		  "<Profile_Rule_>n</Profile_Rule_></flat-profile>",
		    NULL, NULL },
		{ "<flat-profile>n<Profile_Rule_B>b</Profile_Rule_B>n"
		  "</flat-profile>",
		    NULL, "b" },
		{ "<flat-profile><Profile_Rule>a<b>inner</b>c</Profile_Rule>"
		  "</flat-profile>",
		    "ainnerc", NULL },
		/* Several parts, as of the router's and the phone's. */
		{ "<r><flat-profile><Profile_Rule>a</Profile_Rule>"
		  "</flat-profile><flat-profile><Profile_Rule_B>b"
		  "</Profile_Rule_B></flat-profile></r>",
		    "a", "b" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const char *wanted[2] = { cases[i].rule, cases[i].rule_b };
		struct flat_profile *profile = read_good(cases[i].text);

		for (size_t j = 0; j < 2; j++) {
			const char *value = flat_profile_value(profile,
			    names[j]);

			if ((wanted[j] == NULL) != (value == NULL))
				fail_msg("case %zu: %s", i, names[j]);
			if (wanted[j] != NULL)
				assert_string_equal(value, wanted[j]);
		}
		flat_profile_free(profile);
	}
}

/* Names, values, places and paths in their order; X lacks a value. */
static void
test_list(void **state)
{
	static const char text[] =
	    "<?xml version=\"1.0\"?>\n"
	    "<device>\n"
	    "<router-configuration><S>1</S></router-configuration>\n"
	    "<flat-profile>stray\n"
	    "  <A ua=\"na\" group=\"x\"> 1 </A><X/>\n"
	    "  <router-configuration>\n"
	    "    <WAN_Setup>\n"
	    "      <Mode>b &amp; c</Mode><Sub>gone<Y ua=\"rw\"></Y></Sub>\n"
	    "      <Z/>\n"
	    "    </WAN_Setup>\n"
	    "    <VLAN>7</VLAN>\n"
	    "  </router-configuration>\n"
	    "  <B ua=\"xx\">a<C>b</C></B>\n"
	    "</flat-profile></device>\n";
	static const struct flat_parameter wanted[] = {
		{ "S", "router-configuration", "1", true, true, false,
		    FLAT_ACCESS_UNSET, 3, 23, 0, 0 },
		{ "A", "", "1", true, true, false, FLAT_ACCESS_NONE, 5, 3, 0,
		    0 },
		{ "X", "", "", false, true, false, FLAT_ACCESS_UNSET, 5, 31, 0,
		    0 },
		{ "Mode", "router-configuration/WAN_Setup", "b & c", true, true,
		    false, FLAT_ACCESS_UNSET, 8, 7, 0, 0 },
		{ "Y", "router-configuration/WAN_Setup/Sub", "", true, true,
		    false, FLAT_ACCESS_WRITE, 8, 38, 0, 0 },
		{ "Z", "router-configuration/WAN_Setup", "", false, true, false,
		    FLAT_ACCESS_UNSET, 9, 7, 0, 0 },
		{ "VLAN", "router-configuration", "7", true, true, false,
		    FLAT_ACCESS_UNSET, 11, 5, 0, 0 },
		{ "B", "", "ab", true, true, true, FLAT_ACCESS_WRONG, 13, 3, 0,
		    0 },
	};
	struct flat_profile *profile = read_good(text);

	(void)state;
	assert_int_equal(flat_profile_count(profile), LENGTH(wanted));
	for (size_t i = 0; i < LENGTH(wanted); i++) {
		const struct flat_parameter *got = flat_profile_at(profile, i);

		assert_string_equal(got->name, wanted[i].name);
		assert_string_equal(got->path, wanted[i].path);
		assert_string_equal(got->value, wanted[i].value);
		assert_int_equal(got->has_value, wanted[i].has_value);
		assert_int_equal(got->counts, wanted[i].counts);
		assert_int_equal(got->has_children, wanted[i].has_children);
		assert_int_equal(got->access, wanted[i].access);
		assert_int_equal(got->line, wanted[i].line);
		assert_int_equal(got->column, wanted[i].column);
		assert_ptr_equal(flat_profile_find(profile, got->path,
				     got->name),
		    got);
	}
	assert_null(flat_profile_find(profile, "", "S"));
	assert_null(flat_profile_find(profile, "", "a"));
	assert_null(flat_profile_value(profile, "X"));
	flat_profile_free(profile);
}

/* Where the value is in the text, so that it can be masked there. */
static void
test_bytes(void **state)
{
	static const char text[] = "<flat-profile><A ua='na'> x&amp;y </A><B/>"
				   "<C></C></flat-profile>";
	struct flat_profile *profile = read_good(text);
	const struct flat_parameter *a = flat_profile_at(profile, 0);
	const struct flat_parameter *c = flat_profile_at(profile, 2);

	(void)state;
	assert_int_equal(a->end - a->start, strlen(" x&amp;y "));
	assert_memory_equal(text + a->start, " x&amp;y ", a->end - a->start);
	assert_int_equal(flat_profile_at(profile, 1)->start, 0);
	assert_int_equal(flat_profile_at(profile, 1)->end, 0);
	assert_int_equal(c->start, c->end);
	assert_memory_equal(text + c->start, "</C>", 4);
	flat_profile_free(profile);
}

static void
test_last_counts(void **state)
{
	struct flat_profile *profile = read_good(
	    "<flat-profile><A>1</A><A ua=\"rw\">2</A><A/><A ua=\"na\"/>"
	    "<B ua=\"rw\">1</B><B>2</B><C/><C ua=\"ro\"/></flat-profile>");
	static const bool counts[] = { false, true, false, false, false, true,
		false, true };

	(void)state;
	for (size_t i = 0; i < LENGTH(counts); i++)
		assert_int_equal(flat_profile_at(profile, i)->counts,
		    counts[i]);
	assert_string_equal(flat_profile_value(profile, "A"), "2");
	/* The last one gives no value, but takes the access away. */
	assert_int_equal(flat_profile_at(profile, 1)->access, FLAT_ACCESS_NONE);
	assert_int_equal(flat_profile_at(profile, 5)->access,
	    FLAT_ACCESS_UNSET);
	flat_profile_free(profile);
}

static void
test_encodings(void **state)
{
	struct flat_profile *profile =
	    read_good("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"
		      "<flat-profile><A>\xe4</A></flat-profile>");

	(void)state;
	assert_string_equal(flat_profile_value(profile, "A"), "\xc3\xa4");
	flat_profile_free(profile);
	profile = read_good("\xef\xbb\xbf<flat-profile><A>1</A>"
			    "</flat-profile>");
	assert_string_equal(flat_profile_value(profile, "A"), "1");
	flat_profile_free(profile);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "1:1: " },
		{ "<a/>", "no flat-profile" },
		{ "<flat-profile><Profile_Rule>a</flat-profile>",
		    "mismatched" },
		{ "<!DOCTYPE a><flat-profile/>", "DOCTYPE" },
		{ "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"
		  "<flat-profile><A>&b;</A></flat-profile>",
		    "DOCTYPE" },
		{ "<flat-profile>\n<A>a & b</A></flat-profile>",
		    "2:7: not well-formed (invalid token); in a value, & is "
		    "written &amp;" },
		{ "<flat-profile><A>\xe4</A></flat-profile>",
		    "1:18: not well-formed (invalid token); this byte is not "
		    "UTF-8" },
	};
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_null(flat_profile_read(cases[i].text,
		    strlen(cases[i].text), &err));
		assert_int_equal(err.kind, ERROR_INPUT);
		if (strstr(err.text, cases[i].part) == NULL)
			fail_msg("case %zu: %s", i, err.text);
	}
}

/* head, then piece so many times, then tail. */
static char *
repeat(const char *head, const char *piece, size_t count, const char *tail)
{
	size_t len = strlen(piece);
	char *text = xmalloc(strlen(head) + count * len + strlen(tail) + 1);
	char *p = stpcpy(text, head);

	for (size_t i = 0; i < count; i++)
		p = stpcpy(p, piece);
	(void)stpcpy(p, tail);
	return text;
}

/* What is just within a limit is read, and one more is not. */
static void
test_limits(void **state)
{
	static const struct {
		const char *head, *piece, *tail;
		size_t most;
		const char *part;
	} cases[] = {
		{ "<flat-profile><A>", "x", "</A></flat-profile>",
		    FLAT_VALUE_MAX, "the value of A is longer than 65536" },
		{ "<flat-profile>", "<A/>", "</flat-profile>",
		    FLAT_PARAMETERS_MAX, "more than 20000 parameters" },
		{ "<flat-profile><", "n", "/></flat-profile>", FLAT_NAME_MAX,
		    "has 128 bytes: at most 127" },
		/* The end tags are missing, but the depth comes first. */
		{ "<a><flat-profile/>", "<b>", "", PROFILE_DEPTH_MAX - 1,
		    "more than 32 elements in each other" },
		/* router-configuration and twelve of /yyy...: 511 is passed */
		{ "<flat-profile><router-configuration>",
		    "<yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy>", "", 12,
		    "a path in router-configuration of more than 511 bytes" },
		{ "<flat-profile><A>", " ", "</A></flat-profile>",
		    PROFILE_BYTES_MAX, "bytes: at most 1048576" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		char *most = repeat(cases[i].head, cases[i].piece,
		    cases[i].most, cases[i].tail);
		char *more = repeat(cases[i].head, cases[i].piece,
		    cases[i].most + 1, cases[i].tail);
		struct error err = { 0 };
		struct flat_profile *profile = flat_profile_read(most,
		    strlen(most), &err);

		if (profile == NULL && i < 3)
			fail_msg("case %zu: %s", i, err.text);
		if (profile == NULL && i < 5)
			assert_null(strstr(err.text, cases[i].part));
		flat_profile_free(profile);
		assert_null(flat_profile_read(more, strlen(more), &err));
		if (strstr(err.text, cases[i].part) == NULL)
			fail_msg("case %zu: %s", i, err.text);
		free(more);
		free(most);
	}
}

static void
test_write(void **state)
{
	struct flat_profile *profile = read_good(
	    "<x><flat-profile><router-configuration><W><M>1</M><S><Y/></S>"
	    "</W><V>2</V></router-configuration><A>old</A>"
	    "<A ua=\"na\">a &amp; &lt;b&gt; \"'</A><B/><C></C>"
	    "</flat-profile></x>");
	struct error err = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(buf_append_text(&out, "before\n"), 0);
	assert_int_equal(flat_profile_write(profile, &out, &err), 0);
	assert_string_equal(buf_text(&out),
	    "before\n"
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<flat-profile>\n"
	    "  <A ua=\"na\">a &amp; &lt;b&gt; &quot;&apos;</A>\n"
	    "  <B/>\n"
	    "  <C></C>\n"
	    "  <router-configuration>\n"
	    "    <W>\n"
	    "      <M>1</M>\n"
	    "      <S>\n"
	    "        <Y/>\n"
	    "      </S>\n"
	    "    </W>\n"
	    "    <V>2</V>\n"
	    "  </router-configuration>\n"
	    "</flat-profile>\n");
	buf_clear(&out);
	buf_init(&out, 100);
	assert_int_equal(buf_append_text(&out, "before"), 0);
	assert_int_equal(flat_profile_write(profile, &out, &err), -1);
	assert_string_equal(buf_text(&out), "before");
	assert_non_null(strstr(err.text, "longer than 94 bytes"));
	buf_clear(&out);
	flat_profile_free(profile);
}

static void
test_add(void **state)
{
	static const struct {
		const char *name, *path, *value, *part;
	} cases[] = {
		{ "Dial_Plan[1]", "", "", "cannot be the name" },
		{ "", "", "", "cannot be the name" },
		{ "1A", "", "", "cannot be the name" },
		{ "A B", "", "", "cannot be the name" },
		{ "A", "/", "", "path of A" },
		{ "A", "a//b", "", "path of A" },
		{ "A", "a/", "", "path of A" },
	};
	struct flat_profile *profile = flat_profile_new();
	struct flat_parameter parameter = { .has_value = true };
	struct error err = { 0 };
	struct buf out;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		parameter.name = cases[i].name;
		parameter.path = cases[i].path;
		parameter.value = cases[i].value;
		assert_int_equal(flat_profile_add(profile, &parameter, &err),
		    -1);
		if (strstr(err.text, cases[i].part) == NULL)
			fail_msg("case %zu: %s", i, err.text);
	}
	assert_int_equal(flat_profile_count(profile), 0);
	parameter.name = "Enable_802.1X_Authentication";
	parameter.path = "";
	parameter.value = " a\nb\x01 ";
	assert_int_equal(flat_profile_add(profile, &parameter, &err), 0);
	flat_profile_settle(profile);
	assert_string_equal(flat_profile_value(profile, parameter.name),
	    "a b\x01");
	/* XML has no way to say that. */
	buf_init(&out, 4096);
	assert_int_equal(flat_profile_write(profile, &out, &err), -1);
	assert_non_null(strstr(err.text, "3:"));
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	flat_profile_free(profile);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_last_counts),
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
