/*
 * macro.h -- the macros of profile rules: $MA, $(MAU:8:2), $$, ...
 *
 * Forms: $NAME, $(NAME), $(NAME:p), $(NAME:p:q) with offset p and length q.
 * Names are case-sensitive and made of letters and digits; "$NAME" takes all
 * that follow it, so that "$MAU" is never MA and a "U" (ASSUMED: a name with
 * more letters after it needs the parentheses).  Names that are not set stay
 * as written; "$$" gives "$"; expansion is not recursive.  An offset or length
 * past the end of the value gives what there is.
 * Sources: [LINKSYS-PROV] p. 36, p. 70; [SPA-PROV] p. 42.
 */
#ifndef SPA_MACRO_H
#define SPA_MACRO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct macro {
	const char *name;  /* "MA" */
	const char *value; /* NULL: not set */
	bool secret;	   /* SA..SD: expands inside URL options only */
};

struct macros {
	const struct macro *list;
	size_t count;
};

/*
 * Append text with its macros expanded.  With in_options, secret ones expand
 * too; elsewhere they stay as written.  -1 when buf is full, buf is then as it
 * was.  An unfinished "$(" stays as written.
 */
int macro_expand(const struct macros *macros, const char *text, size_t len,
    bool in_options, struct buf *out) MUST_CHECK;

#endif
