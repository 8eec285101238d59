#include "spa/protection.h"

#include <string.h>

#include "base/gzip.h"
#include "base/text.h"
#include "http/aes128gcm.h"
#include "spa/salted.h"

static const struct {
	const char *name;
	struct protection protection;
} names[] = {
	{ "none", { false, CIPHER_NONE } },
	{ "gzip", { true, CIPHER_NONE } },
	{ "aes", { false, CIPHER_AES } },
	{ "gzip+aes", { true, CIPHER_AES } },
	{ "aes128gcm", { false, CIPHER_AES128GCM } },
	{ "gzip+aes128gcm", { true, CIPHER_AES128GCM } },
};
#define NAME_COUNT (sizeof(names) / sizeof(*names))

int
protection_parse(const char *text, struct protection *protection,
    struct error *err)
{
	const char *candidates[NAME_COUNT], *nearest;
	char shown[40];

	for (size_t i = 0; i < NAME_COUNT; i++) {
		candidates[i] = names[i].name;
		if (strcmp(text, names[i].name) == 0) {
			*protection = names[i].protection;
			return 0;
		}
	}
	nearest = text_nearest(text, candidates, NAME_COUNT);
	text_escape(text, strlen(text), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "\"%s\" is no protection: expected none, gzip, aes, gzip+aes, "
	    "aes128gcm or gzip+aes128gcm%s%s%s",
	    shown, nearest != NULL ? "; did you mean \"" : "",
	    nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

const char *
protection_name(const struct protection *protection)
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (names[i].protection.gzip == protection->gzip &&
		    names[i].protection.cipher == protection->cipher)
			return names[i].name;
	return "none";
}

const char *
protection_content_encoding(const struct protection *protection)
{
	return protection->cipher == CIPHER_AES128GCM ? AES128GCM_NAME : NULL;
}

bool
protection_key_fits(const char *key)
{
	size_t len = strspn(key,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-_.");

	return len > 0 && len <= PROTECTION_KEY_MAX && key[len] == '\0' &&
	    !text_starts(key, "--");
}

static int
encrypt(enum protection_cipher cipher, const char *key, const char *keyid,
    const uint8_t random[static PROTECTION_RANDOM_BYTES], const void *text,
    size_t len, struct buf *out, struct error *err)
{
	struct aes128gcm_head head = {
		.record_size = AES128GCM_RECORD_DEFAULT
	};

	switch (cipher) {
	case CIPHER_NONE:
		if (buf_append(out, text, len) == 0)
			return 0;
		return error_set(err, ERROR_INPUT,
		    "longer than the %zu bytes that are allowed", out->limit);
	case CIPHER_AES:
		return salted_encrypt(key, random, text, len, out, err);
	case CIPHER_AES128GCM:
		break;
	}
	head.keyid_len = strlen(keyid);
	if (head.keyid_len > AES128GCM_KEYID_MAX)
		return error_set(err, ERROR_INPUT,
		    "a key id of %zu bytes: expected at most %d",
		    head.keyid_len, AES128GCM_KEYID_MAX);
	memcpy(head.salt, random, AES128GCM_SALT_BYTES);
	memcpy(head.keyid, keyid, head.keyid_len);
	return aes128gcm_encrypt(key, strlen(key), &head, text, len, out, err);
}

int
protection_encode(const struct protection *protection, const char *key,
    const char *keyid, const uint8_t random[static PROTECTION_RANDOM_BYTES],
    const void *text, size_t len, struct buf *out, struct error *err)
{
	struct buf packed;
	int rc;

	if (!protection->gzip)
		return encrypt(protection->cipher, key, keyid, random, text,
		    len, out, err);
	buf_init(&packed, len + len / 100 + PROTECTION_ROOM);
	rc = gzip_compress(text, len, &packed, err);
	if (rc == 0)
		rc = encrypt(protection->cipher, key, keyid, random,
		    buf_text(&packed), packed.len, out, err);
	buf_clear(&packed);
	return rc;
}
