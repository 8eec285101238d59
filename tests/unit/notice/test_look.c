#include "notice/look.h"
#include "base/text.h"
#include "provision/exception.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1764028800 /* 2025-11-25 */
#define DAY 86400

static json_t *
parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

typedef void looking(struct notices *notices, const json_t *report);

static void
anchors(struct notices *notices, const json_t *report)
{
	look_anchors(notices, report, NOW);
}

static const struct {
	looking *look;
	const char *report;
	const char *key; /* NULL: nothing is to be said */
	enum notify_kind kind;
	int days;
	int devices;
	const char *text;
} reports[] = {
	{ look_certificates,
	    "{\"listeners\": [{\"name\": \"csb\", \"not_after\": "
	    "\"2025-12-01T00:00:00Z\", \"days\": 6, \"devices\": {\"accept\": "
	    "9, \"alone\": 7, \"alone_checking_dates\": 1}}]}",
	    "certificate:csb:2025-12-01T00:00:00Z", NOTIFY_EXPIRY, 6, 7,
	    "The certificate of listener csb ends in 6 days (2025-12-01); 7 "
	    "devices accept no other one." },
	{ look_certificates,
	    "{\"listeners\": [{\"name\": \"csb\", \"not_after\": "
	    "\"2025-11-20T00:00:00Z\", \"days\": -5}]}",
	    "certificate:csb:2025-11-20T00:00:00Z", NOTIFY_EXPIRY, -5, -1,
	    "The certificate of listener csb ended at 2025-11-20." },
	/* One whose file cannot be read. */
	{ look_certificates, "{\"listeners\": [{\"name\": \"csb\"}]}", NULL,
	    NOTIFY_EXPIRY, 0, 0, NULL },
	{ look_certificates, "[1, 2]", NULL, NOTIFY_EXPIRY, 0, 0, NULL },
	{ anchors,
	    "{\"anchors\": [{\"name\": \"Root\", \"devices\": 3, "
	    "\"not_after\": "
	    "\"2025-11-26T12:00:00Z\"}]}",
	    "anchor:Root:2025-11-26T12:00:00Z", NOTIFY_EXPIRY, 1, 3,
	    "The client anchor \"Root\" ends in 1 day (2025-11-26); 3 device "
	    "certificates were seen below it." },
	{ anchors, "{\"anchors\": [{\"name\": \"Root\", \"not_after\": null}]}",
	    NULL, NOTIFY_EXPIRY, 0, 0, NULL },
	{ look_doctor,
	    "{\"groups\": [{\"cause\": \"unknown-ca\", \"listener\": \"csb\", "
	    "\"devices\": 3, \"recovered\": 1, \"text\": \"they refuse it\"}]}",
	    "failure:unknown-ca:csb:13d40805", NOTIFY_FAILURE, NOTICE_NO_DAYS,
	    2, "2 devices fail on listener csb: they refuse it" },
	{ look_doctor,
	    "{\"groups\": [{\"cause\": \"unknown-ca\", \"listener\": \"csb\", "
	    "\"devices\": 3, \"recovered\": 3, \"text\": \"x\"}]}",
	    NULL, NOTIFY_FAILURE, 0, 0, NULL },
	{ look_doctor,
	    "{\"groups\": [{\"cause\": \"clone\", \"listener\": \"csb\", "
	    "\"devices\": 1, \"recovered\": 1, \"text\": \"two places\", "
	    "\"who\": {\"mac\": \"000e08aabbcc\"}}]}",
	    "clone:csb:000e08aabbcc", NOTIFY_CLONE, NOTICE_NO_DAYS, 1,
	    "two places (listener csb)" },
	{ look_migrations,
	    "[{\"id\": 3, \"state\": \"stopped\", \"from\": \"a\", \"to\": "
	    "\"b\", \"reason\": \"too many\"}]",
	    "migration:3", NOTIFY_MIGRATION, NOTICE_NO_DAYS, -1,
	    "Migration 3 from a to b has stopped: too many" },
	{ look_migrations, "[{\"id\": 3, \"state\": \"running\"}]", NULL,
	    NOTIFY_MIGRATION, 0, 0, NULL },
};

static void
test_reports(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++) {
		json_t *report = parse(reports[i].report);
		struct notices notices = { NULL, 0 };

		reports[i].look(&notices, report);
		assert_int_equal(notices.count, reports[i].key != NULL);
		if (notices.count == 1) {
			assert_string_equal(notices.list[0].key,
			    reports[i].key);
			assert_int_equal(notices.list[0].kind, reports[i].kind);
			assert_int_equal(notices.list[0].days, reports[i].days);
			assert_int_equal(notices.list[0].devices,
			    reports[i].devices);
			assert_string_equal(notices.list[0].text,
			    reports[i].text);
		}
		notices_clear(&notices);
		json_decref(report);
	}
}

/* A report that could not be made says nothing. */
static void
test_no_reports(void **state)
{
	struct notices notices = { NULL, 0 };

	(void)state;
	look_certificates(&notices, NULL);
	look_anchors(&notices, NULL, NOW);
	look_doctor(&notices, NULL);
	look_migrations(&notices, NULL);
	look_exceptions(&notices, NULL, 0, NOW);
	look_success(&notices, 0, LOOK_REQUESTS_MIN - 1, 90);
	look_success(&notices, 90, 100, 90);
	assert_int_equal(notices.count, 0);
	look_success(&notices, 89, 100, 90);
	assert_int_equal(notices.count, 1);
	assert_string_equal(notices.list[0].key, "success-rate");
	notices_clear(&notices);
}

/* Groups of one cause at one listener that are about different CAs are two. */
static void
test_groups_apart(void **state)
{
	json_t *report = parse(
	    "{\"groups\": [{\"cause\": \"unknown-ca\", \"listener\": \"csb\", "
	    "\"devices\": 1, \"recovered\": 0, \"text\": \"it lacks CA 1\"}, "
	    "{\"cause\": \"unknown-ca\", \"listener\": \"csb\", \"devices\": 1,"
	    "\"recovered\": 0, \"text\": \"it lacks CA 2\"}]}");
	struct notices notices = { NULL, 0 };

	(void)state;
	look_doctor(&notices, report);
	assert_int_equal(notices.count, 2);
	assert_string_not_equal(notices.list[0].key, notices.list[1].key);
	notices_clear(&notices);
	json_decref(report);
}

/* Between bad and good it is neither, and few requests say nothing. */
static void
test_success_again(void **state)
{
	static const struct {
		uint64_t served, all;
		unsigned percent;
		bool bad, good;
	} cases[] = {
		{ 89, 100, 90, true, false },
		{ 90, 100, 90, false, false },
		{ 92, 100, 90, false, false },
		{ 93, 100, 90, false, true },
		{ 99, 100, 99, false, false },
		{ 100, 100, 99, false, true },
		{ 99, 100, 100, true, false },
		{ 100, 100, 100, false, true },
		{ 19, 19, 90, false, false },
		{ 20, 20, 90, false, true },
		{ 0, 0, 90, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct notices notices = { NULL, 0 };

		look_success(&notices, cases[i].served, cases[i].all,
		    cases[i].percent);
		assert_int_equal(notices.count, cases[i].bad);
		assert_int_equal(look_success_is_good(cases[i].served,
				     cases[i].all, cases[i].percent),
		    cases[i].good);
		notices_clear(&notices);
	}
}

static void
test_over(void **state)
{
	static const char *const others[] = { "", "failure", "success-rate/7",
		"clone:csb:000e08aabbcc", "certificate:failure:x", "test" };
	const struct config_notify notify = { .name = "noc" };
	struct notices notices = { NULL, 0 };
	struct notice before = { .kind = NOTIFY_FAILURE,
		.key = "failure:a:b:c",
		.days = NOTICE_NO_DAYS,
		.devices = 2 };
	enum notify_kind kind = NOTIFY_CLONE;
	char *body;
	json_t *json, *old;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_false(look_can_end(others[i], &kind));
		look_over(&notices, others[i], "x", NOW);
	}
	assert_int_equal(notices.count, 0);
	assert_int_equal(kind, NOTIFY_CLONE);
	assert_true(look_can_end("success-rate", &kind));
	assert_int_equal(kind, NOTIFY_SUCCESS_RATE);
	look_over(&notices, before.key, "2 devices fail", NOW);
	assert_int_equal(notices.count, 1);
	body = look_format(&notify, &notices.list[0], before.key, NOW);
	json = parse(body);
	free(body);
	before.text = strdup("x");
	before.details = json_object();
	body = look_format(&notify, &before, before.key, NOW - 5);
	old = parse(body);
	free(body);
	assert_string_equal(json_string_value(json_object_get(json, "kind")),
	    "resolved");
	assert_string_equal(json_string_value(json_object_get(json,
				"severity")),
	    "info");
	assert_string_equal(json_string_value(json_object_get(json, "text")),
	    "This is over: 2 devices fail");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(json, "details"), "kind")),
	    "failure");
	/* What it is about is the same, the notice is another one. */
	assert_true(json_equal(json_object_get(json, "about"),
	    json_object_get(old, "about")));
	assert_false(json_equal(json_object_get(json, "id"),
	    json_object_get(old, "id")));
	json_decref(json);
	json_decref(old);
	json_decref(before.details);
	free(before.text);
	notices_clear(&notices);
}

static void
test_bound(void **state)
{
	json_t *list = json_array();
	struct notices notices = { NULL, 0 };

	(void)state;
	for (int i = 0; i < NOTICES_MAX + 5; i++)
		(void)json_array_append_new(list,
		    json_pack("{si ss}", "id", i, "state", "stopped"));
	look_migrations(&notices, list);
	assert_int_equal(notices.count, NOTICES_MAX);
	notices_clear(&notices);
	json_decref(list);
}

static const struct {
	int days;
	const char *key; /* NULL: not yet */
} stages[] = {
	{ 61, NULL },
	{ 60, "exception:e:2026-01-01T00:00:00Z/60" },
	{ 31, "exception:e:2026-01-01T00:00:00Z/60" },
	{ 30, "exception:e:2026-01-01T00:00:00Z/30" },
	{ 1, "exception:e:2026-01-01T00:00:00Z/1" },
	{ 0, "exception:e:2026-01-01T00:00:00Z/1" },
	{ -1, "exception:e:2026-01-01T00:00:00Z/-1" },
};

/* Said again when less is left, and once more when it is over. */
static void
test_stages(void **state)
{
	const struct config_notify notify = { .name = "noc",
		.kinds = { [NOTIFY_EXCEPTION] = true },
		.days = { 30, 60, 1 },
		.day_count = 3,
		.devices_min = 1 };
	const struct exception exception = { .name = "e", .until = 1767225600 };
	char key[NOTICE_KEY_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		struct notices notices = { NULL, 0 };
		bool concerns;

		look_exceptions(&notices, &exception, 1,
		    exception.until - (stages[i].days * DAY) -
			(stages[i].days < 0 ? 0 : 5));
		assert_int_equal(notices.count, 1);
		assert_int_equal(notices.list[0].days, stages[i].days);
		concerns = look_concerns(&notify, &notices.list[0], key);
		assert_int_equal(concerns, stages[i].key != NULL);
		if (concerns)
			assert_string_equal(key, stages[i].key);
		notices_clear(&notices);
	}
}

/* Who wants it: by kind, and by how many devices. */
static void
test_concerns(void **state)
{
	struct config_notify notify = { .name = "noc", .devices_min = 3 };
	struct notice notice = { .kind = NOTIFY_FAILURE,
		.key = "k",
		.days = NOTICE_NO_DAYS,
		.devices = 3 };
	char key[NOTICE_KEY_MAX + 1];

	(void)state;
	assert_false(look_concerns(&notify, &notice, key));
	notify.kinds[NOTIFY_FAILURE] = true;
	assert_true(look_concerns(&notify, &notice, key));
	assert_string_equal(key, "k");
	notice.devices = 2;
	assert_false(look_concerns(&notify, &notice, key));
	notice.devices = NOTICE_DEVICES_UNKNOWN;
	assert_true(look_concerns(&notify, &notice, key));
}

static void
test_format(void **state)
{
	const struct config_notify notify = { .name = "noc" };
	char text[] = "\"quoted\"\n\xc3\xbc";
	struct notice notice = { .kind = NOTIFY_CLONE,
		.key = "k",
		.days = NOTICE_NO_DAYS,
		.devices = 3,
		.text = text,
		.details = json_pack("{si}", "a", 1) };
	char *body = look_format(&notify, &notice, "k", NOW);
	char *again = look_format(&notify, &notice, "k", NOW);
	char *other = look_format(&notify, &notice, "l", NOW);
	json_t *json = parse(body);

	(void)state;
	assert_null(strchr(body, '\n'));
	assert_string_equal(body, again);
	assert_string_not_equal(body, other);
	assert_string_equal(json_string_value(json_object_get(json, "text")),
	    text);
	assert_string_equal(json_string_value(json_object_get(json, "at")),
	    "2025-11-25T00:00:00Z");
	assert_string_equal(json_string_value(json_object_get(json,
				"severity")),
	    "critical");
	assert_int_equal(json_integer_value(json_object_get(json, "devices")),
	    3);
	json_decref(json);
	json_decref(notice.details);
	free(body);
	free(again);
	free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_no_reports),
		cmocka_unit_test(test_groups_apart),
		cmocka_unit_test(test_success_again),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_concerns),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
