/*
 * key_turn.h -- what of a worker's loop has to do with private keys that do not
 * answer at once (tls/far_key.h).
 *
 * It does the operations that were gathered in its thread (tls/key_batch.h):
 * four of them take the time of one.  So full batches are done before the loop
 * sleeps, and one that is not full waits some 2 ms for others.  And it wakes
 * the connections whose operation is done, here or in another thread.
 */
#ifndef SERVER_KEY_TURN_H
#define SERVER_KEY_TURN_H

#include <stdbool.h>

#include <uv.h>

struct key_turn;

/* Whoever waits for an operation; part of what it belongs to. */
struct key_waiter {
	struct key_turn *turn;
	/* On the loop, once for each key_turn_wake(), but only once for those
	 * that came in between; it may forget the waiter, or free it. */
	void (*ready)(struct key_waiter *waiter);
	struct key_waiter *next; /* key_turn.c's */
	bool is_woken;		 /* ditto */
};

struct key_turn *key_turn_open(uv_loop_t *loop);

/* In the thread of the loop, before it runs. */
void key_turn_use(struct key_turn *turn);

/* For far_key_set_waker(): waiter is a struct key_waiter whose turn and ready
 * are set.  From any thread. */
void key_turn_wake(void *waiter);

/* It is about to go, and nobody will wake it any more: on the loop. */
void key_turn_forget(struct key_waiter *waiter);

/* Nothing may be waiting.  The memory goes when the loop has turned once
 * more. */
void key_turn_close(struct key_turn *turn);

#endif
