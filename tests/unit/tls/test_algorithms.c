/*
 * The reduced library context does all that OpenSSL's own does here: every
 * version, key exchange and kind of client key, alone and from many threads.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "../../lib/pair.h"
#include "../../lib/relay.h"
#include "pki/anchors.h"
#include "tls/algorithms.h"

#include <pthread.h>

#define THREADS 4
#define ROUNDS 12 /* of each thread */

enum { RSA_1024, RSA_2048, P_256, P_384, ED, KEYS };
enum { MD5_SIGNED, SHA1_SIGNED, SHA512_SIGNED, SIGNATURES };

static char *folder;
static EVP_PKEY *root_key, *server_key, *keys[KEYS];
static X509 *root, *stranger;
static struct anchors *anchors;
static struct chain *server_chain, *chains[KEYS][SIGNATURES], *strange;

static struct chain *
make_client(EVP_PKEY *key, X509 *issuer, const char *digest)
{
	X509 *cert = test_mint("device",
	    (struct mint_request) { .key = key,
		.issuer = issuer,
		.issuer_key = root_key,
		.digest = digest,
		.extended_key_usage = "clientAuth" });
	struct chain *chain = test_chain(folder, &cert, 1, key);

	X509_free(cert);
	return chain;
}

static int
setup(void **state)
{
	static const char *const digests[] = { "md5", "sha1", "sha512" };
	X509 *cert;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	folder = test_folder();
	root_key = test_key(2048);
	server_key = test_key(2048);
	keys[RSA_1024] = test_key(1024);
	keys[RSA_2048] = test_key(2048);
	keys[P_256] = EVP_EC_gen("P-256");
	keys[P_384] = EVP_EC_gen("P-384");
	keys[ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	root = test_mint("Root",
	    (struct mint_request) { .key = root_key, .ca = true });
	stranger = test_mint("Strange Root",
	    (struct mint_request) { .key = root_key, .ca = true });
	cert = test_mint("prov.example.net",
	    (struct mint_request) { .key = server_key,
		.issuer = root,
		.issuer_key = root_key,
		.extended_key_usage = "serverAuth" });
	server_chain = test_chain(folder, &cert, 1, server_key);
	X509_free(cert);
	for (size_t i = 0; i < KEYS; i++)
		for (size_t j = 0; j < SIGNATURES; j++)
			chains[i][j] = make_client(keys[i], root, digests[j]);
	strange = make_client(keys[RSA_1024], stranger, "sha1");
	anchors = anchors_new();
	anchors_add(anchors, root);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		for (size_t j = 0; j < SIGNATURES; j++)
			chain_free(chains[i][j]);
		EVP_PKEY_free(keys[i]);
	}
	chain_free(strange);
	chain_free(server_chain);
	anchors_free(anchors);
	X509_free(root);
	X509_free(stranger);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(server_key);
	test_remove_folder(folder);
	return 0;
}

static const struct {
	int version;
	const char *ciphers, *agreed;
} ways[] = {
	{ 0x301, "AES128-SHA", "AES128-SHA" },
	{ 0x301, "AES256-SHA", "AES256-SHA" },
	{ 0x301, "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA" },
	{ 0x302, "AES128-SHA", "AES128-SHA" },
	{ 0x302, "ECDHE-RSA-AES256-SHA", "ECDHE-RSA-AES256-SHA" },
	{ 0x303, "AES128-SHA", "AES128-SHA" },
	{ 0x303, "AES256-SHA256", "AES256-SHA256" },
	{ 0x303, "AES128-GCM-SHA256", "AES128-GCM-SHA256" },
	{ 0x303, "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256" },
	{ 0x303, "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384" },
	{ 0x304, "ALL", "TLS_AES_256_GCM_SHA384" },
};
#define WAYS (sizeof(ways) / sizeof(*ways))

static struct tls_context *
make_server(bool all_algorithms)
{
	struct error err;
	struct tls_context *context = tls_context_new_server(
	    &(struct tls_server_options) { .policy = TLS_LEGACY,
		.chain = server_chain,
		.anchors = anchors,
		.all_algorithms = all_algorithms },
	    &err);

	if (context == NULL)
		test_die("server context", &err);
	return context;
}

static struct tls_context *
make_way(size_t way, const struct chain *chain)
{
	return test_client(&(struct tls_client_options) {
	    .min_version = ways[way].version,
	    .max_version = ways[way].version,
	    .ciphers = ways[way].ciphers,
	    .extensions = true,
	    .anchors = anchors,
	    .check_time = true,
	    .check_sha256 = true,
	    .chain = chain });
}

/* Ed25519 signs in TLS 1.2 and later only: RFC 8422 5.10 */
static bool
can_be(size_t way, size_t key)
{
	return key != ED || ways[way].version >= 0x303;
}

/* Is the outcome of a handshake what it has to be? */
static bool
is_right(size_t way, struct tls_context *server, const struct chain *chain,
    enum tls_verdict verdict)
{
	struct tls_context *client = make_way(way, chain);
	struct pair p;
	bool right;

	pair_handshake(&p, server, client, NULL);
	right = p.server_io == TLS_DONE && p.client_io == TLS_DONE &&
	    tls_conn_version(p.server) == ways[way].version &&
	    strcmp(tls_conn_cipher(p.server), ways[way].agreed) == 0 &&
	    tls_conn_peer(p.server)->verdict == verdict;
	pair_close(&p);
	tls_context_free(client);
	return right;
}

static void
test_matrix(void **state)
{
	(void)state;
	for (int all = 0; all < 2; all++) {
		struct tls_context *server = make_server(all);

		for (size_t way = 0; way < WAYS; way++)
			for (size_t key = 0; key < KEYS; key++)
				for (size_t s = 0; s < SIGNATURES; s++)
					if (can_be(way, key) &&
					    !is_right(way, server,
						chains[key][s],
						TLS_PEER_TRUSTED))
						fail_msg("all %d way %zu key "
							 "%zu signed %zu",
						    all, way, key, s);
		tls_context_free(server);
	}
}

static void
test_refusals(void **state)
{
	(void)state;
	for (int all = 0; all < 2; all++) {
		struct tls_context *server = make_server(all);

		for (size_t way = 0; way < WAYS; way++) {
			assert_true(is_right(way, server, strange,
			    TLS_PEER_UNTRUSTED));
			assert_true(is_right(way, server, NULL, TLS_PEER_NONE));
		}
		tls_context_free(server);
	}
}

/* ------------------------------------------------- a signature that is off */

static void
test_wrong_signature(void **state)
{
	static const size_t clear[] = { 0, 2, 5, 9 }; /* not TLS 1.3 */

	(void)state;
	for (int all = 0; all < 2; all++) {
		struct tls_context *server = make_server(all);

		for (size_t i = 0; i < 4; i++)
			for (size_t key = 0; key <= P_384; key++) {
				struct tls_context *client = make_way(clear[i],
				    chains[key][SHA1_SIGNED]);

				assert_int_equal(relay_handshake(server, client,
						     true),
				    TLS_FAILED);
				assert_int_equal(relay_handshake(server, client,
						     false),
				    TLS_DONE);
				tls_context_free(client);
			}
		tls_context_free(server);
	}
}

/* ------------------------------------------------------------ many threads */

struct crew {
	struct tls_context *servers[2];
	pthread_t threads[THREADS];
	size_t number, wrong[THREADS];
};
struct hand {
	struct crew *crew;
	size_t number;
};

static void *
hand_main(void *arg)
{
	const struct hand *hand = arg;

	for (size_t i = 0; i < ROUNDS * WAYS; i++) {
		size_t way = (i + hand->number) % WAYS;
		size_t key = (i / WAYS + hand->number) % KEYS;

		if (!can_be(way, key))
			continue;
		if (!is_right(way, hand->crew->servers[i % 2],
			i % 7 == 0 ? strange : chains[key][i % SIGNATURES],
			i % 7 == 0 ? TLS_PEER_UNTRUSTED : TLS_PEER_TRUSTED))
			hand->crew->wrong[hand->number]++;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct crew crew = { .servers = {
				 make_server(false), make_server(true) } };
	struct hand hands[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		hands[i] = (struct hand) { &crew, i };
		assert_int_equal(pthread_create(&crew.threads[i], NULL,
				     hand_main, &hands[i]),
		    0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		(void)pthread_join(crew.threads[i], NULL);
		assert_int_equal(crew.wrong[i], 0);
	}
	tls_context_free(crew.servers[0]);
	tls_context_free(crew.servers[1]);
}

/* What is not in the list is not there. */
static void
test_reduced(void **state)
{
	struct error err;
	OSSL_LIB_CTX *library = tls_algorithms(&err);
	EVP_CIPHER *cipher;
	EVP_MD *digest;

	(void)state;
	assert_non_null(library);
	assert_ptr_equal(library, tls_algorithms(&err));
	cipher = EVP_CIPHER_fetch(library, "AES-128-GCM", NULL);
	assert_non_null(cipher);
	EVP_CIPHER_free(cipher);
	digest = EVP_MD_fetch(library, "SHA256", NULL);
	assert_non_null(digest);
	EVP_MD_free(digest);
	assert_null(EVP_CIPHER_fetch(library, "AES-128-CCM", NULL));
	assert_null(EVP_CIPHER_fetch(library, "NULL", NULL));
	assert_null(EVP_MD_fetch(library, "SHA3-256", NULL));
	/* OpenSSL's own context is as it was. */
	cipher = EVP_CIPHER_fetch(NULL, "AES-128-CCM", NULL);
	assert_non_null(cipher);
	EVP_CIPHER_free(cipher);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reduced),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_wrong_signature),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
