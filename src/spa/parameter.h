/*
 * parameter.h -- what may stand in a profile: the names, for which devices,
 * and which values.
 *
 * The table is registry/parameters.tsv, compiled in by compile.py; every row
 * has a source.  It is not complete: a name that it lacks is unknown, not
 * wrong.
 */
#ifndef SPA_PARAMETER_H
#define SPA_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "spa/registry.h"

/* Devices that share their parameters; bits, so that a row may have several. */
enum parameter_family {
	PARAMETER_ADAPTER = 1 << 0, /* PAP2 to SPA8000, WRP, SRP */
	PARAMETER_PHONE = 1 << 1,   /* SPA9xx, SPA3xx, SPA5xx, WIP */
	PARAMETER_SPA525 = 1 << 2,
	PARAMETER_SPA1XX = 1 << 3,
	PARAMETER_ATA19X = 1 << 4,
	PARAMETER_MPP = 1 << 5, /* CP-*, DP-*, DBS */
};
#define PARAMETER_ALL ((1U << 6) - 1)

enum parameter_type {
	PARAMETER_TYPE_BOOL,
	PARAMETER_TYPE_INT,
	PARAMETER_TYPE_FLOAT,
	PARAMETER_TYPE_HEX, /* a number, as a rule in hex */
	PARAMETER_TYPE_PORT,
	PARAMETER_TYPE_TEXT,
	PARAMETER_TYPE_PASSWORD, /* any secret */
	PARAMETER_TYPE_ENUM,
	PARAMETER_TYPE_RULE,
	PARAMETER_TYPE_REPORT_RULE,
	PARAMETER_TYPE_UPGRADE_RULE,
	PARAMETER_TYPE_CONDITION,
	PARAMETER_TYPE_SCHEDULE, /* 3600, or a list: 1800+300,3600+600 */
	PARAMETER_TYPE_HHMM,
	PARAMETER_TYPE_IP,
	PARAMETER_TYPE_HOST, /* with or without a port */
	PARAMETER_TYPE_URL,
	PARAMETER_TYPE_TONE,
	PARAMETER_TYPE_CADENCE,
	PARAMETER_TYPE_CODE, /* *69 */
	PARAMETER_TYPE_PHONE,
	PARAMETER_TYPE_DIALPLAN,
	PARAMETER_TYPE_TIMEZONE,
	PARAMETER_TYPE_INFO, /* shown by the device, never set */
};

/* What a wrong value does to the device. */
enum parameter_effect {
	EFFECT_NONE,
	EFFECT_RESYNC,	/* it never asks again */
	EFFECT_ADMIN,	/* nobody gets in any more */
	EFFECT_UPGRADE, /* it takes no firmware any more */
};

struct parameter {
	/* "Proxy_[line]_", "Cadence_[1-9]", or with a path:
	 * "router-configuration/SNMP/TRAP_Port" */
	const char *name;
	unsigned families; /* enum parameter_family */
	enum parameter_type type;
	const char *range; /* "0..255", "Yes|No", a length in bytes; or "" */
	const char *default_value; /* "" when none, or when it is not known */
	const char *firmware_min;  /* NULL: all */
	const char *firmware_max;
	enum parameter_effect effect;
	enum confidence confidence;
	const char *source;
};

extern const struct parameter parameters[];
extern const size_t parameter_count;

/* The family of a model; a single bit. */
enum parameter_family parameter_family(const struct model *model);
/* "SPA1xx": of the lowest bit. */
const char *parameter_family_name(unsigned families);
/* How many lines, extensions or line keys its devices have at most. */
unsigned parameter_lines(unsigned families);

/* What is known of a name that stands in a profile. */
struct parameter_match {
	const struct parameter
	    *parameter; /* for one of the families, or NULL */
	/* When it is NULL: */
	unsigned elsewhere; /* families that have exactly this name */
	bool is_case;	    /* suggestion differs by its case only */
	bool is_line; /* suggestion is right but for the number of the line */
	char suggestion[128]; /* a near name of these families, or "" */
};

/* path as in struct flat_parameter; families are bits. */
void parameter_find(struct parameter_match *match, unsigned families,
    const char *path, const char *name);

/* Is the value nobody's business? */
bool parameter_is_secret(const char *path, const char *name);

/*
 * Is this a value for it?  -1 with ERROR_INPUT, which says what was expected
 * and never shows a secret.  families: of the device, or several.
 */
int parameter_check(const struct parameter *parameter, unsigned families,
    const char *value, struct error *err) MUST_CHECK;

#endif
