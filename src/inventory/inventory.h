/*
 * inventory.h -- the devices we provision, their groups and variables.
 *
 * One interface, several stores: memory (tests), SQLite (default).  Writers
 * work on the store in transactions; the server reads an immutable snapshot
 * and replaces it when the store's change number moves.
 *
 * Variables are inherited: device, then its group, then that group's parents,
 * then the model, then the defaults.  The nearest one counts.  The variable
 * "template" names the template of a device's profile.
 */
#ifndef INVENTORY_INVENTORY_H
#define INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mac.h"

#define INVENTORY_NAME_MAX 63	    /* group, model, variable names; bytes */
#define INVENTORY_VALUE_MAX 4096    /* value of a variable */
#define INVENTORY_VARIABLES_MAX 256 /* per scope */
#define INVENTORY_GROUP_DEPTH_MAX 8

enum device_state { DEVICE_ACTIVE, DEVICE_RETIRED };

struct variable {
	char *name; /* letter or '_', then letters, digits, '_', '-', '.' */
	char *value;
};

struct variables {
	struct variable *list; /* sorted by name */
	size_t count;
};

/* Set or replace; the strings are copied.  -1 with ERROR_INPUT when the name
 * or the value is out of range: values are UTF-8 without control characters
 * other than tab and newline, so that XML can hold them.  variables_get
 * returns NULL when there is none; variables_unset whether there was one;
 * variables_copy overwrites *to without clearing it and cannot fail. */
int variables_set(struct variables *variables, const char *name,
    const char *value, struct error *err) MUST_CHECK;
bool variables_unset(struct variables *variables, const char *name);
const char *variables_get(const struct variables *variables, const char *name);
int variables_copy(struct variables *to, const struct variables *from);
void variables_clear(struct variables *variables);

/* Does the name of a variable say that its value is nobody's business? */
bool variable_is_secret(const char *name);

struct device {
	struct mac mac;
	char model[INVENTORY_NAME_MAX + 1];    /* registry's spelling */
	char firmware[INVENTORY_NAME_MAX + 1]; /* "" when not known */
	char serial[INVENTORY_NAME_MAX + 1];   /* "" when not known */
	char group[INVENTORY_NAME_MAX + 1];    /* "" when in none */
	enum device_state state;
	struct variables variables;
};
void device_clear(struct device *device);
/* Overwrites *to without clearing it. */
void device_copy(struct device *to, const struct device *from);

/* "active", "retired"; -1 with ERROR_INPUT when text is neither. */
const char *device_state_name(enum device_state state);
int device_state_parse(const char *text, enum device_state *state,
    struct error *err) MUST_CHECK;

/* What variables can be set on besides a device. */
enum scope_kind { SCOPE_DEFAULT, SCOPE_MODEL, SCOPE_GROUP };

struct scope {
	enum scope_kind kind;
	char name[INVENTORY_NAME_MAX + 1];   /* "" for SCOPE_DEFAULT */
	char parent[INVENTORY_NAME_MAX + 1]; /* groups only; "" when none */
	struct variables variables;
};
void scope_clear(struct scope *scope);
/* Overwrites *to without clearing it. */
void scope_copy(struct scope *to, const struct scope *from);

struct inventory;

/*
 * Open a store: "memory:" or "sqlite:PATH".  read_only stores refuse writes;
 * a SQLite store opened for writing holds PATH.lock until closed (ERROR_SYSTEM
 * naming the holder's process when it is taken) and is created when missing.
 */
void inventory_close(struct inventory *inventory);
struct inventory *inventory_open(const char *uri, bool read_only,
    struct error *err) MUST_CHECK FREED_BY(inventory_close);

/* Grows with every committed change.  Cheap: meant to be polled. */
int inventory_change_number(struct inventory *inventory, uint64_t *number,
    struct error *err) MUST_CHECK;

/*
 * All changes between begin and commit happen or none does.  A change outside
 * of them is a transaction of its own.  A commit that fails has rolled back;
 * a rollback without begin does nothing.  Writes to a store opened read_only
 * fail with ERROR_DENIED.
 */
int inventory_begin(struct inventory *inventory, struct error *err) MUST_CHECK;
int inventory_commit(struct inventory *inventory, struct error *err) MUST_CHECK;
void inventory_rollback(struct inventory *inventory);

/* ERROR_INPUT when the MAC is there already, when a field is out of range, or
 * when there is no such group (the same in update). */
int inventory_add_device(struct inventory *inventory,
    const struct device *device, struct error *err) MUST_CHECK;
/* Replace all fields; ERROR_NOT_FOUND when there is no such device. */
int inventory_update_device(struct inventory *inventory,
    const struct device *device, struct error *err) MUST_CHECK;
int inventory_remove_device(struct inventory *inventory, const struct mac *mac,
    struct error *err) MUST_CHECK;
/* Fill device; the caller clears it.  ERROR_NOT_FOUND. */
int inventory_get_device(struct inventory *inventory, const struct mac *mac,
    struct device *device, struct error *err) MUST_CHECK;

/* Create or replace a scope; -1 with ERROR_INPUT when a group's parents form a
 * circle, when a chain of groups would be longer than
 * INVENTORY_GROUP_DEPTH_MAX, or a parent does not exist.  get_scope fills
 * scope, which the caller clears; ERROR_NOT_FOUND. */
int inventory_put_scope(struct inventory *inventory, const struct scope *scope,
    struct error *err) MUST_CHECK;
int inventory_get_scope(struct inventory *inventory, enum scope_kind kind,
    const char *name, struct scope *scope, struct error *err) MUST_CHECK;

/* Visit in MAC order / by kind and name.  A visitor that returns non-zero ends
 * the visit, and that value is returned; -1 with err on failure.  Visitors may
 * get single devices and scopes, but not change the inventory. */
typedef int inventory_visit_device(const struct device *device, void *arg);
typedef int inventory_visit_scope(const struct scope *scope, void *arg);
int inventory_each_device(struct inventory *inventory,
    inventory_visit_device *visit, void *arg, struct error *err) MUST_CHECK;
int inventory_each_scope(struct inventory *inventory,
    inventory_visit_scope *visit, void *arg, struct error *err) MUST_CHECK;

#endif
