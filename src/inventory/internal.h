/*
 * internal.h -- what is in a struct inventory; only for the files of this
 * folder that stand between inventory.h and a store.
 */
#ifndef INVENTORY_INTERNAL_H
#define INVENTORY_INTERNAL_H

#include "inventory/inventory.h"
#include "inventory/store.h"

struct inventory {
	const struct inventory_store *store;
	void *state;
	bool read_only;
	bool writing;	 /* between begin and commit */
	bool reading;	 /* between begin_read and end_read */
	bool changed;	 /* something, since begin */
	bool broken;	 /* a write failed half-way: commit must not happen */
	unsigned visits; /* going on */

	struct seal_key *key;
	char key_id[INVENTORY_KEY_ID_BYTES]; /* as the store has it */
	size_t clear_writes;

	struct types types; /* as of begin, or of the first question */
	bool types_known;

	struct changes *changes; /* to be noted; NULL: nobody wants to know */
};

/* The groups' shape, as inventory_put_scope() promises it; ERROR_INPUT. */
int inventory_check_parent(struct inventory *inventory,
    const struct scope *scope, struct error *err) MUST_CHECK;

/* Whose variables they are, as messages and seals name it. */
#define OWNER_TEXT_BYTES (INVENTORY_NAME_MAX + 16)
void inventory_device_owner(const struct mac *mac,
    char owner[static OWNER_TEXT_BYTES]);
void inventory_scope_owner(enum scope_kind kind, const char *name,
    char owner[static OWNER_TEXT_BYTES]);

/* Is every variable of its declared type, and each reserved one what the
 * server knows? */
int inventory_check_types(struct inventory *inventory,
    const struct variables *variables, struct error *err) MUST_CHECK;

/*
 * What is to be kept of variables: *kept is variables itself, or *copy with
 * secrets sealed, which the caller clears.
 */
int inventory_protect(struct inventory *inventory, const char *owner,
    const struct variables *variables, struct variables *copy,
    const struct variables **kept, struct error *err) MUST_CHECK;

/* Open what is sealed, in place; without a key nothing happens. */
int inventory_reveal(const struct inventory *inventory, const char *owner,
    struct variables *variables, struct error *err) MUST_CHECK;

/* Every write runs between these two; *own says whether the transaction is
 * only for it. */
int inventory_write_begin(struct inventory *inventory, bool *own,
    struct error *err) MUST_CHECK;
int inventory_write_end(struct inventory *inventory, bool own, int rc,
    struct error *err) MUST_CHECK;

#endif
