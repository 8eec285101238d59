/*
 * choices.h -- what is remembered of which certificate clients took, so that a
 * restart forgets nothing (server/choice.h).
 *
 * A file of its own, written by the server.  Rows are small and replace each
 * other; their number is bounded by the memory of the server.
 */
#ifndef INVENTORY_CHOICES_H
#define INVENTORY_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

/* Its name in the server's state directory. */
#define CHOICES_FILE "choices.db"
#define CHOICES_MAX 100000 /* rows; the oldest are forgotten */

struct choice_row {
	uint64_t source; /* key of an address; 0: the class everywhere */
	uint64_t class;
	uint64_t ca;
	uint32_t accepted, refused;
	time_t at;
};

struct choices;

/* As events_open(). */
void choices_close(struct choices *choices);
struct choices *choices_open(const char *path, bool read_only,
    struct error *err) MUST_CHECK FREED_BY(choices_close);

/* Put all of them in one transaction, or none. */
int choices_put(struct choices *choices, const struct choice_row *list,
    size_t count, struct error *err) MUST_CHECK;

/* Visit all, the oldest first. */
typedef int choices_visit(const struct choice_row *row, void *arg);
int choices_each(struct choices *choices, choices_visit *visit, void *arg,
    struct error *err) MUST_CHECK;

#endif
