/*
 * What a device makes of the certificates that a server shows.
 */
#include "base/text.h"
#include "pki/cert.h"
#include "provision/check_parts.h"
#include "spa/knowledge.h"
#include "spa/registry.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* The documents speak of RSA-1024 and RSA-2048 only [CDA-SIGN]. */
#define KEY_BITS_MAX 2048

/* ----------------------------------------------------------- which CA */

struct question {
	const struct check_view *view;
	const struct model *model;
	const struct firmware *firmware;
	const struct knowledge *knowledge;
	time_t now;
	struct check_verdict *verdict;
};

static struct trust
resolve(const struct question *question, const char *ca)
{
	return knowledge_resolve(question->knowledge, question->model,
	    question->firmware, registry_find_ca(ca));
}

/* Signed by nobody that devices are known to hold. */
static void
judge_stranger(const struct question *question)
{
	bool bundle = resolve(question, "public-ca-bundle").verdict ==
	    VERDICT_TRUSTED;
	bool custom = resolve(question, "custom-ca").verdict == VERDICT_TRUSTED;

	if (bundle || custom)
		check_find(question->verdict, CHECK_CA_UNKNOWN, CHECK_DOUBT,
		    "claim what you have tested with \"sprov ca claim\"",
		    question->model->source,
		    "no CA of the registry signed the certificate; these "
		    "devices accept it only %s",
		    !bundle ?
			"if its CA is installed as their custom CA" :
			!custom ?
			"if their bundle of public CAs holds its root" :
			"if their bundle of public CAs holds its root, or it "
			"is their custom CA");
	else
		check_find(question->verdict, CHECK_CA, CHECK_STOPS,
		    "get a certificate of a CA that they trust: \"sprov ca "
		    "which\" and \"sprov plan\" tell which",
		    "LINKSYS-PROV",
		    "no CA that devices are known to trust signed the "
		    "certificate");
}

static void
note_contradiction(const struct question *question, const struct trust *trust,
    const struct ca *ca)
{
	if (trust->contradiction_count > 0)
		check_find(question->verdict, CHECK_DISAGREE,
		    CHECK_WORTH_KNOWING,
		    "see \"sprov ca which\"; try one device and claim what "
		    "came out",
		    trust->contradiction[0]->source,
		    "sources disagree about %s: another one says %s", ca->name,
		    verdict_name(trust->contradiction[0]->verdict));
}

static void
judge_ca(const struct question *question, const struct ca *ca)
{
	struct trust trust = knowledge_resolve(question->knowledge,
	    question->model, question->firmware, ca);
	const char *source = trust.decided_by != NULL ?
	    trust.decided_by->source :
	    "";

	switch (trust.verdict) {
	case VERDICT_TRUSTED:
		if (trust.depends_on_firmware)
			check_find(question->verdict, CHECK_CA_UNKNOWN,
			    CHECK_DOUBT,
			    "put the firmware version into the inventory, or "
			    "ask for MODEL@FIRMWARE",
			    source,
			    "whether they trust %s depends on the "
			    "firmware, which is not known",
			    ca->name);
		break;
	case VERDICT_NOT:
		check_find(question->verdict, CHECK_CA,
		    trust.depends_on_firmware ? CHECK_DOUBT : CHECK_STOPS,
		    "lead them to a listener with a certificate of a CA that "
		    "they trust, or upgrade them: see \"sprov plan\"",
		    source, "%s signed the certificate, which they %s",
		    ca->name,
		    trust.depends_on_firmware ?
			"trust from some firmware on only" :
			"do not trust");
		break;
	case VERDICT_UNKNOWN:
		check_find(question->verdict, CHECK_CA_UNKNOWN, CHECK_DOUBT,
		    "try one device, and claim what came out with \"sprov ca "
		    "claim\"",
		    source,
		    "%s signed the certificate; no source says whether they "
		    "trust it",
		    ca->name);
		break;
	}
	note_contradiction(question, &trust, ca);
	if (ca->not_after != 0 && ca->not_after < question->now)
		check_find(question->verdict, CHECK_CA_EXPIRED,
		    question->view->stack->check_time ? CHECK_STOPS :
							CHECK_WORTH_KNOWING,
		    "plan for another CA: \"sprov plan\"", ca->source,
		    "the CA itself has expired%s",
		    question->view->stack->check_time ?
			"" :
			"; these devices are taken not to look");
}

/* The certificate that signed this one, wherever it was sent; NULL: none. */
static X509 *
find_issuer(const struct check_view *view, const X509 *cert)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->certs[i] != cert &&
		    cert_is_issued_by(cert, view->certs[i]))
			return view->certs[i];
	return NULL;
}

/*
 * Above the leaf there may be more than one CA that we know: an intermediate
 * and its root.  The device needs to trust one of them.
 */
static void
judge_signer(const struct question *question)
{
	const struct check_view *view = question->view;
	const struct ca *found = NULL;
	const X509 *cert = view->certs[0];

	/* No longer than what was sent: certificates may go in circles. */
	for (size_t i = 0; i < view->count && cert != NULL; i++) {
		const X509 *issuer = find_issuer(view, cert);
		const struct ca *ca = identify_issuer(cert, issuer).ca;

		if (ca != NULL &&
		    knowledge_resolve(question->knowledge, question->model,
			question->firmware, ca)
			    .verdict == VERDICT_TRUSTED) {
			judge_ca(question, ca);
			return;
		}
		if (found == NULL)
			found = ca;
		cert = issuer;
	}
	if (found != NULL)
		judge_ca(question, found);
	else
		judge_stranger(question);
}

/* ---------------------------------------------------------- the chain */

static bool
is_self_signed(const X509 *cert)
{
	return cert_is_issued_by(cert, cert);
}

/* RFC 5246 7.4.2: each certificate must directly certify the one before. */
static void
judge_chain(const struct question *question)
{
	const struct check_view *view = question->view;

	for (size_t i = 0; i + 1 < view->count; i++) {
		if (cert_is_issued_by(view->certs[i], view->certs[i + 1]))
			continue;
		if (is_self_signed(view->certs[i]))
			continue; /* a root, and something behind it */
		if (find_issuer(view, view->certs[i]) != NULL)
			check_find(question->verdict, CHECK_CHAIN_ORDER,
			    CHECK_DOUBT,
			    "put the leaf first, then its issuer: \"sprov cert "
			    "import\" does",
			    "ASSUMED",
			    "the certificates are sent in the wrong order; "
			    "whether these devices put up with it is not "
			    "known");
		else
			check_find(question->verdict, CHECK_CHAIN_BROKEN,
			    CHECK_DOUBT,
			    "send the intermediate that signed it, too",
			    "ASSUMED",
			    "behind certificate %zu another one is sent than "
			    "its issuer",
			    i + 1);
		return;
	}
}

/* ------------------------------------------------- dates, digest, key */

static void
judge_dates(const struct question *question)
{
	const X509 *leaf = question->view->certs[0];
	time_t before = cert_not_before(leaf), after = cert_not_after(leaf);
	bool looks = question->view->stack->check_time;
	enum check_weight weight = looks ? CHECK_STOPS : CHECK_WORTH_KNOWING;
	const char *rest = looks ? "" : "; these devices are taken not to look";
	char text[CLOCK_TEXT_BYTES];

	if (after < question->now) {
		clock_format(after, text);
		check_find(question->verdict, CHECK_DATES, weight,
		    "renew the certificate", question->view->stack->source,
		    "the certificate expired on %.10s%s", text, rest);
	} else if (before > question->now) {
		clock_format(before, text);
		check_find(question->verdict, CHECK_DATES, weight,
		    "set the clock of whoever made it, or wait",
		    question->view->stack->source,
		    "the certificate is valid from %.10s on%s", text, rest);
	}
}

static void
judge_strength(const struct question *question)
{
	const X509 *leaf = question->view->certs[0];
	const char *digest = cert_signature_digest(leaf);

	if (!question->view->stack->check_sha256 &&
	    (text_starts(digest, "sha2") || text_starts(digest, "sha3") ||
		text_starts(digest, "sha5")))
		check_find(question->verdict, CHECK_DIGEST, CHECK_STOPS,
		    "have it signed with SHA-1 where the CA still does, or "
		    "upgrade the devices",
		    question->view->stack->source,
		    "the certificate is signed with %s, which the devices are "
		    "taken not to know",
		    digest);
	if (!cert_is_rsa(leaf) && !question->view->stack->extensions)
		check_find(question->verdict, CHECK_KEY, CHECK_STOPS,
		    "use an RSA key", question->view->stack->source,
		    "the key is no RSA key");
	else if (cert_is_rsa(leaf) && cert_key_bits(leaf) > KEY_BITS_MAX)
		check_find(question->verdict, CHECK_KEY, CHECK_DOUBT,
		    "use RSA of 2048 bits", "CDA-SIGN",
		    "the key has %d bits; documents speak of 1024 and 2048",
		    cert_key_bits(leaf));
}

/* -------------------------------------------------------------- names */

static void
judge_address(const struct question *question)
{
	const struct check_view *view = question->view;
	const char *source = view->stack->source;
	char host[CERT_VALUE_MAX + 1];

	if (!cert_common_host(view->certs[0], host)) {
		check_find(question->verdict, CHECK_ADDRESS, CHECK_STOPS,
		    "get a certificate with the host's name as its CN", source,
		    "the certificate has no CN that can be looked up");
		return;
	}
	for (size_t i = 0; i < view->cn_address_count; i++)
		if (strcmp(view->cn_address[i], view->address) == 0)
			return;
	if (!view->resolved)
		check_find(question->verdict, CHECK_ADDRESS, CHECK_DOUBT,
		    "ask from where the devices are, or see why DNS does not "
		    "answer",
		    source, "nobody told the address of \"%.100s\", the CN",
		    host);
	else if (view->cn_address_count == 0)
		check_find(question->verdict, CHECK_ADDRESS, CHECK_STOPS,
		    "add an A record for it, or use a certificate for a name "
		    "that has one",
		    source, "the CN \"%.100s\" has no address in DNS", host);
	else
		check_find(question->verdict, CHECK_ADDRESS, CHECK_STOPS,
		    "let DNS, as the devices see it, lead the CN to the "
		    "server's own address",
		    source, "DNS leads the CN \"%.80s\" to %s%s, not to %s",
		    host, view->cn_address[0],
		    view->cn_address_count > 1 ? " and others" : "",
		    view->address);
}

static void
judge_name(const struct question *question)
{
	const struct check_view *view = question->view;
	enum name_check check = view->stack->name_check;

	if (check == NAME_CHECK_ADDRESS)
		judge_address(question);
	else if (!cert_matches_host(view->certs[0], view->host,
		     check == NAME_CHECK_SAN))
		check_find(question->verdict, CHECK_NAME, CHECK_STOPS,
		    check == NAME_CHECK_SAN ?
			"get a certificate with the host as a SAN, or set "
			"HTTPS_Name_Validate to No" :
			"use the name that the certificate has, or get one for "
			"this name",
		    view->stack->source,
		    "the certificate is not for \"%.100s\" (by %s)", view->host,
		    check == NAME_CHECK_SAN ? "SAN" : "SAN or CN");
}

void
check_judge_certificate(const struct check_view *view,
    const struct model *model, const struct firmware *firmware,
    const struct knowledge *knowledge, time_t now,
    struct check_verdict *verdict)
{
	const struct question question = { view, model, firmware, knowledge,
		now, verdict };

	judge_signer(&question);
	judge_chain(&question);
	judge_dates(&question);
	judge_strength(&question);
	judge_name(&question);
}
