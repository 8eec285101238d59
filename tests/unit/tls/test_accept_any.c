#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/pair.h"
#include "pki/anchors.h"

struct fixture {
	char *folder;
	EVP_PKEY *key;
	X509 *certs[2]; /* leaf, root */
	struct chain *chain;
	struct tls_context *legacy;
};

/* An expired MD5 certificate, as bad as they come, with its root. */
static int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->folder = test_folder();
	f->key = test_key(2048);
	f->certs[1] = test_mint("Root",
	    (struct mint_request) {
		.key = f->key, .ca = true, .digest = "md5" });
	f->certs[0] = test_mint("host.example.net",
	    (struct mint_request) { .key = f->key,
		.issuer = f->certs[1],
		.issuer_key = f->key,
		.digest = "md5",
		.not_before = time(NULL) - 3 * DAY,
		.not_after = time(NULL) - DAY });
	f->chain = test_chain(f->folder, f->certs, 2, f->key);
	f->legacy = test_server(TLS_LEGACY, f->chain, NULL);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	tls_context_free(f->legacy);
	chain_free(f->chain);
	cert_free(f->certs[0]);
	cert_free(f->certs[1]);
	key_free(f->key);
	test_remove_folder(f->folder);
	free(f);
	return 0;
}

static struct tls_context *
accept_any(bool extensions)
{
	struct error err = { 0 };
	struct tls_context *context = tls_context_new_accept_any(extensions,
	    &err);

	if (context == NULL)
		fail_msg("%s", err.text);
	return context;
}

static void
check_shown(const struct fixture *f, const struct tls_conn *conn)
{
	X509 **certs = NULL;
	size_t count = 0;

	tls_conn_shown(conn, &certs, &count);
	assert_int_equal(count, 2);
	assert_int_equal(X509_cmp(certs[0], f->certs[0]), 0);
	assert_int_equal(X509_cmp(certs[1], f->certs[1]), 0);
	cert_free_all(certs, count);
}

/* Whatever is shown is taken, and never called trusted. */
static void
test_accepts(void **state)
{
	struct fixture *f = *state;

	for (int extensions = 0; extensions <= 1; extensions++) {
		struct tls_context *client = accept_any(extensions == 1);
		struct pair p;

		pair_handshake(&p, f->legacy, client, "host.example.net");
		assert_int_equal(p.client_io, TLS_DONE);
		assert_int_equal(p.server_io, TLS_DONE);
		assert_int_equal(tls_conn_version(p.client),
		    extensions == 1 ? 0x0304 : 0x0303);
		assert_string_equal(tls_conn_hello(p.server)->sni,
		    extensions == 1 ? "host.example.net" : "");
		assert_int_equal(tls_conn_peer(p.client)->verdict,
		    TLS_PEER_UNTRUSTED);
		assert_string_equal(tls_conn_peer(p.client)->verify_text,
		    "not verified");
		check_shown(f, p.client);
		pair_close(&p);
		tls_context_free(client);
	}
}

static void
test_nothing_shown(void **state)
{
	struct fixture *f = *state;
	struct tls_context *client = accept_any(true);
	X509 **certs = NULL;
	size_t count = 1;
	struct pair p;

	pair_open(&p, f->legacy, client, NULL);
	tls_conn_shown(p.client, &certs, &count);
	assert_int_equal(count, 0);
	assert_null(certs);
	cert_free_all(certs, count);
	pair_close(&p);
	tls_context_free(client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_accepts, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_shown, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
