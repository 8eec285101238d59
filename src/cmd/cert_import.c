#include "cmd/cert_common.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/device_common.h"
#include "pki/cert.h"
#include "pki/certdir.h"
#include "pki/chain.h"
#include "pki/key.h"
#include "pki/order.h"
#include "pki/request.h"
#include "server/config.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

struct import {
	const char *file, *key_path, *name, *directory, *host, *config_path;
	const char *uri;
	bool force, json;
	/* What is made of it. */
	struct config *config;
	struct cert_fleet fleet;
	EVP_PKEY *key;
	struct cert_view view;	  /* of the chain, in order */
	struct cert_view *others; /* what else is in the folder */
	size_t other_count;
	X509 **left_out; /* certificates that are no part of it */
	size_t left_out_count;
	bool moved;
	char *installed_name, *folder;
	unsigned kept;
	bool was_there; /* installed already, as it is */
};

/* -------------------------------------------------- what cannot be forced */

static int
check_leaf(struct import *import, struct error *err)
{
	X509 *leaf = import->view.certs[0];

	if (order_is_ca(leaf))
		return error_set(err, ERROR_INPUT,
		    "%s: RFC 5280 4.2.1.9: cA is TRUE in the certificate that "
		    "belongs to the key: wanted the server's certificate",
		    import->file);
	if (csr_check_key(import->key, err) != 0)
		return error_prefix(err, "%s: ", import->key_path);
	return 0;
}

/* The name that was asked for: --host, or else the one that the file of the
 * key has, if it is the name of a host ("sprov csr" writes HOST.key). */
static int
check_host(struct import *import, struct error *err)
{
	const char *host = import->view.host;

	if (*host == '\0')
		return error_set(err, ERROR_INPUT,
		    "%s: the subject has no common name: devices look for "
		    "the server's name there",
		    import->file);
	if (csr_check_host(host, err) != 0)
		return error_prefix(err, "%s: the common name: ", import->file);
	if (import->host != NULL && strcasecmp(import->host, host) != 0)
		return error_set(err, ERROR_INPUT,
		    "%s: is for %s, and not for %s that was asked for",
		    import->file, host, import->host);
	return 0;
}

static void
compare_key_name(struct import *import)
{
	const char *slash = strrchr(import->key_path, '/');
	const char *base = slash != NULL ? slash + 1 : import->key_path;
	char *name = xstrdup(base);
	struct error ignored;

	if (text_ends(name, ".key"))
		name[strlen(name) - strlen(".key")] = '\0';
	if (import->host == NULL && csr_check_host(name, &ignored) == 0 &&
	    strcasecmp(name, import->view.host) != 0)
		cert_view_find(&import->view, CERT_FINDING_NOTE,
		    "the file of the key is named after %s, but the "
		    "certificate is for %s; --host says which one was asked "
		    "for",
		    name, import->view.host);
	free(name);
}

static int
read_files(struct import *import, struct error *err)
{
	X509 **certs;
	size_t count, length;

	if ((import->key = key_load(import->key_path, err)) == NULL ||
	    cert_read_file(import->file, &certs, &count, err) != 0)
		return -1;
	if (order_chain(certs, count, import->key, &length, &import->moved,
		err) != 0) {
		cert_free_all(certs, count);
		return error_prefix(err, "%s with %s: ", import->file,
		    import->key_path);
	}
	import->left_out_count = count - length;
	import->left_out = xcalloc(count - length + 1,
	    sizeof(*import->left_out));
	if (count > length)
		memcpy(import->left_out, certs + length,
		    (count - length) * sizeof(*certs));
	cert_view_take(&import->view, import->file, import->file, certs,
	    length);
	return 0;
}

/* ------------------------------------------------------ what can be forced */

static int
weigh(struct import *import, struct error *err)
{
	if (cert_fleet_load(&import->fleet, import->uri,
		import->config_path != NULL ? import->config : NULL,
		err) != 0 ||
	    cert_load_directory(import->folder, &import->others,
		&import->other_count, err) != 0)
		return -1;
	/* The one that is replaced covers nobody any more. */
	for (size_t i = 0; i < import->other_count; i++)
		if (strcmp(import->others[i].name, import->installed_name) == 0)
			cert_view_clear(&import->others[i]);
	cert_view_weigh(&import->view, &import->fleet, import->others,
	    import->other_count, clock_wall());
	return 0;
}

/* Those of the findings that make a certificate useless as it is. */
static bool
is_obstacle(const struct cert_finding *finding)
{
	return finding->kind == CERT_FINDING_EXPIRED ||
	    finding->kind == CERT_FINDING_NOT_YET ||
	    finding->kind == CERT_FINDING_DIGEST;
}

static int
check_obstacles(struct import *import)
{
	size_t count = 0;

	for (size_t i = 0; i < import->view.finding_count; i++) {
		const struct cert_finding *finding = &import->view.findings[i];

		if (import->force || !is_obstacle(finding))
			continue;
		cmd_error("%s: %s", import->file, finding->text);
		count++;
	}
	if (count > 0)
		cmd_error("nothing was installed; --force installs it "
			  "nevertheless");
	return count > 0 ? -1 : 0;
}

/* --------------------------------------------------------------- installing */

static int
choose_name(struct import *import, struct error *err)
{
	import->installed_name = xstrdup(import->name != NULL ?
		import->name :
		import->view.host);
	if (import->name == NULL)
		for (char *p = import->installed_name; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
	import->folder = cert_find_directory(import->directory, import->config);
	return certdir_check_name(import->installed_name, err);
}

static bool
is_installed(const struct import *import)
{
	char *path = certdir_certificate_path(import->folder,
	    import->installed_name, 0);
	char *key_path = certdir_key_path(import->folder,
	    import->installed_name, 0);
	struct error ignored;
	struct chain *chain = chain_load(path, key_path, &ignored);
	bool same = chain != NULL && chain_length(chain) == import->view.count;

	for (size_t i = 0; same && i < import->view.count; i++) {
		uint8_t a[CERT_DIGEST_BYTES], b[CERT_DIGEST_BYTES];

		cert_sha256(chain_certificate(chain, i), a);
		cert_sha256(import->view.certs[i], b);
		same = memcmp(a, b, sizeof(a)) == 0;
	}
	chain_free(chain);
	free(path);
	free(key_path);
	return same;
}

static int
install(struct import *import, struct error *err)
{
	import->was_there = is_installed(import);
	if (!import->was_there &&
	    certdir_install(import->folder, import->installed_name,
		import->view.certs, import->view.count, import->key, err) != 0)
		return -1;
	import->kept = certdir_kept(import->folder, import->installed_name);
	return 0;
}

/* ------------------------------------------------------------ what is said */

static void
note_order(struct import *import)
{
	if (import->moved)
		cert_view_find(&import->view, CERT_FINDING_NOTE,
		    "the certificates were in another order; put right: the "
		    "server's own first, then its issuers");
	for (size_t i = 0; i < import->left_out_count; i++) {
		char *subject = cert_subject_text(import->left_out[i]);

		cert_view_find(&import->view, CERT_FINDING_NOTE,
		    "left out, since it is no issuer of it or stands there "
		    "twice: %.200s",
		    subject);
		free(subject);
	}
}

/* A listener of that name that shows another file goes on doing so. */
static void
note_listener(struct import *import, const char *path, const char *key_path)
{
	const struct config *config = import->config;

	for (size_t i = 0; config != NULL && i < config->listener_count; i++) {
		const struct config_listener *listener = &config->listeners[i];

		if (listener->plain ||
		    strcmp(listener->name, import->installed_name) != 0 ||
		    (strcmp(listener->certificate_path, path) == 0 &&
			strcmp(listener->key_path, key_path) == 0))
			continue;
		cert_view_find(&import->view, CERT_FINDING_NOTE,
		    "the listener %s of %s shows %s: change its line to the "
		    "one above",
		    listener->name, config->path, listener->certificate_path);
	}
}

static void
print_result(const struct import *import, const char *path,
    const char *key_path)
{
	const struct cert_view *view = &import->view;
	char until[CLOCK_TEXT_BYTES], ca[64];

	clock_format(view->not_after, until);
	(void)printf("%s: %s\n", import->installed_name,
	    import->was_there ? "is installed already" : "installed");
	(void)printf("  host    %s\n", view->host);
	(void)printf("  CA      %s (%s), signed with %s\n",
	    cert_view_ca(view, ca, sizeof(ca)),
	    identify_basis_name(view->issuer.basis), view->digest);
	(void)printf("  until   %.10s, %ld days\n", until, view->days);
	if (import->fleet.known)
		(void)printf("  devices %zu of %zu accept it\n", view->fits,
		    import->fleet.count);
	if (import->kept > 0)
		(void)printf("  before  %u kept: sprov cert rollback %s\n",
		    import->kept, import->installed_name);
	(void)
	    printf("\nFor the listener in the configuration:\n"
		   "    certificate %s key %s\n"
		   "then \"sprov serve --check\", and SIGHUP to the server.\n",
		path, key_path);
	if (view->finding_count > 0)
		(void)putchar('\n');
	cert_view_print_findings(view);
}

static int
print_result_json(const struct import *import, const char *path,
    const char *key_path)
{
	json_t *object = cert_view_json(&import->view, &import->fleet);

	(void)json_object_update_new(object,
	    json_pack("{s:s, s:s, s:s, s:b, s:b, s:I, s:I}", "name",
		import->installed_name, "certificate", path, "key", key_path,
		"changed", !import->was_there, "reordered", import->moved,
		"left_out", (json_int_t)import->left_out_count, "kept",
		(json_int_t)import->kept));
	return cert_print_json(object);
}

static int
report(struct import *import)
{
	char *path = certdir_certificate_path(import->folder,
	    import->installed_name, 0);
	char *key_path = certdir_key_path(import->folder,
	    import->installed_name, 0);
	int rc = CMD_DONE;

	free(import->view.name);
	import->view.name = xstrdup(import->installed_name);
	compare_key_name(import);
	note_order(import);
	note_listener(import, path, key_path);
	if (import->json)
		rc = print_result_json(import, path, key_path);
	else
		print_result(import, path, key_path);
	free(path);
	free(key_path);
	return rc;
}

static int
run(struct import *import)
{
	struct error err = { 0 };

	if (cert_load_config(import->config_path, &import->config) != 0)
		return CMD_FAILED;
	if (read_files(import, &err) != 0 || check_leaf(import, &err) != 0 ||
	    check_host(import, &err) != 0 || choose_name(import, &err) != 0 ||
	    weigh(import, &err) != 0)
		return cmd_fail(&err);
	if (check_obstacles(import) != 0)
		return CMD_FAILED;
	if (install(import, &err) != 0)
		return cmd_fail(&err);
	return report(import);
}

static void
clear(struct import *import)
{
	cert_free_all(import->left_out, import->left_out_count);
	cert_view_clear(&import->view);
	cert_views_free(import->others, import->other_count);
	cert_fleet_clear(&import->fleet);
	key_free(import->key);
	config_free(import->config);
	free(import->installed_name);
	free(import->folder);
}

int
cert_import(int argc, char **argv)
{
	struct import import = { 0 };
	const struct cmd_option options[] = {
		{ .name = "key",
		    .letter = 'k',
		    .value = "FILE",
		    .help = "the key of the request",
		    .text = &import.key_path },
		{ .name = "name",
		    .letter = 'n',
		    .value = "NAME",
		    .help = "of the listener (default: the host)",
		    .text = &import.name },
		{ .name = "host",
		    .value = "HOST",
		    .help = "refuse it when it is for another one",
		    .text = &import.host },
		CERT_DIR_OPTION(&import.directory),
		CERT_CONFIG_OPTION(&import.config_path),
		CERT_INVENTORY_OPTION(&import.uri),
		{ .name = "force",
		    .letter = 'f',
		    .help = "install what devices will refuse",
		    .flag = &import.force },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &import.json },
	};
	const struct cmd_syntax syntax = { "sprov cert import", "FILE",
		"Check the certificate that came back from the signer, and "
		"install it.\n",
		options, LENGTH(options), 1, 1 };
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc >= 0)
		return rc;
	if (import.key_path == NULL) {
		cmd_error("--key is missing: the key that the request was "
			  "made with; see sprov cert import --help");
		return CMD_USAGE;
	}
	import.file = argv[first];
	rc = run(&import);
	clear(&import);
	return rc;
}
