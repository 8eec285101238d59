/*
 * relay.h -- a handshake with somebody between who changes what is signed.
 */
#ifndef TESTS_RELAY_H
#define TESTS_RELAY_H

#include "pair.h"

/* Find the first handshake record of that content; NULL when there is none. */
static inline uint8_t *
relay_find(uint8_t *data, size_t len, uint8_t type)
{
	for (size_t i = 0; i + 5 < len;) {
		size_t body = (size_t)data[i + 3] << 8 | data[i + 4];

		if (data[i] == 22 && data[i + 5] == type)
			return data + i + 5;
		i += 5 + body;
	}
	return NULL;
}

static inline void
relay_write(int fd, const uint8_t *data, size_t len)
{
	if (write(fd, data, len) != (ssize_t)len)
		abort();
}

/*
 * A handshake in which the last byte of the client's CertificateVerify
 * (RFC 5246 7.4.8) is changed on its way, or nothing is.
 */
static inline enum tls_io
relay_handshake(struct tls_context *server, struct tls_context *client,
    bool change)
{
	enum tls_io io = TLS_WANT_READ;
	struct pair p;
	struct error err;
	int near, far;
	bool seen = false;

	/* client -- near   far -- server, with this function between them */
	p = (struct pair) { 0 };
	pair_sockets(&p.client_fd, &near);
	pair_sockets(&p.server_fd, &far);
	p.client = tls_conn_new_client(client, p.client_fd, NULL, &err);
	p.server = tls_conn_new_server(server, p.server_fd, &err);
	for (int i = 0; i < 16 && pair_waits(io); i++) {
		uint8_t data[16384], *message;
		ssize_t n;

		(void)!tls_conn_handshake(p.client, &err);
		n = read(near, data, sizeof(data));
		message = n > 0 ? relay_find(data, (size_t)n, 15) : NULL;
		if (message != NULL) {
			seen = true;
			if (change)
				message[3 + (message[2] << 8) + message[3]] ^=
				    1;
		}
		if (n > 0)
			relay_write(far, data, (size_t)n);
		io = tls_conn_handshake(p.server, &err);
		n = read(far, data, sizeof(data));
		if (n > 0)
			relay_write(near, data, (size_t)n);
	}
	if (!seen)
		abort(); /* the test sees to it that there is one */
	pair_close(&p);
	(void)close(near);
	(void)close(far);
	return io;
}

#endif
