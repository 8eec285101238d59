#include "pki/request.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define SHOWN_BYTES 96
#define LABEL_MAX 63	  /* RFC 1035 2.3.4 */
#define EMAIL_MAX 255	  /* RFC 5280 A.1 ub-emailaddress-length */
#define COUNTRY_LETTERS 2 /* RFC 5280 A.1 */

/* ------------------------------------------------------------- the host */

static bool
is_address(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, bytes) == 1 ||
	    inet_pton(AF_INET6, host, bytes) == 1 || *host == '[';
}

static int
check_label(const char *host, const char *label, size_t len, struct error *err)
{
	if (len == 0)
		return error_set(err, ERROR_INPUT,
		    "\"%s\": a dot at its beginning, at its end or beside "
		    "another one: wanted a name such as prov.example.net",
		    host);
	if (len > LABEL_MAX)
		return error_set(err, ERROR_INPUT,
		    "\"%s\": %zu characters between two dots, at most %d are "
		    "allowed",
		    host, len, LABEL_MAX);
	if (label[0] == '-' || label[len - 1] == '-')
		return error_set(err, ERROR_INPUT,
		    "\"%s\": \"%.*s\" begins or ends with \"-\", which names "
		    "of hosts do not",
		    host, (int)len, label);
	return 0;
}

static int
check_labels(const char *host, struct error *err)
{
	const char *label = host, *end;

	for (;;) {
		end = strchrnul(label, '.');
		if (check_label(host, label, (size_t)(end - label), err) != 0)
			return -1;
		if (*end == '\0')
			break;
		label = end + 1;
	}
	if (label == host)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is no fully qualified name: devices look it up as "
		    "it is written; wanted one such as prov.example.net",
		    host);
	/* A last label of digits would be taken for an address. */
	if (strspn(label, "0123456789") == strlen(label))
		return error_set(err, ERROR_INPUT,
		    "\"%s\" ends like an IP address: wanted the name of a "
		    "host",
		    host);
	return 0;
}

static bool
is_host_character(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '.';
}

static int
check_characters(const char *host, const char *shown, struct error *err)
{
	for (const char *p = host; *p != '\0'; p++) {
		char bad[8];

		if (is_host_character(*p))
			continue;
		text_escape(p, 1, bad, sizeof(bad));
		if ((unsigned char)*p >= 0x80)
			return error_set(err, ERROR_INPUT,
			    "\"%s\" holds other than ASCII letters: wanted "
			    "the form that DNS has, as in "
			    "xn--bcher-kva.example.net",
			    shown);
		return error_set(err, ERROR_INPUT,
		    "\"%s\" holds \"%s\": names of hosts are made of letters, "
		    "digits, \"-\" and dots",
		    shown, bad);
	}
	return 0;
}

int
csr_check_host(const char *host, struct error *err)
{
	char shown[SHOWN_BYTES];

	text_escape(host, strlen(host), shown, sizeof(shown));
	if (*host == '\0')
		return error_set(err, ERROR_INPUT,
		    "the name of the host is empty: wanted one such as "
		    "prov.example.net");
	if (strchr(host, '*') != NULL)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is a wildcard, which the signing does not accept "
		    "and the devices cannot look up: wanted the name of one "
		    "host",
		    shown);
	if (is_address(host))
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is an IP address: devices look the name of the "
		    "certificate up in DNS; wanted the name of a host",
		    shown);
	if (strstr(host, "://") != NULL || strchr(host, ':') != NULL)
		return error_set(err, ERROR_INPUT,
		    "\"%s\": wanted the name of the host alone, without "
		    "\"https://\" and without a port",
		    shown);
	if (strchr(host, '/') != NULL)
		return error_set(err, ERROR_INPUT,
		    "\"%s\": wanted the name of the host alone; the text "
		    "after the \"/\" is the suffix and is given for itself",
		    shown);
	if (check_characters(host, shown, err) != 0)
		return -1;
	if (strlen(host) > CSR_COMMON_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" has %zu characters: a common name has at most %d",
		    shown, strlen(host), CSR_COMMON_NAME_MAX);
	return check_labels(shown, err);
}

/* ------------------------------------------------------ the other fields */

static int
check_suffix(const struct csr *csr, struct error *err)
{
	const char *suffix = csr->suffix;
	char shown[SHOWN_BYTES];
	size_t len;

	if (suffix == NULL || *suffix == '\0')
		return 0;
	text_escape(suffix, strlen(suffix), shown, sizeof(shown));
	for (const char *p = suffix; *p != '\0'; p++)
		if (*p <= 0x20 || *p > 0x7e)
			return error_set(err, ERROR_INPUT,
			    "the suffix \"%s\" holds a blank or other than "
			    "ASCII: wanted a text such as info@example.net",
			    shown);
	len = strlen(csr->host) + 1 + strlen(suffix);
	if (len > CSR_COMMON_NAME_MAX)
		return error_set(err, ERROR_INPUT,
		    "\"%s/%s\" has %zu characters: a common name has at most "
		    "%d, the suffix included",
		    csr->host, shown, len, CSR_COMMON_NAME_MAX);
	return 0;
}

static int
check_email(const char *email, struct error *err)
{
	/* RFC 5322 3.2.3, atext and the dot. */
	static const char local[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789!#$%&'*+-/=?^_`{|}~.";
	char shown[SHOWN_BYTES];
	struct error domain;
	const char *at;

	if (email == NULL || *email == '\0')
		return error_set(err, ERROR_INPUT,
		    "an e-mail address is missing: the signer writes to it, "
		    "and refuses requests without one");
	text_escape(email, strlen(email), shown, sizeof(shown));
	if (strlen(email) > EMAIL_MAX)
		return error_set(err, ERROR_INPUT,
		    "the e-mail address has %zu characters, at most %d are "
		    "allowed",
		    strlen(email), EMAIL_MAX);
	at = strchr(email, '@');
	if (at == NULL || at == email ||
	    strspn(email, local) != (size_t)(at - email) ||
	    csr_check_host(at + 1, &domain) != 0)
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is no e-mail address: wanted one such as "
		    "info@example.net",
		    shown);
	return 0;
}

/* Characters of UTF-8 without control characters; -1 when it is not that. */
static long
count_characters(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t left = strlen(text);
	long count = 0;

	while (left > 0) {
		unsigned long value;
		int n = UTF8_getc(p, (int)left, &value);

		if (n <= 0 || value < 0x20 || (value >= 0x7f && value < 0xa0))
			return -1;
		p += n;
		left -= (size_t)n;
		count++;
	}
	return count;
}

static int
check_text(const char *what, const char *text, long max, struct error *err)
{
	char shown[SHOWN_BYTES];
	long count;

	if (text == NULL)
		return 0;
	if (*text == '\0')
		return error_set(err, ERROR_INPUT,
		    "the %s is empty: leave it out, or name one", what);
	text_escape(text, strlen(text), shown, sizeof(shown));
	if ((count = count_characters(text)) < 0)
		return error_set(err, ERROR_INPUT,
		    "the %s \"%s\" is no UTF-8 text without control "
		    "characters",
		    what, shown);
	if (count > max)
		return error_set(err, ERROR_INPUT,
		    "the %s has %ld characters, at most %ld are allowed", what,
		    count, max);
	return 0;
}

static int
check_country(const char *country, struct error *err)
{
	char shown[SHOWN_BYTES];

	if (country == NULL ||
	    (strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == COUNTRY_LETTERS &&
		country[COUNTRY_LETTERS] == '\0'))
		return 0;
	text_escape(country, strlen(country), shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "the country \"%s\": wanted two capital letters (ISO 3166), as "
	    "in US",
	    shown);
}

int
csr_check(const struct csr *csr, struct error *err)
{
	/* RFC 5280 A.1: ub-state-name and the others. */
	if (csr_check_host(csr->host, err) != 0 ||
	    check_suffix(csr, err) != 0 || check_email(csr->email, err) != 0 ||
	    check_country(csr->country, err) != 0 ||
	    check_text("state", csr->state, 128, err) != 0 ||
	    check_text("locality", csr->locality, 128, err) != 0 ||
	    check_text("organization", csr->organization, 64, err) != 0)
		return -1;
	return check_text("unit", csr->unit, 64, err);
}

int
csr_key_bits(EVP_PKEY *key)
{
	return EVP_PKEY_get_bits(key);
}

int
csr_check_key(EVP_PKEY *key, struct error *err)
{
	int bits = csr_key_bits(key);

	/* RSA is the only kind of key that the guides name [MPP-PROV]. */
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
		return error_set(err, ERROR_INPUT,
		    "the key is of type %s: devices and the signing know RSA "
		    "only",
		    EVP_PKEY_get0_type_name(key));
	if (bits < CSR_BITS_MIN || bits > CSR_BITS_MAX)
		return error_set(err, ERROR_INPUT,
		    "an RSA key of %d bits: wanted %d to %d", bits,
		    CSR_BITS_MIN, CSR_BITS_MAX);
	return 0;
}

/* ----------------------------------------------------------- making it */

static bool
add_part(X509_NAME *name, int nid, const char *value)
{
	const unsigned char *bytes = (const unsigned char *)value;
	int type = V_ASN1_UTF8STRING;

	if (value == NULL)
		return true;
	if (nid == NID_pkcs9_emailAddress)
		type = V_ASN1_IA5STRING;
	else if (ASN1_PRINTABLE_type(bytes, -1) == V_ASN1_PRINTABLESTRING)
		type = V_ASN1_PRINTABLESTRING;
	return X509_NAME_add_entry_by_NID(name, nid, type, bytes, -1, -1, 0) ==
	    1;
}

static char *
host_in_lower_case(const struct csr *csr)
{
	char *host = xstrdup(csr->host);

	for (char *p = host; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return host;
}

static bool
add_subject(X509_REQ *request, const struct csr *csr, const char *host)
{
	bool has_suffix = csr->suffix != NULL && *csr->suffix != '\0';
	char *common = xasprintf("%s%s%s", host, has_suffix ? "/" : "",
	    has_suffix ? csr->suffix : "");
	X509_NAME *name = X509_NAME_new();
	bool ok = name != NULL &&
	    add_part(name, NID_countryName, csr->country) &&
	    add_part(name, NID_stateOrProvinceName, csr->state) &&
	    add_part(name, NID_localityName, csr->locality) &&
	    add_part(name, NID_organizationName, csr->organization) &&
	    add_part(name, NID_organizationalUnitName, csr->unit) &&
	    add_part(name, NID_commonName, common) &&
	    add_part(name, NID_pkcs9_emailAddress, csr->email) &&
	    X509_REQ_set_subject_name(request, name) == 1;

	X509_NAME_free(name);
	free(common);
	return ok;
}

static bool
add_san(X509_REQ *request, const char *host)
{
	char *text = xasprintf("DNS:%s", host);
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL,
	    NID_subject_alt_name, text);
	bool ok = list != NULL && san != NULL &&
	    sk_X509_EXTENSION_push(list, san) > 0;

	if (!ok)
		X509_EXTENSION_free(san);
	ok = ok && X509_REQ_add_extensions(request, list) == 1;
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	free(text);
	return ok;
}

static char *
write_pem(X509_REQ *request)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *data, *pem = NULL;
	long len;

	if (mem != NULL && PEM_write_bio_X509_REQ(mem, request) == 1) {
		len = BIO_get_mem_data(mem, &data);
		pem = xstrndup(data, (size_t)len);
	}
	BIO_free(mem);
	return pem;
}

int
csr_make(const struct csr *csr, EVP_PKEY *key, char **pem, struct error *err)
{
	X509_REQ *request;
	char *host, *text = NULL;

	if (csr_check(csr, err) != 0 || csr_check_key(key, err) != 0)
		return -1;
	host = host_in_lower_case(csr);
	request = X509_REQ_new();
	/* Verified once more before it is sent around the world. */
	if (request != NULL &&
	    X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	    add_subject(request, csr, host) &&
	    X509_REQ_set_pubkey(request, key) == 1 &&
	    (!csr->san || add_san(request, host)) &&
	    X509_REQ_sign(request, key, EVP_sha256()) > 0 &&
	    X509_REQ_verify(request, key) == 1)
		text = write_pem(request);
	X509_REQ_free(request);
	free(host);
	if (text == NULL)
		return error_openssl(err, "cannot make the request");
	*pem = text;
	return 0;
}
