/*
 * reserved.h -- variables that tell the server what to do, and what they hold.
 *
 * The server reads them, and a value that it does not know would do nothing,
 * silently, for as long as nobody looks.  So it is refused where all ways into
 * an inventory meet.  What they mean is in sprov.conf(5), RESERVED VARIABLES;
 * that a listener or a ladder of that name exists is not known here.
 */
#ifndef INVENTORY_RESERVED_H
#define INVENTORY_RESERVED_H

#include "base/error.h"

/* ERROR_INPUT when name is one of them and value is not for it.  An empty
 * value is for all. */
int reserved_check(const char *name, const char *value,
    struct error *err) MUST_CHECK;

#endif
