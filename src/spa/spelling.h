/*
 * spelling.h -- all ways to write the name of a model, in order; only for
 * registry.c, from compile.py.
 */
#ifndef SPA_SPELLING_H
#define SPA_SPELLING_H

#include <stddef.h>

struct spelling {
	const char *text; /* in capitals; those of SPA without hyphens */
	size_t model;	  /* its index */
};

extern const struct spelling registry_spellings[]; /* by strcmp() of text */
extern const size_t registry_spelling_count;

#endif
