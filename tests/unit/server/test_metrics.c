#include "server/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t
value(const struct metrics *metrics, uint64_t key, size_t at)
{
	uint64_t values[METRICS_VALUES] = { 0 };

	metrics_read(metrics, key, values);
	return values[at];
}

static void
test_keys(void **state)
{
	(void)state;
	assert_int_equal(metrics_key("one", 1), metrics_key("one", 1));
	assert_int_not_equal(metrics_key("one", 1), metrics_key("one", 2));
	assert_int_not_equal(metrics_key("one", 1), metrics_key("two", 1));
	assert_int_not_equal(metrics_key("one", 0), metrics_key("", 0));
}

static void
test_handshakes(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	metrics_completed(m, 7, 0x0301, false, 900);
	metrics_completed(m, 7, 0x0303, true, 1000);
	metrics_completed(m, 7, 0x0303, true, 1001);
	metrics_completed(m, 8, 0x0303, false, UINT32_MAX);
	assert_int_equal(value(m, 7,
			     metrics_at_handshake(METRICS_TLS1_0,
				 METRICS_COMPLETED)),
	    1);
	assert_int_equal(value(m, 7,
			     metrics_at_handshake(METRICS_TLS1_2,
				 METRICS_RESUMED)),
	    2);
	/* An end of a class belongs to it. */
	assert_int_equal(metrics_bounds_us[3], 1000);
	assert_int_equal(value(m, 7, metrics_at_class(METRICS_HANDSHAKE, 3)),
	    2);
	assert_int_equal(value(m, 7, metrics_at_class(METRICS_HANDSHAKE, 4)),
	    1);
	assert_int_equal(value(m, 7, metrics_at_sum(METRICS_HANDSHAKE)), 2901);
	assert_int_equal(value(m, 8,
			     metrics_at_class(METRICS_HANDSHAKE,
				 METRICS_CLASSES - 1)),
	    1);
	/* A key that was never counted, and no metrics at all. */
	assert_int_equal(value(m, 9, metrics_at_sum(METRICS_HANDSHAKE)), 0);
	metrics_completed(NULL, 7, 0x0301, false, 1);
	metrics_failed(NULL, 7, 0x0301, METRICS_FAILED, 48, -1);
	metrics_request(NULL, 7, 0, 200);
	metrics_answered(NULL, 7, 1);
	metrics_free(m);
}

static const struct {
	uint16_t version;
	enum metrics_handshake how;
	int received, sent;
	enum metrics_version label;
	const char *from, *alert; /* NULL: counted without */
} failures[] = {
	{ 0x0301, METRICS_FAILED, 48, -1, METRICS_TLS1_0, "client",
	    "unknown_ca" },
	{ 0x0304, METRICS_FAILED, 42, 80, METRICS_TLS1_3, "client",
	    "bad_certificate" },
	{ 0x0300, METRICS_FAILED, -1, 40, METRICS_SSL3, "server",
	    "handshake_failure" },
	{ 0x0002, METRICS_FAILED, -1, 200, METRICS_NO_VERSION, "server",
	    "other" },
	{ 0, METRICS_FAILED, -1, -1, METRICS_NO_VERSION, NULL, NULL },
	{ 0x0302, METRICS_TIMED_OUT, 48, -1, METRICS_TLS1_1, NULL, NULL },
	{ 0, METRICS_SILENT, -1, -1, METRICS_NO_VERSION, NULL, NULL },
};

static size_t
place_of(size_t i)
{
	enum metrics_from from = METRICS_FROM_CLIENT;
	size_t alert = 0;

	if (failures[i].alert == NULL)
		return metrics_at_handshake(failures[i].label, failures[i].how);
	if (strcmp(metrics_from_name(from), failures[i].from) != 0)
		from = METRICS_FROM_SERVER;
	while (strcmp(metrics_alert_name(alert), failures[i].alert) != 0)
		alert++;
	return metrics_at_alert(failures[i].label, from, alert);
}

static void
test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		struct metrics *m = metrics_new();
		uint64_t values[METRICS_VALUES] = { 0 }, sum = 0;

		metrics_failed(m, 1, failures[i].version, failures[i].how,
		    failures[i].received, failures[i].sent);
		metrics_read(m, 1, values);
		for (size_t j = 0; j < METRICS_VALUES; j++)
			sum += values[j];
		assert_int_equal(sum, 1);
		assert_int_equal(values[place_of(i)], 1);
		metrics_free(m);
	}
}

static void
test_requests(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	metrics_request(m, 1, DECISION_OWN_PROFILE, 200);
	metrics_request(m, 1, DECISION_OWN_PROFILE, 304);
	metrics_request(m, 1, METRICS_NOT_MADE, 500);
	metrics_request(m, 1, DECISION_UNTRUSTED, 403);
	assert_int_equal(value(m, 1,
			     metrics_at_request(DECISION_OWN_PROFILE,
				 METRICS_SERVED)),
	    2);
	assert_int_equal(value(m, 1,
			     metrics_at_request(METRICS_NOT_MADE,
				 METRICS_NOT_ABLE)),
	    1);
	assert_int_equal(value(m, 1,
			     metrics_at_request(DECISION_UNTRUSTED,
				 METRICS_REFUSED)),
	    1);
	for (size_t i = 0; i < METRICS_REASONS; i++)
		assert_non_null(metrics_reason_name(i));
	metrics_free(m);
}

/* Two blocks never share a value, and what is too much is counted as lost. */
static void
test_bound(void **state)
{
	struct metrics *m = metrics_new();

	(void)state;
	for (uint64_t key = 1; key <= METRICS_BLOCKS_MAX + 10; key++)
		metrics_request(m, key << 20, DECISION_STUB, 200);
	for (uint64_t key = 1; key <= METRICS_BLOCKS_MAX; key++)
		assert_int_equal(value(m, key << 20,
				     metrics_at_request(DECISION_STUB,
					 METRICS_SERVED)),
		    1);
	assert_int_equal(metrics_lost(m), 10);
	metrics_request(m, 1 << 20, DECISION_STUB, 200);
	assert_int_equal(metrics_lost(m), 10);
	metrics_pool(m, 1);
	metrics_pool(m, 1);
	metrics_pool(m, -1);
	assert_int_equal(metrics_in_pool(m), 1);
	metrics_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_handshakes),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
