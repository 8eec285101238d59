/*
 * plan_dhcp.h -- what a DHCP server has to say so that devices from the factory
 * find the listener that a plan gives them.
 *
 * Devices name themselves in option 60 (vendor class).  A class of the DHCP
 * server for each listener holds the names of its models and tells the URL in
 * option 66, which all families read, and in option 160, which multiplatform
 * phones and adapters read as well [MPP-MIGRATION].  DHCP does not know the
 * firmware: a model that the plan sends to several listeners by its version is
 * led to the one that takes most of its devices, and that is said.
 *
 * Option 60 as devices were seen to write it: [WAZO].  Of a model that was not
 * seen, the pattern of its family is ASSUMED.
 */
#ifndef PROVISION_PLAN_DHCP_H
#define PROVISION_PLAN_DHCP_H

#include "base/buf.h"
#include "provision/plan.h"

enum plan_dhcp { PLAN_DHCP_ISC, PLAN_DHCP_KEA, PLAN_DHCP_DNSMASQ };

/* The vendor classes that a model sends, at most PLAN_DHCP_NAMES_MAX; returns
 * how many.  0: not known. */
#define PLAN_DHCP_NAMES_MAX 2
#define PLAN_DHCP_NAME_BYTES 96
size_t
plan_dhcp_names(const struct model *model, char (*names)[PLAN_DHCP_NAME_BYTES]);

/* Append the lines for one kind of server; -1 when out is full. */
int plan_dhcp_write(const struct plan *plan, enum plan_dhcp kind,
    struct buf *out) MUST_CHECK;

#endif
