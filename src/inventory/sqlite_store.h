/*
 * sqlite_store.h -- what the parts of the store in a SQLite file share.
 */
#ifndef INVENTORY_SQLITE_STORE_H
#define INVENTORY_SQLITE_STORE_H

#include "base/buf.h"
#include "inventory/sqlite.h"
#include "inventory/store.h"

struct kinds;

enum sqlite_statement {
	CHANGE_GET,
	CHANGE_MOVE,
	CHANGE_SCOPES,
	CHANGE_KEY,
	LOG_ADD,
	LOG_EACH,
	LOG_RAISE_FLOOR,
	LOG_TRIM,
	LOG_CLEAR,
	LOG_CLEAR_FLOOR,
	DEVICE_ADD,
	DEVICE_UPDATE,
	DEVICE_REMOVE,
	DEVICE_GET,
	DEVICE_EACH,
	KIND_OF,
	KIND_ADD,
	KIND_TRIM,
	KIND_EACH,
	GROUP_ID,
	SCOPE_PUT,
	SCOPE_REMOVE,
	SCOPE_GET,
	SCOPE_EACH,
	TYPE_PUT,
	TYPE_REMOVE,
	TYPE_EACH,
	SQLITE_STATEMENTS,
};

/* The one row of the table "change". */
struct sqlite_change {
	uint64_t number, log_floor, scope_number;
	char key_id[INVENTORY_KEY_ID_BYTES];
};

struct sqlite {
	struct sqlite_kind kind;
	struct sqlite_file file;
	sqlite3_stmt *statements[SQLITE_STATEMENTS]; /* when first used */
	struct buf variables;			     /* as text; reused */

	/* Of the transaction. */
	uint64_t next_number;
	size_t logged;	     /* devices; at most SQLITE_LOG_MAX */
	bool log_overflowed; /* there were more */
	bool scopes_changed;
	struct kinds *kinds; /* what is to be added to their table */

	/* The group that was looked up last: a fleet comes in by groups. */
	char group[INVENTORY_NAME_MAX + 1]; /* "": none */
	sqlite3_int64 group_id;
};

/* Changed devices that the log remembers. */
#define SQLITE_LOG_MAX 65536

/* Prepared and kept; NULL with err. */
sqlite3_stmt *sqlite_get_statement(struct sqlite *sqlite,
    enum sqlite_statement which, struct error *err);
/* After a statement was stepped through or given up. */
void sqlite_reset(sqlite3_stmt *stmt);
/* Texts are bound as they are: they outlive the step that follows. */
void sqlite_bind_text(sqlite3_stmt *stmt, int index, const char *text);
/* A row id; 0 stands for none. */
void sqlite_bind_id(sqlite3_stmt *stmt, int index, sqlite3_int64 id);
/* As one text; it is the store's until the next such call. */
void sqlite_bind_variables(struct sqlite *sqlite, sqlite3_stmt *stmt, int index,
    const struct variables *variables);
/* Run a statement that yields no row, and reset it. */
int sqlite_run(struct sqlite *sqlite, sqlite3_stmt *stmt, struct error *err);
/* Get and run one that takes nothing. */
int sqlite_run_plain(struct sqlite *sqlite, enum sqlite_statement which,
    struct error *err);

int sqlite_read_failed(const struct sqlite *sqlite, struct error *err);
/* Only a program other than ours can have written what is wrong. */
int sqlite_bad_row(const struct sqlite *sqlite, const char *what,
    struct error *err);
const char *sqlite_column_text(sqlite3_stmt *stmt, int column);
int sqlite_column_name(sqlite3_stmt *stmt, int column,
    char name[static INVENTORY_NAME_MAX + 1]);
int sqlite_column_variables(sqlite3_stmt *stmt, int column,
    struct variables *variables);

/* sqlite_scope.c; as in struct inventory_store. */
int sqlite_put_scope(void *state, const struct scope *scope, struct error *err);
int sqlite_remove_scope(void *state, enum scope_kind kind, const char *name,
    struct error *err);
int sqlite_get_scope(void *state, enum scope_kind kind, const char *name,
    struct scope *scope, struct error *err);
int sqlite_each_scope(void *state, inventory_visit_scope *visit, void *arg,
    struct error *err);
int sqlite_put_type(void *state, const char *name, const char *type,
    struct error *err);
int sqlite_each_type(void *state, inventory_visit_type *visit, void *arg,
    struct error *err);
/* The row id of a group; 0 for "". */
int sqlite_find_group(struct sqlite *sqlite, const char *name,
    sqlite3_int64 *id, struct error *err);

/* sqlite_change.c: what changed. */
int sqlite_get_change(struct sqlite *sqlite, struct sqlite_change *change,
    struct error *err);
int sqlite_log_begin(struct sqlite *sqlite, struct error *err);
int
sqlite_log_device(struct sqlite *sqlite, const char *mac, struct error *err);
/* Move the change number and cut the log. */
int sqlite_log_commit(struct sqlite *sqlite, struct error *err);
int sqlite_change_number(void *state, uint64_t *number, struct error *err);
int sqlite_get_key_id(void *state, char id[static INVENTORY_KEY_ID_BYTES],
    struct error *err);
int sqlite_set_key_id(void *state, const char *id, struct error *err);
int
sqlite_each_changed(void *state, uint64_t since, inventory_visit_changed *visit,
    void *arg, bool *known, bool *scopes, struct error *err);

/* sqlite_kinds.c: how many devices there are of each kind. */
/* The kind of a device; its count is 1, or 0 when there is no such device. */
int sqlite_kinds_find(struct sqlite *sqlite, const char *mac,
    struct device_kind *kind, struct error *err);
/* A device that was of one kind (NULL, or a count of 0: none) is now another
 * (NULL: none); written by the next flush. */
int sqlite_kinds_change(struct sqlite *sqlite, const struct device_kind *before,
    const struct device *after, struct error *err);
int sqlite_kinds_flush(struct sqlite *sqlite, struct error *err);
/* Model, firmware and state: the first columns of a row. */
int sqlite_column_kind(const struct sqlite *sqlite, sqlite3_stmt *stmt,
    struct device_kind *kind, struct error *err);
int sqlite_each_kind(void *state, inventory_visit_kind *visit, void *arg,
    struct error *err);

#endif
