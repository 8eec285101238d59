#include "base/pool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

/* Addresses only: memory is taken when a page is first written to. */
#define ROOM_BYTES ((size_t)16 << 30)
/* All blocks of one piece have one size. */
#define PIECE_SHIFT 17
#define PIECE_BYTES ((size_t)1 << PIECE_SHIFT)
#define PIECES (ROOM_BYTES >> PIECE_SHIFT)

/* Sizes: every 16 bytes up to 1 kB, every 256 up to 8 kB, then every 1 kB. */
#define FINE_MAX 1024
#define MIDDLE_MAX 8192
#define FINE_CLASSES (FINE_MAX / 16)
#define MIDDLE_CLASSES ((MIDDLE_MAX - FINE_MAX) / 256)
#define COARSE_CLASSES ((POOL_BLOCK_BYTES - MIDDLE_MAX) / 1024)
#define CLASSES (FINE_CLASSES + MIDDLE_CLASSES + COARSE_CLASSES)

/* A batch goes from thread to thread as a whole. */
#define BATCH_BYTES 8192
#define BATCH_MIN 2
#define BATCH_MAX 64

/* Kept out of line: what comes before it then needs no registers saved. */
#define RARE __attribute__((noinline, cold))

/* In the first bytes of a free block; the smallest one has room for it. */
struct block {
	struct block *next;
	struct block *next_batch; /* of the first one of a batch */
};

/* What a thread has of one size: up to a batch that it takes from and gives
 * to, and a whole one. */
struct list {
	struct block *first, *spare;
	unsigned count;
};

/* What all threads share of one size. */
struct shared {
	pthread_mutex_t lock;
	struct block *batches;
	char *rest; /* of the newest piece, not yet cut */
	size_t rest_bytes;
};

/* Process-wide, because OpenSSL's memory is.  Written by pool_open() before
 * there is a second thread, and under the locks. */
static struct {
	char *room; /* NULL: there is no pool */
	size_t used;
	pthread_mutex_t lock; /* of used */
	uint8_t class_of[PIECES];
	uint8_t batch[CLASSES]; /* blocks of one */
	struct shared shared[CLASSES];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The last one stays empty: what is asked of malloc(). */
static _Thread_local struct list lists[CLASSES + 1];

/* size is 1 to POOL_BLOCK_BYTES. */
static size_t
class_of(size_t size)
{
	if (size <= FINE_MAX)
		return (size - 1) / 16;
	if (size <= MIDDLE_MAX)
		return FINE_CLASSES + (size - 1 - FINE_MAX) / 256;
	return FINE_CLASSES + MIDDLE_CLASSES + (size - 1 - MIDDLE_MAX) / 1024;
}

static size_t
class_bytes(size_t class)
{
	if (class < FINE_CLASSES)
		return (class + 1) * 16;
	if (class < FINE_CLASSES + MIDDLE_CLASSES)
		return FINE_MAX + (class - FINE_CLASSES + 1) * 256;
	return MIDDLE_MAX + (class - FINE_CLASSES - MIDDLE_CLASSES + 1) * 1024;
}

static uint8_t
batch_blocks(size_t class)
{
	size_t n = BATCH_BYTES / class_bytes(class);

	return (uint8_t)(n < BATCH_MIN ? BATCH_MIN :
		n > BATCH_MAX	       ? BATCH_MAX :
					 n);
}

bool
pool_open(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#else
	void *room;

	if (pool.room != NULL)
		return true;
	room = mmap(NULL, ROOM_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		return false;
	for (size_t i = 0; i < CLASSES; i++) {
		(void)pthread_mutex_init(&pool.shared[i].lock, NULL);
		pool.batch[i] = batch_blocks(i);
	}
	pool.room = room;
	return true;
#endif
}

static bool
is_ours(const void *block)
{
	return pool.room != NULL &&
	    (uintptr_t)block - (uintptr_t)pool.room < ROOM_BYTES;
}

static size_t
class_of_block(const void *block)
{
	return pool
	    .class_of[((uintptr_t)block - (uintptr_t)pool.room) >> PIECE_SHIFT];
}

/* Another piece for blocks of this size; false when the room is full. */
static bool
take_piece(struct shared *shared, size_t class)
{
	bool taken = false;

	(void)pthread_mutex_lock(&pool.lock);
	if (pool.used < ROOM_BYTES) {
		shared->rest = pool.room + pool.used;
		shared->rest_bytes = PIECE_BYTES;
		pool.class_of[pool.used >> PIECE_SHIFT] = (uint8_t) class;
		pool.used += PIECE_BYTES;
		taken = true;
	}
	(void)pthread_mutex_unlock(&pool.lock);
	return taken;
}

/* A batch, or what is left of a piece; NULL when there is nothing any more. */
static struct block *
cut(struct shared *shared, size_t class, unsigned *count)
{
	const size_t bytes = class_bytes(class);
	const unsigned wanted = pool.batch[class];
	struct block *first = NULL;

	if (shared->rest_bytes < bytes && !take_piece(shared, class))
		return NULL;
	for (*count = 0; *count < wanted && shared->rest_bytes >= bytes;
	     ++*count) {
		struct block *block = (struct block *)(void *)shared->rest;

		block->next = first;
		first = block;
		shared->rest += bytes;
		shared->rest_bytes -= bytes;
	}
	return first;
}

/* The thread has no block of this size. */
static bool
refill(struct list *list, size_t class)
{
	struct shared *shared = &pool.shared[class];

	if (list->spare != NULL) {
		list->first = list->spare;
		list->count = pool.batch[class];
		list->spare = NULL;
		return true;
	}
	(void)pthread_mutex_lock(&shared->lock);
	list->first = shared->batches;
	if (list->first != NULL) {
		shared->batches = list->first->next_batch;
		list->count = pool.batch[class];
	} else {
		list->first = cut(shared, class, &list->count);
	}
	(void)pthread_mutex_unlock(&shared->lock);
	return list->first != NULL;
}

/* The thread has a whole batch: keep it, and give away the one before. */
RARE static void
put_aside(struct list *list, size_t class)
{
	struct shared *shared = &pool.shared[class];
	struct block *batch = list->spare;

	list->spare = list->first;
	list->first = NULL;
	list->count = 0;
	if (batch == NULL)
		return;
	(void)pthread_mutex_lock(&shared->lock);
	batch->next_batch = shared->batches;
	shared->batches = batch;
	(void)pthread_mutex_unlock(&shared->lock);
}

/* What the quick way has not; class is CLASSES where malloc() is to be asked.
 */
RARE static void *
alloc_slowly(size_t size, size_t class)
{
	struct list *list = &lists[class];
	struct block *block;

	if (class == CLASSES || !refill(list, class)) {
		/* NOLINTNEXTLINE(*UnixAPI): glibc has blocks of 0 bytes, too */
		return malloc(size);
	}
	block = list->first;
	list->first = block->next;
	list->count--;
	return block;
}

void *
pool_alloc(size_t size)
{
	size_t class;
	struct list *list;
	struct block *block;

	if (size - 1 >= POOL_BLOCK_BYTES || pool.room == NULL)
		return alloc_slowly(size, CLASSES);
	class = class_of(size);
	list = &lists[class];
	block = list->first;
	if (block == NULL)
		return alloc_slowly(size, class);
	list->first = block->next;
	list->count--;
	return block;
}

void
pool_free(void *memory)
{
	struct block *block = memory;
	struct list *list;
	size_t class;

	if (memory == NULL)
		return;
	if (!is_ours(memory)) {
		free(memory);
		return;
	}
	class = class_of_block(block);
	list = &lists[class];
	block->next = list->first;
	list->first = block;
	if (++list->count == pool.batch[class])
		put_aside(list, class);
}

void *
pool_realloc(void *old, size_t size)
{
	size_t old_bytes;
	void *new;

	if (old == NULL)
		return pool_alloc(size);
	if (!is_ours(old))
		return realloc(old, size);
	old_bytes = class_bytes(class_of_block(old));
	if (size > 0 && size <= POOL_BLOCK_BYTES &&
	    class_bytes(class_of(size)) == old_bytes)
		return old;
	new = pool_alloc(size);
	if (new == NULL)
		return NULL;
	memcpy(new, old, size < old_bytes ? size : old_bytes);
	pool_free(old);
	return new;
}

size_t
pool_bytes(void)
{
	size_t bytes;

	(void)pthread_mutex_lock(&pool.lock);
	bytes = pool.used;
	(void)pthread_mutex_unlock(&pool.lock);
	return bytes;
}
