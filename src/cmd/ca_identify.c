/*
 * Which CA signed a certificate, and who accepts it.
 */
#include "cmd/ca_common.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/text.h"
#include "cmd/ca_accept.h"
#include "cmd/ca_fleet.h"
#include "cmd/device_common.h"
#include "http/authority.h"
#include "pki/cert.h"
#include "sim/stream.h"
#include "spa/identify.h"
#include "tls/conn.h"
#include "tls/context.h"
#include "cmd/print.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define DEFAULT_PORT 443
#define ADDRESSES_MAX 8
#define DAY 86400

struct identification {
	X509 **certs; /* leaf first */
	size_t count;
	char from[ADDR_TEXT_BYTES + 64]; /* the address and TLS version */
	bool old, json;
	uint64_t timeout_ms;
	struct identified known;
	bool is_ca_itself;
	struct knowledge *knowledge;
	struct ca_fleet fleet;
	struct ca_sources sources;
	struct errors problems;
	time_t now;
};

/* -------------------------------------------------------------- probing */

static int
shake_hands(struct identification *id, struct stream *stream,
    const struct addr *address, const char *host, struct error *err)
{
	struct tls_context *context = tls_context_new_accept_any(!id->old, err);
	char text[ADDR_TEXT_BYTES];
	int rc;

	if (context == NULL)
		return -1;
	rc = stream_start_tls(stream, context, host, (unsigned)id->timeout_ms,
	    err);
	if (stream->tls != NULL) {
		tls_conn_shown(stream->tls, &id->certs, &id->count);
		addr_format(address, text);
		(void)snprintf(id->from, sizeof(id->from), "%s%s%s", text,
		    rc == 0 ? ", " : "",
		    rc == 0 ? tls_version_name(tls_conn_version(stream->tls)) :
			      "");
	}
	tls_context_free(context);
	/* Who wants a certificate of ours has shown its own before. */
	if (rc != 0 && id->count == 0)
		return error_prefix(err, "%s: ", host);
	return 0;
}

static size_t
find_addresses(const char *host, uint16_t port, struct addr *list)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char service[8];
	size_t count = 0;

	(void)snprintf(service, sizeof(service), "%u", (unsigned)port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return 0;
	for (struct addrinfo *p = found; p != NULL && count < ADDRESSES_MAX;
	     p = p->ai_next) {
		list[count] = (struct addr) { .len = p->ai_addrlen };
		memcpy(&list[count++].sockaddr, p->ai_addr, p->ai_addrlen);
	}
	freeaddrinfo(found);
	return count;
}

static int
probe(struct identification *id, const struct authority *server,
    struct error *err)
{
	uint16_t port = server->port != 0 ? server->port : DEFAULT_PORT;
	struct addr list[ADDRESSES_MAX];
	size_t count = find_addresses(server->host, port, list);
	int rc = -1;

	if (count == 0)
		return error_set(err, ERROR_NOT_FOUND,
		    "%s: no such file, and no host of that name", server->host);
	for (size_t i = 0; i < count && rc != 0; i++) {
		struct stream stream;

		rc = stream_connect(&stream, &list[i], (unsigned)id->timeout_ms,
		    err);
		if (rc == 0)
			rc = shake_hands(id, &stream, &list[i], server->host,
			    err);
		stream_close(&stream);
	}
	return rc;
}

/* A file when there is one, else a server. */
static int
get_certificates(struct identification *id, const char *what, struct error *err)
{
	struct authority server;

	if (access(what, F_OK) == 0 || strchr(what, '/') != NULL)
		return cert_read_file(what, &id->certs, &id->count, err);
	if (!authority_read(&server, what, strlen(what))) {
		char shown[64];

		text_escape(what, strlen(what), shown, sizeof(shown));
		return error_set(err, ERROR_INPUT,
		    "\"%s\": no such file, and "
		    "no HOST:PORT",
		    shown);
	}
	return probe(id, &server, err);
}

/* ----------------------------------------------------------- who signed */

/* Up the chain, until something is known. */
static void
find_signer(struct identification *id)
{
	struct identified self = identify_ca(id->certs[0]);
	size_t above;

	if (self.ca != NULL && (self.basis != IDENTIFY_NAME || self.lab)) {
		id->known = self;
		id->is_ca_itself = true;
		return;
	}
	id->known = identify_chain(id->certs, id->count, &above);
}

static void
judge_dates(struct identification *id)
{
	time_t before = cert_not_before(id->certs[0]);
	time_t after = cert_not_after(id->certs[0]);
	char date[CMD_DATE_BYTES];

	cmd_date(after, date);
	if (after < id->now)
		errors_add(&id->problems, "the certificate expired on %s",
		    date);
	else if (before > id->now)
		errors_add(&id->problems, "the certificate is not valid yet");
	if (id->known.ca != NULL && ca_is_expired(id->known.ca, id->now)) {
		cmd_date(id->known.ca->not_after, date);
		errors_add(&id->problems,
		    "the CA expired on %s: devices that "
		    "look at dates refuse it",
		    date);
	}
}

static void
judge(struct identification *id)
{
	char host[CERT_VALUE_MAX + 1];

	judge_dates(id);
	if (id->known.ca == NULL)
		errors_add(&id->problems,
		    "no CA of the registry signed it, as "
		    "far as its names tell: only devices whose custom CA "
		    "or public bundle holds that CA accept it");
	if (!id->is_ca_itself && !cert_common_host(id->certs[0], host))
		errors_add(&id->problems,
		    "the subject has no common name: "
		    "old devices look at nothing else [ATA-PROV]");
	else if (!id->is_ca_itself && *host == '*')
		errors_add(&id->problems,
		    "the common name is a wildcard: old "
		    "devices look it up in the DNS as it is [ATA-PROV]");
}

/* ------------------------------------------------------- who can verify */

static bool
is_sha2(const X509 *cert)
{
	const char *digest = cert_signature_digest(cert);

	return text_starts(digest, "sha2") || text_starts(digest, "sha3") ||
	    text_starts(digest, "sha5");
}

static bool
trusts(const struct identification *id, const struct model *model,
    const struct firmware *firmware)
{
	return knowledge_resolve(id->knowledge, model, firmware, id->known.ca)
		   .verdict == VERDICT_TRUSTED;
}

/* Devices that trust the CA but know no SHA-2. */
static size_t
count_too_old(const struct identification *id)
{
	size_t count = 0;

	for (size_t i = 0; i < id->fleet.group_count; i++) {
		const struct ca_fleet_group *group = &id->fleet.groups[i];
		const struct firmware *firmware = group->has_firmware ?
		    &group->firmware :
		    NULL;

		if (trusts(id, group->model, firmware) &&
		    !registry_find_stack(group->model, firmware)->check_sha256)
			count += group->count;
	}
	return count;
}

/* The first version of a family that knows SHA-2; NULL: none is known. */
static const char *
first_sha2(const struct model *model)
{
	for (size_t i = 0; i < registry_stack_use_count; i++) {
		const struct stack_use *use = &registry_stack_uses[i];
		struct firmware firmware;
		struct error ignored;

		if (strcmp(use->family, model->family) != 0 ||
		    use->model != NULL || use->firmware_min == NULL ||
		    firmware_parse(&firmware, use->firmware_min, &ignored) != 0)
			continue;
		if (registry_find_stack(model, &firmware)->check_sha256)
			return use->firmware_min;
	}
	return NULL;
}

static bool
is_ever_trusted(const struct identification *id, const struct model *model)
{
	size_t count;
	struct knowledge_span *spans = knowledge_spans(id->knowledge, model,
	    id->known.ca, &count);
	bool trusted = false;

	for (size_t i = 0; i < count; i++)
		trusted |= spans[i].trust.verdict == VERDICT_TRUSTED;
	free(spans);
	return trusted;
}

static void
print_too_old(const struct identification *id)
{
	const char *last = "";
	size_t column = 0;

	for (size_t i = 0; i < registry_model_count; i++) {
		const struct model *model = &registry_models[i];
		const char *first;

		if (strcmp(model->family, last) == 0 ||
		    registry_find_stack(model, NULL)->check_sha256 ||
		    !is_ever_trusted(id, model))
			continue;
		if (column == 0)
			column = cmd_wrap(0, 2,
			    "Signed with SHA-2, which "
			    "these are assumed not to know:");
		last = model->family;
		first = first_sha2(model);
		column = cmd_wrapf(column, 4, "%s%s%s;", model->family,
		    first != NULL ? " before " : "",
		    first != NULL ? first : "");
	}
	if (column > 0 && id->fleet.present)
		(void)cmd_wrapf(column, 4, "%zu of the devices.",
		    count_too_old(id));
	if (column > 0)
		(void)printf("\n");
}

/* ------------------------------------------------------------- in words */

static void
print_fact(const char *name, const char *value)
{
	size_t column = (size_t)printf("  %-9s", name);

	(void)cmd_wrap(column, 12, *value != '\0' ? value : "none");
	(void)putchar('\n');
}

static void
print_dates(const struct identification *id)
{
	time_t after = cert_not_after(id->certs[0]);
	char from[CMD_DATE_BYTES], to[CMD_DATE_BYTES], text[96];

	cmd_date(cert_not_before(id->certs[0]), from);
	cmd_date(after, to);
	(void)snprintf(text, sizeof(text), "%s to %s, %s%lld days%s", from, to,
	    after < id->now ? "expired " : "",
	    (long long)(after < id->now ? id->now - after : after - id->now) /
		DAY,
	    after < id->now ? " ago" : " left");
	print_fact("valid", text);
}

static void
print_certificate(const struct identification *id)
{
	const X509 *leaf = id->certs[0];
	char *subject = cert_subject_text(leaf);
	char *issuer = cert_issuer_text(leaf);
	char text[96], hex[2 * CERT_DIGEST_BYTES + 1];
	uint8_t digest[CERT_DIGEST_BYTES];

	print_fact("subject", subject);
	print_fact("issuer", issuer);
	print_dates(id);
	(void)snprintf(text, sizeof(text), "%s %d bits, signed with %s",
	    cert_is_rsa(leaf) ? "RSA" : "not RSA:", cert_key_bits(leaf),
	    cert_signature_digest(leaf));
	print_fact("key", text);
	cert_sha256(leaf, digest);
	text_hex(digest, sizeof(digest), hex);
	print_fact("SHA-256", hex);
	(void)snprintf(text, sizeof(text), "%zu", id->count);
	print_fact("shown", text);
	free(subject);
	free(issuer);
}

static void
print_signer(const struct identification *id)
{
	const struct ca *ca = id->known.ca;
	char state[CA_STATE_BYTES];

	if (ca == NULL) {
		(void)printf("\nSigned by no CA that is known.\n");
		return;
	}
	ca_state(ca, id->now, state);
	(void)printf("\n");
	(void)cmd_wrapf(0, 2, "%s %s (%s), recognised %s%s%s%s",
	    id->is_ca_itself ? "This is the CA" : "Signed by", ca->id, ca->name,
	    identify_basis_name(id->known.basis),
	    id->known.lab ? ": the lab's copy" :
		id->known.basis == IDENTIFY_NAME ?
			    " alone: the signature could not be checked" :
			    "",
	    *state != '\0' ? "; " : "", state);
	(void)printf("\n\nAccepted by:\n");
}

static void
print_identification(struct identification *id, const char *what)
{
	(void)printf("%s%s%s\n\n", what, *id->from != '\0' ? ": " : "",
	    id->from);
	print_certificate(id);
	print_signer(id);
	if (id->known.ca != NULL) {
		ca_accept_print(id->knowledge, id->known.ca, &id->fleet,
		    &id->sources);
		if (!id->is_ca_itself && is_sha2(id->certs[0]))
			print_too_old(id);
	}
	if (id->problems.kept > 0)
		(void)printf("\nNEEDS ATTENTION\n\n");
	for (size_t i = 0; i < id->problems.kept; i++) {
		(void)cmd_wrap(0, 2, id->problems.text[i]);
		(void)putchar('\n');
	}
	ca_sources_print(&id->sources);
}

static int
print_identification_json(const struct identification *id)
{
	const X509 *leaf = id->certs[0];
	const struct ca *ca = id->known.ca;
	char *subject = cert_subject_text(leaf);
	char *issuer = cert_issuer_text(leaf);
	char from[CLOCK_TEXT_BYTES], to[CLOCK_TEXT_BYTES];
	char hex[2 * CERT_DIGEST_BYTES + 1];
	uint8_t digest[CERT_DIGEST_BYTES];
	json_t *root, *problems = json_array();

	cert_sha256(leaf, digest);
	text_hex(digest, sizeof(digest), hex);
	clock_format(cert_not_before(leaf), from);
	clock_format(cert_not_after(leaf), to);
	for (size_t i = 0; i < id->problems.kept; i++)
		(void)json_array_append_new(problems,
		    json_string(id->problems.text[i]));
	root = json_pack("{ss ss ss ss ss si ss sb si ss? ss sb sb so so}",
	    "subject", subject, "issuer", issuer, "not_before", from,
	    "not_after", to, "digest", cert_signature_digest(leaf), "key_bits",
	    cert_key_bits(leaf), "sha256", hex, "rsa", cert_is_rsa(leaf),
	    "shown", (int)id->count, "ca", ca != NULL ? ca->id : NULL, "by",
	    identify_basis_name(id->known.basis), "lab", id->known.lab,
	    "is_ca_itself", id->is_ca_itself, "accepted_by",
	    ca != NULL ? ca_accept_json(id->knowledge, ca, &id->fleet) :
			 json_array(),
	    "problems", problems);
	if (id->fleet.present && ca != NULL)
		(void)json_object_set_new(root, "devices_accept",
		    json_integer((json_int_t)ca_fleet_accepting(&id->fleet,
			id->knowledge, ca)));
	free(subject);
	free(issuer);
	return ca_print_json(root);
}

/* -------------------------------------------------------------- command */

static int
identify(struct identification *id, const char *what, const char *claims,
    const char *uri)
{
	struct error err = { 0 };
	int status = CMD_DONE;

	if ((id->knowledge = ca_load_knowledge(claims, uri)) == NULL ||
	    ca_fleet_load(&id->fleet, uri) != 0)
		return CMD_FAILED;
	if (get_certificates(id, what, &err) != 0)
		return cmd_fail(&err);
	find_signer(id);
	judge(id);
	if (id->json)
		status = print_identification_json(id);
	else
		print_identification(id, what);
	return status == CMD_DONE && id->problems.count > 0 ? CMD_PROBLEM :
							      status;
}

int
ca_identify(int argc, char **argv)
{
	struct identification id = { .now = clock_wall(), .timeout_ms = 10000 };
	const char *claims = NULL, *uri = NULL, *timeout = NULL;
	const struct cmd_option options[] = {
		DEVICE_INVENTORY_OPTION(&uri),
		CA_CLAIMS_OPTION(&claims),
		{ .name = "old",
		    .letter = 'o',
		    .flag = &id.old,
		    .help = "ask as an old device: no SNI, no TLS 1.3" },
		{ .name = "timeout",
		    .letter = 't',
		    .value = "MS",
		    .help = "for connecting and for TLS (default: 10000)",
		    .text = &timeout },
		CA_JSON_OPTION(&id.json),
	};
	const struct cmd_syntax syntax = { "sprov ca identify",
		"FILE|HOST[:PORT]",
		"Say which CA signed a certificate (of a file, leaf first, or "
		"of a server) and\nwhich models and devices accept it.  "
		"Nothing is verified, and nothing is sent to\nthe server.\n"
		"Exit status: 3 when something needs attention.\n",
		options, LENGTH(options), 1, 1 };
	int first = 0, status = cmd_options(&syntax, argc, argv, &first);

	if (status < 0)
		status = cmd_number(&syntax, "timeout", timeout, 1, 600000,
		    &id.timeout_ms);
	if (status >= 0)
		return status;
	status = identify(&id, argv[first], claims, uri);
	cert_free_all(id.certs, id.count);
	ca_fleet_clear(&id.fleet);
	ca_sources_clear(&id.sources);
	errors_clear(&id.problems);
	knowledge_free(id.knowledge);
	return status;
}
