#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "http/aes128gcm.h"

#define BYTES_MAX 512

/* RFC 8188 writes its examples in base64url without padding. */
static size_t
unbase64url(const char *text, uint8_t *out)
{
	size_t len = strlen(text), pad = (4 - len % 4) % 4;
	char *copy = xasprintf("%s%.*s", text, (int)pad, "===");
	int n;

	for (char *p = copy; *p != '\0'; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	n = EVP_DecodeBlock(out, (const uint8_t *)copy, (int)(len + pad));
	assert_true(n > 0);
	free(copy);
	return (size_t)n - pad;
}

static const char walrus[] = "I am the walrus";

static const struct {
	const char *section, *ikm, *body, *keyid;
	uint32_t record_size;
	bool padded; /* so our encoder makes other bytes of it */
} vectors[] = {
	{ "RFC 8188 3.1", "yqdlZ-tYemfogSmv7Ws5PQ",
	    "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-"
	    "ly8Thjg",
	    "", 4096, false },
	{ "RFC 8188 3.2", "BO3ZVPxUlnLORbVGMpbT1Q",
	    "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF"
	    "1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA",
	    "a1", 25, true },
};

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		uint8_t ikm[64], body[BYTES_MAX];
		size_t ikm_len = unbase64url(vectors[i].ikm, ikm);
		size_t len = unbase64url(vectors[i].body, body), used;
		struct aes128gcm_head head;
		struct error err = { 0 };
		struct buf out;

		buf_init(&out, BYTES_MAX);
		assert_int_equal(aes128gcm_read_head(body, len, &head, &used,
				     &err),
		    0);
		assert_int_equal(head.record_size, vectors[i].record_size);
		assert_int_equal(head.keyid_len, strlen(vectors[i].keyid));
		assert_memory_equal(head.keyid, vectors[i].keyid,
		    head.keyid_len);
		if (aes128gcm_decrypt(ikm, ikm_len, body, len, &out, &err) != 0)
			fail_msg("%s: %s", vectors[i].section, err.text);
		assert_string_equal(buf_text(&out), walrus);
		buf_clear(&out);
		assert_int_equal(aes128gcm_encrypt(ikm, ikm_len, &head, walrus,
				     strlen(walrus), &out, &err),
		    0);
		if (!vectors[i].padded) {
			assert_int_equal(out.len, len);
			assert_memory_equal(out.data, body, len);
		}
		buf_clear(&out);
	}
}

static void
round_trip(size_t len, uint32_t record_size, size_t keyid_len)
{
	struct aes128gcm_head head = { .record_size = record_size,
		.keyid_len = keyid_len };
	uint8_t *data = xmalloc(len + 1);
	struct buf coded, out;
	struct error err = { 0 };

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)rand();
	memset(head.salt, 7, sizeof(head.salt));
	memset(head.keyid, 'k', keyid_len);
	buf_init(&coded, 4096 + len * 20);
	buf_init(&out, 4096 + len * 20);
	assert_int_equal(aes128gcm_encrypt("key", 3, &head, data, len, &coded,
			     &err),
	    0);
	if (aes128gcm_decrypt("key", 3, coded.data, coded.len, &out, &err) != 0)
		fail_msg("%zu in %u: %s", len, record_size, err.text);
	assert_int_equal(out.len, len);
	assert_memory_equal(buf_text(&out), data, len);
	buf_clear(&out);
	assert_int_equal(aes128gcm_decrypt("kez", 3, coded.data, coded.len,
			     &out, &err),
	    -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	buf_clear(&coded);
	free(data);
}

static void
test_round_trip(void **state)
{
	static const size_t lengths[] = { 0, 1, 2, 3, 7, 8, 9, 100, 4078, 4079,
		4080, 8158, 20000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		round_trip(lengths[i], AES128GCM_RECORD_MIN, 0);
		round_trip(lengths[i], 25, 16);
		round_trip(lengths[i], AES128GCM_RECORD_DEFAULT, 255);
		round_trip(lengths[i], UINT32_MAX, 1);
	}
}

/* A body of two whole records and a bit, with record size 25. */
static size_t
make(struct buf *out)
{
	struct aes128gcm_head head = { .record_size = 25 };
	struct error err;

	buf_init(out, BYTES_MAX);
	assert_int_equal(aes128gcm_encrypt("key", 3, &head, "0123456789abcdefg",
			     17, out, &err),
	    0);
	assert_int_equal(out->len, 21 + 25 + 25 + 18);
	return out->len;
}

static void
refused(const void *data, size_t len, enum error_kind kind, const char *word)
{
	struct error err = { 0 };
	struct buf out;

	buf_init(&out, BYTES_MAX);
	assert_int_equal(buf_append_text(&out, "x"), 0);
	assert_int_equal(aes128gcm_decrypt("key", 3, data, len, &out, &err),
	    -1);
	if (word != NULL && strstr(err.text, word) == NULL)
		fail_msg("%s: expected \"%s\"", err.text, word);
	if (word != NULL)
		assert_int_equal(err.kind, kind);
	assert_string_equal(buf_text(&out), "x");
	buf_clear(&out);
}

static void
test_refused(void **state)
{
	struct buf body;
	size_t len = make(&body);
	char swapped[25];

	(void)state;
	for (size_t i = 0; i < len; i++) /* every prefix */
		refused(body.data, i, ERROR_INPUT, NULL);
	refused(body.data, 20, ERROR_INPUT, "head is cut off");
	refused(body.data, 21, ERROR_INPUT, "after the head");
	refused(body.data, 21 + 25, ERROR_INPUT, "cut off after record 0");
	refused(body.data, 21 + 50, ERROR_INPUT, "cut off after record 1");
	refused(body.data, 21 + 50 + 16, ERROR_INPUT, "record 2 is cut off");
	refused(body.data, 21 + 50 + 17, ERROR_DENIED, "record 2");
	for (size_t i = 0; i < len; i++) { /* every byte */
		body.data[i] ^= 1;
		refused(body.data, len, ERROR_DENIED, NULL);
		body.data[i] ^= 1;
	}
	memcpy(swapped, body.data + 21, 25); /* records in another order */
	memmove(body.data + 21, body.data + 46, 25);
	memcpy(body.data + 46, swapped, 25);
	refused(body.data, len, ERROR_DENIED, "record 0");
	body.data[19] = 17; /* record size */
	refused(body.data, len, ERROR_INPUT, "record size of 17");
	buf_clear(&body);
}

static void
test_limits(void **state)
{
	struct aes128gcm_head head = { .record_size = 17 };
	char key[AES128GCM_IKM_MAX + 1] = { 0 };
	struct error err;
	struct buf out, body;

	(void)state;
	buf_init(&out, 50);
	assert_int_equal(aes128gcm_encrypt("k", 1, &head, "x", 1, &out, &err),
	    -1);
	head.record_size = 4096;
	assert_int_equal(aes128gcm_encrypt("", 0, &head, "x", 1, &out, &err),
	    -1);
	assert_int_equal(aes128gcm_encrypt(key, sizeof(key), &head, "x", 1,
			     &out, &err),
	    -1);
	assert_int_equal(aes128gcm_encrypt("k", 1, &head, key, 20, &out, &err),
	    -1); /* no room */
	assert_int_equal(out.len, 0);
	(void)make(&body);
	out.limit = 20;
	assert_int_equal(aes128gcm_decrypt("key", 3, body.data, body.len, &out,
			     &err),
	    -1);
	assert_non_null(strstr(err.text, "20 bytes"));
	buf_clear(&body);
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
