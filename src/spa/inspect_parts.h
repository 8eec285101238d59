/*
 * inspect_parts.h -- what the parts of inspect.c share.  Inside it only.
 */
#ifndef SPA_INSPECT_PARTS_H
#define SPA_INSPECT_PARTS_H

#include "base/error.h"
#include "spa/flat_profile.h"
#include "spa/inspect.h"

struct inspection {
	const struct flat_profile *profile;
	const struct inspect_options *options;
	struct findings *findings;
	unsigned families; /* of the model, or all */
	bool stopped;	   /* it will not resync by itself any more */
};

/* A finding at the parameter, which may be NULL: then name stands for it. */
void inspect_add(struct inspection *inspection, enum severity severity,
    const struct flat_parameter *parameter, const char *name, const char *fmt,
    ...) PRINTF_LIKE(5, 6);

/* Settings that cut the device off. */
void inspect_dangers(struct inspection *inspection);

#endif
