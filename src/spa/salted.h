/*
 * salted.h -- AES-256-CBC as the devices decrypt it, and as
 * "openssl enc -aes-256-cbc -md md5 -k KEY" writes it.
 *
 *     "Salted__"  salt (8 bytes)  AES-256-CBC(PKCS #7 padded text)
 *
 * Key and IV come out of EVP_BytesToKey() with MD5, one round, over KEY and
 * salt: the default of the OpenSSL 0.9.7c that the vendor names.  OpenSSL 1.1
 * and later take SHA-256 instead unless told, and devices cannot read that.
 * There is no checksum: a wrong key shows as bad padding in 255 of 256 cases,
 * and otherwise as a text that makes no sense.
 * Source: [SPA-PROV] p. 21.  ASSUMED: MD5, the default of the version named
 * there; no device was asked.
 */
#ifndef SPA_SALTED_H
#define SPA_SALTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define SALTED_SALT_BYTES 8
#define SALTED_HEAD_BYTES 16	/* the mark and the salt */
#define SALTED_TEXT_MAX 8388608 /* what is read or written, either way */
#define SALTED_ROOM 32
#define SALTED_KEY_MAX 255 /* bytes of a key text */

/* How a key text becomes key and IV. */
enum salted_digest {
	SALTED_MD5,    /* what devices do */
	SALTED_SHA256, /* openssl enc of 1.1 and later without -md md5 */
	SALTED_PBKDF2, /* openssl enc -pbkdf2: 10000 rounds, SHA-256 */
};
#define SALTED_DIGESTS 3

/* "-md md5", "-md sha256", "-pbkdf2": as openssl enc is told. */
const char *salted_digest_option(enum salted_digest digest);

/* Does it begin with "Salted__"? */
bool salted_begins(const void *data, size_t len);

/*
 * Append the encrypted text.  salt is random for each text (one that is the
 * same for the same text does no harm: then the result is the same, too).
 * The limit of out has to leave SALTED_ROOM bytes over the text's length.
 * ERROR_INPUT: an empty or too long key, a text that is too long; out is then
 * as it was.
 */
int salted_encrypt(const char *key,
    const uint8_t salt[static SALTED_SALT_BYTES], const void *data, size_t len,
    struct buf *out, struct error *err) MUST_CHECK;

/*
 * Append the text.  ERROR_INPUT: no "Salted__", a length that cannot be, out is
 * full; ERROR_DENIED: the padding is wrong, so most likely the key is.  out is
 * then as it was.
 */
int salted_decrypt(const char *key, enum salted_digest digest, const void *data,
    size_t len, struct buf *out, struct error *err) MUST_CHECK;

#endif
