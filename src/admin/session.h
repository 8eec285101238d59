/*
 * session.h -- who is logged in with a browser, and who tries too often.
 *
 * In memory only: a restart logs everybody out.  What a cookie holds is random
 * and not kept, only its SHA-256.  Any thread may ask.
 */
#ifndef ADMIN_SESSION_H
#define ADMIN_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "inventory/admins.h"

#define SESSION_COOKIE "__Host-sprov"
#define SESSION_BYTES 32
#define SESSION_TEXT_BYTES (2 * SESSION_BYTES + 1)
#define SESSIONS_MAX 1024	       /* the one used longest ago goes */
#define SESSION_IDLE_S (24 * 3600)     /* a wall screen asks all the time */
#define SESSION_LIFE_S (7 * 24 * 3600) /* and logs in once a week */

struct sessions;
void sessions_free(struct sessions *sessions); /* NULL is fine */
struct sessions *sessions_new(void) MUST_CHECK FREED_BY(sessions_free);

/* Begin one for the account as it is now; text gets what the cookie holds. */
int sessions_begin(struct sessions *sessions,
    const struct admin_account *account, time_t now,
    char text[static SESSION_TEXT_BYTES], struct error *err) MUST_CHECK;

/* The account's name of a session that lives; false when there is none. */
bool sessions_find(struct sessions *sessions, const char *text, time_t now,
    char name[static ADMINS_NAME_MAX + 1]);

/* Does it still belong to that account?  Not after its password changed. */
bool sessions_is_of(struct sessions *sessions, const char *text,
    const struct admin_account *account);

void sessions_end(struct sessions *sessions, const char *text);

/*
 * Tries.  Before one: how many seconds to wait first; 0: it may be made.  key is
 * an account's name or an address.  After some failures in a row each one makes
 * the next wait twice as long, up to a minute; a success forgets them.
 */
#define TRIES_FREE 5
#define TRIES_WAIT_MAX_S 60
#define TRIES_KEPT 1024
#define TRIES_KEY_MAX 127
unsigned
sessions_must_wait(struct sessions *sessions, const char *key, time_t now);
void sessions_tried(struct sessions *sessions, const char *key, bool good,
    time_t now);

#endif
