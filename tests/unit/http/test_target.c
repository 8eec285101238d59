#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/target.h"

static const struct {
	const char *given;
	const char *path; /* NULL where it must be refused */
	const char *authority;
} cases[] = {
	{ "/", "/", NULL },
	{ "/spa000e08aabbcc.cfg", "/spa000e08aabbcc.cfg", NULL },
	{ "/a/b/c.xml", "/a/b/c.xml", NULL },
	{ "/a/", "/a/", NULL },
	{ "/a?b=c", "/a", NULL },
	{ "/?", "/", NULL },
	{ "/a?../..//\\%00%2e", "/a", NULL }, /* the query is cut off */
	{ "/a;v=1/b", "/a;v=1/b", NULL },     /* ";" is text like any other */
	{ "/;", "/;", NULL },
	{ "/a:b@c!$&'()*+,=", "/a:b@c!$&'()*+,=", NULL },
	{ "/%41%7a%30%2D%5f%7E", "/Az0-_~", NULL },
	{ "/a%2eb", "/a.b", NULL },
	{ "/...", "/...", NULL },
	{ "/.a/..b/c./d..", "/.a/..b/c./d..", NULL },
	{ "http://example.net/x", "/x", "example.net" },
	{ "HTTPS://example.net:443/x?y", "/x", "example.net:443" },
	{ "https://example.net", "/", "example.net" },
	{ "https://example.net?x", "/", "example.net" },
	{ "https:///x", "/x", "" }, /* the caller refuses the empty host */

	{ "", NULL, NULL },
	{ "*", NULL, NULL },
	{ "x", NULL, NULL },
	{ "example.net:443", NULL, NULL },
	{ "ftp://example.net/x", NULL, NULL },
	{ "http:/x", NULL, NULL },
	{ "?x", NULL, NULL },
	{ "/a#b", NULL, NULL },
	{ "/a?b#c", NULL, NULL },
	{ "/..", NULL, NULL },
	{ "/.", NULL, NULL },
	{ "/./a", NULL, NULL },
	{ "/../a", NULL, NULL },
	{ "/a/..", NULL, NULL },
	{ "/a/../b", NULL, NULL },
	{ "/a/.?x", NULL, NULL },
	{ "/%2e", NULL, NULL },
	{ "/%2E%2e/a", NULL, NULL },
	{ "/.%2e/a", NULL, NULL },
	{ "/%2e./a", NULL, NULL },
	{ "//", NULL, NULL },
	{ "//a", NULL, NULL },
	{ "/a//b", NULL, NULL },
	{ "/a//", NULL, NULL },
	{ "/a/%2e%2e//b", NULL, NULL },
	{ "/a%2fb", NULL, NULL },
	{ "/a%2Fb", NULL, NULL },
	{ "/%00", NULL, NULL },
	{ "/%5c", NULL, NULL },
	{ "/%25", NULL, NULL },
	{ "/%252e", NULL, NULL },
	{ "/%3f", NULL, NULL },
	{ "/%20", NULL, NULL },
	{ "/%c0%ae", NULL, NULL },
	{ "/%ff", NULL, NULL },
	{ "/%", NULL, NULL },
	{ "/%4", NULL, NULL },
	{ "/%4g", NULL, NULL },
	{ "/%g4", NULL, NULL },
	{ "/%-1", NULL, NULL },
	{ "/%u0041", NULL, NULL },
	{ "/a\\b", NULL, NULL },
	{ "/\\..\\a", NULL, NULL },
	{ "/a b", NULL, NULL },
	{ "/a\x01", NULL, NULL },
	{ "/\x7f", NULL, NULL },
	{ "/\xc3\xa4", NULL, NULL },
	{ "https://example.net//", NULL, NULL },
	{ "https://example.net/%2e%2e/x", NULL, NULL },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct target target = { .authority_len = 7 };
		struct error err = { 0 };
		char path[64];
		int rc = target_parse(&target, path, cases[i].given, &err);

		if (rc != (cases[i].path != NULL ? 0 : -1))
			fail_msg("\"%s\": %d %s", cases[i].given, rc, err.text);
		if (rc != 0) {
			assert_int_equal(err.kind, ERROR_INPUT);
			assert_int_equal(target.authority_len, 7);
			continue;
		}
		assert_string_equal(path, cases[i].path);
		assert_true((target.authority != NULL) ==
		    (cases[i].authority != NULL));
		if (target.authority == NULL)
			continue;
		assert_int_equal(target.authority_len,
		    strlen(cases[i].authority));
		assert_memory_equal(target.authority, cases[i].authority,
		    target.authority_len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
