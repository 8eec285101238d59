#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/mem.h"
#include "spa/peer.h"
#include "spa/registry.h"

#define CISCO_ORG "C=US|O=Cisco Systems, Inc.|OU=cisco.com|"
#define SIPURA_ORG "C=US|O=Sipura Technology|OU=sipura.com|"
#define EMAIL "|emailAddress=certs@example.net"
#define MIC_ORG "O=Cisco Systems Inc.|OU=CTG|"
#define MAC1 "000E08AABBCC"
#define MAC2 "000E08AABBCD"
#define TEXT60 "123456789A123456789A123456789A123456789A123456789A123456789A"
#define TEXT300 TEXT60 TEXT60 TEXT60 TEXT60 TEXT60
#define SEVEN_O "O=x|O=x|O=x|O=x|O=x|O=x|O=x|"

/*
 * A subject is written as NAME=value|NAME=value.  In a value "^" stands for a
 * NUL; NAME* makes a BMPString and NAME+ a UniversalString.
 */
static const struct {
	const char *subject;
	enum peer_form form;
	const char *mac; /* identities only */
	const char *serial;
	const char *product;
	const char *reason; /* of PEER_INVALID: how it begins */
} cases[] = {
	/* Documented: [SPA-PROV] p. 43, [MPP-PROV]. */
	{ "OU=SPA-962|L=88012BA00001|ST=000e08aabbcc", PEER_DOCUMENTED,
	    "000e08aabbcc", "88012BA00001", "SPA-962", NULL },
	{ "OU=CP-8841-3PCC|L=FCH00000001|ST=000e08aabbcc", PEER_DOCUMENTED,
	    "000e08aabbcc", "FCH00000001", "CP-8841-3PCC", NULL },
	{ "C=US|ST=" MAC1
	  "|L=CBT00000001|O=Cisco Systems, Inc.|OU=SPA504G" EMAIL,
	    PEER_DOCUMENTED, "000e08aabbcc", "CBT00000001", "SPA504G", NULL },
	{ "OU=SPA-962|L=88012BA00001|ST=00:0e:08:aa:bb:cc", PEER_DOCUMENTED,
	    "000e08aabbcc", "88012BA00001", "SPA-962", NULL },
	{ "OU=SPA-962|OU=SPA-962|L=88012BA00001|ST=" MAC1, PEER_DOCUMENTED,
	    "000e08aabbcc", "88012BA00001", "SPA-962", NULL },
	/* The serial may look like a MAC: it is still the serial. */
	{ "OU=SPA-962|L=000E08AABBCD|ST=000E08AABBCC", PEER_DOCUMENTED,
	    "000e08aabbcc", "000E08AABBCD", "SPA-962", NULL },
	{ "OU=WRTP|L=88012BA00001|ST=" MAC1, PEER_DOCUMENTED, "000e08aabbcc",
	    "88012BA00001", "WRTP", NULL },
	{ "OU=SPA-962|L=88012BA00001", PEER_INVALID, NULL, NULL, NULL,
	    "no CN and no ST" },
	{ "OU=SPA-962|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "no CN and no L" },
	{ "L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "no CN and no OU" },
	{ "", PEER_INVALID, NULL, NULL, NULL, "no CN and no ST" },
	{ "OU=cisco.com|L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL, NULL,
	    NULL, "OU \"cisco.com\": expected a product" },
	{ "OU=|L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "OU \"\": expected a product" },
	{ "OU=-962|L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "OU \"-962\"" },
	{ "OU=SPA-962 |L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "OU \"SPA-962 \"" },
	{ "OU=SPA-" TEXT60 "|L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL, NULL,
	    NULL, "OU \"SPA-123456789A" },
	{ "OU=SPA-962|L=|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "L \"\": expected a serial" },
	{ "OU=SPA-962|L=Springfield|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "L \"Springfield\": expected a serial" },
	{ "OU=SPA-962|L=88012 BA0001|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "L \"88012 BA0001\"" },
	{ "OU=SPA-962|L=1234" TEXT60 "|ST=" MAC1, PEER_INVALID, NULL, NULL,
	    NULL, "L \"1234123" },
	{ "OU=SPA-962|L=123" TEXT60 "|ST=" MAC1, PEER_DOCUMENTED,
	    "000e08aabbcc", "123" TEXT60, "SPA-962", NULL },
	{ "OU=SPA-962|L=88012BA00001|ST=000E08AABBC", PEER_INVALID, NULL, NULL,
	    NULL, "ST \"000E08AABBC\": expected a MAC" },
	{ "OU=SPA-962|L=88012BA00001|ST=000E08AABBCC0", PEER_INVALID, NULL,
	    NULL, NULL, "ST \"000E08AABBCC0\": expected a MAC" },
	{ "OU=SPA-962|L=88012BA00001|ST=000E08AABBCG", PEER_INVALID, NULL, NULL,
	    NULL, "ST \"000E08AABBCG\": expected a MAC" },
	{ "OU=SPA-962|L=88012BA00001|ST= 00E08AABBCC", PEER_INVALID, NULL, NULL,
	    NULL, "ST \" 00E08AABBCC\": expected a MAC" },
	{ "OU=SPA-962|L=88012BA00001|ST=Texas", PEER_INVALID, NULL, NULL, NULL,
	    "ST \"Texas\": expected a MAC" },
	{ "OU=SPA-962|L=88012BA00001|ST=000000000000", PEER_INVALID, NULL, NULL,
	    NULL, "ST \"000000000000\": no device" },
	{ "OU=SPA-962|L=88012BA00001|ST=ffffffffffff", PEER_INVALID, NULL, NULL,
	    NULL, "ST \"ffffffffffff\": no device" },
	{ "OU=SPA-962|L=88012BA00001|ST=010E08AABBCC", PEER_INVALID, NULL, NULL,
	    NULL, "ST \"010E08AABBCC\": no device" },
	{ "OU=SPA-962|L=88012BA00001|ST=020E08AABBCC", PEER_DOCUMENTED,
	    "020e08aabbcc", "88012BA00001", "SPA-962", NULL },

	/* Observed: [NGCP]. */
	{ CISCO_ORG "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
		    ", Serial: CBT00000001" EMAIL,
	    PEER_OBSERVED, "000e08aabbcc", "CBT00000001", "SPA-525G2", NULL },
	{ SIPURA_ORG "ST=" MAC1 "|L=88012BA00001|CN=SPA-2000, MAC: " MAC1
		     ", Serial: 88012BA00001" EMAIL,
	    PEER_OBSERVED, "000e08aabbcc", "88012BA00001", "SPA-2000", NULL },
	{ "ST=000e08aabbcc|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
	  ", Serial: CBT00000001",
	    PEER_OBSERVED, "000e08aabbcc", "CBT00000001", "SPA-525G2", NULL },
	{ "ST=" MAC1 "|L=000E08AABBCD|CN=SPA-525G2, MAC: " MAC1
	  ", Serial: 000E08AABBCD",
	    PEER_OBSERVED, "000e08aabbcc", "000E08AABBCD", "SPA-525G2", NULL },
	/* Two forms that agree, and such that do not. */
	{ "OU=SPA-525G2|ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
	  ", Serial: CBT00000001",
	    PEER_OBSERVED, "000e08aabbcc", "CBT00000001", "SPA-525G2", NULL },
	{ "OU=SPA-962|ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
	  ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL,
	    "the product in OU is not that in CN" },
	{ CISCO_ORG "ST=" MAC2 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
		    ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "the MAC in ST is not that in CN" },
	{ CISCO_ORG "ST=" MAC1 "|L=CBT00000002|CN=SPA-525G2, MAC: " MAC1
		    ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL,
	    "the serial in L is not that in CN" },
	{ CISCO_ORG "ST=" MAC1 "|L=cbt00000001|CN=SPA-525G2, MAC: " MAC1
		    ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL,
	    "the serial in L is not that in CN" },
	{ CISCO_ORG "ST=" MAC1 "|CN=SPA-525G2, MAC: " MAC1
		    ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "no L beside the CN" },
	{ CISCO_ORG "L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
		    ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "no ST beside the CN" },
	{ CISCO_ORG "ST=nowhere|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
		    ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "ST \"nowhere\": expected a MAC" },
	{ CISCO_ORG "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2", PEER_INVALID,
	    NULL, NULL, NULL, "CN \"SPA-525G2\": expected \"PRODUCT" },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "|CN=phone", PEER_INVALID, NULL,
	    NULL, NULL, "CN \"phone\": expected \"PRODUCT" },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "|CN=", PEER_INVALID, NULL, NULL,
	    NULL, "CN \"\": expected \"PRODUCT" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1, PEER_INVALID,
	    NULL, NULL, NULL, "CN \"SPA-525G2, MAC: 000E08AABBCC\": exp" },
	{ "ST=" MAC1
	  "|L=CBT00000001|CN=SPA-525G2, Serial: CBT00000001, MAC: " MAC1,
	    PEER_INVALID, NULL, NULL, NULL, "CN \"SPA-525G2, Serial" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
	  ", Serial: CBT00000001, extra",
	    PEER_INVALID, NULL, NULL, NULL,
	    "serial in CN \"CBT00000001, extra\"" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
	  ", Serial: CBT00000001 ",
	    PEER_INVALID, NULL, NULL, NULL, "serial in CN \"CBT00000001 \"" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1
	  ", Serial: CBT00000001, Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "serial in CN" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC2 ", MAC: " MAC1
	  ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL,
	    "MAC in CN \"000E08AABBCD, MAC: 000E08AABBCC\"" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=x, SPA-525G2, MAC: " MAC1
	  ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "product in CN \"x, SPA-525G2\"" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=, MAC: " MAC1 ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "product in CN \"\"" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: 000E08AABBC"
	  ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "MAC in CN \"000E08AABBC\"" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, MAC: ffffffffffff"
	  ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL,
	    "MAC in CN \"ffffffffffff\": no device" },
	{ "ST=" MAC1 "|L=CBT00000001|CN=SPA-525G2, mac: " MAC1
	  ", serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "CN \"SPA-525G2, mac" },

	/* MIC: [MIC]. */
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|" MIC_ORG
	  "CN=CP-8861-SEP" MAC1,
	    PEER_MIC, "000e08aabbcc", "FCH00000001", "CP-8861", NULL },
	{ "serialNumber=PID:CP-8851-3PCC SN:FCH00000001|" MIC_ORG
	  "CN=CP-8851-3PCC-SEP" MAC1,
	    PEER_MIC, "000e08aabbcc", "FCH00000001", "CP-8851-3PCC", NULL },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861-SEP" MAC1
	  "|ST=000e08aabbcc|L=FCH00000001|OU=CP-8861",
	    PEER_MIC, "000e08aabbcc", "FCH00000001", "CP-8861", NULL },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861-SEP" MAC1
	  "|ST=" MAC2,
	    PEER_INVALID, NULL, NULL, NULL, "the MAC in ST is not that in CN" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861-SEP" MAC1
	  "|L=FCH00000002",
	    PEER_INVALID, NULL, NULL, NULL,
	    "the serial in L is not that in serialNumber" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861-SEP" MAC1
	  "|OU=CP-8841",
	    PEER_INVALID, NULL, NULL, NULL, "the product in OU" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8841-SEP" MAC1,
	    PEER_INVALID, NULL, NULL, NULL, "CN \"CP-8841-SEP000E08AABBCC\"" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861-3PCC-SEP" MAC1,
	    PEER_INVALID, NULL, NULL, NULL, "CN \"CP-8861-3PCC-SEP" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861-SEP",
	    PEER_INVALID, NULL, NULL, NULL, "MAC in CN \"\"" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861", PEER_INVALID,
	    NULL, NULL, NULL, "CN \"CP-8861\"" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861-SEP" MAC1 "0",
	    PEER_INVALID, NULL, NULL, NULL, "MAC in CN \"000E08AABBCC0\"" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=CP-8861-SEP000000000000",
	    PEER_INVALID, NULL, NULL, NULL, "MAC in CN \"000000000000\": no" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|" MIC_ORG, PEER_INVALID,
	    NULL, NULL, NULL, "serialNumber without CN" },
	{ "serialNumber=PID:CP-8861 SN:|CN=CP-8861-SEP" MAC1, PEER_INVALID,
	    NULL, NULL, NULL, "SN \"\": expected a serial" },
	{ "serialNumber=PID: SN:FCH00000001|CN=CP-8861-SEP" MAC1, PEER_INVALID,
	    NULL, NULL, NULL, "PID \"\": expected a product" },
	{ "serialNumber=PID:CP-8861|CN=CP-8861-SEP" MAC1, PEER_INVALID, NULL,
	    NULL, NULL, "serialNumber \"PID:CP-8861\"" },
	{ "serialNumber=FCH00000001|CN=CP-8861-SEP" MAC1, PEER_INVALID, NULL,
	    NULL, NULL, "serialNumber \"FCH00000001\"" },
	{ "serialNumber=x PID:CP-8861 SN:FCH00000001|CN=CP-8861-SEP" MAC1,
	    PEER_INVALID, NULL, NULL, NULL, "serialNumber \"x PID" },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001 x|CN=CP-8861-SEP" MAC1,
	    PEER_INVALID, NULL, NULL, NULL, "SN \"FCH00000001 x\"" },
	{ MIC_ORG "CN=CP-8861-SEP" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "CN \"CP-8861-SEP000E08AABBCC\": expected \"PRODUCT" },
	{ "serialNumber=PID:SPA-525G2 SN:CBT00000001|ST=" MAC1
	  "|L=CBT00000001|CN=SPA-525G2, MAC: " MAC1 ", Serial: CBT00000001",
	    PEER_INVALID, NULL, NULL, NULL, "CN \"SPA-525G2, MAC" },

	/* Generic: [FW-7.5.2B], [SPA-PROV] p. 43. */
	{ SIPURA_ORG "ST=sipurageneric|L=sipurageneric|CN=SPA-2000, MAC: "
		     "sipurageneric, Serial: sipurageneric",
	    PEER_GENERIC, NULL, NULL, NULL, NULL },
	{ "OU=cisco.com|L=ciscogeneric|ST=ciscogeneric", PEER_GENERIC, NULL,
	    NULL, NULL, NULL },
	{ "OU=SPA-962|L=88012BA00001|ST=LinksysGENERIC", PEER_GENERIC, NULL,
	    NULL, NULL, NULL },
	{ "OU=SPA-962|L=Generic1|ST=" MAC1, PEER_GENERIC, NULL, NULL, NULL,
	    NULL },
	{ "serialNumber=PID:CP-8861 SN:FCH00000001|CN=GENERIC-SEP" MAC1,
	    PEER_GENERIC, NULL, NULL, NULL, NULL },

	/* Bytes that no form has. */
	{ "OU=SPA-962|L=88012BA00001^x|ST=" MAC1, PEER_INVALID, NULL, NULL,
	    NULL, "L \"88012BA00001\\x00x\": expected printable ASCII" },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "^", PEER_INVALID, NULL, NULL,
	    NULL, "ST \"000E08AABBCC\\x00\"" },
	{ "OU=SPA-962|L=88012BA00001|ST=^" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "ST \"\\x00" },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "\n", PEER_INVALID, NULL, NULL,
	    NULL, "ST \"000E08AABBCC\\x0a\"" },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "\x7f", PEER_INVALID, NULL, NULL,
	    NULL, "ST \"000E08AABBCC\\x7f\"" },
	{ "OU=SPA-962\xc3\xa4|L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL,
	    NULL, NULL, "OU \"SPA-962\\xc3\\xa4\"" },
	{ "O=\xff|OU=SPA-962|L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL, NULL,
	    NULL, "O \"\\xff\"" },
	{ "title=\t|OU=SPA-962|L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL,
	    NULL, NULL, "an attribute \"\\x09\"" },
	{ "L=sipura^generic|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "L \"sipura\\x00generic\"" },
	{ "OU=SPA-962|L=88012BA00001|ST*=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "ST is a string of wide characters" },
	{ "OU=SPA-962|L+=^^^8^^^8|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "L is a string of wide characters" },
	{ "OU=SPA-962|L=" TEXT300 "|ST=" MAC1, PEER_INVALID, NULL, NULL, NULL,
	    "L is longer than 256 bytes" },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "|O=" TEXT300, PEER_INVALID,
	    NULL, NULL, NULL, "O is longer than 256 bytes" },

	/* Repeated attributes. */
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "|ST=" MAC2, PEER_INVALID, NULL,
	    NULL, NULL, "ST stands twice" },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "|ST=000e08aabbcc", PEER_INVALID,
	    NULL, NULL, NULL, "ST stands twice" },
	{ "OU=SPA-962|L=88012BA00001|L=88012BA0000|ST=" MAC1, PEER_INVALID,
	    NULL, NULL, NULL, "L stands twice" },
	{ "OU=SPA-962|OU=cisco.com|L=88012BA00001|ST=" MAC1, PEER_INVALID, NULL,
	    NULL, NULL, "OU stands twice" },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "|ST=" MAC1, PEER_DOCUMENTED,
	    "000e08aabbcc", "88012BA00001", "SPA-962", NULL },
	{ "OU=SPA-962|L=88012BA00001|ST=" MAC1 "|title=a|title=b",
	    PEER_DOCUMENTED, "000e08aabbcc", "88012BA00001", "SPA-962", NULL },

	/* 24 attributes, and one more. */
	{ SEVEN_O SEVEN_O SEVEN_O "OU=SPA-962|L=88012BA00001|ST=" MAC1,
	    PEER_DOCUMENTED, "000e08aabbcc", "88012BA00001", "SPA-962", NULL },
	{ SEVEN_O SEVEN_O SEVEN_O "OU=SPA-962|L=88012BA00001|ST=" MAC1 "|O=x",
	    PEER_INVALID, NULL, NULL, NULL, "the subject has more than 24" },
};

static EVP_PKEY *key; /* set up once: a pair per certificate would be slow */

static int
make_key(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	return key == NULL;
}

static int
free_key(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

/* Add the NAME=value at text, of len bytes. */
static void
add_part(X509_NAME *name, const char *text, size_t len)
{
	size_t name_len = strcspn(text, "*+=");
	size_t at = strcspn(text, "=") + 1;
	char *attribute = xstrndup(text, name_len);
	char *value = xstrndup(text + at, len - at);
	int type = text[name_len] == '*' ? V_ASN1_BMPSTRING :
	    text[name_len] == '+'	 ? V_ASN1_UNIVERSALSTRING :
					   V_ASN1_UTF8STRING;
	int nid = OBJ_txt2nid(attribute);

	for (size_t i = 0; i < len - at; i++) {
		if (value[i] == '^')
			value[i] = '\0';
	}
	/* UTF8String is checked when it is decoded; raw bytes need another. */
	if (type == V_ASN1_UTF8STRING && memchr(value, 0xff, len - at) != NULL)
		type = V_ASN1_T61STRING;
	assert_int_not_equal(nid, NID_undef);
	assert_int_equal(X509_NAME_add_entry_by_NID(name, nid, type,
			     (const unsigned char *)value, (int)(len - at), -1,
			     0),
	    1);
	free(attribute);
	free(value);
}

/* The DER of a certificate with that subject; OPENSSL_free() it. */
static unsigned char *
make_certificate(const char *subject, size_t *len)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_NAME_new();
	const char *whole = subject;
	unsigned char *der = NULL;
	int der_len;

	while (*subject != '\0') {
		size_t part_len = strcspn(subject, "|");

		add_part(name, subject, part_len);
		subject += part_len;
		subject += *subject == '|';
	}
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	if (X509_set_subject_name(cert, name) != 1)
		fail_msg("no certificate can be made with %s", whole);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), 0));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), 1));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	der_len = i2d_X509(cert, &der);
	assert_true(der_len > 0);
	*len = (size_t)der_len;
	X509_NAME_free(name);
	X509_free(cert);
	return der;
}

/* Put product where pattern has "%s". */
static char *
fill(const char *pattern, const char *product)
{
	struct buf text;

	buf_init(&text, 1024);
	for (const char *p = pattern; *p != '\0'; p++) {
		if (p[0] != '%' || p[1] != 's') {
			assert_int_equal(buf_append(&text, p, 1), 0);
			continue;
		}
		assert_int_equal(buf_append_text(&text, product), 0);
		p++;
	}
	return buf_take(&text);
}

static void
check_peer(size_t i, const struct peer *peer)
{
	char mac[MAC_TEXT_BYTES];

	if (peer->form != cases[i].form)
		fail_msg("%s: %s (%s)", cases[i].subject,
		    peer_form_name(peer->form), peer->reason);
	assert_int_equal(peer->has_mac, cases[i].mac != NULL);
	if (cases[i].mac != NULL) {
		mac_format(&peer->mac, mac);
		assert_string_equal(mac, cases[i].mac);
	}
	assert_string_equal(peer->serial,
	    cases[i].serial != NULL ? cases[i].serial : "");
	assert_string_equal(peer->product,
	    cases[i].product != NULL ? cases[i].product : "");
	if (cases[i].reason == NULL)
		assert_string_equal(peer->reason, "");
	else if (strncmp(peer->reason, cases[i].reason,
		     strlen(cases[i].reason)) != 0)
		fail_msg("%s: %s", cases[i].subject, peer->reason);
}

static void
test_subjects(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct peer peer;
		size_t len;
		unsigned char *der = make_certificate(cases[i].subject, &len);

		memset(&peer, 0xa5, sizeof(peer));
		peer_parse(&peer, der, len);
		check_peer(i, &peer);
		OPENSSL_free(der);
	}
}

/* The subjects of every model that we know, in the form that it has. */
static void
test_models(void **state)
{
	(void)state;
	for (size_t i = 0; i < registry_model_count; i++) {
		static const char *const subjects[] = {
			[IDENTITY_DOCUMENTED] = "OU=%s|L=88012BA00001|ST=" MAC1,
			[IDENTITY_OBSERVED] = CISCO_ORG
			"ST=" MAC1 "|L=88012BA00001|CN=%s, MAC: " MAC1
			", Serial: 88012BA00001",
			[IDENTITY_MIC] = MIC_ORG
			"serialNumber="
			"PID:%s SN:88012BA00001|CN=%s-SEP" MAC1,
		};
		static const enum peer_form forms[] = {
			[IDENTITY_DOCUMENTED] = PEER_DOCUMENTED,
			[IDENTITY_OBSERVED] = PEER_OBSERVED,
			[IDENTITY_MIC] = PEER_MIC,
		};
		const struct model *model = &registry_models[i];
		char *subject = fill(subjects[model->identity],
		    model->certificate_product);
		struct peer peer;
		size_t len;
		unsigned char *der = make_certificate(subject, &len);

		peer_parse(&peer, der, len);
		if (peer.form != forms[model->identity])
			fail_msg("%s: %s", subject, peer.reason);
		assert_string_equal(peer.serial, "88012BA00001");
		assert_ptr_equal(registry_find_model(peer.product, NULL),
		    model);
		OPENSSL_free(der);
		free(subject);
	}
}

static void
test_not_a_certificate(void **state)
{
	struct peer peer;
	size_t len;
	unsigned char *der = make_certificate(cases[0].subject, &len);

	(void)state;
	peer_parse(&peer, der, len);
	assert_int_equal(peer.form, PEER_DOCUMENTED);
	peer_parse(&peer, der, len - 1);
	assert_int_equal(peer.form, PEER_INVALID);
	assert_false(peer.has_mac);
	assert_string_not_equal(peer.reason, "");
	peer_parse(&peer, der, 0);
	assert_int_equal(peer.form, PEER_INVALID);
	der = OPENSSL_realloc(der, len + 1);
	der[len] = 0;
	peer_parse(&peer, der, len + 1);
	assert_int_equal(peer.form, PEER_INVALID);
	OPENSSL_free(der);
	peer_parse(&peer, (const uint8_t *)"no certificate", 14);
	assert_int_equal(peer.form, PEER_INVALID);
}

static void
test_form_names(void **state)
{
	(void)state;
	assert_string_equal(peer_form_name(PEER_DOCUMENTED), "documented");
	assert_string_equal(peer_form_name(PEER_OBSERVED), "observed");
	assert_string_equal(peer_form_name(PEER_MIC), "mic");
	assert_string_equal(peer_form_name(PEER_GENERIC), "generic");
	assert_string_equal(peer_form_name(PEER_INVALID), "invalid");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_not_a_certificate),
		cmocka_unit_test(test_form_names),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
