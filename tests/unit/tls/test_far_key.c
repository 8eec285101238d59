/*
 * A private key that is elsewhere, driven through real handshakes: at once, and
 * later from another thread.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/pair.h"
#include "../../lib/place.h"
#include "pki/anchors.h"
#include "tls/far_key.h"

static char *folder;
static EVP_PKEY *root_key, *server_key, *device_key;
static X509 *root;
static struct anchors *anchors;
static struct chain *server_chain, *device;

/* ---------------------------------------------------------------- handshakes */

static struct chain *
mint(const char *name, EVP_PKEY *key)
{
	X509 *cert = test_mint(name,
	    (struct mint_request) {
		.key = key, .issuer = root, .issuer_key = root_key });
	struct chain *chain = test_chain(folder, &cert, 1, key);

	X509_free(cert);
	return chain;
}

static int
setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	root_key = test_key(2048);
	server_key = test_key(2048);
	device_key = test_key(1024);
	root = test_mint("Root",
	    (struct mint_request) { .key = root_key, .ca = true });
	anchors = anchors_new();
	anchors_add(anchors, root);
	server_chain = mint("prov.example.net", server_key);
	device = mint("device", device_key);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	chain_free(server_chain);
	chain_free(device);
	anchors_free(anchors);
	X509_free(root);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(server_key);
	EVP_PKEY_free(device_key);
	test_remove_folder(folder);
	return 0;
}

static const struct {
	int version;
	const char *ciphers; /* sign, or decrypt */
} ways[] = {
	{ 0x301, "AES128-SHA" },
	{ 0x301, "ECDHE-RSA-AES128-SHA" },
	{ 0x302, "AES128-SHA" },
	{ 0x303, "AES128-GCM-SHA256" },
	{ 0x303, "ECDHE-RSA-AES128-GCM-SHA256" },
	{ 0x304, "ALL" },
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static struct tls_context *
make_server(EVP_PKEY *far_key)
{
	struct error err;
	struct tls_context *context = tls_context_new_server(
	    &(struct tls_server_options) { .policy = TLS_LEGACY,
		.chain = server_chain,
		.far_key = far_key,
		.anchors = anchors },
	    &err);

	if (context == NULL)
		test_die("server context", &err);
	return context;
}

static struct tls_context *
make_client(size_t way)
{
	return test_client(&(struct tls_client_options) {
	    .min_version = ways[way].version,
	    .max_version = ways[way].version,
	    .ciphers = ways[way].ciphers,
	    .extensions = true,
	    .anchors = anchors,
	    .check_time = true,
	    .check_sha256 = true,
	    .chain = device });
}

static EVP_PKEY *
make_far(struct place *place)
{
	struct error err;
	EVP_PKEY *key = far_key_new(server_key, place_start, place, &err);

	if (key == NULL)
		test_die("far key", &err);
	return key;
}

static void
wake(void *arg)
{
	int fd = *(int *)arg;

	if (write(fd, "w", 1) != 1)
		abort();
}

/* As pair_run(), but whoever waits for the key is woken by it. */
static unsigned
run_woken(struct pair *p)
{
	unsigned waits = 0;
	int fds[2];
	char byte;

	if (pipe(fds) != 0)
		abort();
	tls_conn_set_waker(p->server, wake, &fds[1]);
	p->server_io = p->client_io = TLS_WANT_READ;
	for (int i = 0; i < 64 && pair_waits(p->server_io); i++) {
		if (pair_waits(p->client_io))
			p->client_io = tls_conn_handshake(p->client,
			    &p->client_err);
		p->server_io = tls_conn_handshake(p->server, &p->server_err);
		while (tls_conn_waits_for_key(p->server)) {
			waits++;
			if (read(fds[0], &byte, 1) != 1)
				abort();
			p->server_io = tls_conn_handshake(p->server,
			    &p->server_err);
		}
	}
	if (pair_waits(p->client_io))
		p->client_io = tls_conn_handshake(p->client, &p->client_err);
	tls_conn_set_waker(p->server, NULL, NULL);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return waits;
}

static void
test_at_once(void **state)
{
	struct place place;
	struct tls_context *server;
	EVP_PKEY *key;

	(void)state;
	place_open(&place, server_key);
	key = make_far(&place);
	server = make_server(key);
	for (size_t i = 0; i < WAYS; i++) {
		struct tls_context *client = make_client(i);
		struct pair p;

		pair_handshake(&p, server, client, NULL);
		if (p.server_io != TLS_DONE || p.client_io != TLS_DONE)
			fail_msg("way %zu: %s", i, p.server_err.text);
		assert_int_equal(tls_conn_peer(p.server)->verdict,
		    TLS_PEER_TRUSTED);
		assert_int_equal(atomic_load(&place.done), i + 1);
		pair_close(&p);
		tls_context_free(client);
	}
	tls_context_free(server);
	far_key_forget(key);
	EVP_PKEY_free(key);
	place_close(&place);
}

/* The loop is free meanwhile; without one the handshake waits by itself. */
static void
test_later(void **state)
{
	struct place place;
	struct tls_context *server;
	EVP_PKEY *key;

	(void)state;
	place_open(&place, server_key);
	place.later = true;
	key = make_far(&place);
	server = make_server(key);
	for (size_t i = 0; i < 2 * WAYS; i++) {
		struct tls_context *client = make_client(i / 2);
		struct pair p;

		pair_open(&p, server, client, NULL);
		if (i % 2 == 0)
			assert_int_equal(run_woken(&p), 1);
		else
			pair_run(&p);
		if (p.server_io != TLS_DONE || p.client_io != TLS_DONE)
			fail_msg("way %zu: %s", i / 2, p.server_err.text);
		assert_int_equal(atomic_load(&place.done), i + 1);
		pair_close(&p);
		tls_context_free(client);
	}
	tls_context_free(server);
	far_key_forget(key);
	EVP_PKEY_free(key);
	place_close(&place);
}

/* Many wait at once, in one thread. */
static void
test_crowd(void **state)
{
	enum { CROWD = 20 };
	struct place place;
	struct tls_context *server, *client = make_client(0);
	EVP_PKEY *key;
	struct pair p[CROWD];
	int fds[2];
	unsigned done = 0;

	(void)state;
	if (pipe(fds) != 0)
		abort();
	place_open(&place, server_key);
	place.later = true;
	key = make_far(&place);
	server = make_server(key);
	for (size_t i = 0; i < CROWD; i++) {
		pair_open(&p[i], server, client, NULL);
		tls_conn_set_waker(p[i].server, wake, &fds[1]);
		p[i].server_io = p[i].client_io = TLS_WANT_READ;
	}
	for (int turn = 0; turn < 1000 && done < CROWD; turn++) {
		done = 0;
		for (size_t i = 0; i < CROWD; i++) {
			if (pair_waits(p[i].client_io))
				p[i].client_io = tls_conn_handshake(p[i].client,
				    &p[i].client_err);
			if (pair_waits(p[i].server_io))
				p[i].server_io = tls_conn_handshake(p[i].server,
				    &p[i].server_err);
			done += p[i].server_io == TLS_DONE &&
			    p[i].client_io == TLS_DONE;
		}
		(void)usleep(1000);
	}
	assert_int_equal(done, CROWD);
	assert_int_equal(atomic_load(&place.done), CROWD);
	for (size_t i = 0; i < CROWD; i++)
		pair_close(&p[i]);
	(void)close(fds[0]);
	(void)close(fds[1]);
	tls_context_free(server);
	tls_context_free(client);
	far_key_forget(key);
	EVP_PKEY_free(key);
	place_close(&place);
}

/* A place that errs, or refuses, ends the handshake; nothing wrong goes out. */
static void
test_failures(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++)
		for (int wrong = 0; wrong < 2; wrong++)
			for (size_t i = 0; i < WAYS; i++) {
				struct place place;
				struct tls_context *server, *client;
				struct pair p;
				EVP_PKEY *key;

				place_open(&place, server_key);
				place.later = later;
				place.wrong = wrong;
				place.fail = !wrong;
				key = make_far(&place);
				server = make_server(key);
				client = make_client(i);
				pair_open(&p, server, client, NULL);
				(void)run_woken(&p);
				assert_int_equal(p.server_io, TLS_FAILED);
				assert_int_not_equal(p.client_io, TLS_DONE);
				assert_int_equal(atomic_load(&place.done), 1);
				pair_close(&p);
				tls_context_free(client);
				tls_context_free(server);
				far_key_forget(key);
				EVP_PKEY_free(key);
				place_close(&place);
			}
}

/* Keys that are here do not go there; and what is no RSA key is refused. */
static void
test_others(void **state)
{
	struct place place;
	struct tls_context *client = make_client(0), *server;
	EVP_PKEY *key, *curve = EVP_EC_gen("P-256");
	struct error err;
	struct pair p;

	(void)state;
	place_open(&place, server_key);
	key = make_far(&place);
	assert_null(far_key_new(curve, place_start, &place, &err));
	assert_non_null(strstr(err.text, "RSA"));
	far_key_forget(key);
	/* Forgotten: the key of the chain is as near as it was. */
	server = make_server(NULL);
	pair_handshake(&p, server, client, NULL);
	assert_int_equal(p.server_io, TLS_DONE);
	assert_int_equal(atomic_load(&place.done), 0);
	pair_close(&p);
	tls_context_free(server);
	tls_context_free(client);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(key);
	place_close(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_later),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
