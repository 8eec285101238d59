/*
 * simulate_print.h -- what came out of one resync, for people and programs.
 */
#ifndef CMD_SIMULATE_PRINT_H
#define CMD_SIMULATE_PRINT_H

#include "sim/device.h"

#include <jansson.h>

/* label: the device, "SPA504G@7.5.6". */
void simulate_print_text(const char *label, const struct sim_result *result);

/* upgrades is taken; NULL: there is no such member. */
void simulate_print_json(const char *label, const struct sim_result *result,
    json_t *upgrades);

/* Write the profile, if there is one; path "-" is standard output. */
int simulate_write_output(const char *path, const struct sim_result *result,
    struct error *err) MUST_CHECK;

#endif
