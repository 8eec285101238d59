#include "sim/hold.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sim/crowd.h"
#include "tls/client.h"
#include "tls/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define HELLO_MAX 2048
#define STARTS_MAX 64

enum held_state { HELD_CONNECTING, HELD_HANDSHAKE, HELD_STILL, HELD_GONE };

struct held {
	int fd;
	enum held_state state;
	struct tls_conn *tls;
};

struct hold {
	const struct hold_options *options;
	struct hold_report *report;
	int epoll;
	uint64_t start_ms;
	struct held *list;
	uint8_t hello[HELLO_MAX];
	size_t hello_len;
};

int
hold_kind_parse(const char *text, enum hold_kind *kind, struct error *err)
{
	static const char *const names[] = { "tcp", "hello", "tls" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*kind = (enum hold_kind)i;
			return 0;
		}
	}
	return error_set(err, ERROR_INPUT,
	    "--hold \"%.20s\": expected tcp, hello or tls", text);
}

/* What a ClientHello is, caught on a pair of sockets. */
static int
catch_hello(struct hold *hold, struct error *err)
{
	const struct hold_options *options = hold->options;
	struct tls_conn *tls;
	int pair[2];
	ssize_t n = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		pair) != 0)
		return error_errno(err, "no pair of sockets");
	tls = tls_conn_new_client(options->tls, pair[0], options->host, err);
	if (tls != NULL) {
		if (tls_conn_handshake(tls, err) == TLS_WANT_READ)
			n = recv(pair[1], hold->hello, sizeof(hold->hello), 0);
		if (n <= 0)
			(void)error_set(err, ERROR_SYSTEM, "no ClientHello");
	}
	tls_conn_free(tls);
	(void)close(pair[0]);
	(void)close(pair[1]);
	hold->hello_len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : -1;
}

static void
gone(struct hold *hold, struct held *held)
{
	struct hold_report *report = hold->report;

	if (held->state == HELD_STILL) {
		report->held--;
		if (report->closed++ == 0)
			report->first_close_ms = clock_monotonic_ms() -
			    hold->start_ms;
	} else {
		report->failed++;
	}
	tls_conn_free(held->tls);
	if (held->fd >= 0)
		(void)close(held->fd);
	*held = (struct held) { .fd = -1, .state = HELD_GONE };
}

static void
still(struct hold *hold, struct held *held)
{
	struct hold_report *report = hold->report;

	held->state = HELD_STILL;
	if (++report->held > report->held_peak)
		report->held_peak = report->held;
}

static int
begin_tls(struct hold *hold, struct held *held)
{
	const struct hold_options *options = hold->options;
	size_t device = (size_t)(held - hold->list) %
	    crowd_count(options->crowd);
	struct error err;
	X509 *cert = crowd_certificate(options->crowd, device, &err);

	held->tls = tls_conn_new_client(options->tls, held->fd, options->host,
	    &err);
	if (cert == NULL || held->tls == NULL)
		return -1;
	held->state = HELD_HANDSHAKE;
	return tls_conn_show(held->tls, cert, crowd_key(options->crowd, device),
	    &err);
}

static int
connected(struct hold *hold, struct held *held)
{
	size_t half = hold->hello_len / 2;
	socklen_t len = sizeof(int);
	int reason = 0;

	(void)getsockopt(held->fd, SOL_SOCKET, SO_ERROR, &reason, &len);
	if (reason != 0)
		return -1;
	switch (hold->options->kind) {
	case HOLD_TLS:
		return begin_tls(hold, held);
	case HOLD_HELLO:
		if (send(held->fd, hold->hello, half, MSG_NOSIGNAL) !=
		    (ssize_t)half)
			return -1;
		break;
	case HOLD_TCP:
		break;
	}
	still(hold, held);
	return 0;
}

/* 0: it waits or stands still; -1: it is over. */
static int
shake_hands(struct hold *hold, struct held *held)
{
	struct error err;

	switch (tls_conn_handshake(held->tls, &err)) {
	case TLS_DONE:
		still(hold, held);
		return 0;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		return 0;
	case TLS_CLOSED:
	case TLS_FAILED:
		break;
	}
	return -1;
}

/* Nobody has anything to say any more; TLS 1.3 may send a ticket. */
static int
watch(const struct held *held)
{
	char data[4096];
	ssize_t n;

	do
		n = recv(held->fd, data, sizeof(data), 0);
	while (n > 0);
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

static void
drive(struct hold *hold, struct held *held)
{
	int rc = 0;

	if (held->state == HELD_GONE)
		return;
	if (held->state == HELD_CONNECTING)
		rc = connected(hold, held);
	if (rc == 0 && held->state == HELD_HANDSHAKE)
		rc = shake_hands(hold, held);
	if (rc == 0 && held->state == HELD_STILL)
		rc = watch(held);
	if (rc != 0)
		gone(hold, held);
}

static void
start(struct hold *hold)
{
	const struct hold_options *options = hold->options;
	size_t i = hold->report->opened++;
	struct held *held = &hold->list[i];
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET |
		    EPOLLRDHUP,
		.data.ptr = held };
	struct sockaddr_in source = { .sin_family = AF_INET };
	int on = 1;

	*held = (struct held) { .state = HELD_CONNECTING };
	held->fd = socket(options->server.sockaddr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (held->fd >= 0 && options->source_count > 0) {
		source.sin_addr.s_addr = htonl(options->source_first +
		    (uint32_t)(i % options->source_count));
		(void)setsockopt(held->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
		    &on, sizeof(on));
		(void)bind(held->fd, (const struct sockaddr *)&source,
		    sizeof(source));
	}
	if (held->fd < 0 ||
	    (connect(held->fd,
		 (const struct sockaddr *)&options->server.sockaddr,
		 options->server.len) != 0 &&
		errno != EINPROGRESS) ||
	    epoll_ctl(hold->epoll, EPOLL_CTL_ADD, held->fd, &event) != 0)
		gone(hold, held);
}

static void
loop(struct hold *hold)
{
	const struct hold_options *options = hold->options;
	struct epoll_event events[EVENTS_MAX];
	uint64_t now_ms;

	while ((options->stop == NULL || *options->stop == 0) &&
	    (now_ms = clock_monotonic_ms()) - hold->start_ms <
		options->duration_ms) {
		double due = (double)(now_ms - hold->start_ms) / 1000 *
			options->rate +
		    1;
		int n;

		for (unsigned i = 0;
		     i < STARTS_MAX && hold->report->opened < options->count &&
		     (double)hold->report->opened < due;
		     i++)
			start(hold);
		n = epoll_wait(hold->epoll, events, EVENTS_MAX,
		    hold->report->opened < options->count ? 1 : 50);
		for (int i = 0; i < n; i++)
			drive(hold, events[i].data.ptr);
	}
}

int
hold_run(const struct hold_options *options, struct hold_report *report,
    struct error *err)
{
	struct hold hold = { .options = options, .report = report };

	*report = (struct hold_report) { .opened = 0 };
	if (options->kind != HOLD_TCP && options->tls == NULL)
		return error_set(err, ERROR_INPUT,
		    "a ClientHello needs TLS: not with --plain");
	if (options->kind == HOLD_HELLO && catch_hello(&hold, err) != 0)
		return -1;
	hold.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (hold.epoll < 0)
		return error_errno(err, "cannot wait for sockets");
	hold.list = xcalloc(options->count, sizeof(*hold.list));
	hold.start_ms = clock_monotonic_ms();
	loop(&hold);
	for (size_t i = 0; i < report->opened; i++) {
		tls_conn_free(hold.list[i].tls);
		if (hold.list[i].fd >= 0)
			(void)close(hold.list[i].fd);
	}
	free(hold.list);
	(void)close(hold.epoll);
	return 0;
}
