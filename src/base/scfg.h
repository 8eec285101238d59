/*
 * scfg.h -- the grammar of the configuration file.
 *
 * One directive per line: a name, parameters, and possibly a block of
 * directives in braces.  "#" starts a comment where a word could start.  Words
 * are separated by blanks; "double" and 'single' quotes around a whole word
 * keep blanks, and a backslash takes the next character as it is (not inside
 * single quotes).  "{" is the last word of its line, "}" stands alone on its
 * own.  The text is UTF-8 without control characters; lines end in a newline.
 *
 *     listener csb {
 *         address 192.0.2.1:443
 *     }
 *
 * Only the grammar is known here; what directives mean is the caller's.
 */
#ifndef BASE_SCFG_H
#define BASE_SCFG_H

#include <stddef.h>

#include "base/error.h"

#define SCFG_TEXT_MAX (1024 * 1024) /* bytes in one file */
#define SCFG_DEPTH_MAX 8	    /* blocks within blocks */
#define SCFG_WORDS_MAX 64	    /* words in one directive */
#define SCFG_WORD_MAX 4096	    /* bytes in one word */

struct scfg_word {
	char *text;
	unsigned line;	 /* from 1 */
	unsigned column; /* in bytes, from 1 */
};

struct scfg_directive {
	struct scfg_word *words;	 /* words[0] is the directive's name */
	size_t count;			 /* at least 1 */
	struct scfg_directive *children; /* in the order of the file */
	size_t child_count;
	int has_block; /* also when the block is empty */
	int damaged;   /* its line holds a mistake; see scfg_parse_all() */
};

/*
 * Read text, which came from the file called name (used in messages only).
 * All mistakes of the file go to errors as "name:line:column: ...", and the
 * result is then NULL.  The root directive returned has count 0 and the
 * top-level directives as children; release it with scfg_free().
 */
void scfg_free(struct scfg_directive *root);
struct scfg_directive *scfg_parse(const char *name, const char *text,
    size_t len, struct errors *errors) MUST_CHECK FREED_BY(scfg_free);

/*
 * As scfg_parse(), but a mistake within a line does not hide the other lines
 * from a caller who has more to check: the tree is returned in spite of it,
 * and the directive of that line is marked as damaged.  NULL only when braces
 * do not match up or the text is too long.
 */
struct scfg_directive *scfg_parse_all(const char *name, const char *text,
    size_t len, struct errors *errors) MUST_CHECK FREED_BY(scfg_free);

#endif
