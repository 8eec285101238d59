/*
 * key_turn.h -- when a worker does the private operations that were gathered in
 * its thread (tls/key_batch.h).
 *
 * Four of them take the time of one.  So full batches are done before the loop
 * sleeps, and one that is not full waits some 2 ms for others.
 */
#ifndef SERVER_KEY_TURN_H
#define SERVER_KEY_TURN_H

#include <uv.h>

struct key_turn;

struct key_turn *key_turn_open(uv_loop_t *loop);

/* In the thread of the loop, before it runs. */
void key_turn_use(struct key_turn *turn);

/* Nothing may be waiting.  The memory goes when the loop has turned once
 * more. */
void key_turn_close(struct key_turn *turn);

#endif
