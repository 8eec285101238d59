#include "admin/replay.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct kept {
	bool used, busy;
	uint8_t who[REPLAY_HASH_BYTES], what[REPLAY_HASH_BYTES];
	time_t at;
	struct replay_answer answer;
};

struct replay {
	pthread_mutex_t mutex;
	struct kept list[REPLAY_KEPT];
	size_t bytes;
};

struct replay *
replay_new(void)
{
	struct replay *replay = xcalloc(1, sizeof(*replay));

	(void)pthread_mutex_init(&replay->mutex, NULL);
	return replay;
}

void
replay_answer_clear(struct replay_answer *answer)
{
	free(answer->fields);
	free(answer->version);
	free(answer->body);
	*answer = (struct replay_answer) { .status = 0 };
}

void
replay_free(struct replay *replay)
{
	if (replay == NULL)
		return;
	for (size_t i = 0; i < REPLAY_KEPT; i++)
		replay_answer_clear(&replay->list[i].answer);
	(void)pthread_mutex_destroy(&replay->mutex);
	free(replay);
}

static void
copy_answer(struct replay_answer *to, const struct replay_answer *from)
{
	*to = (struct replay_answer) { .status = from->status,
		.fields = xstrdup(from->fields),
		.version = xstrdup(from->version),
		.body = xmalloc(from->body_len + 1),
		.body_len = from->body_len };
	if (from->body_len > 0)
		memcpy(to->body, from->body, from->body_len);
	to->body[from->body_len] = '\0';
}

static void
forget(struct replay *replay, struct kept *kept)
{
	replay->bytes -= kept->answer.body_len;
	replay_answer_clear(&kept->answer);
	*kept = (struct kept) { .used = false };
}

static struct kept *
find(struct replay *replay, const uint8_t *who)
{
	for (size_t i = 0; i < REPLAY_KEPT; i++)
		if (replay->list[i].used &&
		    memcmp(replay->list[i].who, who, REPLAY_HASH_BYTES) == 0)
			return &replay->list[i];
	return NULL;
}

/* The one kept longest; NULL when all are busy. */
static struct kept *
oldest(struct replay *replay)
{
	struct kept *found = NULL;

	for (size_t i = 0; i < REPLAY_KEPT; i++) {
		struct kept *one = &replay->list[i];

		if (one->used && !one->busy &&
		    (found == NULL || one->at < found->at))
			found = one;
	}
	return found;
}

static struct kept *
make_place(struct replay *replay)
{
	struct kept *place;

	for (size_t i = 0; i < REPLAY_KEPT; i++)
		if (!replay->list[i].used)
			return &replay->list[i];
	place = oldest(replay);
	if (place != NULL)
		forget(replay, place);
	return place;
}

enum replay_found
replay_begin(struct replay *replay, const uint8_t who[REPLAY_HASH_BYTES],
    const uint8_t what[REPLAY_HASH_BYTES], time_t now,
    struct replay_answer *answer)
{
	enum replay_found found = REPLAY_NEW;
	struct kept *kept;

	(void)pthread_mutex_lock(&replay->mutex);
	kept = find(replay, who);
	if (kept != NULL && !kept->busy && now - kept->at >= REPLAY_LIFE_S) {
		forget(replay, kept);
		kept = NULL;
	}
	if (kept != NULL && memcmp(kept->what, what, REPLAY_HASH_BYTES) != 0) {
		found = REPLAY_OTHER;
		/* NOLINTNEXTLINE(bugprone-branch-clone): in an order that matters */
	} else if (kept != NULL && kept->busy) {
		found = REPLAY_BUSY;
	} else if (kept != NULL) {
		copy_answer(answer, &kept->answer);
		found = REPLAY_SAME;
	} else if ((kept = make_place(replay)) != NULL) {
		*kept = (struct kept) { .used = true, .busy = true, .at = now };
		memcpy(kept->who, who, REPLAY_HASH_BYTES);
		memcpy(kept->what, what, REPLAY_HASH_BYTES);
	} else {
		found = REPLAY_BUSY;
	}
	(void)pthread_mutex_unlock(&replay->mutex);
	return found;
}

void
replay_end(struct replay *replay, const uint8_t who[REPLAY_HASH_BYTES],
    const struct replay_answer *answer)
{
	struct kept *kept, *other;

	(void)pthread_mutex_lock(&replay->mutex);
	kept = find(replay, who);
	if (kept == NULL || answer == NULL ||
	    answer->body_len > REPLAY_BYTES_MAX) {
		if (kept != NULL)
			forget(replay, kept);
	} else {
		while (replay->bytes + answer->body_len > REPLAY_BYTES_MAX &&
		    (other = oldest(replay)) != NULL)
			forget(replay, other);
		copy_answer(&kept->answer, answer);
		replay->bytes += answer->body_len;
		kept->busy = false;
	}
	(void)pthread_mutex_unlock(&replay->mutex);
}
