/*
 * plan.h -- what the parts of "sprov plan" share.
 */
#ifndef CMD_PLAN_H
#define CMD_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "provision/plan.h"

/* ------------------------------------------------------------ the fleet */

/* Read a CSV file ("-": standard input), or the inventory.  -1 to go on; else
 * all is said, and the exit status is returned. */
int plan_read_csv(struct plan_fleet *fleet, const char *path) MUST_CHECK;
int plan_read_inventory(struct plan_fleet *fleet, const char *uri) MUST_CHECK;

/* ------------------------------------------------- certificates we hold */

struct plan_held {
	struct plan_certificate *list;
	size_t count;
};

/*
 * Add those of a folder: files *.crt, *.pem and *.cer with the key beside them
 * as *.key, whose CA is recognised.  What has a key, but cannot be used, is
 * told on standard error.
 */
int plan_held_read(struct plan_held *held, const char *directory,
    struct error *err) MUST_CHECK;
/* Add one that we only know of. */
void plan_held_add(struct plan_held *held, const struct ca *ca);
void plan_held_clear(struct plan_held *held);

/* -------------------------------------------------------------- answers */

#define PLAN_CONFIG_MAX (1024UL * 1024)

/* The listener blocks for sprov.conf; machine limits them to one machine,
 * SIZE_MAX does not.  -1 when the text is too long. */
int
plan_write_config(const struct plan *plan, const struct plan_options *options,
    size_t machine, struct buf *out) MUST_CHECK;

/* A line for each kind of device: model, firmware, count, listener, rule; with
 * tabs between and a line of heads. */
int plan_write_rules(const struct plan *plan, struct buf *out) MUST_CHECK;

/* Sentences without an end: why, and what can be done.  free() them. */
char *plan_reason_text(const struct plan_assignment *assignment,
    const struct plan_options *options);
char *plan_way_text(const struct plan_assignment *assignment,
    const struct plan_way *way);
const char *plan_reason_name(enum plan_reason reason); /* "without" ... */
const char *plan_way_name(enum plan_way_kind kind);    /* "upgrade" ... */
const char *plan_supply_name(enum plan_supply supply); /* "held" ... */
/* "held until 2027-01-31", "to be signed" ...; in at most 18 characters. */
char *plan_supply_text(const struct plan_listener *listener);
char *plan_supply_words(const struct plan_listener *listener);

/* All for people, all for programs; -1 when that could not be written. */
int plan_print(const struct plan *plan, const struct plan_options *options,
    struct error *err) MUST_CHECK;
int plan_print_json(const struct plan *plan, const struct plan_options *options,
    struct buf *out) MUST_CHECK;

/* Write all of it into a new or empty folder. */
int
plan_write_folder(const struct plan *plan, const struct plan_options *options,
    const char *directory, struct error *err) MUST_CHECK;

#endif
