/*
 * look.h -- what there is to say: from the reports of our own commands, and from
 * what the server knows of itself, to a list of notices.
 *
 * A notice has a key that stays the same for as long as it is about the same
 * thing, so that it is said once.  Pure functions: reports and time are
 * arguments.  Nothing secret is in a notice: it names listeners, CAs,
 * exceptions, and of devices their number; a clone's MAC address is the only
 * one.
 */
#ifndef NOTICE_LOOK_H
#define NOTICE_LOOK_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "server/config_notify.h"

struct exception;

#define NOTICES_MAX 1000 /* of one look; the rest waits */
#define NOTICE_KEY_MAX 255
#define NOTICE_NO_DAYS INT_MAX
#define NOTICE_DEVICES_UNKNOWN (-1)

struct notice {
	enum notify_kind kind;
	char key[NOTICE_KEY_MAX + 1];
	int days;	 /* until it happens; NOTICE_NO_DAYS: it has no date */
	int64_t devices; /* that it concerns; or NOTICE_DEVICES_UNKNOWN */
	char *text;	 /* a sentence for people */
	json_t *details;
};

struct notices {
	struct notice *list;
	size_t count;
};

void notices_clear(struct notices *notices);

/* From what "cert status", "doctor --expiry", "doctor" and "migrate list" print
 * with --json; NULL and what is malformed add nothing. */
void look_certificates(struct notices *notices, const json_t *report);
void look_anchors(struct notices *notices, const json_t *report, time_t now);
void look_doctor(struct notices *notices, const json_t *report);
void look_migrations(struct notices *notices, const json_t *report);

void look_exceptions(struct notices *notices, const struct exception *list,
    size_t count, time_t now);

/* Of the last minutes: how many requests were served, and how many came that
 * should have been. */
#define LOOK_REQUESTS_MIN 20 /* fewer say nothing */
void look_success(struct notices *notices, uint64_t served, uint64_t all,
    unsigned percent_min);

/* Is that rate good again?  It has to be somewhat better than what is asked for,
 * or it would be bad and good in turn. */
#define LOOK_SUCCESS_MARGIN 3 /* percent, up to 100 in all */
bool look_success_is_good(uint64_t served, uint64_t all, unsigned percent_min);

/* The kind of what was said with that key, if it is one of those of which is said
 * that they are over. */
bool look_can_end(const char *key, enum notify_kind *kind);

/* What was said with that key and text is over; at: when it was so last. */
void look_over(struct notices *notices, const char *key, const char *text,
    time_t at);

/*
 * Is that notice for whom the block is for, now?  Then key is what is to be
 * remembered as said: that of the notice, with the number of days where it has
 * a date, so that it is said again when less is left.
 */
bool look_concerns(const struct config_notify *notify,
    const struct notice *notice, char key[static NOTICE_KEY_MAX + 1]);

/* What is sent, one line of JSON; the caller's to free(). */
char *look_format(const struct config_notify *notify,
    const struct notice *notice, const char *key, time_t now);

#endif
