#include "cmd/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/print.h"

const char *
plan_supply_name(enum plan_supply supply)
{
	switch (supply) {
	case PLAN_HELD:
		return "held";
	case PLAN_OVERDUE:
		return "overdue";
	case PLAN_SIGNS:
		return "to-be-signed";
	case PLAN_DOUBTFUL:
		return "doubtful";
	case PLAN_GONE:
		return "gone";
	}
	return "?";
}

char *
plan_supply_text(const struct plan_listener *listener)
{
	const struct plan_certificate *ours = listener->certificate;
	const char *until = listener->ca->signing_until;
	char date[CMD_DATE_BYTES] = "";

	if (ours != NULL && ours->not_after != 0)
		cmd_date(ours->not_after, date);
	switch (listener->supply) {
	case PLAN_HELD:
		return *date == '\0' ? xstrdup("held") :
				       xasprintf("held until %s", date);
	case PLAN_OVERDUE:
		return xasprintf("held, expired %s: none of these devices "
				 "looks at dates",
		    date);
	case PLAN_SIGNS:
		return xstrdup("to be signed");
	case PLAN_DOUBTFUL:
		return xstrdup("none held, and whether this CA still signs is "
			       "not known");
	case PLAN_GONE:
		break;
	}
	return xasprintf("none held, and this CA signs no more%s%s",
	    *until != '\0' ? " since " : "", until);
}

char *
plan_supply_words(const struct plan_listener *listener)
{
	const struct plan_certificate *ours = listener->certificate;
	char date[CMD_DATE_BYTES] = "";

	if (ours != NULL && ours->not_after != 0)
		cmd_date(ours->not_after, date);
	switch (listener->supply) {
	case PLAN_HELD:
		return xasprintf("held%s%s", *date != '\0' ? " to " : "", date);
	case PLAN_OVERDUE:
		return xasprintf("expired %s", date);
	case PLAN_SIGNS:
		return xstrdup("to be signed");
	case PLAN_DOUBTFUL:
		return xstrdup("may not sign");
	case PLAN_GONE:
		break;
	}
	return xstrdup("signs no more");
}

const char *
plan_reason_name(enum plan_reason reason)
{
	switch (reason) {
	case PLAN_COVERED:
		return "covered";
	case PLAN_LACKS_SUPPLY:
		return "supply";
	case PLAN_LACKS_CLAIM:
		return "unknown";
	case PLAN_LACKS_TRUST:
		return "trust";
	case PLAN_LACKS_WITHOUT:
		return "without";
	case PLAN_LACKS_ALLOW:
		return "allow";
	case PLAN_LACKS_TIME:
		return "expired";
	case PLAN_LACKS_SHA2:
		return "sha2";
	case PLAN_LACKS_SAN:
		return "san";
	case PLAN_LACKS_TLS:
		return "tls";
	case PLAN_LACKS_STRENGTH:
		return "strength";
	}
	return "?";
}

/* What is over: the CA itself, or only what we have from it. */
static char *
expiry_text(const struct ca *ca, const struct plan_options *options)
{
	char date[CMD_DATE_BYTES];

	if (ca == NULL || ca->not_after == 0 || ca->not_after >= options->at)
		return xasprintf("it looks at dates, and our certificate from "
				 "%s is not valid then",
		    ca != NULL ? ca->id : "its CA");
	cmd_date(ca->not_after, date);
	return xasprintf("it looks at dates, and %s, which it trusts, expired "
			 "on %s",
	    ca->id, date);
}

char *
plan_reason_text(const struct plan_assignment *assignment,
    const struct plan_options *options)
{
	const struct ca *ca = assignment->ca;
	const char *id = ca != NULL ? ca->id : "";

	switch (assignment->reason) {
	case PLAN_COVERED:
		break;
	case PLAN_LACKS_SUPPLY:
		return xasprintf(ca != NULL && ca->signing == CA_SIGNING_NO ?
			"it needs %s, which signs no more, and we hold no "
			"certificate from it" :
			"it needs %s, of which nobody knows whether it signs, "
			"and "
			"we hold no certificate from it",
		    id);
	case PLAN_LACKS_CLAIM:
		return xstrdup("nothing is known of what it trusts");
	case PLAN_LACKS_TRUST:
		return xstrdup("no CA is known that it trusts");
	case PLAN_LACKS_WITHOUT:
		return xasprintf("it accepts %s, which is left out of this "
				 "plan",
		    id);
	case PLAN_LACKS_ALLOW:
		return strcmp(id, "custom-ca") == 0 ?
		    xstrdup("it trusts nothing else than a CA that is "
			    "installed on it") :
		    xstrdup("it trusts public CAs only, and which ones is not "
			    "stated");
	case PLAN_LACKS_TIME:
		return expiry_text(ca, options);
	case PLAN_LACKS_SHA2:
		return xasprintf("it cannot verify SHA-2, with which the "
				 "certificate from %s is signed",
		    id);
	case PLAN_LACKS_SAN:
		return xasprintf("it wants a subjectAltName, and the "
				 "certificate from %s has none",
		    id);
	case PLAN_LACKS_TLS:
		/* 0x0301 is TLS 1.0. */
		return xasprintf("it speaks TLS 1.%d at most",
		    (assignment->stack->max_version & 0xff) - 1);
	case PLAN_LACKS_STRENGTH:
		return xasprintf("the certificate from %s is too weak to be "
				 "shown without old TLS",
		    id);
	}
	return xstrdup("");
}

const char *
plan_way_name(enum plan_way_kind kind)
{
	switch (kind) {
	case PLAN_SWITCH:
		return "switch";
	case PLAN_UPGRADE:
		return "upgrade";
	case PLAN_ASK:
		return "find-out-firmware";
	case PLAN_OWN_ROOT:
		return "own-root";
	case PLAN_PUBLIC_CA:
		return "public-ca";
	case PLAN_TRY:
		return "try";
	case PLAN_ENCRYPT:
		return "encrypt";
	case PLAN_REPLACE:
		return "replace";
	}
	return "?";
}

/* "Custom CA Rule" on phones [MPP-PROV] [FW-7.5.2B], "Custom CA URL" on
 * adapters [ATA19X-PROV] [TELNYX]. */
static const char *
custom_ca_parameter(const struct model *model)
{
	static const char *const adapters[] = { "SPA1xx", "SPA2xxD", "ATA19x" };

	for (size_t i = 0; i < sizeof(adapters) / sizeof(*adapters); i++)
		if (strcmp(model->family, adapters[i]) == 0)
			return "Custom CA URL";
	return "Custom CA Rule";
}

static char *
class_text(const struct plan_way *way, const char *first, const char *then)
{
	if (way->firmware.part_count == 0)
		return xasprintf("%s; %s", first, then);
	return xasprintf("from firmware %s on: %s; %s", way->firmware.text,
	    first, then);
}

char *
plan_way_text(const struct plan_assignment *assignment,
    const struct plan_way *way)
{
	const struct model *model = assignment->group->model;
	char *first, *text;

	switch (way->kind) {
	case PLAN_SWITCH:
		return xasprintf("it accepts %s, which can be had: plan with "
				 "--without gone",
		    way->ca->id);
	case PLAN_UPGRADE:
		return xasprintf("upgrade to firmware %s or later, which "
				 "accepts %s",
		    way->firmware.text, way->ca->id);
	case PLAN_ASK:
		return xasprintf("find out its firmware: from %s on it "
				 "accepts %s",
		    way->firmware.text, way->ca->id);
	case PLAN_OWN_ROOT:
		first = xasprintf("install your own root by its parameter "
				  "\"%s\"",
		    custom_ca_parameter(model));
		text = class_text(way, first,
		    "then plan with --allow "
		    "custom-ca");
		free(first);
		return text;
	case PLAN_PUBLIC_CA:
		return class_text(way, "try the certificate of a public CA",
		    "then plan with --allow public-ca-bundle");
	case PLAN_TRY:
		return xstrdup("try one before a listener of each CA, and "
			       "record what it accepts: see sprov-ca(1)");
	case PLAN_ENCRYPT:
		return xstrdup("encrypt its profile with AES-256 and serve it "
			       "over HTTP");
	case PLAN_REPLACE:
		return xstrdup("replace it");
	}
	return xstrdup("");
}
