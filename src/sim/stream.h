/*
 * stream.h -- a connection of a simulated device: blocking steps with a
 * deadline, with TLS or without.
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"

struct tls_conn;
struct tls_context;

struct stream {
	int fd;		      /* -1: closed */
	struct tls_conn *tls; /* NULL: none */
	bool timed_out;	      /* the last step failed for that reason */
};

/* Connect; on failure the stream is closed.  Nagle's delay is off.  source is
 * the address to connect from, NULL: the system's choice; with bound it is told
 * from which port before the other side can see it. */
typedef void stream_bound(void *arg, const struct addr *source);
int stream_connect_bound(struct stream *stream, const struct addr *source,
    const struct addr *address, unsigned timeout_ms, stream_bound *bound,
    void *arg, struct error *err) MUST_CHECK;
int stream_connect_from(struct stream *stream, const struct addr *source,
    const struct addr *address, unsigned timeout_ms,
    struct error *err) MUST_CHECK;
int stream_connect(struct stream *stream, const struct addr *address,
    unsigned timeout_ms, struct error *err) MUST_CHECK;

/* Shake hands as a client; stream->tls is set even when it fails, so that it
 * can be asked why. */
int stream_start_tls(struct stream *stream, struct tls_context *context,
    const char *host, unsigned timeout_ms, struct error *err) MUST_CHECK;

/* Send all; deadlines are on the monotonic clock. */
int stream_send(struct stream *stream, const char *data, size_t len,
    uint64_t deadline_ms, struct error *err) MUST_CHECK;

/* Read some: 1 with *n bytes, 0 when the peer has closed, -1 with err. */
int stream_receive(struct stream *stream, char *data, size_t size, size_t *n,
    uint64_t deadline_ms, struct error *err) MUST_CHECK;

/* Say goodbye where TLS works, and close. */
void stream_close(struct stream *stream);

#endif
