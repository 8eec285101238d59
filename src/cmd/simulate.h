/*
 * simulate.h -- the two halves of "sprov simulate": one resync, or many.
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

#endif
