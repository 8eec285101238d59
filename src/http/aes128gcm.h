/*
 * aes128gcm.h -- the content coding "aes128gcm" of RFC 8188.
 *
 *     salt (16)  record size (4, big-endian)  idlen (1)  keyid (idlen)
 *     records: AES-128-GCM(text, a delimiter, zeros), each of record size
 *              but the last, which may be shorter
 *
 * Content key and nonce come from the input keying material (IKM) and the
 * salt by HKDF-SHA-256.  The salt has to be random for each encryption: with
 * the same IKM it decides about key and nonces, and AES-GCM with the same
 * nonce for two texts gives both away.  The same bytes may be sent again.
 */
#ifndef HTTP_AES128GCM_H
#define HTTP_AES128GCM_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define AES128GCM_SALT_BYTES 16
#define AES128GCM_HEAD_BYTES 21 /* up to keyid */
#define AES128GCM_KEYID_MAX 255
#define AES128GCM_RECORD_MIN 18 /* RFC 8188 2: smaller is invalid */
#define AES128GCM_RECORD_DEFAULT 4096
#define AES128GCM_IKM_MAX 255
#define AES128GCM_TEXT_MAX 8388608 /* what is read or written, either way */

/* The name of the coding in Content-Encoding. */
#define AES128GCM_NAME "aes128gcm"

/* What stands before the records. */
struct aes128gcm_head {
	uint8_t salt[AES128GCM_SALT_BYTES];
	uint32_t record_size;
	uint8_t keyid[AES128GCM_KEYID_MAX];
	size_t keyid_len;
};

/* Read it; *used is its length.  ERROR_INPUT when it is cut off or the record
 * size is below AES128GCM_RECORD_MIN. */
int aes128gcm_read_head(const void *data, size_t len,
    struct aes128gcm_head *head, size_t *used, struct error *err) MUST_CHECK;

/* Append head and records.  Without padding.  out is as it was on failure. */
int aes128gcm_encrypt(const void *ikm, size_t ikm_len,
    const struct aes128gcm_head *head, const void *data, size_t len,
    struct buf *out, struct error *err) MUST_CHECK;

/*
 * Append the text.  ERROR_DENIED: a record is not authentic, so the key is
 * another one or the bytes were changed; ERROR_INPUT: malformed, cut off after
 * a whole record, or longer than out may hold: of that, what stands after the
 * head counts.  out is then as it was.
 */
int aes128gcm_decrypt(const void *ikm, size_t ikm_len, const void *data,
    size_t len, struct buf *out, struct error *err) MUST_CHECK;

#endif
