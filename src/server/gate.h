/*
 * gate.h -- the admission of one worker, in turn with the rest of its loop.
 *
 * In each turn of the loop what is under way goes first; then a few of those
 * who wait may begin, and who has waited too long is dropped.  So a device
 * whose handshake has begun does not wait for one that has just come.
 */
#ifndef SERVER_GATE_H
#define SERVER_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "server/admission.h"

struct gate;

struct gate_actions {
	void (*begin)(struct waiting *waiting);
	void (*drop)(struct waiting *waiting); /* it has waited too long */
};

/* actions is borrowed. */
struct gate *gate_open(uv_loop_t *loop, const struct gate_actions *actions);

/* Nobody may be waiting any more.  The memory goes when the loop has turned
 * once more. */
void gate_close(struct gate *gate);

/* For the calls of admission.h but admission_queue(), _next() and _late(). */
struct admission *gate_admission(struct gate *gate);

/* Do so many wait that not all can be served? */
bool gate_is_behind(const struct gate *gate);

/* A handshake took that long, from begin to its end. */
void gate_took(struct gate *gate, uint64_t ms);

/*
 * Call begin or drop for it, soon.  limits->patience_ms is for the wait and the
 * handshake together: what handshakes take of late is taken off it.
 */
void gate_queue(struct gate *gate, struct waiting *waiting, bool resumes,
    const struct admission_limits *limits);

#endif
