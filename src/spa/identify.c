#include "spa/identify.h"
#include "base/text.h"
#include "pki/cert.h"
#include "spa/registry.h"

#include <string.h>

/* Of which CAs one may be. */
typedef bool is_candidate(const struct ca *ca);

static bool
is_client_ca(const struct ca *ca)
{
	return ca->role == CA_CLIENT_ANCHOR ||
	    ca->role == CA_CLIENT_INTERMEDIATE;
}

static const struct ca *
find_by_hash(const uint8_t digest[static CERT_DIGEST_BYTES], bool of_key,
    is_candidate *is_one)
{
	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];
		const uint8_t *known = of_key ? ca->key_sha256 : ca->sha256;

		if (is_one(ca) && known != NULL &&
		    memcmp(known, digest, CERT_DIGEST_BYTES) == 0)
			return ca;
	}
	return NULL;
}

static const struct ca *
find_by_name(const char *name, is_candidate *is_one)
{
	for (size_t i = 0; i < registry_ca_count; i++) {
		const struct ca *ca = &registry_cas[i];

		if (is_one(ca) && *ca->common_name != '\0' &&
		    strcmp(ca->common_name, name) == 0)
			return ca;
	}
	return NULL;
}

/* Classes have no subject; the lab's copies of them carry their short name. */
static const struct ca *
find_lab_copy(const char *name, is_candidate *is_one)
{
	const struct ca *ca = find_by_name(name, is_one);

	for (size_t i = 0; ca == NULL && i < registry_ca_count; i++)
		if (is_one(&registry_cas[i]) &&
		    *registry_cas[i].common_name == '\0' &&
		    strcmp(registry_cas[i].name, name) == 0)
			ca = &registry_cas[i];
	return ca;
}

static struct identified
identify_by_name(const struct cert_name *name, is_candidate *is_one)
{
	struct identified found = { .basis = IDENTIFY_NONE };
	const struct cert_name_part *part = cert_name_find(name,
	    CERT_COMMON_NAME);
	size_t prefix = strlen(IDENTIFY_LAB_PREFIX);

	if (part == NULL || part->truncated || part->wide ||
	    strlen(part->value) != part->len)
		return found;
	found.lab = text_starts(part->value, IDENTIFY_LAB_PREFIX);
	found.ca = found.lab ? find_lab_copy(part->value + prefix, is_one) :
			       find_by_name(part->value, is_one);
	if (found.ca != NULL)
		found.basis = IDENTIFY_NAME;
	return found;
}

/* By the hashes of a CA's certificate. */
static struct identified
identify_by_hash(const X509 *cert, is_candidate *is_one)
{
	struct identified found = { .basis = IDENTIFY_CERTIFICATE };
	uint8_t digest[CERT_DIGEST_BYTES];

	cert_sha256(cert, digest);
	found.ca = find_by_hash(digest, false, is_one);
	if (found.ca == NULL) {
		cert_key_sha256(cert, digest);
		found.ca = find_by_hash(digest, true, is_one);
		found.basis = IDENTIFY_KEY;
	}
	return found;
}

struct identified
identify_issuer(const X509 *leaf, const X509 *issuer)
{
	struct identified found = { .ca = NULL };
	struct cert_name name;

	if (issuer != NULL)
		found = identify_by_hash(issuer, registry_is_server_ca);
	if (found.ca != NULL)
		return found;
	cert_issuer(leaf, &name);
	return identify_by_name(&name, registry_is_server_ca);
}

struct identified
identify_chain(X509 *const *certs, size_t count, size_t *at)
{
	struct identified found = { .ca = NULL };

	for (size_t i = 0; i < count && found.ca == NULL; i++) {
		const X509 *issuer = i + 1 < count &&
			cert_is_issued_by(certs[i], certs[i + 1]) ?
		    certs[i + 1] :
		    NULL;

		found = identify_issuer(certs[i], issuer);
		if (found.ca != NULL)
			*at = i;
		if (issuer == NULL)
			break;
	}
	return found;
}

static struct identified
identify_one_of(const X509 *cert, is_candidate *is_one)
{
	struct identified found = identify_by_hash(cert, is_one);
	struct cert_name name;

	if (found.ca != NULL)
		return found;
	cert_subject(cert, &name);
	return identify_by_name(&name, is_one);
}

struct identified
identify_ca(const X509 *cert)
{
	return identify_one_of(cert, registry_is_server_ca);
}

struct identified
identify_client_ca(const X509 *cert)
{
	return identify_one_of(cert, is_client_ca);
}

const char *
identify_basis_name(enum identify_basis basis)
{
	switch (basis) {
	case IDENTIFY_NONE:
		break;
	case IDENTIFY_CERTIFICATE:
		return "by certificate";
	case IDENTIFY_KEY:
		return "by key";
	case IDENTIFY_NAME:
		return "by name";
	}
	return "not recognised";
}
