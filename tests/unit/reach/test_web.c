#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reach/web.h"

#define CNONCE "0a4f113b"

static void
test_authorize(void **state)
{
	static const struct {
		const char *challenge, *says; /* NULL: none is answered */
	} cases[] = {
		/* RFC 2617 section 3.5 */
		{ "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
		  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
		  "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
		    "response=\"6629fae49393a05397450978507c4ef1\"" },
		{ "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
		  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
		  "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
		    "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"" },
		/* Without qop: MD5(A1:nonce:A2), reckoned with md5sum. */
		{ "Digest realm=\"testrealm@host.com\", algorithm=MD5, "
		  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
		    "response=\"670fd8c2df070c60b045671b8b24ff02\"" },
		/* RFC 7617 section 2 is of another pair; base64 of ours. */
		{ "Basic realm=\"x\"", "Basic TXVmYXNhOkNpcmNsZSBPZiBMaWZl" },
		{ "Digest realm=\"x\"", NULL },
		{ "Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256", NULL },
		{ "Digest realm=\"x\", nonce=\"\x01\"", NULL },
		{ "Digest realm=\"x\", nonce=\"a\\b\"", NULL },
		{ "Digest realm=\"x\", cnonce=\"y\"", NULL },
		{ "Negotiate", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *field = web_authorize(cases[i].challenge,
		    "/dir/index.html", "Mufasa", "Circle Of Life", CNONCE);

		if (cases[i].says == NULL)
			assert_null(field);
		else if (field == NULL || strstr(field, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].challenge,
			    field != NULL ? field : "nothing");
		free(field);
	}
	/* A login that would break out of its quotes. */
	assert_null(web_authorize("Basic realm=\"x\"", "/", "a\"b", "p",
	    CNONCE));
	assert_null(web_authorize("Basic realm=\"x\"", "/", "a\r\nb", "p",
	    CNONCE));
}

static void
test_user(void **state)
{
	(void)state;
	assert_true(agent_is_user("100"));
	assert_true(agent_is_user("a.b-c_d"));
	assert_false(agent_is_user(""));
	assert_false(agent_is_user("a b"));
	assert_false(agent_is_user("a@b"));
	assert_false(agent_is_user("a\r\nb"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authorize),
		cmocka_unit_test(test_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
