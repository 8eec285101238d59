/*
 * seal.h -- secrets at rest: AES-256-GCM under a key that a file holds.
 *
 * What is sealed can be opened only with the same key and for the same
 * context: a text that says what the secret is and whose ("device
 * 000e08aabbcc Password_1_").  So a sealed secret that somebody moves to
 * another place does not open there.  The nonce is random, the key is named by
 * an id that tells nothing about it: a wrong key is told from tampering.
 *
 * A key seals at most 2^32 secrets (NIST SP 800-38D 8.3); rotate it long
 * before.  All functions may be called by several threads at a time.
 */
#ifndef PKI_SEAL_H
#define PKI_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SEAL_KEY_BYTES 32
#define SEAL_ID_TEXT_BYTES 9 /* 8 hex digits, with the final NUL */

/* Sealed bytes: version, key id, nonce, ciphertext, tag. */
#define SEAL_OVERHEAD (1 + 4 + 12 + 16)
#define SEAL_MAX (1024 * 1024)	    /* bytes of one secret */
#define SEAL_TEXT_PREFIX "sealed1:" /* then base64 of the sealed bytes */
/* Room for a sealed text of len bytes, with the final NUL. */
#define SEAL_TEXT_BYTES(len) \
	(sizeof(SEAL_TEXT_PREFIX) + ((len) + SEAL_OVERHEAD + 2) / 3 * 4)

struct seal_key;

/*
 * Read a key from a file: 32 raw bytes, or 64 hex digits and perhaps a newline.
 * ERROR_DENIED when the group or others may read or write it, unless it is in
 * $CREDENTIALS_DIRECTORY, which the service manager guards.  Counted by
 * references.
 */
void seal_key_release(struct seal_key *key); /* NULL is fine */
struct seal_key *seal_key_load(const char *path, struct error *err) MUST_CHECK;
struct seal_key *seal_key_retain(struct seal_key *key); /* NULL is fine */

/*
 * The file that holds the key: given when not NULL, else $SPROV_SECRETS_KEY,
 * else $CREDENTIALS_DIRECTORY/secrets-key when there is one; NULL when nothing
 * names a key.  free() it.
 */
char *seal_key_find(const char *given);

/* From bytes, as a key file holds them. */
struct seal_key *seal_key_new(const uint8_t bytes[static SEAL_KEY_BYTES],
    struct error *err) MUST_CHECK;

/* What tells this key from others; "" for NULL. */
void
seal_key_id(const struct seal_key *key, char text[static SEAL_ID_TEXT_BYTES]);

/* Seal len (at most SEAL_MAX) bytes into len + SEAL_OVERHEAD bytes. */
int
seal_bytes(const struct seal_key *key, const char *context, const void *data,
    size_t len, uint8_t *sealed, struct error *err) MUST_CHECK;

/*
 * Open into len - SEAL_OVERHEAD bytes.  ERROR_INPUT when it is no sealed
 * secret or was changed or moved, ERROR_DENIED when another key sealed it.
 */
int seal_open_bytes(const struct seal_key *key, const char *context,
    const uint8_t *sealed, size_t len, void *data,
    struct error *err) MUST_CHECK;

/* The same as text: "sealed1:BASE64".  The result is the caller's to wipe and
 * free(). */
int seal_text(const struct seal_key *key, const char *context,
    const char *plain, char **sealed, struct error *err) MUST_CHECK;
int seal_open_text(const struct seal_key *key, const char *context,
    const char *sealed, char **plain, struct error *err) MUST_CHECK;

/* Does text have the form of a sealed one?  id (may be NULL) is then that of
 * the key which sealed it. */
bool seal_text_is_sealed(const char *text, char id[SEAL_ID_TEXT_BYTES]);

/* Overwrite and free(); NULL is fine. */
void seal_wipe(char *secret);

#endif
