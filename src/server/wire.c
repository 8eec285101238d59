#include "server/wire.h"

#include <errno.h>
#include <sys/socket.h>

static enum tls_io
failed(enum tls_io wait, struct error *err)
{
	if (errno == EAGAIN || errno == EINTR)
		return wait;
	(void)error_errno(err, "connection lost");
	return TLS_FAILED;
}

enum tls_io
wire_read(struct tls_conn *tls, int fd, void *data, size_t size, size_t *n,
    struct error *err)
{
	ssize_t got;

	if (tls != NULL)
		return tls_conn_read(tls, data, size, n, err);
	got = recv(fd, data, size, 0);
	if (got < 0)
		return failed(TLS_WANT_READ, err);
	*n = (size_t)got;
	if (got > 0)
		return TLS_DONE;
	(void)error_set(err, ERROR_SYSTEM, "closed by the peer");
	return TLS_CLOSED;
}

enum tls_io
wire_write(struct tls_conn *tls, int fd, const void *data, size_t len,
    size_t *n, struct error *err)
{
	ssize_t put;

	if (tls != NULL)
		return tls_conn_write(tls, data, len, n, err);
	put = send(fd, data, len, MSG_NOSIGNAL);
	if (put < 0)
		return failed(TLS_WANT_WRITE, err);
	*n = (size_t)put;
	return TLS_DONE;
}
