#include <assert.h>

#include "tls/hello_wait.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t needed = 0, more = 0;

	if (tls_hello_is_whole(data, size, &needed))
		return 0;
	assert(needed > size && needed <= TLS_HELLO_WAIT_MAX);
	/* What is not whole was not whole before its last byte came. */
	if (size > 0) {
		assert(!tls_hello_is_whole(data, size - 1, &more));
		/* With no byte yet, either form is possible. */
		assert(size == 1 || more <= needed);
	}
	return 0;
}
