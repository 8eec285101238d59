/*
 * selftest.h -- the server's listeners, seen from outside with the eyes of
 * devices: do they show exactly what is configured?
 */
#ifndef CMD_SELFTEST_H
#define CMD_SELFTEST_H

#include "server/selftest.h"

/*
 * A selftest_run.  Each listener is looked at without a name, with a name that
 * nobody has, with the names of its certificates, with TLS 1.0, and as every TLS
 * stack of the registry.  What comes back has to be: the chain that is
 * configured (with several: the one of the name, else the first), byte for
 * byte; the names of the client anchors; the newest version that both sides
 * may speak, and none below the policy's.
 */
size_t selftest_look(const struct selftest_plan *plan, struct errors *errors);

#endif
