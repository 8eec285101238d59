/*
 * notice.h -- what the server notices, said to those whom the configuration
 * names: a certificate near its end, requests that fail, a migration that has
 * stopped.
 *
 * A guest of the server (server/guest.h) with one thread of its own, which
 * looks from time to time and sends what is new.  It may wait for programs and
 * for other servers: nothing waits for it.
 *
 *     notice.c   the thread: when to look, and what is to be sent to whom
 *     look.c     what there is to say
 *     said.c     what was said already
 *     send.c     webhooks and commands
 *     child.c    other programs
 */
#ifndef NOTICE_NOTICE_H
#define NOTICE_NOTICE_H

#include "base/error.h"

struct guest;
struct noticer;

/* config_path is the configuration that the server runs with; borrowed. */
void noticer_free(struct noticer *noticer); /* after the guest's stop */
struct noticer *
noticer_new(const char *config_path) MUST_CHECK FREED_BY(noticer_free);

/* Sleeps while the configuration has no notify block. */
const struct guest *noticer_guest(struct noticer *noticer);

#endif
