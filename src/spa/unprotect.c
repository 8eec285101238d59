#include "spa/unprotect.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/gzip.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/aes128gcm.h"

/* "Salted__" in base64 begins so whatever follows. */
static const char base64_mark[] = "U2FsdGVkX1";

/* How much of a text has to look like one. */
#define LOOK_BYTES 512

/* Padding that is right by chance leaves bytes that no profile begins with. */
static bool
makes_sense(const char *text, size_t len)
{
	if (gzip_begins(text, len))
		return true;
	for (size_t i = 0; i < len && i < LOOK_BYTES; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == 0x7f || (c < ' ' && strchr("\t\r\n", c) == NULL) ||
		    c == '\0')
			return false;
	}
	return len > 0;
}

static void
wipe(struct buf *buf)
{
	if (buf->data != NULL)
		OPENSSL_cleanse(buf->data, buf->len);
	buf_clear(buf);
}

/* Append what is in text, expanded when it is gzip. */
static int
put(const char *text, size_t len, struct buf *out, struct unprotected *found,
    struct error *err)
{
	found->gzip = gzip_begins(text, len);
	if (found->gzip)
		return gzip_expand(text, len, out, err);
	if (buf_append(out, text, len) == 0)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "longer than the %zu bytes that are allowed", out->limit);
}

static int
put_salted(const char *key, enum salted_digest digest, const void *data,
    size_t len, struct buf *out, struct unprotected *found, struct error *err)
{
	struct buf text;
	int rc;

	buf_init(&text, SALTED_TEXT_MAX + SALTED_ROOM);
	rc = salted_decrypt(key, digest, data, len, &text, err);
	if (rc == 0 && !makes_sense(buf_text(&text), text.len))
		rc = error_set(err, ERROR_DENIED,
		    "it does not decrypt with this key: what comes out is no "
		    "text");
	if (rc == 0) {
		found->cipher = CIPHER_AES;
		found->digest = digest;
		rc = put(buf_text(&text), text.len, out, found, err);
	}
	wipe(&text);
	return rc;
}

static int
put_aes128gcm(const char *key, const void *data, size_t len, struct buf *out,
    struct unprotected *found, struct error *err)
{
	struct aes128gcm_head head;
	struct buf text;
	size_t used;
	int rc;

	buf_init(&text, 2 * (size_t)AES128GCM_TEXT_MAX);
	rc = aes128gcm_read_head(data, len, &head, &used, err);
	if (rc == 0)
		rc = aes128gcm_decrypt(key, strlen(key), data, len, &text, err);
	if (rc == 0) {
		found->cipher = CIPHER_AES128GCM;
		text_escape(head.keyid, head.keyid_len, found->keyid,
		    sizeof(found->keyid));
		rc = put(buf_text(&text), text.len, out, found, err);
	}
	wipe(&text);
	return rc;
}

int
unprotect_as_device(const char *key, const char *ikm, const char *coding,
    const void *data, size_t len, struct buf *out, struct unprotected *found,
    struct error *err)
{
	bool coded = strcmp(coding, AES128GCM_NAME) == 0;

	*found = (struct unprotected) { .base64 = false };
	if (key != NULL)
		return put_salted(key, SALTED_MD5, data, len, out, found, err);
	if (coded && ikm != NULL)
		return put_aes128gcm(ikm, data, len, out, found, err);
	if (coded)
		return error_set(err, ERROR_DENIED,
		    "the profile is encrypted (aes128gcm) and the device has "
		    "no IKM");
	if (salted_begins(data, len))
		return error_set(err, ERROR_DENIED,
		    "the profile is encrypted and the rule has no --key");
	return put(data, len, out, found, err);
}

static int
try_digests(const char *key, const void *data, size_t len, struct buf *out,
    struct unprotected *found, struct error *err)
{
	for (int i = 0; i < SALTED_DIGESTS; i++) {
		int rc = put_salted(key, (enum salted_digest)i, data, len, out,
		    found, err);

		if (rc == 0 || err->kind != ERROR_DENIED)
			return rc;
	}
	return error_set(err, ERROR_DENIED,
	    "wrong key: it decrypts neither as devices do (-md md5) nor with "
	    "-md sha256 or -pbkdf2");
}

static int
put_any(const char *key, const void *data, size_t len, struct buf *out,
    struct unprotected *found, struct error *err)
{
	bool salted = salted_begins(data, len);
	int rc;

	if (!salted && makes_sense(data, len))
		return put(data, len, out, found, err);
	if (len == 0)
		return error_set(err, ERROR_INPUT, "it is empty");
	if (key == NULL)
		return error_set(err, ERROR_DENIED,
		    salted ? "it is encrypted for --key: the key is needed" :
			     "it is neither text nor gzip, so probably "
			     "encrypted (aes128gcm): the key is needed");
	if (salted)
		return try_digests(key, data, len, out, found, err);
	rc = put_aes128gcm(key, data, len, out, found, err);
	if (rc != 0 && err->kind == ERROR_DENIED)
		return error_set(err, ERROR_DENIED,
		    "wrong key, or not encrypted as devices read it: it does "
		    "not begin with \"Salted__\", and as aes128gcm its first "
		    "record is not authentic");
	return rc;
}

/*
 * The bytes behind base64 with line ends, as "openssl enc -a" writes it; NULL
 * when it is none.  The caller frees them.
 */
static uint8_t *
unwrap(const char *data, size_t len, size_t *out_len)
{
	EVP_ENCODE_CTX *ctx;
	uint8_t *out;
	int n = 0, last = 0;

	if (len < strlen(base64_mark) || len > 2 * (size_t)SALTED_TEXT_MAX ||
	    memcmp(data, base64_mark, strlen(base64_mark)) != 0)
		return NULL;
	out = xmalloc(len);
	ctx = EVP_ENCODE_CTX_new();
	if (ctx != NULL)
		EVP_DecodeInit(ctx);
	if (ctx == NULL ||
	    EVP_DecodeUpdate(ctx, out, &n, (const uint8_t *)data, (int)len) <
		0 ||
	    EVP_DecodeFinal(ctx, out + n, &last) != 1 || n + last == 0) {
		free(out);
		out = NULL;
	}
	EVP_ENCODE_CTX_free(ctx);
	*out_len = (size_t)(n + last);
	return out;
}

int
unprotect_any(const char *key, const void *data, size_t len, struct buf *out,
    struct unprotected *found, struct error *err)
{
	size_t inner_len = 0;
	uint8_t *inner = unwrap(data, len, &inner_len);
	int rc;

	*found = (struct unprotected) { .base64 = inner != NULL };
	rc = inner != NULL ? put_any(key, inner, inner_len, out, found, err) :
			     put_any(key, data, len, out, found, err);
	free(inner);
	return rc;
}

bool
unprotect_is_readable(const struct unprotected *found)
{
	return !found->base64 &&
	    (found->cipher != CIPHER_AES || found->digest == SALTED_MD5);
}
