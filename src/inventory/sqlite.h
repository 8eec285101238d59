/*
 * sqlite.h -- opening a SQLite database of ours; only within this folder.
 *
 * One process writes at a time: it holds PATH.lock.  All others open the
 * database read-only and never checkpoint, because SQLite before 3.51.3 can
 * lose changes when two connections do so at one moment.
 */
#ifndef INVENTORY_SQLITE_H
#define INVENTORY_SQLITE_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

#include "base/error.h"

/* What a database is for, and how it comes to its tables. */
struct sqlite_kind {
	const char *name;   /* for messages: "inventory" */
	const char *update; /* ditto: what brings an older one up to date */
	int application_id; /* in the header of the file */
	const char *synchronous; /* when writing: "FULL", "NORMAL" */
	unsigned lock_wait_ms;	 /* for another writer to end; 0: not at all */
	int cache_kib;		 /* of pages, when writing; 0: 4 MiB */
	const char *const *migrations; /* SQL, in order */
	size_t migration_count;
};

struct sqlite_file {
	const struct sqlite_kind *kind;
	char *path;
	sqlite3 *db;
	int lock_fd; /* -1: read-only */
};

/*
 * Open, recognise and (for writing) create or migrate the database.  On
 * failure nothing is held.
 */
int sqlite_file_open(struct sqlite_file *file, const struct sqlite_kind *kind,
    const char *path, bool read_only, struct error *err) MUST_CHECK;
void sqlite_file_close(struct sqlite_file *file);

/* Run SQL that yields no rows. */
int sqlite_file_exec(struct sqlite_file *file, const char *sql,
    struct error *err) MUST_CHECK;

/* "PATH: what: reason and what to do", from SQLite's last error; -1. */
int sqlite_file_error(const struct sqlite_file *file, const char *what,
    struct error *err);

/* The database of an inventory_sqlite_open()ed store. */
struct sqlite_file *inventory_sqlite_file(void *state);

#endif
