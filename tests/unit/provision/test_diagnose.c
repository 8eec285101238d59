/* From one event to its cause, without a server; and from many to groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "provision/decision.h"
#include "provision/doctor.h"
#include "spa/knowledge.h"

static struct event
event_of(enum event_kind kind, const char *reason)
{
	struct event event = { .at = 1800000000,
		.kind = kind,
		.alert_sent = -1,
		.alert_received = -1 };

	(void)snprintf(event.listener, sizeof(event.listener), "csb2");
	(void)snprintf(event.source, sizeof(event.source), "192.0.2.7");
	(void)snprintf(event.reason, sizeof(event.reason), "%s", reason);
	return event;
}

static struct diagnosis
diagnose(const struct event *event, const struct diagnose_hints *hints)
{
	static const struct diagnose_hints none = { 0 };
	struct knowledge *knowledge = knowledge_new();
	const struct diagnose_world world = { .knowledge = knowledge,
		.now = 1800000000 };
	struct diagnosis diagnosis;

	diagnose_event(event, &world, hints != NULL ? hints : &none,
	    &diagnosis);
	knowledge_free(knowledge);
	return diagnosis;
}

static void
test_alerts(void **state)
{
	static const struct {
		int alert;
		enum diagnose_cause cause;
	} cases[] = {
		{ 48, DIAGNOSE_CA_NOT_TRUSTED },
		{ 42, DIAGNOSE_CERTIFICATE_REFUSED },
		{ 46, DIAGNOSE_CERTIFICATE_REFUSED },
		{ 43, DIAGNOSE_CERTIFICATE_REFUSED },
		{ 45, DIAGNOSE_DEVICE_CLOCK },
		{ 70, DIAGNOSE_VERSION_TOO_NEW },
		{ 40, DIAGNOSE_NO_CIPHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct event event = event_of(EVENT_HANDSHAKE, "an alert");
		struct diagnosis diagnosis;

		event.alert_received = cases[i].alert;
		diagnosis = diagnose(&event, NULL);
		assert_int_equal(diagnosis.cause, cases[i].cause);
		assert_true(*diagnosis.text != '\0');
		assert_true(*diagnosis.evidence != '\0');
		/* What a device thinks is never certain. */
		if (cases[i].alert != 70)
			assert_int_not_equal(diagnosis.confidence,
			    CONFIDENCE_HIGH);
	}
}

static void
test_ciphers(void **state)
{
	struct event event = event_of(EVENT_HANDSHAKE,
	    "TLS handshake: no shared cipher");
	struct diagnosis diagnosis;

	(void)state;
	event.cipher_count = 3;
	event.cipher[0] = 0x0004;
	event.cipher[1] = 0x0005;
	event.cipher[2] = 0x000a;
	diagnosis = diagnose(&event, NULL);
	assert_int_equal(diagnosis.cause, DIAGNOSE_NO_CIPHER_EVER);
	assert_non_null(strstr(diagnosis.evidence,
	    "RC4-MD5 RC4-SHA DES-CBC3-SHA"));
	event.cipher[2] = 0x0033;
	assert_int_equal(diagnose(&event, NULL).cause, DIAGNOSE_NO_CIPHER);
	/* There were more than were kept: who knows. */
	event.cipher[2] = 0x000a;
	event.cipher_count = 100;
	assert_int_equal(diagnose(&event, NULL).cause, DIAGNOSE_NO_CIPHER);
}

/* Without TLS there is no handshake that could have been complete. */
static void
test_no_request(void **state)
{
	struct event event = event_of(EVENT_NO_REQUEST, "closed by the peer");

	(void)state;
	assert_int_equal(diagnose(&event, NULL).cause, DIAGNOSE_LEFT);
	event.tls_version = 0x0301;
	assert_int_equal(diagnose(&event, NULL).cause,
	    DIAGNOSE_CERTIFICATE_NAME);
}

/* Who it was, from weak hints to none. */
static void
test_who(void **state)
{
	struct event event = event_of(EVENT_HANDSHAKE, "closed by the peer");
	struct event_source sources[2] = { { .class = 5,
					       .mac = { { 1, 2, 3, 4, 5, 6 } },
					       .product = "SPA-962" },
		{ .class = 5,
		    .mac = { { 1, 2, 3, 4, 5, 7 } },
		    .product = "SPA-962" } };
	struct event_class classes[2] = { { .class = 5, .product = "SPA-962" },
		{ .class = 5, .product = "SPA-942" } };
	struct diagnose_hints hints = { sources, 1, classes, 1 };

	(void)state;
	event.class = 5;
	assert_true(diagnose(&event, &hints).who.has_mac);
	assert_string_equal(diagnose(&event, &hints).who.model->name, "SPA962");
	hints.source_count = 2; /* two such devices there: which one? */
	assert_false(diagnose(&event, &hints).who.has_mac);
	assert_string_equal(diagnose(&event, &hints).who.model->name, "SPA962");
	hints.class_count = 2; /* two models speak so */
	assert_null(diagnose(&event, &hints).who.model);
	sources[0].class = 6; /* one that speaks otherwise is none */
	sources[1].class = 6;
	assert_false(diagnose(&event, &hints).who.has_mac);
	assert_int_equal(diagnose(&event, &hints).who.confidence,
	    CONFIDENCE_NONE);
}

/* An unknown reason of ours is said to be one. */
static void
test_unexplained(void **state)
{
	struct event event = event_of(EVENT_REFUSED, "a-new-reason");
	struct diagnosis diagnosis;

	(void)state;
	event.status = 403;
	diagnosis = diagnose(&event, NULL);
	assert_int_equal(diagnosis.cause, DIAGNOSE_UNEXPLAINED);
	assert_int_equal(diagnosis.confidence, CONFIDENCE_LOW);
	event.status = 503;
	assert_int_equal(diagnose(&event, NULL).cause, DIAGNOSE_OVERLOAD);
	event.status = 500;
	assert_int_equal(diagnose(&event, NULL).cause, DIAGNOSE_OURS);
}

/* Every reason for which decision.c refuses is explained. */
static void
test_all_refusals(void **state)
{
	(void)state;
	for (int i = 0; i < DECISION_REASONS; i++) {
		const char *reason =
		    decision_reason_name((enum decision_reason)i);
		struct event event = event_of(EVENT_REFUSED, reason);
		struct diagnosis diagnosis;

		event.status = 403;
		(void)snprintf(event.verify, sizeof(event.verify), "why");
		diagnosis = diagnose(&event, NULL);
		if (strcmp(reason, "own-profile") == 0 ||
		    strcmp(reason, "common-file") == 0 ||
		    strcmp(reason, "public-file") == 0 ||
		    strcmp(reason, "report") == 0 ||
		    strcmp(reason, "device-file") == 0 ||
		    strcmp(reason, "stub") == 0)
			continue; /* these are allowed */
		assert_int_not_equal(diagnosis.cause, DIAGNOSE_UNEXPLAINED);
		assert_true(*diagnosis.evidence != '\0');
	}
}

static void
test_names(void **state)
{
	(void)state;
	for (int i = 0; i < DIAGNOSE_CAUSES; i++)
		for (int j = i + 1; j < DIAGNOSE_CAUSES; j++)
			assert_string_not_equal(
			    diagnose_cause_name((enum diagnose_cause)i),
			    diagnose_cause_name((enum diagnose_cause)j));
}

/* ------------------------------------------------------------------ groups */

static void
add(struct doctor *doctor, struct event event, uint8_t octet,
    enum diagnose_cause cause)
{
	struct diagnosis diagnosis = { .cause = cause,
		.confidence = CONFIDENCE_MEDIUM,
		.text = "text",
		.source = "" };

	diagnosis.who.has_mac = true;
	diagnosis.who.mac.octet[5] = octet;
	event.has_mac = true;
	event.mac = diagnosis.who.mac;
	doctor_add(doctor, &event, &diagnosis);
}

static void
test_groups(void **state)
{
	struct event event = event_of(EVENT_REFUSED, "x");
	struct doctor *doctor = doctor_new();
	const struct doctor_group *groups;
	struct doctor_totals totals;
	size_t count;

	(void)state;
	for (uint8_t i = 0; i < 5; i++)
		add(doctor, event, i, DIAGNOSE_RETIRED);
	add(doctor, event, 0, DIAGNOSE_RETIRED); /* once more */
	for (uint8_t i = 10; i < 20; i++)
		add(doctor, event, i, DIAGNOSE_NO_SUCH_PATH);
	event.at += 10;
	event.kind = EVENT_SERVED;
	for (uint8_t i = 10; i < 19; i++) /* nine of ten are well again */
		add(doctor, event, i, DIAGNOSE_NONE);
	groups = doctor_groups(doctor, &count, &totals);
	assert_int_equal(count, 2);
	assert_int_equal(groups[0].last.cause, DIAGNOSE_RETIRED);
	assert_int_equal(groups[0].devices, 5);
	assert_int_equal(groups[0].events, 6);
	assert_int_equal(groups[0].recovered, 0);
	assert_int_equal(groups[1].devices, 10);
	assert_int_equal(groups[1].recovered, 9);
	assert_int_equal(totals.devices, 15);
	assert_int_equal(totals.served, 9);
	assert_int_equal(totals.failing, 6);
	doctor_free(doctor);
}

static size_t
count_cause(struct doctor *doctor, enum diagnose_cause cause)
{
	const struct doctor_group *groups;
	struct doctor_totals totals;
	size_t count, found = 0;

	groups = doctor_groups(doctor, &count, &totals);
	for (size_t i = 0; i < count; i++)
		found += groups[i].last.cause == cause;
	return found;
}

static void
test_clone(void **state)
{
	static const struct {
		const char *places; /* a letter each */
		time_t between;
		size_t clones;
	} cases[] = {
		{ "aaaa", 60, 0 },
		{ "aabb", 60, 0 }, /* it has moved */
		{ "abc", 60, 0 },
		{ "aba", 60, 1 },
		{ "aba", 7200, 0 }, /* it has moved back */
		{ "abab", 60, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct doctor *doctor = doctor_new();
		struct event event = event_of(EVENT_SERVED, "own-profile");

		for (const char *p = cases[i].places; *p != '\0'; p++) {
			(void)snprintf(event.source, sizeof(event.source),
			    "192.0.2.%d", *p);
			event.at += cases[i].between;
			add(doctor, event, 1, DIAGNOSE_NONE);
		}
		assert_int_equal(count_cause(doctor, DIAGNOSE_CLONE),
		    cases[i].clones);
		doctor_free(doctor);
	}
}

static void
test_storm(void **state)
{
	struct event event = event_of(EVENT_HANDSHAKE, "timed out");
	struct doctor *doctor = doctor_new();

	(void)state;
	event.at = 60 * 30000000;
	for (int i = 0; i < 1000; i++)
		add(doctor, event, (uint8_t)i,
		    i % 10 == 0 ? DIAGNOSE_SLOW : DIAGNOSE_NONE);
	assert_int_equal(count_cause(doctor, DIAGNOSE_STORM), 0);
	event.at += 60;
	for (int i = 0; i < 1000; i++)
		add(doctor, event, (uint8_t)i,
		    i % 2 == 0 ? DIAGNOSE_SLOW : DIAGNOSE_NONE);
	assert_int_equal(count_cause(doctor, DIAGNOSE_STORM), 1);
	doctor_free(doctor);
}

/* A flood of different troubles takes no more memory than its limit. */
/* A second has room for both: what came last counts. */
static void
test_order_within_a_second(void **state)
{
	struct event failed = event_of(EVENT_REFUSED, "other-device");
	struct event served = event_of(EVENT_SERVED, "");
	struct diagnosis diagnosis;

	(void)state;
	failed.has_mac = served.has_mac = true;
	diagnosis = diagnose(&failed, NULL);
	for (int served_last = 0; served_last < 2; served_last++) {
		struct doctor *doctor = doctor_new();
		struct doctor_totals totals;
		size_t count;

		if (!served_last)
			assert_true(doctor_add_served(doctor, &served));
		doctor_add(doctor, &failed, &diagnosis);
		if (served_last)
			assert_true(doctor_add_served(doctor, &served));
		assert_int_equal(doctor_groups(doctor, &count, &totals)[0]
				     .recovered,
		    served_last);
		assert_int_equal(count, 1);
		assert_int_equal(totals.failing, !served_last);
		doctor_free(doctor);
	}
}

/* Some devices at some places, served and not, in any order. */
static struct event
any_event(uint32_t *random, int step)
{
	static const char *const sources[] = { "192.0.2.1", "192.0.2.2",
		"198.51.100.3" };
	static const char *const reasons[] = { "no-client-certificate",
		"device-unknown", "mac-mismatch" };
	struct event event = event_of(EVENT_SERVED, "");

	*random = *random * 1664525 + 1013904223;
	if ((*random >> 8 & 3) == 0) {
		event.kind = EVENT_REFUSED;
		(void)snprintf(event.reason, sizeof(event.reason), "%s",
		    reasons[(*random >> 10 & 7) % 3]);
	} else if ((*random >> 8 & 31) == 1) {
		event.kind = EVENT_NO_REQUEST;
	}
	(void)snprintf(event.source, sizeof(event.source), "%s",
	    sources[(*random >> 13 & 7) % 3]);
	event.at += (time_t)step * 97;
	event.has_mac = (*random >> 16 & 7) != 0;
	event.mac.octet[5] = (uint8_t)(*random >> 19 & 7);
	if ((*random >> 22 & 7) == 0)
		(void)snprintf(event.verify, sizeof(event.verify), "expired");
	return event;
}

/* Without a diagnosis of those that were served the groups are the same. */
static void
test_served_without_diagnosis(void **state)
{
	struct doctor *slow = doctor_new(), *quick = doctor_new();
	struct doctor_totals slow_totals, quick_totals;
	const struct doctor_group *slow_groups, *quick_groups;
	size_t slow_count, quick_count, taken = 0;
	uint32_t random = 3;

	(void)state;
	for (int step = 0; step < 2000; step++) {
		struct event event = any_event(&random, step);
		struct diagnosis diagnosis = diagnose(&event, NULL);

		doctor_add(slow, &event, &diagnosis);
		if (doctor_add_served(quick, &event))
			taken++;
		else
			doctor_add(quick, &event, &diagnosis);
	}
	slow_groups = doctor_groups(slow, &slow_count, &slow_totals);
	quick_groups = doctor_groups(quick, &quick_count, &quick_totals);
	assert_in_range(taken, 500, 1500);
	assert_memory_equal(&slow_totals, &quick_totals, sizeof(slow_totals));
	assert_int_equal(slow_count, quick_count);
	assert_in_range(slow_count, 3, 20);
	for (size_t i = 0; i < slow_count; i++) {
		const struct doctor_group *a = &slow_groups[i],
					  *b = &quick_groups[i];

		assert_string_equal(a->last.text, b->last.text);
		assert_string_equal(a->last.evidence, b->last.evidence);
		assert_string_equal(a->source, b->source);
		assert_int_equal(a->last.cause, b->last.cause);
		assert_int_equal(a->devices, b->devices);
		assert_int_equal(a->recovered, b->recovered);
		assert_int_equal(a->events, b->events);
		assert_int_equal(a->first_at, b->first_at);
		assert_int_equal(a->last_at, b->last_at);
	}
	doctor_free(slow);
	doctor_free(quick);
}

static void
test_limits(void **state)
{
	struct event event = event_of(EVENT_REFUSED, "x");
	struct doctor *doctor = doctor_new();
	const struct doctor_group *groups;
	struct doctor_totals totals;
	size_t count;

	(void)state;
	for (int i = 0; i < DOCTOR_GROUPS_MAX + 50; i++) {
		(void)snprintf(event.listener, sizeof(event.listener), "l%d",
		    i);
		add(doctor, event, 1, DIAGNOSE_RETIRED);
	}
	groups = doctor_groups(doctor, &count, &totals);
	assert_non_null(groups);
	assert_int_equal(count, DOCTOR_GROUPS_MAX);
	assert_int_equal(totals.events, DOCTOR_GROUPS_MAX + 50);
	doctor_free(doctor);
	doctor_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_ciphers),
		cmocka_unit_test(test_no_request),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_unexplained),
		cmocka_unit_test(test_all_refusals),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_clone),
		cmocka_unit_test(test_storm),
		cmocka_unit_test(test_order_within_a_second),
		cmocka_unit_test(test_served_without_diagnosis),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
