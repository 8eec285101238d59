/*
 * sqlite.h -- opening a SQLite store; only for sqlite.c and sqlite_open.c.
 *
 * One process writes at a time: it holds PATH.lock.  All others open the
 * database read-only and never checkpoint, because SQLite before 3.51.3 can
 * lose changes when two connections do so at one moment.
 */
#ifndef INVENTORY_SQLITE_H
#define INVENTORY_SQLITE_H

#include <stdbool.h>

#include <sqlite3.h>

#include "base/error.h"

struct sqlite_file {
	char *path;
	sqlite3 *db;
	int lock_fd; /* -1: read-only */
};

/*
 * Open, recognise and (for writing) create or migrate the database.  On
 * failure nothing is held.
 */
int sqlite_file_open(struct sqlite_file *file, const char *path,
    bool read_only, struct error *err) MUST_CHECK;
void sqlite_file_close(struct sqlite_file *file);

/* Run SQL that yields no rows. */
int sqlite_file_exec(struct sqlite_file *file, const char *sql,
    struct error *err) MUST_CHECK;

/* "PATH: what: reason and what to do", from SQLite's last error; -1. */
int sqlite_file_error(const struct sqlite_file *file, const char *what,
    struct error *err);

#endif
