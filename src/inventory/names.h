/*
 * names.h -- how long names are in the inventory.
 */
#ifndef INVENTORY_NAMES_H
#define INVENTORY_NAMES_H

/* Of groups, tags, models, variables; bytes. */
#define INVENTORY_NAME_MAX 63

#endif
