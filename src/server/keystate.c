#include "server/keystate.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/key_marks.h"
#include "provision/keyring.h"
#include "server/exceptions.h"
#include "server/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX 8192
#define SLOTS_FIRST 1024 /* a power of two, as all sizes are */
#define CARRY_BATCH 4096

/* A key of a device: open addressing, never removed; id 0 is a free slot. */
struct slot {
	uint64_t id;
	uint64_t mac_marks; /* the MAC, then 16 bits of marks */
};

struct table {
	struct slot *slots;
	size_t size, used;
};

struct keystate {
	pthread_rwlock_t lock; /* of both tables */
	struct table table;    /* changed by the writer's thread only */
	struct table more;     /* of a file that was moved to, not merged yet */
	pthread_mutex_t moving;
	char *directory; /* of the main thread, and of the one it waits for */
	char *carried;	 /* of the writer's thread: the file that has it all */
	struct writer *writer;
	struct exceptions *exceptions;
};

/* A file, as the writer's thread has it open. */
struct store {
	struct key_marks *marks;
	char *path;
};

static uint64_t
mac_bits(const struct mac *mac)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		bits = bits << 8 | mac->octet[i];
	return bits << 16;
}

static struct mac
mac_of(const struct slot *slot)
{
	uint64_t bits = slot->mac_marks >> 16;
	struct mac mac;

	for (size_t i = MAC_OCTETS; i > 0; i--, bits >>= 8)
		mac.octet[i - 1] = (uint8_t)bits;
	return mac;
}

/* ids are random, so they are a hash already; the MAC keeps copies apart. */
static struct slot *
find(const struct table *table, uint64_t mac, uint64_t id)
{
	size_t i = (size_t)(id ^ mac >> 16) & (table->size - 1);
	struct slot *slots = table->slots;

	while (slots[i].id != 0 &&
	    (slots[i].id != id || slots[i].mac_marks >> 16 != mac >> 16))
		i = (i + 1) & (table->size - 1);
	return &slots[i];
}

static struct table
new_table(size_t size)
{
	return (struct table) { xcalloc(size, sizeof(struct slot)), size, 0 };
}

static void
put_slot(struct table *table, const struct slot *slot)
{
	struct slot *place = find(table, slot->mac_marks, slot->id);

	if (place->id == 0) {
		*place = *slot;
		table->used++;
	}
	place->mac_marks |= slot->mac_marks & 0xffff;
}

static void
grow(struct table *table)
{
	struct table larger = new_table(table->size * 2);

	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i].id != 0)
			put_slot(&larger, &table->slots[i]);
	free(table->slots);
	*table = larger;
}

/* Three quarters full: a search that fails looks at eight slots or so. */
static bool
is_full(const struct table *table, size_t more)
{
	return table->used + more > table->size / 4 * 3;
}

static void
add(struct table *table, const struct key_mark *mark)
{
	unsigned marks = (mark->delivered_at != 0 ? KEY_DELIVERED : 0) |
	    (mark->seen_at != 0 ? KEY_SEEN : 0);

	if (mark->id == 0)
		return;
	if (is_full(table, 1))
		grow(table);
	put_slot(table,
	    &(struct slot) { mark->id, mac_bits(&mark->mac) | marks });
}

static int
add_loaded(const struct key_mark *mark, void *arg)
{
	add(arg, mark);
	return 0;
}

static void
merge(struct table *table, const struct table *other)
{
	for (size_t i = 0; i < other->size; i++) {
		if (other->slots[i].id == 0)
			continue;
		if (is_full(table, 1))
			grow(table);
		put_slot(table, &other->slots[i]);
	}
}

/* One with all that both have takes their place. */
static void
take(struct keystate *state, const struct table *table)
{
	struct table old = state->table, more = state->more;

	(void)pthread_rwlock_wrlock(&state->lock);
	state->table = *table;
	state->more = (struct table) { NULL, 0, 0 };
	(void)pthread_rwlock_unlock(&state->lock);
	free(old.slots);
	free(more.slots);
}

static void
close_marks(void *arg)
{
	struct store *store = arg;

	if (store == NULL)
		return;
	key_marks_close(store->marks);
	free(store->path);
	free(store);
}

static void *
open_marks(const char *path, struct error *err)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->marks = key_marks_open(path, false, err);
	store->path = xstrdup(path);
	if (store->marks != NULL)
		return store;
	close_marks(store);
	return NULL;
}

/* 1: the file lacks marks of that slot, these; 0: it has them; -1. */
static int
lacks(struct key_marks *file, const struct slot *slot, struct key_mark *mark,
    struct error *err)
{
	const struct mac mac = mac_of(slot);
	time_t now = clock_wall();

	if (key_marks_get(file, &mac, slot->id, mark, err) != 0)
		return -1;
	if ((slot->mac_marks & KEY_DELIVERED) == 0 || mark->delivered_at != 0)
		mark->delivered_at = 0;
	else
		mark->delivered_at = now;
	if ((slot->mac_marks & KEY_SEEN) == 0 || mark->seen_at != 0)
		mark->seen_at = 0;
	else
		mark->seen_at = now;
	return mark->delivered_at != 0 || mark->seen_at != 0 ? 1 : 0;
}

/*
 * In another directory the file may know less.  A device that holds a key
 * cannot be asked to forget it, so what is known goes along.
 */
static int
carry_over(const struct keystate *state, struct key_marks *file,
    struct error *err)
{
	struct key_mark *list = xcalloc(CARRY_BATCH, sizeof(*list));
	size_t count = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < state->table.size; i++) {
		if (state->table.slots[i].id != 0) {
			rc = lacks(file, &state->table.slots[i], &list[count],
			    err);
			count += rc > 0 ? 1 : 0;
			rc = rc < 0 ? -1 : 0;
		}
		if (rc == 0 && count == CARRY_BATCH) {
			rc = key_marks_put(file, list, count, err);
			count = 0;
		}
	}
	if (rc == 0 && count > 0)
		rc = key_marks_put(file, list, count, err);
	free(list);
	return rc;
}

/*
 * The file keeps so many marks of each device, the newest; so when memory would
 * have to grow, it is filled from there: what was forgotten there goes.
 */
static int
make_room(struct keystate *state, struct key_marks *file, size_t count,
    struct error *err)
{
	struct table table;

	if (!is_full(&state->table, count))
		return 0;
	table = new_table(state->table.size);
	if (key_marks_each(file, add_loaded, &table, err) != 0) {
		free(table.slots);
		return -1;
	}
	(void)pthread_mutex_lock(&state->moving);
	merge(&table, &state->more);
	/* Not the same again after a few more. */
	while (is_full(&table, count + table.size / 8))
		grow(&table);
	take(state, &table);
	(void)pthread_mutex_unlock(&state->moving);
	return 0;
}

static void
merge_more(struct keystate *state)
{
	struct table merged;

	(void)pthread_mutex_lock(&state->moving);
	if (state->more.used > 0) {
		merged = new_table(state->table.size);
		merge(&merged, &state->table);
		merge(&merged, &state->more);
		take(state, &merged);
	}
	(void)pthread_mutex_unlock(&state->moving);
}

/* In the writer's thread: first the disk, then the memory. */
static int
put_marks(void *arg, const void *entries, size_t count, void *state_arg,
    struct error *err)
{
	const struct key_mark *list = entries;
	const struct store *store = arg;
	struct keystate *state = state_arg;

	merge_more(state);
	if (strcmp(state->carried, store->path) != 0) {
		if (carry_over(state, store->marks, err) != 0)
			return -1;
		free(state->carried);
		state->carried = xstrdup(store->path);
	}
	if (key_marks_put(store->marks, list, count, err) != 0 ||
	    make_room(state, store->marks, count, err) != 0)
		return -1;
	(void)pthread_rwlock_wrlock(&state->lock);
	for (size_t i = 0; i < count; i++)
		add(&state->table, &list[i]);
	(void)pthread_rwlock_unlock(&state->lock);
	return 0;
}

static const struct writer_kind kind = {
	.file = KEY_MARKS_FILE,
	.what = "keys",
	.lost = "keys-not-recorded",
	.entry_bytes = sizeof(struct key_mark),
	.queue_max = QUEUE_MAX,
	.batch_ms = 10, /* somebody waits for it */
	.open = open_marks,
	.put = put_marks,
	.close = close_marks,
};

/* Add what the file there knows.  The writer may have it open already, or still;
 * at the start a file of before is brought up to date. */
static void
load(struct table *table, const char *state_directory, bool read_only)
{
	char *path = file_join(state_directory, KEY_MARKS_FILE);
	struct error err = { 0 };
	struct key_marks *marks = key_marks_open(path, read_only, &err);

	if ((marks == NULL && err.kind != ERROR_NOT_FOUND) ||
	    (marks != NULL &&
		key_marks_each(marks, add_loaded, table, &err) != 0))
		log_message(LOG_LEVEL_WARN, "keys-not-read", "%s", err.text);
	key_marks_close(marks);
	free(path);
}

struct keystate *
keystate_start(const char *state_directory, struct error *err)
{
	struct keystate *state = xcalloc(1, sizeof(*state));

	(void)pthread_rwlock_init(&state->lock, NULL);
	state->table = new_table(SLOTS_FIRST);
	(void)pthread_mutex_init(&state->moving, NULL);
	state->directory = xstrdup(state_directory);
	state->carried = file_join(state_directory, KEY_MARKS_FILE);
	load(&state->table, state_directory, false);
	state->writer = writer_start(&kind, state_directory, state, err);
	if (state->writer != NULL)
		state->exceptions = exceptions_start(state_directory, err);
	if (state->exceptions != NULL)
		return state;
	keystate_stop(state);
	return NULL;
}

void
keystate_stop(struct keystate *state)
{
	if (state == NULL)
		return;
	writer_stop(state->writer);
	exceptions_stop(state->exceptions);
	(void)pthread_rwlock_destroy(&state->lock);
	(void)pthread_mutex_destroy(&state->moving);
	free(state->table.slots);
	free(state->more.slots);
	free(state->directory);
	free(state->carried);
	free(state);
}

struct keystate_file {
	char *directory;
	struct table table;
};

void
keystate_file_free(struct keystate_file *file)
{
	if (file == NULL)
		return;
	free(file->directory);
	free(file->table.slots);
	free(file);
}

struct keystate_file *
keystate_read(const struct keystate *state, const char *state_directory)
{
	struct keystate_file *file;

	if (strcmp(state->directory, state_directory) == 0)
		return NULL;
	file = xcalloc(1, sizeof(*file));
	file->directory = xstrdup(state_directory);
	file->table = new_table(SLOTS_FIRST);
	load(&file->table, state_directory, true);
	return file;
}

void
keystate_move(struct keystate *state, struct keystate_file *file)
{
	static const struct key_mark wake = { .id = 0 };
	struct table more;

	if (file == NULL)
		return;
	writer_move(state->writer, file->directory);
	exceptions_move(state->exceptions, file->directory);
	free(state->directory);
	state->directory = file->directory;
	file->directory = NULL;
	(void)pthread_mutex_lock(&state->moving);
	more = state->more;
	merge(&file->table, &more); /* moved again, before it was merged */
	(void)pthread_rwlock_wrlock(&state->lock);
	state->more = file->table;
	(void)pthread_rwlock_unlock(&state->lock);
	(void)pthread_mutex_unlock(&state->moving);
	free(more.slots);
	file->table.slots = NULL;
	/* So that the thread looks after it at once. */
	writer_add(state->writer, &wake);
	keystate_file_free(file);
}

struct exceptions *
keystate_exceptions(const struct keystate *state)
{
	return state != NULL ? state->exceptions : NULL;
}

bool
keystate_wish_is_empty(const struct keystate_wish *wish)
{
	return wish->delivered == 0 && wish->seen == 0 &&
	    *wish->exception == '\0';
}

static unsigned
marks_in(const struct table *table, const struct mac *mac, uint64_t id)
{
	const struct slot *slot = find(table, mac_bits(mac), id);

	return slot->id != 0 ? (unsigned)(slot->mac_marks & 0xffff) : 0;
}

unsigned
keystate_marks(void *arg, const struct mac *mac, uint64_t id)
{
	struct keystate *state = arg;
	unsigned marks;

	if (state == NULL)
		return 0;
	(void)pthread_rwlock_rdlock(&state->lock);
	marks = marks_in(&state->table, mac, id);
	if (state->more.used > 0)
		marks |= marks_in(&state->more, mac, id);
	(void)pthread_rwlock_unlock(&state->lock);
	return marks;
}

bool
keystate_has(struct keystate *state, const struct keystate_wish *wish)
{
	return (wish->delivered == 0 ||
		   (keystate_marks(state, &wish->mac, wish->delivered) &
		       KEY_DELIVERED) != 0) &&
	    (wish->seen == 0 ||
		(keystate_marks(state, &wish->mac, wish->seen) & KEY_SEEN) !=
		    0) &&
	    (*wish->exception == '\0' ||
		exceptions_first_use(state->exceptions, wish->exception,
		    &wish->mac) > 1);
}

void
keystate_ask(struct keystate *state, const struct keystate_wish *wish)
{
	const struct key_mark delivered = { .mac = wish->mac,
		.id = wish->delivered,
		.delivered_at = clock_wall() };
	const struct key_mark seen = {
		.mac = wish->mac, .id = wish->seen, .seen_at = clock_wall()
	};

	if (state == NULL)
		return;
	if (wish->delivered != 0)
		(void)writer_add(state->writer, &delivered);
	if (wish->seen != 0)
		(void)writer_add(state->writer, &seen);
}

struct writer_counts
keystate_counts(const struct keystate *state)
{
	return writer_counts(state->writer);
}
