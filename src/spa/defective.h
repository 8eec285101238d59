/*
 * defective.h -- units that left the factory with certificates that do not
 * work: some SPA2102, SPA3102 and SPA9000, built from 2005-11-15 to 2006-06-15,
 * told by their serial numbers [108605].
 */
#ifndef SPA_DEFECTIVE_H
#define SPA_DEFECTIVE_H

#include <stdbool.h>

bool defective_serial(const char *serial);

#endif
