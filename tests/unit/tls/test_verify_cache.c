#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/x509_vfy.h>

#include "../../lib/pair.h"
#include "../../lib/relay.h"
#include "pki/anchors.h"
#include "tls/internal.h"

#include <pthread.h>

/* ---------------------------------------------------------- the cache alone */

static void
fill_key(uint8_t key[static VERIFY_CACHE_KEY_BYTES], unsigned number)
{
	memset(key, 0x5a, VERIFY_CACHE_KEY_BYTES);
	memcpy(key, &number, sizeof(number));
}

static struct tls_peer
trusted(const char *issuer)
{
	struct tls_peer peer = { .verdict = TLS_PEER_TRUSTED,
		.sha256 = { 1, 2 },
		.key_sha256 = { 3, 4 } };

	(void)snprintf(peer.issuer, sizeof(peer.issuer), "%s", issuer);
	(void)snprintf(peer.anchor, sizeof(peer.anchor), "Anchor");
	return peer;
}

static void
test_dates(void **state)
{
	time_t from, until;
	struct verify_cache *cache = verify_cache_new(100);
	struct tls_peer peer = trusted("Issuer"), found = { 0 };
	uint8_t key[VERIFY_CACHE_KEY_BYTES];

	(void)state;
	fill_key(key, 1);
	assert_false(verify_cache_find(cache, key, 1000, &found, &from,
	    &until));
	verify_cache_keep(cache, key, 1000, 2000, &peer);
	assert_false(verify_cache_find(cache, key, 999, &found, &from, &until));
	assert_int_equal(found.verdict, TLS_PEER_NONE);
	assert_true(verify_cache_find(cache, key, 1000, &found, &from, &until));
	assert_string_equal(found.verify_text, "");
	found.verify_text = peer.verify_text;
	assert_memory_equal(&found, &peer, sizeof(peer));
	assert_true(verify_cache_find(cache, key, 1999, &found, &from, &until));
	assert_false(verify_cache_find(cache, key, 2000, &found, &from,
	    &until));
	/* The newer outcome counts. */
	verify_cache_keep(cache, key, 1500, 1600, &peer);
	assert_false(verify_cache_find(cache, key, 1000, &found, &from,
	    &until));
	assert_true(verify_cache_find(cache, key, 1599, &found, &from, &until));
	verify_cache_free(cache);
}

static void
test_every_bit_counts(void **state)
{
	time_t from, until;
	struct verify_cache *cache = verify_cache_new(8); /* one set */
	struct tls_peer peer = trusted("Issuer"), found;
	uint8_t key[VERIFY_CACHE_KEY_BYTES];

	(void)state;
	fill_key(key, 1);
	verify_cache_keep(cache, key, 0, 10, &peer);
	for (size_t bit = 0; bit < 8 * sizeof(key); bit++) {
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_false(verify_cache_find(cache, key, 5, &found, &from,
		    &until));
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	assert_true(verify_cache_find(cache, key, 5, &found, &from, &until));
	verify_cache_free(cache);
}

static void
test_only_trusted(void **state)
{
	time_t from, until;
	static const enum tls_verdict others[] = { TLS_PEER_NONE,
		TLS_PEER_EXPIRED, TLS_PEER_UNTRUSTED };
	struct verify_cache *cache = verify_cache_new(100);
	struct tls_peer peer = trusted("Issuer"), found;
	uint8_t key[VERIFY_CACHE_KEY_BYTES];

	(void)state;
	fill_key(key, 1);
	for (size_t i = 0; i < 3; i++) {
		peer.verdict = others[i];
		verify_cache_keep(cache, key, 0, 10, &peer);
		assert_false(verify_cache_find(cache, key, 5, &found, &from,
		    &until));
	}
	verify_cache_free(cache);
	/* None at all */
	assert_null(verify_cache_new(0));
	peer.verdict = TLS_PEER_TRUSTED;
	verify_cache_keep(NULL, key, 0, 10, &peer);
	assert_false(verify_cache_find(NULL, key, 5, &found, &from, &until));
	verify_cache_free(NULL);
}

static unsigned
count_known(struct verify_cache *cache, unsigned total)
{
	time_t from, until;
	uint8_t key[VERIFY_CACHE_KEY_BYTES];
	struct tls_peer found;
	unsigned known = 0;

	for (unsigned i = 0; i < total; i++) {
		fill_key(key, i);
		known += verify_cache_find(cache, key, 5, &found, &from,
		    &until);
	}
	return known;
}

static void
test_bounds(void **state)
{
	time_t from, until;
	struct verify_cache *cache = verify_cache_new(64);
	uint8_t first[VERIFY_CACHE_KEY_BYTES], key[VERIFY_CACHE_KEY_BYTES];
	struct tls_peer peer = trusted("Issuer"), found;

	(void)state;
	fill_key(first, 0);
	for (unsigned i = 0; i < 1000; i++) {
		fill_key(key, i);
		verify_cache_keep(cache, key, 0, 10, &peer);
		/* What is used stays. */
		assert_true(verify_cache_find(cache, first, 5, &found, &from,
		    &until));
	}
	assert_int_equal(count_known(cache, 1000), 64);
	verify_cache_free(cache);

	/* So many issuers are no fleet's. */
	cache = verify_cache_new(1000);
	for (unsigned i = 0; i < 200; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "Issuer %u", i);
		peer = trusted(name);
		fill_key(key, i);
		verify_cache_keep(cache, key, 0, 10, &peer);
	}
	assert_int_equal(count_known(cache, 200), 64);
	verify_cache_free(cache);
}

static void *
use_cache(void *arg)
{
	time_t from, until;
	struct tls_peer peer = trusted("Issuer"), found;
	uint8_t key[VERIFY_CACHE_KEY_BYTES];
	size_t wrong = 0;

	for (unsigned i = 0; i < 20000; i++) {
		fill_key(key, i % 97);
		verify_cache_keep(arg, key, 0, 10, &peer);
		if (verify_cache_find(arg, key, 5, &found, &from, &until) &&
		    memcmp(&found.key_sha256, &peer.key_sha256, 32) != 0)
			wrong++;
	}
	return (void *)wrong;
}

static void
test_threads(void **state)
{
	struct verify_cache *cache = verify_cache_new(64);
	pthread_t threads[4];
	void *wrong;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_cache,
				     cache),
		    0);
	for (size_t i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	verify_cache_free(cache);
}

/* ------------------------------------------------------- in real handshakes */

#define NOW time(NULL)

static char *folder;
static EVP_PKEY *key, *weak;
static X509 *root, *late, *other;
static struct anchors *all;
static struct chain *server_chain;

static X509 *
mint_root(const char *name, time_t not_after)
{
	return test_mint(name,
	    (struct mint_request) { .key = key,
		.ca = true,
		.not_before = NOW - 100 * DAY,
		.not_after = not_after });
}

static int
setup(void **state)
{
	X509 *cert;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	key = test_key(2048);
	weak = test_key(1024);
	root = mint_root("Root", NOW + 10 * DAY);
	late = mint_root("Late Root", NOW - DAY);
	other = mint_root("Other Root", NOW + DAY);
	cert = test_mint("prov.example.net",
	    (struct mint_request) {
		.key = key, .issuer = root, .issuer_key = key });
	server_chain = test_chain(folder, &cert, 1, key);
	X509_free(cert);
	all = anchors_new();
	anchors_add(all, root);
	anchors_add(all, late);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	anchors_free(all);
	chain_free(server_chain);
	X509_free(root);
	X509_free(late);
	X509_free(other);
	EVP_PKEY_free(key);
	EVP_PKEY_free(weak);
	test_remove_folder(folder);
	return 0;
}

static struct tls_context *
make_server(const struct anchors *anchors)
{
	struct error err;
	struct tls_context *context = tls_context_new_server(
	    &(struct tls_server_options) { .policy = TLS_LEGACY,
		.chain = server_chain,
		.anchors = anchors,
		.verifications = 1000 },
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

/* As chain, but one bit of the certificate's signature is another one. */
static struct chain *
flip_bit(const struct chain *chain)
{
	uint8_t *der;
	size_t len;
	struct error err;
	struct chain *changed;
	X509 *cert;

	if (cert_encode(chain_certificate(chain, 0), &der, &len, &err) != 0)
		abort();
	der[len - 1] ^= 1;
	cert = cert_parse(der, len, &err);
	changed = test_chain(folder, &cert, 1, weak);
	free(der);
	X509_free(cert);
	return changed;
}

static struct tls_context *
make_client(const struct chain *chain, int version)
{
	return test_client(&(struct tls_client_options) {
	    .min_version = version,
	    .max_version = version,
	    .ciphers = "AES128-SHA",
	    .extensions = true,
	    .anchors = all,
	    .check_time = true,
	    .check_sha256 = true,
	    .chain = chain });
}

/* One handshake; who the server says it was, and whether it knew before. */
static struct tls_peer
meet(struct tls_context *server, const struct chain *chain, int version,
    bool *kept)
{
	time_t from, until;
	struct tls_context *client = make_client(chain, version);
	struct tls_peer peer, ignored;
	struct pair p;

	pair_handshake(&p, server, client, NULL);
	assert_int_equal(p.server_io, TLS_DONE);
	assert_true(p.server->has_chain_key);
	*kept = verify_cache_find(server->verifications, p.server->chain_key,
	    NOW, &ignored, &from, &until);
	peer = *tls_conn_peer(p.server);
	assert_non_null(peer.der);
	assert_non_null(tls_conn_certificate(p.server));
	peer.der = NULL; /* goes with the connection */
	pair_close(&p);
	tls_context_free(client);
	return peer;
}

static void
test_same_outcome(void **state)
{
	static const int versions[] = { 0x301, 0x303, 0x304 };
	struct chain *device = mint_leaf(root, NOW + DAY);
	struct chain *changed = flip_bit(device);
	bool kept;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct tls_context *server = make_server(all);
		struct tls_peer first, second, stranger;

		first = meet(server, device, versions[i], &kept);
		assert_int_equal(first.verdict, TLS_PEER_TRUSTED);
		assert_string_equal(first.issuer, "Root");
		assert_string_equal(first.anchor, "Root");
		assert_true(kept);
		second = meet(server, device, versions[i], &kept);
		assert_string_equal(second.verify_text, first.verify_text);
		second.verify_text = first.verify_text;
		assert_memory_equal(&first, &second, sizeof(first));
		/* One bit less right */
		for (int again = 0; again < 2; again++) {
			stranger = meet(server, changed, versions[i], &kept);
			assert_int_equal(stranger.verdict, TLS_PEER_UNTRUSTED);
			assert_int_equal(stranger.verify_error,
			    X509_V_ERR_CERT_SIGNATURE_FAILURE);
			assert_false(kept);
		}
		tls_context_free(server);
	}
	chain_free(device);
	chain_free(changed);
}

/* Who is known has to prove to have the key all the same. */
static void
test_proof(void **state)
{
	struct chain *device = mint_leaf(root, NOW + DAY);
	struct tls_context *server = make_server(all);
	struct tls_context *client = make_client(device, 0x301);
	bool kept;

	(void)state;
	(void)meet(server, device, 0x301, &kept);
	assert_true(kept);
	assert_int_equal(relay_handshake(server, client, true), TLS_FAILED);
	assert_int_equal(relay_handshake(server, client, false), TLS_DONE);
	tls_context_free(client);
	tls_context_free(server);
	chain_free(device);
}

/* A context is one set of anchors: neither another one nor a later one with
 * less in it knows what this one knows. */
static void
test_other_anchors(void **state)
{
	struct chain *device = mint_leaf(root, NOW + DAY);
	struct anchors *less = anchors_new();
	struct tls_context *before = make_server(all), *after;
	bool kept;

	(void)state;
	anchors_add(less, other);
	after = make_server(less);
	assert_int_equal(meet(before, device, 0x301, &kept).verdict,
	    TLS_PEER_TRUSTED);
	assert_int_equal(meet(after, device, 0x301, &kept).verdict,
	    TLS_PEER_UNTRUSTED);
	assert_false(kept);
	tls_context_free(before);
	tls_context_free(after);
	anchors_free(less);
	chain_free(device);
}

static void
wait_until(time_t when)
{
	while (NOW < when)
		(void)usleep(20000);
}

static void
test_expiry(void **state)
{
	time_t end = NOW + 2;
	struct chain *device = mint_leaf(root, end);
	struct tls_context *server = make_server(all);
	struct tls_peer peer;
	bool kept;

	(void)state;
	assert_int_equal(meet(server, device, 0x301, &kept).verdict,
	    TLS_PEER_TRUSTED);
	assert_true(kept);
	wait_until(end); /* OpenSSL takes notAfter as the first bad second */
	peer = meet(server, device, 0x301, &kept);
	assert_int_equal(peer.verdict, TLS_PEER_EXPIRED);
	assert_int_equal(peer.verify_error, X509_V_ERR_CERT_HAS_EXPIRED);
	assert_false(kept);
	tls_context_free(server);
	chain_free(device);
}

static void
test_allowed_anchor(void **state)
{
	struct chain *device = mint_leaf(late, NOW + DAY);
	struct anchors *lenient = anchors_new();
	struct tls_context *strict = make_server(all), *server;
	struct error err;
	bool kept;

	(void)state;
	anchors_add(lenient, late);
	assert_int_equal(anchors_allow_expired(lenient, "Late Root", &err), 0);
	server = make_server(lenient);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(meet(server, device, 0x301, &kept).verdict,
		    TLS_PEER_TRUSTED);
		assert_true(kept);
		assert_int_equal(meet(strict, device, 0x301, &kept).verdict,
		    TLS_PEER_EXPIRED);
		assert_false(kept);
	}
	tls_context_free(server);
	tls_context_free(strict);
	anchors_free(lenient);
	chain_free(device);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_every_bit_counts),
		cmocka_unit_test(test_only_trusted),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_same_outcome),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_other_anchors),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_allowed_anchor),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
