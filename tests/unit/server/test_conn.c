#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../lib/pair.h"
#include "../../lib/place.h"
#include "../../lib/site.h"
#include "../../lib/stock.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "http/response.h"
#include "pki/anchors.h"
#include "server/counters.h"
#include "server/worker.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define A "000e08aabb01"
#define BIG "000e08aabb02"    /* its profile has 900 kB */
#define BROKEN "000e08aabb03" /* its profile cannot be rendered */
#define STRANGER "000e08aabbff"
#define BIG_BYTES 900000

#define PATIENCE_MS 20000 /* of the tests: far more than it takes */
#define SHORT_MS 100	  /* of the server that has none */

enum { REQUIRED, OPTIONAL }; /* the listeners */

static const struct stock_device devices[] = {
	{ A, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ BIG, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
	{ BROKEN, "SPA504G", NULL, NULL, NULL, DEVICE_ACTIVE },
};
static const struct stock_device retired[] = {
	{ A, "SPA504G", NULL, NULL, NULL, DEVICE_RETIRED },
};
static const struct stock_variable variables[] = {
	{ BIG, SCOPE_DEFAULT, NULL, "template", "big.xml" },
	{ BROKEN, SCOPE_DEFAULT, NULL, "template", "broken.xml" },
};

static struct site site;
static struct anchors *anchors;
static struct chain *chain_a, *chain_big, *chain_broken, *chain_stranger,
    *chain_foreign;
static struct tls_context *as_a, *as_foreign, *as_big, *as_broken, *as_stranger,
    *as_nobody, *as_old; /* as_old: A, with TLS 1.0 */
static struct service *patient, *hasty;
static struct snapshot *fleet, *fleet_retired;

/* ------------------------------------------------------------- setting up */

static struct chain *
mint_device_under(X509 *issuer, const char *product, const char *mac)
{
	const struct mint_name_part parts[] = {
		{ CERT_UNIT, product, 0 },
		{ CERT_LOCALITY, "CCQ000000A1", 0 },
		{ CERT_STATE, mac, 0 },
	};
	X509 *cert = test_mint(mac,
	    (struct mint_request) { .subject = parts,
		.subject_count = COUNT(parts),
		.key = site.key,
		.issuer = issuer,
		.issuer_key = site.key });
	struct chain *chain = test_chain(site.folder, &cert, 1, site.key);

	X509_free(cert);
	return chain;
}

static struct chain *
mint_device(const char *mac)
{
	return mint_device_under(site.ca, "SPA-504G", mac);
}

/* Device A as another root would sign it, and with a subject of no form */
static struct chain *
mint_foreign(void)
{
	X509 *root = test_mint("Foreign Root",
	    (struct mint_request) { .key = site.key, .ca = true });
	struct chain *chain = mint_device_under(root, "no product!", A);

	X509_free(root);
	return chain;
}

static struct tls_context *
client_context(const struct chain *chain, bool old)
{
	return test_client(&(struct tls_client_options) {
	    .min_version = old ? 0x0301 : 0x0303,
	    .max_version = old ? 0x0301 : 0x0304,
	    .ciphers = old ? "AES128-SHA" : "ECDHE-RSA-AES128-GCM-SHA256",
	    .extensions = !old,
	    .anchors = anchors,
	    .check_time = true,
	    .check_sha256 = true,
	    .chain = chain });
}

static void
write_templates(void)
{
	char *filler = xmalloc(BIG_BYTES / 4 + 1);
	char *path = xasprintf("%s/t", site.folder);

	assert_int_equal(mkdir(path, 0755), 0);
	free(path);
	memset(filler, 'x', BIG_BYTES / 4);
	filler[BIG_BYTES / 4] = '\0';
	site_write(&site, "t/filler.xml", filler);
	free(filler);
	site_write(&site, "t/big.xml",
	    "<flat-profile>{{>filler.xml}}"
	    "{{>filler.xml}}{{>filler.xml}}{{>filler.xml}}</flat-profile>");
	site_write(&site, "t/device.xml",
	    "<flat-profile>{{mac}}</flat-profile>");
	site_write(&site, "t/broken.xml", "<flat-profile>");
	site_write(&site, "t/hello.xml", "<flat-profile>hi</flat-profile>");
}

#define LISTENERS \
	"listener required {\naddress 192.0.2.1:443\n" \
	"certificate server.crt key server.key\ntls legacy\n" \
	"client-anchors ca.crt\n}\n" \
	"listener optional {\naddress 192.0.2.1:444\n" \
	"certificate server.crt key server.key\n" \
	"client-certificate optional\nclient-anchors ca.crt\n}\n" \
	"templates t\nprofile /spa$MA.cfg\npublic /hello.xml hello.xml\n"

static struct service *
open_service(const char *text)
{
	struct errors errors = { 0 };
	struct service *service = site_service(&site, text, &errors);

	if (service == NULL)
		fail_msg("%s", errors.text[0]);
	return service;
}

static int
setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	site_open(&site, "Test Root");
	anchors = anchors_new();
	anchors_add(anchors, site.ca);
	as_a = client_context(chain_a = mint_device(A), false);
	as_old = client_context(chain_a, true);
	as_big = client_context(chain_big = mint_device(BIG), false);
	as_broken = client_context(chain_broken = mint_device(BROKEN), false);
	as_stranger = client_context(chain_stranger = mint_device(STRANGER),
	    false);
	as_foreign = client_context(chain_foreign = mint_foreign(), false);
	as_nobody = client_context(NULL, false);
	write_templates();
	patient = open_service(LISTENERS);
	hasty = open_service(LISTENERS
	    "timeout handshake 100ms\n"
	    "timeout request 100ms\ntimeout write 100ms\n"
	    "timeout idle 100ms\n"
	    /* Tickets would come unasked for, and wake who waits. */
	    "performance {\nsessions 0\n}\n");
	fleet = stock_snapshot(devices, COUNT(devices), variables,
	    COUNT(variables));
	fleet_retired = stock_snapshot(retired, COUNT(retired), NULL, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	snapshot_release(fleet);
	snapshot_release(fleet_retired);
	service_release(patient);
	service_release(hasty);
	tls_context_free(as_a);
	tls_context_free(as_old);
	tls_context_free(as_big);
	tls_context_free(as_broken);
	tls_context_free(as_stranger);
	tls_context_free(as_foreign);
	tls_context_free(as_nobody);
	chain_free(chain_a);
	chain_free(chain_big);
	chain_free(chain_broken);
	chain_free(chain_stranger);
	chain_free(chain_foreign);
	anchors_free(anchors);
	site_close(&site);
	return 0;
}

static struct worker *
start(struct service *service)
{
	struct error err;
	struct worker *worker = worker_start(service, fleet, &err);

	if (worker == NULL)
		test_die("worker", &err);
	return worker;
}

/* Ends only when all connections do: the test's clients are closed by now. */
static void
finish(struct worker *worker)
{
	worker_stop(worker);
	worker_join(worker);
}

/* ----------------------------------------------------------------- clients */

struct client {
	int fd;
	struct tls_conn *tls;
	bool failed; /* the other side is gone, or does not answer */
	bool closed; /* the other side has closed */
	struct buf in;
};

static bool
wait_fd(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, PATIENCE_MS) == 1;
}

/* Wait as io says; false when there is nothing to wait for any more. */
static bool
go_on(struct client *client, enum tls_io io)
{
	switch (io) {
	case TLS_DONE:
		return false;
	case TLS_WANT_READ:
		client->failed = !wait_fd(client->fd, POLLIN);
		break;
	case TLS_WANT_WRITE:
		client->failed = !wait_fd(client->fd, POLLOUT);
		break;
	case TLS_CLOSED:
		client->closed = true;
		return false;
	case TLS_FAILED:
		client->failed = true;
		break;
	}
	return !client->failed;
}

/* A socket whose other end the worker has. */
static int
connect_instead(struct worker *worker, struct service *service, size_t listener,
    bool replace)
{
	struct addr source;
	struct error err;
	int ours, theirs;

	if (addr_parse(&source, "192.0.2.7:1234", &err) != 0)
		abort();
	pair_sockets(&ours, &theirs);
	worker_give(worker, theirs, &source, service, listener, replace);
	return ours;
}

static int
connect_worker(struct worker *worker, struct service *service, size_t listener)
{
	return connect_instead(worker, service, listener, false);
}

static void
client_open(struct client *client, struct worker *worker,
    struct service *service, size_t listener, struct tls_context *context)
{
	struct error err;
	enum tls_io io;

	*client = (struct client) { .fd = connect_worker(worker, service,
					listener) };
	buf_init(&client->in, 2 * BIG_BYTES);
	client->tls = tls_conn_new_client(context, client->fd, NULL, &err);
	if (client->tls == NULL)
		abort();
	do
		io = tls_conn_handshake(client->tls, &err);
	while (go_on(client, io));
}

static void
client_close(struct client *client)
{
	tls_conn_free(client->tls);
	(void)close(client->fd);
	buf_clear(&client->in);
}

static void
client_send_bytes(struct client *client, const char *data, size_t len)
{
	struct error err;
	enum tls_io io = TLS_DONE;
	size_t n = 0;

	for (size_t sent = 0; sent < len && !client->failed; sent += n) {
		do
			io = tls_conn_write(client->tls, data + sent,
			    len - sent, &n, &err);
		while (go_on(client, io));
		if (io != TLS_DONE)
			client->failed = true;
	}
}

static void
client_send(struct client *client, const char *text)
{
	client_send_bytes(client, text, strlen(text));
}

/* Take in what comes next; false when nothing more does. */
static bool
client_receive(struct client *client)
{
	char data[16384];
	struct error err;
	enum tls_io io;
	size_t n = 0;

	do
		io = tls_conn_read(client->tls, data, sizeof(data), &n, &err);
	while (go_on(client, io));
	if (io != TLS_DONE)
		return false;
	if (buf_append(&client->in, data, n) != 0)
		abort();
	return true;
}

/* How the server's reply reads. */
struct answer {
	int status; /* 0: there was none */
	bool keep_alive;
	char *text; /* head and body */
	const char *body;
	size_t body_len;
};

static size_t
reply_length(const struct client *client, bool head, struct answer *answer)
{
	struct reply *reply = reply_new(head);
	struct error err;
	size_t i;

	for (i = 0; i < client->in.len; i++)
		if (reply_feed(reply, client->in.data + i, 1, &err) == 1)
			break;
	if (i < client->in.len) {
		answer->status = reply_head(reply)->status;
		answer->keep_alive = reply_head(reply)->keep_alive;
		if (!reply_head(reply)->has_content_length)
			answer->status = -1;
		(void)reply_body(reply, &answer->body_len);
	}
	reply_free(reply);
	return i < client->in.len ? i + 1 : 0;
}

static void
client_answer(struct client *client, bool head, struct answer *answer)
{
	size_t len, seen = SIZE_MAX;

	*answer = (struct answer) { .status = 0 };
	for (;;) {
		/* Reading it from the start each time would be quadratic. */
		len = client->in.len != seen &&
			(seen == SIZE_MAX || client->in.len < 8192 ||
			    client->in.len > BIG_BYTES) ?
		    reply_length(client, head, answer) :
		    0;
		seen = client->in.len;
		if (len > 0)
			break;
		if (!client_receive(client))
			return;
	}
	answer->text = xstrndup(client->in.data, len);
	answer->body = answer->text + (len - answer->body_len);
	buf_consume(&client->in, len);
}

/* One request, one answer: its status. */
static int
ask(struct client *client, const char *request)
{
	struct answer answer;
	int status;

	client_send(client, request);
	client_answer(client, strncmp(request, "HEAD", 4) == 0, &answer);
	status = answer.status;
	free(answer.text);
	return status;
}

/* Does the server close now, with a proper end? */
static bool
is_closed_by_server(struct client *client)
{
	while (client_receive(client))
		;
	return client->closed && client->in.len == 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_A GET("/spa" A ".cfg")

static void
wait_count(const struct worker *worker, size_t count)
{
	uint64_t end = clock_monotonic_ms() + PATIENCE_MS;

	while (worker_connection_count(worker) != count) {
		if (clock_monotonic_ms() > end)
			fail_msg("%zu connections, wanted %zu",
			    worker_connection_count(worker), count);
		(void)poll(NULL, 0, 1);
	}
}

/* ------------------------------------------------------------------- tests */

static struct tls_context *const *const contexts[] = { &as_a, &as_big,
	&as_broken, &as_stranger, &as_nobody, &as_old, &as_foreign };
enum who {
	UNIT_A,
	UNIT_BIG,
	UNIT_BROKEN,
	UNIT_STRANGER,
	NOBODY,
	UNIT_OLD,
	FOREIGN
};

static const struct {
	enum who who;
	size_t listener;
	const char *request;
	int status;
	bool keep_alive;
	const char *says; /* somewhere in head or body */
} exchanges[] = {
	{ UNIT_A, REQUIRED, GET_A, 200, true,
	    "\r\n\r\n<flat-profile>" A "</flat-profile>" },
	{ UNIT_A, OPTIONAL, GET_A, 200, true, "Content-Type: text/xml\r\n" },
	{ UNIT_OLD, REQUIRED, GET_A, 200, true, "<flat-profile>" A "<" },
	{ UNIT_A, REQUIRED, "GET /spa" A ".cfg HTTP/1.0\r\n\r\n", 200, false,
	    "Connection: close\r\n" },
	{ UNIT_A, REQUIRED,
	    "GET /spa" A ".cfg HTTP/1.1\r\nHost: h\r\n"
	    "Connection: close\r\n\r\n",
	    200, false, "<flat-profile>" },
	{ UNIT_A, REQUIRED, "HEAD /spa" A ".cfg HTTP/1.1\r\nHost: h\r\n\r\n",
	    200, true, "Content-Length: 41\r\n" },
	{ UNIT_A, REQUIRED, GET("/none"), 404, true, "404 Not Found\n" },
	{ UNIT_A, REQUIRED, GET("/spa" BIG ".cfg"), 403, true,
	    "403 Forbidden\n" },
	{ UNIT_A, REQUIRED, "HEAD /none HTTP/1.1\r\nHost: h\r\n\r\n", 404, true,
	    "Content-Type: text/plain\r\n" },
	{ UNIT_STRANGER, REQUIRED, GET("/spa" STRANGER ".cfg"), 403, true,
	    NULL },
	{ UNIT_BROKEN, REQUIRED, GET("/spa" BROKEN ".cfg"), 500, true,
	    "500 Internal Server Error\n" },
	{ FOREIGN, REQUIRED, GET_A, 403, true, NULL },
	{ FOREIGN, OPTIONAL, GET("/none"), 403, true, NULL },
	{ FOREIGN, OPTIONAL, GET("/hello.xml"), 200, true, NULL },
	{ NOBODY, REQUIRED, GET_A, 403, true, NULL },
	{ NOBODY, REQUIRED, GET("/hello.xml"), 403, true, NULL },
	{ NOBODY, OPTIONAL, GET("/hello.xml"), 200, true, "<flat-profile>hi<" },
	{ NOBODY, OPTIONAL, GET_A, 403, true, NULL },
	/* Methods */
	{ UNIT_A, REQUIRED,
	    "POST /spa" A ".cfg HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: 0\r\n\r\n",
	    405, true, "Allow: GET, HEAD\r\n" },
	{ UNIT_A, REQUIRED,
	    "PUT / HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: 3\r\n\r\nabc",
	    405, false, "Allow: GET, HEAD\r\n" },
	{ NOBODY, OPTIONAL, "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", 405, true,
	    NULL },
	/* Bodies */
	{ UNIT_A, REQUIRED,
	    "GET /spa" A ".cfg HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: 3\r\n\r\nabc",
	    413, false, NULL },
	{ UNIT_A, REQUIRED,
	    "GET / HTTP/1.1\r\nHost: h\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    413, false, NULL },
	/* What is no request */
	{ UNIT_A, REQUIRED, "hello\r\n\r\n", 400, false, "400 Bad Request\n" },
	{ UNIT_A, REQUIRED, "GET / HTTP/1.1\r\n\r\n", 400, false, NULL },
	{ UNIT_A, REQUIRED, "GET /../x HTTP/1.1\r\nHost: h\r\n\r\n", 400, false,
	    NULL },
	{ UNIT_A, REQUIRED, "GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505, false,
	    NULL },
};

static void
test_exchanges(void **state)
{
	struct worker *worker = start(patient);

	(void)state;
	for (size_t i = 0; i < COUNT(exchanges); i++) {
		bool head = strncmp(exchanges[i].request, "HEAD", 4) == 0;
		struct client client;
		struct answer answer;

		client_open(&client, worker, patient, exchanges[i].listener,
		    *contexts[exchanges[i].who]);
		client_send(&client, exchanges[i].request);
		client_answer(&client, head, &answer);
		if (answer.status != exchanges[i].status ||
		    answer.keep_alive != exchanges[i].keep_alive ||
		    (exchanges[i].says != NULL &&
			strstr(answer.text, exchanges[i].says) == NULL))
			fail_msg("%s\n%d %s", exchanges[i].request,
			    answer.status, answer.text);
		free(answer.text);
		/* What it says of the connection it also does. */
		if (exchanges[i].keep_alive)
			assert_int_not_equal(ask(&client, GET_A), 0);
		else
			assert_true(is_closed_by_server(&client));
		client_close(&client);
	}
	wait_count(worker, 0);
	finish(worker);
}

/* Heads at and past their limits */
static void
test_sizes(void **state)
{
	struct worker *worker = start(patient);
	struct client client;
	struct buf request;

	(void)state;
	client_open(&client, worker, patient, REQUIRED, as_a);
	buf_init(&request, 20000);
	assert_int_equal(buf_printf(&request,
			     "GET /spa" A ".cfg HTTP/1.1\r\n"
			     "Host: h\r\nX: %07900d\r\n\r\n",
			     0),
	    0);
	assert_int_equal(ask(&client, buf_text(&request)), 200);
	buf_clear(&request);
	assert_int_equal(buf_printf(&request,
			     "GET / HTTP/1.1\r\nHost: h\r\n"
			     "X: %09000d\r\n\r\n",
			     0),
	    0);
	assert_int_equal(ask(&client, buf_text(&request)), 431);
	assert_true(is_closed_by_server(&client));
	client_close(&client);
	buf_clear(&request);
	client_open(&client, worker, patient, REQUIRED, as_a);
	assert_int_equal(buf_printf(&request,
			     "GET /%03000d HTTP/1.1\r\n"
			     "Host: h\r\n\r\n",
			     0),
	    0);
	assert_int_equal(ask(&client, buf_text(&request)), 414);
	client_close(&client);
	buf_clear(&request);
	/* 900 kB come whole. */
	client_open(&client, worker, patient, REQUIRED, as_big);
	{
		struct answer answer;

		client_send(&client, GET("/spa" BIG ".cfg"));
		client_answer(&client, false, &answer);
		assert_int_equal(answer.status, 200);
		assert_int_equal(answer.body_len,
		    BIG_BYTES + strlen("<flat-profile></flat-profile>"));
		assert_memory_equal(answer.body + answer.body_len - 18,
		    "xxx</flat-profile>", 18);
		free(answer.text);
	}
	assert_int_equal(ask(&client, GET("/none")), 404);
	client_close(&client);
	finish(worker);
}

/* Many requests on one connection: one by one, at once, and in pieces */
static void
test_keep_alive(void **state)
{
	struct worker *worker = start(patient);
	struct client client;
	struct answer answer;

	(void)state;
	client_open(&client, worker, patient, REQUIRED, as_a);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(&client, i % 2 ? GET_A : GET("/none")),
		    i % 2 ? 200 : 404);
	client_send(&client,
	    GET_A GET("/none") GET_A "POST / HTTP/1.1\r\nHost: h\r\n\r\n" GET_A
				     "GET /spa");
	for (int i = 0; i < 5; i++) {
		static const int wanted[] = { 200, 404, 200, 405, 200 };

		client_answer(&client, false, &answer);
		assert_int_equal(answer.status, wanted[i]);
		free(answer.text);
	}
	for (const char *p = A ".cfg HTTP/1.1\r\nHost: h\r\n\r\n"; *p != '\0';
	     p++)
		client_send_bytes(&client, p, 1);
	client_answer(&client, false, &answer);
	assert_int_equal(answer.status, 200);
	free(answer.text);
	/* Behind a request that ends the connection nothing is answered. */
	client_send(&client, "GET /none HTTP/1.0\r\n\r\n" GET_A);
	client_answer(&client, false, &answer);
	assert_int_equal(answer.status, 404);
	free(answer.text);
	assert_true(is_closed_by_server(&client));
	client_close(&client);
	finish(worker);
}

/* The answer to a body arrives, although nobody reads that body. */
static void
test_drain(void **state)
{
	struct worker *worker = start(patient);
	struct client client;
	char *body = xcalloc(1, 100000);

	(void)state;
	for (int i = 0; i < 3; i++) {
		client_open(&client, worker, patient, REQUIRED, as_a);
		client_send(&client,
		    "POST /x HTTP/1.1\r\nHost: h\r\n"
		    "Content-Length: 100000\r\n\r\n");
		client_send_bytes(&client, body, 100000);
		assert_false(client.failed);
		assert_int_equal(ask(&client, ""), 405);
		assert_true(is_closed_by_server(&client));
		client_close(&client);
	}
	/* There is an end to that. */
	client_open(&client, worker, patient, REQUIRED, as_a);
	client_send(&client,
	    "POST /x HTTP/1.1\r\nHost: h\r\n"
	    "Content-Length: 100000000\r\n\r\n");
	for (int i = 0; i < 1000 && !client.failed; i++)
		client_send_bytes(&client, body, 100000);
	assert_true(client.failed);
	client_close(&client);
	/* And one who neither sends nor closes is not waited for long. */
	client_open(&client, worker, patient, REQUIRED, as_a);
	assert_int_equal(ask(&client,
			     "POST /x HTTP/1.1\r\nHost: h\r\n"
			     "Content-Length: 5\r\n\r\n"),
	    405);
	wait_count(worker, 0);
	client_close(&client);
	free(body);
	finish(worker);
}

/* A phase has its time, and not more. */
static void
test_timeouts(void **state)
{
	struct worker *worker = start(hasty);
	struct client client;
	struct answer answer;
	uint64_t begin = clock_monotonic_ms();
	unsigned pieces = 0;
	char byte;
	int fd;

	(void)state;
	/* Nothing is said at all; */
	fd = connect_worker(worker, hasty, REQUIRED);
	assert_true(wait_fd(fd, POLLIN));
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	assert_true(clock_monotonic_ms() - begin >= SHORT_MS - 1);
	(void)close(fd);
	/* ... no request; */
	client_open(&client, worker, hasty, REQUIRED, as_a);
	begin = clock_monotonic_ms();
	assert_true(is_closed_by_server(&client));
	client_close(&client);
	/* ... half a request, in small pieces that win no time; */
	client_open(&client, worker, hasty, REQUIRED, as_a);
	begin = clock_monotonic_ms();
	client_send(&client, "GET /");
	while (poll(&(struct pollfd) { client.fd, POLLIN, 0 }, 1, 20) == 0 &&
	    clock_monotonic_ms() - begin < PATIENCE_MS) {
		client_send(&client, "a");
		pieces++;
	}
	assert_true(clock_monotonic_ms() - begin < PATIENCE_MS);
	assert_true(pieces > 0);
	/* What came in between does not cost it the answer. */
	client_send(&client, "a");
	assert_false(client.failed);
	client_answer(&client, false, &answer);
	assert_int_equal(answer.status, 408);
	assert_false(answer.keep_alive);
	free(answer.text);
	client_close(&client);
	/* ... no next request; */
	client_open(&client, worker, hasty, REQUIRED, as_a);
	assert_int_equal(ask(&client, GET_A), 200);
	begin = clock_monotonic_ms();
	assert_true(is_closed_by_server(&client));
	assert_true(clock_monotonic_ms() - begin >= SHORT_MS / 2);
	client_close(&client);
	/* ... a long answer that is not read. */
	client_open(&client, worker, hasty, REQUIRED, as_big);
	client_send(&client, GET("/spa" BIG ".cfg"));
	wait_count(worker, 0);
	client_answer(&client, false, &answer);
	assert_int_equal(answer.status, 0);
	client_close(&client);
	finish(worker);
}

/* Clients that say no more, but listen; and clients that are gone */
static void
test_half_closed(void **state)
{
	struct worker *worker = start(patient);
	struct client client;
	struct answer answer;

	(void)state;
	for (int i = 0; i < 4; i++) {
		/* A FIN, or close_notify, behind a short or a long answer */
		client_open(&client, worker, patient, REQUIRED,
		    i % 2 ? as_big : as_a);
		client_send(&client, i % 2 ? GET("/spa" BIG ".cfg") : GET_A);
		if (i < 2)
			(void)shutdown(client.fd, SHUT_WR);
		else
			tls_conn_shutdown(client.tls);
		client_answer(&client, false, &answer);
		assert_int_equal(answer.status, 200);
		free(answer.text);
		client_close(&client);
	}
	for (int i = 0; i < 8; i++) {
		/* Gone in the midst of everything */
		if (i < 2) {
			client.fd = connect_worker(worker, patient, REQUIRED);
			if (i == 1)
				assert_int_equal(send(client.fd, "\x16\x03", 2,
						     0),
				    2);
			(void)close(client.fd);
			continue;
		}
		client_open(&client, worker, patient, REQUIRED, as_big);
		client_send(&client,
		    i == 2     ? "" :
			i == 3 ? "GET /" :
				 GET("/spa" BIG ".cfg"));
		if (i == 5)
			assert_true(client_receive(&client));
		if (i == 6)
			tls_conn_shutdown(client.tls);
		if (i == 7) /* no TLS record */
			assert_int_equal(send(client.fd, "junk", 4, 0), 4);
		client_close(&client);
	}
	wait_count(worker, 0);
	/* No TLS at all */
	client.fd = connect_worker(worker, patient, REQUIRED);
	assert_int_equal(send(client.fd, GET_A, sizeof(GET_A) - 1, 0),
	    sizeof(GET_A) - 1);
	wait_count(worker, 0);
	(void)close(client.fd);
	finish(worker);
}

/* A request may overtake what the main thread has sent. */
static void
ask_until(struct client *client, int status)
{
	uint64_t end = clock_monotonic_ms() + PATIENCE_MS;
	int got;

	while ((got = ask(client, GET_A)) != status)
		if (got == 0 || clock_monotonic_ms() > end)
			fail_msg("%d, wanted %d", got, status);
}

/* What changes in the inventory holds for the next request. */
static void
test_new_snapshot(void **state)
{
	struct worker *worker = start(patient);
	struct client client;

	(void)state;
	client_open(&client, worker, patient, REQUIRED, as_a);
	assert_int_equal(ask(&client, GET_A), 200);
	worker_update(worker, NULL, fleet_retired);
	ask_until(&client, 403);
	worker_update(worker, NULL, fleet);
	ask_until(&client, 200);
	client_close(&client);
	finish(worker);
}

/*
 * A connection keeps the service under which it began, for one answer: who
 * waits idly is closed, who has come for the first time is served.
 */
static void
test_new_service(void **state)
{
	struct worker *worker = start(patient);
	struct client idle, first, half, next;
	struct answer answer;

	(void)state;
	client_open(&idle, worker, patient, REQUIRED, as_a);
	client_open(&first, worker, patient, REQUIRED, as_a);
	client_open(&half, worker, patient, REQUIRED, as_a);
	assert_int_equal(ask(&idle, GET_A), 200);
	client_send(&half, "GET /spa" A);
	worker_update(worker, hasty, NULL);
	assert_true(is_closed_by_server(&idle));
	client_send(&first, GET_A);
	client_answer(&first, false, &answer);
	assert_int_equal(answer.status, 200);
	assert_false(answer.keep_alive);
	free(answer.text);
	assert_true(is_closed_by_server(&first));
	client_send(&half, ".cfg HTTP/1.1\r\nHost: h\r\n\r\n");
	client_answer(&half, false, &answer);
	assert_int_equal(answer.status, 200);
	assert_false(answer.keep_alive);
	free(answer.text);
	assert_true(is_closed_by_server(&half));
	/* The new one's are kept. */
	client_open(&next, worker, hasty, REQUIRED, as_a);
	client_send(&next, GET_A);
	client_answer(&next, false, &answer);
	assert_true(answer.keep_alive);
	free(answer.text);
	client_close(&idle);
	client_close(&first);
	client_close(&half);
	client_close(&next);
	finish(worker);
}

static void
test_stop(void **state)
{
	struct worker *worker = start(patient);
	struct client idle, first, long_answer;
	struct answer answer;

	(void)state;
	client_open(&idle, worker, patient, REQUIRED, as_a);
	client_open(&first, worker, patient, REQUIRED, as_a);
	client_open(&long_answer, worker, patient, REQUIRED, as_big);
	assert_int_equal(ask(&idle, GET_A), 200);
	client_send(&long_answer, GET("/spa" BIG ".cfg"));
	assert_true(client_receive(&long_answer));
	worker_stop(worker);
	assert_true(is_closed_by_server(&idle));
	client_send(&first, GET_A);
	client_answer(&first, false, &answer);
	assert_int_equal(answer.status, 200);
	assert_false(answer.keep_alive);
	free(answer.text);
	assert_true(is_closed_by_server(&first));
	client_answer(&long_answer, false, &answer);
	assert_int_equal(answer.status, 200);
	free(answer.text);
	assert_true(is_closed_by_server(&long_answer));
	worker_join(worker);
	client_close(&idle);
	client_close(&first);
	client_close(&long_answer);
}

/* Who does not end is ended: in every phase. */
static void
test_abort(void **state)
{
	struct worker *worker = start(patient);
	struct client first, half, long_answer;
	int silent = connect_worker(worker, patient, REQUIRED);
	char byte;

	(void)state;
	client_open(&first, worker, patient, REQUIRED, as_a);
	client_open(&half, worker, patient, REQUIRED, as_a);
	client_open(&long_answer, worker, patient, REQUIRED, as_big);
	client_send(&half, "GET /");
	client_send(&long_answer, GET("/spa" BIG ".cfg"));
	assert_true(client_receive(&long_answer));
	worker_stop(worker);
	(void)poll(NULL, 0, 10);
	assert_int_equal(worker_connection_count(worker), 4);
	worker_abort(worker);
	worker_join(worker);
	assert_int_equal(recv(silent, &byte, 1, 0), 0);
	client_close(&first);
	client_close(&half);
	client_close(&long_answer);
	(void)close(silent);
}

/* Nothing to do, and what comes too late */
static void
test_late(void **state)
{
	struct worker *worker = start(patient);
	uint64_t end = clock_monotonic_ms() + PATIENCE_MS;
	struct client client;
	char byte;
	int fd;

	(void)state;
	finish(worker);
	/* Given before the end: served, though it is stopping. */
	worker = start(patient);
	fd = connect_worker(worker, patient, REQUIRED);
	worker_stop(worker);
	(void)close(fd);
	worker_join(worker);
	worker = start(patient);
	client_open(&client, worker, patient, REQUIRED, as_a);
	worker_stop(worker);
	fd = connect_worker(worker, patient, REQUIRED);
	assert_int_equal(ask(&client, GET_A), 200);
	client_close(&client);
	wait_count(worker, 1);
	(void)close(fd);
	worker_join(worker);
	/* Given to one that has ended: closed all the same. */
	worker = start(patient);
	worker_stop(worker);
	(void)poll(NULL, 0, 50);
	fd = connect_worker(worker, patient, REQUIRED);
	worker_update(worker, hasty, fleet_retired);
	worker_stop(worker);
	worker_abort(worker);
	(void)poll(NULL, 0, 10);
	worker_join(worker);
	while (recv(fd, &byte, 1, 0) != 0) {
		assert_true(clock_monotonic_ms() < end);
		(void)poll(NULL, 0, 10);
	}
	(void)close(fd);
}

/* ------------------------------------------------------------ many at once */

struct crowd {
	struct worker *worker;
	atomic_uint wrong, served;
	unsigned seed;
};

/* Asserts of cmocka are for the main thread: here mistakes are counted. */
static void
visit(struct crowd *crowd, uint64_t *seed)
{
	struct client client;
	unsigned kind, requests;
	int status;

	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	kind = (unsigned)(*seed >> 33) % 8;
	requests = (unsigned)(*seed >> 40) % 4;
	client_open(&client, crowd->worker, patient, REQUIRED,
	    kind == 0	  ? as_big :
		kind == 1 ? as_old :
			    as_a);
	if (client.failed)
		atomic_fetch_add(&crowd->wrong, 1);
	if (kind == 2)
		client_send(&client, "GET /spa");
	for (unsigned i = 0; kind != 2 && i <= requests && !client.closed;
	     i++) {
		status = ask(&client,
		    kind == 0	  ? GET("/spa" BIG ".cfg") :
			kind == 3 ? GET("/none") :
				    GET_A);
		/* 403: retired meanwhile; 0: closed while idle */
		if (status != 200 && status != 403 &&
		    !(status == 404 && kind == 3) && !(status == 0 && i > 0))
			atomic_fetch_add(&crowd->wrong, 1);
		if (status == 0)
			break;
		atomic_fetch_add(&crowd->served, 1);
	}
	client_close(&client);
}

static void *
visit_often(void *arg)
{
	struct crowd *crowd = arg;
	uint64_t seed = atomic_fetch_add(&crowd->served, 0) + 1 +
	    (uint64_t)(uintptr_t)pthread_self();

	for (int i = 0; i < 12; i++)
		visit(crowd, &seed);
	return NULL;
}

/* Clients of many kinds, while everything is replaced under their feet */
static void
test_crowd(void **state)
{
	struct crowd crowd = { .worker = start(patient) };
	struct service *again = open_service(LISTENERS);
	pthread_t threads[6];

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, visit_often,
				     &crowd),
		    0);
	for (int i = 0; i < 40; i++) {
		worker_update(crowd.worker,
		    i % 4 == 0	   ? again :
			i % 4 == 2 ? patient :
				     NULL,
		    i % 2 ? fleet : fleet_retired);
		(void)poll(NULL, 0, 5);
	}
	worker_update(crowd.worker, patient, fleet);
	for (size_t i = 0; i < COUNT(threads); i++)
		(void)pthread_join(threads[i], NULL);
	wait_count(crowd.worker, 0);
	finish(crowd.worker);
	service_release(again);
	assert_int_equal(atomic_load(&crowd.wrong), 0);
	assert_true(atomic_load(&crowd.served) > COUNT(threads) * 12 / 2);
}

/* ----------------------------------------------------------------- the log */

static const char *const logged[] = {
	"event=request listener=required source=192.0.2.7:1234 status=200 "
	"reason=own-profile method=GET path=/spa" A ".cfg issuer=\"Test "
	"Root\" form=documented mac=" A " product=SPA-504G "
	"serial=CCQ000000A1 tls=TLS1.3 cipher=TLS_AES_256_GCM_SHA384 "
	"agent=Cisco/SPA504G-7.5.2 bytes=41 us=",
	"status=403 reason=no-certificate method=GET path=/spa" A
	".cfg tls=TLS1.3",
	"status=403 reason=unknown-device ",
	"status=403 reason=untrusted-certificate method=GET path=/spa" A
	".cfg issuer=\"Foreign Root\" verify=",
	" depth=0 form=invalid subject=\"OU ",
	"status=405 reason=method method=POST path=/pot ",
	"status=431 reason=",
	"event=render-failed message=\"broken.xml, as rendered: 1:",
	"status=500 reason=render-failed ",
	"event=handshake-failed listener=required source=192.0.2.7:1234 "
	"reason=\"timed out\" us=",
	"event=handshake-failed listener=required source=192.0.2.7:1234 "
	"reason=\"TLS handshake: ",
	"status=408 reason=\"request timed out\" issuer=\"Test Root\"",
};

/* A client that refuses the server: it trusts nobody. */
static void
refuse_server(struct worker *worker)
{
	struct anchors *none = anchors_new();
	struct tls_context *context = test_client(&(struct tls_client_options) {
	    .min_version = 0x0301,
	    .max_version = 0x0303,
	    .ciphers = "AES128-SHA",
	    .extensions = true,
	    .anchors = none,
	    .check_time = true,
	    .check_sha256 = true });
	struct client client;

	client_open(&client, worker, hasty, REQUIRED, context);
	assert_true(client.failed);
	wait_count(worker, 0);
	client_close(&client);
	tls_context_free(context);
	anchors_free(none);
}

static void
say_all(struct worker *worker)
{
	struct client client;
	struct buf request;
	int fd;

	client_open(&client, worker, hasty, REQUIRED, as_a);
	(void)ask(&client,
	    "GET /spa" A ".cfg HTTP/1.1\r\nHost: h\r\n"
	    "User-Agent: Cisco/SPA504G-7.5.2\r\n\r\n");
	(void)ask(&client, "POST /pot HTTP/1.1\r\nHost: h\r\n\r\n");
	client_close(&client);
	client_open(&client, worker, hasty, REQUIRED, as_nobody);
	(void)ask(&client, GET_A);
	client_close(&client);
	client_open(&client, worker, hasty, REQUIRED, as_foreign);
	(void)ask(&client, GET_A);
	client_close(&client);
	client_open(&client, worker, hasty, REQUIRED, as_stranger);
	(void)ask(&client, GET_A);
	buf_init(&request, 10000);
	assert_int_equal(buf_printf(&request, "GET / HTTP/1.1\r\nX: %09000d",
			     0),
	    0);
	(void)ask(&client, buf_text(&request));
	buf_clear(&request);
	client_close(&client);
	client_open(&client, worker, hasty, REQUIRED, as_broken);
	(void)ask(&client, GET("/spa" BROKEN ".cfg"));
	client_close(&client);
	client_open(&client, worker, hasty, REQUIRED, as_a);
	(void)ask(&client, "GET");
	client_close(&client);
	refuse_server(worker);
	fd = connect_worker(worker, hasty, REQUIRED);
	wait_count(worker, 0);
	(void)close(fd);
}

/* Each request leaves one line, and so does each handshake that fails. */
static void
test_log(void **state)
{
	struct worker *worker = start(hasty);
	char *path = xasprintf("%s/log", site.folder);
	int file = open(path, O_RDWR | O_CREAT, 0600);
	int before = dup(STDERR_FILENO);
	char *text = NULL;
	struct error err;
	size_t len;

	(void)state;
	assert_true(file >= 0 && dup2(file, STDERR_FILENO) >= 0);
	log_set_level(LOG_LEVEL_INFO);
	say_all(worker);
	finish(worker);
	log_set_level(LOG_LEVEL_ERROR);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	(void)close(before);
	(void)close(file);
	if (file_read(path, 1000000, &text, &len, &err) != 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < COUNT(logged); i++)
		if (strstr(text, logged[i]) == NULL)
			fail_msg("no %s in\n%s", logged[i], text);
	/* Which alert, and what was offered: the cause is in there. */
	if (strstr(text, "alert-received=unknown_ca") == NULL ||
	    strstr(text, "hello=TLS1.2") == NULL ||
	    strstr(text, "ciphers=002f") == NULL)
		fail_msg("%s", text);
	free(text);
	free(path);
}

/* ------------------------------------------------------- what becomes of it */

static void
wait_counter(struct worker *worker, enum counter which, uint64_t wanted)
{
	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (counters_get(worker_counters(worker), which) == wanted)
			return;
		(void)usleep(10000);
	}
	fail_msg("%s: %llu, not %llu", counters_name(which),
	    (unsigned long long)counters_get(worker_counters(worker), which),
	    (unsigned long long)wanted);
}

/* Is the other end closed? */
static bool
is_closed(int fd)
{
	char byte;

	return wait_fd(fd, POLLIN) && read(fd, &byte, 1) <= 0;
}

static void
test_counters(void **state)
{
	static const enum counter ends[] = { COUNT_DROPPED_FULL,
		COUNT_CLOSED_EARLY, COUNT_SILENT, COUNT_GONE, COUNT_LATE,
		COUNT_FAILED, COUNT_TIMED_OUT, COUNT_COMPLETED };
	struct worker *worker = start(patient);
	struct client client;
	struct answer answer;
	uint64_t sum = 0;
	int fd;

	(void)state;
	for (int i = 0; i < 2; i++) {
		client_open(&client, worker, patient, REQUIRED, as_a);
		client_send(&client,
		    "GET /spa" A ".cfg HTTP/1.0\r\nHost: x\r\n\r\n");
		client_answer(&client, false, &answer);
		assert_int_equal(answer.status, 200);
		free(answer.text);
		client_close(&client);
	}
	wait_counter(worker, COUNT_ANSWERED, 2);
	/* Other tests may have met A first. */
	assert_true(counters_get(worker_counters(worker), COUNT_REMEMBERED) >=
	    1);
	/* Asks for nothing */
	client_open(&client, worker, patient, REQUIRED, as_a);
	client_close(&client);
	wait_counter(worker, COUNT_UNASKED, 1);
	/* Says nothing, in the time there is */
	fd = connect_worker(worker, hasty, REQUIRED);
	wait_counter(worker, COUNT_SILENT, 1);
	assert_true(is_closed(fd));
	(void)close(fd);
	/* Says half a hello */
	fd = connect_worker(worker, hasty, REQUIRED);
	assert_int_equal(write(fd, "\x16\x03\x01\x01\x00\x01\x00\x00\xfc", 9),
	    9);
	wait_counter(worker, COUNT_SILENT, 2);
	(void)close(fd);
	/* Says something else, and leaves */
	fd = connect_worker(worker, patient, REQUIRED);
	assert_int_equal(write(fd, "GET / HTTP/1.0\r\n\r\n", 18), 18);
	wait_counter(worker, COUNT_FAILED, 1);
	(void)close(fd);
	for (size_t i = 0; i < COUNT(ends); i++)
		sum += counters_get(worker_counters(worker), ends[i]);
	assert_int_equal(sum, 6);
	assert_int_equal(counters_get(worker_counters(worker), COUNT_ACCEPTED),
	    6);
	finish(worker);
}

/* Who has said nothing makes room for who comes: the oldest first. */
static void
test_room(void **state)
{
	struct worker *worker = start(patient);
	struct client client;
	struct answer answer;
	int silent[2];

	(void)state;
	client_open(&client, worker, patient, REQUIRED, as_a);
	for (size_t i = 0; i < 2; i++)
		silent[i] = connect_worker(worker, patient, REQUIRED);
	for (uint64_t i = 0; i < 2; i++) {
		int other = connect_instead(worker, patient, REQUIRED, true);

		wait_counter(worker, COUNT_DROPPED_FULL, i + 1);
		assert_true(is_closed(silent[i]));
		(void)close(silent[i]);
		silent[i] = other;
	}
	/* Who has begun is not disturbed. */
	client_send(&client, "GET /spa" A ".cfg HTTP/1.0\r\nHost: x\r\n\r\n");
	client_answer(&client, false, &answer);
	assert_int_equal(answer.status, 200);
	free(answer.text);
	client_close(&client);
	for (size_t i = 0; i < 2; i++)
		(void)close(silent[i]);
	finish(worker);
}

/* ------------------------------------------------------------- a far key */

/* Let that listener use this key.  No configuration can say so yet. */
static void
use_far_key(struct service *service, EVP_PKEY *key)
{
	struct service_listener *listener =
	    (struct service_listener *)(uintptr_t)service_listener(service,
		REQUIRED);
	struct error err;

	tls_context_free(listener->tls);
	listener->tls = tls_context_new_server(
	    &(struct tls_server_options) { .policy = TLS_LEGACY,
		.chain = listener->chain,
		.anchors = listener->anchors,
		.far_key = key },
	    &err);
	assert_non_null(listener->tls);
}

static void
test_far_key(void **state)
{
	struct service *service = open_service(LISTENERS);
	struct worker *worker = start(service);
	struct tls_context *clients[] = { as_a, as_old };
	struct place place;
	struct error err;
	EVP_PKEY *key;

	(void)state;
	place_open(&place, site.key);
	place.later = true;
	key = far_key_new(site.key, place_start, &place, &err);
	assert_non_null(key);
	use_far_key(service, key);
	for (size_t i = 0; i < COUNT(clients); i++) {
		struct client client;
		struct answer answer;

		client_open(&client, worker, service, REQUIRED, clients[i]);
		client_send(&client,
		    "GET /spa" A ".cfg HTTP/1.0\r\nHost: x\r\n\r\n");
		client_answer(&client, false, &answer);
		assert_int_equal(answer.status, 200);
		free(answer.text);
		client_close(&client);
	}
	assert_true(atomic_load(&place.done) >= 2);
	/* Who leaves while the key is at work takes nothing with it. */
	for (int i = 0; i < 20; i++) {
		int fd = connect_worker(worker, service, REQUIRED);
		struct tls_conn *tls = tls_conn_new_client(as_a, fd, NULL,
		    &err);

		(void)!tls_conn_handshake(tls, &err);
		if (i % 2 == 0)
			(void)usleep(500);
		tls_conn_free(tls);
		(void)close(fd);
	}
	finish(worker);
	service_release(service);
	far_key_forget(key);
	EVP_PKEY_free(key);
	place_close(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_new_snapshot),
		cmocka_unit_test(test_new_service),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_far_key),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, setup, teardown);
}
