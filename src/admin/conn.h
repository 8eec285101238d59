/*
 * conn.h -- one connection to the admin listener.
 *
 *     handshake -> request -> work (in the pool) -> answer
 *                     ^------- kept alive -------------'
 *
 * Each phase has a deadline; how many there are at once, and how many answers
 * are worked out at once, is limited.
 */
#ifndef ADMIN_CONN_H
#define ADMIN_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "base/addr.h"

#define DESK_CONNECTIONS_MAX 256
#define DESK_LARGE_BYTES_MAX (128 * 1024 * 1024) /* of long bodies, in all */
#define DESK_WORK_MAX 2 /* answers that are worked out at a time */

struct anchors;
struct chain;
struct person;
struct site;
struct tls_context;

/* What a listener shows; one for each configuration, counted by references,
 * on one thread at a time. */
struct front {
	unsigned references;
	struct chain *chain;
	struct anchors *anchors; /* NULL: nobody is asked for a certificate */
	struct tls_context *tls; /* NULL: plain */
};
void front_release(struct front *front); /* NULL is fine */

struct person; /* a connection */

/* All connections of a loop. */
struct desk {
	uv_loop_t *loop;
	struct site *site;
	struct person *first;
	size_t count;
	struct person *waiting, **waiting_tail; /* for the pool, in turn */
	size_t working;
	size_t large; /* bytes of long bodies that are read or worked at */
};
void desk_init(struct desk *desk, uv_loop_t *loop, struct site *site);

/* Begin with an accepted, non-blocking socket, which is taken. */
void person_start(struct desk *desk, struct front *front, int fd,
    const struct addr *source);

/* Close all of them: the loop ends when they have. */
void desk_close(struct desk *desk);

#endif
