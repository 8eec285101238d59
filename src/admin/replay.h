/*
 * replay.h -- answers to be given again: the field Idempotency-Key.
 *
 * A client that does not know whether its change arrived sends it once more
 * with the same key, and gets the answer of the first time.  In memory only,
 * within limits: for a day, or until the server starts anew.  Only what was
 * done is kept; what was refused has changed nothing, and is looked at again.
 * Any thread may ask.
 */
#ifndef ADMIN_REPLAY_H
#define ADMIN_REPLAY_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define REPLAY_KEY_MAX 255
#define REPLAY_KEPT 1024
#define REPLAY_BYTES_MAX (16 * 1024 * 1024) /* of all bodies */
#define REPLAY_LIFE_S (24 * 3600)
#define REPLAY_HASH_BYTES 32

struct replay;
void replay_free(struct replay *replay); /* NULL is fine */
struct replay *replay_new(void);

/* All of an answer; the texts are free()d by replay_answer_clear(). */
struct replay_answer {
	int status;
	char *fields; /* of the head, with their line ends; "" */
	char *version;
	char *body;
	size_t body_len;
};
void replay_answer_clear(struct replay_answer *answer);

enum replay_found {
	REPLAY_NEW,   /* go on; replay_end() has to follow */
	REPLAY_SAME,  /* *answer is a copy of the one to give */
	REPLAY_OTHER, /* the key was used for something else */
	REPLAY_BUSY,  /* the first one is not answered yet */
};

/* who: hash of who asks and his key; what: hash of what he asks for. */
enum replay_found replay_begin(struct replay *replay,
    const uint8_t who[REPLAY_HASH_BYTES], const uint8_t what[REPLAY_HASH_BYTES],
    time_t now, struct replay_answer *answer);

/* What was begun is answered; answer (copied) NULL: nothing is to be kept. */
void replay_end(struct replay *replay, const uint8_t who[REPLAY_HASH_BYTES],
    const struct replay_answer *answer);

#endif
