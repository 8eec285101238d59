/*
 * said.h -- what was said to whom: so that a restart does not say it again.
 *
 * A file of the state directory, small JSON, written anew when something was
 * said.  What is no longer so is forgotten an hour after it was seen last, and
 * is then news when it happens again.  Where it is to be said that it is over,
 * the text is kept with it, and it is remembered until that was said, or for a
 * week.
 */
#ifndef NOTICE_SAID_H
#define NOTICE_SAID_H

#include <stdbool.h>
#include <time.h>

#include "base/error.h"

#define SAID_FILE "notices.json"
#define SAID_KEEP_S 3600
#define SAID_OVER_KEEP_S (7 * 86400)
#define SAID_TEXT_MAX 1000 /* more is cut */
#define SAID_KEYS_MAX 4000 /* to one */

struct said;

/* There is always one: a file that is none is passed over, with err set. */
void said_free(struct said *said); /* NULL is fine */
struct said *said_load(const char *path, struct error *err) FREED_BY(said_free);

/* Was it said to that name?  Then it is still so, now. */
bool said_is(struct said *said, const char *name, const char *key, time_t now);
/* text NULL: nobody is told when it is over. */
void said_add(struct said *said, const char *name, const char *key,
    const char *text, time_t now);
void said_drop(struct said *said, const char *name, const char *key);

/* Visit what has a text; at: when it was so last.  A visitor may ask said_is(),
 * but neither add nor drop. */
typedef void
said_visit(const char *key, const char *text, time_t at, void *arg);
void
said_each(struct said *said, const char *name, said_visit *visit, void *arg);

/* Drop what has not been so for SAID_KEEP_S.  True: the file has to be
 * written, because of this or of said_add(). */
bool said_forget(struct said *said, time_t now);
int
said_save(struct said *said, const char *path, struct error *err) MUST_CHECK;

#endif
