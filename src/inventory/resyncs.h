/*
 * resyncs.h -- which device was answered by which listener, and when last.
 *
 * A file of its own beside the inventory, because the server writes it all the
 * time and has the inventory open for reading only.  For every pair of device
 * and listener there is one row with the last answer and counts, so it does
 * not grow with time.  One process writes (it holds PATH.lock), any number
 * read.  A crash of the machine may cost the last seconds, never the file.
 */
#ifndef INVENTORY_RESYNCS_H
#define INVENTORY_RESYNCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"

/* Its name in the server's state directory. */
#define RESYNCS_FILE "resyncs.db"
#define RESYNC_NAME_MAX 63 /* bytes of a listener's name, of a CA's id */

/* One answered request. */
struct resync {
	struct mac mac;
	char listener[RESYNC_NAME_MAX + 1];
	char ca[RESYNC_NAME_MAX + 1]; /* of the listener's certificate; "" when
				       * it is of none that is known */
	int status;		      /* HTTP; 200: it got its profile */
	time_t at;
};

struct resyncs;

/*
 * Open; made when missing, unless read_only: ERROR_NOT_FOUND then.  A second
 * writer is refused with ERROR_SYSTEM.
 */
void resyncs_close(struct resyncs *resyncs);
struct resyncs *resyncs_open(const char *path, bool read_only,
    struct error *err) MUST_CHECK FREED_BY(resyncs_close);

/* Add all of them in one transaction, or none. */
int resyncs_put(struct resyncs *resyncs, const struct resync *list,
    size_t count, struct error *err) MUST_CHECK;

/* What is known of a device at a listener. */
struct resync_summary {
	struct resync last;
	time_t first_at;
	time_t profile_at;	    /* the last 200; 0: none */
	uint64_t answers, profiles; /* all of them, and those with 200 */
};

/* Visit the listeners by which the device was answered, by name.  A visitor
 * that returns non-zero ends the visit, and that value is returned; -1 with
 * err on failure. */
typedef int resyncs_visit(const struct resync_summary *summary, void *arg);
int resyncs_each(struct resyncs *resyncs, const struct mac *mac,
    resyncs_visit *visit, void *arg, struct error *err) MUST_CHECK;

/* The same of all devices, by MAC and listener: those pairs whose last answer was
 * at since or later. */
int resyncs_each_since(struct resyncs *resyncs, time_t since,
    resyncs_visit *visit, void *arg, struct error *err) MUST_CHECK;

/* How many devices got their profile from that listener at since or later. */
int resyncs_count(struct resyncs *resyncs, const char *listener, time_t since,
    size_t *count, struct error *err) MUST_CHECK;

#endif
