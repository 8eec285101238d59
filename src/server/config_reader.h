/*
 * config_reader.h -- tables of directives, and the words they take.
 *
 * Shared by the files that read the configuration; nobody else includes it.
 * Each kind of block has a table of what may stand in it; one loop over the
 * block finds what is unknown, repeated, missing, or has the wrong number of
 * words, so that the functions in the table see well-formed directives only.
 */
#ifndef SERVER_CONFIG_READER_H
#define SERVER_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/scfg.h"
#include "server/config.h"

#define CONFIG_TIMEOUTS 6 /* phases that have one */

struct config_reader {
	struct config *config;
	struct config_listener *listener; /* while in its block */
	char *directory; /* of the file: relative paths start there */
	bool profile_given;
	struct config_place timeout_places[CONFIG_TIMEOUTS];
	struct errors *errors;
};

struct config_directive {
	const char *name;
	const char *usage; /* the words after the name, as in the manual */
	unsigned min, max; /* how many of them */
	bool repeats;
	bool required;
	bool block;
	void (*read)(struct config_reader *reader,
	    const struct scfg_directive *directive);
};

#define CONFIG_TABLE_MAX 32 /* directives in one table */
struct config_table {
	const struct config_directive *list;
	size_t count;
	const char *where; /* "in a listener block" */
};

/*
 * Read the directives of block with table.  A directive that is unknown there
 * but belongs into other is answered with that hint.  place is of the block.
 */
void config_read_block(struct config_reader *reader,
    const struct scfg_directive *block, struct config_place place,
    const struct config_table *table, const struct config_table *other);

/* Add "path:line:column: " and the text to the errors. */
void config_complain(struct config_reader *reader, struct config_place place,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

struct config_place config_place(const struct scfg_word *word);

/* A word as it is shown in a message: escaped, and cut when long. */
#define CONFIG_SHOWN_BYTES 72
void config_show(const struct scfg_word *word,
    char shown[static CONFIG_SHOWN_BYTES]);

/* Which of the names word is; -1 after a complaint that it is no WHAT. */
int config_choose(struct config_reader *reader, const struct scfg_word *word,
    const char *what, const char *const *names, size_t count);

/* Each returns 0, or -1 after a complaint; the output is then as it was. */
int config_number(struct config_reader *reader, const struct scfg_word *word,
    unsigned min, unsigned max, unsigned *number);
int config_duration(struct config_reader *reader, const struct scfg_word *word,
    unsigned *duration_ms); /* CONFIG_DURATION_MIN_MS .. _MAX_MS */

/* Add the route of a pattern; NULL after a complaint. */
struct config_route *config_read_route(struct config_reader *reader,
    enum config_route_kind kind, const struct scfg_word *word);

/* The path resolved against the file's directory, the caller's to free(). */
char *config_path(struct config_reader *reader, const struct scfg_word *word);

#endif
