/* Range fields, a line each and then a size: what is served lies in the file,
 * and If-Range never holds by chance. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	char *line = strchr(text, '\n');
	uint64_t length = line != NULL ? strtoull(line, NULL, 10) : 1000;
	struct range range = { 1, 0 };

	if (line != NULL)
		*line = '\0';
	if (range_read(text, length, &range) == RANGE_PART)
		assert(range.first <= range.last && range.last < length);
	else
		assert(range.first == 1 && range.last == 0);
	if (range_if_holds(text, "\"etag\"", 784111777, 784111777 + 60))
		assert(*text == '\0' || strcmp(text, "\"etag\"") == 0 ||
		    strcmp(text, "Sun, 06 Nov 1994 08:49:37 GMT") == 0);
	free(text);
	return 0;
}
