/*
 * simulate.h -- the parts of "sprov simulate": one resync, many, or a fleet.
 */
#ifndef CMD_SIMULATE_H
#define CMD_SIMULATE_H

#include <stdbool.h>

/*
 * Let the devices of the lab in directory resync one after another, threads of
 * them at once, for that many seconds; print what came out.  The status is
 * CMD_PROBLEM when any was not provisioned.
 */
int simulate_many(const char *directory, unsigned threads, unsigned seconds,
    bool json);

/* With --fleet it is another command, with options of its own. */
bool simulate_is_fleet(int argc, char **argv);
int simulate_fleet(int argc, char **argv);

#endif
