#include "admin/veil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define HALF_BITS 26
#define HALF_MASK (((uint64_t)1 << HALF_BITS) - 1)
#define ID_BITS 36 /* above it the check: bits that are 0 */
#define ROUNDS 8
#define NAME_MAX_BYTES 256

/* A pseudo-random function of half a number. */
static uint64_t
mix(const uint8_t key[static VEIL_KEY_BYTES], const char *name, unsigned round,
    uint64_t half)
{
	char text[NAME_MAX_BYTES + 64];
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	unsigned len = 0;
	uint64_t mixed = 0;
	int n = snprintf(text, sizeof(text), "%.*s\n%u\n%llu", NAME_MAX_BYTES,
	    name, round, (unsigned long long)half);

	if (HMAC(EVP_sha256(), key, VEIL_KEY_BYTES, (const uint8_t *)text,
		(size_t)n, hash, &len) == NULL)
		abort(); /* no memory */
	for (size_t i = 0; i < sizeof(mixed); i++)
		mixed = mixed << 8 | hash[i];
	return mixed & HALF_MASK;
}

/* A Feistel network: each round changes one half by the other one, and the
 * rounds in reverse take it back. */
int64_t
veil_put(const uint8_t key[static VEIL_KEY_BYTES], const char *name, int64_t id)
{
	uint64_t left = (uint64_t)id >> HALF_BITS,
		 right = (uint64_t)id & HALF_MASK;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t next = left ^ mix(key, name, round, right);

		left = right;
		right = next;
	}
	return (int64_t)(left << HALF_BITS | right);
}

int
veil_take(const uint8_t key[static VEIL_KEY_BYTES], const char *name,
    int64_t number, int64_t *id, struct error *err)
{
	uint64_t left = (uint64_t)number >> HALF_BITS,
		 right = (uint64_t)number & HALF_MASK, found;

	if (number >= 0 && left <= HALF_MASK) {
		for (unsigned round = ROUNDS; round-- > 0;) {
			uint64_t before = right ^ mix(key, name, round, left);

			right = left;
			left = before;
		}
		found = left << HALF_BITS | right;
		if (found >> ID_BITS == 0) {
			*id = (int64_t)found;
			return 0;
		}
	}
	return error_set(err, ERROR_INPUT,
	    "expected a number that was given out since the server started");
}
