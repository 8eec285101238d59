/* Fields of a head that request_parse() took: none is longer than its room, and
 * none holds a line's end. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "http/field.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request;
	struct error err;
	char value[64];
	size_t used;
	int status;

	if (request_parse(&request, (const char *)data, size, &used, &status,
		&err) != REQUEST_COMPLETE)
		return 0;
	if (field_find((const char *)data, used, "Cookie", value,
		sizeof(value)) != FIELD_FOUND)
		assert(*value == '\0');
	assert(strlen(value) < sizeof(value));
	assert(strpbrk(value, "\r\n") == NULL);
	/* What it found for both has to agree. */
	if (field_find((const char *)data, used, "Range", value,
		sizeof(value)) == FIELD_FOUND)
		assert(strcmp(value, request.range) == 0);
	return 0;
}
