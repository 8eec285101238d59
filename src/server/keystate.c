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

/* A key of a device: open addressing, never removed; id 0 is a free slot. */
struct slot {
	uint64_t id;
	uint64_t mac_marks; /* the MAC, then 16 bits of marks */
};

struct keystate {
	pthread_rwlock_t lock; /* of the table */
	struct slot *slots;
	size_t size, used;
	struct writer *writer;
	struct exceptions *exceptions;
};

static uint64_t
mac_bits(const struct mac *mac)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < MAC_OCTETS; i++)
		bits = bits << 8 | mac->octet[i];
	return bits << 16;
}

/* ids are random, so they are a hash already; the MAC keeps copies apart. */
static struct slot *
find(struct slot *slots, size_t size, uint64_t mac, uint64_t id)
{
	size_t i = (size_t)(id ^ mac >> 16) & (size - 1);

	while (slots[i].id != 0 &&
	    (slots[i].id != id || slots[i].mac_marks >> 16 != mac >> 16))
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static void
grow(struct keystate *state)
{
	size_t size = state->size * 2;
	struct slot *slots = xcalloc(size, sizeof(*slots));

	for (size_t i = 0; i < state->size; i++) {
		const struct slot *old = &state->slots[i];

		if (old->id != 0)
			*find(slots, size, old->mac_marks, old->id) = *old;
	}
	free(state->slots);
	state->slots = slots;
	state->size = size;
}

static void
add(struct keystate *state, const struct key_mark *mark)
{
	uint64_t mac = mac_bits(&mark->mac);
	unsigned marks = (mark->delivered_at != 0 ? KEY_DELIVERED : 0) |
	    (mark->seen_at != 0 ? KEY_SEEN : 0);
	struct slot *slot;

	if (mark->id == 0)
		return;
	slot = find(state->slots, state->size, mac, mark->id);
	if (slot->id == 0) {
		*slot = (struct slot) { mark->id, mac };
		state->used++;
	}
	slot->mac_marks |= marks;
	if (state->used > state->size / 2)
		grow(state);
}

static int
add_loaded(const struct key_mark *mark, void *arg)
{
	add(arg, mark);
	return 0;
}

static void *
open_marks(const char *path, struct error *err)
{
	return key_marks_open(path, false, err);
}

/* In the writer's thread: first the disk, then the memory. */
static int
put_marks(void *store, const void *entries, size_t count, void *arg,
    struct error *err)
{
	const struct key_mark *list = entries;
	struct keystate *state = arg;

	if (key_marks_put(store, list, count, err) != 0)
		return -1;
	(void)pthread_rwlock_wrlock(&state->lock);
	for (size_t i = 0; i < count; i++)
		add(state, &list[i]);
	(void)pthread_rwlock_unlock(&state->lock);
	return 0;
}

static void
close_marks(void *store)
{
	key_marks_close(store);
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

static void
load(struct keystate *state, const char *state_directory)
{
	char *path = file_join(state_directory, KEY_MARKS_FILE);
	struct error err = { 0 };
	struct key_marks *marks = key_marks_open(path, false, &err);

	if (marks == NULL ||
	    key_marks_each(marks, add_loaded, state, &err) != 0)
		log_message(LOG_LEVEL_WARN, "keys-not-read", "%s", err.text);
	key_marks_close(marks);
	free(path);
}

struct keystate *
keystate_start(const char *state_directory, struct error *err)
{
	struct keystate *state = xcalloc(1, sizeof(*state));

	(void)pthread_rwlock_init(&state->lock, NULL);
	state->size = SLOTS_FIRST;
	state->slots = xcalloc(state->size, sizeof(*state->slots));
	load(state, state_directory);
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
	free(state->slots);
	free(state);
}

void
keystate_move(struct keystate *state, const char *state_directory)
{
	writer_move(state->writer, state_directory);
	exceptions_move(state->exceptions, state_directory);
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

unsigned
keystate_marks(void *arg, const struct mac *mac, uint64_t id)
{
	struct keystate *state = arg;
	const struct slot *slot;
	unsigned marks;

	if (state == NULL)
		return 0;
	(void)pthread_rwlock_rdlock(&state->lock);
	slot = find(state->slots, state->size, mac_bits(mac), id);
	marks = slot->id != 0 ? (unsigned)(slot->mac_marks & 0xffff) : 0;
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
		writer_add(state->writer, &delivered);
	if (wish->seen != 0)
		writer_add(state->writer, &seen);
}
