/*
 * store.h -- what is behind inventory.h; only for the files of this folder.
 *
 * inventory.c checks what callers hand in and keeps track of transactions; a
 * store only keeps it.  So a store sees valid names, sees writes only within
 * begin and commit, and never two transactions at a time.
 */
#ifndef INVENTORY_STORE_H
#define INVENTORY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inventory/inventory.h"

struct migration;
struct migration_member;

#define INVENTORY_KEY_ID_BYTES 9 /* SEAL_ID_TEXT_BYTES */

typedef int inventory_visit_type(const char *name, const char *type, void *arg);
typedef int inventory_visit_changed(const struct mac *mac, void *arg);

/* What the names of migration_store.h mean; -1 when they mean nothing. */
int migration_state_find(const char *name);
int wave_state_find(const char *name);
int member_state_find(const char *name);

/* As their namesakes in migration_store.h. */
struct inventory_migrations {
	int (*add)(void *state, struct migration *migration,
	    const struct migration_member *members, size_t count,
	    struct error *err);
	int (*update)(void *state, const struct migration *migration,
	    struct error *err);
	int (*update_members)(void *state, int64_t id,
	    const struct migration_member *members, size_t count,
	    struct error *err);
	int (*load)(void *state, int64_t id, struct migration *migration,
	    struct error *err);
	int (*members)(void *state, int64_t id,
	    struct migration_member **members, size_t *count,
	    struct error *err);
};

/*
 * Functions are as their namesakes in inventory.h.  A write that fails with
 * another kind than ERROR_SYSTEM has changed nothing.
 */
struct inventory_store {
	void (*close)(void *state);
	int (*change_number)(void *state, uint64_t *number, struct error *err);

	/* Not for writing: what follows is read as of one moment. */
	int (*begin)(void *state, bool writing, struct error *err);
	/* changed: move the change number.  On failure all is as it was. */
	int (*commit)(void *state, bool changed, struct error *err);
	void (*rollback)(void *state);

	/* ERROR_INPUT when device->group names no group. */
	int (*add_device)(void *state, const struct device *device,
	    struct error *err);
	int (*update_device)(void *state, const struct device *device,
	    struct error *err);
	int (*remove_device)(void *state, const struct mac *mac,
	    struct error *err);
	int (*get_device)(void *state, const struct mac *mac,
	    struct device *device, struct error *err);

	/* ERROR_INPUT when scope->parent names no group. */
	int (*put_scope)(void *state, const struct scope *scope,
	    struct error *err);
	int (*get_scope)(void *state, enum scope_kind kind, const char *name,
	    struct scope *scope, struct error *err);

	/* Nothing refers to it. */
	int (*remove_scope)(void *state, enum scope_kind kind, const char *name,
	    struct error *err);

	/* The visitor may change the variables that it is handed. */
	int (*each_device)(void *state, inventory_visit_device *visit,
	    void *arg, struct error *err);
	int (*each_kind)(void *state, inventory_visit_kind *visit, void *arg,
	    struct error *err);
	int (*each_scope)(void *state, inventory_visit_scope *visit, void *arg,
	    struct error *err);

	/* type NULL: remove it.  ERROR_NOT_FOUND. */
	int (*put_type)(void *state, const char *name, const char *type,
	    struct error *err);
	int (*each_type)(void *state, inventory_visit_type *visit, void *arg,
	    struct error *err);

	/* seal_key_id() of the key in use; "" for none. */
	int (*get_key_id)(void *state, char id[static INVENTORY_KEY_ID_BYTES],
	    struct error *err);
	int (*set_key_id)(void *state, const char *id, struct error *err);
	/* Leave nothing of what was overwritten in the files; outside of
	 * transactions. */
	int (*scrub)(void *state, struct error *err);

	/* As inventory_each_changed(). */
	int (*each_changed)(void *state, uint64_t since,
	    inventory_visit_changed *visit, void *arg, bool *known,
	    bool *scopes, struct error *err);

	/* NULL: this store keeps no migrations. */
	const struct inventory_migrations *migration;
};

extern const struct inventory_store inventory_memory;
extern const struct inventory_store inventory_sqlite;
extern const struct inventory_migrations inventory_sqlite_migrations;

/* What is behind an inventory; *writing: between begin and commit. */
const struct inventory_store *
inventory_behind(const struct inventory *inventory, void **state,
    bool *writing);

/* Cannot fail. */
void *inventory_memory_open(void);
/* NULL with err on failure. */
void *inventory_sqlite_open(const char *path, bool read_only,
    struct error *err) MUST_CHECK;

/*
 * Variables as one text and back (schema/0003.sql says how).  variables_decode
 * overwrites *variables; -1 when the text is none that variables_encode makes.
 */
struct buf;
void variables_encode(const struct variables *variables, struct buf *text);
int variables_decode(struct variables *variables, const char *text,
    size_t len) MUST_CHECK;
/* A sealed value where one in clear is needed: ERROR_DENIED, -1. */
int inventory_is_sealed(struct error *err);
/* Put a sealed value in place of the one in clear, and back; taken. */
void variable_replace(struct variable *variable, char *value, bool sealed);

/*
 * Visit the devices that were added, changed or removed after the change
 * number since, by MAC.  *known false: the store does not know any more, and
 * nothing was visited.  *scopes: scopes or types changed too.
 */
int inventory_each_changed(struct inventory *inventory, uint64_t since,
    inventory_visit_changed *visit, void *arg, bool *known, bool *scopes,
    struct error *err) MUST_CHECK;

/* The schema's migrations in order, NUL-terminated SQL (schema_data.c). */
extern const char *const inventory_migrations[];
extern const size_t inventory_migration_count;

/* Everything read between the two is of one moment, also when others write. */
int
inventory_begin_read(struct inventory *inventory, struct error *err) MUST_CHECK;
void inventory_end_read(struct inventory *inventory);

/*
 * Is it UTF-8 without control characters (tab and newline are fine) and
 * without U+FFFE and U+FFFF, so that XML 1.0 and a terminal can hold it?
 * Returns NULL, or what was found instead, as in "a control character".
 */
const char *inventory_text_fault(const char *text, size_t len);
/* The same; *at is where it was found. */
const char *inventory_text_fault_at(const char *text, size_t len, size_t *at);

/* Is it a variable's name? */
int variables_check_name(const char *name, struct error *err) MUST_CHECK;

/* The same wording from every store. */
int inventory_no_device(const struct mac *mac, struct error *err);
int inventory_device_exists(const struct mac *mac, struct error *err);
int
inventory_no_scope(enum scope_kind kind, const char *name, struct error *err);
int inventory_no_type(const char *name, struct error *err);
int inventory_group_missing(const char *name, struct error *err);

#endif
