/* Anything as a profile of unknown packing, by both readers. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "spa/unprotect.h"

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const codings[] = { "", "aes128gcm" };
	struct unprotected found;
	struct error err = { 0 };
	struct buf any, device;
	int rc;

	buf_init(&any, LIMIT);
	buf_init(&device, LIMIT);
	rc = unprotect_any("k", data, size, &any, &found, &err);
	assert(rc == 0 || (any.len == 0 && err.text[0] != '\0'));
	for (int i = 0; i < 4; i++) {
		const char *key = i < 2 ? "k" : NULL;

		if (unprotect_as_device(key, "k", codings[i % 2], data, size,
			&device, &found, &err) != 0)
			assert(device.len == 0 && err.text[0] != '\0');
		else
			assert(unprotect_is_readable(&found));
		buf_clear(&device);
	}
	buf_clear(&any);
	return 0;
}
