/*
 * ready.h -- is the server able to do its work now?
 *
 * That it lives (GET /healthz) is told by any answer.  Ready (GET /readyz) asks
 * for more: an inventory and open listeners.  What keeps it from serving some
 * devices, or from recording what it does, makes it degraded: a certificate
 * that is not valid now, a file that cannot be written.
 */
#ifndef ADMIN_READY_H
#define ADMIN_READY_H

struct call;

/* 200 while devices can be served, with "status" ready or degraded; else 503
 * with a problem of RFC 9457.  "missing" lists all that is wrong.  Takes a few
 * system calls. */
void ready_answer(struct call *call);

#endif
