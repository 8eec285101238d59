/*
 * answer_file.h -- a file becomes the body of an answer, whole or in part.
 */
#ifndef SERVER_ANSWER_FILE_H
#define SERVER_ANSWER_FILE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"
#include "http/response.h"

struct request;
struct served_file;

#define ANSWER_RANGE_BYTES \
	sizeof("bytes 18446744073709551615-" \
	       "18446744073709551615/18446744073709551615")

/*
 * Fill in status (200, 206 or 416), fields and slice for a request whose date
 * response has already; the texts are borrowed from the file and from range.
 * -1 when the file has changed since it was opened: answer 500.
 */
int answer_file(const struct served_file *file, const struct request *request,
    struct response *response, char range[static ANSWER_RANGE_BYTES],
    struct slice *slice, struct error *err) MUST_CHECK;

#endif
