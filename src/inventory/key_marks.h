/*
 * key_marks.h -- which profile keys a device was given, and has used.
 *
 * A file of its own beside the inventory, written by the server alone, because
 * what is in it must not be lost: a commit is on the disk when it returns.  One
 * row per device and key; when a device has more than KEY_MARKS_KEEP, the
 * oldest go.  One process writes (it holds PATH.lock), any number read.
 */
#ifndef INVENTORY_KEY_MARKS_H
#define INVENTORY_KEY_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"

/* Its name in the server's state directory. */
#define KEY_MARKS_FILE "keys.db"
/* More than a ring holds (KEYRING_KEYS_MAX).  A key that is in no ring is older
 * than those that are, and nobody asks for its marks any more. */
#define KEY_MARKS_KEEP 12

struct key_mark {
	struct mac mac;
	uint64_t id;
	/* Later than all earlier marks of that device: a second or so after
	 * the clock's time, when those came in the same second. */
	time_t delivered_at; /* it went out to the device; 0: never */
	time_t seen_at;	     /* the device named it; 0: never */
};

struct key_marks;

/* Open; made when missing, unless read_only: ERROR_NOT_FOUND then. */
void key_marks_close(struct key_marks *marks); /* NULL is fine */
struct key_marks *key_marks_open(const char *path, bool read_only,
    struct error *err) MUST_CHECK FREED_BY(key_marks_close);

/* Add what is not 0 to what is known: all of them in one transaction that is
 * on the disk when this returns, or none. */
int key_marks_put(struct key_marks *marks, const struct key_mark *list,
    size_t count, struct error *err) MUST_CHECK;

/* What is known of one key; all 0 when nothing is. */
int key_marks_get(struct key_marks *marks, const struct mac *mac, uint64_t id,
    struct key_mark *mark, struct error *err) MUST_CHECK;

/* Visit all.  A visitor that returns non-zero ends the visit, and that value is
 * returned; -1 with err on failure. */
typedef int key_marks_visit(const struct key_mark *mark, void *arg);
int key_marks_each(struct key_marks *marks, key_marks_visit *visit, void *arg,
    struct error *err) MUST_CHECK;

#endif
