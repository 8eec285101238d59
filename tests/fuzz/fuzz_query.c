/* Queries: what is read has each name once, and no control characters. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct query query;

	if (query_read(&query, text)) {
		assert(query.count <= QUERY_PARAMETERS_MAX);
		for (size_t i = 0; i < query.count; i++) {
			assert(query_find(&query, query.list[i].name) ==
			    (int)i);
			assert(strpbrk(query.list[i].value, "\n\r\t") == NULL);
		}
	}
	free(text);
	return 0;
}
