/*
 * check.h -- what the parts of "sprov check" share.
 */
#ifndef CMD_CHECK_H
#define CMD_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/addr.h"
#include "base/error.h"
#include "http/url.h"
#include "provision/check.h"
#include "spa/firmware.h"

struct chain;
struct cmd_texts;
struct knowledge;
struct mac;
struct model;

/* ------------------------------------------------------------ the server */

/* What is asked, of whom, with what. */
struct check_target {
	struct url url;
	bool ask;		      /* the URL has a path to ask for */
	const struct mac *mac;	      /* NULL: none was given */
	const struct chain *identity; /* NULL: none was given */
	const char *const *resolve;   /* "HOST=ADDRESS", before DNS */
	size_t resolve_count;
	unsigned timeout_ms;
};

/* All that was seen: for each stack (and path, where it differs from model to
 * model) one view of each address. */
struct check_seen {
	struct addr address[CHECK_ADDRESSES_MAX];
	size_t address_count;
	struct check_look *looks;
	size_t look_count;
};

void check_seen_clear(struct check_seen *seen);

/* Find the addresses of the URL's host; ERROR_NOT_FOUND when it has none. */
int check_find_addresses(struct check_seen *seen,
    const struct check_target *target, struct error *err) MUST_CHECK;

/* The views of a model at a firmware (NULL: not known), one for each address;
 * borrowed until the next call.  NULL with err when it cannot be simulated. */
const struct check_view *check_look_as(struct check_seen *seen,
    const struct check_target *target, const struct model *model,
    const struct firmware *firmware, struct error *err) MUST_CHECK;

/* ---------------------------------------------------------- the verdicts */

struct check_subject {
	const struct model *model;
	struct firmware firmware;
	bool has_firmware;
	size_t count; /* devices of the inventory; 1 where there is none */
	struct check_verdict verdict;  /* the worst of all addresses */
	char address[ADDR_TEXT_BYTES]; /* that it was given at */
	bool addresses_differ;	       /* other addresses would do better */
};

struct check_report {
	const char *url;
	bool counted; /* subjects come from an inventory */
	struct check_subject *subjects;
	size_t subject_count;
	const struct check_seen *seen;
	time_t now;
};

/* Any of the views there are, to tell what the server is like; NULL: none. */
const struct check_view *check_any_view(const struct check_seen *seen);

/* For people; and for programs, -1 when that could not be written. */
void check_print(const struct check_report *report);
int check_print_json(const struct check_report *report);

#endif
