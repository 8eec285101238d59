/*
 * report.h -- what a command of this very program prints as JSON.
 *
 * Plans, diagnoses and the like look at the whole fleet for seconds.  They run
 * as a process of their own, with less priority than the server: what they cost
 * is gone when they end, and what people see in a page is what they see in a
 * terminal.  base/child.h says what they are given.
 */
#ifndef ADMIN_REPORT_H
#define ADMIN_REPORT_H

#include <stddef.h>

#include "base/error.h"

#define REPORT_MAX (32 * 1024 * 1024)
#define REPORT_TIMEOUT_MS 60000

/*
 * Run with argv (without the program's name; ends in NULL) and wait for it.
 * *text, the caller's to free(), is what it printed on standard output; *status
 * is its exit status.  ERROR_SYSTEM: it could not be run, printed too much or
 * took too long.  With another status than 0 and 3, *complaint has the first
 * line of what it printed on standard error.  Waits: for the pool.
 */
int report_run(const char *const *argv, char **text, size_t *len, int *status,
    char *complaint, size_t complaint_size, struct error *err) MUST_CHECK;

/*
 * The last reports, for who asks again: each is good for fifty times as long as
 * it took, from two seconds to five minutes, so that looking on costs two percent
 * of a core at most.  Any thread may ask.
 */
struct report_cache;
void report_cache_free(struct report_cache *cache); /* NULL is fine */
struct report_cache *
report_cache_new(void) MUST_CHECK FREED_BY(report_cache_free);

/* A copy of what was kept under that key, the caller's to free(); or NULL. */
char *
report_cache_get(struct report_cache *cache, const char *key, size_t *len);
void report_cache_put(struct report_cache *cache, const char *key,
    const char *text, size_t len, unsigned took_ms);

#endif
