#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/addr.h"
#include "base/mem.h"
#include "server/admission.h"

#define SITE "192.0.2.1:1000"
#define HOME "198.51.100.1:1000"
#define FLOOD "198.51.100.66:1000"

static const struct admission_limits limits = { .handshakes_max = 3,
	.patience_ms = 1000 };

static void
arrive(struct admission *a, struct waiting *w, const char *source,
    uint64_t now_ms)
{
	struct addr addr;
	struct error err;

	assert_int_equal(addr_parse(&addr, source, &err), 0);
	*w = (struct waiting) { 0 };
	admission_arrive(a, w, &addr, now_ms);
}

static void
queue(struct admission *a, struct waiting *w, const char *source,
    uint64_t now_ms)
{
	arrive(a, w, source, now_ms);
	admission_queue(a, w, false);
}

/* Connections of that source that end so. */
static void
teach(struct admission *a, const char *source, unsigned count,
    enum admission_end end, uint64_t now_ms)
{
	for (unsigned i = 0; i < count; i++) {
		struct waiting w;

		arrive(a, &w, source, now_ms);
		admission_leave(a, &w, end, now_ms);
		assert_int_equal(w.place, WAITING_NOWHERE);
	}
}

static void
test_in_order(void **state)
{
	struct admission *a = admission_new();
	struct waiting w[5];

	(void)state;
	assert_null(admission_next(a, &limits));
	assert_null(admission_oldest(a));
	for (size_t i = 0; i < 5; i++)
		queue(a, &w[i], SITE, 10 * i);
	assert_int_equal(admission_count(a, WAITING_NEW), 5);
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(admission_next(a, &limits), &w[i]);
	/* As many as may be have begun. */
	assert_null(admission_next(a, &limits));
	admission_leave(a, &w[1], ADMISSION_OURS, 100);
	assert_ptr_equal(admission_next(a, &limits), &w[3]);
	assert_null(admission_next(a, &limits));
	assert_int_equal(admission_count(a, WAITING_BEGUN), 3);
	/* Leaving twice is leaving once. */
	admission_leave(a, &w[1], ADMISSION_OURS, 100);
	assert_int_equal(admission_count(a, WAITING_BEGUN), 3);
	admission_free(a);
}

/* When not all can be served: the newest first, the oldest given up. */
static void
test_overload(void **state)
{
	struct admission *a = admission_new();
	struct waiting w[4];

	(void)state;
	queue(a, &w[0], SITE, 0);
	queue(a, &w[1], SITE, 100);
	queue(a, &w[2], SITE, 201);
	queue(a, &w[3], SITE, 1000);
	assert_null(admission_late(a, &limits, 1000));
	assert_ptr_equal(admission_next(a, &limits), &w[3]);
	assert_ptr_equal(admission_late(a, &limits, 1001), &w[0]);
	assert_ptr_equal(admission_next(a, &limits), &w[2]);
	admission_leave(a, &w[0], ADMISSION_OURS, 1001);
	assert_null(admission_late(a, &limits, 1100));
	assert_ptr_equal(admission_late(a, &limits, 1101), &w[1]);
	/* What has begun is never given up here. */
	admission_leave(a, &w[1], ADMISSION_OURS, 1101);
	assert_null(admission_late(a, &limits, 100000));
	admission_free(a);
}

/* Not by who is waited for, nor by who wastes connections. */
static void
test_behind(void **state)
{
	struct admission *a = admission_new();
	struct waiting hello, bad, w[2];

	(void)state;
	assert_false(admission_is_behind(a, &limits, 1000));
	arrive(a, &hello, SITE, 0);
	teach(a, FLOOD, 100, ADMISSION_WASTED, 0);
	queue(a, &bad, FLOOD, 0);
	assert_int_equal(bad.place, WAITING_SUSPECT);
	assert_false(admission_is_behind(a, &limits, 1000));
	queue(a, &w[0], HOME, 1000);
	queue(a, &w[1], HOME, 1100);
	assert_false(admission_is_behind(a, &limits, 1200));
	assert_true(admission_is_behind(a, &limits, 1201));
	assert_ptr_equal(admission_next(a, &limits), &w[0]);
	assert_false(admission_is_behind(a, &limits, 1201));
	assert_true(admission_is_behind(a, &limits, 1301));
	/* A session to resume is one that waits as well. */
	admission_leave(a, &w[1], ADMISSION_OURS, 1301);
	arrive(a, &w[1], HOME, 2000);
	admission_queue(a, &w[1], true);
	assert_int_equal(w[1].place, WAITING_RETURN);
	assert_true(admission_is_behind(a, &limits, 2201));
	admission_free(a);
}

static void
test_room(void **state)
{
	struct admission *a = admission_new();
	struct waiting w[4];

	(void)state;
	queue(a, &w[0], SITE, 0);
	arrive(a, &w[1], SITE, 10);
	arrive(a, &w[2], SITE, 20);
	queue(a, &w[3], SITE, 30);
	/* Who has not said a word, oldest first, then who waits for a turn. */
	assert_ptr_equal(admission_oldest(a), &w[1]);
	admission_leave(a, &w[1], ADMISSION_WASTED, 40);
	assert_ptr_equal(admission_oldest(a), &w[2]);
	admission_leave(a, &w[2], ADMISSION_WASTED, 40);
	assert_ptr_equal(admission_oldest(a), &w[0]);
	assert_ptr_equal(admission_next(a, &limits), &w[0]);
	assert_ptr_equal(admission_oldest(a), &w[3]);
	assert_ptr_equal(admission_next(a, &limits), &w[3]);
	assert_null(admission_oldest(a));
	admission_free(a);
}

static void
test_returning(void **state)
{
	struct admission *a = admission_new();
	struct admission_limits many = { 100, 1000 };
	struct waiting fresh[4], back[6];
	unsigned first = 0;

	(void)state;
	teach(a, SITE, 1, ADMISSION_PROVED, 0);
	for (size_t i = 0; i < 4; i++)
		queue(a, &fresh[i], HOME, 1);
	for (size_t i = 0; i < 6; i++)
		queue(a, &back[i], SITE, 2);
	assert_int_equal(admission_count(a, WAITING_RETURN), 6);
	for (int i = 0; i < 8; i++) {
		struct waiting *w = admission_next(a, &many);

		first += w >= back && w < back + 6;
	}
	/* Three turns of four, so that nobody starves. */
	assert_int_equal(first, 6);
	assert_ptr_equal(admission_next(a, &many), &fresh[2]);
	/* A session of ours says the same of an address not seen before. */
	arrive(a, &back[0], FLOOD, 3);
	admission_queue(a, &back[0], true);
	assert_int_equal(back[0].place, WAITING_RETURN);
	admission_free(a);
}

/* Connections that end so after a wait. */
static void
wait_in_vain(struct admission *a, const char *source, unsigned count,
    bool has_hello, uint64_t waited_ms, enum admission_end end)
{
	for (unsigned i = 0; i < count; i++) {
		struct waiting w;

		arrive(a, &w, source, 0);
		if (has_hello)
			admission_queue(a, &w, false);
		admission_leave(a, &w, end, waited_ms);
	}
}

static enum waiting_place
place_of(struct admission *a, const char *source, uint64_t now_ms)
{
	struct waiting w;
	enum waiting_place place;

	queue(a, &w, source, now_ms);
	place = w.place;
	admission_leave(a, &w, ADMISSION_OURS, now_ms);
	return place;
}

static void
test_sources(void **state)
{
	struct admission *a = admission_new();
	struct waiting flood, home;

	(void)state;
	/* A flood is known by its ends, */
	teach(a, FLOOD, 16, ADMISSION_WASTED, 0);
	assert_int_equal(place_of(a, FLOOD, 0), WAITING_NEW);
	teach(a, FLOOD, 1, ADMISSION_WASTED, 0);
	assert_int_equal(place_of(a, FLOOD, 0), WAITING_SUSPECT);
	assert_int_equal(place_of(a, HOME, 0), WAITING_NEW);
	/* even if it changes ports or shows sessions, */
	assert_int_equal(place_of(a, "198.51.100.66:2", 0), WAITING_SUSPECT);
	arrive(a, &flood, FLOOD, 0);
	admission_queue(a, &flood, true);
	assert_int_equal(flood.place, WAITING_SUSPECT);
	/* and waits for all others. */
	queue(a, &home, HOME, 1);
	assert_ptr_equal(admission_next(a, &limits), &home);
	assert_ptr_equal(admission_next(a, &limits), &flood);
	/* That passes. */
	teach(a, FLOOD, 1, ADMISSION_WASTED, 25000);
	assert_int_equal(place_of(a, FLOOD, 25000), WAITING_NEW);
	/* A site with bad lines is none, however large. */
	teach(a, SITE, 500, ADMISSION_PROVED, 0);
	teach(a, SITE, 900, ADMISSION_WASTED, 0);
	assert_int_equal(place_of(a, SITE, 0), WAITING_RETURN);
	/* What we gave up is no fault of theirs. */
	teach(a, HOME, 500, ADMISSION_OURS, 0);
	assert_int_equal(place_of(a, HOME, 0), WAITING_NEW);
	admission_free(a);
}

/* A whole site that we let wait is not taken for a flood. */
static void
test_impatient_site(void **state)
{
	static const struct {
		bool has_hello;
		uint64_t waited_ms;
		enum admission_end end;
		enum waiting_place place;
	} cases[] = {
		{ true, 1000, ADMISSION_LEFT, WAITING_NEW },
		{ true, 999, ADMISSION_LEFT, WAITING_SUSPECT },
		{ true, 10, ADMISSION_ROOM, WAITING_NEW },
		{ false, 10, ADMISSION_ROOM, WAITING_SUSPECT },
		{ true, 5000, ADMISSION_OURS, WAITING_NEW },
		{ true, 5000, ADMISSION_WASTED, WAITING_SUSPECT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct admission *a = admission_new();

		wait_in_vain(a, SITE, 500, cases[i].has_hello,
		    cases[i].waited_ms, cases[i].end);
		assert_int_equal(place_of(a, SITE, cases[i].waited_ms),
		    cases[i].place);
		admission_free(a);
	}
}

static void
test_families(void **state)
{
	static const struct {
		const char *wastes, *asks;
		enum waiting_place place;
	} cases[] = {
		{ "[2001:db8::1]:1", "[2001:db8::2]:1", WAITING_SUSPECT },
		{ "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", WAITING_NEW },
		{ "[::ffff:192.0.2.1]:1", "192.0.2.1:1", WAITING_SUSPECT },
		{ "[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:1", WAITING_NEW },
		{ "192.0.2.1:1", "192.0.2.2:1", WAITING_NEW },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct admission *a = admission_new();

		teach(a, cases[i].wastes, 20, ADMISSION_WASTED, 0);
		assert_int_equal(place_of(a, cases[i].asks, 0), cases[i].place);
		admission_free(a);
	}
}

/* More addresses than are remembered: some are forgotten, none mistaken. */
static void
test_many_sources(void **state)
{
	struct admission *a = admission_new();
	char source[32];

	(void)state;
	for (unsigned i = 0; i < 60000; i++) {
		(void)snprintf(source, sizeof(source), "10.%u.%u.%u:1", i >> 16,
		    i >> 8 & 255, i & 255);
		teach(a, source, 1, ADMISSION_WASTED, i);
	}
	assert_int_equal(place_of(a, HOME, 60000), WAITING_NEW);
	admission_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_overload),
		cmocka_unit_test(test_behind),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_returning),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_impatient_site),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_many_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
