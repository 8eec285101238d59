/*
 * fleet.h -- what an importer found: one list for all formats.
 *
 * An importer only fills the list: devices, groups and other scopes with their
 * variables, templates, what it could not take, and which files show passwords
 * to whoever can reach them.  fleet_commit() then puts all of it into an
 * inventory in one transaction; after a single error nothing is put.
 */
#ifndef IMPORTER_FLEET_H
#define IMPORTER_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "inventory/inventory.h"

struct model;

#define FLEET_DEVICES_MAX 1000000
#define FLEET_TEMPLATES_MAX 1000
#define FLEET_REMARKS_MAX 200 /* kept of each kind; the count goes on */
#define FLEET_LEAKS_MAX 10000
#define FLEET_PLACE_MAX 512 /* bytes of "file:line:column" */
#define FLEET_LINES_MAX 32  /* SIP lines of a device */

struct fleet;

void fleet_free(struct fleet *fleet);
struct fleet *fleet_new(void) MUST_CHECK FREED_BY(fleet_free);

/* What was wrong.  An error keeps all from being imported; something left out
 * does not.  Text is one line that begins with its place. */
enum fleet_remark { FLEET_ERROR, FLEET_LEFT_OUT, FLEET_NOTE, FLEET_REMARKS };
void fleet_say(struct fleet *fleet, enum fleet_remark kind, const char *fmt,
    ...) PRINTF_LIKE(3, 4);
size_t fleet_count(const struct fleet *fleet, enum fleet_remark kind);
/* The kept ones, in order; NULL past the last. */
const char *
fleet_remark(const struct fleet *fleet, enum fleet_remark kind, size_t i);

/*
 * The device of that MAC; NULL when it was not found yet.  fleet_add makes it
 * (NULL: too many, which is said); place is where it was found.  Both belong
 * to the list and stay where they are.
 */
struct device *fleet_find(struct fleet *fleet, const struct mac *mac);
struct device *fleet_add(struct fleet *fleet, const struct mac *mac,
    const char *place) MUST_CHECK;
const char *fleet_place(struct fleet *fleet, const struct mac *mac);
size_t fleet_device_count(const struct fleet *fleet);
/* Where a device that was found is in the order in which they were. */
size_t fleet_index(const struct fleet *fleet, const struct mac *mac);
struct device *fleet_device(struct fleet *fleet, size_t i);

/* The scope of that name, made when missing; it belongs to the list. */
struct scope *
fleet_scope(struct fleet *fleet, enum scope_kind kind, const char *name);
size_t fleet_scope_count(const struct fleet *fleet);
struct scope *fleet_scope_at(struct fleet *fleet, size_t i);

/* The type of a variable, declared before any value is set.  One that cannot be
 * read, or differs from the one before, is an error, which is said. */
void fleet_type(struct fleet *fleet, const char *name, const char *text,
    const char *place);
const struct types *fleet_types(const struct fleet *fleet);

/*
 * A template to write; its text is copied.  One of that name with the same text
 * is the same one; with another text it is an error, which is said.
 */
void fleet_template(struct fleet *fleet, const char *name, const char *text);
size_t fleet_template_count(const struct fleet *fleet);
const char *
fleet_template_at(const struct fleet *fleet, size_t i, const char **text);

/*
 * A file that shows secrets: mode as of stat(2) (0: not a file but a request
 * that anyone may make), which parameters (added up), and of how many devices.
 */
struct fleet_leak {
	char *file;
	mode_t mode;
	char *parameters; /* "Password_1_, Admin_Passwd"; cut when long */
	size_t devices;
	const char *advice; /* constant text */
};
void fleet_leak(struct fleet *fleet, const char *file, mode_t mode,
    const char *parameter, size_t devices, const char *advice);
size_t fleet_leak_count(const struct fleet *fleet);
const struct fleet_leak *fleet_leak_at(const struct fleet *fleet, size_t i);

/*
 * Set a variable, or say with the place why it cannot be (FLEET_ERROR).  An
 * empty value is one too.
 */
void fleet_set(struct fleet *fleet, struct variables *variables,
    const char *name, const char *value, const char *place);
/* The variable of a SIP line: "user_id" of line 1, "user_id_2" of line 2. */
void fleet_set_line(struct fleet *fleet, struct variables *variables,
    const char *name, unsigned line, const char *value, const char *place);

/*
 * The model that text names: as the registry spells it, as certificates and
 * User-Agents do, with a maker in front ("cisco/spa504g", "Cisco SPA504G") or
 * in file names ("spa504g-000e08aabbcc").  NULL when it names none.
 */
const struct model *fleet_find_model(const char *text);

/* 12 hex digits with anything but letters and digits between them. */
bool fleet_read_mac(struct mac *mac, const char *text);

struct fleet_counts {
	size_t added, updated, same;
	size_t groups; /* made */
};

/*
 * Put all into the inventory in one transaction.  update: devices that are
 * there already get what was found on top of what they have; else they are an
 * error.  -1 when the list holds an error, or gets one here; nothing is changed
 * then.  commit false: all is tried and rolled back.
 */
int fleet_commit(struct fleet *fleet, struct inventory *inventory, bool update,
    bool commit, struct fleet_counts *counts) MUST_CHECK;

#endif
