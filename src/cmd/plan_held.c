#include "cmd/plan.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "pki/cert.h"
#include "spa/identify.h"

static struct plan_certificate *
add(struct plan_held *held)
{
	held->list = xrealloc(held->list,
	    (held->count + 1) * sizeof(*held->list));
	held->list[held->count] = (struct plan_certificate) { .ca = NULL };
	return &held->list[held->count++];
}

void
plan_held_add(struct plan_held *held, const struct ca *ca)
{
	struct plan_certificate *certificate = add(held);
	bool is_new = ca->signing == CA_SIGNING_YES;

	/* Of its own time, as long as nobody shows it to us. */
	certificate->ca = ca;
	certificate->is_sha2 = is_new;
	certificate->has_san = is_new;
	certificate->is_strong = is_new;
}

/* The fields are const for those who only read them. */
static void
free_text(const char *text)
{
	char *own;

	memcpy(&own, &text, sizeof(own));
	free(own);
}

void
plan_held_clear(struct plan_held *held)
{
	for (size_t i = 0; i < held->count; i++) {
		free_text(held->list[i].host);
		free_text(held->list[i].path);
		free_text(held->list[i].key_path);
	}
	free(held->list);
	*held = (struct plan_held) { 0 };
}

static void
describe(struct plan_certificate *certificate, X509 *leaf,
    struct identified found, const char *host)
{
	const char *digest = cert_signature_digest(leaf);

	certificate->ca = found.ca;
	certificate->is_lab = found.lab;
	certificate->not_before = cert_not_before(leaf);
	certificate->not_after = cert_not_after(leaf);
	/* "sha1" is the only other with these letters. */
	certificate->is_sha2 = text_starts(digest, "sha") &&
	    strcmp(digest, "sha1") != 0;
	certificate->is_strong = certificate->is_sha2 &&
	    (!cert_is_rsa(leaf) || cert_key_bits(leaf) >= 2048);
	certificate->has_san = cert_matches_host(leaf, host, true);
	certificate->host = xstrdup(host);
}

static void
take(struct plan_held *held, const char *path, const char *key_path,
    X509 *const *certs, size_t count)
{
	char host[CERT_VALUE_MAX + 1];
	struct identified found = identify_issuer(certs[0],
	    count > 1 ? certs[1] : NULL);
	struct plan_certificate *certificate;

	if (found.ca == NULL) {
		cmd_error("%s: not counted: its CA is none that the registry "
			  "knows; if it is your own, say --hold custom-ca",
		    path);
		return;
	}
	if (!cert_common_host(certs[0], host)) {
		cmd_error("%s: not counted: its subject names no host", path);
		return;
	}
	certificate = add(held);
	describe(certificate, certs[0], found, host);
	certificate->path = xstrdup(path);
	certificate->key_path = xstrdup(key_path);
}

static void
read_one(struct plan_held *held, const char *path)
{
	const char *dot = strrchr(path, '.');
	char *key_path = xasprintf("%.*s.key", (int)(dot - path), path);
	X509 **certs = NULL;
	size_t count = 0;
	struct error err;

	/* Without a key it is a CA's, or of no use. */
	if (access(key_path, F_OK) == 0) {
		if (cert_read_file(path, &certs, &count, &err) != 0)
			cmd_error("not counted: %s", err.text);
		else if (count > 0)
			take(held, path, key_path, certs, count);
		cert_free_all(certs, count);
	}
	free(key_path);
}

static int
is_certificate(const struct dirent *entry)
{
	return *entry->d_name != '.' &&
	    (text_ends(entry->d_name, ".crt") ||
		text_ends(entry->d_name, ".pem") ||
		text_ends(entry->d_name, ".cer"));
}

int
plan_held_read(struct plan_held *held, const char *directory, struct error *err)
{
	/* Absolute, so that the configuration may lie anywhere. */
	char *absolute = realpath(directory, NULL);
	struct dirent **entries = NULL;
	int count;

	if (absolute == NULL)
		return error_errno(err, "%s", directory);
	count = scandir(absolute, &entries, is_certificate, alphasort);
	if (count < 0) {
		free(absolute);
		return error_errno(err, "%s", directory);
	}
	for (int i = 0; i < count; i++) {
		char *path = file_join(absolute, entries[i]->d_name);

		read_one(held, path);
		free(path);
		free(entries[i]);
	}
	free(entries);
	free(absolute);
	return 0;
}
