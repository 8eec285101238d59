#include "provision/check.h"
#include "pki/cert.h"
#include "provision/check_parts.h"
#include "spa/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* TLS alerts: RFC 8446 6. */
#define ALERT_HANDSHAKE_FAILURE 40
#define ALERT_NO_CERTIFICATE 41 /* SSL 3.0 */
#define ALERT_BAD_CERTIFICATE 42
#define ALERT_PROTOCOL_VERSION 70
#define ALERT_INSUFFICIENT_SECURITY 71
#define ALERT_CERTIFICATE_REQUIRED 116

void
check_view_clear(struct check_view *view)
{
	cert_free_all(view->certs, view->count);
	view->certs = NULL;
	view->count = 0;
}

const char *
check_cause_name(enum check_cause cause)
{
	static const char *const names[] = {
		[CHECK_CONNECTION] = "connection",
		[CHECK_TLS_VERSION] = "tls-version",
		[CHECK_TLS_CIPHER] = "tls-cipher",
		[CHECK_TLS_OTHER] = "tls",
		[CHECK_WANTS_CERTIFICATE] = "wants-certificate",
		[CHECK_NO_CERTIFICATE_SHOWN] = "no-certificate",
		[CHECK_CA] = "ca",
		[CHECK_CA_UNKNOWN] = "ca-unknown",
		[CHECK_CA_EXPIRED] = "ca-expired",
		[CHECK_CHAIN_ORDER] = "chain-order",
		[CHECK_CHAIN_BROKEN] = "chain-broken",
		[CHECK_DATES] = "dates",
		[CHECK_NAME] = "name",
		[CHECK_ADDRESS] = "address",
		[CHECK_DIGEST] = "digest",
		[CHECK_KEY] = "key",
		[CHECK_NOT_ASKED] = "not-asked",
		[CHECK_CA_NAMES] = "ca-names",
		[CHECK_STATUS] = "status",
		[CHECK_REDIRECT] = "redirect",
		[CHECK_LENGTH] = "length",
		[CHECK_NO_PROFILE] = "no-profile",
		[CHECK_UNSEEN] = "unseen",
		[CHECK_DISAGREE] = "disagree",
	};

	return names[cause];
}

const char *
check_answer_name(enum check_answer answer)
{
	static const char *const names[] = {
		[CHECK_WILL] = "will",
		[CHECK_CANNOT_KNOW] = "cannot-know",
		[CHECK_WILL_NOT] = "will-not",
	};

	return names[answer];
}

void
check_find(struct check_verdict *verdict, enum check_cause cause,
    enum check_weight weight, const char *fix, const char *source,
    const char *fmt, ...)
{
	struct check_finding *finding;
	va_list ap;

	if (weight == CHECK_STOPS)
		verdict->answer = CHECK_WILL_NOT;
	else if (weight == CHECK_DOUBT && verdict->answer == CHECK_WILL)
		verdict->answer = CHECK_CANNOT_KNOW;
	if (verdict->count == CHECK_FINDINGS_MAX)
		return;
	finding = &verdict->finding[verdict->count++];
	finding->cause = cause;
	finding->weight = weight;
	finding->fix = fix;
	finding->source = source;
	va_start(ap, fmt);
	(void)vsnprintf(finding->text, sizeof(finding->text), fmt, ap);
	va_end(ap);
}

/* ---------------------------------------------------------------- TLS */

static const char *
version_name(int version)
{
	static const char *const names[] = { "TLS 1.0", "TLS 1.1", "TLS 1.2",
		"TLS 1.3" };

	return version >= 0x0301 && version <= 0x0304 ?
	    names[version - 0x0301] :
	    "another version";
}

static bool
says(const struct check_view *view, const char *words)
{
	return strstr(view->error, words) != NULL;
}

static void
judge_version(const struct check_view *view, struct check_verdict *verdict)
{
	const struct stack *stack = view->stack;

	check_find(verdict, CHECK_TLS_VERSION, CHECK_STOPS,
	    stack->max_version < 0x0303 ?
		"let this listener speak TLS 1.0 (\"tls legacy\"), or use one "
		"that does" :
		"let the server speak TLS 1.2",
	    stack->source,
	    "the server speaks none of the device's versions: %s%s%s",
	    version_name(stack->min_version),
	    stack->max_version != stack->min_version ? " to " : "",
	    stack->max_version != stack->min_version ?
		version_name(stack->max_version) :
		"");
}

/* Why did the handshake fail?  What the server had sent until then tells. */
static void
judge_handshake(const struct check_view *view, struct check_verdict *verdict)
{
	int alert = view->alert_received;

	if (alert == ALERT_PROTOCOL_VERSION ||
	    says(view, "unsupported protocol"))
		judge_version(view, verdict);
	else if (view->count == 0 &&
	    (alert == ALERT_HANDSHAKE_FAILURE ||
		alert == ALERT_INSUFFICIENT_SECURITY))
		check_find(verdict, CHECK_TLS_CIPHER, CHECK_STOPS,
		    "allow the device's cipher suites on this listener; RSA "
		    "key exchange needs an RSA certificate",
		    view->stack->source,
		    "the server takes none of the cipher suites of the stack "
		    "%s",
		    view->stack->id);
	else if (says(view, "wrong version number") ||
	    says(view, "packet length too long") || says(view, "http request"))
		check_find(verdict, CHECK_TLS_OTHER, CHECK_STOPS,
		    "see which service listens on this port", "",
		    "what answers there is not TLS");
	else if (view->asks_certificate && !view->showed_certificate &&
	    view->count > 0)
		check_find(verdict, CHECK_WANTS_CERTIFICATE, CHECK_DOUBT,
		    "show a certificate with --certificate and --key to see "
		    "further",
		    "",
		    "the server ends the handshake when no client certificate "
		    "is shown");
	else if (view->showed_certificate && view->count > 0 && alert >= 0)
		check_find(verdict, CHECK_WANTS_CERTIFICATE, CHECK_STOPS,
		    "add the CA of the devices' certificates to the server's "
		    "client anchors",
		    "", "the server refuses the client certificate: %.120s",
		    view->error);
	else
		check_find(verdict, CHECK_TLS_OTHER, CHECK_STOPS, "", "",
		    "the handshake fails: %.200s", view->error);
}

/* ------------------------------------------------- the client's certificate */

/* Does the server name the CA that signs this model's certificates? */
static bool
names_ca(const struct check_view *view, const struct ca *ca)
{
	size_t kept = view->ca_name_count < CHECK_CA_NAMES_MAX ?
	    view->ca_name_count :
	    CHECK_CA_NAMES_MAX;

	for (size_t i = 0; i < kept; i++) {
		const char *name = view->ca_names[i];

		if (strncmp(name, IDENTIFY_LAB_PREFIX,
			strlen(IDENTIFY_LAB_PREFIX)) == 0)
			name += strlen(IDENTIFY_LAB_PREFIX);
		if (strcmp(name, ca->common_name) == 0)
			return true;
	}
	return kept < view->ca_name_count;
}

static void
judge_request_for_certificate(const struct check_view *view,
    const struct model *model, struct check_verdict *verdict)
{
	const struct ca *ca = registry_find_ca(model->client_anchor);

	if (!view->asks_certificate)
		check_find(verdict, CHECK_NOT_ASKED, CHECK_WORTH_KNOWING,
		    "ask for client certificates, or whoever knows the address "
		    "of a phone gets its passwords",
		    "MPP-PROV",
		    "the server does not ask for a client certificate");
	else if (view->ca_name_count > 0 && ca != NULL &&
	    *ca->common_name != '\0' && !names_ca(view, ca))
		check_find(verdict, CHECK_CA_NAMES, CHECK_DOUBT,
		    "add it to the server's client anchors", model->source,
		    "the server does not name \"%.100s\", which signs the "
		    "certificates of these devices: they may show none, or it "
		    "may not be believed",
		    ca->common_name);
}

/* ------------------------------------------------------------- the answer */

static void
judge_status(const struct check_view *view, struct check_verdict *verdict)
{
	bool moved = view->status == 301 || view->status == 302;

	if (moved && view->stack->redirects)
		check_find(verdict, CHECK_REDIRECT, CHECK_WORTH_KNOWING,
		    "check the address that it leads to as well", "MPP-AG",
		    "it is redirected to %.150s", view->location);
	else if (moved || (view->status >= 300 && view->status < 400))
		check_find(verdict, CHECK_REDIRECT, CHECK_STOPS,
		    "answer with the file itself", "MPP-AG+ASSUMED",
		    "it is redirected (%d), which these devices do not follow",
		    view->status);
	else if (view->asks_certificate && !view->showed_certificate &&
	    view->status >= 400 && view->status < 500 && view->status != 404)
		check_find(verdict, CHECK_UNSEEN, CHECK_WORTH_KNOWING,
		    "show a device's certificate with --certificate and --key "
		    "to see it",
		    "",
		    "what the device would be answered could not be seen: "
		    "without a certificate the answer is %d",
		    view->status);
	else
		check_find(verdict, CHECK_STATUS, CHECK_STOPS,
		    "see the server's log for the reason", "MPP-AG",
		    "the server answers %d to this path", view->status);
}

static void
judge_body(const struct check_view *view, struct check_verdict *verdict)
{
	if (!view->stack->http_1_1 && view->chunked)
		check_find(verdict, CHECK_LENGTH, CHECK_STOPS,
		    "send the file with Content-Length", "ATA19X-RN+ASSUMED",
		    "the answer is chunked, which these devices cannot read");
	else if (!view->stack->http_1_1 && !view->has_length)
		check_find(verdict, CHECK_LENGTH, CHECK_STOPS,
		    "send the file with Content-Length", "ATA19X-RN+ASSUMED",
		    "the answer has no Content-Length, which these devices "
		    "need");
	if (!view->is_profile)
		check_find(verdict, CHECK_NO_PROFILE, CHECK_STOPS,
		    "check the file, and that the path is the right one", "",
		    "what it gets is no profile: %.180s", view->profile_error);
}

static void
judge_answer(const struct check_view *view, struct check_verdict *verdict)
{
	if (!view->asked)
		return;
	if (view->reached != CHECK_ANSWER)
		check_find(verdict, CHECK_UNSEEN,
		    view->asks_certificate && !view->showed_certificate ?
			CHECK_WORTH_KNOWING :
			CHECK_STOPS,
		    "show a device's certificate with --certificate and --key "
		    "to see it",
		    "", "no answer came: %.180s", view->error);
	else if (view->status == 200)
		judge_body(view, verdict);
	else
		judge_status(view, verdict);
}

void
check_judge(const struct check_view *view, const struct model *model,
    const struct firmware *firmware, const struct knowledge *knowledge,
    time_t now, struct check_verdict *verdict)
{
	*verdict = (struct check_verdict) { .answer = CHECK_WILL,
		.assumed = view->stack->assumed };
	if (view->reached == CHECK_NO_CONNECTION) {
		check_find(verdict, CHECK_CONNECTION, CHECK_STOPS,
		    "see that the server runs and that no firewall is between",
		    "", "%.200s", view->error);
		return;
	}
	if (view->reached == CHECK_NO_HANDSHAKE)
		judge_handshake(view, verdict);
	if (view->count > 0)
		check_judge_certificate(view, model, firmware, knowledge, now,
		    verdict);
	if (view->reached == CHECK_NO_HANDSHAKE)
		return;
	judge_request_for_certificate(view, model, verdict);
	judge_answer(view, verdict);
}
