/*
 * keyring.h -- the profile keys of one device, and a rotation that cannot
 * leave it without a key that it knows.
 *
 * A device learns a key only from a profile: the rule in there names the key
 * (--key, or the IKM) and, in the query of the URL, the key's id.  So the
 * device itself tells with each request which key it holds, and the server
 * encrypts with that one, whatever the newest is:
 *
 *     made -> delivered -> seen -> retired
 *
 *   made       it is in the inventory; the newest key goes into every profile
 *              that is rendered
 *   delivered  a profile with it went out, over mutual TLS or encrypted with a
 *              key that was itself delivered; recorded BEFORE the first byte
 *              leaves (server/record.h), so a crash never forgets it
 *   seen       a request named it: the device holds it.  An id is random and
 *              travels only inside such profiles, so nobody else can name it
 *              before the device has
 *   retired    a newer key was seen; requests with it are refused from then on
 *
 * A key that was made may be known to the device from the moment it is in the
 * inventory, so the ring keeps every key until a newer one was seen: not only
 * one old key, but as many as there were rotations without an answer.  When
 * the ring is full, rotation is refused, never a key forgotten.
 *
 * Whatever is lost on the way (an answer, the power, the server), the device's
 * key is in the ring and is not retired: a device that does not get or does
 * not keep the new profile goes on naming the old key, and a key is retired
 * only by a device that has named a newer one.  A device that was reset to the
 * factory's settings names no key, and gets its profile over mutual TLS.
 *
 * ASSUMED: a device keeps a profile over a power cut at the latest when it
 * resyncs the next time, so a key that it names is one that it will not forget.
 *
 * ASSUMED: the characters of IKM_HTTP_Encrypt_Content are themselves the input
 * keying material of RFC 8188, as [MPP-PROV] names no other coding.
 *
 * Pure functions; what is delivered and seen arrives as an argument.
 */
#ifndef PROVISION_KEYRING_H
#define PROVISION_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "spa/protection.h"

/* The device variable that holds them: "ID:KEY ID:KEY ...", newest first.  It
 * is not inherited, and secret by its name. */
#define KEYRING_VARIABLE "profile_keys"
#define KEYRING_KEYS_MAX 8
#define KEYRING_KEY_CHARS 32 /* of those we make: 190 bits */
#define KEYRING_ID_CHARS 16  /* hex digits */

struct keyring_key {
	uint64_t id; /* never 0 */
	char text[PROTECTION_KEY_MAX + 1];
};

struct keyring {
	struct keyring_key key[KEYRING_KEYS_MAX]; /* newest first */
	size_t count;
};

/* Read the variable; NULL or "" is an empty ring.  ERROR_INPUT. */
int keyring_parse(const char *value, struct keyring *ring,
    struct error *err) MUST_CHECK;

/* Write it, as keyring_parse() reads it. */
#define KEYRING_TEXT_BYTES \
	(KEYRING_KEYS_MAX * (KEYRING_ID_CHARS + PROTECTION_KEY_MAX + 2) + 1)
void keyring_format(const struct keyring *ring,
    char text[static KEYRING_TEXT_BYTES]);

void keyring_format_id(uint64_t id, char text[static KEYRING_ID_CHARS + 1]);

/* Make a key out of random bytes: letters and digits that survive rule and
 * XML, each equally likely. */
#define KEYRING_RANDOM_BYTES 128
void keyring_make_key(const uint8_t random[static KEYRING_RANDOM_BYTES],
    struct keyring_key *key);

/* What is known of a key of a device. */
#define KEY_DELIVERED 1u
#define KEY_SEEN 2u
struct mac;
typedef unsigned keyring_marks(void *arg, const struct mac *mac, uint64_t id);

/* Put a key in front and drop those that are retired.  ERROR_DENIED when the
 * ring is full: the device has to fetch first. */
int keyring_rotate(struct keyring *ring, const struct mac *mac,
    keyring_marks *marks, void *arg, const struct keyring_key *key,
    struct error *err) MUST_CHECK;

/* Which key a request names. */
enum key_request_kind {
	KEY_REQUEST_NONE,
	KEY_REQUEST_AES,       /* "key=ID": the rule had --key */
	KEY_REQUEST_AES128GCM, /* "ikm=ID": the device has the IKM */
	KEY_REQUEST_BAD,       /* malformed, or more than one */
};
struct key_request {
	enum key_request_kind kind;
	uint64_t id;
};

/* Read the query of a request; other parameters are passed over. */
struct key_request keyring_read_query(const char *query);

/* May a request with this key be answered? */
enum key_verdict {
	KEY_GOOD,
	KEY_UNKNOWN,
	KEY_RETIRED,
	KEY_NOT_DELIVERED, /* good otherwise */
};
/* *index is the key's place in the ring unless it is KEY_UNKNOWN. */
enum key_verdict keyring_judge(const struct keyring *ring, uint64_t id,
    const struct mac *mac, keyring_marks *marks, void *arg, size_t *index);

/* Overwrite the keys. */
void keyring_wipe(struct keyring *ring);

#endif
