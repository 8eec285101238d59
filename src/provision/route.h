/*
 * route.h -- which file a path asks for.
 *
 * Patterns are paths in which macros stand for what changes from device to
 * device: $MA, $MAU and $MAC match a MAC address in any spelling, $PN matches a
 * product name and $PSN a series.  Everything else, case included, must be the
 * same.  The first pattern that matches counts.
 * Source: [LINKSYS-PROV] p. 70 for the macros.
 */
#ifndef PROVISION_ROUTE_H
#define PROVISION_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mac.h"

struct model;

enum route_kind {
	ROUTE_PROFILE,	   /* the asking device's own profile */
	ROUTE_COMMON,	   /* one file for all devices of a model */
	ROUTE_PUBLIC,	   /* rendered; needs no identity */
	ROUTE_PUBLIC_FILE, /* sent as it is; needs no identity */
	ROUTE_DEVICE_FILE, /* sent as it is, to devices of the inventory */
	/* What a device sends of itself: all parameters, those changed since
	 * the last resync, or its state. */
	ROUTE_REPORT,
	ROUTE_REPORT_DELTA,
	ROUTE_REPORT_STATUS,
};

/*
 * Does it need no identity?  This is the whole set of public things: the lanes
 * without certificates (plain HTTP, TFTP) serve what is in it and nothing else.
 */
bool route_kind_is_public(enum route_kind kind);

bool route_kind_is_report(enum route_kind kind);

struct routes;

void routes_free(struct routes *routes);
struct routes *routes_new(void) MUST_CHECK FREED_BY(routes_free);

/*
 * Add a pattern; template (copied, NULL for ROUTE_PROFILE and reports) is what
 * is rendered.  Refused: no '/' at the start, unknown macros, a profile pattern
 * without a macro, a report pattern without a MAC address, macros with nothing between them.
 */
int routes_add(struct routes *routes, enum route_kind kind, const char *pattern,
    const char *template, struct error *err) MUST_CHECK;

/*
 * Add a path without macros at which a device gets its own profile: one that
 * devices ask for before they know better, as /init.cfg.  Refused: macros that
 * name a device, which are routes_add()'s.
 */
int routes_add_own(struct routes *routes, const char *pattern,
    struct error *err) MUST_CHECK;

/* Add a pattern of ROUTE_PUBLIC_FILE or ROUTE_DEVICE_FILE; what the number of
 * the file means is the caller's affair. */
int routes_add_file(struct routes *routes, enum route_kind kind,
    const char *pattern, size_t file, struct error *err) MUST_CHECK;

struct route_match {
	enum route_kind kind;
	const char *template; /* borrowed from routes; NULL for a profile */
	size_t file;	      /* of the two kinds of files; 0 otherwise */
	bool has_mac;	      /* the path names a device */
	struct mac mac;
	/* Product and series that the path names; NULL: none.  Borrowed from
	 * the registry.  Models may share a series. */
	const char *product, *series;
};

/*
 * Match a path that request_parse() has passed.  False: no pattern matches, or
 * the path names a model that is not known or two different devices.
 */
bool routes_match(const struct routes *routes, const char *path,
    struct route_match *match);

/* Is the path one for that model?  One that names no model is for all; model
 * NULL is one that the registry does not know. */
bool
route_match_is_for(const struct route_match *match, const struct model *model);

#endif
