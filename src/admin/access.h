/*
 * access.h -- who asks, and what he may do.
 *
 * By a token ("Authorization: Bearer ..."), by the session of a browser, or by
 * a person's certificate; in this order.
 */
#ifndef ADMIN_ACCESS_H
#define ADMIN_ACCESS_H

#include <stdbool.h>

#include "admin/session.h"

struct call;

/* In the pool: fill in call->caller.  Who is not known is nobody: that is no
 * failure.  Only when the file cannot be read there is an answer, of 503. */
int access_identify(struct call *call);

/*
 * May it do more than look, as far as its origin says?  A browser sends the
 * origin of the page that asks: another one than this server's is refused, and
 * so is a session's request without one.  False: a problem is the answer.
 */
bool access_check_origin(struct call *call);

/* What the cookie of the session holds; false when there is none. */
bool
access_session(const struct call *call, char text[static SESSION_TEXT_BYTES]);

#endif
