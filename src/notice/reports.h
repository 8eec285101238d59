/*
 * reports.h -- what the noticer looks at, as new as is worth its cost: reports
 * of our own commands, and the rate at which requests are served.
 *
 * One thread's.
 */
#ifndef NOTICE_REPORTS_H
#define NOTICE_REPORTS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "notice/look.h"

struct guest_view;
struct reports;
struct service;

void reports_free(struct reports *reports); /* NULL is fine */
struct reports *
reports_new(const char *config_path, int cancel_fd) FREED_BY(reports_free);

/*
 * Run anew what is due (each at most every every_ms and a tenth of the time)
 * and wanted, by kind; add all there is to say.  known, by kind: what is not among
 * the notices is not so.  Waits for programs.
 */
void reports_look(struct reports *reports, const struct service *service,
    const bool wanted[static NOTIFY_KINDS], unsigned every_ms, time_t now,
    struct notices *notices, bool known[static NOTIFY_KINDS]);

/* How many requests of the last ten minutes were served, of how many that
 * should have been; measured at each call. */
void reports_rate(struct reports *reports, const struct service *service,
    const struct guest_view *view, uint64_t *served, uint64_t *all);

#endif
