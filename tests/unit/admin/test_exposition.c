#include "admin/exposition.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void
test_text(void **state)
{
	static const struct exposition_label labels[] = { { "a", "plain" },
		{ "b", "\"quoted\\\n\xff" } };
	struct exposition out = { .failed = 0 };
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	out.out = &buf;
	exposition_family(&out, "x_total", "counter", "What it is.");
	exposition_integer(&out, "", NULL, 0, UINT64_MAX);
	exposition_integer(&out, "", labels, 1, 0);
	exposition_real(&out, "_sum", labels, 2, 0.25);
	assert_string_equal(buf_text(&buf),
	    "# HELP x_total What it is.\n"
	    "# TYPE x_total counter\n"
	    "x_total 18446744073709551615\n"
	    "x_total{a=\"plain\"} 0\n"
	    "x_total_sum{a=\"plain\",b=\"\\\\x22quoted\\\\x5c\\\\x0a\\\\xff\"} "
	    "0.25\n");
	assert_int_equal(out.failed, 0);
	buf_clear(&buf);
}

/* What does not fit is not passed over. */
static void
test_full(void **state)
{
	struct exposition out = { .failed = 0 };
	struct buf buf;

	(void)state;
	for (size_t limit = 0; limit < 60; limit++) {
		buf_init(&buf, limit);
		out = (struct exposition) { .out = &buf };
		exposition_family(&out, "x", "gauge", "What.");
		exposition_integer(&out, "",
		    &(const struct exposition_label) { "a", "b" }, 1, 7);
		/* "# HELP x What.\n# TYPE x gauge\nx{a=\"b\"} 7\n" */
		assert_int_equal(out.failed, limit < 41 ? -1 : 0);
		buf_clear(&buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
