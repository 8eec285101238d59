/*
 * profile_check.h -- what the parts of "sprov profile check" share.
 */
#ifndef CMD_PROFILE_CHECK_H
#define CMD_PROFILE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mac.h"
#include "spa/inspect.h"

/* What is checked, and what came out. */
struct checked {
	const char *input;	   /* as it was named */
	const char *kind;	   /* "profile", "template" or "device" */
	const struct model *model; /* NULL: any */
	const char *firmware;	   /* "" when not known */
	const struct mac *mac;	   /* of a device; else NULL */
	struct findings findings;
};

/* On standard output.  Lines as compilers write them: INPUT:LINE:COLUMN. */
void profile_check_print(const struct checked *checked);
int profile_check_print_json(const struct checked *list, size_t count,
    struct error *err) MUST_CHECK;

#endif
