#include "server/metrics.h"
#include "base/mem.h"
#include "tls/conn.h"

#include <stdlib.h>

#define SLOTS (2 * METRICS_BLOCKS_MAX) /* a power of two */

struct block {
	uint64_t key;
	atomic_uint_least64_t values[METRICS_VALUES];
};

struct metrics {
	_Atomic(struct block *) slots[SLOTS];
	size_t count;
	atomic_uint_least64_t lost;
	atomic_uint pool;
};

const uint32_t metrics_bounds_us[METRICS_CLASSES - 1] = { 100, 250, 500, 1000,
	2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
	5000000 };

/* ------------------------------------------------------------------ names */

const char *
metrics_version_name(enum metrics_version version)
{
	static const char *const names[METRICS_VERSIONS] = { "none", "SSL3.0",
		"TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" };

	return names[version];
}

const char *
metrics_handshake_name(enum metrics_handshake how)
{
	static const char *const names[METRICS_HANDSHAKES] = {
		[METRICS_COMPLETED] = "completed",
		[METRICS_RESUMED] = "resumed",
		[METRICS_FAILED] = "failed",
		[METRICS_TIMED_OUT] = "timed-out",
		[METRICS_SILENT] = "silent",
	};

	return names[how];
}

/* RFC 5246 7.2, RFC 8446 6, and what older versions had. */
static const int alerts[METRICS_ALERTS - 1] = { 0, 10, 20, 21, 22, 30, 40, 41,
	42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90, 100,
	109, 110, 111, 112, 113, 114, 115, 116, 120, 121 };

static size_t
find_alert(int alert)
{
	size_t i = 0;

	while (i < METRICS_ALERTS - 1 && alerts[i] != alert)
		i++;
	return i;
}

const char *
metrics_alert_name(size_t alert)
{
	return alert < METRICS_ALERTS - 1 ? tls_alert_name(alerts[alert]) :
					    "other";
}

const char *
metrics_from_name(enum metrics_from from)
{
	return from == METRICS_FROM_CLIENT ? "client" : "server";
}

const char *
metrics_reason_name(size_t reason)
{
	static const char *const names[METRICS_REASONS - DECISION_REASONS] = {
		[METRICS_EXCEPTION - DECISION_REASONS] = "exception",
		[METRICS_UPGRADE_ONLY - DECISION_REASONS] = "upgrade-only",
		[METRICS_NOT_MADE - DECISION_REASONS] = "not-made",
		[METRICS_INVALID - DECISION_REASONS] = "invalid-request",
		[METRICS_BUSY - DECISION_REASONS] = "busy",
		[METRICS_BAD_BODY - DECISION_REASONS] = "bad-body",
	};

	return reason < DECISION_REASONS ?
	    decision_reason_name((enum decision_reason)reason) :
	    names[reason - DECISION_REASONS];
}

const char *
metrics_result_name(enum metrics_result result)
{
	static const char *const names[METRICS_RESULTS] = { "served", "refused",
		"failed" };

	return names[result];
}

/* ----------------------------------------------------------------- blocks */

/* FNV-1a, as its authors published it. */
uint64_t
metrics_key(const char *listener, uint64_t ca_key)
{
	uint64_t key = 0xcbf29ce484222325;

	for (; *listener != '\0'; listener++)
		key = (key ^ (uint8_t)*listener) * 0x100000001b3;
	for (unsigned shift = 0; shift < 64; shift += 8)
		key = (key ^ (uint8_t)(ca_key >> shift)) * 0x100000001b3;
	return key;
}

struct metrics *
metrics_new(void)
{
	return xcalloc(1, sizeof(struct metrics));
}

void
metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free(atomic_load(&metrics->slots[i]));
	free(metrics);
}

/* The slot that has the key, or the empty one where it would be: the table is
 * never more than half full. */
static size_t
find_slot(const struct metrics *metrics, uint64_t key)
{
	size_t at = (size_t)(key ^ key >> 32) % SLOTS;
	const struct block *block;

	for (;; at = (at + 1) % SLOTS) {
		block = atomic_load_explicit(&metrics->slots[at],
		    memory_order_acquire);
		if (block == NULL || block->key == key)
			return at;
	}
}

static struct block *
get_block(struct metrics *metrics, uint64_t key)
{
	size_t at = find_slot(metrics, key);
	struct block *block = atomic_load_explicit(&metrics->slots[at],
	    memory_order_relaxed);

	if (block != NULL || metrics->count == METRICS_BLOCKS_MAX)
		return block;
	block = xcalloc(1, sizeof(*block));
	block->key = key;
	metrics->count++;
	/* Whoever sees the pointer sees the key, too. */
	atomic_store_explicit(&metrics->slots[at], block, memory_order_release);
	return block;
}

/* Nobody else writes: a load and a store will do. */
static void
add(atomic_uint_least64_t *value, uint64_t more)
{
	atomic_store_explicit(value,
	    atomic_load_explicit(value, memory_order_relaxed) + more,
	    memory_order_relaxed);
}

static void
count(struct metrics *metrics, struct block *block, size_t at, uint64_t more)
{
	add(block != NULL ? &block->values[at] : &metrics->lost, more);
}

static void
add_latency(struct metrics *metrics, struct block *block,
    enum metrics_latency latency, uint64_t us)
{
	size_t class = 0;

	while (class < METRICS_CLASSES - 1 && us > metrics_bounds_us[class])
		class ++;
	count(metrics, block, metrics_at_class(latency, class), 1);
	if (block != NULL)
		count(metrics, block, metrics_at_sum(latency), us);
}

static enum metrics_version
version_of(uint16_t version)
{
	if (version < 0x0300 || version > 0x0304)
		return METRICS_NO_VERSION;
	return (enum metrics_version)(METRICS_SSL3 + (version - 0x0300));
}

/* --------------------------------------------------------------- counting */

void
metrics_completed(struct metrics *metrics, uint64_t key, uint16_t version,
    bool resumed, uint64_t took_us)
{
	struct block *block;

	if (metrics == NULL)
		return;
	block = get_block(metrics, key);
	count(metrics, block,
	    metrics_at_handshake(version_of(version),
		resumed ? METRICS_RESUMED : METRICS_COMPLETED),
	    1);
	add_latency(metrics, block, METRICS_HANDSHAKE, took_us);
}

void
metrics_failed(struct metrics *metrics, uint64_t key, uint16_t version,
    enum metrics_handshake how, int received, int sent)
{
	enum metrics_version v = version_of(version);
	size_t at = metrics_at_handshake(v, how);

	if (metrics == NULL)
		return;
	if (how == METRICS_FAILED && received >= 0)
		at = metrics_at_alert(v, METRICS_FROM_CLIENT,
		    find_alert(received));
	else if (how == METRICS_FAILED && sent >= 0)
		at = metrics_at_alert(v, METRICS_FROM_SERVER, find_alert(sent));
	count(metrics, get_block(metrics, key), at, 1);
}

void
metrics_request(struct metrics *metrics, uint64_t key, size_t reason,
    int status)
{
	enum metrics_result result = status < 400 ? METRICS_SERVED :
	    status < 500			  ? METRICS_REFUSED :
						    METRICS_NOT_ABLE;

	if (metrics != NULL)
		count(metrics, get_block(metrics, key),
		    metrics_at_request(reason, result), 1);
}

void
metrics_answered(struct metrics *metrics, uint64_t key, uint64_t took_us)
{
	if (metrics != NULL)
		add_latency(metrics, get_block(metrics, key), METRICS_ANSWER,
		    took_us);
}

void
metrics_pool(struct metrics *metrics, int change)
{
	atomic_store_explicit(&metrics->pool,
	    atomic_load_explicit(&metrics->pool, memory_order_relaxed) +
		(unsigned)change,
	    memory_order_relaxed);
}

/* ---------------------------------------------------------------- reading */

void
metrics_read(const struct metrics *metrics, uint64_t key,
    uint64_t values[static METRICS_VALUES])
{
	const struct block *block =
	    atomic_load_explicit(&metrics->slots[find_slot(metrics, key)],
		memory_order_acquire);

	if (block == NULL)
		return;
	for (size_t i = 0; i < METRICS_VALUES; i++)
		values[i] += atomic_load_explicit(&block->values[i],
		    memory_order_relaxed);
}

uint64_t
metrics_lost(const struct metrics *metrics)
{
	return atomic_load_explicit(&metrics->lost, memory_order_relaxed);
}

unsigned
metrics_in_pool(const struct metrics *metrics)
{
	return atomic_load_explicit(&metrics->pool, memory_order_relaxed);
}
