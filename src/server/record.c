#include "server/record.h"
#include "base/mem.h"
#include "inventory/resyncs.h"
#include "server/keep.h"

#include <stdatomic.h>
#include <stdlib.h>

struct record {
	struct writer *resyncs, *events;
	struct keep *keep;
	atomic_uint_fast64_t event_count; /* the limits of events */
	atomic_uint event_days;
};

static void *
open_resyncs(const char *path, struct error *err)
{
	return resyncs_open(path, false, err);
}

static int
put_resyncs(void *store, const void *entries, size_t count, void *arg,
    struct error *err)
{
	(void)arg;
	return resyncs_put(store, entries, count, err);
}

static void
close_resyncs(void *store)
{
	resyncs_close(store);
}

static void *
open_events(const char *path, struct error *err)
{
	return events_open(path, false, err);
}

static int
put_events(void *store, const void *entries, size_t count, void *arg,
    struct error *err)
{
	const struct record *record = arg;
	const struct events_limits limits = {
		atomic_load_explicit(&record->event_count,
		    memory_order_relaxed),
		atomic_load_explicit(&record->event_days, memory_order_relaxed),
	};

	return events_put(store, entries, count, &limits, err);
}

static void
close_events(void *store)
{
	events_close(store);
}

static const struct writer_kind resyncs_kind = {
	.file = RESYNCS_FILE,
	.what = "resyncs",
	.lost = "resyncs-not-recorded",
	.entry_bytes = sizeof(struct resync),
	.queue_max = RECORD_QUEUE_MAX,
	.open = open_resyncs,
	.put = put_resyncs,
	.close = close_resyncs,
};

static const struct writer_kind events_kind = {
	.file = EVENTS_FILE,
	.what = "events",
	.lost = "events-not-recorded",
	.entry_bytes = sizeof(struct event),
	.queue_max = RECORD_QUEUE_MAX,
	.open = open_events,
	.put = put_events,
	.close = close_events,
};

struct record *
record_start(const char *state_directory, struct error *err)
{
	struct record *record = xcalloc(1, sizeof(*record));

	atomic_init(&record->event_count, EVENTS_MAX_DEFAULT);
	atomic_init(&record->event_days, EVENTS_DAYS_DEFAULT);
	record->resyncs = writer_start(&resyncs_kind, state_directory, record,
	    err);
	if (record->resyncs != NULL)
		record->events = writer_start(&events_kind, state_directory,
		    record, err);
	if (record->events != NULL)
		record->keep = keep_start(state_directory, err);
	if (record->keep != NULL)
		return record;
	record_stop(record);
	return NULL;
}

void
record_stop(struct record *record)
{
	if (record == NULL)
		return;
	writer_stop(record->resyncs);
	writer_stop(record->events);
	keep_stop(record->keep);
	free(record);
}

void
record_move(struct record *record, const char *state_directory)
{
	writer_move(record->resyncs, state_directory);
	writer_move(record->events, state_directory);
	keep_move(record->keep, state_directory);
}

void
record_limit_events(struct record *record, const struct events_limits *limits)
{
	atomic_store_explicit(&record->event_count, limits->count,
	    memory_order_relaxed);
	atomic_store_explicit(&record->event_days, limits->days,
	    memory_order_relaxed);
}

void
record_add(struct record *record, const struct resync *resync)
{
	if (record != NULL)
		writer_add(record->resyncs, resync);
}

void
record_event(struct record *record, const struct event *event)
{
	if (record_has_events(record))
		writer_add(record->events, event);
}

bool
record_has_events(const struct record *record)
{
	return record != NULL &&
	    atomic_load_explicit(&record->event_count, memory_order_relaxed) >
	    0;
}

struct keep *
record_keep(const struct record *record)
{
	return record != NULL ? record->keep : NULL;
}

struct record_counts
record_counts(struct record *record)
{
	return (struct record_counts) { writer_counts(record->resyncs),
		writer_counts(record->events) };
}
