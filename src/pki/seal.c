#include "pki/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define VERSION 1
#define ID_BYTES 4
#define NONCE_BYTES 12 /* NIST SP 800-38D 8.2: 96 bits */
#define TAG_BYTES 16
#define HEAD_BYTES (1 + ID_BYTES + NONCE_BYTES)
#define CREDENTIAL "secrets-key"

struct seal_key {
	atomic_size_t references;
	uint8_t bytes[SEAL_KEY_BYTES];
	uint8_t id[ID_BYTES];
	EVP_CIPHER *cipher; /* fetched once: that costs more than a secret */
};

/* Of a hash with a label, so that the id is of no use for anything else. */
static int
make_id(struct seal_key *key, struct error *err)
{
	static const char label[] = "sprov secrets-key id";
	uint8_t input[sizeof(label) + SEAL_KEY_BYTES];
	uint8_t digest[EVP_MAX_MD_SIZE];
	int rc = 0;

	memcpy(input, label, sizeof(label));
	memcpy(input + sizeof(label), key->bytes, SEAL_KEY_BYTES);
	if (EVP_Digest(input, sizeof(input), digest, NULL, EVP_sha256(),
		NULL) != 1)
		rc = error_openssl(err, "cannot hash the secrets key");
	else
		memcpy(key->id, digest, ID_BYTES);
	OPENSSL_cleanse(input, sizeof(input));
	return rc;
}

struct seal_key *
seal_key_new(const uint8_t bytes[static SEAL_KEY_BYTES], struct error *err)
{
	struct seal_key *key = xcalloc(1, sizeof(*key));

	atomic_init(&key->references, 1);
	memcpy(key->bytes, bytes, SEAL_KEY_BYTES);
	key->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (key->cipher == NULL)
		(void)error_openssl(err, "there is no AES-256-GCM");
	else if (make_id(key, err) == 0)
		return key;
	seal_key_release(key);
	return NULL;
}

struct seal_key *
seal_key_retain(struct seal_key *key)
{
	if (key != NULL)
		atomic_fetch_add(&key->references, 1);
	return key;
}

void
seal_key_release(struct seal_key *key)
{
	if (key == NULL || atomic_fetch_sub(&key->references, 1) > 1)
		return;
	EVP_CIPHER_free(key->cipher);
	OPENSSL_cleanse(key->bytes, sizeof(key->bytes));
	free(key);
}

/* Is it a file of the folder that the service manager made for us? */
static bool
is_credential(const char *path)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	size_t len = folder != NULL ? strlen(folder) : 0;

	return len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/' &&
	    strchr(path + len + 1, '/') == NULL;
}

static int
check_mode(const char *path, struct error *err)
{
	struct stat st;

	if (is_credential(path))
		return 0;
	if (stat(path, &st) != 0) {
		(void)error_errno(err, "%s", path);
		if (errno == ENOENT)
			err->kind = ERROR_NOT_FOUND;
		return -1;
	}
	if ((st.st_mode & 077) != 0)
		return error_set(err, ERROR_DENIED,
		    "%s: mode %04o lets others read or write the secrets key: "
		    "\"chmod 600\" it",
		    path, (unsigned)(st.st_mode & 07777));
	return 0;
}

static int
read_key(const char *path, const char *data, size_t len,
    uint8_t bytes[static SEAL_KEY_BYTES], struct error *err)
{
	char hex[2 * SEAL_KEY_BYTES + 1];
	bool good = false;

	if (len == SEAL_KEY_BYTES) {
		memcpy(bytes, data, SEAL_KEY_BYTES);
		return 0;
	}
	while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
		len--;
	if (len == sizeof(hex) - 1) {
		memcpy(hex, data, len);
		hex[len] = '\0';
		good = text_unhex(hex, bytes, SEAL_KEY_BYTES);
		OPENSSL_cleanse(hex, sizeof(hex));
	}
	if (good)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "%s: not a secrets key: expected 32 bytes or 64 hex digits, found "
	    "%zu bytes; \"openssl rand -hex 32\" makes one",
	    path, len);
}

struct seal_key *
seal_key_load(const char *path, struct error *err)
{
	uint8_t bytes[SEAL_KEY_BYTES];
	struct seal_key *key = NULL;
	char *data = NULL;
	size_t len = 0;

	if (check_mode(path, err) != 0 ||
	    file_read(path, 2 * SEAL_KEY_BYTES + 2, &data, &len, err) != 0)
		return NULL;
	if (read_key(path, data, len, bytes, err) == 0)
		key = seal_key_new(bytes, err);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(data, len);
	free(data);
	return key;
}

char *
seal_key_find(const char *given)
{
	const char *named = given != NULL ? given : getenv("SPROV_SECRETS_KEY");
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char *path;

	if (named != NULL && *named != '\0')
		return xstrdup(named);
	if (folder == NULL || *folder == '\0')
		return NULL;
	path = file_join(folder, CREDENTIAL);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

void
seal_key_id(const struct seal_key *key, char text[static SEAL_ID_TEXT_BYTES])
{
	text[0] = '\0';
	if (key != NULL)
		text_hex(key->id, ID_BYTES, text);
}

static int
encrypt(EVP_CIPHER_CTX *ctx, const struct seal_key *key, const char *context,
    const void *data, size_t len, uint8_t *sealed)
{
	uint8_t *nonce = sealed + 1 + ID_BYTES;
	uint8_t *body = sealed + HEAD_BYTES;
	int n;

	if (EVP_EncryptInit_ex2(ctx, key->cipher, key->bytes, nonce, NULL) !=
		1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, sealed, 1 + ID_BYTES) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)context,
		(int)strlen(context)) != 1 ||
	    EVP_EncryptUpdate(ctx, body, &n, data, (int)len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, body + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES,
		body + len) != 1)
		return -1;
	return 0;
}

int
seal_bytes(const struct seal_key *key, const char *context, const void *data,
    size_t len, uint8_t *sealed, struct error *err)
{
	EVP_CIPHER_CTX *ctx;
	int rc = 0;

	if (len > SEAL_MAX || strlen(context) > SEAL_MAX)
		return error_set(err, ERROR_INPUT,
		    "the secret is %zu bytes long, at most %d are allowed", len,
		    SEAL_MAX);
	sealed[0] = VERSION;
	memcpy(sealed + 1, key->id, ID_BYTES);
	if (RAND_bytes(sealed + 1 + ID_BYTES, NONCE_BYTES) != 1)
		return error_openssl(err, "no random bytes");
	ctx = EVP_CIPHER_CTX_new();
	if (ctx == NULL || encrypt(ctx, key, context, data, len, sealed) != 0)
		rc = error_openssl(err, "cannot seal a secret");
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

static int
check_head(const struct seal_key *key, const uint8_t *sealed, size_t len,
    struct error *err)
{
	char mine[SEAL_ID_TEXT_BYTES], other[SEAL_ID_TEXT_BYTES];

	if (len < SEAL_OVERHEAD || len - SEAL_OVERHEAD > SEAL_MAX ||
	    sealed[0] != VERSION)
		return error_set(err, ERROR_INPUT, "it is no sealed secret");
	if (memcmp(sealed + 1, key->id, ID_BYTES) == 0)
		return 0;
	text_hex(key->id, ID_BYTES, mine);
	text_hex(sealed + 1, ID_BYTES, other);
	return error_set(err, ERROR_DENIED,
	    "the secret was sealed with the key %s, the one given is %s", other,
	    mine);
}

static int
decrypt(EVP_CIPHER_CTX *ctx, const struct seal_key *key, const char *context,
    const uint8_t *sealed, size_t len, uint8_t *data)
{
	uint8_t tag[TAG_BYTES];
	int n;

	memcpy(tag, sealed + HEAD_BYTES + len, TAG_BYTES);
	if (EVP_DecryptInit_ex2(ctx, key->cipher, key->bytes,
		sealed + 1 + ID_BYTES, NULL) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, sealed, 1 + ID_BYTES) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, (const uint8_t *)context,
		(int)strlen(context)) != 1 ||
	    EVP_DecryptUpdate(ctx, data, &n, sealed + HEAD_BYTES, (int)len) !=
		1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) !=
		1)
		return -1;
	/* The tag is compared here, in constant time. */
	return EVP_DecryptFinal_ex(ctx, data + n, &n) == 1 ? 0 : -1;
}

int
seal_open_bytes(const struct seal_key *key, const char *context,
    const uint8_t *sealed, size_t len, void *data, struct error *err)
{
	EVP_CIPHER_CTX *ctx;
	int rc = 0;

	if (check_head(key, sealed, len, err) != 0)
		return -1;
	len -= SEAL_OVERHEAD;
	if (strlen(context) > SEAL_MAX || (ctx = EVP_CIPHER_CTX_new()) == NULL)
		return error_set(err, ERROR_SYSTEM, "cannot open a secret");
	if (decrypt(ctx, key, context, sealed, len, data) != 0) {
		OPENSSL_cleanse(data, len);
		rc = error_set(err, ERROR_INPUT,
		    "a sealed secret was changed, or belongs to something "
		    "else");
	}
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

int
seal_text(const struct seal_key *key, const char *context, const char *plain,
    char **sealed, struct error *err)
{
	const size_t prefix = strlen(SEAL_TEXT_PREFIX);
	size_t len = strlen(plain);
	uint8_t *bytes;
	char *text;

	if (len > SEAL_MAX)
		return error_set(err, ERROR_INPUT,
		    "the secret is %zu bytes long, at most %d are allowed", len,
		    SEAL_MAX);
	bytes = xmalloc(len + SEAL_OVERHEAD);
	if (seal_bytes(key, context, plain, len, bytes, err) != 0) {
		free(bytes);
		return -1;
	}
	text = xmalloc(SEAL_TEXT_BYTES(len));
	memcpy(text, SEAL_TEXT_PREFIX, prefix);
	(void)EVP_EncodeBlock((uint8_t *)text + prefix, bytes,
	    (int)(len + SEAL_OVERHEAD));
	free(bytes);
	*sealed = text;
	return 0;
}

/* The bytes of a sealed text; NULL when it is none.  free() them. */
static uint8_t *
decode(const char *text, size_t *len)
{
	size_t n = strlen(text), padding = 0;
	uint8_t *bytes;
	int decoded;

	if (!text_starts(text, SEAL_TEXT_PREFIX))
		return NULL;
	text += strlen(SEAL_TEXT_PREFIX);
	n -= strlen(SEAL_TEXT_PREFIX);
	if (n < SEAL_OVERHEAD || n % 4 != 0 ||
	    n > SEAL_TEXT_BYTES((size_t)SEAL_MAX) ||
	    strspn(text,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/=") != n)
		return NULL;
	while (padding < 2 && text[n - 1 - padding] == '=')
		padding++;
	if (strcspn(text, "=") != n - padding)
		return NULL;
	bytes = xmalloc(n / 4 * 3);
	decoded = EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)n);
	if (decoded < 0 || (size_t)decoded < SEAL_OVERHEAD + padding ||
	    bytes[0] != VERSION) {
		free(bytes);
		return NULL;
	}
	*len = (size_t)decoded - padding;
	return bytes;
}

int
seal_open_text(const struct seal_key *key, const char *context,
    const char *sealed, char **plain, struct error *err)
{
	size_t len = 0;
	uint8_t *bytes = decode(sealed, &len);
	char *text;
	int rc;

	if (bytes == NULL)
		return error_set(err, ERROR_INPUT, "it is no sealed secret");
	text = xmalloc(len - SEAL_OVERHEAD + 1);
	rc = seal_open_bytes(key, context, bytes, len, text, err);
	free(bytes);
	text[len - SEAL_OVERHEAD] = '\0';
	if (rc == 0 && strlen(text) != len - SEAL_OVERHEAD)
		rc = error_set(err, ERROR_INPUT,
		    "a sealed secret holds a NUL byte: it is no text");
	if (rc != 0) {
		OPENSSL_cleanse(text, len - SEAL_OVERHEAD);
		free(text);
		return -1;
	}
	*plain = text;
	return 0;
}

bool
seal_text_is_sealed(const char *text, char id[SEAL_ID_TEXT_BYTES])
{
	size_t len = 0;
	uint8_t *bytes = decode(text, &len);

	if (bytes != NULL && id != NULL)
		text_hex(bytes + 1, ID_BYTES, id);
	free(bytes);
	return bytes != NULL;
}

void
seal_wipe(char *secret)
{
	if (secret == NULL)
		return;
	OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}
