/* A certificate as a peer could send it: everything that we read of it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "pki/cert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(const struct cert_name *name)
{
	assert(name->count <= CERT_NAME_PARTS_MAX);
	for (size_t i = 0; i < name->count; i++) {
		assert(name->part[i].len <= CERT_VALUE_MAX);
		assert(name->part[i].value[name->part[i].len] == '\0');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char host[CERT_VALUE_MAX + 1];
	uint8_t digest[CERT_DIGEST_BYTES];
	struct cert_name name;
	struct error err;
	X509 *cert;
	char *text;

	if ((cert = cert_parse(data, size, &err)) == NULL) {
		assert(err.text[0] != '\0');
		return 0;
	}
	cert_subject(cert, &name);
	check_name(&name);
	cert_issuer(cert, &name);
	check_name(&name);
	text = cert_subject_text(cert);
	assert(strchr(text, '\n') == NULL);
	free(text);
	text = cert_issuer_text(cert);
	free(text);
	cert_sha256(cert, digest);
	cert_key_sha256(cert, digest);
	(void)cert_not_before(cert);
	(void)cert_not_after(cert);
	assert(cert_signature_digest(cert) != NULL);
	assert(cert_key_bits(cert) >= 0);
	(void)cert_is_rsa(cert);
	if (cert_common_host(cert, host))
		assert(host[0] != '\0' && strchr(host, '/') == NULL);
	(void)cert_matches_host(cert, "prov.example.net", false);
	(void)cert_matches_host(cert, "192.0.2.1", true);
	X509_free(cert);
	return 0;
}
