/* Anything as an encrypted profile; and what is encrypted comes back. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "spa/salted.h"

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t salt[SALTED_SALT_BYTES] = { 1 };
	struct buf out, file;
	struct error err = { 0 };

	buf_init(&out, LIMIT);
	buf_init(&file, LIMIT + SALTED_ROOM);
	if (salted_decrypt("k", SALTED_MD5, data, size, &out, &err) != 0)
		assert(out.len == 0 && err.text[0] != '\0');
	else
		assert(salted_begins(data, size) && out.len < size);
	buf_clear(&out);
	if (size < LIMIT - SALTED_ROOM &&
	    salted_encrypt("k", salt, data, size, &file, &err) == 0) {
		assert(salted_decrypt("k", SALTED_MD5, file.data, file.len,
			   &out, &err) == 0);
		assert(out.len == size);
		assert(size == 0 || memcmp(out.data, data, size) == 0);
	}
	buf_clear(&out);
	buf_clear(&file);
	return 0;
}
