/*
 * api.h -- which path is answered by what.
 */
#ifndef ADMIN_API_H
#define ADMIN_API_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct request;

/* Is it answered at once, without the pool?  Then it is. */
bool api_answer_now(struct call *call);

/* How long may the body of that request be? */
size_t api_body_max(const struct request *request);

/*
 * In the pool, before a long body is read: may who asks do this at all?  False:
 * a problem is the answer.  api_answer() asks once more.
 */
bool api_may_send(struct call *call);

/* In the pool: identify who asks, find out what he asks for, answer. */
void api_answer(struct call *call);

/* What is said by all answers: how they may be used, kept and shown. */
void api_finish(struct call *call);

#endif
