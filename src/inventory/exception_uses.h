/*
 * exception_uses.h -- which devices got a profile by which exception
 * (provision/exception.h), and how often.
 *
 * A file of its own beside the inventory, written by the server alone.  A
 * commit is on the disk when it returns: what was used once stays used.  One
 * process writes (it holds PATH.lock), any number read.
 */
#ifndef INVENTORY_EXCEPTION_USES_H
#define INVENTORY_EXCEPTION_USES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"
#include "inventory/names.h"

/* Its name in the server's state directory. */
#define EXCEPTION_USES_FILE "exceptions.db"

struct exception_use {
	char exception[INVENTORY_NAME_MAX + 1];
	struct mac mac;
	time_t first_at, last_at;
	uint64_t count;
};

struct exception_uses;

/* Open; made when missing, unless read_only: ERROR_NOT_FOUND then. */
void exception_uses_close(struct exception_uses *uses); /* NULL is fine */
struct exception_uses *exception_uses_open(const char *path, bool read_only,
    struct error *err) MUST_CHECK FREED_BY(exception_uses_close);

/* Add to what is known: all of them in one transaction that is on the disk when
 * this returns, or none. */
int exception_uses_put(struct exception_uses *uses,
    const struct exception_use *list, size_t count,
    struct error *err) MUST_CHECK;

/* Visit all, by exception and MAC.  A visitor that returns non-zero ends the
 * visit, and that value is returned; -1 with err on failure. */
typedef int exception_uses_visit(const struct exception_use *use, void *arg);
int exception_uses_each(struct exception_uses *uses,
    exception_uses_visit *visit, void *arg, struct error *err) MUST_CHECK;

#endif
