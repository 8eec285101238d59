#include "cmd/csr.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cert_common.h"
#include "cmd/cmd.h"
#include "cmd/resolve.h"
#include "pki/key.h"
#include "spa/registry.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define TEXT_MAX 262144
#define EXPONENT 65537

struct arguments {
	struct csr csr;
	const char *product, *key, *out, *uri, *bits_text;
	uint64_t bits;
	bool no_resolve, json;
};

/* ------------------------------------------------------------ the product */

static int
find_product(struct csr_case *c, const char *text, struct error *err)
{
	const char *names[8], *nearest;
	char shown[64];

	c->product = text != NULL ? portal_find(text) : &portal_products[0];
	if (c->product != NULL) {
		c->ca = portal_ca(c->product);
		return 0;
	}
	for (size_t i = 0; i < portal_product_count && i < LENGTH(names); i++)
		names[i] = portal_products[i].id;
	nearest = text_nearest(text, names, portal_product_count);
	text_escape(text, strlen(text), shown, sizeof(shown));
	if (nearest != NULL)
		return error_set(err, ERROR_INPUT,
		    "unknown product \"%s\"; did you mean %s?", shown, nearest);
	return error_set(err, ERROR_INPUT,
	    "unknown product \"%s\": wanted ciscosb-2, sipura or linksys",
	    shown);
}

/* Only a warning: the name may be meant for a network that is not ours. */
static void
warn_name(struct csr_case *c)
{
	struct addr list[RESOLVE_ADDRESSES_MAX];
	size_t count;

	switch (resolve_host(c->csr->host, RESOLVE_TIMEOUT_MS, list,
	    RESOLVE_ADDRESSES_MAX, &count)) {
	case RESOLVE_FOUND:
		return;
	case RESOLVE_NONE:
		errors_add(&c->warnings,
		    "%s has no A record: devices look it up, and want the "
		    "server's address among the answers",
		    c->csr->host);
		return;
	case RESOLVE_NO_ANSWER:
		errors_add(&c->warnings,
		    "whether %s has an A record is not known: no name server "
		    "answered within %d s (--no-resolve does not ask)",
		    c->csr->host, RESOLVE_TIMEOUT_MS / 1000);
		return;
	}
}

/* --------------------------------------------------------------- the files */

static void
name_files(struct csr_case *c, const struct arguments *a)
{
	const char *base = a->out != NULL ? a->out : a->csr.host;

	c->key_path = a->key != NULL ? xstrdup(a->key) :
				       xasprintf("%s.key", base);
	c->csr_path = xasprintf("%s.csr", base);
	c->text_path = xasprintf("%s.txt", base);
}

/* Before the key is made, which takes its time. */
static int
check_absent(const char *path, struct error *err)
{
	if (access(path, F_OK) != 0)
		return 0;
	return error_set(err, ERROR_INPUT,
	    "%s: is there already, and is not overwritten: choose another "
	    "name with --out, or move it away",
	    path);
}

static int
check_files(const struct csr_case *c, const struct arguments *a,
    struct error *err)
{
	if (a->key == NULL && check_absent(c->key_path, err) != 0)
		return -1;
	if (check_absent(c->csr_path, err) != 0)
		return -1;
	return check_absent(c->text_path, err);
}

static EVP_PKEY *
find_key(const struct arguments *a, struct error *err)
{
	EVP_PKEY *key;

	if (a->key == NULL)
		return key_generate((unsigned)a->bits, EXPONENT, err);
	if ((key = key_load(a->key, err)) == NULL)
		return NULL;
	if (csr_check_key(key, err) != 0) {
		(void)error_prefix(err, "%s: ", a->key);
		key_free(key);
		return NULL;
	}
	return key;
}

/* All three files, or none. */
static int
write_files(const struct csr_case *c, bool is_own_key, EVP_PKEY *key,
    const char *pem, const struct buf *text, struct error *err)
{
	if (!is_own_key && key_write(c->key_path, key, err) != 0)
		return -1;
	if (file_create(c->csr_path, 0644, pem, strlen(pem), err) == 0) {
		if (file_create(c->text_path, 0644, buf_text(text), text->len,
			err) == 0)
			return 0;
		(void)unlink(c->csr_path);
	}
	if (!is_own_key)
		(void)unlink(c->key_path);
	return -1;
}

static int
make(struct csr_case *c, const struct arguments *a, struct error *err)
{
	EVP_PKEY *key = find_key(a, err);
	char *pem = NULL;
	struct buf text;
	int rc = -1;

	if (key == NULL)
		return -1;
	buf_init(&text, TEXT_MAX);
	c->bits = csr_key_bits(key);
	csr_case_warn(c);
	if (csr_make(c->csr, key, &pem, err) == 0) {
		if (csr_case_text(c, &text) != 0)
			(void)error_set(err, ERROR_SYSTEM,
			    "%s: longer than %d bytes", c->text_path, TEXT_MAX);
		else
			rc = write_files(c, a->key != NULL, key, pem, &text,
			    err);
	}
	buf_clear(&text);
	free(pem);
	key_free(key);
	return rc;
}

/* ------------------------------------------------------------------- all */

static void
print_result(const struct csr_case *c, const struct arguments *a)
{
	(void)printf("%s\n  the key%s\n%s\n  the request, for the portal's "
		     "product\n  ",
	    c->key_path, a->key != NULL ? ", as it was" : ": it stays here",
	    c->csr_path);
	cert_print_wrapped(c->product->title, 2);
	(void)printf("%s\n  what to choose and to tick there\n", c->text_path);
}

static int
run(struct csr_case *c, const struct arguments *a)
{
	struct error err = { 0 };
	int rc = CMD_DONE;

	if (find_product(c, a->product, &err) != 0) {
		cmd_error("%s; see sprov csr --help", err.text);
		return CMD_USAGE;
	}
	name_files(c, a);
	if (csr_check(&a->csr, &err) != 0 || check_files(c, a, &err) != 0 ||
	    cert_fleet_load(&c->fleet, a->uri, NULL, &err) != 0)
		return cmd_fail(&err);
	csr_case_find_types(c);
	if (!a->no_resolve)
		warn_name(c);
	if (make(c, a, &err) != 0)
		return cmd_fail(&err);
	for (size_t i = 0; i < c->warnings.kept; i++)
		cmd_error("warning: %s", c->warnings.text[i]);
	if (a->json)
		rc = csr_case_print_json(c);
	else
		print_result(c, a);
	/* The one warning after which nothing will come of it. */
	return rc == CMD_DONE && c->ca->signing == CA_SIGNING_NO ? CMD_PROBLEM :
								   rc;
}

static const char help[] =
    "Make a key and a request (CSR) for the vendor's signing portal, and a "
    "text\nwith what to choose there.  HOST is the name that devices look "
    "up.\n"
    "Products: ciscosb-2 (SPA1xx 1.3.3+, SPA232D 1.3.3+, SPA5xx 7.5.6+, "
    "CP-78xx and\nCP-88xx; the default), sipura and linksys (which sign no "
    "more).\n"
    "Exit status: 0 done, 1 failed, 2 usage, 3 made, but that CA signs no "
    "more.\n";

int
cmd_csr(int argc, char **argv)
{
	struct arguments a = { .bits = CSR_BITS_DEFAULT };
	struct csr_case c = { .csr = &a.csr };
	const struct cmd_option options[] = {
		{ .name = "email",
		    .letter = 'e',
		    .value = "ADDR",
		    .help = "the signer writes there; needed",
		    .text = &a.csr.email },
		{ .name = "suffix",
		    .value = "TEXT",
		    .text = &a.csr.suffix,
		    .help = "after a / in the name: info@example.net" },
		{ .name = "organization",
		    .letter = 'o',
		    .value = "NAME",
		    .text = &a.csr.organization,
		    .help = "of the subject" },
		{ .name = "unit",
		    .value = "NAME",
		    .text = &a.csr.unit,
		    .help = "of the subject" },
		{ .name = "country",
		    .value = "CC",
		    .text = &a.csr.country,
		    .help = "of the subject, two letters" },
		{ .name = "state",
		    .value = "NAME",
		    .text = &a.csr.state,
		    .help = "of the subject" },
		{ .name = "locality",
		    .value = "NAME",
		    .text = &a.csr.locality,
		    .help = "of the subject" },
		{ .name = "bits",
		    .letter = 'b',
		    .value = "N",
		    .text = &a.bits_text,
		    .help = "of the key (2048)" },
		{ .name = "product",
		    .letter = 'p',
		    .value = "GROUP",
		    .text = &a.product,
		    .help = "of the portal (ciscosb-2)" },
		{ .name = "key",
		    .letter = 'k',
		    .value = "FILE",
		    .text = &a.key,
		    .help = "one that is there already" },
		{ .name = "out",
		    .value = "BASE",
		    .text = &a.out,
		    .help = "BASE.key, .csr and .txt (HOST)" },
		{ .name = "san",
		    .flag = &a.csr.san,
		    .help = "with a subjectAltName (ATA19x checks it)" },
		{ .name = "inventory",
		    .letter = 'i',
		    .value = "URI",
		    .help = "sqlite:PATH (as sprov device)",
		    .text = &a.uri },
		{ .name = "no-resolve",
		    .flag = &a.no_resolve,
		    .help = "do not look HOST up in DNS" },
		{ .name = "json",
		    .letter = 'j',
		    .help = "as JSON",
		    .flag = &a.json },
	};
	const struct cmd_syntax syntax = { "sprov csr", "HOST", help, options,
		LENGTH(options), 1, 1 };
	char *host;
	int first, rc = cmd_options(&syntax, argc, argv, &first);

	if (rc < 0)
		rc = cmd_number(&syntax, "bits", a.bits_text, CSR_BITS_MIN,
		    CSR_BITS_MAX, &a.bits);
	if (rc >= 0)
		return rc;
	/* As it will stand in the certificate, and in names of files. */
	host = xstrdup(argv[first]);
	for (char *p = host; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	a.csr.host = host;
	if (a.csr.suffix != NULL && *a.csr.suffix == '/')
		a.csr.suffix++;
	rc = run(&c, &a);
	csr_case_clear(&c);
	free(host);
	return rc;
}
