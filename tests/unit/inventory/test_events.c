/* The record of events: what is kept, found, learned and forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "inventory/events.h"
#include "scratch.h"

static const struct events_limits limits = { EVENTS_MAX_DEFAULT,
	EVENTS_DAYS_DEFAULT };

struct place {
	char *folder, *path;
	struct events *events;
};

static int
set_up(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));
	struct error err;

	place->folder = scratch_make();
	place->path = xasprintf("%s/%s", place->folder, EVENTS_FILE);
	place->events = events_open(place->path, false, &err);
	assert_non_null(place->events);
	*state = place;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *place = *state;

	events_close(place->events);
	free(place->path);
	scratch_remove(place->folder);
	free(place);
	return 0;
}

/* An event with everything set. */
static struct event
whole(time_t at, uint8_t last_octet)
{
	struct event event = { .at = at,
		.us = 1234,
		.kind = EVENT_SERVED,
		.class = UINT64_C(0xfedcba9876543210),
		.sslv2 = true,
		.offered_min = 0x0301,
		.offered_max = 0x0303,
		.cipher_count = 3,
		.cipher = { 0x0035, 0x002f, 0xffff },
		.tls_version = 0x0301,
		.alert_sent = -1,
		.alert_received = 48,
		.has_certificate = true,
		.has_mac = true,
		.mac = { { 0, 0x0e, 8, 0xaa, 0xbb, last_octet } },
		.not_before = 1000,
		.not_after = 4000000000,
		.status = 200,
		.bytes = 5000000000 };

	memset(event.certificate, last_octet, sizeof(event.certificate));
	(void)strcpy(event.listener, "csb2");
	(void)strcpy(event.ca, "ciscosb-prov-2");
	(void)strcpy(event.source, "192.0.2.7");
	(void)strcpy(event.sni, "prov.example.net");
	(void)strcpy(event.tls_cipher, "AES128-SHA");
	(void)strcpy(event.form, "documented");
	(void)strcpy(event.product, "SPA-962");
	(void)strcpy(event.serial, "88012AA00001");
	(void)strcpy(event.firmware, "6.1.5(a)");
	(void)strcpy(event.issuer, "Issuer");
	(void)strcpy(event.anchor, "Anchor");
	(void)strcpy(event.method, "GET");
	(void)strcpy(event.path, "/spa000e08aabb01.cfg");
	(void)strcpy(event.agent, "Linksys/SPA-962-6.1.5(a) (88012AA00001)");
	(void)strcpy(event.reason, "own-profile");
	(void)strcpy(event.choice, "class");
	event.has_sent = true;
	memset(event.sent, 0x5e, sizeof(event.sent));
	return event;
}

static void
put(struct events *events, const struct event *list, size_t count)
{
	struct error err;

	assert_int_equal(events_put(events, list, count, &limits, &err), 0);
}

struct found {
	struct event list[16];
	size_t count;
	int64_t asked; /* of the filter */
};

static int
keep(const struct event *event, void *arg)
{
	struct found *found = arg;

	if (found->count < 16)
		found->list[found->count] = *event;
	found->count++;
	return 0;
}

static struct found
find(struct events *events, struct events_query query)
{
	struct found found = { .count = 0 };
	struct error err;

	assert_int_equal(events_each(events, &query, keep, &found, &err), 0);
	return found;
}

static void
test_round_trip(void **state)
{
	struct place *place = *state;
	struct event event = whole(1800000000, 1);
	struct found found;

	put(place->events, &event, 1);
	found = find(place->events, (struct events_query) { .kind = -1 });
	assert_int_equal(found.count, 1);
	event.id = 1;
	assert_memory_equal(&found.list[0], &event, sizeof(event));
	/* The least there can be. */
	event = (struct event) { .at = 1800000001,
		.kind = EVENT_HANDSHAKE,
		.alert_sent = -1,
		.alert_received = -1 };
	put(place->events, &event, 1);
	found = find(place->events,
	    (struct events_query) { .kind = EVENT_HANDSHAKE });
	assert_int_equal(found.count, 1);
	event.id = 2;
	assert_memory_equal(&found.list[0], &event, sizeof(event));
}

static void
test_queries(void **state)
{
	struct place *place = *state;
	struct event list[4];
	struct events_query query = { .kind = -1 };

	for (uint8_t i = 0; i < 4; i++)
		list[i] = whole(1800000000 + i, i);
	(void)strcpy(list[1].source, "198.51.100.1");
	(void)strcpy(list[2].listener, "other");
	list[3].kind = EVENT_REFUSED;
	put(place->events, list, 4);
	assert_int_equal(find(place->events, query).count, 4);
	query.mac = &list[2].mac;
	assert_int_equal(find(place->events, query).list[0].id, 3);
	query = (struct events_query) { .kind = -1, .source = "198.51.100.1" };
	assert_int_equal(find(place->events, query).list[0].id, 2);
	query = (struct events_query) { .kind = -1, .listener = "other" };
	assert_int_equal(find(place->events, query).count, 1);
	query = (struct events_query) { .kind = -1, .failures = true };
	assert_int_equal(find(place->events, query).count, 1);
	assert_int_equal(find(place->events, query).list[0].id, 4);
	query = (struct events_query) { .kind = EVENT_REFUSED };
	assert_int_equal(find(place->events, query).list[0].id, 4);
	query = (struct events_query) { .kind = -1, .since = 1800000002 };
	assert_int_equal(find(place->events, query).count, 2);
	query = (struct events_query) { .kind = -1, .until = 1800000000 };
	assert_int_equal(find(place->events, query).count, 1);
	query = (struct events_query) { .kind = -1, .after = 3 };
	assert_int_equal(find(place->events, query).count, 1);
	query = (struct events_query) {
		.kind = -1, .newest_first = true, .limit = 2
	};
	assert_int_equal(find(place->events, query).count, 2);
	assert_int_equal(find(place->events, query).list[0].id, 4);
}

/* Those of devices with an even last octet, until one is not known. */
static int
is_even(int64_t id, const struct mac *mac, void *arg)
{
	struct found *found = arg;

	found->asked++;
	assert_int_equal(id, found->asked);
	return mac == NULL ? -1 : mac->octet[5] % 2 == 0;
}

static void
test_filter(void **state)
{
	struct place *place = *state;
	struct events_query query = { .kind = -1, .filter = is_even };
	struct found found = { .count = 0 };
	struct event list[5];
	struct error err;

	for (uint8_t i = 0; i < 5; i++)
		list[i] = whole(1800000000 + i, i);
	put(place->events, list, 3);
	assert_int_equal(find(place->events, query).count, 2);
	list[3].has_mac = false;
	put(place->events, &list[3], 2);
	assert_int_equal(events_each(place->events, &query, keep, &found, &err),
	    1);
	assert_int_equal(found.asked, 4);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.list[1].id, 3);
	assert_string_equal(found.list[1].source, "192.0.2.7");
}

static int
count_certificate(const struct event_certificate *certificate, void *arg)
{
	struct event_certificate *last = arg;

	*last = *certificate;
	return 0;
}

static int
count_class(const struct event_class *class, void *arg)
{
	struct event_class *last = arg;

	*last = *class;
	return 0;
}

static void
test_learning(void **state)
{
	struct place *place = *state;
	struct event event = whole(1800000000, 1);
	struct event_certificate certificate = { 0 };
	struct event_class class = { 0 };
	struct event_source sources[4];
	struct error err;

	put(place->events, &event, 1);
	event.at += 10; /* within the hour: no second write */
	put(place->events, &event, 1);
	event.at += 7200;
	put(place->events, &event, 1);
	assert_int_equal(events_each_certificate(place->events,
			     count_certificate, &certificate, &err),
	    0);
	assert_int_equal(certificate.first_at, 1800000000);
	assert_int_equal(certificate.last_at, 1800007210);
	assert_string_equal(certificate.product, "SPA-962");
	assert_true(certificate.not_after == 4000000000);
	assert_int_equal(events_each_class(place->events, event.class,
			     count_class, &class, &err),
	    0);
	assert_int_equal(class.count, 2);
	assert_string_equal(class.product, "SPA-962");
	assert_string_equal(class.firmware, "6.1.5(a)");
	assert_int_equal(events_at_source(place->events, "192.0.2.7", sources,
			     4, &err),
	    1);
	assert_true(mac_equal(&sources[0].mac, &event.mac));
	assert_true(sources[0].class == event.class);
	assert_int_equal(events_at_source(place->events, "192.0.2.8", sources,
			     4, &err),
	    0);
}

/* What was not proved teaches nothing about who is who. */
static void
test_unproven(void **state)
{
	struct place *place = *state;
	struct event list[3] = { whole(1800000000, 1), whole(1800000000, 2),
		whole(1800000000, 3) };
	struct event_certificate certificate = { 0 };
	struct event_class class = { 0 };
	struct event_source sources[4];
	struct error err;

	list[0].kind = EVENT_HANDSHAKE;
	(void)strcpy(list[1].verify, "certificate has expired");
	list[2].has_mac = false;
	put(place->events, list, 3);
	assert_int_equal(events_each_class(place->events, 0, count_class,
			     &class, &err),
	    0);
	assert_true(class.class == 0);
	assert_int_equal(events_at_source(place->events, "192.0.2.7", sources,
			     4, &err),
	    0);
	/* But an expired one is remembered as that. */
	assert_int_equal(events_each_certificate(place->events,
			     count_certificate, &certificate, &err),
	    0);
	assert_true(certificate.first_at != 0);
}

static void
test_forgetting(void **state)
{
	static const struct events_limits few = { 1000, 30 };
	static const struct events_limits young = { 1000000, 1 };
	struct place *place = *state;
	struct event *list = xcalloc(5000, sizeof(*list));
	struct error err;
	struct found found;

	for (size_t i = 0; i < 5000; i++)
		list[i] = whole(1800000000 + (time_t)i, 1);
	assert_int_equal(events_put(place->events, list, 5000, &few, &err), 0);
	found = find(place->events, (struct events_query) { .kind = -1 });
	assert_int_equal(found.count, 1000);
	assert_int_equal(found.list[0].id, 4001);
	/* Two days later: all but the new ones are too old. */
	for (size_t i = 0; i < 5000; i++)
		list[i].at += 2 * 86400;
	assert_int_equal(events_put(place->events, list, 5000, &young, &err),
	    0);
	found = find(place->events, (struct events_query) { .kind = -1 });
	assert_int_equal(found.count, 5000);
	assert_int_equal(found.list[0].id, 5001);
	free(list);
}

static void
test_files(void **state)
{
	struct place *place = *state;
	struct events *second;
	struct error err;
	char *other = xasprintf("%s/none.db", place->folder);

	second = events_open(place->path, false, &err);
	assert_null(second);
	assert_int_equal(err.kind, ERROR_SYSTEM);
	second = events_open(place->path, true, &err);
	assert_non_null(second);
	events_close(second);
	second = events_open(other, true, &err);
	assert_null(second);
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	events_close(NULL);
	free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_queries, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_filter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_learning, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_unproven, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_forgetting, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
