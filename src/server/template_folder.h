/*
 * template_folder.h -- the templates that a configuration names, as a set.
 *
 * Apart from the service, so that commands which only render need no key and no
 * certificate.
 */
#ifndef SERVER_TEMPLATE_FOLDER_H
#define SERVER_TEMPLATE_FOLDER_H

#include <stdbool.h>

#include "base/error.h"

struct config;
struct templates;

/*
 * All *.xml of the folder that the configuration names, and the built-in ones
 * whose names are not there; without a configuration (NULL) only those.  Every
 * problem goes to errors with the place of the directive.  The set is never
 * NULL; *known is false when the folder cannot be read, so that nobody
 * complains about names that may well be in it.
 */
struct templates *template_folder_load(const struct config *config, bool *known,
    struct errors *errors) MUST_CHECK;

#endif
