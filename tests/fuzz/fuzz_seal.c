/*
 * Sealed texts from anywhere: nothing but what this key sealed opens, and what
 * it sealed opens as it was.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seal_key *key;
	static const uint8_t bytes[SEAL_KEY_BYTES] = { 1 };
	char *text = xstrndup((const char *)data, size);
	char *sealed = NULL, *plain = NULL;
	struct error err = { 0 };

	if (key == NULL)
		key = seal_key_new(bytes, &err);
	assert(key != NULL);
	if (seal_open_text(key, "fuzz", text, &plain, &err) == 0) {
		assert(seal_text_is_sealed(text, NULL));
		seal_wipe(plain);
	}
	plain = NULL;
	if (seal_text(key, "fuzz", text, &sealed, &err) != 0 ||
	    seal_open_text(key, "fuzz", sealed, &plain, &err) != 0)
		abort(); /* short texts can be sealed */
	assert(strcmp(plain, text) == 0);
	seal_wipe(plain);
	free(sealed);
	free(text);
	return 0;
}
