/*
 * device_common.h -- what the parts of "sprov device" share.
 */
#ifndef CMD_DEVICE_COMMON_H
#define CMD_DEVICE_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "cmd/cmd.h"
#include "inventory/inventory.h"
#include "provision/device_target.h"

/* The parts; as main() each. */
int device_add(int argc, char **argv);
int device_drift(int argc, char **argv);
int device_export(int argc, char **argv);
int device_import(int argc, char **argv);
int device_list(int argc, char **argv);
int device_remove(int argc, char **argv);
int device_reseal(int argc, char **argv);
int device_resync(int argc, char **argv);
int device_set(int argc, char **argv);
int device_show(int argc, char **argv);
int device_type(int argc, char **argv);

/* The first option of every part; the text is NULL until it is given. */
#define DEVICE_INVENTORY_OPTION(uri) \
	{ \
		.name = "inventory", .letter = 'i', .value = "URI", \
		.help = "sqlite:PATH (default: $SPROV_INVENTORY)", \
		.text = (uri) \
	}

/* Beside it, where secrets are read or written. */
#define DEVICE_KEY_OPTION(key) \
	{ \
		.name = "secrets-key", .value = "FILE", \
		.help = "seals secrets (default: $SPROV_SECRETS_KEY)", \
		.text = (key) \
	}

/* The inventory's URI: the one given, else $SPROV_INVENTORY, else that of the
 * server's configuration, else the built-in default; free() it. */
char *device_find_uri(const char *given);

/* Open the inventory that device_find_uri() finds; NULL when that failed,
 * which is said already.  change is what for, as the audit log calls it
 * ("device set"); NULL: only to read. */
struct inventory *device_open(const char *given, const char *change);

/* The same with a secrets key: the one given, else $SPROV_SECRETS_KEY or the
 * service manager's credential, else the one that the server's configuration
 * names for this inventory. */
struct inventory *
device_open_with(const char *given, const char *key, const char *change);

/* Say it once when secrets were written in clear. */
void device_note_clear(const struct inventory *inventory);

/* Make the group when it is missing; *made says whether it was. */
int device_need_group(struct inventory *inventory, const char *name, bool *made,
    struct error *err) MUST_CHECK;

/* "NAME=VALUE", where "@FILE" and "@-" stand for what is in a file. */
struct assignment {
	char *name, *value;
};
void assignment_clear(struct assignment *assignment);
int assignment_parse(struct assignment *assignment, const char *text,
    struct error *err) MUST_CHECK;

/* "1 device", "2 devices". */
#define DEVICES(count) (count), (count) == 1 ? "device" : "devices"

#endif
