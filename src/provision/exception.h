/*
 * exception.h -- named exceptions: what makes up for a certificate that is no
 * identity.
 *
 * A device whose certificate has expired, is the generic one, or is defective
 * from the factory gets its own profile and nothing else, if an exception says
 * so: within its scope, until its date, and only with a second factor.  A
 * certificate that proves nobody is made up for by nothing else: the device is
 * then the one that the path names, as the inventory knows it.
 *
 * Pure: what was used before, and the time, are arguments.
 */
#ifndef PROVISION_EXCEPTION_H
#define PROVISION_EXCEPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/mac.h"
#include "base/network.h"
#include "inventory/names.h"

struct addr;
struct device;
struct snapshot;

#define EXCEPTION_NAME_MAX 31
#define EXCEPTION_SCOPES_MAX 256  /* of one exception */
#define EXCEPTION_NETWORKS_MAX 64 /* ditto */
#define EXCEPTION_TEXT_MAX 200	  /* bytes of reason and who */
/* How long before its end an exception is warned of. */
#define EXCEPTION_SOON_S (14 * 86400)

enum exception_kind {
	EXCEPTION_EXPIRED,   /* past its dates, and good otherwise */
	EXCEPTION_GENERIC,   /* many units have the same, and its key */
	EXCEPTION_DEFECTIVE, /* does not verify; a serial of that series */
};
#define EXCEPTION_KINDS 3
const char *exception_kind_name(enum exception_kind kind); /* of the file */

/* Does a certificate of that kind prove which device it is? */
bool exception_kind_proves(enum exception_kind kind);

/* All that is given must hold; "" is not given. */
struct exception_scope {
	bool has_mac;
	struct mac mac;
	char model[INVENTORY_NAME_MAX + 1]; /* registry's spelling */
	char group[INVENTORY_NAME_MAX + 1]; /* or one above the device's */
	char tag[INVENTORY_NAME_MAX + 1];
	char listener[INVENTORY_NAME_MAX + 1];
};

struct exception {
	char name[EXCEPTION_NAME_MAX + 1];
	char label[EXCEPTION_NAME_MAX + 32]; /* "own-profile by exception x" */
	enum exception_kind kind;
	struct exception_scope *scopes; /* any of them */
	size_t scope_count;
	char *reason, *who;
	time_t until; /* the first second that is past it */
	/* The second factor: all that is given must hold. */
	bool needs_encryption;	  /* with a key that the request names */
	struct network *networks; /* the source is in any of them */
	size_t network_count;
	bool once; /* and what it asks within window_ms of that */
	unsigned window_ms;
};

void exception_clear(struct exception *exception);

/* Is there a second factor at all, and one that is enough for its kind?  Once
 * alone lets in whoever comes first, so for a certificate that proves nobody it
 * needs a scope that names its devices one by one. */
bool exception_is_bounded(const struct exception *exception);

/* When an exception let a device in first; 0: never. */
typedef time_t
exception_first_use(void *arg, const char *exception, const struct mac *mac);

/* A request that would be refused for its certificate. */
struct exception_case {
	enum exception_kind kind;
	const struct device *device; /* of the inventory */
	const struct snapshot *snapshot;
	const char *listener;
	const struct addr *source;
	bool encrypted; /* its profile will be */
	time_t now;
	exception_first_use *first_use;
	void *first_use_arg;
};

enum exception_answer {
	EXCEPTION_ALLOWS,
	EXCEPTION_IS_NOT_FOR_IT,
	EXCEPTION_HAS_LAPSED,
	EXCEPTION_WANTS_SOURCE,
	EXCEPTION_WANTS_ENCRYPTION,
	EXCEPTION_IS_USED_UP,
};
enum exception_answer exception_judge(const struct exception *exception,
    const struct exception_case *is);

#endif
