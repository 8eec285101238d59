/*
 * A challenge of a device's web page: the answer is one line.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "reach/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *challenge = xstrndup((const char *)data, size);
	char *field = web_authorize(challenge, "/admin/resync", "admin", "pw",
	    "0a4f113b0a4f113b");

	for (const char *p = field; p != NULL && *p != '\0'; p++)
		assert((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	assert(field == NULL || strlen(field) < 4096);
	free(field);
	free(challenge);
	return 0;
}
