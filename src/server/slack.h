/*
 * slack.h -- memory that a storm leaves behind.
 *
 * Thousands of handshakes at once take 40 kB each.  When they are over, malloc
 * has all of it back, but keeps it, between small blocks that live on; the
 * process would stay as large as its worst minute.  So it is told to give whole
 * pages back to the kernel, once, when a storm has passed.
 */
#ifndef SERVER_SLACK_H
#define SERVER_SLACK_H

#include <stddef.h>

struct worker;

struct slack {
	size_t peak; /* most connections seen since the last time */
};

/* Look, about once a second, from any one thread that may wait for some
 * milliseconds. */
void slack_look(struct slack *slack, struct worker *const *workers,
    size_t worker_count);

#endif
