/*
 * certs.h -- keys, certificates and temporary folders for tests.
 *
 * Real ones, made on the spot.  Anything that fails ends the test program: a
 * test that cannot set itself up has nothing to say.
 */
#ifndef TESTS_CERTS_H
#define TESTS_CERTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/key.h"
#include "pki/mint.h"

#define DAY (24 * 60 * 60)

static inline void
test_die(const char *what, const struct error *err)
{
	(void)fprintf(stderr, "test setup: %s: %s\n", what, err->text);
	abort();
}

static inline EVP_PKEY *
test_key(unsigned bits)
{
	struct error err;
	EVP_PKEY *key = key_generate(bits, bits == 1024 ? 3 : 65537, &err);

	if (key == NULL)
		test_die("key", &err);
	return key;
}

/* A certificate with only a CN; the rest of the request as given. */
static inline X509 *
test_mint(const char *common_name, struct mint_request request)
{
	struct mint_name_part part = { CERT_COMMON_NAME, common_name, 0 };
	struct error err;
	X509 *cert;

	if (request.subject == NULL) {
		request.subject = &part;
		request.subject_count = 1;
	}
	if (request.digest == NULL)
		request.digest = "sha256";
	if (request.not_before == 0)
		request.not_before = time(NULL) - DAY;
	if (request.not_after == 0)
		request.not_after = time(NULL) + DAY;
	if (request.path_length == 0)
		request.path_length = -1;
	if ((cert = mint_certificate(&request, &err)) == NULL)
		test_die(common_name, &err);
	return cert;
}

/* A folder of its own for the test; test_remove_folder() takes all away. */
static inline char *
test_folder(void)
{
	char *path = xstrdup("/tmp/sprov-test-XXXXXX");

	if (mkdtemp(path) == NULL)
		abort();
	return path;
}

static inline void
test_remove_folder(char *path)
{
	char *command = xasprintf("rm -rf '%s'", path);

	if (system(command) != 0)
		abort();
	free(command);
	free(path);
}

static inline void
test_write(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "wb");

	if (file == NULL || fwrite(data, 1, len, file) != len ||
	    fclose(file) != 0)
		abort();
}

/* Write certificates and key into folder and load them as a chain. */
static inline struct chain *
test_chain(const char *folder, X509 *const *certs, size_t count, EVP_PKEY *key)
{
	static unsigned number;
	char *cert_path = xasprintf("%s/chain%u.crt", folder, number);
	char *key_path = xasprintf("%s/chain%u.key", folder, number++);
	struct chain *chain = NULL;
	struct error err;

	if (cert_write_file(cert_path, certs, count, &err) != 0 ||
	    key_write(key_path, key, &err) != 0 ||
	    (chain = chain_load(cert_path, key_path, &err)) == NULL)
		test_die("chain", &err);
	free(cert_path);
	free(key_path);
	return chain;
}

#endif
