#include "server/answer_file.h"
#include "http/range.h"
#include "http/request.h"
#include "server/files.h"

#include <stdio.h>

static enum range_kind
wanted_range(const struct served_file *file, const struct request *request,
    time_t now, struct range *range)
{
	/* RFC 9110 14.2: Range is for GET, and If-Range is judged first. */
	if (request->method != REQUEST_GET ||
	    !range_if_holds(request->if_range, file->etag, file->modified, now))
		return RANGE_WHOLE;
	return range_read(request->range, file->size, range);
}

int
answer_file(const struct served_file *file, const struct request *request,
    struct response *response, char text[static ANSWER_RANGE_BYTES],
    struct slice *slice, struct error *err)
{
	unsigned long long size = file->size;
	struct range range = { 0, 0 };

	if (!served_file_is_unchanged(file))
		return error_set(err, ERROR_SYSTEM,
		    "%s: changed since it was loaded: reload the server",
		    file->path);
	*slice = (struct slice) { .fd = file->fd, .len = file->size };
	response->status = 200;
	response->content_type = file->content_type;
	response->accept_ranges = true;
	response->etag = file->etag;
	response->last_modified = file->modified;
	switch (wanted_range(file, request, response->date, &range)) {
	case RANGE_WHOLE:
		break;
	case RANGE_PART:
		response->status = 206;
		slice->offset = range.first;
		slice->len = range.last - range.first + 1;
		(void)snprintf(text, ANSWER_RANGE_BYTES, "bytes %llu-%llu/%llu",
		    (unsigned long long)range.first,
		    (unsigned long long)range.last, size);
		response->content_range = text;
		break;
	case RANGE_UNSATISFIABLE:
		response->status = 416;
		slice->len = 0;
		(void)snprintf(text, ANSWER_RANGE_BYTES, "bytes */%llu", size);
		response->content_range = text;
		break;
	}
	response->content_length = slice->len;
	if (request->method == REQUEST_HEAD)
		slice->len = 0;
	return 0;
}
