#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509_vfy.h>

#include "../../lib/pair.h"
#include "pki/anchors.h"

#define SERIAL "8B00000000000000000000000000000F"
#define NOW time(NULL)

enum {
	SHA1_ROOT,
	TWIN_ROOT,
	OLD_ROOT,
	LATE_ROOT,
	STRANGE_ROOT,
	FALSE_ROOT,
	ROOTS
};

static char *folder;
static EVP_PKEY *server_key, *keys[2], *root_keys[ROOTS];
static X509 *roots[ROOTS], *server_ca;
static struct chain *server_chain;
static struct anchors *server_anchors;

static void
make_roots(void)
{
	for (size_t i = 0; i < ROOTS; i++)
		root_keys[i] = test_key(i == TWIN_ROOT ? 2048 : 1024);
	roots[SHA1_ROOT] = test_mint("Client Root 1",
	    (struct mint_request) { .key = root_keys[SHA1_ROOT],
		.ca = true,
		.digest = "sha1",
		.serial_hex = SERIAL,
		.extended_key_usage = "clientAuth",
		.not_after = 2540163450 }); /* in 2050 */
	roots[TWIN_ROOT] = test_mint("Client Root 2",
	    (struct mint_request) { .key = root_keys[TWIN_ROOT],
		.ca = true,
		.digest = "sha1",
		.serial_hex = SERIAL,
		.extended_key_usage = "clientAuth" });
	roots[OLD_ROOT] = test_mint("Old Client Root",
	    (struct mint_request) { .key = root_keys[OLD_ROOT],
		.version_1 = true,
		.not_before = NOW - 100 * DAY,
		.not_after = NOW - 10 * DAY });
	roots[LATE_ROOT] = test_mint("Expired Root",
	    (struct mint_request) { .key = root_keys[LATE_ROOT],
		.ca = true,
		.digest = "md5",
		.not_before = NOW - 100 * DAY,
		.not_after = NOW - 10 * DAY });
	roots[STRANGE_ROOT] = test_mint("Stranger",
	    (struct mint_request) {
		.key = root_keys[STRANGE_ROOT], .ca = true });
	/* The first one's name over another key. */
	roots[FALSE_ROOT] = test_mint("Client Root 1",
	    (struct mint_request) { .key = root_keys[FALSE_ROOT],
		.ca = true,
		.serial_hex = SERIAL });
}

static int
setup(void **state)
{
	X509 *cert;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	make_roots();
	keys[0] = test_key(1024);
	keys[1] = test_key(2048);
	server_key = test_key(2048);
	server_ca = test_mint("Server Root",
	    (struct mint_request) { .key = server_key,
		.ca = true,
		.extended_key_usage = "serverAuth" });
	cert = test_mint("prov.example.net",
	    (struct mint_request) { .key = server_key,
		.issuer = server_ca,
		.issuer_key = server_key,
		.extended_key_usage = "serverAuth" });
	server_chain = test_chain(folder, &cert, 1, server_key);
	X509_free(cert);
	server_anchors = anchors_new();
	anchors_add(server_anchors, server_ca);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROOTS; i++) {
		X509_free(roots[i]);
		EVP_PKEY_free(root_keys[i]);
	}
	EVP_PKEY_free(keys[0]);
	EVP_PKEY_free(keys[1]);
	EVP_PKEY_free(server_key);
	X509_free(server_ca);
	chain_free(server_chain);
	anchors_free(server_anchors);
	test_remove_folder(folder);
	return 0;
}

/* Anchors of a server: all roots but the last two, "Old" and maybe "Expired"
 * allowed although they are. */
static struct anchors *
client_anchors(bool allow_late)
{
	struct anchors *anchors = anchors_new();
	struct error err;

	for (size_t i = 0; i < STRANGE_ROOT; i++)
		anchors_add(anchors, roots[i]);
	if (anchors_allow_expired(anchors, "Old Client Root", &err) != 0 ||
	    (allow_late &&
		anchors_allow_expired(anchors, "Expired Root", &err) != 0))
		test_die("anchors", &err);
	return anchors;
}

static struct tls_client_options
device_options(int version, const struct chain *chain)
{
	return (struct tls_client_options) { .min_version = version,
		.max_version = version,
		.ciphers = "AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256",
		.extensions = true,
		.anchors = server_anchors,
		.check_time = true,
		.check_sha256 = true,
		.chain = chain };
}

/* A device of chain against a server; checks only that TLS itself works. */
static void
connect_device(struct pair *p, enum tls_policy policy,
    const struct anchors *anchors, int version, const struct chain *chain)
{
	struct tls_client_options options = device_options(version, chain);
	struct tls_context *server = test_server(policy, server_chain, anchors);
	struct tls_context *client = test_client(&options);

	pair_handshake(p, server, client, NULL);
	tls_context_free(server);
	tls_context_free(client);
	if (p->server_io != TLS_DONE || p->client_io != TLS_DONE)
		fail_msg("%s / %s", p->server_err.text, p->client_err.text);
}

/* Every key and digest that devices have, under each policy and version. */
static void
test_weak_devices(void **state)
{
	static const struct {
		enum tls_policy policy;
		int version;
	} ways[] = {
		{ TLS_LEGACY, 0x301 },
		{ TLS_LEGACY, 0x302 },
		{ TLS_LEGACY, 0x303 },
		{ TLS_LEGACY, 0x304 },
		{ TLS_MODERN, 0x303 },
		{ TLS_MODERN, 0x304 },
	};
	static const char *const digests[] = { "md5", "sha1", "sha256" };
	struct anchors *anchors = client_anchors(false);

	(void)state;
	for (size_t n = 0; n < 18; n++) {
		size_t root = n / 6;
		EVP_PKEY *key = keys[n % 2];
		X509 *cert = test_mint("SPA-504G, MAC: 000E08AABBCC",
		    (struct mint_request) { .key = key,
			.issuer = roots[root],
			.issuer_key = root_keys[root],
			.digest = digests[n / 2 % 3],
			.extended_key_usage = "clientAuth" });
		struct chain *chain = test_chain(folder, &cert, 1, key);

		for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
			const struct tls_peer *peer;
			struct error err;
			struct pair p;
			X509 *seen;

			connect_device(&p, ways[i].policy, anchors,
			    ways[i].version, chain);
			peer = tls_conn_peer(p.server);
			if (peer->verdict != TLS_PEER_TRUSTED)
				fail_msg("%zu %zu: %s", n, i,
				    peer->verify_text);
			assert_int_equal(peer->verify_error, 0);
			assert_string_equal(peer->anchor,
			    root == SHA1_ROOT	  ? "Client Root 1" :
				root == TWIN_ROOT ? "Client Root 2" :
						    "Old Client Root");
			assert_string_equal(peer->issuer, peer->anchor);
			seen = cert_parse(peer->der, peer->der_len, &err);
			assert_non_null(seen);
			assert_int_equal(X509_cmp(seen, cert), 0);
			X509_free(seen);
			pair_close(&p);
		}
		chain_free(chain);
		X509_free(cert);
	}
	anchors_free(anchors);
}

static const struct {
	const char *what;
	int root;
	int64_t from_days, to_days; /* of the leaf, from now; 0, 0: valid */
	const char *usage;
	bool allow_late;
	enum tls_verdict verdict;
	int error, depth;
} verdicts[] = {
	{ "good", SHA1_ROOT, 0, 0, NULL, false, TLS_PEER_TRUSTED, 0, 0 },
	{ "expired leaf", SHA1_ROOT, -9, -1, NULL, false, TLS_PEER_EXPIRED,
	    X509_V_ERR_CERT_HAS_EXPIRED, 0 },
	{ "leaf of tomorrow", SHA1_ROOT, 1, 9, NULL, false, TLS_PEER_EXPIRED,
	    X509_V_ERR_CERT_NOT_YET_VALID, 0 },
	{ "expired anchor", LATE_ROOT, 0, 0, NULL, false, TLS_PEER_EXPIRED,
	    X509_V_ERR_CERT_HAS_EXPIRED, 1 },
	{ "expired anchor, allowed", LATE_ROOT, 0, 0, NULL, true,
	    TLS_PEER_TRUSTED, 0, 0 },
	{ "expired leaf of an allowed anchor", LATE_ROOT, -9, -1, NULL, true,
	    TLS_PEER_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED, 0 },
	{ "expired v1 anchor, allowed", OLD_ROOT, 0, 0, NULL, false,
	    TLS_PEER_TRUSTED, 0, 0 },
	{ "unknown root", STRANGE_ROOT, 0, 0, NULL, true, TLS_PEER_UNTRUSTED,
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0 },
	{ "unknown root and expired", STRANGE_ROOT, -9, -1, NULL, true,
	    TLS_PEER_UNTRUSTED, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	    0 },
	{ "false signature", FALSE_ROOT, 0, 0, NULL, true, TLS_PEER_UNTRUSTED,
	    X509_V_ERR_CERT_SIGNATURE_FAILURE, 0 },
	{ "false signature, expired", FALSE_ROOT, -9, -1, NULL, true,
	    TLS_PEER_UNTRUSTED, X509_V_ERR_CERT_SIGNATURE_FAILURE, 0 },
	{ "a server's certificate", SHA1_ROOT, 0, 0, "serverAuth", true,
	    TLS_PEER_UNTRUSTED, X509_V_ERR_INVALID_PURPOSE, 0 },
	{ "a server's certificate, expired", LATE_ROOT, -9, -1, "serverAuth",
	    false, TLS_PEER_UNTRUSTED, X509_V_ERR_INVALID_PURPOSE, 0 },
};

static void
test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		struct anchors *anchors =
		    client_anchors(verdicts[i].allow_late);
		time_t from = NOW - DAY, to = NOW + DAY;
		const struct tls_peer *peer;
		struct chain *chain;
		X509 *cert;

		if (verdicts[i].to_days != 0) {
			from = NOW + verdicts[i].from_days * DAY;
			to = NOW + verdicts[i].to_days * DAY;
		}
		cert = test_mint("device",
		    (struct mint_request) { .key = keys[0],
			.issuer = roots[verdicts[i].root],
			.issuer_key = root_keys[verdicts[i].root],
			.digest = "sha1",
			.not_before = from,
			.not_after = to,
			.extended_key_usage = verdicts[i].usage });
		/* A false issuer has no key id that would give it away. */
		if (verdicts[i].root == FALSE_ROOT) {
			X509_free(cert);
			cert = test_mint("device",
			    (struct mint_request) { .key = keys[0],
				.issuer = roots[SHA1_ROOT],
				.issuer_key = root_keys[FALSE_ROOT],
				.not_before = from,
				.not_after = to });
		}
		chain = test_chain(folder, &cert, 1, keys[0]);
		for (int policy = 0; policy < 2; policy++) {
			struct pair p;

			connect_device(&p,
			    policy == 0 ? TLS_LEGACY : TLS_MODERN, anchors,
			    policy == 0 ? 0x301 : 0x303, chain);
			peer = tls_conn_peer(p.server);
			if (peer->verdict != verdicts[i].verdict ||
			    peer->verify_error != verdicts[i].error ||
			    peer->verify_depth != verdicts[i].depth)
				fail_msg("%s: verdict %d, error %d (%s) at %d",
				    verdicts[i].what, peer->verdict,
				    peer->verify_error, peer->verify_text,
				    peer->verify_depth);
			assert_non_null(peer->der);
			pair_close(&p);
		}
		chain_free(chain);
		X509_free(cert);
		anchors_free(anchors);
	}
}

/* Through a manufacturing CA, which is or is not among the anchors. */
static void
test_intermediate(void **state)
{
	static const struct {
		bool sent, anchored, expired, allowed;
		enum tls_verdict verdict;
	} cases[] = {
		{ true, false, false, false, TLS_PEER_TRUSTED },
		{ false, true, false, false, TLS_PEER_TRUSTED },
		{ true, true, false, false, TLS_PEER_TRUSTED },
		{ false, false, false, false, TLS_PEER_UNTRUSTED },
		{ true, false, true, false, TLS_PEER_EXPIRED },
		{ false, true, true, false, TLS_PEER_EXPIRED },
		{ false, true, true, true, TLS_PEER_TRUSTED },
		{ true, true, true, true, TLS_PEER_TRUSTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct anchors *anchors = client_anchors(false);
		struct chain *chain;
		struct error err;
		struct pair p;
		X509 *certs[2];

		certs[1] = test_mint("Manufacturing CA",
		    (struct mint_request) { .key = keys[1],
			.ca = true,
			.issuer = roots[SHA1_ROOT],
			.issuer_key = root_keys[SHA1_ROOT],
			.digest = "sha1",
			.not_before = NOW - 99 * DAY,
			.not_after = NOW + (cases[i].expired ? -DAY : DAY) });
		certs[0] = test_mint("CP-8841-SEP000E08AABBCC",
		    (struct mint_request) { .key = keys[0],
			.issuer = certs[1],
			.issuer_key = keys[1] });
		if (cases[i].anchored)
			anchors_add(anchors, certs[1]);
		if (cases[i].allowed)
			assert_int_equal(anchors_allow_expired(anchors,
					     "Manufacturing CA", &err),
			    0);
		chain = test_chain(folder, certs, cases[i].sent ? 2 : 1,
		    keys[0]);
		connect_device(&p, TLS_MODERN, anchors, 0x303, chain);
		if (tls_conn_peer(p.server)->verdict != cases[i].verdict)
			fail_msg("case %zu: %s", i,
			    tls_conn_peer(p.server)->verify_text);
		assert_string_equal(tls_conn_peer(p.server)->issuer,
		    "Manufacturing CA");
		pair_close(&p);
		chain_free(chain);
		X509_free(certs[0]);
		X509_free(certs[1]);
		anchors_free(anchors);
	}
}

static void
test_no_certificate(void **state)
{
	struct anchors *anchors = client_anchors(false);
	struct pair p;

	(void)state;
	for (int version = 0x301; version <= 0x304; version++) {
		connect_device(&p, TLS_LEGACY, anchors, version, NULL);
		assert_int_equal(tls_conn_peer(p.server)->verdict,
		    TLS_PEER_NONE);
		assert_null(tls_conn_peer(p.server)->der);
		pair_close(&p);
	}
	/* Not asked for: not shown. */
	connect_device(&p, TLS_LEGACY, NULL, 0x301, server_chain);
	assert_int_equal(tls_conn_peer(p.server)->verdict, TLS_PEER_NONE);
	pair_close(&p);
	anchors_free(anchors);
}

/* Pass what has arrived on from's other end, flipping a bit of one record. */
static void
relay(int from, int to, int record)
{
	uint8_t data[65536];
	ssize_t len = read(from, data, sizeof(data));
	size_t at = 0;

	for (int i = 0; len > 0 && at + 5 <= (size_t)len; i++) {
		size_t body = (size_t)(data[at + 3] << 8 | data[at + 4]);

		if (i == record && at + 5 + body <= (size_t)len)
			data[at + 5 + body - 1] ^= 1;
		at += 5 + body;
	}
	if (len > 0)
		assert_int_equal(write(to, data, (size_t)len), len);
}

/*
 * A certificate whose key the client does not have: it is named, and is
 * neither trusted nor just expired.
 */
static void
test_unproven(void **state)
{
	static const int days[] = { 1, -1 };
	struct anchors *anchors = client_anchors(false);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		X509 *cert = test_mint("device",
		    (struct mint_request) { .key = keys[0],
			.issuer = roots[SHA1_ROOT],
			.issuer_key = root_keys[SHA1_ROOT],
			.not_before = NOW - 9 * DAY,
			.not_after = NOW + days[i] * DAY });
		struct chain *chain = test_chain(folder, &cert, 1, keys[0]);
		struct tls_client_options options = device_options(0x303,
		    chain);
		struct tls_context *server = test_server(TLS_LEGACY,
		    server_chain, anchors);
		struct tls_context *client = test_client(&options);
		struct error err;
		int inner[2], outer[2];
		struct tls_conn *s, *c;

		pair_sockets(&inner[0], &inner[1]);
		pair_sockets(&outer[0], &outer[1]);
		s = tls_conn_new_server(server, inner[0], &err);
		c = tls_conn_new_client(client, outer[0], NULL, &err);
		assert_int_equal(tls_conn_handshake(c, &err), TLS_WANT_READ);
		relay(outer[1], inner[1], -1);
		assert_int_equal(tls_conn_handshake(s, &err), TLS_WANT_READ);
		relay(inner[1], outer[1], -1);
		assert_int_equal(tls_conn_handshake(c, &err), TLS_WANT_READ);
		/* Certificate, ClientKeyExchange, CertificateVerify. */
		relay(outer[1], inner[1], 2);
		assert_int_equal(tls_conn_handshake(s, &err), TLS_FAILED);
		assert_int_equal(tls_conn_alert_sent(s), 51);
		assert_int_equal(tls_conn_peer(s)->verdict, TLS_PEER_UNTRUSTED);
		assert_non_null(strstr(tls_conn_peer(s)->verify_text,
		    "not proven"));
		assert_string_equal(tls_conn_peer(s)->issuer, "Client Root 1");
		assert_non_null(tls_conn_peer(s)->der);
		tls_conn_free(s);
		tls_conn_free(c);
		for (int k = 0; k < 2; k++) {
			(void)close(inner[k]);
			(void)close(outer[k]);
		}
		tls_context_free(server);
		tls_context_free(client);
		chain_free(chain);
		X509_free(cert);
	}
	anchors_free(anchors);
}

static const struct {
	const char *what;
	const char *digest;
	int64_t to_days; /* end of the leaf */
	bool ca_expired;
	const char *usage; /* of the leaf */
	bool known;	   /* its CA is among the device's */
	bool check_time, check_sha256;
	const char *alert; /* what the device sends; NULL: trusted */
	int error;
} servers[] = {
	{ "good", "sha256", 1, false, "serverAuth", true, true, true, NULL, 0 },
	{ "MD5", "md5", 1, false, "serverAuth", true, true, true, NULL, 0 },
	{ "unknown CA", "sha1", 1, false, "serverAuth", false, true, true,
	    "unknown_ca", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
	{ "unknown CA, no clock", "sha256", 1, false, "serverAuth", false,
	    false, false, "unknown_ca",
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
	{ "expired leaf", "sha1", -1, false, "serverAuth", true, true, true,
	    "certificate_expired", X509_V_ERR_CERT_HAS_EXPIRED },
	{ "expired leaf, no clock", "sha1", -1, false, "serverAuth", true,
	    false, true, NULL, 0 },
	{ "expired CA", "sha1", 1, true, "serverAuth", true, true, true,
	    "certificate_expired", X509_V_ERR_CERT_HAS_EXPIRED },
	{ "expired CA, no clock", "sha1", 1, true, "serverAuth", true, false,
	    true, NULL, 0 },
	{ "SHA-256 for an old device", "sha256", 1, false, "serverAuth", true,
	    true, false, "bad_certificate", X509_V_ERR_CERT_REJECTED },
	{ "SHA-1 for an old device, under a SHA-256 CA", "sha1", 1, false,
	    "serverAuth", true, false, false, NULL, 0 },
	{ "a client's certificate", "sha1", 1, false, "clientAuth", true, true,
	    true, "unsupported_certificate", X509_V_ERR_INVALID_PURPOSE },
};

static void
test_servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		struct anchors *trusted = anchors_new();
		X509 *other = test_mint("Provisioning Root",
		    (struct mint_request) { .key = keys[1],
			.ca = true,
			.extended_key_usage = "serverAuth",
			.not_before = NOW - 99 * DAY,
			.not_after = NOW +
			    (servers[i].ca_expired ? -DAY : DAY) });
		X509 *cert = test_mint("prov.example.net",
		    (struct mint_request) { .key = keys[0],
			.issuer = other,
			.issuer_key = keys[1],
			.digest = servers[i].digest,
			.extended_key_usage = servers[i].usage,
			.not_before = NOW - 99 * DAY,
			.not_after = NOW + servers[i].to_days * DAY });
		struct chain *chain = test_chain(folder, &cert, 1, keys[0]);

		anchors_add(trusted, servers[i].known ? other : server_ca);
		for (int version = 0x301; version <= 0x304; version++) {
			struct tls_client_options options =
			    device_options(version, NULL);
			struct tls_context *server = test_server(TLS_LEGACY,
			    chain, NULL);
			struct tls_context *client;
			const struct tls_peer *peer;
			struct pair p;

			options.anchors = trusted;
			options.check_time = servers[i].check_time;
			options.check_sha256 = servers[i].check_sha256;
			client = test_client(&options);
			pair_handshake(&p, server, client, NULL);
			peer = tls_conn_peer(p.client);
			if (peer->verify_error != servers[i].error)
				fail_msg("%s: error %d: %s", servers[i].what,
				    peer->verify_error, peer->verify_text);
			assert_non_null(peer->der);
			if (servers[i].alert == NULL) {
				assert_int_equal(p.client_io, TLS_DONE);
				assert_int_equal(p.server_io, TLS_DONE);
				assert_int_equal(peer->verdict,
				    TLS_PEER_TRUSTED);
			} else {
				assert_int_equal(p.client_io, TLS_FAILED);
				assert_int_equal(p.server_io, TLS_FAILED);
				assert_int_not_equal(peer->verdict,
				    TLS_PEER_TRUSTED);
				assert_string_equal(
				    tls_alert_name(
					tls_conn_alert_received(p.server)),
				    servers[i].alert);
				assert_int_equal(tls_conn_alert_sent(p.client),
				    tls_conn_alert_received(p.server));
				assert_non_null(strstr(p.server_err.text,
				    servers[i].alert));
				assert_non_null(strstr(p.client_err.text,
				    "is refused"));
			}
			pair_close(&p);
			tls_context_free(server);
			tls_context_free(client);
		}
		chain_free(chain);
		X509_free(cert);
		X509_free(other);
		anchors_free(trusted);
	}
}

/* A device without any CA trusts nobody. */
static void
test_no_anchors(void **state)
{
	struct tls_client_options options = device_options(0x301, NULL);
	struct tls_context *server = test_server(TLS_LEGACY, server_chain,
	    NULL);
	struct tls_context *client;
	struct pair p;

	(void)state;
	options.anchors = NULL;
	client = test_client(&options);
	pair_handshake(&p, server, client, NULL);
	assert_int_equal(p.client_io, TLS_FAILED);
	assert_int_equal(tls_conn_alert_received(p.server), 48);
	pair_close(&p);
	tls_context_free(server);
	tls_context_free(client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weak_devices),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_intermediate),
		cmocka_unit_test(test_no_certificate),
		cmocka_unit_test(test_unproven),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_no_anchors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
