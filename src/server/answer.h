/*
 * answer.h -- one request becomes one answer and one line in the log.
 */
#ifndef SERVER_ANSWER_H
#define SERVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/slice.h"
#include "spa/peer.h"

struct decision;
struct keystate;
struct keystate_wish;
struct log_line;
struct metrics;
struct profile_cache;
struct record;
struct request;
struct service;
struct service_listener;
struct snapshot;
struct tls_conn;

/* What is known of the connection that asks. */
struct exchange {
	const struct service *service;
	const struct service_listener *listener;
	const struct snapshot *snapshot;
	struct tls_conn *tls;	 /* NULL: plain HTTP */
	const struct peer *peer; /* parsed once per connection */
	const struct addr *source;
	const char *choice; /* how the certificate was chosen; "" */
	struct keystate *keys;
	struct profile_cache *cache; /* NULL: none */
	struct record *record;	     /* of answers; NULL: none is kept */
	struct metrics *metrics;     /* NULL: it is not counted */
	bool own;		     /* our own visit: not a word of it */
	uint64_t started_us; /* monotonic: accept, or end of the last one */
};

/* Bytes of head and body in memory that an answer may have. */
#define ANSWER_MAX (1024 * 1024 + 65536)

/*
 * Answer a request: append head and body to out, log, and record it when it
 * was a known device's.  A body that is a file is not in out: *file, else of
 * length 0, is what follows out on the wire, borrowed from the service.  Not a
 * byte may go out before the keystate has *wish (all 0: it has); it was asked
 * for.
 */
void answer_request(const struct exchange *exchange,
    const struct request *request, bool keep_alive, struct buf *out,
    struct slice *file, struct keystate_wish *wish);

/* What is to become of a request. */
void answer_decide(const struct exchange *exchange,
    const struct request *request, struct decision *decision);

/* How many bytes of its body to read before it is answered; 0: none, it is
 * answered as it is. */
size_t
answer_body_max(const struct exchange *exchange, const struct request *request);

/* Answer with that status and a word, log with that reason. */
void
answer_plain(const struct exchange *exchange, const struct request *request,
    int status, const char *reason, bool keep_alive, struct buf *out);

/* Answer bytes that are no valid request with that status, log. */
void answer_invalid(const struct exchange *exchange, int status,
    const char *reason, struct buf *out);

#endif
