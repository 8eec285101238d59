/*
 * ready.h -- is the server able to do its work now?
 *
 * That it lives (GET /healthz) is told by any answer.  Ready (GET /readyz) asks
 * for more: an inventory, open listeners whose certificates are valid now, and
 * files that take what has to be recorded.
 */
#ifndef ADMIN_READY_H
#define ADMIN_READY_H

struct call;

/* 200, or 503 with a problem of RFC 9457 whose "missing" lists all that is
 * wrong.  Takes a few system calls. */
void ready_answer(struct call *call);

#endif
