/*
 * error.h -- what went wrong, described once and handed to the caller.
 *
 * The function that first sees a failure fills in a struct error; those above
 * may prefix it with where it happened; the outermost caller reports it.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, values) __attribute__((format(printf, text, values)))
/* gcc's analyzer then knows which function releases what this one returns. */
#if defined(FREED_BY) /* on the command line: tools/lint */
#elif defined(__GNUC__) && !defined(__clang__)
#define FREED_BY(release) __attribute__((malloc, malloc(release, 1)))
#else
#define FREED_BY(release)
#endif

enum error_kind {
	ERROR_NONE = 0,
	ERROR_INPUT,	 /* what we were given is malformed or out of range */
	ERROR_NOT_FOUND, /* well formed, but names nothing we hold */
	ERROR_DENIED,	 /* the peer has no right to it */
	ERROR_SYSTEM,	 /* the kernel, the database or OpenSSL failed */
};

struct error {
	enum error_kind kind;
	char text[512]; /* one line, no newline at the end; cut when longer */
};

/* Each returns -1, so that "return error_set(...)" reads as one sentence. */
int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* As error_set with ERROR_SYSTEM; adds ": " and the text of errno. */
int error_errno(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* As error_set with ERROR_SYSTEM; adds OpenSSL's reason, empties its queue. */
int error_openssl(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Put text before what err says, as in "phones.csv:12: "; keeps the kind. */
int error_prefix(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Several errors of one kind of work, such as all mistakes of one file.  Zero
 * it to begin; errors_clear() releases it.  At most ERRORS_MAX are kept; the
 * count goes on.
 */
#define ERRORS_MAX 100
struct errors {
	char **text; /* the kept ones, in order of arrival */
	size_t kept;
	size_t count; /* all of them */
};

void errors_add(struct errors *errors, const char *fmt, ...) PRINTF_LIKE(2, 3);
void errors_clear(struct errors *errors);

#endif
