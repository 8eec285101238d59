/* The first byte of the input says which of the two formats follows. */
#include <assert.h>
#include <string.h>

#include "tls/conn.h"
#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_hello hello, again;
	bool sslv2, whole;

	if (size == 0)
		return 0;
	sslv2 = (data[0] & 1) != 0;
	data++;
	size--;
	whole = tls_hello_parse(&hello, sslv2, data, size);
	assert(!whole || hello.seen);
	assert(hello.cipher_count <= size / 2);
	assert(hello.extension_count <= size / 4);
	assert(memchr(hello.sni, '\0', sizeof(hello.sni)) != NULL);
	for (const char *p = hello.sni; *p != '\0'; p++)
		assert(*p >= ' ' && *p <= '~');
	(void)tls_hello_read(&again, data, size);
	assert(memchr(again.sni, '\0', sizeof(again.sni)) != NULL);
	/* A message that is whole is not whole with a byte less. */
	if (whole && size > 0)
		assert(!tls_hello_parse(&again, sslv2, data, size - 1));
	return 0;
}
