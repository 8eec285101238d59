/*
 * plan_dhcp.h -- "sprov plan --dhcp": for one server, for all, or as JSON.
 */
#ifndef CMD_PLAN_DHCP_H
#define CMD_PLAN_DHCP_H

#include <stdbool.h>

#include "base/buf.h"

struct plan;

/* "isc", "kea", "dnsmasq" or "all" */
bool plan_dhcp_is_server(const char *name);

/* bootstrap: where those are led that no listener takes; NULL: nowhere.  With
 * json the same for all servers.  -1 when out is full. */
int plan_write_dhcp(const struct plan *plan, const char *server,
    const char *bootstrap, bool json, struct buf *out) MUST_CHECK;

#endif
