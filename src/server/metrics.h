/*
 * metrics.h -- what a worker counts about handshakes and requests, by what they
 * were about: one set per worker.
 *
 * What counters.h says of connections is here by listener, CA, TLS version,
 * alert and reason.  Each listener with each of its CAs has a block of values,
 * found by a key that is made of their names.  Only the worker itself counts,
 * without a lock and without an atomic read-modify-write; any thread may read
 * meanwhile.  Whoever reads sums over all workers, and knows the names that
 * belong to a key from the service of that moment: what a listener that is gone
 * has counted is not shown any more.
 *
 * Nothing in it tells devices or addresses apart, so its size has a bound.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provision/decision.h"

/* Listeners with their CAs; what comes after them is counted as lost. */
#define METRICS_BLOCKS_MAX 2048

enum metrics_version { /* agreed on, or at most offered where none was */
	METRICS_NO_VERSION,
	METRICS_SSL3,
	METRICS_TLS1_0,
	METRICS_TLS1_1,
	METRICS_TLS1_2,
	METRICS_TLS1_3,
	METRICS_VERSIONS,
};

enum metrics_handshake {
	METRICS_COMPLETED, /* in full */
	METRICS_RESUMED,
	METRICS_FAILED,	   /* refused, broken or left by the client */
	METRICS_TIMED_OUT, /* it had begun to speak */
	METRICS_SILENT,	   /* left or stayed without having said a word */
	METRICS_HANDSHAKES,
};

#define METRICS_ALERTS 36 /* those that have a name, and one for all others */

enum metrics_from { METRICS_FROM_CLIENT, METRICS_FROM_SERVER, METRICS_FROMS };

/* Why a request was answered so: those of the decision, and further ones. */
enum metrics_reason {
	METRICS_EXCEPTION = DECISION_REASONS, /* allowed by a named one */
	METRICS_UPGRADE_ONLY,
	METRICS_NOT_MADE, /* "render-failed", "file-changed" */
	METRICS_INVALID,  /* bytes that are no request, or came too late */
	METRICS_BUSY,	  /* no room for another body or report */
	METRICS_BAD_BODY, /* a report that cannot be understood, or a body that
			   * ended early */
	METRICS_REASONS,
};

enum metrics_result {
	METRICS_SERVED,
	METRICS_REFUSED,  /* 4xx */
	METRICS_NOT_ABLE, /* 5xx */
	METRICS_RESULTS,
};

enum metrics_latency {
	METRICS_HANDSHAKE, /* from its turn to its end, of completed ones */
	METRICS_ANSWER,	   /* from the request to the last byte of the answer */
	METRICS_LATENCIES,
};

/* Upper ends of the classes, in microseconds; the last class has none. */
#define METRICS_CLASSES 15
extern const uint32_t metrics_bounds_us[METRICS_CLASSES - 1];

/* One after the other in a block. */
enum {
	METRICS_AT_HANDSHAKE = 0,
	METRICS_AT_ALERT = METRICS_AT_HANDSHAKE +
	    METRICS_VERSIONS * METRICS_HANDSHAKES,
	METRICS_AT_REQUEST = METRICS_AT_ALERT +
	    METRICS_VERSIONS * METRICS_FROMS * METRICS_ALERTS,
	METRICS_AT_CLASS = METRICS_AT_REQUEST +
	    METRICS_REASONS * METRICS_RESULTS,
	METRICS_AT_SUM = METRICS_AT_CLASS + METRICS_LATENCIES * METRICS_CLASSES,
	METRICS_VALUES = METRICS_AT_SUM + METRICS_LATENCIES, /* microseconds */
};

/* Where each of them is.  A handshake that failed with an alert is counted
 * there only. */
static inline size_t
metrics_at_handshake(enum metrics_version version, enum metrics_handshake how)
{
	return METRICS_AT_HANDSHAKE + (size_t)version * METRICS_HANDSHAKES +
	    how;
}

static inline size_t
metrics_at_alert(enum metrics_version version, enum metrics_from from,
    size_t alert)
{
	return METRICS_AT_ALERT +
	    ((size_t)version * METRICS_FROMS + from) * METRICS_ALERTS + alert;
}

static inline size_t
metrics_at_request(size_t reason, enum metrics_result result)
{
	return METRICS_AT_REQUEST + reason * METRICS_RESULTS + result;
}

static inline size_t
metrics_at_class(enum metrics_latency latency, size_t class)
{
	return METRICS_AT_CLASS + (size_t)latency * METRICS_CLASSES + class;
}

static inline size_t
metrics_at_sum(enum metrics_latency latency)
{
	return METRICS_AT_SUM + (size_t)latency;
}

/* Of labels: "TLS1.2", "none"; "completed"; "unknown_ca", "other"; ... */
const char *metrics_version_name(enum metrics_version version);
const char *metrics_handshake_name(enum metrics_handshake how);
const char *metrics_alert_name(size_t alert);
const char *metrics_from_name(enum metrics_from from);
const char *metrics_reason_name(size_t reason);
const char *metrics_result_name(enum metrics_result result);

/* The key of a block: no two names of listeners have the same, as far as 64
 * bits of a hash can tell; ca_key is that of server/choice.h, 0: none. */
uint64_t metrics_key(const char *listener, uint64_t ca_key);

struct metrics;
void metrics_free(struct metrics *metrics); /* NULL is fine */
struct metrics *metrics_new(void) FREED_BY(metrics_free);

/* ------------------------------------------ by the worker; metrics NULL: none */

/* It is complete; took from its turn to its end. */
void metrics_completed(struct metrics *metrics, uint64_t key, uint16_t version,
    bool resumed, uint64_t took_us);

/* It is not; alerts are -1 where there was none.  What the client sent says
 * more than what we did. */
void metrics_failed(struct metrics *metrics, uint64_t key, uint16_t version,
    enum metrics_handshake how, int received, int sent);

/* A request was answered with that status. */
void metrics_request(struct metrics *metrics, uint64_t key, size_t reason,
    int status);

/* The answer is out. */
void metrics_answered(struct metrics *metrics, uint64_t key, uint64_t took_us);

/* Something was given to the pool (1), or has come back (-1). */
void metrics_pool(struct metrics *metrics, int change);

/* ---------------------------------------------------------- by any thread */

/* Add what was counted under that key. */
void metrics_read(const struct metrics *metrics, uint64_t key,
    uint64_t values[static METRICS_VALUES]);

/* How much was not counted, for want of blocks; and what is in the pool. */
uint64_t metrics_lost(const struct metrics *metrics);
unsigned metrics_in_pool(const struct metrics *metrics);

#endif
