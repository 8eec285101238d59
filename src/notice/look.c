#include "notice/look.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "provision/exception.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define DAY_S 86400
#define CRITICAL_DAYS 7
#define ID_BYTES 16
#define GROUP_BYTES 4
#define ABOUT_BYTES 8
#define FAILURE_KEY "failure:"
#define SUCCESS_KEY "success-rate"

void
notices_clear(struct notices *notices)
{
	for (size_t i = 0; i < notices->count; i++) {
		free(notices->list[i].text);
		json_decref(notices->list[i].details);
	}
	free(notices->list);
	*notices = (struct notices) { NULL, 0 };
}

/* NULL: there are too many, and details are released. */
static struct notice *add(struct notices *notices, enum notify_kind kind,
    json_t *details, const char *key, ...) PRINTF_LIKE(4, 5);

static struct notice *
add(struct notices *notices, enum notify_kind kind, json_t *details,
    const char *key, ...)
{
	struct notice *notice;
	va_list arguments;

	if (notices->count == NOTICES_MAX || details == NULL) {
		json_decref(details);
		return NULL;
	}
	notices->list = xrealloc(notices->list,
	    (notices->count + 1) * sizeof(*notices->list));
	notice = &notices->list[notices->count++];
	*notice = (struct notice) { .kind = kind,
		.days = NOTICE_NO_DAYS,
		.devices = NOTICE_DEVICES_UNKNOWN,
		.details = details };
	va_start(arguments, key);
	(void)vsnprintf(notice->key, sizeof(notice->key), key, arguments);
	va_end(arguments);
	return notice;
}

/* "" when it is none. */
static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static int64_t
number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* Whole days, and never more than fit. */
static int
days_until(time_t when, time_t now)
{
	int64_t days = ((int64_t)when - (int64_t)now) / DAY_S;

	if (when < now)
		days = -1;
	return days > INT_MAX - 1 ? INT_MAX - 1 : (int)days;
}

/* "ends in 6 days (2026-12-01)", "ended at 2026-11-24" */
static char *
end_text(int days, const char *date)
{
	if (days < 0)
		return xasprintf("ended at %.10s", date);
	return xasprintf("ends in %d %s (%.10s)", days,
	    days == 1 ? "day" : "days", date);
}

/* ------------------------------------------------------------------ expiry */

static void
look_certificate(struct notices *notices, const json_t *one)
{
	const json_t *devices = json_object_get(one, "devices");
	const char *name = text_of(one, "name"),
		   *date = text_of(one, "not_after");
	int64_t days = number_of(one, "days");
	struct notice *notice;
	char *end;

	if (*name == '\0' || *date == '\0' ||
	    !json_is_integer(json_object_get(one, "days")))
		return;
	notice = add(notices, NOTIFY_EXPIRY,
	    json_pack("{ss ss ss so*}", "what", "certificate", "listener", name,
		"not_after", date, "devices",
		devices != NULL ? json_deep_copy(devices) : NULL),
	    "certificate:%s:%s", name, date);
	if (notice == NULL)
		return;
	notice->days = days > INT_MAX - 1 ? INT_MAX - 1 : (int)days;
	if (devices != NULL)
		notice->devices = number_of(devices, "alone");
	end = end_text(notice->days, date);
	if (notice->devices >= 0)
		notice->text = xasprintf("The certificate of listener %s %s; "
					 "%lld devices accept no other one.",
		    name, end, (long long)notice->devices);
	else
		notice->text = xasprintf("The certificate of listener %s %s.",
		    name, end);
	free(end);
}

void
look_certificates(struct notices *notices, const json_t *report)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(report, "listeners"), i, one)
	    look_certificate(notices, one);
}

static void
look_anchor(struct notices *notices, const json_t *one, time_t now)
{
	const char *name = text_of(one, "name"),
		   *date = text_of(one, "not_after");
	struct notice *notice;
	struct error ignored;
	char day[11], *end;
	time_t when;

	(void)snprintf(day, sizeof(day), "%.10s", date);
	if (*name == '\0' || text_parse_date(day, &when, &ignored) != 0)
		return;
	notice = add(notices, NOTIFY_EXPIRY,
	    json_pack("{ss ss ss sI}", "what", "anchor", "anchor", name,
		"not_after", date, "devices",
		(json_int_t)number_of(one, "devices")),
	    "anchor:%.150s:%s", name, date);
	if (notice == NULL)
		return;
	notice->days = days_until(when, now);
	notice->devices = number_of(one, "devices");
	end = end_text(notice->days, date);
	notice->text = xasprintf("The client anchor \"%s\" %s; %lld device "
				 "certificates were seen below it.",
	    name, end, (long long)notice->devices);
	free(end);
}

void
look_anchors(struct notices *notices, const json_t *report, time_t now)
{
	const json_t *one;
	size_t i;

	json_array_foreach(json_object_get(report, "anchors"), i, one)
	    look_anchor(notices, one, now);
}

/* ------------------------------------------------------------------ doctor */

static void
look_clone(struct notices *notices, const json_t *group)
{
	const char *mac = text_of(json_object_get(group, "who"), "mac");
	struct notice *notice = add(notices, NOTIFY_CLONE,
	    json_pack("{ss ss ss ss}", "listener", text_of(group, "listener"),
		"mac", mac, "evidence", text_of(group, "evidence"), "fix",
		text_of(group, "fix")),
	    "clone:%s:%s", text_of(group, "listener"), mac);

	if (notice == NULL)
		return;
	notice->devices = number_of(group, "devices");
	notice->text = xasprintf("%s (listener %s)", text_of(group, "text"),
	    text_of(group, "listener"));
}

/* The first bytes of its hash, in hex. */
static void
hash_text(const char *text, size_t bytes, char *hex)
{
	uint8_t hash[32] = { 0 };

	(void)EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL);
	text_hex(hash, bytes, hex);
}

static void
look_group(struct notices *notices, const json_t *group)
{
	int64_t failing = number_of(group, "devices") -
	    number_of(group, "recovered");
	const char *cause = text_of(group, "cause"),
		   *listener = text_of(group, "listener");
	const json_t *models = json_object_get(group, "models");
	char which[2 * GROUP_BYTES + 1];
	struct notice *notice;

	if (*cause == '\0' || failing <= 0)
		return;
	/* The doctor's groups differ in their text, too, which names the CA or
	 * what else it is about. */
	hash_text(text_of(group, "text"), GROUP_BYTES, which);
	notice = add(notices, NOTIFY_FAILURE,
	    json_pack("{ss ss ss ss so*}", "cause", cause, "listener", listener,
		"confidence", text_of(group, "confidence"), "fix",
		text_of(group, "fix"), "models",
		models != NULL ? json_deep_copy(models) : NULL),
	    FAILURE_KEY "%s:%s:%s", cause, listener, which);
	if (notice == NULL)
		return;
	notice->devices = failing;
	notice->text = xasprintf("%lld %s on listener %s: %s",
	    (long long)failing, failing == 1 ? "device fails" : "devices fail",
	    listener, text_of(group, "text"));
}

void
look_doctor(struct notices *notices, const json_t *report)
{
	const json_t *group;
	size_t i;

	json_array_foreach(json_object_get(report, "groups"), i, group)
	{
		if (strcmp(text_of(group, "cause"), "clone") == 0)
			look_clone(notices, group);
		else
			look_group(notices, group);
	}
}

/* -------------------------------------------------------------- migrations */

static void
look_migration(struct notices *notices, const json_t *one)
{
	long long id = number_of(one, "id");
	struct notice *notice;

	if (strcmp(text_of(one, "state"), "stopped") != 0)
		return;
	notice = add(notices, NOTIFY_MIGRATION,
	    json_pack("{sI ss ss ss}", "id", (json_int_t)id, "from",
		text_of(one, "from"), "to", text_of(one, "to"), "reason",
		text_of(one, "reason")),
	    "migration:%lld", id);
	if (notice == NULL)
		return;
	notice->text = xasprintf("Migration %lld from %s to %s has stopped: %s",
	    id, text_of(one, "from"), text_of(one, "to"),
	    text_of(one, "reason"));
}

void
look_migrations(struct notices *notices, const json_t *report)
{
	const json_t *one,
	    *list = json_is_array(report) ?
	    report :
	    json_object_get(report, "migrations");
	size_t i;

	json_array_foreach(list, i, one) look_migration(notices, one);
}

/* -------------------------------------------------- exceptions, the server */

void
look_exceptions(struct notices *notices, const struct exception *list,
    size_t count, time_t now)
{
	for (size_t i = 0; i < count; i++) {
		const struct exception *exception = &list[i];
		char until[CLOCK_TEXT_BYTES];
		struct notice *notice;

		clock_format(exception->until, until);
		notice = add(notices, NOTIFY_EXCEPTION,
		    json_pack("{ss ss ss}", "exception", exception->name,
			"allow", exception_kind_name(exception->kind), "until",
			until),
		    "exception:%s:%s", exception->name, until);
		if (notice == NULL)
			return;
		notice->days = days_until(exception->until, now);
		notice->text = notice->days < 0 ?
		    xasprintf("The exception %s has lapsed: the devices that "
			      "need it get no profile any more.",
			exception->name) :
		    xasprintf("The exception %s lapses in %d %s: the devices "
			      "that need it get no profile then.",
			exception->name, notice->days,
			notice->days == 1 ? "day" : "days");
	}
}

void
look_success(struct notices *notices, uint64_t served, uint64_t all,
    unsigned percent_min)
{
	struct notice *notice;

	if (all < LOOK_REQUESTS_MIN || served * 100 >= all * percent_min)
		return;
	notice = add(notices, NOTIFY_SUCCESS_RATE,
	    json_pack("{sI sI sI}", "served", (json_int_t)served, "all",
		(json_int_t)all, "percent_expected", (json_int_t)percent_min),
	    SUCCESS_KEY);
	if (notice != NULL)
		notice->text =
		    xasprintf("Of the last %llu requests and refused "
			      "certificates, %llu were served: less "
			      "than %u percent.",
			(unsigned long long)all, (unsigned long long)served,
			percent_min);
}

bool
look_success_is_good(uint64_t served, uint64_t all, unsigned percent_min)
{
	unsigned percent = percent_min + LOOK_SUCCESS_MARGIN;

	if (percent > 100)
		percent = 100;
	return all >= LOOK_REQUESTS_MIN && served * 100 >= all * percent;
}

/* -------------------------------------------------------------- what is over */

bool
look_can_end(const char *key, enum notify_kind *kind)
{
	if (text_starts(key, FAILURE_KEY))
		*kind = NOTIFY_FAILURE;
	else if (strcmp(key, SUCCESS_KEY) == 0)
		*kind = NOTIFY_SUCCESS_RATE;
	else
		return false;
	return true;
}

void
look_over(struct notices *notices, const char *key, const char *text, time_t at)
{
	char when[CLOCK_TEXT_BYTES];
	enum notify_kind kind;
	struct notice *notice;

	if (!look_can_end(key, &kind))
		return;
	clock_format(at, when);
	notice = add(notices, NOTIFY_RESOLVED,
	    json_pack("{ss ss}", "kind", notify_kind_name(kind), "last", when),
	    "%s", key);
	if (notice != NULL)
		notice->text = xasprintf("This is over: %s", text);
}

/* ----------------------------------------------------------------- sending */

/* The lowest of the block's days that is not below what is left; -1: none. */
static int
stage_of(const struct config_notify *notify, int days)
{
	int stage = -1;

	for (size_t i = 0; i < notify->day_count; i++) {
		int limit = (int)notify->days[i];

		if (days <= limit && (stage < 0 || limit < stage))
			stage = limit;
	}
	return stage;
}

bool
look_concerns(const struct config_notify *notify, const struct notice *notice,
    char key[static NOTICE_KEY_MAX + 1])
{
	int stage;

	if (!notify->kinds[notice->kind] ||
	    (notice->devices != NOTICE_DEVICES_UNKNOWN &&
		notice->devices < notify->devices_min))
		return false;
	if (notice->days == NOTICE_NO_DAYS) {
		memcpy(key, notice->key, sizeof(notice->key));
		return true;
	}
	stage = stage_of(notify, notice->days);
	if (stage < 0)
		return false;
	(void)snprintf(key, NOTICE_KEY_MAX + 1, "%.240s/%d", notice->key,
	    notice->days < 0 ? -1 : stage);
	return true;
}

static const char *
severity(const struct notice *notice)
{
	if (notice->kind == NOTIFY_RESOLVED)
		return "info";
	if (notice->days != NOTICE_NO_DAYS)
		return notice->days <= CRITICAL_DAYS ? "critical" : "warning";
	return notice->kind == NOTIFY_SUCCESS_RATE ||
		notice->kind == NOTIFY_CLONE ?
	    "critical" :
	    "warning";
}

/* The same for each attempt, so that who gets it twice can tell. */
static void
make_id(const char *name, const char *key, time_t now,
    char id[static 2 * ID_BYTES + 1])
{
	char *text = xasprintf("%s\n%s\n%lld", name, key, (long long)now);

	hash_text(text, ID_BYTES, id);
	free(text);
}

char *
look_format(const struct config_notify *notify, const struct notice *notice,
    const char *key, time_t now)
{
	char id[2 * ID_BYTES + 1], about[2 * ABOUT_BYTES + 1];
	char at[CLOCK_TEXT_BYTES], *text;
	json_t *json;

	make_id(notify->name, key, now, id);
	hash_text(notice->key, ABOUT_BYTES, about);
	clock_format(now, at);
	json = json_pack("{ss ss ss ss ss ss ss sO}", "id", id, "about", about,
	    "at", at, "notify", notify->name, "kind",
	    notify_kind_name(notice->kind), "severity", severity(notice),
	    "text", notice->text, "details", notice->details);
	if (notice->devices != NOTICE_DEVICES_UNKNOWN)
		(void)json_object_set_new(json, "devices",
		    json_integer(notice->devices));
	text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(json);
	return text != NULL ? text : xstrdup("{}");
}
