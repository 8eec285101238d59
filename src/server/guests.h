/*
 * guests.h -- several guests as one.
 */
#ifndef SERVER_GUESTS_H
#define SERVER_GUESTS_H

#include <stddef.h>

#include "server/guest.h"

#define GUESTS_MAX 4

struct guests {
	struct guest guest; /* for struct server_options */
	const struct guest *list[GUESTS_MAX];
	size_t count;
};

/* NULL in the list is passed over.  They are asked in that order, and stopped
 * in the other one; when one cannot prepare, those behind it are not asked. */
void guests_init(struct guests *guests, const struct guest *const *list,
    size_t count);

#endif
