#include "sim/stream.h"
#include "base/clock.h"
#include "tls/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Wait for the socket; -1 with err when the deadline passes. */
static int
wait_for(struct stream *stream, short events, uint64_t deadline_ms,
    struct error *err)
{
	struct pollfd wanted = { .fd = stream->fd, .events = events };

	for (;;) {
		uint64_t now = clock_monotonic_ms();
		int left = now < deadline_ms ? (int)(deadline_ms - now) : 0;
		int n = poll(&wanted, 1, left);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return error_errno(err, "cannot wait");
		if (n == 0 && clock_monotonic_ms() >= deadline_ms) {
			stream->timed_out = true;
			return error_set(err, ERROR_SYSTEM,
			    "no answer in time");
		}
	}
}

static int
finish_connect(struct stream *stream, const struct addr *address,
    uint64_t deadline_ms, struct error *err)
{
	socklen_t len = sizeof(errno);
	int on = 1;

	if (connect(stream->fd, (const struct sockaddr *)&address->sockaddr,
		address->len) != 0) {
		int reason = errno;

		if (reason == EINPROGRESS) {
			if (wait_for(stream, POLLOUT, deadline_ms, err) != 0)
				return -1;
			(void)getsockopt(stream->fd, SOL_SOCKET, SO_ERROR,
			    &reason, &len);
		}
		errno = reason;
		if (reason != 0)
			return error_errno(err, "cannot connect");
	}
	(void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return 0;
}

static int
bind_to(const struct stream *stream, const struct addr *source,
    stream_bound *bound, void *arg, struct error *err)
{
	struct addr real = { .len = sizeof(real.sockaddr) };

	if (source == NULL)
		return 0;
	if (bind(stream->fd, (const struct sockaddr *)&source->sockaddr,
		source->len) != 0)
		return error_errno(err, "cannot take the source address");
	if (bound == NULL)
		return 0;
	if (getsockname(stream->fd, (struct sockaddr *)&real.sockaddr,
		&real.len) != 0)
		return error_errno(err, "no address of one's own");
	bound(arg, &real);
	return 0;
}

int
stream_connect_bound(struct stream *stream, const struct addr *source,
    const struct addr *address, unsigned timeout_ms, stream_bound *bound,
    void *arg, struct error *err)
{
	char text[ADDR_TEXT_BYTES];
	int rc;

	*stream = (struct stream) { .fd = -1 };
	stream->fd = socket(address->sockaddr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	rc = stream->fd < 0 ? error_errno(err, "no socket") :
			      bind_to(stream, source, bound, arg, err);
	if (rc == 0)
		rc = finish_connect(stream, address,
		    clock_monotonic_ms() + timeout_ms, err);
	if (rc != 0) {
		addr_format(address, text);
		(void)error_prefix(err, "%s: ", text);
		stream_close(stream);
	}
	return rc;
}

int
stream_connect_from(struct stream *stream, const struct addr *source,
    const struct addr *address, unsigned timeout_ms, struct error *err)
{
	return stream_connect_bound(stream, source, address, timeout_ms, NULL,
	    NULL, err);
}

int
stream_connect(struct stream *stream, const struct addr *address,
    unsigned timeout_ms, struct error *err)
{
	return stream_connect_from(stream, NULL, address, timeout_ms, err);
}

/* After a step that has to wait: wait. */
static int
wait_tls(struct stream *stream, enum tls_io io, uint64_t deadline_ms,
    struct error *err)
{
	return wait_for(stream, io == TLS_WANT_READ ? POLLIN : POLLOUT,
	    deadline_ms, err);
}

int
stream_start_tls(struct stream *stream, struct tls_context *context,
    const char *host, unsigned timeout_ms, struct error *err)
{
	uint64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	enum tls_io io;

	stream->tls = tls_conn_new_client(context, stream->fd, host, err);
	if (stream->tls == NULL)
		return -1;
	for (;;) {
		io = tls_conn_handshake(stream->tls, err);
		if (io == TLS_DONE)
			return 0;
		if (io != TLS_WANT_READ && io != TLS_WANT_WRITE)
			return -1;
		if (wait_tls(stream, io, deadline_ms, err) != 0)
			return error_prefix(err, "TLS handshake: ");
	}
}

static enum tls_io
write_some(struct stream *stream, const char *data, size_t len, size_t *n,
    struct error *err)
{
	ssize_t sent;

	if (stream->tls != NULL)
		return tls_conn_write(stream->tls, data, len, n, err);
	sent = send(stream->fd, data, len, MSG_NOSIGNAL);
	*n = sent > 0 ? (size_t)sent : 0;
	if (sent >= 0)
		return TLS_DONE;
	if (errno == EAGAIN || errno == EINTR)
		return TLS_WANT_WRITE;
	(void)error_errno(err, "cannot send");
	return TLS_FAILED;
}

int
stream_send(struct stream *stream, const char *data, size_t len,
    uint64_t deadline_ms, struct error *err)
{
	while (len > 0) {
		size_t n;
		enum tls_io io = write_some(stream, data, len, &n, err);

		if (io == TLS_FAILED || io == TLS_CLOSED ||
		    (io != TLS_DONE &&
			wait_tls(stream, io, deadline_ms, err) != 0))
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

static enum tls_io
read_some(struct stream *stream, char *data, size_t size, size_t *n,
    struct error *err)
{
	ssize_t got;

	if (stream->tls != NULL)
		return tls_conn_read(stream->tls, data, size, n, err);
	got = recv(stream->fd, data, size, 0);
	*n = got > 0 ? (size_t)got : 0;
	if (got >= 0)
		return got > 0 ? TLS_DONE : TLS_CLOSED;
	if (errno == EAGAIN || errno == EINTR)
		return TLS_WANT_READ;
	(void)error_errno(err, "cannot receive");
	return TLS_FAILED;
}

int
stream_receive(struct stream *stream, char *data, size_t size, size_t *n,
    uint64_t deadline_ms, struct error *err)
{
	for (;;) {
		enum tls_io io = read_some(stream, data, size, n, err);

		if (io == TLS_DONE)
			return 1;
		if (io == TLS_CLOSED)
			return 0;
		if (io == TLS_FAILED ||
		    wait_tls(stream, io, deadline_ms, err) != 0)
			return -1;
	}
}

void
stream_close(struct stream *stream)
{
	if (stream->tls != NULL)
		tls_conn_shutdown(stream->tls);
	tls_conn_free(stream->tls);
	stream->tls = NULL;
	if (stream->fd >= 0)
		(void)close(stream->fd);
	stream->fd = -1;
}
