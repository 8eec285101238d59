#include "provision/keyring.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/mac.h"
#include "base/text.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
#define ALPHABET_LEN (sizeof(alphabet) - 1)

static bool
read_id(const char *text, uint64_t *id)
{
	uint8_t bytes[KEYRING_ID_CHARS / 2];
	char copy[KEYRING_ID_CHARS + 1];
	uint64_t value = 0;

	memcpy(copy, text, KEYRING_ID_CHARS);
	copy[KEYRING_ID_CHARS] = '\0';
	if (strspn(copy, "0123456789abcdef") != KEYRING_ID_CHARS ||
	    !text_unhex(copy, bytes, sizeof(bytes)))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		value = value << 8 | bytes[i];
	*id = value;
	return value != 0;
}

/* Never says what the value is: it is secret. */
static int
bad(size_t number, const char *what, struct error *err)
{
	return error_set(err, ERROR_INPUT,
	    "variable \"" KEYRING_VARIABLE "\": entry %zu %s: expected "
	    "\"ID:KEY ID:KEY ...\" as \"sprov profile rotate\" writes it",
	    number + 1, what);
}

int
keyring_parse(const char *value, struct keyring *ring, struct error *err)
{
	const char *p = value != NULL ? value : "";

	ring->count = 0;
	while (*p != '\0') {
		size_t len = strcspn(p, " "), key_len;
		struct keyring_key *key;

		if (ring->count == KEYRING_KEYS_MAX)
			return bad(ring->count, "is one too many", err);
		key = &ring->key[ring->count];
		if (len < KEYRING_ID_CHARS + 2 || p[KEYRING_ID_CHARS] != ':' ||
		    !read_id(p, &key->id))
			return bad(ring->count, "has no id", err);
		key_len = len - KEYRING_ID_CHARS - 1;
		if (key_len > PROTECTION_KEY_MAX)
			return bad(ring->count, "has a key too long", err);
		memcpy(key->text, p + KEYRING_ID_CHARS + 1, key_len);
		key->text[key_len] = '\0';
		if (!protection_key_fits(key->text))
			return bad(ring->count, "has a key that fits no rule",
			    err);
		for (size_t i = 0; i < ring->count; i++)
			if (ring->key[i].id == key->id)
				return bad(ring->count, "has an id twice", err);
		ring->count++;
		p += len;
		p += *p == ' ' ? 1 : 0;
	}
	return 0;
}

void
keyring_format_id(uint64_t id, char text[static KEYRING_ID_CHARS + 1])
{
	(void)snprintf(text, KEYRING_ID_CHARS + 1, "%016" PRIx64, id);
}

void
keyring_format(const struct keyring *ring, char text[static KEYRING_TEXT_BYTES])
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < ring->count; i++)
		len += (size_t)snprintf(text + len, KEYRING_TEXT_BYTES - len,
		    "%s%016" PRIx64 ":%s", i > 0 ? " " : "", ring->key[i].id,
		    ring->key[i].text);
}

/* Bytes that would make some letters likelier are passed over; that more than
 * 88 of 120 are such happens never (below 2^-300). */
void
keyring_make_key(const uint8_t random[static KEYRING_RANDOM_BYTES],
    struct keyring_key *key)
{
	const size_t usable = 256 / ALPHABET_LEN * ALPHABET_LEN;
	size_t len = 0;

	key->id = 0;
	for (size_t i = 0; i < 8; i++)
		key->id = key->id << 8 | random[i];
	key->id += key->id == 0;
	for (size_t i = 8; i < KEYRING_RANDOM_BYTES && len < KEYRING_KEY_CHARS;
	     i++)
		if (random[i] < usable)
			key->text[len++] = alphabet[random[i] % ALPHABET_LEN];
	key->text[len] = '\0';
}

/* The first key that was seen; all behind it are retired. */
static size_t
first_seen(const struct keyring *ring, const struct mac *mac,
    keyring_marks *marks, void *arg)
{
	size_t i = 0;

	while (i < ring->count &&
	    (marks(arg, mac, ring->key[i].id) & KEY_SEEN) == 0)
		i++;
	return i;
}

int
keyring_rotate(struct keyring *ring, const struct mac *mac,
    keyring_marks *marks, void *arg, const struct keyring_key *key,
    struct error *err)
{
	size_t seen = first_seen(ring, mac, marks, arg);

	if (seen + 1 < ring->count)
		ring->count = seen + 1;
	if (ring->count == KEYRING_KEYS_MAX)
		return error_set(err, ERROR_DENIED,
		    "the device has not come for any of its %d newest keys: "
		    "one more could lock it out",
		    KEYRING_KEYS_MAX - 1);
	memmove(&ring->key[1], &ring->key[0],
	    ring->count * sizeof(ring->key[0]));
	ring->key[0] = *key;
	ring->count++;
	return 0;
}

struct key_request
keyring_read_query(const char *query)
{
	struct key_request found = { .kind = KEY_REQUEST_NONE };

	for (const char *p = query; *p != '\0';) {
		size_t len = strcspn(p, "&");
		bool aes = strncmp(p, "key=", 4) == 0;

		if (aes || strncmp(p, "ikm=", 4) == 0) {
			if (found.kind != KEY_REQUEST_NONE ||
			    len != 4 + KEYRING_ID_CHARS ||
			    !read_id(p + 4, &found.id))
				return (struct key_request) {
					.kind = KEY_REQUEST_BAD
				};
			found.kind = aes ? KEY_REQUEST_AES :
					   KEY_REQUEST_AES128GCM;
		}
		p += len;
		p += *p == '&' ? 1 : 0;
	}
	return found;
}

enum key_verdict
keyring_judge(const struct keyring *ring, uint64_t id, const struct mac *mac,
    keyring_marks *marks, void *arg, size_t *index)
{
	for (size_t i = 0; i < ring->count; i++) {
		if (ring->key[i].id != id)
			continue;
		*index = i;
		if (first_seen(ring, mac, marks, arg) < i)
			return KEY_RETIRED;
		return (marks(arg, mac, id) & KEY_DELIVERED) != 0 ?
		    KEY_GOOD :
		    KEY_NOT_DELIVERED;
	}
	return KEY_UNKNOWN;
}

void
keyring_wipe(struct keyring *ring)
{
	OPENSSL_cleanse(ring, sizeof(*ring));
}
