#include "lab/pki.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/mint.h"
#include "spa/identify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY (24L * 60 * 60)
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

struct lab_pki {
	time_t now;
	struct authority *cas; /* one for each row of registry_cas */
	struct authority stranger;
	EVP_PKEY *device_key_1024, *device_key_2048;
};

static void
authority_clear(struct authority *authority)
{
	key_free(authority->key);
	cert_free(authority->cert);
}

void
lab_pki_free(struct lab_pki *pki)
{
	if (pki == NULL)
		return;
	for (size_t i = 0; i < registry_ca_count; i++)
		authority_clear(&pki->cas[i]);
	free(pki->cas);
	authority_clear(&pki->stranger);
	key_free(pki->device_key_1024);
	key_free(pki->device_key_2048);
	free(pki);
}

static bool
signs_devices(const struct ca *ca)
{
	return ca->role == CA_CLIENT_ANCHOR ||
	    ca->role == CA_CLIENT_INTERMEDIATE;
}

static struct authority *
authority_of(const struct lab_pki *pki, const struct ca *ca)
{
	return &pki->cas[ca - registry_cas];
}

X509 *
lab_pki_ca(const struct lab_pki *pki, const struct ca *ca)
{
	return authority_of(pki, ca)->cert;
}

/* Where the original has an elliptic-curve key the copy is RSA, too: a device
 * that offers only RSA suites could not tell us anything about it. */
static unsigned
key_bits(const struct ca *ca)
{
	return strcmp(ca->key_type, "RSA-1024") == 0 ? 1024 : 2048;
}

/* Where the digest is not known: what the CA's time used. */
static const char *
ca_digest(const struct ca *ca)
{
	if (*ca->digest != '\0')
		return ca->digest;
	return registry_is_server_ca(ca) && ca->signing != CA_SIGNING_YES ?
	    "sha1" :
	    "sha256";
}

static int make_authority(struct lab_pki *pki, const struct ca *ca,
    struct error *err) MUST_CHECK;

/* The issuer's authority, made first when need be; itself when self-signed. */
static int
find_issuer(struct lab_pki *pki, const struct ca *ca, struct authority **issuer,
    struct error *err)
{
	const struct ca *above = ca->issuer_id != NULL ?
	    registry_find_ca(ca->issuer_id) :
	    NULL;

	*issuer = NULL;
	if (above == NULL)
		return 0;
	if (make_authority(pki, above, err) != 0)
		return -1;
	*issuer = authority_of(pki, above);
	return 0;
}

static int
make_authority(struct lab_pki *pki, const struct ca *ca, struct error *err)
{
	struct authority *made = authority_of(pki, ca), *issuer;
	char name[CERT_VALUE_MAX];
	const struct mint_name_part subject[] = {
		{ .type = CERT_ORGANIZATION, .value = "sprov lab" },
		{ .type = CERT_COMMON_NAME, .value = name },
	};
	struct mint_request request = {
		.subject = subject,
		.subject_count = COUNT(subject),
		.digest = ca_digest(ca),
		.not_before = ca->not_before != 0 ? ca->not_before :
						    pki->now - 365 * DAY,
		.not_after = ca->not_after != 0 ? ca->not_after :
						  pki->now + 3650 * DAY,
		.ca = true,
		.version_1 = ca->version_1,
		.path_length = -1,
	};

	if (made->cert != NULL)
		return 0;
	if (find_issuer(pki, ca, &issuer, err) != 0)
		return -1;
	(void)snprintf(name, sizeof(name), IDENTIFY_LAB_PREFIX "%s",
	    *ca->common_name != '\0' ? ca->common_name : ca->name);
	made->key = key_generate(key_bits(ca), ca->exponent, err);
	if (made->key == NULL)
		return error_prefix(err, "%s: ", ca->id);
	request.key = made->key;
	if (issuer != NULL) {
		request.issuer = issuer->cert;
		request.issuer_key = issuer->key;
	}
	made->cert = mint_certificate(&request, err);
	return made->cert != NULL ? 0 : error_prefix(err, "%s: ", ca->id);
}

static int
make_stranger(struct lab_pki *pki, struct error *err)
{
	const struct mint_name_part subject[] = {
		{ .type = CERT_COMMON_NAME, .value = "LAB unknown CA" },
	};
	struct mint_request request = {
		.subject = subject,
		.subject_count = COUNT(subject),
		.digest = "sha256",
		.not_before = pki->now - DAY,
		.not_after = pki->now + 365 * DAY,
		.ca = true,
		.path_length = -1,
	};

	pki->stranger.key = key_generate(2048, 65537, err);
	pki->device_key_1024 = key_generate(1024, 65537, err);
	pki->device_key_2048 = key_generate(2048, 65537, err);
	if (pki->stranger.key == NULL || pki->device_key_1024 == NULL ||
	    pki->device_key_2048 == NULL)
		return -1;
	request.key = pki->stranger.key;
	pki->stranger.cert = mint_certificate(&request, err);
	return pki->stranger.cert != NULL ? 0 : -1;
}

struct lab_pki *
lab_pki_new(time_t now, void (*tick)(void *arg, size_t done, size_t total),
    void *arg, struct error *err)
{
	struct lab_pki *pki = xcalloc(1, sizeof(*pki));

	pki->now = now;
	pki->cas = xcalloc(registry_ca_count, sizeof(*pki->cas));
	for (size_t i = 0; i < registry_ca_count; i++) {
		if (make_authority(pki, &registry_cas[i], err) != 0)
			goto fail;
		if (tick != NULL)
			tick(arg, i + 1, registry_ca_count);
	}
	if (make_stranger(pki, err) == 0)
		return pki;
fail:
	lab_pki_free(pki);
	return NULL;
}

/* ------------------------------------------------------------- servers */

bool
lab_pki_server_is_sha2(const struct ca *ca)
{
	/* [CDA-SIGN]: SHA-256 is recommended for what is still signed. */
	return ca->signing == CA_SIGNING_YES;
}

bool
lab_pki_server_has_san(const struct ca *ca)
{
	return lab_pki_server_is_sha2(ca);
}

static int
write_pair(const char *base, X509 *const *certs, size_t count, EVP_PKEY *key,
    struct error *err)
{
	char *cert_path = xasprintf("%s.crt", base);
	char *key_path = xasprintf("%s.key", base);
	int rc;

	(void)unlink(key_path); /* key_write() never replaces */
	rc = cert_write_file(cert_path, certs, count, err);
	if (rc == 0)
		rc = key_write(key_path, key, err);
	free(key_path);
	free(cert_path);
	return rc;
}

static int
write_server(const struct lab_pki *pki, const struct ca *ca, const char *base,
    struct error *err)
{
	const struct authority *issuer = authority_of(pki, ca);
	char host[128], san[160];
	const struct mint_name_part subject[] = {
		{ .type = CERT_ORGANIZATION, .value = "sprov lab" },
		{ .type = CERT_COMMON_NAME, .value = host },
	};
	struct mint_request request = {
		.subject = subject,
		.subject_count = COUNT(subject),
		.issuer = issuer->cert,
		.issuer_key = issuer->key,
		.digest = lab_pki_server_is_sha2(ca) ? "sha256" : "sha1",
		.not_before = pki->now - DAY,
		.not_after = pki->now + 365 * DAY,
		.extended_key_usage = "serverAuth",
	};
	X509 *certs[2] = { NULL, issuer->cert };
	int rc = -1;

	(void)snprintf(host, sizeof(host), "%s." LAB_DOMAIN, ca->id);
	(void)snprintf(san, sizeof(san), "DNS:%s", host);
	if (lab_pki_server_has_san(ca))
		request.subject_alt_name = san;
	request.key = key_generate(key_bits(ca), 65537, err);
	if (request.key != NULL &&
	    (certs[0] = mint_certificate(&request, err)) != NULL)
		rc = write_pair(base, certs,
		    ca->role == CA_SERVER_INTERMEDIATE ? 2 : 1, request.key,
		    err);
	cert_free(certs[0]);
	key_free(request.key);
	return rc;
}

static int
write_anchors(const struct lab_pki *pki, const char *directory,
    struct error *err)
{
	char *path = xasprintf("%s/client-anchors.pem", directory);
	X509 **certs = xcalloc(registry_ca_count, sizeof(*certs));
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < registry_ca_count; i++)
		if (signs_devices(&registry_cas[i]))
			certs[count++] = pki->cas[i].cert;
	rc = cert_write_file(path, certs, count, err);
	free(certs);
	free(path);
	return rc;
}

static int
make_folders(const char *directory, struct error *err)
{
	static const char *const names[] = { "cas", "servers", "devices",
		"templates" };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < COUNT(names); i++) {
		char *path = xasprintf("%s/%s", directory, names[i]);

		rc = file_make_directory(path, 0755, err);
		free(path);
	}
	return rc;
}

int
lab_pki_write_servers(const struct lab_pki *pki, const char *directory,
    struct error *err)
{
	int rc = make_folders(directory, err);

	for (size_t i = 0; rc == 0 && i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];
		char *ca_path = xasprintf("%s/cas/%s.pem", directory, ca->id);
		char *base = xasprintf("%s/servers/%s", directory, ca->id);

		if (registry_is_server_ca(ca)) {
			rc = cert_write_file(ca_path, &pki->cas[i].cert, 1,
			    err);
			if (rc == 0)
				rc = write_server(pki, ca, base, err);
		}
		free(base);
		free(ca_path);
	}
	return rc != 0 ? rc : write_anchors(pki, directory, err);
}

/* ------------------------------------------------------------- devices */

static X509 *
mint_device(const struct lab_pki *pki, const struct lab_identity *identity,
    const struct mint_name_part *subject, size_t count, EVP_PKEY **key,
    struct error *err)
{
	const struct ca *ca = registry_find_ca(identity->model->client_anchor);
	const struct authority *issuer = identity->stranger ?
	    &pki->stranger :
	    authority_of(pki, ca);
	const struct mint_request request = {
		.subject = subject,
		.subject_count = count,
		.key = identity->model->identity == IDENTITY_MIC ?
		    pki->device_key_2048 :
		    pki->device_key_1024,
		.issuer = issuer->cert,
		.issuer_key = issuer->key,
		.digest = ca_digest(ca),
		.not_before = pki->now - 3000 * DAY,
		.not_after = identity->expired ? pki->now - DAY :
						 pki->now + 3650 * DAY,
		.extended_key_usage = "clientAuth",
	};

	*key = request.key;
	return mint_certificate(&request, err);
}

int
lab_pki_write_identity(const struct lab_pki *pki,
    const struct lab_identity *identity, const char *base, struct error *err)
{
	const char *product = identity->model->certificate_product;
	char mac[MAC_TEXT_BYTES], mac_upper[MAC_TEXT_BYTES];
	char second[MAC_TEXT_BYTES];
	char long_name[CERT_VALUE_MAX], sep_name[128], pid[128];
	const char *st, *l;
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	int rc = -1;

	/* The documented form says all once: to contradict itself it needs the
	 * common name of the observed one.  The MIC form repeats the product
	 * only. */
	bool plain = mac_equal(&identity->mac, &identity->second_mac) &&
	    strcmp(identity->serial, identity->second_serial) == 0;

	mac_format(&identity->mac, mac);
	mac_format_upper(&identity->mac, mac_upper);
	(void)snprintf(pid, sizeof(pid), "PID:%s SN:%s",
	    plain ? product : "OTHER-PRODUCT", identity->serial);
	mac_format_upper(&identity->second_mac, second);
	st = identity->generic ? "sipurageneric" : mac_upper;
	l = identity->generic ? "sipurageneric" : identity->serial;
	(void)snprintf(long_name, sizeof(long_name), "%s, MAC: %s, Serial: %s",
	    product, identity->generic ? st : second,
	    identity->generic ? l : identity->second_serial);
	(void)snprintf(sep_name, sizeof(sep_name), "%s-SEP%s", product, second);
	const struct mint_name_part documented[] = {
		{ .type = CERT_UNIT, .value = product },
		{ .type = CERT_LOCALITY, .value = identity->serial },
		{ .type = CERT_STATE, .value = mac },
	};
	const struct mint_name_part observed[] = {
		{ .type = CERT_COUNTRY, .value = "US" },
		{ .type = CERT_STATE, .value = st },
		{ .type = CERT_LOCALITY, .value = l },
		{ .type = CERT_ORGANIZATION, .value = "sprov lab" },
		{ .type = CERT_UNIT, .value = "lab.example.net" },
		{ .type = CERT_COMMON_NAME, .value = long_name },
		{ .type = CERT_EMAIL, .value = "lab@example.net" },
	};
	const struct mint_name_part mic[] = {
		{ .type = CERT_SERIAL_NUMBER, .value = pid },
		{ .type = CERT_ORGANIZATION, .value = "sprov lab" },
		{ .type = CERT_UNIT, .value = "CTG" },
		{ .type = CERT_COMMON_NAME, .value = sep_name },
	};
	if (identity->model->identity == IDENTITY_MIC && !identity->generic)
		cert = mint_device(pki, identity, mic, COUNT(mic), &key, err);
	else if (identity->model->identity == IDENTITY_DOCUMENTED && plain &&
	    !identity->generic)
		cert = mint_device(pki, identity, documented, COUNT(documented),
		    &key, err);
	else
		cert = mint_device(pki, identity, observed, COUNT(observed),
		    &key, err);
	if (cert != NULL)
		rc = write_pair(base, &cert, 1, key, err);
	cert_free(cert);
	return rc;
}
