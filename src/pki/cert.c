#include "pki/cert.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

X509 *
cert_parse(const uint8_t *der, size_t len, struct error *err)
{
	const uint8_t *end = der;
	X509 *cert;

	if (len > CERT_DER_MAX) {
		(void)error_set(err, ERROR_INPUT,
		    "certificate of %zu bytes: at most %d are allowed", len,
		    CERT_DER_MAX);
		return NULL;
	}
	cert = d2i_X509(NULL, &end, (long)len);
	if (cert == NULL) {
		(void)error_openssl(err, "not a certificate in DER");
		err->kind = ERROR_INPUT;
		return NULL;
	}
	if (end != der + len) {
		(void)error_set(err, ERROR_INPUT,
		    "%zu bytes follow the certificate",
		    (size_t)(der + len - end));
		X509_free(cert);
		return NULL;
	}
	return cert;
}

void
cert_free(X509 *cert)
{
	X509_free(cert);
}

int
cert_encode(const X509 *cert, uint8_t **der, size_t *len, struct error *err)
{
	uint8_t *bytes, *end;
	int need = i2d_X509(cert, NULL);

	if (need <= 0 || need > CERT_DER_MAX)
		return error_openssl(err, "cannot encode the certificate");
	bytes = end = xmalloc((size_t)need);
	(void)i2d_X509(cert, &end);
	*der = bytes;
	*len = (size_t)need;
	return 0;
}

/* What is being read: the bytes of a file and the certificates so far. */
struct reading {
	const char *path;
	const char *data;
	size_t len;
	X509 **certs;
	size_t count;
};

/* The line on which the next PEM block at or after offset begins. */
static size_t
line_of_block(const struct reading *r, size_t offset)
{
	const char *begin = memmem(r->data + offset, r->len - offset,
	    "-----BEGIN ", strlen("-----BEGIN "));
	size_t line = 1;

	for (const char *p = r->data; begin != NULL && p < begin; p++)
		line += *p == '\n';
	return line;
}

static int
reading_add(struct reading *r, const uint8_t *der, size_t len,
    struct error *err)
{
	X509 *cert;

	if (r->count == CERT_FILE_CERTS_MAX)
		return error_set(err, ERROR_INPUT, "more than %d certificates",
		    CERT_FILE_CERTS_MAX);
	if ((cert = cert_parse(der, len, err)) == NULL)
		return -1;
	r->certs = xrealloc(r->certs, (r->count + 1) * sizeof(*r->certs));
	r->certs[r->count++] = cert;
	return 0;
}

/* Take one PEM block: certificates are kept, keys and the like passed over. */
static int
reading_add_block(struct reading *r, const char *name, const uint8_t *der,
    size_t len, struct error *err)
{
	if (strcmp(name, PEM_STRING_X509) == 0 ||
	    strcmp(name, PEM_STRING_X509_OLD) == 0)
		return reading_add(r, der, len, err);
	if (strcmp(name, PEM_STRING_X509_TRUSTED) == 0)
		return error_set(err, ERROR_INPUT,
		    "a \"TRUSTED CERTIFICATE\": wanted a plain "
		    "\"CERTIFICATE\"");
	return 0;
}

static int
read_pem_blocks(struct reading *r, BIO *mem, struct error *err)
{
	for (;;) {
		size_t offset = r->len - (size_t)BIO_pending(mem);
		char *name = NULL, *header = NULL;
		unsigned char *der = NULL;
		long len = 0;
		int rc = 0;

		ERR_clear_error();
		if (PEM_read_bio(mem, &name, &header, &der, &len) != 1) {
			unsigned long code = ERR_peek_last_error();

			if (ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
				ERR_clear_error();
				return 0;
			}
			rc = error_openssl(err, "broken PEM block");
			err->kind = ERROR_INPUT;
		} else {
			rc = reading_add_block(r, name, der, (size_t)len, err);
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len); /* maybe a key */
		if (rc != 0)
			return error_prefix(err, "%s:%zu: ", r->path,
			    line_of_block(r, offset));
	}
}

static int
read_all(struct reading *r, struct error *err)
{
	BIO *mem;
	int rc;

	/* A SEQUENCE with a long length: no text begins with these bytes. */
	if (r->len > 2 && r->data[0] == '\x30' && (r->data[1] & 0x80) != 0) {
		if (reading_add(r, (const uint8_t *)r->data, r->len, err) != 0)
			return error_prefix(err, "%s: ", r->path);
		return 0;
	}
	if ((mem = BIO_new_mem_buf(r->data, (int)r->len)) == NULL)
		return error_openssl(err, "%s", r->path);
	rc = read_pem_blocks(r, mem, err);
	BIO_free(mem);
	if (rc == 0 && r->count == 0)
		rc = error_set(err, ERROR_INPUT,
		    "%s: holds no certificate: wanted PEM with "
		    "\"-----BEGIN CERTIFICATE-----\"",
		    r->path);
	return rc;
}

int
cert_read_file(const char *path, X509 ***certs, size_t *count,
    struct error *err)
{
	struct reading r = { .path = path };
	char *data;
	int rc;

	if (file_read(path, CERT_FILE_MAX, &data, &r.len, err) != 0)
		return -1;
	r.data = data;
	rc = read_all(&r, err);
	OPENSSL_cleanse(data, r.len); /* there may be a key beside them */
	free(data);
	if (rc != 0) {
		cert_free_all(r.certs, r.count);
		return -1;
	}
	*certs = r.certs;
	*count = r.count;
	return 0;
}

void
cert_free_all(X509 **certs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		X509_free(certs[i]);
	free(certs);
}

int
cert_write_file(const char *path, X509 *const *certs, size_t count,
    struct error *err)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *data;
	long len;
	int rc = 0;

	if (mem == NULL)
		return error_openssl(err, "%s", path);
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (PEM_write_bio_X509(mem, certs[i]) != 1)
			rc = error_openssl(err,
			    "%s: cannot write certificate %zu", path, i + 1);
	}
	if (rc == 0) {
		len = BIO_get_mem_data(mem, &data);
		rc = file_replace(path, 0644, data, (size_t)len, err);
	}
	BIO_free(mem);
	return rc;
}

static const struct {
	int nid;
	enum cert_attribute type;
} attributes[] = {
	{ NID_countryName, CERT_COUNTRY },
	{ NID_stateOrProvinceName, CERT_STATE },
	{ NID_localityName, CERT_LOCALITY },
	{ NID_organizationName, CERT_ORGANIZATION },
	{ NID_organizationalUnitName, CERT_UNIT },
	{ NID_commonName, CERT_COMMON_NAME },
	{ NID_serialNumber, CERT_SERIAL_NUMBER },
	{ NID_pkcs9_emailAddress, CERT_EMAIL },
};

static enum cert_attribute
attribute_type(const X509_NAME_ENTRY *entry)
{
	int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));

	for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
		if (attributes[i].nid == nid)
			return attributes[i].type;
	}
	return CERT_OTHER;
}

static void
read_part(const X509_NAME_ENTRY *entry, struct cert_name_part *part)
{
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
	int type = ASN1_STRING_type(value);
	size_t len = (size_t)ASN1_STRING_length(value);

	*part = (struct cert_name_part) { .type = attribute_type(entry) };
	part->wide = type == V_ASN1_BMPSTRING || type == V_ASN1_UNIVERSALSTRING;
	part->truncated = len > CERT_VALUE_MAX;
	part->len = part->truncated ? CERT_VALUE_MAX : len;
	if (part->len > 0)
		memcpy(part->value, ASN1_STRING_get0_data(value), part->len);
}

static void
read_name(const X509_NAME *from, struct cert_name *name)
{
	int count = X509_NAME_entry_count(from);

	*name = (struct cert_name) { 0 };
	name->overflow = count > CERT_NAME_PARTS_MAX;
	for (int i = 0; i < count && i < CERT_NAME_PARTS_MAX; i++)
		read_part(X509_NAME_get_entry(from, i),
		    &name->part[name->count++]);
}

void
cert_subject(const X509 *cert, struct cert_name *name)
{
	read_name(X509_get_subject_name(cert), name);
}

void
cert_issuer(const X509 *cert, struct cert_name *name)
{
	read_name(X509_get_issuer_name(cert), name);
}

const struct cert_name_part *
cert_name_find(const struct cert_name *name, enum cert_attribute type)
{
	for (size_t i = name->count; i > 0; i--) {
		if (name->part[i - 1].type == type)
			return &name->part[i - 1];
	}
	return NULL;
}

static char *
name_text(const X509_NAME *name)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *data = NULL, *text;
	long len = 0;

	if (mem != NULL &&
	    X509_NAME_print_ex(mem, name, 0, XN_FLAG_RFC2253) >= 0)
		len = BIO_get_mem_data(mem, &data);
	text = len > 0 ? xstrndup(data, (size_t)len) : xstrdup("");
	BIO_free(mem);
	ERR_clear_error();
	return text;
}

char *
cert_subject_text(const X509 *cert)
{
	return name_text(X509_get_subject_name(cert));
}

char *
cert_issuer_text(const X509 *cert)
{
	return name_text(X509_get_issuer_name(cert));
}

/* Hashing something that was parsed fails only when memory is short. */
void
cert_sha256(const X509 *cert, uint8_t digest[static CERT_DIGEST_BYTES])
{
	int done = X509_digest(cert, EVP_sha256(), digest, NULL);

	assert(done == 1);
}

void
cert_key_sha256(const X509 *cert, uint8_t digest[static CERT_DIGEST_BYTES])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	int done;

	assert(len > 0);
	done = EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL);
	assert(done == 1);
	OPENSSL_free(der);
}

bool
cert_is_issued_by(const X509 *cert, const X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	X509 *copy = X509_dup(cert); /* OpenSSL 3.0's X509_verify() is not
				      * const */
	bool is = key != NULL && copy != NULL &&
	    X509_NAME_cmp(X509_get_issuer_name(cert),
		X509_get_subject_name(issuer)) == 0 &&
	    X509_verify(copy, key) == 1;

	X509_free(copy);
	ERR_clear_error();
	return is;
}

void
cert_serial(const X509 *cert, char hex[static CERT_SERIAL_BYTES])
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int len = ASN1_STRING_length(serial);

	hex[0] = '\0';
	if (len < 0 || len > 20 ||
	    ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
		return;
	text_hex(ASN1_STRING_get0_data(serial), (size_t)len, hex);
	for (char *p = hex; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	if (len == 0)
		(void)snprintf(hex, CERT_SERIAL_BYTES, "00");
}

static time_t
time_of(const ASN1_TIME *when)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) != 1) {
		ERR_clear_error();
		return 0;
	}
	return timegm(&tm);
}

time_t
cert_not_before(const X509 *cert)
{
	return time_of(X509_get0_notBefore(cert));
}

time_t
cert_not_after(const X509 *cert)
{
	return time_of(X509_get0_notAfter(cert));
}

const char *
cert_signature_digest(const X509 *cert)
{
	static const struct {
		int nid;
		const char *name;
	} digests[] = {
		{ NID_md2, "md2" },
		{ NID_md5, "md5" },
		{ NID_sha1, "sha1" },
		{ NID_sha224, "sha224" },
		{ NID_sha256, "sha256" },
		{ NID_sha384, "sha384" },
		{ NID_sha512, "sha512" },
	};
	int nid = NID_undef;

	if (OBJ_find_sigid_algs(X509_get_signature_nid(cert), &nid, NULL) != 1)
		return "unknown";
	for (size_t i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
		if (digests[i].nid == nid)
			return digests[i].name;
	}
	return "unknown";
}

int
cert_key_bits(const X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);

	ERR_clear_error(); /* a key of a kind that OpenSSL does not know */
	return key != NULL ? EVP_PKEY_get_bits(key) : 0;
}

bool
cert_is_rsa(const X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);

	ERR_clear_error();
	return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
}

bool
cert_matches_key(const X509 *cert, EVP_PKEY *key)
{
	EVP_PKEY *own = X509_get0_pubkey(cert);
	bool matches = own != NULL && EVP_PKEY_eq(own, key) == 1;

	ERR_clear_error();
	return matches;
}

bool
cert_common_host(const X509 *cert, char host[static CERT_VALUE_MAX + 1])
{
	const struct cert_name_part *part;
	struct cert_name name;
	const char *slash;
	size_t len;

	host[0] = '\0';
	cert_subject(cert, &name);
	part = cert_name_find(&name, CERT_COMMON_NAME);
	if (part == NULL || part->truncated || part->wide ||
	    memchr(part->value, '\0', part->len) != NULL)
		return false;
	slash = memchr(part->value, '/', part->len);
	len = slash != NULL ? (size_t)(slash - part->value) : part->len;
	memcpy(host, part->value, len);
	host[len] = '\0';
	return len > 0;
}

static bool
has_dns_name(const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name,
	    NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		found |= sk_GENERAL_NAME_value(names, i)->type == GEN_DNS;
	GENERAL_NAMES_free(names);
	return found;
}

bool
cert_matches_host(X509 *cert, const char *host, bool san_only)
{
	unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	char common[CERT_VALUE_MAX + 1];
	bool matches;

	if (san_only)
		flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
	matches = X509_check_ip_asc(cert, host, 0) == 1 ||
	    X509_check_host(cert, host, strlen(host), flags, NULL) == 1;
	if (!matches && !san_only && !has_dns_name(cert))
		matches = cert_common_host(cert, common) &&
		    strcasecmp(common, host) == 0;
	ERR_clear_error();
	return matches;
}
