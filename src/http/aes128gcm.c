#include "http/aes128gcm.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define KEY_BYTES 16
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define DELIMITER_MORE 1 /* RFC 8188 2: another record follows */
#define DELIMITER_LAST 2

/* One text on its way in or out. */
struct coder {
	EVP_CIPHER_CTX *ctx;
	uint8_t key[KEY_BYTES];
	uint8_t nonce[NONCE_BYTES]; /* of record 0 */
};

/* RFC 8188 2.2 and 2.3; the info texts end with the NUL that counts. */
static const char key_info[] = "Content-Encoding: aes128gcm";
static const char nonce_info[] = "Content-Encoding: nonce";

static int
hkdf(const void *ikm, size_t ikm_len, const uint8_t *salt, const char *info,
    size_t info_len, uint8_t *out, size_t out_len)
{
	char sha256[] = "SHA256", label[sizeof(key_info)];
	uint8_t material[AES128GCM_IKM_MAX], grain[AES128GCM_SALT_BYTES];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[5];
	int rc = -1;

	/* OSSL_PARAM wants bytes that it could write to. */
	memcpy(label, info, info_len);
	memcpy(material, ikm, ikm_len);
	memcpy(grain, salt, sizeof(grain));
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
	    sha256, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
	    material, ikm_len);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
	    grain, sizeof(grain));
	params[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
	    label, info_len);
	params[4] = OSSL_PARAM_construct_end();
	if (ctx != NULL && EVP_KDF_derive(ctx, out, out_len, params) == 1)
		rc = 0;
	OPENSSL_cleanse(material, sizeof(material));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

static void
coder_clear(struct coder *coder)
{
	EVP_CIPHER_CTX_free(coder->ctx);
	OPENSSL_cleanse(coder, sizeof(*coder));
}

static int
coder_init(struct coder *coder, const void *ikm, size_t ikm_len,
    const uint8_t *salt, struct error *err)
{
	if (ikm_len == 0 || ikm_len > AES128GCM_IKM_MAX)
		return error_set(err, ERROR_INPUT,
		    "a key of %zu bytes: expected 1 to %d", ikm_len,
		    AES128GCM_IKM_MAX);
	coder->ctx = EVP_CIPHER_CTX_new();
	if (coder->ctx != NULL &&
	    hkdf(ikm, ikm_len, salt, key_info, sizeof(key_info), coder->key,
		KEY_BYTES) == 0 &&
	    hkdf(ikm, ikm_len, salt, nonce_info, sizeof(nonce_info),
		coder->nonce, NONCE_BYTES) == 0)
		return 0;
	coder_clear(coder);
	return error_openssl(err, "cannot derive a key");
}

/* RFC 8188 2.3: the record's number is mixed into the last bytes. */
static void
nonce_of(const struct coder *coder, uint64_t number, uint8_t *nonce)
{
	memcpy(nonce, coder->nonce, NONCE_BYTES);
	for (size_t i = 0; i < sizeof(number); i++)
		nonce[NONCE_BYTES - 1 - i] ^= (uint8_t)(number >> (8 * i));
}

static int
seal_record(struct coder *coder, uint64_t number, const uint8_t *text,
    size_t len, uint8_t delimiter, uint8_t *to)
{
	uint8_t nonce[NONCE_BYTES];
	int n = 0, m = 0, last = 0;

	nonce_of(coder, number, nonce);
	if (EVP_EncryptInit_ex2(coder->ctx, EVP_aes_128_gcm(), coder->key,
		nonce, NULL) != 1 ||
	    (len > 0 &&
		EVP_EncryptUpdate(coder->ctx, to, &n, text, (int)len) != 1) ||
	    EVP_EncryptUpdate(coder->ctx, to + n, &m, &delimiter, 1) != 1 ||
	    EVP_EncryptFinal_ex(coder->ctx, to + n + m, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(coder->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES,
		to + len + 1) != 1)
		return -1;
	return 0;
}

/* False: not authentic.  len is of text, delimiter and padding. */
static bool
open_record(struct coder *coder, uint64_t number, const uint8_t *record,
    size_t len, uint8_t *to)
{
	uint8_t nonce[NONCE_BYTES], tag[TAG_BYTES];
	int n = 0, last = 0;

	nonce_of(coder, number, nonce);
	memcpy(tag, record + len, TAG_BYTES);
	return EVP_DecryptInit_ex2(coder->ctx, EVP_aes_128_gcm(), coder->key,
		   nonce, NULL) == 1 &&
	    EVP_DecryptUpdate(coder->ctx, to, &n, record, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(coder->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES,
		tag) == 1 &&
	    EVP_DecryptFinal_ex(coder->ctx, to + n, &last) == 1;
}

static uint8_t *
room_for(struct buf *out, size_t len, struct error *err)
{
	char *space = buf_reserve(out, len);

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
aes128gcm_read_head(const void *data, size_t len, struct aes128gcm_head *head,
    size_t *used, struct error *err)
{
	struct aes128gcm_head read;
	const uint8_t *p = data;

	if (len < AES128GCM_HEAD_BYTES ||
	    len - AES128GCM_HEAD_BYTES < p[AES128GCM_HEAD_BYTES - 1])
		return error_set(err, ERROR_INPUT,
		    "no aes128gcm (RFC 8188): its head is cut off");
	memset(&read, 0, sizeof(read));
	memcpy(read.salt, p, sizeof(read.salt));
	read.record_size = (uint32_t)p[16] << 24 | (uint32_t)p[17] << 16 |
	    (uint32_t)p[18] << 8 | p[19];
	read.keyid_len = p[AES128GCM_HEAD_BYTES - 1];
	memcpy(read.keyid, p + AES128GCM_HEAD_BYTES, read.keyid_len);
	if (read.record_size < AES128GCM_RECORD_MIN)
		return error_set(err, ERROR_INPUT,
		    "no aes128gcm (RFC 8188 2): a record size of %u, expected "
		    "at least %d",
		    read.record_size, AES128GCM_RECORD_MIN);
	*head = read;
	*used = AES128GCM_HEAD_BYTES + read.keyid_len;
	return 0;
}

static size_t
put_head(const struct aes128gcm_head *head, uint8_t *to)
{
	memcpy(to, head->salt, sizeof(head->salt));
	for (size_t i = 0; i < 4; i++)
		to[16 + i] = (uint8_t)(head->record_size >> (24 - 8 * i));
	to[AES128GCM_HEAD_BYTES - 1] = (uint8_t)head->keyid_len;
	memcpy(to + AES128GCM_HEAD_BYTES, head->keyid, head->keyid_len);
	return AES128GCM_HEAD_BYTES + head->keyid_len;
}

int
aes128gcm_encrypt(const void *ikm, size_t ikm_len,
    const struct aes128gcm_head *head, const void *data, size_t len,
    struct buf *out, struct error *err)
{
	const uint8_t *text = data;
	struct coder coder = { .ctx = NULL };
	size_t room, records, done;
	uint8_t *space;
	int rc = 0;

	if (head->record_size < AES128GCM_RECORD_MIN ||
	    head->keyid_len > AES128GCM_KEYID_MAX || len > AES128GCM_TEXT_MAX)
		return error_set(err, ERROR_INPUT,
		    "a text of %zu bytes in records of %u: expected at most %d "
		    "in records of %d or more",
		    len, head->record_size, AES128GCM_TEXT_MAX,
		    AES128GCM_RECORD_MIN);
	room = head->record_size - TAG_BYTES - 1;
	records = len == 0 ? 1 : (len - 1) / room + 1;
	space = room_for(out,
	    AES128GCM_HEAD_BYTES + head->keyid_len + len +
		records * (TAG_BYTES + 1),
	    err);
	if (space == NULL ||
	    coder_init(&coder, ikm, ikm_len, head->salt, err) != 0)
		return -1;
	done = put_head(head, space);
	for (size_t i = 0; rc == 0 && i < records; i++) {
		bool last = i == records - 1;
		size_t n = last ? len - i * room : room;

		rc = seal_record(&coder, i, len > 0 ? text + i * room : NULL, n,
		    last ? DELIMITER_LAST : DELIMITER_MORE, space + done);
		done += n + 1 + TAG_BYTES;
	}
	if (rc == 0)
		commit(out, done);
	else
		(void)error_openssl(err, "AES-128-GCM failed");
	coder_clear(&coder);
	return rc;
}

/*
 * Take padding and delimiter away: *len is of the text then.  The last record
 * has another delimiter than the others, so a body cut off between two records
 * is noticed.
 */
static int
unpad(const uint8_t *text, size_t *len, bool last, uint64_t number,
    struct error *err)
{
	size_t n = *len;

	while (n > 0 && text[n - 1] == 0)
		n--;
	if (n == 0)
		return error_set(err, ERROR_INPUT,
		    "aes128gcm: record %llu has no delimiter (RFC 8188 2)",
		    (unsigned long long)number);
	if (text[n - 1] == (last ? DELIMITER_LAST : DELIMITER_MORE)) {
		*len = n - 1;
		return 0;
	}
	if (last && text[n - 1] == DELIMITER_MORE)
		return error_set(err, ERROR_INPUT,
		    "aes128gcm: cut off after record %llu, more should follow",
		    (unsigned long long)number);
	return error_set(err, ERROR_INPUT,
	    "aes128gcm: record %llu ends with the delimiter %u (RFC 8188 2)",
	    (unsigned long long)number, text[n - 1]);
}

static int
open_records(struct coder *coder, const uint8_t *data, size_t len,
    size_t record_size, uint8_t *to, size_t *done, struct error *err)
{
	for (uint64_t i = 0; len > 0; i++) {
		size_t whole = len < record_size ? len : record_size, n;

		if (whole < TAG_BYTES + 1)
			return error_set(err, ERROR_INPUT,
			    "aes128gcm: record %llu is cut off",
			    (unsigned long long)i);
		n = whole - TAG_BYTES;
		if (!open_record(coder, i, data, n, to + *done)) {
			(void)error_openssl(err, "record"); /* empties it */
			return error_set(err, ERROR_DENIED,
			    "it does not decrypt with this key: record %llu is "
			    "not authentic",
			    (unsigned long long)i);
		}
		if (unpad(to + *done, &n, whole == len, i, err) != 0)
			return -1;
		*done += n;
		data += whole;
		len -= whole;
	}
	return 0;
}

int
aes128gcm_decrypt(const void *ikm, size_t ikm_len, const void *data, size_t len,
    struct buf *out, struct error *err)
{
	const uint8_t *bytes = data;
	struct coder coder = { .ctx = NULL };
	struct aes128gcm_head head;
	size_t used, done = 0;
	uint8_t *space;
	int rc;

	if (aes128gcm_read_head(data, len, &head, &used, err) != 0)
		return -1;
	if (len == used)
		return error_set(err, ERROR_INPUT,
		    "aes128gcm: cut off after the head: expected a record");
	if (len > 2 * (size_t)AES128GCM_TEXT_MAX)
		return error_set(err, ERROR_INPUT, "%zu bytes: too long", len);
	/* A text is never longer than its records. */
	space = room_for(out, len - used, err);
	if (space == NULL ||
	    coder_init(&coder, ikm, ikm_len, head.salt, err) != 0)
		return -1;
	rc = open_records(&coder, bytes + used, len - used, head.record_size,
	    space, &done, err);
	if (rc == 0)
		commit(out, done);
	else
		out->data[out->len] = '\0';
	coder_clear(&coder);
	return rc;
}
