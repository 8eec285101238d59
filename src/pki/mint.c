#include "pki/mint.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static const int attribute_nids[] = {
	[CERT_COUNTRY] = NID_countryName,
	[CERT_STATE] = NID_stateOrProvinceName,
	[CERT_LOCALITY] = NID_localityName,
	[CERT_ORGANIZATION] = NID_organizationName,
	[CERT_UNIT] = NID_organizationalUnitName,
	[CERT_COMMON_NAME] = NID_commonName,
	[CERT_SERIAL_NUMBER] = NID_serialNumber,
	[CERT_EMAIL] = NID_pkcs9_emailAddress,
};

/* X.680 41.4; a NUL is not in it. */
static bool
is_printable_string(const char *text, size_t len)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789 '()+,-./:=?";

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0' || strchr(allowed, text[i]) == NULL)
			return false;
	}
	return true;
}

static int
set_subject(X509 *cert, const struct mint_request *request)
{
	X509_NAME *name = X509_NAME_new();
	int ok = name != NULL;

	for (size_t i = 0; i < request->subject_count && ok; i++) {
		const struct mint_name_part *part = &request->subject[i];
		size_t len = part->len != 0 ? part->len : strlen(part->value);
		int type = V_ASN1_UTF8STRING;

		if (part->type == CERT_EMAIL)
			type = V_ASN1_IA5STRING;
		else if (is_printable_string(part->value, len))
			type = V_ASN1_PRINTABLESTRING;
		ok = X509_NAME_add_entry_by_NID(name,
		    attribute_nids[part->type], type,
		    (const unsigned char *)part->value, (int)len, -1, 0);
	}
	ok = ok && X509_set_subject_name(cert, name);
	X509_NAME_free(name);
	return ok;
}

static int
set_serial(X509 *cert, const char *hex)
{
	BIGNUM *serial = NULL;
	int ok;

	if (hex != NULL)
		ok = BN_hex2bn(&serial, hex) == (int)strlen(hex);
	else
		/* 16 bytes, positive. */
		ok = (serial = BN_new()) != NULL &&
		    BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
	ok = ok &&
	    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL;
	BN_free(serial);
	return ok;
}

static int
set_dates(X509 *cert, const struct mint_request *request)
{
	/* UTCTime to 2049, GeneralizedTime later: RFC 5280 4.1.2.5. */
	return ASN1_TIME_set(X509_getm_notBefore(cert), request->not_before) !=
	    NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(cert), request->not_after) != NULL;
}

static int
add_basic_constraints(X509 *cert, const struct mint_request *request)
{
	BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
	int ok = constraints != NULL;

	if (ok && request->ca) {
		constraints->ca = 0xff;
		if (request->path_length >= 0) {
			constraints->pathlen = ASN1_INTEGER_new();
			ok = constraints->pathlen != NULL &&
			    ASN1_INTEGER_set(constraints->pathlen,
				request->path_length);
		}
	}
	ok = ok &&
	    X509_add1_ext_i2d(cert, NID_basic_constraints, constraints, 0,
		X509V3_ADD_APPEND);
	BASIC_CONSTRAINTS_free(constraints);
	return ok;
}

/* RFC 5280 4.2.1.2, method (1): SHA-1 of the key's bits. */
static int
add_subject_key_id(X509 *cert)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	int ok;

	ok = id != NULL && X509_pubkey_digest(cert, EVP_sha1(), digest, &len) &&
	    ASN1_OCTET_STRING_set(id, digest, (int)len) &&
	    X509_add1_ext_i2d(cert, NID_subject_key_identifier, id, 0,
		X509V3_ADD_APPEND);
	ASN1_OCTET_STRING_free(id);
	return ok;
}

/* An issuer without key id, as a v1 root, is not referred to. */
static int
add_authority_key_id(X509 *cert, X509 *issuer)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);
	AUTHORITY_KEYID *authority;
	int ok;

	if (id == NULL)
		return 1;
	ok = (authority = AUTHORITY_KEYID_new()) != NULL &&
	    (authority->keyid = ASN1_OCTET_STRING_dup(id)) != NULL &&
	    X509_add1_ext_i2d(cert, NID_authority_key_identifier, authority, 0,
		X509V3_ADD_APPEND);
	AUTHORITY_KEYID_free(authority);
	return ok;
}

static int
add_from_text(X509 *cert, int nid, const char *text)
{
	X509_EXTENSION *extension;
	int ok;

	if (text == NULL)
		return 1;
	extension = X509V3_EXT_conf_nid(NULL, NULL, nid, text);
	ok = extension != NULL && X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
	return ok;
}

static int
add_extensions(X509 *cert, const struct mint_request *request)
{
	return add_basic_constraints(cert, request) &&
	    add_subject_key_id(cert) &&
	    add_authority_key_id(cert,
		request->issuer != NULL ? request->issuer : cert) &&
	    add_from_text(cert, NID_ext_key_usage,
		request->extended_key_usage) &&
	    add_from_text(cert, NID_subject_alt_name,
		request->subject_alt_name);
}

static int
check_request(const struct mint_request *request, struct error *err)
{
	for (size_t i = 0; i < request->subject_count; i++) {
		if (request->subject[i].type >= CERT_OTHER)
			return error_set(err, ERROR_INPUT,
			    "cannot make a name with an attribute of type %d",
			    (int)request->subject[i].type);
	}
	if (EVP_get_digestbyname(request->digest) == NULL)
		return error_set(err, ERROR_INPUT,
		    "cannot sign with \"%.32s\": wanted md5, sha1 or sha256",
		    request->digest);
	return 0;
}

/*
 * What was made, read back: while it was built OpenSSL has cached extensions
 * that were not complete yet.  Frees made.
 */
static X509 *
read_back(X509 *made, struct error *err)
{
	X509 *cert = NULL;
	uint8_t *der;
	size_t len;

	if (cert_encode(made, &der, &len, err) == 0) {
		cert = cert_parse(der, len, err);
		free(der);
	}
	X509_free(made);
	return cert;
}

X509 *
mint_certificate(const struct mint_request *request, struct error *err)
{
	X509 *cert = NULL, *issuer;
	EVP_PKEY *issuer_key;

	if (check_request(request, err) != 0)
		return NULL;
	if ((cert = X509_new()) == NULL)
		goto failed;
	issuer = request->issuer != NULL ? request->issuer : cert;
	issuer_key = request->issuer != NULL ? request->issuer_key :
					       request->key;
	if (!X509_set_version(cert,
		request->version_1 ? X509_VERSION_1 : X509_VERSION_3) ||
	    !set_subject(cert, request) ||
	    !set_serial(cert, request->serial_hex) ||
	    !set_dates(cert, request) || !X509_set_pubkey(cert, request->key) ||
	    !X509_set_issuer_name(cert, X509_get_subject_name(issuer)) ||
	    (!request->version_1 && !add_extensions(cert, request)) ||
	    !X509_sign(cert, issuer_key, EVP_get_digestbyname(request->digest)))
		goto failed;
	return request->only_shown ? cert : read_back(cert, err);
failed:
	(void)error_openssl(err, "cannot make the certificate");
	X509_free(cert);
	return NULL;
}
