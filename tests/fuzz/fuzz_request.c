/*
 * Requests: the verdict does not depend on how the bytes arrive, and the path
 * of a complete one is plain.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct verdict {
	enum request_status result;
	struct request request;
	size_t used;
	int status;
	struct error err;
};

static void
parse(struct verdict *verdict, const uint8_t *data, size_t size)
{
	/* Exactly size bytes, so that reading past them is seen. */
	char *copy = malloc(size > 0 ? size : 1);

	assert(copy != NULL);
	memset(verdict, 0, sizeof(*verdict));
	if (size > 0)
		memcpy(copy, data, size);
	verdict->result = request_parse(&verdict->request, copy, size,
	    &verdict->used, &verdict->status, &verdict->err);
	free(copy);
}

static void
check_complete(const struct verdict *verdict, size_t size)
{
	const struct request *request = &verdict->request;

	assert(verdict->used <= size && verdict->used <= REQUEST_HEAD_MAX);
	assert(request->path[0] == '/');
	for (const char *p = request->path; *p != '\0'; p++) {
		size_t len = strcspn(p + 1, "/");

		assert(*p >= 0x21 && *p <= 0x7e && strchr("\\?#", *p) == NULL);
		if (*p != '/')
			continue;
		assert(p[1] != '/');
		assert(!(len == 1 && p[1] == '.'));
		assert(!(len == 2 && p[1] == '.' && p[2] == '.'));
	}
	assert(strchr(request->path, '%') == NULL);
	assert(request->http_1_0 || request->host[0] != '\0');
	assert(!request_has_body(request) ||
	    (request->method != REQUEST_GET &&
		request->method != REQUEST_HEAD));
	assert(strlen(request->query) <= REQUEST_QUERY_MAX);
	for (const char *p = request->query; *p != '\0'; p++)
		assert(*p >= 0x21 && *p <= 0x7e && *p != '#');
}

static void
check_invalid(const struct verdict *verdict)
{
	assert(verdict->status == 400 || verdict->status == 413 ||
	    verdict->status == 414 || verdict->status == 431 ||
	    verdict->status == 505);
	assert(verdict->err.kind == ERROR_INPUT);
	assert(verdict->err.text[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Not on the stack: they are large, and there are two. */
	static struct verdict whole, part;
	size_t step = size > 512 ? size / 64 : 1;

	parse(&whole, data, size);
	if (whole.result == REQUEST_COMPLETE)
		check_complete(&whole, size);
	else if (whole.result == REQUEST_INVALID)
		check_invalid(&whole);
	else
		assert(size < REQUEST_HEAD_MAX);
	for (size_t n = 0; n < size; n += step) {
		parse(&part, data, n);
		if (part.result == REQUEST_MORE)
			continue;
		assert(memcmp(&part, &whole, sizeof(whole)) == 0);
		return 0;
	}
	return 0;
}
