/*
 * target.h -- the target of a request line: its authority, path and query.
 *
 * Origin form ("/path?query") and absolute form ("https://host/path?query",
 * which RFC 9112 3.2.2 obliges servers to accept); the authority form and "*"
 * name nothing we serve.  One path has one spelling here: what could be read
 * in two ways is refused, as request.h says.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include <stddef.h>

#include "base/error.h"

struct target {
	const char *authority; /* within text; NULL in origin form */
	size_t authority_len;
	const char *query; /* within text, after the '?'; "" when absent */
	size_t query_len;
};

/*
 * Read text; path gets its path and is as large as text, final NUL included.
 * -1 with ERROR_INPUT when it has neither form, the path is not plain or the
 * query is not printable ASCII with whole escapes; *path is then undefined.
 */
int target_parse(struct target *target, char *path, const char *text,
    struct error *err) MUST_CHECK;

#endif
