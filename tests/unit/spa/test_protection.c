#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/gzip.h"
#include "spa/unprotect.h"

static const char text[] = "<flat-profile>\n  <A>1</A>\n</flat-profile>\n";
static const char key[] = "pZ3k9Qx";
static const uint8_t random_bytes[PROTECTION_RANDOM_BYTES] = { 3, 1, 4, 1, 5 };

static const char *const all[] = { "none", "gzip", "aes", "gzip+aes",
	"aes128gcm", "gzip+aes128gcm" };
#define ALL (sizeof(all) / sizeof(*all))

static void
encode(const char *name, struct protection *protection, struct buf *out)
{
	struct error err = { 0 };

	assert_int_equal(protection_parse(name, protection, &err), 0);
	buf_init(out, 2000);
	if (protection_encode(protection, key, "id1", random_bytes, text,
		strlen(text), out, &err) != 0)
		fail_msg("%s: %s", name, err.text);
}

static void
test_names(void **state)
{
	struct protection protection = { false, CIPHER_AES };
	struct error err;

	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		assert_int_equal(protection_parse(all[i], &protection, &err),
		    0);
		assert_string_equal(protection_name(&protection), all[i]);
	}
	assert_int_equal(protection_parse("gzip+aess", &protection, &err), -1);
	assert_non_null(strstr(err.text, "did you mean \"gzip+aes\"?"));
	assert_int_equal(protection_parse("", &protection, &err), -1);
	assert_int_equal(protection_parse("aes+gzip", &protection, &err), -1);
	assert_string_equal(protection_name(&protection), "gzip+aes128gcm");
}

/* Every packing opens as devices and as people open it, and only so. */
static void
test_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		struct protection protection;
		const char *coding, *rule_key, *ikm;
		struct unprotected found;
		struct error err = { 0 };
		struct buf body, out;

		encode(all[i], &protection, &body);
		coding = protection_content_encoding(&protection);
		assert_int_equal(coding != NULL,
		    protection.cipher == CIPHER_AES128GCM);
		coding = coding != NULL ? coding : "";
		rule_key = protection.cipher == CIPHER_AES ? key : NULL;
		ikm = protection.cipher == CIPHER_AES128GCM ? key : NULL;
		buf_init(&out, 2000);
		if (unprotect_as_device(rule_key, ikm, coding, body.data,
			body.len, &out, &found, &err) != 0)
			fail_msg("%s: %s", all[i], err.text);
		assert_string_equal(buf_text(&out), text);
		assert_int_equal(found.cipher, protection.cipher);
		assert_int_equal(found.gzip, protection.gzip);
		assert_true(unprotect_is_readable(&found));
		buf_clear(&out);
		if (unprotect_any(key, body.data, body.len, &out, &found,
			&err) != 0)
			fail_msg("%s: %s", all[i], err.text);
		assert_string_equal(buf_text(&out), text);
		assert_int_equal(found.cipher, protection.cipher);
		assert_string_equal(found.keyid,
		    protection.cipher == CIPHER_AES128GCM ? "id1" : "");
		buf_clear(&out);
		/* Without the secret nothing comes out, whatever is tried. */
		if (protection.cipher != CIPHER_NONE) {
			assert_int_equal(unprotect_any("other", body.data,
					     body.len, &out, &found, &err),
			    -1);
			assert_int_equal(err.kind, ERROR_DENIED);
			assert_int_equal(unprotect_any(NULL, body.data,
					     body.len, &out, &found, &err),
			    -1);
			assert_int_equal(unprotect_as_device(NULL, NULL, coding,
					     body.data, body.len, &out, &found,
					     &err),
			    -1);
			assert_int_equal(out.len, 0);
		}
		buf_clear(&body);
	}
}

static void
device_refuses(const char *rule_key, const char *ikm, const char *coding,
    const struct buf *body, const char *word)
{
	struct unprotected found;
	struct error err = { 0 };
	struct buf out;

	buf_init(&out, 2000);
	assert_int_equal(unprotect_as_device(rule_key, ikm, coding,
			     buf_text(body), body->len, &out, &found, &err),
	    -1);
	if (strstr(err.text, word) == NULL)
		fail_msg("%s: expected \"%s\"", err.text, word);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
}

static void
test_device_refuses(void **state)
{
	struct protection protection;
	struct buf aes, gcm, clear, out;
	struct unprotected found;
	struct error err;

	(void)state;
	encode("aes", &protection, &aes);
	encode("gzip+aes128gcm", &protection, &gcm);
	encode("gzip", &protection, &clear);
	device_refuses(key, NULL, "", &clear, "Salted__");
	device_refuses(NULL, NULL, "", &aes, "no --key");
	device_refuses("other", NULL, "", &aes, "does not decrypt");
	/* A --key wins over the field, so the field makes no difference ... */
	device_refuses(key, key, "aes128gcm", &gcm, "Salted__");
	buf_init(&out, 2000);
	assert_int_equal(unprotect_as_device(key, key, "aes128gcm", aes.data,
			     aes.len, &out, &found, &err),
	    0);
	/* ... and without the field it is not even tried. */
	device_refuses(key, key, "", &gcm, "Salted__");
	device_refuses(NULL, NULL, "aes128gcm", &gcm, "no IKM");
	device_refuses(NULL, "other", "aes128gcm", &gcm, "not authentic");
	buf_clear(&out);
	buf_clear(&aes);
	buf_clear(&gcm);
	buf_clear(&clear);
}

static void
test_limits(void **state)
{
	static const struct protection bad = { true, CIPHER_AES128GCM };
	char long_id[300];
	struct error err;
	struct buf out;

	(void)state;
	memset(long_id, 'i', sizeof(long_id) - 1);
	long_id[sizeof(long_id) - 1] = '\0';
	buf_init(&out, 2000);
	assert_int_equal(protection_encode(&bad, key, long_id, random_bytes,
			     text, strlen(text), &out, &err),
	    -1);
	assert_int_equal(protection_encode(&bad, "", "", random_bytes, text,
			     strlen(text), &out, &err),
	    -1);
	out.limit = 10;
	for (size_t i = 0; i < ALL; i++) {
		struct protection protection;

		assert_int_equal(protection_parse(all[i], &protection, &err),
		    0);
		assert_int_equal(protection_encode(&protection, key, "",
				     random_bytes, text, strlen(text), &out,
				     &err),
		    -1);
		assert_int_equal(out.len, 0);
	}
	buf_clear(&out);
}

static void
test_key_fits(void **state)
{
	static const char *const good[] = { "a", "SecretPhrase1234", "a-b_c.9",
		"-x" };
	static const char *const bad[] = { "", "a b", "a\"", "a]", "a|b", "$SA",
		"a&b", "a<b", "--key", "\xc3\xa4", "a;b", "a\n" };
	char long_key[PROTECTION_KEY_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(protection_key_fits(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(protection_key_fits(bad[i]));
	memset(long_key, 'k', sizeof(long_key) - 1);
	long_key[sizeof(long_key) - 1] = '\0';
	assert_false(protection_key_fits(long_key));
	assert_true(protection_key_fits(long_key + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_device_refuses),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_key_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
