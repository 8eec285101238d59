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
 * Models that no listener takes can be led elsewhere, to a TFTP service or a
 * plain HTTP listener with what they need first: a class of its own, "bootstrap".
 * Where that is an address, option 66 has it alone, which means TFTP
 * [LINKSYS-PROV], and option 150 too, a list of addresses [MPP-SEC].
 */
#ifndef PROVISION_PLAN_DHCP_H
#define PROVISION_PLAN_DHCP_H

#include "base/buf.h"
#include "provision/plan.h"

enum plan_dhcp_server { PLAN_DHCP_ISC, PLAN_DHCP_KEA, PLAN_DHCP_DNSMASQ };

/* The vendor classes that a model sends, and how that is known: a key of
 * docs/sources.md, or "ASSUMED".  Returns how many; 0: not known. */
#define PLAN_DHCP_NAMES_MAX 2
struct plan_dhcp_name {
	char text[96];
	const char *source;
};
size_t plan_dhcp_names(const struct model *model,
    struct plan_dhcp_name names[static PLAN_DHCP_NAMES_MAX]);

/* A model of the fleet, and where it is led. */
struct plan_dhcp_model {
	const struct model *model;
	size_t class;  /* PLAN_LEFT_OUT: none */
	bool is_split; /* some of its devices go elsewhere */
	size_t name_count;
	struct plan_dhcp_name names[PLAN_DHCP_NAMES_MAX];
};

struct plan_dhcp_class {
	const char *name; /* that of its listener, or "bootstrap" */
	const char *url;  /* what option 66 says */
	bool is_url;	  /* option 160 says it, too */
	bool is_address;  /* option 150 says it, too */
};

struct plan_dhcp {
	struct plan_dhcp_class *classes; /* those that a model is led to */
	size_t class_count;
	struct plan_dhcp_model *models;
	size_t model_count;
};

/* May option 66 say so?  A URL, a host or an address, without what would end
 * the text in a configuration; at most 255 bytes (RFC 2132 9.4). */
int plan_dhcp_check(const char *bootstrap, struct error *err) MUST_CHECK;

/* bootstrap NULL: who is left out is led nowhere; borrowed, as the plan is. */
void plan_dhcp_make(struct plan_dhcp *dhcp, const struct plan *plan,
    const char *bootstrap);
void plan_dhcp_clear(struct plan_dhcp *dhcp);

/* Append the lines for one kind of server; -1 when out is full. */
int plan_dhcp_write(const struct plan_dhcp *dhcp, enum plan_dhcp_server server,
    struct buf *out) MUST_CHECK;

#endif
