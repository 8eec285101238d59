/*
 * exceptions.h -- which named exceptions (provision/exception.h) were used for
 * which device: in memory for all workers, in a file for ever; and the alarm
 * when one ends.
 *
 * What is in memory is on the disk, too.  A thread writes (writer.h).  When the
 * file cannot be read at the start, what may be used once only counts as used:
 * nobody knows.
 */
#ifndef SERVER_EXCEPTIONS_H
#define SERVER_EXCEPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"

struct exception;
struct exceptions;

void exceptions_stop(struct exceptions *exceptions); /* NULL is fine */
struct exceptions *exceptions_start(const char *state_directory,
    struct error *err) MUST_CHECK FREED_BY(exceptions_stop);

/* From now on use the file in that directory. */
void
exceptions_move(struct exceptions *exceptions, const char *state_directory);

/* As exception_first_use asks for it (arg is the exceptions, not NULL). */
time_t
exceptions_first_use(void *arg, const char *exception, const struct mac *mac);

/* Count a profile that went out; any thread may. */
void exceptions_count(struct exceptions *exceptions, const char *exception,
    const struct mac *mac, time_t now);

/*
 * Warn in the log of what has lapsed or is about to.  On the main thread, as
 * often as one likes: it says the same once a day, and at once when afresh
 * or when one has just lapsed.
 */
void exceptions_watch(struct exceptions *exceptions,
    const struct exception *list, size_t count, time_t now, bool afresh);

#endif
