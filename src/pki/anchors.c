#include "pki/anchors.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"

#include <assert.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

struct anchor {
	X509 *cert;
	uint8_t sha256[CERT_DIGEST_BYTES];
	bool allowed_expired;
};

struct anchors {
	struct anchor *list;
	size_t count;
	X509_STORE *store;
};

struct anchors *
anchors_new(void)
{
	struct anchors *anchors = xcalloc(1, sizeof(*anchors));

	anchors->store = X509_STORE_new();
	if (anchors->store == NULL)
		abort(); /* as xcalloc: no memory */
	(void)X509_STORE_set_flags(anchors->store, X509_V_FLAG_PARTIAL_CHAIN);
	return anchors;
}

void
anchors_free(struct anchors *anchors)
{
	if (anchors == NULL)
		return;
	for (size_t i = 0; i < anchors->count; i++)
		X509_free(anchors->list[i].cert);
	free(anchors->list);
	X509_STORE_free(anchors->store);
	free(anchors);
}

static struct anchor *
find_anchor(const struct anchors *anchors, const X509 *cert)
{
	uint8_t sha256[CERT_DIGEST_BYTES];

	cert_sha256(cert, sha256);
	for (size_t i = 0; i < anchors->count; i++) {
		if (memcmp(anchors->list[i].sha256, sha256, sizeof(sha256)) ==
		    0)
			return &anchors->list[i];
	}
	return NULL;
}

void
anchors_add(struct anchors *anchors, X509 *cert)
{
	struct anchor *anchor;

	if (find_anchor(anchors, cert) != NULL)
		return;
	anchors->list = xrealloc(anchors->list,
	    (anchors->count + 1) * sizeof(*anchors->list));
	anchor = &anchors->list[anchors->count++];
	*anchor = (struct anchor) { .cert = cert };
	cert_sha256(cert, anchor->sha256);
	if (X509_up_ref(cert) != 1 ||
	    X509_STORE_add_cert(anchors->store, cert) != 1)
		abort(); /* as xcalloc: no memory */
	/*
	 * OpenSSL reads extensions when they are first wanted.  Let that be
	 * now, in one thread: later several verify with this certificate.
	 * What is wrong with one shows when it is used.
	 */
	(void)X509_check_purpose(cert, -1, 0);
	ERR_clear_error();
}

int
anchors_add_file(struct anchors *anchors, const char *path, struct error *err)
{
	X509 **certs;
	size_t count;
	int rc = 0;

	if (cert_read_file(path, &certs, &count, err) != 0)
		return -1;
	if (anchors->count + count > ANCHORS_MAX)
		rc = error_set(err, ERROR_INPUT,
		    "%s: more than %d anchors in all", path, ANCHORS_MAX);
	for (size_t i = 0; i < count && rc == 0; i++)
		anchors_add(anchors, certs[i]);
	cert_free_all(certs, count);
	return rc;
}

static int
is_certificate_name(const struct dirent *entry)
{
	static const char *const endings[] = { ".pem", ".crt", ".cer" };
	size_t len = strlen(entry->d_name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		if (len > 4 &&
		    strcasecmp(entry->d_name + len - 4, endings[i]) == 0)
			return 1;
	}
	return 0;
}

int
anchors_add_directory(struct anchors *anchors, const char *path,
    struct error *err)
{
	struct dirent **entries;
	int count, rc = 0;

	count = scandir(path, &entries, is_certificate_name, alphasort);
	if (count < 0)
		return error_errno(err, "%s", path);
	if (count == 0)
		rc = error_set(err, ERROR_INPUT,
		    "%s: holds no certificate: wanted files named *.pem, "
		    "*.crt or *.cer",
		    path);
	for (int i = 0; i < count; i++) {
		char *file = file_join(path, entries[i]->d_name);

		if (rc == 0)
			rc = anchors_add_file(anchors, file, err);
		free(file);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* The CN of an anchor as text; false when it has none that is text. */
static bool
common_name(const struct anchor *anchor, char text[static CERT_VALUE_MAX + 1])
{
	const struct cert_name_part *part;
	struct cert_name name;

	cert_subject(anchor->cert, &name);
	part = cert_name_find(&name, CERT_COMMON_NAME);
	if (part == NULL || part->wide || part->truncated ||
	    strlen(part->value) != part->len)
		return false;
	memcpy(text, part->value, part->len + 1);
	return true;
}

static int
refuse_name(const struct anchors *anchors, const char *name, struct error *err)
{
	char(*texts)[CERT_VALUE_MAX + 1];
	const char **candidates;
	const char *nearest;
	size_t count = 0;

	texts = xcalloc(anchors->count, sizeof(*texts));
	candidates = xcalloc(anchors->count, sizeof(*candidates));
	for (size_t i = 0; i < anchors->count; i++) {
		if (common_name(&anchors->list[i], texts[count])) {
			candidates[count] = texts[count];
			count++;
		}
	}
	nearest = text_nearest(name, candidates, count);
	if (nearest != NULL)
		(void)error_set(err, ERROR_NOT_FOUND,
		    "no client anchor is named \"%.128s\": did you mean "
		    "\"%.128s\"?",
		    name, nearest);
	else
		(void)error_set(err, ERROR_NOT_FOUND,
		    "no client anchor is named \"%.128s\": wanted the CN of "
		    "one of the %zu anchors",
		    name, anchors->count);
	free(candidates);
	free(texts);
	return -1;
}

int
anchors_allow_expired(struct anchors *anchors, const char *name,
    struct error *err)
{
	char text[CERT_VALUE_MAX + 1];
	bool found = false;

	for (size_t i = 0; i < anchors->count; i++) {
		if (common_name(&anchors->list[i], text) &&
		    strcmp(text, name) == 0) {
			anchors->list[i].allowed_expired = true;
			found = true;
		}
	}
	return found ? 0 : refuse_name(anchors, name, err);
}

bool
anchors_is_allowed_expired(const struct anchors *anchors, const X509 *cert)
{
	const struct anchor *anchor = find_anchor(anchors, cert);

	return anchor != NULL && anchor->allowed_expired;
}

size_t
anchors_count(const struct anchors *anchors)
{
	return anchors->count;
}

X509 *
anchors_get(const struct anchors *anchors, size_t index)
{
	assert(index < anchors->count);
	return anchors->list[index].cert;
}

X509_STORE *
anchors_store(const struct anchors *anchors)
{
	return anchors->store;
}
