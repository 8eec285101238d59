/*
 * access.h -- who asks, and what he may do.
 *
 * By a token ("Authorization: Bearer ..."), by the session of a browser, or by
 * a person's certificate; in this order.
 */
#ifndef ADMIN_ACCESS_H
#define ADMIN_ACCESS_H

struct call;

/* In the pool: fill in call->caller.  Who is not known is nobody: that is no
 * failure.  Only when the file cannot be read there is an answer, of 503. */
int access_identify(struct call *call);

#endif
