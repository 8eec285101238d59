/* Anything as gzip: refused or expanded within the limit, and then the same
 * again after compressing it. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/gzip.h"

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out, packed, again;
	struct error err = { 0 };

	buf_init(&out, LIMIT);
	buf_init(&packed, 2 * LIMIT);
	buf_init(&again, LIMIT);
	if (gzip_expand(data, size, &out, &err) != 0) {
		assert(out.len == 0 && err.kind == ERROR_INPUT);
	} else {
		assert(gzip_begins(data, size) && out.len <= LIMIT);
		assert(gzip_compress(buf_text(&out), out.len, &packed, &err) ==
		    0);
		assert(gzip_expand(packed.data, packed.len, &again, &err) == 0);
		assert(again.len == out.len);
		assert(memcmp(buf_text(&again), buf_text(&out), out.len) == 0);
	}
	buf_clear(&out);
	buf_clear(&packed);
	buf_clear(&again);
	return 0;
}
