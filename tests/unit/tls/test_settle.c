#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/pair.h"
#include "pki/anchors.h"
#include "tls/client.h"
#include "tls/internal.h"

#define NOW time(NULL)

/* ------------------------------------------------ what OpenSSL has in memory */

/* Of the side whose turn it is: every block says which one took it. */
union header {
	struct {
		size_t size;
		bool servers;
	} of;
	max_align_t align;
};

static size_t servers_bytes;
static bool servers_turn;

static void *
take(size_t size, const char *file, int line)
{
	union header *block = malloc(sizeof(*block) + size);

	(void)file;
	(void)line;
	if (block == NULL)
		return NULL;
	block->of.size = size;
	block->of.servers = servers_turn;
	servers_bytes += servers_turn ? size : 0;
	return block + 1;
}

static void
give_back(void *memory, const char *file, int line)
{
	union header *block = memory;

	(void)file;
	(void)line;
	if (block == NULL)
		return;
	block--;
	servers_bytes -= block->of.servers ? block->of.size : 0;
	free(block);
}

static void *
resize(void *old, size_t size, const char *file, int line)
{
	void *new = take(size, file, line);
	size_t kept;

	if (old == NULL || new == NULL)
		return new;
	kept = ((union header *)old - 1)->of.size;
	memcpy(new, old, kept < size ? kept : size);
	give_back(old, file, line);
	return new;
}

/* ---------------------------------------------------------------- both ends */

static char *folder;
static EVP_PKEY *key, *weak;
static X509 *root;
static struct anchors *anchors;
static struct chain *server_chain, *device_chain;

static int
setup(void **state)
{
	X509 *cert;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	key = test_key(2048);
	weak = test_key(1024);
	root = test_mint("Root",
	    (struct mint_request) { .key = key, .ca = true });
	cert = test_mint("prov.example.net",
	    (struct mint_request) {
		.key = key, .issuer = root, .issuer_key = key });
	server_chain = test_chain(folder, &cert, 1, key);
	X509_free(cert);
	cert = test_mint("device",
	    (struct mint_request) { .key = weak,
		.issuer = root,
		.issuer_key = key,
		.not_after = NOW + DAY });
	device_chain = test_chain(folder, &cert, 1, weak);
	X509_free(cert);
	anchors = anchors_new();
	anchors_add(anchors, root);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	anchors_free(anchors);
	chain_free(server_chain);
	chain_free(device_chain);
	X509_free(root);
	EVP_PKEY_free(key);
	EVP_PKEY_free(weak);
	test_remove_folder(folder);
	return 0;
}

static struct tls_context *
make_server(size_t sessions, size_t verifications)
{
	struct error err;
	struct tls_context *context = tls_context_new_server(
	    &(struct tls_server_options) { .policy = TLS_LEGACY,
		.chain = server_chain,
		.anchors = anchors,
		.verifications = verifications,
		.sessions = sessions },
	    &err);

	if (context == NULL)
		test_die("server context", &err);
	return context;
}

/* Every kind of protection that a record can have. */
static const struct way {
	int version;
	bool extensions;
	const char *ciphers;
	size_t bytes; /* of OpenSSL, for each settled connection; measured */
} ways[] = {
	{ 0x301, false, "AES128-SHA", 11112 },
	{ 0x303, false, "AES128-SHA", 11218 },
	{ 0x301, true, "AES128-SHA", 13032 }, /* encrypt-then-MAC */
	{ 0x302, true, "AES256-SHA", 13032 },
	{ 0x303, true, "AES128-SHA256", 13282 },
	{ 0x303, true, "ECDHE-RSA-AES128-GCM-SHA256", 11567 },
	{ 0x304, true, "AES128-SHA", 12560 },
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static struct tls_context *
make_client(const struct way *way)
{
	struct tls_context *client = test_client(&(struct tls_client_options) {
	    .min_version = way->version,
	    .max_version = way->version,
	    .ciphers = way->ciphers,
	    .extensions = way->extensions,
	    .anchors = anchors,
	    .check_time = true,
	    .check_sha256 = true,
	    .chain = device_chain });

	(void)SSL_CTX_set_session_cache_mode(client->ssl_ctx,
	    SSL_SESS_CACHE_CLIENT);
	return client;
}

static void
check_transfer(struct tls_conn *from, struct tls_conn *to)
{
	static const char text[] = "GET /";
	char data[32];
	struct error err;
	size_t n;

	assert_int_equal(tls_conn_write(from, text, sizeof(text), &n, &err),
	    TLS_DONE);
	assert_int_equal(tls_conn_read(to, data, sizeof(data), &n, &err),
	    TLS_DONE);
	assert_int_equal(n, sizeof(text));
	assert_memory_equal(data, text, n);
}

static void
open_settled(struct pair *p, struct tls_context *server,
    struct tls_context *client)
{
	pair_handshake(p, server, client, NULL);
	assert_int_equal(p->server_io, TLS_DONE);
	assert_int_equal(p->client_io, TLS_DONE);
	tls_conn_settle(p->server);
	assert_true(p->server->settled);
	assert_null(tls_conn_certificate(p->server));
}

/* ------------------------------------------------------------------- tests */

/* Asked again, a connection says what it said before. */
static void
test_same_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct tls_context *server = make_server(0, 100);
		struct tls_context *client = make_client(&ways[i]);
		time_t from, until, from_now, until_now;
		char cipher[64];
		struct tls_peer peer;
		struct pair p;

		pair_handshake(&p, server, client, NULL);
		tls_conn_drop_der(p.server);
		peer = *tls_conn_peer(p.server);
		(void)snprintf(cipher, sizeof(cipher), "%s",
		    tls_conn_cipher(p.server));
		assert_int_equal(peer.verdict, TLS_PEER_TRUSTED);
		assert_true(tls_conn_validity(p.server, &from, &until));

		tls_conn_settle(p.server);
		assert_true(p.server->settled);
		assert_memory_equal(tls_conn_peer(p.server), &peer,
		    sizeof(peer));
		assert_string_equal(tls_conn_cipher(p.server), cipher);
		assert_int_equal(tls_conn_version(p.server), ways[i].version);
		assert_true(tls_conn_validity(p.server, &from_now, &until_now));
		assert_int_equal(from_now, from);
		assert_int_equal(until_now, until);
		assert_true(tls_conn_hello(p.server)->seen);
		tls_conn_settle(p.server); /* nothing more */
		check_transfer(p.client, p.server);
		check_transfer(p.server, p.client);
		tls_conn_shutdown(p.server);
		pair_close(&p);
		tls_context_free(client);
		tls_context_free(server);
	}
}

/* What it receives is checked as before, and the alert is noted. */
static void
test_changed_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct tls_context *server = make_server(0, 100);
		struct tls_context *client = make_client(&ways[i]);
		uint8_t record[512];
		struct error err;
		struct pair p;
		char data[32];
		ssize_t len;
		size_t n;

		open_settled(&p, server, client);
		assert_int_equal(tls_conn_write(p.client, "GET /", 5, &n, &err),
		    TLS_DONE);
		len = read(p.server_fd, record, sizeof(record));
		assert_true(len > 5);
		record[len - 1] ^= 1;
		assert_int_equal(write(p.client_fd, record, (size_t)len), len);
		assert_int_equal(tls_conn_read(p.server, data, sizeof(data), &n,
				     &err),
		    TLS_FAILED);
		assert_int_equal(n, 0);
		assert_int_equal(tls_conn_alert_sent(p.server),
		    SSL_AD_BAD_RECORD_MAC);
		pair_close(&p);
		tls_context_free(client);
		tls_context_free(server);
	}
}

/* New keys of TLS 1.3 come with whatever stands in for the context. */
static void
test_key_update(void **state)
{
	struct tls_context *server = make_server(0, 100);
	struct tls_context *client = make_client(&ways[WAYS - 1]);
	struct pair p;

	(void)state;
	open_settled(&p, server, client);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(SSL_key_update(p.client->ssl,
				     SSL_KEY_UPDATE_REQUESTED),
		    1);
		check_transfer(p.client, p.server);
		check_transfer(p.server, p.client);
	}
	pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
}

enum ending { GOOD, ABRUPT, BROKEN };

/* The client's session after a connection that ended so. */
static SSL_SESSION *
session_of(struct tls_context *server, struct tls_context *client,
    enum ending ending)
{
	SSL_SESSION *session;
	struct pair p;
	struct error err;
	char byte;
	size_t n;

	open_settled(&p, server, client);
	check_transfer(p.client, p.server);
	/* Tickets of TLS 1.3 come after the handshake. */
	(void)!tls_conn_read(p.client, &byte, 1, &n, &err);
	session = SSL_get1_session(p.client->ssl);
	if (ending == BROKEN) {
		/* A record that nobody has protected. */
		assert_int_equal(write(p.client_fd, "\x17\x03\x01\0\1x", 6), 6);
		assert_int_equal(tls_conn_read(p.server, &byte, 1, &n, &err),
		    TLS_FAILED);
		assert_true(tls_conn_alert_sent(p.server) >= 0);
	}
	if (ending == GOOD)
		tls_conn_shutdown(p.client);
	else /* else the client's OpenSSL would not offer it either */
		SSL_set_shutdown(p.client->ssl, SSL_SENT_SHUTDOWN);
	if (ending != ABRUPT)
		tls_conn_shutdown(p.server); /* does nothing when broken */
	pair_close(&p);
	return session;
}

/* Is it resumed?  Takes it. */
static bool
resumes(struct tls_context *server, struct tls_context *client,
    SSL_SESSION *session)
{
	struct pair p;
	bool resumed;

	pair_open(&p, server, client, NULL);
	assert_int_equal(SSL_set_session(p.client->ssl, session), 1);
	SSL_SESSION_free(session);
	pair_run(&p);
	assert_int_equal(p.server_io, TLS_DONE);
	assert_int_equal(tls_conn_peer(p.server)->verdict, TLS_PEER_TRUSTED);
	resumed = tls_conn_is_resumed(p.server);
	tls_conn_settle(p.server);
	assert_true(p.server->settled);
	assert_int_equal(tls_conn_is_resumed(p.server), resumed);
	check_transfer(p.client, p.server);
	tls_conn_shutdown(p.server);
	pair_close(&p);
	return resumed;
}

/* Sessions are resumed or not as if they had stayed where they were. */
static void
test_resumption(void **state)
{
	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct tls_context *server = make_server(100, 100);
		struct tls_context *client = make_client(&ways[i]);
		/* A ticket is the device's, whatever came after it. */
		bool by_ticket = ways[i].extensions;

		assert_true(resumes(server, client,
		    session_of(server, client, GOOD)));
		assert_int_equal(resumes(server, client,
				     session_of(server, client, ABRUPT)),
		    by_ticket);
		assert_int_equal(resumes(server, client,
				     session_of(server, client, BROKEN)),
		    by_ticket);
		tls_context_free(client);
		tls_context_free(server);
	}
}

/* RFC 6066 4: what was agreed of it only the session knows. */
static void
test_fragment_length(void **state)
{
	struct tls_context *server = make_server(0, 100);
	struct tls_context *client = make_client(&ways[5]);
	struct pair p;

	(void)state;
	assert_int_equal(SSL_CTX_set_tlsext_max_fragment_length(client->ssl_ctx,
			     TLSEXT_max_fragment_length_512),
	    1);
	pair_handshake(&p, server, client, NULL);
	assert_int_equal(p.server_io, TLS_DONE);
	tls_conn_settle(p.server);
	assert_false(p.server->settled);
	assert_non_null(tls_conn_certificate(p.server));
	check_transfer(p.client, p.server);
	pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
}

static void
test_too_early_and_clients(void **state)
{
	struct tls_context *server = make_server(0, 100);
	struct tls_context *client = make_client(&ways[0]);
	struct pair p;

	(void)state;
	pair_open(&p, server, client, NULL);
	tls_conn_settle(p.server);
	assert_false(p.server->settled);
	pair_run(&p);
	assert_int_equal(p.server_io, TLS_DONE);
	tls_conn_settle(p.client);
	assert_false(p.client->settled);
	assert_non_null(tls_conn_certificate(p.client));
	pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
}

/* ------------------------------------------------------------------ memory */

static void
open_counted(struct pair *p, struct tls_context *server,
    struct tls_context *client)
{
	struct error err;
	char byte;
	size_t n;

	*p = (struct pair) { .client_io = TLS_WANT_READ,
		.server_io = TLS_WANT_READ };
	pair_sockets(&p->server_fd, &p->client_fd);
	p->client = tls_conn_new_client(client, p->client_fd, NULL, &err);
	servers_turn = true;
	p->server = tls_conn_new_server(server, p->server_fd, &err);
	while (pair_waits(p->client_io) || pair_waits(p->server_io)) {
		servers_turn = false;
		if (pair_waits(p->client_io))
			p->client_io = tls_conn_handshake(p->client, &err);
		servers_turn = true;
		if (pair_waits(p->server_io))
			p->server_io = tls_conn_handshake(p->server, &err);
	}
	tls_conn_settle(p->server);
	assert_int_equal(tls_conn_read(p->server, &byte, 1, &n, &err),
	    TLS_WANT_READ);
	servers_turn = false;
}

/* An idle connection may not grow by more than a tenth unnoticed. */
static void
test_memory(void **state)
{
	struct pair pairs[8];
	const size_t count = sizeof(pairs) / sizeof(*pairs);

	(void)state;
	assert_true(sizeof(struct tls_conn) <= 1100); /* 1,016 */
	for (size_t i = 0; i < 2 * WAYS; i++) {
		/* Verified before, or for the first time. */
		struct tls_context *server = make_server(0, i < WAYS ? 100 : 0);
		struct tls_context *client = make_client(&ways[i % WAYS]);
		size_t before, each;

		/* What is made once is made by the first ones. */
		open_counted(&pairs[0], server, client);
		open_counted(&pairs[1], server, client);
		before = servers_bytes;
		for (size_t j = 2; j < count; j++)
			open_counted(&pairs[j], server, client);
		each = (servers_bytes - before) / (count - 2);
		if (each > ways[i % WAYS].bytes + ways[i % WAYS].bytes / 10)
			fail_msg("way %zu: %zu bytes each, not %zu", i, each,
			    ways[i % WAYS].bytes);
		for (size_t j = 0; j < count; j++)
			pair_close(&pairs[j]);
		assert_true(servers_bytes < before);
		tls_context_free(client);
		tls_context_free(server);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_changed_record),
		cmocka_unit_test(test_key_update),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_fragment_length),
		cmocka_unit_test(test_too_early_and_clients),
		cmocka_unit_test(test_memory),
	};

	/* Before anything else of OpenSSL. */
	if (CRYPTO_set_mem_functions(take, resize, give_back) != 1)
		abort();
	return cmocka_run_group_tests(tests, setup, teardown);
}
