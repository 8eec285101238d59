/*
 * pair.h -- two TLS ends over a socket pair, driven in turn by one thread.
 */
#ifndef TESTS_PAIR_H
#define TESTS_PAIR_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certs.h"
#include "tls/conn.h"
#include "tls/context.h"

struct pair {
	int server_fd, client_fd;
	struct tls_conn *server, *client;
	enum tls_io server_io, client_io;
	struct error server_err, client_err;
};

static inline void
pair_sockets(int *a, int *b)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) != 0)
		abort();
	*a = fds[0];
	*b = fds[1];
}

static inline bool
pair_waits(enum tls_io io)
{
	return io == TLS_WANT_READ || io == TLS_WANT_WRITE;
}

/* Take both handshakes to their ends; an end that fails closes its side. */
static inline void
pair_run(struct pair *p)
{
	p->server_io = p->client_io = TLS_WANT_READ;
	for (int i = 0;
	     i < 64 && (pair_waits(p->server_io) || pair_waits(p->client_io));
	     i++) {
		if (pair_waits(p->client_io)) {
			p->client_io = tls_conn_handshake(p->client,
			    &p->client_err);
			if (p->client_io == TLS_FAILED)
				(void)shutdown(p->client_fd, SHUT_WR);
		}
		if (pair_waits(p->server_io)) {
			p->server_io = tls_conn_handshake(p->server,
			    &p->server_err);
			if (p->server_io == TLS_FAILED)
				(void)shutdown(p->server_fd, SHUT_WR);
		}
	}
}

static inline void
pair_open(struct pair *p, struct tls_context *server,
    struct tls_context *client, const char *host)
{
	*p = (struct pair) { 0 };
	pair_sockets(&p->server_fd, &p->client_fd);
	p->server = tls_conn_new_server(server, p->server_fd, &p->server_err);
	p->client = tls_conn_new_client(client, p->client_fd, host,
	    &p->client_err);
	if (p->server == NULL || p->client == NULL)
		test_die("pair",
		    p->server == NULL ? &p->server_err : &p->client_err);
}

static inline void
pair_handshake(struct pair *p, struct tls_context *server,
    struct tls_context *client, const char *host)
{
	pair_open(p, server, client, host);
	pair_run(p);
}

static inline void
pair_close(struct pair *p)
{
	tls_conn_free(p->server);
	tls_conn_free(p->client);
	(void)close(p->server_fd);
	(void)close(p->client_fd);
}

static inline struct tls_context *
test_server(enum tls_policy policy, const struct chain *chain,
    const struct anchors *anchors)
{
	struct error err;
	struct tls_context *context =
	    tls_context_new_server(&(struct tls_server_options) { .policy =
								      policy,
				       .chain = chain,
				       .anchors = anchors },
		&err);

	if (context == NULL)
		test_die("server context", &err);
	return context;
}

static inline struct tls_context *
test_client(const struct tls_client_options *options)
{
	struct error err;
	struct tls_context *context = tls_context_new_client(options, &err);

	if (context == NULL)
		test_die("client context", &err);
	return context;
}

#endif
