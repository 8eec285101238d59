/*
 * child.h -- running another program: without a shell, with an input, for a
 * limited time.
 *
 * What is promised of it:
 *
 * - Descriptors: it has 0 to 2 and no other, and they are pipes.  None of ours
 *   is left to it, and none of the pipes' is left to a program that another
 *   thread starts at the same time.
 * - Environment: the one given and nothing else; environ for all of ours.
 * - Priority: CHILD_NICENESS less than ours.  Signals: none blocked, none ignored.
 * - It leads a process group.  When it is not waited for any longer, the group
 *   is killed: what it started goes with it.  What has closed its outputs when
 *   it ends by itself may go on.
 * - Memory: output_max of output; of what it complains, a few KiB.
 * - The caller's thread waits, timeout_ms at the most.
 *
 * SIGPIPE has to be ignored where it has an input, and SIGCHLD not to be.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CHILD_COMPLAINT_MAX 300
#define CHILD_NICENESS 10

struct child {
	const char *path;  /* of the program: PATH is not looked at */
	char *const *argv; /* ends in NULL, as does environment */
	char *const *environment;
	const void *input; /* what it finds on standard input; need not read */
	size_t input_len;
	size_t output_max;   /* more than that is an error */
	unsigned timeout_ms; /* INT_MAX at the most */
	int cancel_fd;	     /* ends it when it is readable; -1: none */
};

struct child_result {
	int status;   /* of the exit; 128 and the signal, when one ended it */
	char *output; /* with a NUL; the caller's to free(); NULL on error */
	size_t output_len;
	char complaint[CHILD_COMPLAINT_MAX]; /* first line of standard error */
};

/*
 * Run it and wait.  ERROR_SYSTEM: it could not be run, said too much, closed no
 * output until its time was up, was cancelled, or how it ended is not known.
 * One that closed its outputs and went on until its time was up has status
 * 128 + SIGKILL, which is no error here.
 */
int child_run(const struct child *child, struct child_result *result,
    struct error *err) MUST_CHECK;

#endif
