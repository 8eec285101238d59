#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/pair.h"
#include "pki/anchors.h"
#include "tls/internal.h"

#define RSA_ONLY "AES256-SHA:AES128-SHA"

static char *folder;
static EVP_PKEY *ca_key, *weak_key, *good_key;
static X509 *ca;
static struct chain *weak_chain, *good_chain;
static struct anchors *anchors; /* for both sides */

static int
setup(void **state)
{
	X509 *cert;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	ca_key = test_key(2048);
	weak_key = test_key(1024);
	good_key = test_key(2048);
	ca = test_mint("Any Root",
	    (struct mint_request) { .key = ca_key, .ca = true });
	cert = test_mint("weak.example.net",
	    (struct mint_request) { .key = weak_key,
		.issuer = ca,
		.issuer_key = ca_key,
		.digest = "md5",
		.extended_key_usage = "serverAuth" });
	weak_chain = test_chain(folder, &cert, 1, weak_key);
	X509_free(cert);
	cert = test_mint("good.example.net",
	    (struct mint_request) {
		.key = good_key, .issuer = ca, .issuer_key = ca_key });
	good_chain = test_chain(folder, &cert, 1, good_key);
	X509_free(cert);
	anchors = anchors_new();
	anchors_add(anchors, ca);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	anchors_free(anchors);
	chain_free(weak_chain);
	chain_free(good_chain);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(weak_key);
	EVP_PKEY_free(good_key);
	test_remove_folder(folder);
	return 0;
}

static struct tls_client_options
client_options(int min, int max, const char *ciphers)
{
	return (struct tls_client_options) { .min_version = min,
		.max_version = max,
		.ciphers = ciphers,
		.extensions = true,
		.anchors = anchors,
		.check_time = true,
		.check_sha256 = true };
}

static const struct {
	enum tls_policy policy;
	int min, max;
	const char *ciphers;
	int version;	    /* agreed; 0: refused */
	const char *agreed; /* cipher, or alert that the client gets */
} policies[] = {
	{ TLS_LEGACY, 0x301, 0x301, "AES128-SHA", 0x301, "AES128-SHA" },
	{ TLS_LEGACY, 0x301, 0x301, "AES256-SHA", 0x301, "AES256-SHA" },
	{ TLS_LEGACY, 0x301, 0x301, "DHE-RSA-AES256-SHA:AES128-SHA", 0x301,
	    "AES128-SHA" },
	{ TLS_LEGACY, 0x301, 0x301, "ECDHE-RSA-AES128-SHA", 0x301,
	    "ECDHE-RSA-AES128-SHA" },
	{ TLS_LEGACY, 0x301, 0x302, RSA_ONLY, 0x302, "AES256-SHA" },
	{ TLS_LEGACY, 0x301, 0x303, "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256",
	    0x303, "ECDHE-RSA-AES128-GCM-SHA256" }, /* our preference */
	{ TLS_LEGACY, 0x303, 0x303, "AES128-GCM-SHA256", 0x303,
	    "AES128-GCM-SHA256" },
	{ TLS_LEGACY, 0x301, 0x304, RSA_ONLY, 0x304, "TLS_AES_256_GCM_SHA384" },
	{ TLS_LEGACY, 0x301, 0x303, "NULL-SHA:NULL-SHA256", 0,
	    "handshake_failure" },
	{ TLS_LEGACY, 0x301, 0x303, "ADH-AES128-SHA:AECDH-AES128-SHA", 0,
	    "handshake_failure" },
	{ TLS_LEGACY, 0x301, 0x303, "DHE-RSA-AES128-SHA", 0,
	    "handshake_failure" },
	{ TLS_MODERN, 0x301, 0x301, RSA_ONLY, 0, "protocol_version" },
	{ TLS_MODERN, 0x301, 0x302, RSA_ONLY, 0, "protocol_version" },
	{ TLS_MODERN, 0x301, 0x303, RSA_ONLY, 0, "handshake_failure" },
	{ TLS_MODERN, 0x303, 0x303, "ECDHE-RSA-AES128-SHA256", 0,
	    "handshake_failure" },
	{ TLS_MODERN, 0x301, 0x303, "ECDHE-RSA-AES128-GCM-SHA256", 0x303,
	    "ECDHE-RSA-AES128-GCM-SHA256" },
	{ TLS_MODERN, 0x303, 0x303, "ECDHE-RSA-CHACHA20-POLY1305", 0x303,
	    "ECDHE-RSA-CHACHA20-POLY1305" },
	{ TLS_MODERN, 0x303, 0x304, "ECDHE-RSA-AES128-GCM-SHA256", 0x304,
	    "TLS_AES_256_GCM_SHA384" },
};

static void
test_policies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		struct tls_client_options options =
		    client_options(policies[i].min, policies[i].max,
			policies[i].ciphers);
		struct tls_context *server = test_server(policies[i].policy,
		    policies[i].policy == TLS_LEGACY ? weak_chain : good_chain,
		    i % 2 ? anchors : NULL);
		struct tls_context *client = test_client(&options);
		struct pair p;

		pair_handshake(&p, server, client, NULL);
		if (tls_conn_version(p.server) != policies[i].version)
			fail_msg("case %zu: %s", i, p.server_err.text);
		assert_int_equal(tls_conn_version(p.client),
		    policies[i].version);
		if (policies[i].version != 0) {
			assert_int_equal(p.server_io, TLS_DONE);
			assert_int_equal(p.client_io, TLS_DONE);
			assert_string_equal(tls_conn_cipher(p.server),
			    policies[i].agreed);
			assert_string_equal(tls_conn_cipher(p.client),
			    policies[i].agreed);
			assert_int_equal(tls_conn_alert_sent(p.server), -1);
		} else {
			assert_int_equal(p.server_io, TLS_FAILED);
			assert_int_equal(p.client_io, TLS_FAILED);
			assert_string_equal(
			    tls_alert_name(tls_conn_alert_received(p.client)),
			    policies[i].agreed);
			assert_int_equal(tls_conn_alert_sent(p.server),
			    tls_conn_alert_received(p.client));
			assert_string_equal(tls_conn_cipher(p.server), "");
			assert_non_null(strstr(p.client_err.text,
			    policies[i].agreed));
		}
		assert_int_equal(tls_conn_peer(p.server)->verdict,
		    TLS_PEER_NONE);
		pair_close(&p);
		tls_context_free(client);
		tls_context_free(server);
	}
}

/* The context may go before its connections. */
static void
test_references(void **state)
{
	struct tls_client_options options = client_options(0x301, 0x304,
	    RSA_ONLY);
	struct tls_context *server = test_server(TLS_LEGACY, weak_chain, NULL);
	struct tls_context *client = test_client(&options);
	struct pair p;

	(void)state;
	pair_open(&p, server, client, NULL);
	tls_context_free(server);
	tls_context_free(client);
	pair_run(&p);
	assert_int_equal(p.server_io, TLS_DONE);
	pair_close(&p);
	tls_context_free(NULL);
	tls_conn_free(NULL);
}

static void
test_refused_options(void **state)
{
	struct tls_client_options options;
	struct error err = { 0 };

	(void)state;
	/* Level 2 refuses what the old CAs signed: said, and by whom. */
	assert_null(tls_context_new_server(
	    &(struct tls_server_options) {
		.policy = TLS_MODERN, .chain = weak_chain },
	    &err));
	assert_non_null(strstr(err.text, "CN=weak.example.net"));
	options = client_options(0x301, 0x303, "NO-SUCH-CIPHER");
	assert_null(tls_context_new_client(&options, &err));
	assert_non_null(strstr(err.text, "NO-SUCH-CIPHER"));
	options = client_options(0x0200, 0x303, RSA_ONLY);
	assert_null(tls_context_new_client(&options, &err));
	assert_non_null(strstr(err.text, "0200"));
}

/* A stack of the old kind sends no extension block at all. */
static void
test_hello_without_extensions(void **state)
{
	struct tls_client_options options = client_options(0x301, 0x301,
	    RSA_ONLY ":ECDHE-RSA-AES128-SHA");
	struct tls_context *server = test_server(TLS_LEGACY, weak_chain,
	    anchors);
	struct tls_context *client;
	const struct tls_hello *hello;
	struct pair p;

	(void)state;
	options.extensions = false;
	options.send_sni = true; /* which cannot be without extensions */
	options.chain = weak_chain;
	client = test_client(&options);
	pair_handshake(&p, server, client, "weak.example.net");
	assert_int_equal(p.server_io, TLS_DONE);
	hello = tls_conn_hello(p.server);
	assert_true(hello->seen);
	assert_false(hello->sslv2_format);
	assert_int_equal(hello->version, 0x0301);
	assert_int_equal(hello->max_version, 0x0301);
	assert_int_equal(hello->extension_count, 0);
	assert_int_equal(hello->cipher_count, 3);
	assert_int_equal(hello->cipher[0], 0x0035);
	assert_int_equal(hello->cipher[1], 0x002f);
	assert_int_equal(hello->cipher[2], 0x00ff);
	assert_string_equal(hello->sni, "");
	assert_false(tls_conn_hello(p.client)->seen);
	pair_close(&p);
	tls_context_free(client);
	tls_context_free(server);
}

static void
test_hello_with_extensions(void **state)
{
	static const struct {
		const char *host, *sni;
		bool send_sni;
	} cases[] = {
		{ "prov.example.net", "prov.example.net", true },
		{ "prov.example.net", "", false },
		{ "192.0.2.1", "", true },
		{ "2001:db8::1", "", true },
		{ NULL, "", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tls_client_options options = client_options(0x301, 0x304,
		    RSA_ONLY);
		struct tls_context *server = test_server(TLS_MODERN, good_chain,
		    anchors);
		struct tls_context *client;
		struct pair p;

		options.send_sni = cases[i].send_sni;
		client = test_client(&options);
		pair_handshake(&p, server, client, cases[i].host);
		assert_int_equal(p.server_io, TLS_DONE);
		assert_string_equal(tls_conn_hello(p.server)->sni,
		    cases[i].sni);
		assert_int_equal(tls_conn_hello(p.server)->version, 0x0303);
		assert_int_equal(tls_conn_hello(p.server)->max_version, 0x0304);
		assert_true(tls_conn_hello(p.server)->extension_count > 4);
		pair_close(&p);
		tls_context_free(client);
		tls_context_free(server);
	}
}

static const uint8_t sslv2_hello[] = {
	0x80,
	0x22, /* SSLv2 record of 34 bytes */
	1,
	3,
	1, /* CLIENT-HELLO, TLS 1.0 */
	0,
	9,
	0,
	0,
	0,
	16, /* 3 suites, no session, 16 of challenge */
	0,
	0,
	0x35,
	0,
	0,
	0x2f,
	0,
	0,
	0xff,
	1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
};

/* Send bytes to a server; what it answers goes to reply. */
static ssize_t
send_raw(struct tls_context *context, const void *data, size_t len,
    struct pair *p, uint8_t *reply, size_t size)
{
	*p = (struct pair) { 0 };
	pair_sockets(&p->server_fd, &p->client_fd);
	p->server = tls_conn_new_server(context, p->server_fd, &p->server_err);
	assert_non_null(p->server);
	assert_int_equal(write(p->client_fd, data, len), len);
	p->server_io = tls_conn_handshake(p->server, &p->server_err);
	return read(p->client_fd, reply, size);
}

static void
test_sslv2_format(void **state)
{
	struct tls_context *legacy = test_server(TLS_LEGACY, weak_chain,
	    anchors);
	struct tls_context *modern = test_server(TLS_MODERN, good_chain,
	    anchors);
	const struct tls_hello *hello;
	uint8_t reply[8192] = { 0 };
	struct pair p;

	(void)state;
	assert_true(send_raw(legacy, sslv2_hello, sizeof(sslv2_hello), &p,
			reply, sizeof(reply)) > 100);
	assert_int_equal(p.server_io, TLS_WANT_READ);
	assert_memory_equal(reply, "\x16\x03\x01", 3);
	assert_int_equal(reply[5], 2); /* ServerHello */
	hello = tls_conn_hello(p.server);
	assert_true(hello->seen);
	assert_true(hello->sslv2_format);
	assert_int_equal(hello->version, 0x0301);
	assert_int_equal(hello->cipher_count, 3);
	pair_close(&p);

	assert_int_equal(send_raw(modern, sslv2_hello, sizeof(sslv2_hello), &p,
			     reply, sizeof(reply)),
	    7);
	assert_int_equal(p.server_io, TLS_FAILED);
	assert_memory_equal(reply + 5, "\x02\x46", 2); /* protocol_version */
	assert_int_equal(tls_conn_alert_sent(p.server), 70);
	assert_true(tls_conn_hello(p.server)->sslv2_format);
	pair_close(&p);
	tls_context_free(legacy);
	tls_context_free(modern);
}

static void
test_garbage(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} cases[] = {
		{ "GET / HTTP/1.0\r\n\r\n", 18 },
		{ "\0\0\0\0\0\0\0\0\0\0\0\0", 12 },
		{ "\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9 },
		{ "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", 10 },
		{ "\x16\x03\x01\xff\xff\x01\x00\x00\x01\x03", 10 },
		{ "\x80\x03\x01\x03\x01", 5 },
		{ "\x15\x03\x01\x00\x02\x02\x30", 7 }, /* an alert */
	};
	struct tls_context *context = test_server(TLS_LEGACY, weak_chain,
	    anchors);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t reply[1024];
		struct pair p;

		(void)send_raw(context, cases[i].data, cases[i].len, &p, reply,
		    sizeof(reply));
		assert_int_equal(p.server_io, TLS_FAILED);
		assert_true(p.server_err.text[0] != '\0');
		assert_int_equal(tls_conn_version(p.server), 0);
		assert_int_equal(tls_conn_peer(p.server)->verdict,
		    TLS_PEER_NONE);
		tls_conn_shutdown(p.server); /* does nothing */
		pair_close(&p);
	}
	tls_context_free(context);
}

static void
test_closed_in_handshake(void **state)
{
	struct tls_context *context = test_server(TLS_LEGACY, weak_chain,
	    anchors);
	uint8_t reply[8192];
	struct pair p;

	(void)state;
	/* Before a byte came, */
	pair_sockets(&p.server_fd, &p.client_fd);
	p.client = NULL;
	p.server = tls_conn_new_server(context, p.server_fd, &p.server_err);
	assert_int_equal(tls_conn_handshake(p.server, &p.server_err),
	    TLS_WANT_READ);
	(void)shutdown(p.client_fd, SHUT_WR);
	assert_int_equal(tls_conn_handshake(p.server, &p.server_err),
	    TLS_CLOSED);
	assert_non_null(strstr(p.server_err.text, "closed"));
	tls_conn_shutdown(p.server);
	pair_close(&p);
	/* and in the middle. */
	(void)send_raw(context, sslv2_hello, sizeof(sslv2_hello), &p, reply,
	    sizeof(reply));
	(void)shutdown(p.client_fd, SHUT_RDWR);
	assert_int_equal(tls_conn_handshake(p.server, &p.server_err),
	    TLS_CLOSED);
	pair_close(&p);
	tls_context_free(context);
}

static void
open_done(struct pair *p, int version)
{
	struct tls_client_options options = client_options(version, version,
	    RSA_ONLY);
	struct tls_context *server = test_server(TLS_LEGACY, weak_chain,
	    anchors);
	struct tls_context *client = test_client(&options);

	pair_handshake(p, server, client, NULL);
	assert_int_equal(p->server_io, TLS_DONE);
	tls_context_free(server);
	tls_context_free(client);
}

/* More than the socket takes, in pieces; from a buffer that moves. */
static void
test_data(void **state)
{
	static const int versions[] = { 0x301, 0x303, 0x304 };
	size_t total = 3 * 1024 * 1024;
	uint8_t *data = xmalloc(total), *got = xmalloc(total);

	(void)state;
	for (size_t i = 0; i < total; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t v = 0; v < 3; v++) {
		size_t sent = 0, received = 0, n;
		bool blocked = false;
		struct pair p;

		open_done(&p, versions[v]);
		while (received < total) {
			enum tls_io io = TLS_DONE;

			while (io == TLS_DONE && sent < total) {
				size_t chunk = total - sent < 20000 ?
				    total - sent :
				    20000;
				uint8_t *copy = xmalloc(chunk);

				memcpy(copy, data + sent, chunk);
				io = tls_conn_write(p.server, copy, chunk, &n,
				    &p.server_err);
				free(copy);
				assert_true(io == TLS_DONE ||
				    io == TLS_WANT_WRITE);
				blocked |= io == TLS_WANT_WRITE;
				sent += n;
			}
			io = tls_conn_read(p.client, got + received,
			    total - received, &n, &p.client_err);
			assert_true(io == TLS_DONE || io == TLS_WANT_READ);
			received += n;
		}
		assert_true(blocked);
		assert_memory_equal(got, data, total);

		tls_conn_shutdown(p.server);
		assert_int_equal(tls_conn_read(p.client, got, 1, &n,
				     &p.client_err),
		    TLS_CLOSED);
		assert_int_equal(tls_conn_alert_sent(p.server), -1);
		assert_int_equal(tls_conn_alert_received(p.client), -1);
		pair_close(&p);
	}
	free(data);
	free(got);
}

static void
test_ends(void **state)
{
	struct pair p;
	char byte;
	size_t n;

	(void)state;
	/* A bare FIN. */
	open_done(&p, 0x301);
	assert_int_equal(tls_conn_read(p.server, &byte, 1, &n, &p.server_err),
	    TLS_WANT_READ);
	(void)shutdown(p.client_fd, SHUT_WR);
	assert_int_equal(tls_conn_read(p.server, &byte, 1, &n, &p.server_err),
	    TLS_CLOSED);
	assert_int_equal(n, 0);
	pair_close(&p);

	/* Writing to one who is gone is a failure, not a signal. */
	open_done(&p, 0x301);
	assert_int_equal(tls_conn_write(p.server, "", 0, &n, &p.server_err),
	    TLS_DONE);
	(void)shutdown(p.client_fd, SHUT_RDWR);
	assert_int_equal(tls_conn_write(p.server, "x", 1, &n, &p.server_err),
	    TLS_FAILED);
	assert_non_null(strstr(p.server_err.text, "Broken pipe"));
	tls_conn_shutdown(p.server);
	pair_close(&p);

	/* Bytes that are no record. */
	open_done(&p, 0x301);
	assert_int_equal(write(p.client_fd,
			     "\x17\x03\x01\x00\x10"
			     "0123456789abcdef",
			     21),
	    21);
	assert_int_equal(tls_conn_read(p.server, &byte, 1, &n, &p.server_err),
	    TLS_FAILED);
	assert_true(tls_conn_alert_sent(p.server) > 0);
	pair_close(&p);
}

static void
test_no_renegotiation(void **state)
{
	struct pair p;
	char byte;
	size_t n;

	(void)state;
	open_done(&p, 0x303);
	assert_int_equal(SSL_renegotiate(p.client->ssl), 0);
	(void)SSL_clear_options(p.client->ssl, SSL_OP_NO_RENEGOTIATION);
	assert_int_equal(SSL_renegotiate(p.client->ssl), 1);
	(void)SSL_do_handshake(p.client->ssl);
	assert_int_not_equal(tls_conn_read(p.server, &byte, 1, &n,
				 &p.server_err),
	    TLS_DONE);
	(void)SSL_do_handshake(p.client->ssl);
	assert_int_equal(tls_conn_alert_sent(p.server), 100);
	pair_close(&p);
}

/* No session survives: neither ticket nor id. */
static void
test_no_sessions(void **state)
{
	static const int versions[] = { 0x301, 0x303, 0x304 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pair p;
		unsigned len;
		size_t n;
		char byte;

		open_done(&p, versions[i]);
		assert_int_equal(tls_conn_read(p.client, &byte, 1, &n,
				     &p.client_err),
		    TLS_WANT_READ);
		assert_false(
		    SSL_SESSION_has_ticket(SSL_get0_session(p.client->ssl)));
		(void)SSL_SESSION_get_id(SSL_get0_session(p.client->ssl), &len);
		assert_int_equal(len, 0);
		pair_close(&p);
	}
}

/* Clients are told each anchor's subject, once. */
static void
test_anchor_names(void **state)
{
	struct anchors *both = anchors_new();
	X509 *twin = test_mint("Any Root",
	    (struct mint_request) { .key = weak_key, .ca = true });
	X509 *other = test_mint("Other Root",
	    (struct mint_request) { .key = weak_key, .ca = true });
	struct tls_client_options options = client_options(0x301, 0x301,
	    RSA_ONLY);
	struct tls_context *server, *client = test_client(&options);
	const STACK_OF(X509_NAME) * names;
	struct pair p;

	(void)state;
	anchors_add(both, ca);
	anchors_add(both, twin);
	anchors_add(both, other);
	server = test_server(TLS_LEGACY, weak_chain, both);
	pair_handshake(&p, server, client, NULL);
	names = SSL_get0_peer_CA_list(p.client->ssl);
	assert_int_equal(sk_X509_NAME_num(names), 2);
	assert_int_equal(X509_NAME_cmp(sk_X509_NAME_value(names, 1),
			     X509_get_subject_name(other)),
	    0);
	pair_close(&p);
	tls_context_free(server);
	tls_context_free(client);
	anchors_free(both);
	X509_free(twin);
	X509_free(other);
}

/* Level 0 stays where it was asked for. */
static void
test_levels(void **state)
{
	struct tls_context *legacy = test_server(TLS_LEGACY, weak_chain,
	    anchors);
	struct tls_context *modern = test_server(TLS_MODERN, good_chain,
	    anchors);
	unsigned long options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE;

	(void)state;
	assert_int_equal(SSL_CTX_get_security_level(legacy->ssl_ctx), 0);
	assert_int_equal(SSL_CTX_get_security_level(modern->ssl_ctx), 2);
	assert_int_equal(SSL_CTX_get_options(legacy->ssl_ctx) & options,
	    options);
	assert_int_equal(SSL_CTX_get_options(modern->ssl_ctx) & options,
	    options);
	assert_int_equal(SSL_CTX_get_verify_mode(legacy->ssl_ctx),
	    SSL_VERIFY_PEER);
	assert_int_equal(SSL_CTX_get_verify_mode(modern->ssl_ctx),
	    SSL_VERIFY_PEER);
	tls_context_free(legacy);
	tls_context_free(modern);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_hello_without_extensions),
		cmocka_unit_test(test_hello_with_extensions),
		cmocka_unit_test(test_sslv2_format),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_closed_in_handshake),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_no_renegotiation),
		cmocka_unit_test(test_no_sessions),
		cmocka_unit_test(test_anchor_names),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
