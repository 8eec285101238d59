#include "spa/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cert.h"

static bool
is_weak_digest(const char *digest)
{
	return strcmp(digest, "md2") == 0 || strcmp(digest, "md5") == 0 ||
	    strcmp(digest, "sha1") == 0;
}

static void
examine_dates(struct bundle_entry *entry, time_t now)
{
	time_t before = cert_not_before(entry->cert);
	time_t after = cert_not_after(entry->cert);

	/* 0 when a date cannot be read: then it is in no order either. */
	entry->expired = after < now;
	entry->not_yet_valid = before == 0 || before > now;
}

static void
compare_with_earlier(struct bundle *bundle, size_t index)
{
	struct bundle_entry *entry = &bundle->entries[index];
	uint8_t digest[CERT_DIGEST_BYTES], other[CERT_DIGEST_BYTES];
	char serial[CERT_SERIAL_BYTES], other_serial[CERT_SERIAL_BYTES];

	entry->same_as = entry->same_serial = index;
	cert_sha256(entry->cert, digest);
	cert_serial(entry->cert, serial);
	for (size_t i = 0; i < index; i++) {
		cert_sha256(bundle->entries[i].cert, other);
		if (memcmp(digest, other, sizeof(digest)) == 0) {
			entry->same_as = i;
			entry->same_serial = index;
			return;
		}
		cert_serial(bundle->entries[i].cert, other_serial);
		if (entry->same_serial == index && *serial != '\0' &&
		    strcmp(serial, other_serial) == 0)
			entry->same_serial = i;
	}
}

static void
examine(struct bundle *bundle, size_t index, const X509 *cert, time_t now)
{
	struct bundle_entry *entry = &bundle->entries[index];
	uint8_t digest[CERT_DIGEST_BYTES], key_digest[CERT_DIGEST_BYTES];

	entry->cert = cert;
	entry->known = identify_client_ca(cert);
	if (entry->known.ca == NULL)
		entry->server = identify_ca(cert).ca;
	cert_sha256(cert, digest);
	cert_key_sha256(cert, key_digest);
	entry->denied = registry_find_denied(digest, key_digest);
	entry->weak_digest = is_weak_digest(cert_signature_digest(cert));
	entry->weak_key = cert_is_rsa(cert) && cert_key_bits(cert) < 2048;
	examine_dates(entry, now);
	compare_with_earlier(bundle, index);
}

void
bundle_examine(struct bundle *bundle, X509 *const *certs, size_t count,
    time_t now)
{
	bundle->entries = xcalloc(count + 1, sizeof(*bundle->entries));
	bundle->count = count;
	for (size_t i = 0; i < count; i++)
		examine(bundle, i, certs[i], now);
}

void
bundle_clear(struct bundle *bundle)
{
	free(bundle->entries);
	*bundle = (struct bundle) { 0 };
}

bool
bundle_is_genuine(const struct bundle_entry *entry)
{
	const struct identified *known = &entry->known;

	return known->ca != NULL &&
	    (known->basis != IDENTIFY_NAME || known->lab ||
		known->ca->sha256 == NULL);
}

bool
bundle_has(const struct bundle *bundle, const struct ca *ca)
{
	for (size_t i = 0; i < bundle->count; i++)
		if (bundle->entries[i].known.ca == ca &&
		    bundle_is_genuine(&bundle->entries[i]))
			return true;
	return false;
}

static bool
is_at_or_above(const struct ca *ca, const struct ca *signer)
{
	while (signer != NULL && signer != ca)
		signer = signer->issuer_id == NULL ?
		    NULL :
		    registry_find_ca(signer->issuer_id);
	return signer != NULL;
}

bool
bundle_ca_signs(const struct ca *ca, const struct model *model)
{
	/* Later units of the models that began with the first root
	 * [CLIENT-BUNDLE]; ASSUMED from its name and date. */
	static const char *const later[][2] = {
		{ "ciscosb-client-1", "ciscosb-client-2" },
	};
	/* Any of these, by the year of make and by renewal [FN72302]
	 * [CISCO-PKI]. */
	static const char *const manufacturing[] = { "cmca", "cmca-sha2",
		"cmca3", "hasudi", "act2-sudi" };

	if (is_at_or_above(ca, registry_find_ca(model->client_anchor)))
		return true;
	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++)
		if (strcmp(later[i][0], model->client_anchor) == 0 &&
		    strcmp(later[i][1], ca->id) == 0)
			return true;
	if (model->identity != IDENTITY_MIC)
		return false;
	for (size_t i = 0; i < sizeof(manufacturing) / sizeof(*manufacturing);
	     i++)
		if (is_at_or_above(ca, registry_find_ca(manufacturing[i])))
			return true;
	/* Named for the bundle beside the others; what is under it is not
	 * said [BROADWORKS]. */
	return strcmp(ca->id, "cisco-root-m1") == 0;
}

bool
bundle_wants(const struct ca *ca)
{
	/* No source names it for the bundles of servers. */
	return (ca->role == CA_CLIENT_ANCHOR ||
		   ca->role == CA_CLIENT_INTERMEDIATE) &&
	    strcmp(ca->id, "act2-sudi") != 0;
}
