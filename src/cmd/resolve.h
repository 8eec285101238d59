/*
 * resolve.h -- what DNS says about a name, in a time that a person waits.
 */
#ifndef CMD_RESOLVE_H
#define CMD_RESOLVE_H

#include <stddef.h>

#include "base/addr.h"

#define RESOLVE_TIMEOUT_MS 3000
#define RESOLVE_ADDRESSES_MAX 16

enum resolve_result {
	RESOLVE_FOUND,
	RESOLVE_NONE,	   /* the name has no A record */
	RESOLVE_NO_ANSWER, /* nobody answered in time, or the resolver failed */
};

/*
 * The A records of host, by the system's resolver; devices ask for no others
 * [MPP-PROV].  Writes at most max addresses with port 0 and sets *count.
 */
enum resolve_result resolve_host(const char *host, unsigned timeout_ms,
    struct addr *list, size_t max, size_t *count);

#endif
