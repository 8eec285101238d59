#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509_vfy.h>

#include "../../lib/pair.h"
#include "pki/anchors.h"
#include "tls/client.h"
#include "tls/internal.h"
#include "tls/tickets.h"

#define NOW time(NULL)

/* ----------------------------------------------------------- keys of tickets */

static void
test_rotation(void **state)
{
	struct tickets *tickets = tickets_new(), *other = tickets_new();
	struct ticket_key first, second, found;
	uint64_t t = 1000000;
	bool newest;

	(void)state;
	assert_true(tickets_seal(tickets, t, &first));
	assert_true(tickets_seal(tickets, t + TICKET_SEAL_S - 1, &second));
	assert_memory_equal(&first, &second, sizeof(first));
	assert_true(tickets_open(tickets, t, first.name, &found, &newest));
	assert_memory_equal(&first, &found, sizeof(first));
	assert_true(newest);
	/* After its hour it only opens, */
	assert_true(tickets_open(tickets, t + TICKET_SEAL_S, first.name, &found,
	    &newest));
	assert_false(newest);
	assert_true(tickets_seal(tickets, t + TICKET_SEAL_S, &second));
	assert_memory_not_equal(first.name, second.name, TICKET_NAME_BYTES);
	assert_memory_not_equal(first.cipher, second.cipher, TICKET_KEY_BYTES);
	assert_memory_not_equal(first.mac, second.mac, TICKET_KEY_BYTES);
	assert_true(tickets_open(tickets, t + 3 * TICKET_SEAL_S - 1, first.name,
	    &found, &newest));
	/* and after three not even that. */
	assert_false(tickets_open(tickets, t + 3 * TICKET_SEAL_S, first.name,
	    &found, &newest));
	assert_true(tickets_open(tickets, t + 3 * TICKET_SEAL_S, second.name,
	    &found, &newest));
	/* Keys are nobody else's. */
	assert_false(tickets_open(other, t, second.name, &found, &newest));
	tickets_free(tickets);
	tickets_free(other);
	tickets_free(NULL);
}

static void
test_appear(void **state)
{
	struct tickets *tickets = tickets_new();
	struct ticket_key key;
	uint8_t hello[100] = { 0 };

	(void)state;
	assert_false(tickets_appear(tickets, 1, hello, sizeof(hello)));
	assert_true(tickets_seal(tickets, 1, &key));
	assert_false(tickets_appear(tickets, 1, hello, sizeof(hello)));
	memcpy(hello + sizeof(hello) - TICKET_NAME_BYTES, key.name,
	    TICKET_NAME_BYTES);
	assert_true(tickets_appear(tickets, 1, hello, sizeof(hello)));
	assert_false(tickets_appear(tickets, 1, hello, sizeof(hello) - 1));
	assert_false(tickets_appear(tickets, 1 + 3 * TICKET_SEAL_S, hello,
	    sizeof(hello)));
	tickets_free(tickets);
}

/* -------------------------------------------------------- real handshakes */

static char *folder;
static EVP_PKEY *key, *weak;
static X509 *root, *stranger;
static struct anchors *anchors;
static struct chain *server_chain;

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
	stranger = test_mint("Stranger",
	    (struct mint_request) { .key = key, .ca = true });
	cert = test_mint("prov.example.net",
	    (struct mint_request) {
		.key = key, .issuer = root, .issuer_key = key });
	server_chain = test_chain(folder, &cert, 1, key);
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
	X509_free(root);
	X509_free(stranger);
	EVP_PKEY_free(key);
	EVP_PKEY_free(weak);
	test_remove_folder(folder);
	return 0;
}

static struct tls_context *
make_server(size_t sessions)
{
	struct error err;
	struct tls_context *context = tls_context_new_server(
	    &(struct tls_server_options) { .policy = TLS_LEGACY,
		.chain = server_chain,
		.anchors = anchors,
		.verifications = 100,
		.sessions = sessions },
	    &err);

	if (context == NULL)
		test_die("server context", &err);
	return context;
}

static struct chain *
mint_leaf(X509 *issuer, time_t not_after)
{
	X509 *cert = test_mint("device",
	    (struct mint_request) { .key = weak,
		.issuer = issuer,
		.issuer_key = key,
		.not_after = not_after });
	struct chain *chain = test_chain(folder, &cert, 1, weak);

	X509_free(cert);
	return chain;
}

/* extensions false: a device that knows no tickets, only ids */
static struct tls_context *
make_client(const struct chain *chain, int version, bool extensions)
{
	struct tls_context *client = test_client(&(struct tls_client_options) {
	    .min_version = version,
	    .max_version = version,
	    .ciphers = "AES128-SHA",
	    .extensions = extensions,
	    .anchors = anchors,
	    .check_time = true,
	    .check_sha256 = true,
	    .chain = chain });

	(void)SSL_CTX_set_session_cache_mode(client->ssl_ctx,
	    SSL_SESS_CACHE_CLIENT);
	return client;
}

struct meeting {
	bool resumed, done;
	struct tls_peer peer;
	SSL_SESSION *session; /* to be resumed next time */
};

/* Shake hands, resuming session (taken) unless it is NULL. */
static struct meeting
meet(struct tls_context *server, struct tls_context *client,
    SSL_SESSION *session)
{
	struct meeting meeting = { 0 };
	struct pair p;
	char byte;
	size_t n;

	pair_open(&p, server, client, NULL);
	if (session != NULL)
		assert_int_equal(SSL_set_session(p.client->ssl, session), 1);
	SSL_SESSION_free(session);
	pair_run(&p);
	meeting.done = p.server_io == TLS_DONE && p.client_io == TLS_DONE;
	meeting.resumed = tls_conn_is_resumed(p.server);
	assert_int_equal(meeting.resumed, tls_conn_is_resumed(p.client));
	meeting.peer = *tls_conn_peer(p.server);
	if (meeting.peer.verdict != TLS_PEER_NONE) {
		assert_non_null(meeting.peer.der);
		assert_non_null(tls_conn_certificate(p.server));
	}
	meeting.peer.der = NULL;
	/* Tickets of TLS 1.3 come after the handshake. */
	(void)!tls_conn_read(p.client, &byte, 1, &n, &p.client_err);
	meeting.session = SSL_get1_session(p.client->ssl);
	tls_conn_shutdown(p.client);
	tls_conn_shutdown(p.server);
	pair_close(&p);
	return meeting;
}

static const struct {
	int version;
	bool extensions;
} ways[] = {
	{ 0x301, false },
	{ 0x301, true },
	{ 0x302, true },
	{ 0x303, false },
	{ 0x303, true },
	{ 0x304, true },
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static void
test_resumed(void **state)
{
	struct chain *device = mint_leaf(root, NOW + DAY);

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct tls_context *server = make_server(100);
		struct tls_context *client = make_client(device,
		    ways[i].version, ways[i].extensions);
		struct meeting first, next;

		first = meet(server, client, NULL);
		assert_true(first.done);
		assert_false(first.resumed);
		assert_int_equal(first.peer.verdict, TLS_PEER_TRUSTED);
		for (int again = 0; again < 3; again++) {
			next = meet(server, client, first.session);
			assert_true(next.done);
			if (!next.resumed)
				fail_msg("way %zu, time %d: not resumed", i,
				    again);
			/* It is known as well as it was. */
			assert_string_equal(next.peer.verify_text,
			    first.peer.verify_text);
			next.peer.verify_text = first.peer.verify_text;
			assert_memory_equal(&next.peer, &first.peer,
			    sizeof(first.peer));
			first.session = next.session;
		}
		SSL_SESSION_free(first.session);
		tls_context_free(client);
		tls_context_free(server);
	}
	chain_free(device);
}

/* Another context, of another listener or after a reload, begins anew; and so
 * does one that resumes nothing. */
static void
test_other_context(void **state)
{
	struct chain *device = mint_leaf(root, NOW + DAY);

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct tls_context *servers[] = { make_server(100),
			make_server(100), make_server(0) };
		struct tls_context *client = make_client(device,
		    ways[i].version, ways[i].extensions);

		for (size_t j = 1; j < 3; j++) {
			struct meeting m = meet(servers[0], client, NULL);

			m = meet(servers[j], client, m.session);
			assert_true(m.done);
			assert_false(m.resumed);
			assert_int_equal(m.peer.verdict, TLS_PEER_TRUSTED);
			SSL_SESSION_free(m.session);
		}
		tls_context_free(client);
		for (size_t j = 0; j < 3; j++)
			tls_context_free(servers[j]);
	}
	chain_free(device);
}

/* The dates of the chain count for a session, too. */
static void
test_expiry(void **state)
{
	time_t end = NOW + 3;
	struct chain *device = mint_leaf(root, end);
	struct tls_context *servers[WAYS], *clients[WAYS];
	SSL_SESSION *sessions[WAYS];

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct meeting m;

		servers[i] = make_server(100);
		clients[i] = make_client(device, ways[i].version,
		    ways[i].extensions);
		m = meet(servers[i], clients[i], NULL);
		assert_int_equal(m.peer.verdict, TLS_PEER_TRUSTED);
		sessions[i] = m.session;
	}
	while (NOW < end)
		(void)usleep(20000);
	for (size_t i = 0; i < WAYS; i++) {
		struct meeting m = meet(servers[i], clients[i], sessions[i]);

		assert_true(m.resumed);
		assert_int_equal(m.peer.verdict, TLS_PEER_EXPIRED);
		assert_int_equal(m.peer.verify_error,
		    X509_V_ERR_CERT_HAS_EXPIRED);
		SSL_SESSION_free(m.session);
		tls_context_free(clients[i]);
		tls_context_free(servers[i]);
	}
	chain_free(device);
}

/* Who is not trusted gets no session, or one that is not trusted either. */
static void
test_untrusted(void **state)
{
	struct chain *device = mint_leaf(stranger, NOW + DAY);

	(void)state;
	for (size_t i = 0; i < WAYS; i++) {
		struct tls_context *server = make_server(100);
		struct tls_context *client = make_client(device,
		    ways[i].version, ways[i].extensions);
		struct meeting m = meet(server, client, NULL);

		assert_int_equal(m.peer.verdict, TLS_PEER_UNTRUSTED);
		m = meet(server, client, m.session);
		assert_true(m.done);
		assert_int_equal(m.peer.verdict, TLS_PEER_UNTRUSTED);
		SSL_SESSION_free(m.session);
		tls_context_free(client);
		/* The same for who shows nothing. */
		client = make_client(NULL, ways[i].version, ways[i].extensions);
		m = meet(server, client, NULL);
		m = meet(server, client, m.session);
		assert_true(m.done);
		assert_int_equal(m.peer.verdict, TLS_PEER_NONE);
		SSL_SESSION_free(m.session);
		tls_context_free(client);
		tls_context_free(server);
	}
	chain_free(device);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_appear),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_other_context),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_untrusted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
