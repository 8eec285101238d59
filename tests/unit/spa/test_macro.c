#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "spa/macro.h"

static const struct macro list[] = {
	{ "MA", "000e08012345", false },
	{ "MAU", "000E08012345", false },
	{ "PN", "SPA-962", false },
	{ "A", "$MA|\"x\"", false },
	{ "B", "", false },
	{ "C", NULL, false },
	{ "UID1", "alice", false },
	{ "SA", "secret", true },
};
static const struct macros macros = { list, sizeof(list) / sizeof(*list) };

static const struct {
	const char *text, *expanded;
} cases[] = {
	/* The examples of [LINKSYS-PROV] p. 36. */
	{ "$(MAU:4)", "08012345" },
	{ "$(MAU:8:2)", "23" },
	{ "$$MAU", "$MAU" },
	{ "", "" },
	{ "plain", "plain" },
	{ "$MA", "000e08012345" },
	{ "$MAU", "000E08012345" },
	{ "$(MA)", "000e08012345" },
	{ "/spa$MA.cfg", "/spa000e08012345.cfg" },
	{ "/$PN/$MA.xml", "/SPA-962/000e08012345.xml" },
	{ "$PN_$(MA)x", "SPA-962_000e08012345x" },
	{ "$UID1@x", "alice@x" },
	{ "$UID", "$UID" },
	{ "$UID12", "$UID12" },
	/* A name takes all letters and digits; the parentheses end it. */
	{ "$MAX", "$MAX" },
	{ "$(MA)X", "000e08012345X" },
	{ "$ma", "$ma" },
	/* Not set: as written. */
	{ "$NONE", "$NONE" },
	{ "$(NONE)", "$(NONE)" },
	{ "$(NONE:1:2)", "$(NONE:1:2)" },
	{ "$C", "$C" },
	{ "[$B]", "[]" },
	/* Not recursive. */
	{ "$A", "$MA|\"x\"" },
	{ "$$", "$" },
	{ "$$$$", "$$" },
	{ "$$$MA", "$000e08012345" },
	{ "$", "$" },
	{ "a$", "a$" },
	{ "$.", "$." },
	/* Offsets and lengths. */
	{ "$(MA:0)", "000e08012345" },
	{ "$(MA:11)", "5" },
	{ "$(MA:12)", "" },
	{ "$(MA:999999)", "" },
	{ "$(MA:10:99)", "45" },
	{ "$(MA:0:0)", "" },
	{ "$(MA:02:3)", "0e0" },
	{ "$(B:0:1)", "" },
	/* Unfinished or malformed: as written, and what follows still counts. */
	{ "$(", "$(" },
	{ "$()", "$()" },
	{ "$(MA", "$(MA" },
	{ "$(MA$PN)", "$(MASPA-962)" },
	{ "$(MA:", "$(MA:" },
	{ "$(MA:)", "$(MA:)" },
	{ "$(MA:1:)", "$(MA:1:)" },
	{ "$(MA::2)", "$(MA::2)" },
	{ "$(MA:1:2:3)", "$(MA:1:2:3)" },
	{ "$(MA:-1)", "$(MA:-1)" },
	{ "$(MA:1000000)", "$(MA:1000000)" },
	{ "$(MA:99999999999999999999999)", "$(MA:99999999999999999999999)" },
	{ "$( MA)", "$( MA)" },
	{ "$(MA )", "$(MA )" },
	/* Secrets stay closed outside options. */
	{ "$SA", "$SA" },
	{ "$(SA)", "$(SA)" },
	{ "$(SA:0:3)", "$(SA:0:3)" },
};

static void
test_expand(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf out;

		buf_init(&out, 100);
		assert_int_equal(buf_append_text(&out, "<"), 0);
		assert_int_equal(macro_expand(&macros, cases[i].text,
				     strlen(cases[i].text), false, &out),
		    0);
		assert_string_equal(buf_text(&out) + 1, cases[i].expanded);
		buf_clear(&out);
	}
}

static void
test_secrets_in_options(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(macro_expand(&macros, "$SA $(SA:2:2) $MA", 17, true,
			     &out),
	    0);
	assert_string_equal(buf_text(&out), "secret cr 000e08012345");
	buf_clear(&out);
}

/* The text's length counts, not a NUL: a macro that is cut is none. */
static void
test_length(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(macro_expand(&macros, "$(MA)$PN", 4, false, &out), 0);
	assert_string_equal(buf_text(&out), "$(MA");
	assert_int_equal(macro_expand(&macros, "$MAU", 3, false, &out), 0);
	assert_string_equal(buf_text(&out), "$(MA000e08012345");
	buf_clear(&out);
}

static void
test_full(void **state)
{
	static const char *const texts[] = { "abcdef", "ab$MA", "abcd$$$$",
		"abc$NONE", "abcde$" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct buf out;

		buf_init(&out, 6);
		assert_int_equal(buf_append_text(&out, "<"), 0);
		assert_int_equal(macro_expand(&macros, texts[i],
				     strlen(texts[i]), false, &out),
		    -1);
		assert_string_equal(buf_text(&out), "<");
		assert_int_equal(out.len, 1);
		buf_clear(&out);
	}
	{
		struct buf none;

		buf_init(&none, 0);
		assert_int_equal(macro_expand(&macros, "a", 1, false, &none),
		    -1);
		assert_string_equal(buf_text(&none), "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_secrets_in_options),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
