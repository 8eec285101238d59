#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/url.h"

static const struct {
	const char *given;
	enum url_scheme scheme;
	const char *host; /* NULL where it must be refused */
	unsigned port;
	const char *path;
	const char *authority;
} cases[] = {
	/* [LINKSYS-PROV] p. 38: no scheme is tftp, no host is the DHCP one. */
	{ "/spa$PSN.cfg", URL_TFTP, "", 69, "/spa$PSN.cfg", "" },
	{ "192.0.2.1/x", URL_TFTP, "192.0.2.1", 69, "/x", "192.0.2.1" },
	{ "tftp:///x", URL_TFTP, "", 69, "/x", "" },
	{ "http://example.net/a/b?c=d&e=/f", URL_HTTP, "example.net", 80,
	    "/a/b?c=d&e=/f", "example.net" },
	{ "https://example.net:8443/", URL_HTTPS, "example.net", 8443, "/",
	    "example.net:8443" },
	{ "https://example.net:443/x", URL_HTTPS, "example.net", 443, "/x",
	    "example.net" },
	{ "http://example.net:443/x", URL_HTTP, "example.net", 443, "/x",
	    "example.net:443" },
	{ "HTTPS://EXAMPLE.net/X", URL_HTTPS, "EXAMPLE.net", 443, "/X",
	    "EXAMPLE.net" },
	{ "https://[2001:db8::1]:4443/x", URL_HTTPS, "2001:db8::1", 4443, "/x",
	    "[2001:db8::1]:4443" },
	{ "https://[2001:db8::1]/x", URL_HTTPS, "2001:db8::1", 443, "/x",
	    "[2001:db8::1]" },
	{ "/get?from=http://example.net/", URL_TFTP, "", 69,
	    "/get?from=http://example.net/", "" },
	{ "http:/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "", URL_HTTP, NULL, 0, NULL, NULL },
	{ "example.net", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://", URL_HTTP, NULL, 0, NULL, NULL },
	{ "gds:///x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "ftp://example.net/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "httpss://example.net/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "://example.net/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ " https://example.net/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://user:pw@example.net/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net:0/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net:65536/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net:/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://:443/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://2001:db8::1/x", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net/a b", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net/a\r\nX: y", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net/a#b", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net/\xc3\xa4", URL_HTTP, NULL, 0, NULL, NULL },
	{ "https://example.net/\x7f", URL_HTTP, NULL, 0, NULL, NULL },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct url url = { .path = "before" };
		struct error err = { 0 };
		char authority[URL_AUTHORITY_BYTES];
		int rc = url_parse(&url, cases[i].given, &err);

		if (rc != (cases[i].host != NULL ? 0 : -1))
			fail_msg("\"%s\": %d %s", cases[i].given, rc, err.text);
		if (rc != 0) {
			assert_int_equal(err.kind, ERROR_INPUT);
			assert_string_equal(url.path, "before");
			continue;
		}
		assert_int_equal(url.scheme, cases[i].scheme);
		assert_string_equal(url.host, cases[i].host);
		assert_int_equal(url.port, cases[i].port);
		assert_string_equal(url.path, cases[i].path);
		url_authority(&url, authority);
		assert_string_equal(authority, cases[i].authority);
	}
}

static void
test_messages(void **state)
{
	static const struct {
		const char *given;
		const char *text;
	} messages[] = {
		{ "gds:///x",
		    "scheme \"gds\" is not known: expected tftp, "
		    "http or https" },
		{ "http://a b/",
		    "\"a b\" is not a host with an optional "
		    "port: expected example.net:443 or [2001:db8::1]:443" },
		{ "http://a\nb",
		    "\"a\\x0ab\" has no path: expected one that "
		    "begins with '/'" },
		{ "/\t",
		    "byte 0x09 in the path: expected printable ASCII "
		    "without blank and '#'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		struct error err = { 0 };
		struct url url;

		assert_int_equal(url_parse(&url, messages[i].given, &err), -1);
		assert_string_equal(err.text, messages[i].text);
	}
}

static void
test_longest(void **state)
{
	char text[URL_PATH_MAX + 2], authority[URL_AUTHORITY_BYTES];
	struct url url = { .scheme = URL_HTTPS, .port = 65535 };
	struct error err;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[URL_PATH_MAX] = '\0';
	assert_int_equal(url_parse(&url, text, &err), 0);
	assert_string_equal(url.path, text);
	text[URL_PATH_MAX] = 'a';
	text[URL_PATH_MAX + 1] = '\0';
	assert_int_equal(url_parse(&url, text, &err), -1);
	assert_string_equal(err.text,
	    "the path has 2049 bytes: at most 2048 are allowed");

	memset(url.host, 'a', URL_HOST_MAX);
	url.host[URL_HOST_MAX] = '\0';
	url.host[3] = ':';
	url.port = 65535;
	url_authority(&url, authority);
	assert_int_equal(strlen(authority), URL_AUTHORITY_BYTES - 1);
}

static void
test_scheme_names(void **state)
{
	(void)state;
	assert_string_equal(url_scheme_name(URL_TFTP), "tftp");
	assert_string_equal(url_scheme_name(URL_HTTP), "http");
	assert_string_equal(url_scheme_name(URL_HTTPS), "https");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_scheme_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
