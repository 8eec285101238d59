/*
 * firmware_fleet.h -- do the variables of the inventory name ladders, listeners
 * and versions that there are?
 */
#ifndef CMD_FIRMWARE_FLEET_H
#define CMD_FIRMWARE_FLEET_H

#include "base/error.h"

struct config;

/* What does not: a line each to problems.  -1 with err when the inventory
 * cannot be read; one that is not there yet is fine. */
int firmware_fleet_check(const struct config *config, struct errors *problems,
    struct error *err) MUST_CHECK;

#endif
