/*
 * site.h -- a folder with a CA, a server certificate, devices and a
 * configuration: what a service is built from.
 */
#ifndef TESTS_SITE_H
#define TESTS_SITE_H

#include "certs.h"
#include "server/config.h"
#include "server/service.h"

struct site {
	char *folder;
	EVP_PKEY *key; /* of all: making keys takes its time */
	X509 *ca;      /* above server and devices; ca.crt */
};

static inline void
site_write(const struct site *site, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", site->folder, name);

	test_write(path, text, strlen(text));
	free(path);
}

static inline void
site_write_certificates(const struct site *site, const char *name,
    X509 *const *certs, size_t count)
{
	char *path = xasprintf("%s/%s", site->folder, name);
	struct error err;

	if (cert_write_file(path, certs, count, &err) != 0)
		test_die(name, &err);
	free(path);
}

static inline void
site_write_key(const struct site *site, const char *name, EVP_PKEY *key)
{
	char *path = xasprintf("%s/%s", site->folder, name);
	struct error err;

	if (key_write(path, key, &err) != 0)
		test_die(name, &err);
	free(path);
}

static inline X509 *
site_leaf(const struct site *site, const char *name)
{
	return test_mint(name,
	    (struct mint_request) { .key = site->key,
		.issuer = site->ca,
		.issuer_key = site->key });
}

/* ca.crt, server.crt (leaf and CA) and server.key; sprov.conf is the test's. */
static inline void
site_open(struct site *site, const char *ca_name)
{
	X509 *certs[2];

	*site = (struct site) { .folder = test_folder(),
		.key = test_key(2048) };
	site->ca = test_mint(ca_name,
	    (struct mint_request) { .key = site->key, .ca = true });
	certs[0] = site_leaf(site, "prov.example.net");
	certs[1] = site->ca;
	site_write_certificates(site, "ca.crt", &site->ca, 1);
	site_write_certificates(site, "server.crt", certs, 2);
	site_write_key(site, "server.key", site->key);
	X509_free(certs[0]);
}

static inline void
site_close(struct site *site)
{
	X509_free(site->ca);
	EVP_PKEY_free(site->key);
	test_remove_folder(site->folder);
}

/* Build a service from that text of the configuration file. */
static inline struct service *
site_service(const struct site *site, const char *text, struct errors *errors)
{
	char *path = xasprintf("%s/sprov.conf", site->folder);
	struct config *config = config_parse(path, text, strlen(text), errors);

	free(path);
	return config != NULL ? service_new(config, errors) : NULL;
}

#endif
