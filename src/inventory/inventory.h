/*
 * inventory.h -- the devices we provision, their groups and variables.
 *
 * One interface, several stores: memory (tests), SQLite (default).  Writers
 * work on the store in transactions; the server reads an immutable snapshot
 * and replaces it when the store's change number moves.
 *
 * Variables are inherited: device, then its tags in their order, then its
 * group, then that group's parents, then the model, then the defaults.  The
 * nearest one counts.  The variable "template" names the template of a device's
 * profile.
 *
 * Variables that are secret (declared so, or by their names) are kept sealed
 * when the inventory is given a key: see inventory_use_key().
 */
#ifndef INVENTORY_INVENTORY_H
#define INVENTORY_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/mac.h"
#include "inventory/tags.h"
#include "inventory/types.h"

struct audit_act;
struct seal_key;

#define INVENTORY_VALUE_MAX 4096    /* value of a variable */
#define INVENTORY_VARIABLES_MAX 256 /* per scope */
#define INVENTORY_GROUP_DEPTH_MAX 8

enum device_state { DEVICE_ACTIVE, DEVICE_RETIRED };

struct variable {
	char *name; /* letter or '_', then letters, digits, '_', '-', '.' */
	char *value;
	bool
	    sealed; /* value is what seal_text() made of it: no key was given */
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
	struct tags tags;
	struct variables variables;
};
void device_clear(struct device *device);
/* Overwrites *to without clearing it. */
void device_copy(struct device *to, const struct device *from);

/* "active", "retired"; -1 with ERROR_INPUT when text is neither. */
const char *device_state_name(enum device_state state);
int device_state_parse(const char *text, enum device_state *state,
    struct error *err) MUST_CHECK;

/* How many devices there are of a model with a firmware, in a state. */
struct device_kind {
	char model[INVENTORY_NAME_MAX + 1];
	char firmware[INVENTORY_NAME_MAX + 1]; /* "" when not known */
	enum device_state state;
	int64_t count;
};

/* What variables can be set on besides a device. */
enum scope_kind { SCOPE_DEFAULT, SCOPE_MODEL, SCOPE_GROUP, SCOPE_TAG };

/* A tenant has no parent; a site's parent is a tenant or a site; a group's may
 * be any of the three. */
enum group_kind { GROUP_PLAIN, GROUP_SITE, GROUP_TENANT };

/* "group", "site", "tenant"; -1 with ERROR_INPUT when text is none of them. */
const char *group_kind_name(enum group_kind kind);
int group_kind_parse(const char *text, enum group_kind *kind,
    struct error *err) MUST_CHECK;

struct scope {
	enum scope_kind kind;
	enum group_kind group_kind;	     /* groups only */
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

/*
 * Seal secrets with this key when writing and open them when reading.  Without
 * one they are written in clear, and those that are sealed are read as they
 * are (struct variable).  Once a key was used for writing, no other one may be,
 * and no secret is written in clear: ERROR_DENIED.  inventory_reseal() takes
 * another one into use.  The inventory takes a reference; NULL: no key.
 */
int inventory_use_key(struct inventory *inventory, struct seal_key *key,
    struct error *err) MUST_CHECK;

/*
 * From now on every commit that changes something is noted in that audit log
 * (inventory/audit.h) just before it: there is no change without an entry.
 * When it cannot be written the commit fails.  All is copied; at is when it is
 * said to have happened.
 */
void inventory_use_audit(struct inventory *inventory, const char *audit_path,
    const struct audit_act *act, time_t at);

bool inventory_has_key(const struct inventory *inventory);

/* How secrets are kept. */
struct inventory_secrets {
	size_t sealed, clear; /* values */
	char key_id[9];	      /* seal_key_id() of the one in use; "" */
};
int inventory_count_secrets(struct inventory *inventory,
    struct inventory_secrets *secrets, struct error *err) MUST_CHECK;

/*
 * Seal all secrets with key from now on, those in clear too; what was sealed
 * with another one has to be readable with the key of inventory_use_key().  One
 * transaction; afterwards nothing of what was there before is left in the files.
 */
int inventory_reseal(struct inventory *inventory, struct seal_key *key,
    size_t *resealed, struct error *err) MUST_CHECK;

/* How many secrets were written in clear since it was opened. */
size_t inventory_clear_writes(const struct inventory *inventory);

/* Is it declared secret, or by its name?  Undeclared when types cannot be
 * read. */
bool inventory_is_secret(struct inventory *inventory, const char *name);

/*
 * Declare the type of a variable; type NULL takes the declaration back
 * (ERROR_NOT_FOUND).  Every value there is must be of that type, or the first
 * ones that are not are named and nothing changes (ERROR_INPUT).  From then on
 * nothing else can be set.
 */
int inventory_put_type(struct inventory *inventory, const char *name,
    const struct type *type, struct error *err) MUST_CHECK;
/* What is declared; borrowed until the next change, NULL on failure. */
const struct types *
inventory_types(struct inventory *inventory, struct error *err) MUST_CHECK;

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
/* What adding would say, without looking whether it is there. */
int inventory_check_device(struct inventory *inventory,
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
 * INVENTORY_GROUP_DEPTH_MAX, when a parent does not exist, or when kinds would
 * be below each other that may not (enum group_kind).  get_scope fills
 * scope, which the caller clears; ERROR_NOT_FOUND. */
int inventory_put_scope(struct inventory *inventory, const struct scope *scope,
    struct error *err) MUST_CHECK;
int inventory_get_scope(struct inventory *inventory, enum scope_kind kind,
    const char *name, struct scope *scope, struct error *err) MUST_CHECK;

/* ERROR_INPUT while devices or groups are in a group.  Devices that have a
 * removed tag lose it. */
int inventory_remove_scope(struct inventory *inventory, enum scope_kind kind,
    const char *name, struct error *err) MUST_CHECK;

/* Visit in MAC order / by kind and name.  A visitor that returns non-zero ends
 * the visit, and that value is returned; -1 with err on failure.  Visitors may
 * get single devices and scopes, but not change the inventory. */
typedef int inventory_visit_device(const struct device *device, void *arg);
typedef int inventory_visit_scope(const struct scope *scope, void *arg);
int inventory_each_device(struct inventory *inventory,
    inventory_visit_device *visit, void *arg, struct error *err) MUST_CHECK;
int inventory_each_scope(struct inventory *inventory,
    inventory_visit_scope *visit, void *arg, struct error *err) MUST_CHECK;

/* Visit the kinds of devices, by model, firmware and state; as above.  In a
 * large fleet it costs nothing compared to a visit of its devices. */
typedef int inventory_visit_kind(const struct device_kind *kind, void *arg);
int inventory_each_kind(struct inventory *inventory,
    inventory_visit_kind *visit, void *arg, struct error *err) MUST_CHECK;

#endif
