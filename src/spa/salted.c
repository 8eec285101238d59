#include "spa/salted.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define AES_KEY_BYTES 32
#define AES_BLOCK_BYTES 16
#define PBKDF2_ROUNDS 10000

static const char mark[8] = { 'S', 'a', 'l', 't', 'e', 'd', '_', '_' };

struct derived {
	uint8_t key[AES_KEY_BYTES];
	uint8_t iv[AES_BLOCK_BYTES];
};

const char *
salted_digest_option(enum salted_digest digest)
{
	static const char *const options[SALTED_DIGESTS] = {
		[SALTED_MD5] = "-md md5",
		[SALTED_SHA256] = "-md sha256",
		[SALTED_PBKDF2] = "-pbkdf2",
	};

	return options[digest];
}

bool
salted_begins(const void *data, size_t len)
{
	return len >= sizeof(mark) && memcmp(data, mark, sizeof(mark)) == 0;
}

static int
check_key(const char *key, struct error *err)
{
	size_t len = strlen(key);

	if (len > 0 && len <= SALTED_KEY_MAX)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "a key of %zu bytes: expected 1 to %d", len, SALTED_KEY_MAX);
}

static int
derive(const char *key, enum salted_digest digest, const uint8_t *salt,
    struct derived *derived, struct error *err)
{
	const EVP_MD *md = digest == SALTED_MD5 ? EVP_md5() : EVP_sha256();
	const uint8_t *text = (const uint8_t *)key;
	int len = (int)strlen(key);

	if (digest == SALTED_PBKDF2) {
		if (PKCS5_PBKDF2_HMAC(key, len, salt, SALTED_SALT_BYTES,
			PBKDF2_ROUNDS, md, sizeof(*derived), derived->key) == 1)
			return 0;
	} else if (EVP_BytesToKey(EVP_aes_256_cbc(), md, salt, text, len, 1,
		       derived->key, derived->iv) == AES_KEY_BYTES) {
		return 0;
	}
	return error_openssl(err, "cannot derive a key");
}

/* Encrypt or decrypt in one piece; *done is how many bytes are at to.  With
 * ERROR_DENIED it is the padding. */
static int
cipher(const struct derived *derived, bool encrypt, const void *data,
    size_t len, uint8_t *to, size_t *done, struct error *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0, rc = -1;

	if (ctx == NULL ||
	    EVP_CipherInit_ex2(ctx, EVP_aes_256_cbc(), derived->key,
		derived->iv, encrypt ? 1 : 0, NULL) != 1 ||
	    EVP_CipherUpdate(ctx, to, &n, data, (int)len) != 1) {
		(void)error_openssl(err, "AES-256-CBC failed");
	} else if (EVP_CipherFinal_ex(ctx, to + n, &last) != 1) {
		(void)error_openssl(err, "padding"); /* empties the queue */
		(void)error_set(err, ERROR_DENIED,
		    "it does not decrypt with this key: the padding is wrong");
	} else {
		*done = (size_t)n + (size_t)last;
		rc = 0;
	}
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

/* With room for one block more: that is what EVP asks for. */
static uint8_t *
room_for(struct buf *out, size_t len, struct error *err)
{
	char *space = buf_reserve(out, len + AES_BLOCK_BYTES);

	if (space == NULL)
		(void)error_set(err, ERROR_INPUT,
		    "the result would be longer than the %zu bytes that are "
		    "allowed",
		    out->limit);
	return (uint8_t *)space;
}

static void
commit(struct buf *out, size_t len)
{
	out->len += len;
	out->data[out->len] = '\0';
}

int
salted_encrypt(const char *key, const uint8_t salt[static SALTED_SALT_BYTES],
    const void *data, size_t len, struct buf *out, struct error *err)
{
	struct derived derived;
	size_t done = 0;
	uint8_t *space;
	int rc;

	if (check_key(key, err) != 0)
		return -1;
	if (len > SALTED_TEXT_MAX)
		return error_set(err, ERROR_INPUT,
		    "a text of %zu bytes: expected at most %d", len,
		    SALTED_TEXT_MAX);
	space = room_for(out, SALTED_HEAD_BYTES + len, err);
	if (space == NULL)
		return -1;
	rc = derive(key, SALTED_MD5, salt, &derived, err);
	if (rc == 0)
		rc = cipher(&derived, true, data, len,
		    space + SALTED_HEAD_BYTES, &done, err);
	if (rc == 0) {
		memcpy(space, mark, sizeof(mark));
		memcpy(space + sizeof(mark), salt, SALTED_SALT_BYTES);
		commit(out, SALTED_HEAD_BYTES + done);
	}
	OPENSSL_cleanse(&derived, sizeof(derived));
	return rc;
}

static int
check_shape(const void *data, size_t len, struct error *err)
{
	if (!salted_begins(data, len))
		return error_set(err, ERROR_INPUT,
		    "not encrypted as devices read it: expected it to begin "
		    "with \"Salted__\"");
	if (len > SALTED_TEXT_MAX + SALTED_HEAD_BYTES + AES_BLOCK_BYTES)
		return error_set(err, ERROR_INPUT, "%zu bytes: too long", len);
	if (len < SALTED_HEAD_BYTES + AES_BLOCK_BYTES ||
	    len % AES_BLOCK_BYTES != 0)
		return error_set(err, ERROR_INPUT,
		    "%zu bytes are no whole number of AES blocks: the file is "
		    "cut off or was changed on its way",
		    len);
	return 0;
}

int
salted_decrypt(const char *key, enum salted_digest digest, const void *data,
    size_t len, struct buf *out, struct error *err)
{
	const uint8_t *bytes = data;
	struct derived derived;
	size_t done = 0;
	uint8_t *space;
	int rc;

	if (check_key(key, err) != 0 || check_shape(data, len, err) != 0)
		return -1;
	space = room_for(out, len - SALTED_HEAD_BYTES, err);
	if (space == NULL)
		return -1;
	rc = derive(key, digest, bytes + sizeof(mark), &derived, err);
	if (rc == 0)
		rc = cipher(&derived, false, bytes + SALTED_HEAD_BYTES,
		    len - SALTED_HEAD_BYTES, space, &done, err);
	if (rc == 0)
		commit(out, done);
	else if (out->data != NULL)
		out->data[out->len] = '\0';
	OPENSSL_cleanse(&derived, sizeof(derived));
	return rc;
}
