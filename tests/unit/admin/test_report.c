#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "admin/report.h"

/*
 * report_run() runs /proc/self/exe: this very test.  What it does then is in its
 * first argument.
 */
static int
act(const char *what)
{
	static char piece[65536];

	if (strcmp(what, "good") == 0) {
		(void)puts("{\"good\":true}");
		return 3;
	}
	if (strcmp(what, "bad") == 0) {
		(void)fputs("sprov: first line\nsecond\n", stderr);
		return 1;
	}
	memset(piece, 'x', sizeof(piece));
	for (;;) /* too much, on both */
		if (write(2, piece, sizeof(piece)) < 0 ||
		    write(1, piece, sizeof(piece)) < 0)
			return 4;
}

static void
test_run(void **state)
{
	const char *good[] = { "good", NULL }, *bad[] = { "bad", NULL },
		   *much[] = { "much", NULL };
	char complaint[64] = "";
	char *text = NULL;
	struct error err;
	size_t len = 0;
	int status = -1;

	(void)state;
	assert_int_equal(report_run(good, &text, &len, &status, complaint,
			     sizeof(complaint), &err),
	    0);
	assert_int_equal(status, 3);
	assert_string_equal(text, "{\"good\":true}\n");
	assert_int_equal(len, strlen(text));
	assert_string_equal(complaint, "");
	free(text);
	assert_int_equal(report_run(bad, &text, &len, &status, complaint,
			     sizeof(complaint), &err),
	    0);
	assert_int_equal(status, 1);
	assert_int_equal(len, 0);
	assert_string_equal(complaint, "sprov: first line");
	free(text);
	assert_int_equal(report_run(much, &text, &len, &status, complaint,
			     sizeof(complaint), &err),
	    -1);
	assert_int_equal(err.kind, ERROR_SYSTEM);
}

static void
test_cache(void **state)
{
	struct report_cache *cache = report_cache_new();
	char key[16], *text;
	size_t len = 0;

	(void)state;
	assert_null(report_cache_get(cache, "a", &len));
	report_cache_put(cache, "a", "text", 4, 100000);
	text = report_cache_get(cache, "a", &len);
	assert_string_equal(text, "text");
	assert_int_equal(len, 4);
	free(text);
	assert_null(report_cache_get(cache, "b", &len));
	/* What is good for longest stays. */
	for (int i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof(key), "key %d", i);
		report_cache_put(cache, key, "x", 1, 1);
	}
	text = report_cache_get(cache, "a", &len);
	assert_non_null(text);
	free(text);
	report_cache_free(cache);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_cache),
	};

	if (argc > 1)
		return act(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
