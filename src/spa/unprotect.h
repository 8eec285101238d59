/*
 * unprotect.h -- unpacking a profile: as a device does, and as someone does
 * who wants to know why a device does not.
 *
 * unprotect_as_device() takes only what devices take.  unprotect_any() also
 * takes what other systems make by mistake, and tells: wrapped in base64, a
 * key derived with SHA-256 or PBKDF2.
 */
#ifndef SPA_UNPROTECT_H
#define SPA_UNPROTECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "spa/protection.h"
#include "spa/salted.h"

/* What was found around the text, from outside to inside. */
struct unprotected {
	bool base64;
	enum protection_cipher cipher;
	enum salted_digest digest; /* of CIPHER_AES */
	char keyid[256];	   /* of CIPHER_AES128GCM, escaped; "" */
	bool gzip;
};

/*
 * key is that of the rule's --key, ikm that of IKM_HTTP_Encrypt_Content, each
 * NULL when there is none; coding is the answer's Content-Encoding, "" when
 * there is none.  A --key wins over an IKM.  With a key the body has to be
 * encrypted (ASSUMED: nothing says what a device does with a clear one).
 * ERROR_INPUT or ERROR_DENIED when the device could not read it; out is then
 * as it was.
 */
int unprotect_as_device(const char *key, const char *ikm, const char *coding,
    const void *data, size_t len, struct buf *out, struct unprotected *found,
    struct error *err) MUST_CHECK;

/*
 * Whatever it is.  key NULL: none is known.  What begins neither as a text,
 * nor as gzip or AES is taken for aes128gcm.  The error for a key that does
 * not fit (ERROR_DENIED) says what was tried.
 */
int unprotect_any(const char *key, const void *data, size_t len,
    struct buf *out, struct unprotected *found, struct error *err) MUST_CHECK;

/* Could a device with the right key and coding read it as it was found? */
bool unprotect_is_readable(const struct unprotected *found);

#endif
