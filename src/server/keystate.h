/*
 * keystate.h -- what an answer waits for: the marks of profile keys
 * (provision/keyring.h) while the server runs, in memory for all workers, in a
 * file for ever; and the uses of exceptions (exceptions.h), which it holds.
 *
 * What is in memory is on the disk, too.  Whoever is about to send a key asks
 * for the mark first, and waits with the first byte until it is there: so no
 * crash makes the server forget a key that a device may have.  That happens
 * once for every key of a device; a thread writes (writer.h).
 *
 * A key takes 16 bytes, with the room that a table needs 21 to 43; of a device
 * at most as many count as the file keeps (key_marks.h).
 */
#ifndef SERVER_KEYSTATE_H
#define SERVER_KEYSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mac.h"
#include "provision/exception.h"
#include "server/writer.h"

struct exceptions;
struct keystate;

/* Read the file in that directory, and start the thread.  A file that cannot
 * be read is warned of in the log: no key counts as delivered then. */
void keystate_stop(struct keystate *state); /* NULL is fine */
struct keystate *keystate_start(const char *state_directory,
    struct error *err) MUST_CHECK FREED_BY(keystate_stop);

/*
 * From now on use the file in another directory, in two steps: read it, which
 * takes time, and then take it over, which cannot fail.  keystate_read() is
 * NULL when it is the directory in use already.  What is known goes along into
 * that file: a device that holds a key cannot be told to forget it.
 */
struct keystate_file;
void keystate_file_free(struct keystate_file *file); /* NULL is fine */
struct keystate_file *
keystate_read(const struct keystate *state, const char *state_directory);
/* The file is taken; NULL: nothing to do. */
void keystate_move(struct keystate *state, struct keystate_file *file);

/* state NULL in what follows: nothing is marked, and nothing will be. */

/* The marks of a key, as keyring_marks asks for them (arg is the keystate). */
unsigned keystate_marks(void *arg, const struct mac *mac, uint64_t id);

/* What an answer waits for: ids of keys, 0: none; the name of an exception
 * whose use has to be recorded, "": none. */
struct keystate_wish {
	struct mac mac;
	uint64_t delivered, seen;
	char exception[EXCEPTION_NAME_MAX + 1];
};
bool keystate_wish_is_empty(const struct keystate_wish *wish);

/* NULL when state is. */
struct exceptions *keystate_exceptions(const struct keystate *state);

/* Is all of it marked, on the disk? */
bool keystate_has(struct keystate *state, const struct keystate_wish *wish);

/* Have the marks written; any thread may.  Asking twice does no harm. */
void keystate_ask(struct keystate *state, const struct keystate_wish *wish);

/* Of the marks; state is not NULL. */
struct writer_counts keystate_counts(const struct keystate *state);

#endif
