/*
 * child.h -- running another program: without a shell, with an input, for a
 * limited time.
 */
#ifndef NOTICE_CHILD_H
#define NOTICE_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CHILD_COMPLAINT_MAX 300

struct child {
	const char *path;
	char *const *argv; /* ends in NULL, as does environment */
	char *const *environment;
	const void *input; /* what it finds on standard input */
	size_t input_len;
	size_t output_max; /* more than that is an error */
	unsigned timeout_ms;
	int cancel_fd; /* ends it when it is readable; -1: none */
};

struct child_result {
	int status;   /* of the exit; 128 and the signal, when one ended it */
	char *output; /* with a NUL; the caller's to free() */
	size_t output_len;
	char complaint[CHILD_COMPLAINT_MAX]; /* first line of standard error */
};

/*
 * Run it and wait.  It gets descriptors 0 to 2 and no other, a process group of
 * its own, default signals and less priority.  ERROR_SYSTEM: it could not be
 * run, was killed because its time was up or it was cancelled, or said too
 * much; whatever it started goes with it.
 */
int child_run(const struct child *child, struct child_result *result,
    struct error *err) MUST_CHECK;

#endif
