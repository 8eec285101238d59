/*
 * protection.h -- how a profile is packed before it goes out: gzip, then
 * encryption.
 *
 * Compression comes first, because nothing compresses after encryption and
 * devices unpack in that order.  What is encrypted for --key is recognised by
 * its first bytes, gzip too; aes128gcm (RFC 8188) by the answer's field
 * Content-Encoding alone, which therefore stands there exactly when it is used.
 * Sources: [SPA-PROV] p. 20-21, [MPP-PROV] on RFC 8188.
 */
#ifndef SPA_PROTECTION_H
#define SPA_PROTECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum protection_cipher {
	CIPHER_NONE,
	CIPHER_AES,	  /* AES-256-CBC, for --key: salted.h */
	CIPHER_AES128GCM, /* RFC 8188, for IKM_HTTP_Encrypt_Content (MPP) */
};

struct protection {
	bool gzip;
	enum protection_cipher cipher;
};

/* Read "none", "gzip", "aes", "gzip+aes", "aes128gcm" or "gzip+aes128gcm"; a
 * mistake is answered with the one that may be meant. */
int protection_parse(const char *text, struct protection *protection,
    struct error *err) MUST_CHECK;
const char *protection_name(const struct protection *protection);

/* The value of Content-Encoding; NULL: the field is not sent. */
const char *protection_content_encoding(const struct protection *protection);

/* What packing may add to a text. */
#define PROTECTION_ROOM 1024

/*
 * Append the packed text.  key and keyid (may be "") are not looked at without
 * a cipher.  random is fresh for each call: salt and nonce come out of it.  The
 * limit of out leaves PROTECTION_ROOM bytes and 1 % over the text's length.
 */
#define PROTECTION_RANDOM_BYTES 16
int protection_encode(const struct protection *protection, const char *key,
    const char *keyid, const uint8_t random[static PROTECTION_RANDOM_BYTES],
    const void *text, size_t len, struct buf *out,
    struct error *err) MUST_CHECK;

/*
 * May it stand in a profile rule as the value of --key, bare, and in XML?
 * Blanks, quotes, brackets, '|', '$' and the like end it or turn it into
 * something else (rule.h), so: letters, digits, '-', '_', '.', 1 to
 * PROTECTION_KEY_MAX of them.
 */
#define PROTECTION_KEY_MAX 127
bool protection_key_fits(const char *key);

#endif
