/*
 * intake.h -- what a device sent of itself is read, kept and answered.
 *
 *     intake_new (worker) -> intake_work (pool) -> intake_answer (worker)
 *
 * Reading takes milliseconds when a report is large, so it is the pool's.  It
 * is kept whole or not at all.  The answer to a good one is 200 whatever it
 * was: the ATA 191 takes 204 for a failure before 11.1(0)MSR4 [ATA19X-RN].
 */
#ifndef SERVER_INTAKE_H
#define SERVER_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct exchange;
struct intake;
struct request;

/*
 * For the len bytes of a complete body (borrowed until intake_free).  NULL
 * when the report is not to be taken any more, as the inventory changed while
 * it arrived: answer_request() says that then.
 */
void intake_free(struct intake *intake); /* NULL is fine */
struct intake *
intake_new(const struct exchange *exchange, const struct request *request,
    const char *data, size_t len) MUST_CHECK FREED_BY(intake_free);

/* Read it; in any thread. */
void intake_work(struct intake *intake);

/* Keep what was read, answer and log. */
void intake_answer(struct intake *intake, const struct exchange *exchange,
    const struct request *request, bool keep_alive, struct buf *out);

#endif
