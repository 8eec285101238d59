#include "server/record.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/choices.h"
#include "inventory/resyncs.h"
#include "server/choice.h"
#include "server/keep.h"
#include "server/visits.h"

#include <stdatomic.h>
#include <stdlib.h>

struct record {
	struct writer *resyncs, *events, *choices;
	struct choice *choice;
	struct keep *keep;
	struct visits *visits;
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

static void *
open_choices(const char *path, struct error *err)
{
	return choices_open(path, false, err);
}

static int
put_choices(void *store, const void *entries, size_t count, void *arg,
    struct error *err)
{
	(void)arg;
	return choices_put(store, entries, count, err);
}

static void
close_choices(void *store)
{
	choices_close(store);
}

static const struct writer_kind choices_kind = {
	.file = CHOICES_FILE,
	.what = "choices",
	.lost = "choices-not-recorded",
	.entry_bytes = sizeof(struct choice_row),
	.queue_max = RECORD_QUEUE_MAX,
	.open = open_choices,
	.put = put_choices,
	.close = close_choices,
};

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

static int
restore_choice(const struct choice_row *row, void *arg)
{
	choice_restore(arg, row);
	return 0;
}

/* Before the first connection.  Without the file all is learned anew. */
static void
restore_choices(struct choice *choice, const char *state_directory)
{
	char *path = file_join(state_directory, CHOICES_FILE);
	struct error err = { 0 };
	struct choices *choices = choices_open(path, true, &err);

	if ((choices == NULL && err.kind != ERROR_NOT_FOUND) ||
	    (choices != NULL &&
		choices_each(choices, restore_choice, choice, &err) != 0))
		log_message(LOG_LEVEL_WARN, "choices-not-read", "%s", err.text);
	choices_close(choices);
	free(path);
}

struct record *
record_start(const char *state_directory, struct error *err)
{
	struct record *record = xcalloc(1, sizeof(*record));

	record->visits = visits_new();
	atomic_init(&record->event_count, EVENTS_MAX_DEFAULT);
	atomic_init(&record->event_days, EVENTS_DAYS_DEFAULT);
	record->choice = choice_new();
	restore_choices(record->choice, state_directory);
	record->resyncs = writer_start(&resyncs_kind, state_directory, record,
	    err);
	if (record->resyncs != NULL)
		record->events = writer_start(&events_kind, state_directory,
		    record, err);
	if (record->events != NULL)
		record->choices = writer_start(&choices_kind, state_directory,
		    record, err);
	if (record->choices != NULL)
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
	writer_stop(record->choices);
	choice_free(record->choice);
	keep_stop(record->keep);
	visits_free(record->visits);
	free(record);
}

void
record_move(struct record *record, const char *state_directory)
{
	writer_move(record->resyncs, state_directory);
	writer_move(record->events, state_directory);
	writer_move(record->choices, state_directory);
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
		(void)writer_add(record->resyncs, resync);
}

void
record_event(struct record *record, const struct event *event)
{
	if (record_has_events(record))
		(void)writer_add(record->events, event);
}

bool
record_has_events(const struct record *record)
{
	return record != NULL &&
	    atomic_load_explicit(&record->event_count, memory_order_relaxed) >
	    0;
}

struct choice *
record_choice(struct record *record)
{
	return record->choice;
}

void
record_learn(struct record *record, uint64_t ca, uint64_t source,
    uint64_t class, bool accepted, time_t now)
{
	struct choice_row place, of_class;

	if (!choice_learn(record->choice, ca, source, class, accepted, now,
		&place, &of_class))
		return;
	(void)writer_add(record->choices, &place);
	(void)writer_add(record->choices, &of_class);
}

struct keep *
record_keep(const struct record *record)
{
	return record != NULL ? record->keep : NULL;
}

struct visits *
record_visits(const struct record *record)
{
	return record != NULL ? record->visits : NULL;
}

struct record_counts
record_counts(struct record *record)
{
	return (struct record_counts) { writer_counts(record->resyncs),
		writer_counts(record->events), writer_counts(record->choices) };
}
