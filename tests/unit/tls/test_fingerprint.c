/* What makes two ClientHellos the same class, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tls/conn.h"
#include "tls/fingerprint.h"

static struct tls_hello
old_hello(void)
{
	return (struct tls_hello) { .seen = true,
		.version = 0x0301,
		.max_version = 0x0301,
		.cipher_count = 3,
		.cipher = { 0x0035, 0x002f, 0x0005 } };
}

static struct tls_hello
new_hello(void)
{
	return (struct tls_hello) { .seen = true,
		.version = 0x0303,
		.max_version = 0x0304,
		.cipher_count = 2,
		.cipher = { 0x1301, 0xc02f },
		.extension_count = 3,
		.extension = { 10, 11, 43 } };
}

static void
test_differences(void **state)
{
	struct tls_hello a = old_hello(), b;

	(void)state;
	b = a;
	assert_true(tls_fingerprint(&a) == tls_fingerprint(&b));
	b.cipher_count = 2;
	assert_false(tls_fingerprint(&a) == tls_fingerprint(&b));
	b = a;
	b.cipher[0] = 0x002f;
	b.cipher[1] = 0x0035;
	assert_false(tls_fingerprint(&a) == tls_fingerprint(&b));
	b = a;
	b.version = 0x0300;
	assert_false(tls_fingerprint(&a) == tls_fingerprint(&b));
	b = a;
	b.max_version = 0x0303;
	assert_false(tls_fingerprint(&a) == tls_fingerprint(&b));
	b = a;
	b.sslv2_format = true;
	assert_false(tls_fingerprint(&a) == tls_fingerprint(&b));
	b = a;
	b.extension_count = 1;
	b.extension[0] = 23;
	assert_false(tls_fingerprint(&a) == tls_fingerprint(&b));
	/* A suite is no extension. */
	a.cipher_count = 2;
	b = a;
	b.cipher_count = 1;
	b.extension_count = 1;
	b.extension[0] = a.cipher[1];
	assert_false(tls_fingerprint(&a) == tls_fingerprint(&b));
}

/* The same device, at another URL, with a session, with reserved values. */
static void
test_sameness(void **state)
{
	static const uint16_t fleeting[] = { 0, 21, 35, 41, 42, 44, 0x1a1a,
		0xfafa };
	struct tls_hello a = new_hello(), b;

	(void)state;
	for (size_t i = 0; i < sizeof(fleeting) / sizeof(*fleeting); i++) {
		b = a;
		b.extension[b.extension_count++] = fleeting[i];
		assert_true(tls_fingerprint(&a) == tls_fingerprint(&b));
	}
	b = a;
	b.cipher[2] = b.cipher[1];
	b.cipher[1] = b.cipher[0];
	b.cipher[0] = 0x2a2a;
	b.cipher_count = 3;
	assert_true(tls_fingerprint(&a) == tls_fingerprint(&b));
	(void)strcpy(b.sni, "prov.example.net");
	assert_true(tls_fingerprint(&a) == tls_fingerprint(&b));
}

/* More than is kept does not read past the end. */
static void
test_limits(void **state)
{
	struct tls_hello hello = new_hello();

	(void)state;
	hello.cipher_count = 5000;
	hello.extension_count = 5000;
	assert_true(tls_fingerprint(&hello) != 0);
	hello = (struct tls_hello) { 0 };
	assert_true(tls_fingerprint(&hello) == 0);
	hello.seen = true;
	assert_true(tls_fingerprint(&hello) == 0);
}

static void
test_text(void **state)
{
	char text[TLS_FINGERPRINT_BYTES];
	uint64_t class = 7;

	(void)state;
	tls_fingerprint_format(UINT64_C(0x0123456789abcdef), text);
	assert_string_equal(text, "0123456789abcdef");
	assert_true(tls_fingerprint_parse(text, &class));
	assert_true(class == UINT64_C(0x0123456789abcdef));
	tls_fingerprint_format(0, text);
	assert_string_equal(text, "-");
	assert_false(tls_fingerprint_parse("-", &class));
	assert_false(tls_fingerprint_parse("0123456789abcde", &class));
	assert_false(tls_fingerprint_parse("0123456789abcdefg", &class));
	assert_false(tls_fingerprint_parse("0123456789abcdeg", &class));
	assert_false(tls_fingerprint_parse("0000000000000000", &class));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_sameness),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
