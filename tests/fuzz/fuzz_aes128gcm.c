/*
 * Anything as aes128gcm; and what is encrypted comes back, whatever the record
 * size (its low bits are the first byte of the input).
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "http/aes128gcm.h"

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aes128gcm_head head = { .record_size = AES128GCM_RECORD_MIN +
		    (size > 0 ? data[0] : 0) };
	struct buf out, body;
	struct error err = { 0 };

	buf_init(&out, LIMIT);
	buf_init(&body, 32 * LIMIT);
	if (aes128gcm_decrypt("k", 1, data, size, &out, &err) != 0)
		assert(out.len == 0 && err.text[0] != '\0');
	else
		assert(out.len < size);
	buf_clear(&out);
	out.limit = 32 * LIMIT;
	if (size < LIMIT &&
	    aes128gcm_encrypt("k", 1, &head, data, size, &body, &err) == 0) {
		assert(aes128gcm_decrypt("k", 1, body.data, body.len, &out,
			   &err) == 0);
		assert(out.len == size);
		assert(size == 0 || memcmp(out.data, data, size) == 0);
	}
	buf_clear(&out);
	buf_clear(&body);
	return 0;
}
