#include "base/clock.h"
#include "pki/cert.h"
#include "sim/fetch_parts.h"
#include "sim/internal.h"
#include "sim/stream.h"
#include "spa/registry.h"
#include "tls/conn.h"

#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
fetch_end(struct job *job, enum sim_outcome outcome, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	job->result->outcome = outcome;
	(void)vsnprintf(job->result->reason, sizeof(job->result->reason), fmt,
	    ap);
	va_end(ap);
	return -1;
}

/* Only A records: [SIPURA-AG] p. 33. */
static size_t
resolve_by_system(const char *host, struct addr *list, size_t max)
{
	const struct addrinfo hints = { .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found, *p;
	size_t count = 0;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return 0;
	for (p = found; p != NULL && count < max; p = p->ai_next) {
		list[count] = (struct addr) { .len = p->ai_addrlen };
		memcpy(&list[count++].sockaddr, p->ai_addr, p->ai_addrlen);
	}
	freeaddrinfo(found);
	return count;
}

size_t
fetch_resolve(const struct sim_network *network, const char *host,
    struct addr *list, size_t max)
{
	struct error ignored;
	size_t count;

	if (addr_parse_host(&list[0], host, 0, &ignored) == 0)
		return 1;
	count = network->resolve != NULL ?
	    network->resolve(network->arg, host, list, max) :
	    resolve_by_system(host, list, max);
	return count < max ? count : max;
}

/* Is the address that we are connected to in the DNS answer for the CN? */
static int
check_address(struct job *job, const X509 *cert, const struct addr *address)
{
	char host[CERT_VALUE_MAX + 1];
	char ours[ADDR_TEXT_BYTES], theirs[ADDR_TEXT_BYTES];
	struct addr list[FETCH_ADDRESSES_MAX];
	size_t count;

	addr_format_host(address, ours);
	if (!cert_common_host(cert, host))
		return fetch_end(job, SIM_WRONG_NAME,
		    "the server's certificate has no CN to look up");
	count = fetch_resolve(job->network, host, list, FETCH_ADDRESSES_MAX);
	for (size_t i = 0; i < count; i++) {
		addr_format_host(&list[i], theirs);
		if (strcmp(ours, theirs) == 0)
			return 0;
	}
	if (count == 0)
		return fetch_end(job, SIM_WRONG_NAME,
		    "the CN \"%.100s\" of the server's certificate does not "
		    "resolve",
		    host);
	return fetch_end(job, SIM_WRONG_NAME,
	    "%s is not among the addresses of \"%.100s\", the CN of the "
	    "server's certificate",
	    ours, host);
}

static int
check_certificate_name(struct job *job, X509 *cert, const char *host,
    const struct addr *address)
{
	enum name_check check = job->device->stack->name_check;

	if (check == NAME_CHECK_ADDRESS)
		return check_address(job, cert, address);
	if (cert_matches_host(cert, host, check == NAME_CHECK_SAN))
		return 0;
	return fetch_end(job, SIM_WRONG_NAME,
	    "the server's certificate is not for \"%.100s\" (by %s)", host,
	    check == NAME_CHECK_SAN ? "SAN" : "SAN or CN");
}

static int
check_name(struct job *job, struct stream *stream, const char *host,
    const struct addr *address)
{
	const struct tls_peer *peer = tls_conn_peer(stream->tls);
	struct error err;
	X509 *cert;
	int rc;

	cert = cert_parse(peer->der, peer->der_len, &err);
	if (cert == NULL)
		return fetch_end(job, SIM_UNTRUSTED, "%.200s", err.text);
	rc = check_certificate_name(job, cert, host, address);
	cert_free(cert);
	return rc;
}

void
fetch_note_tls(struct job *job, const struct stream *stream)
{
	struct sim_result *result = job->result;

	if (stream->tls == NULL)
		return;
	result->alert_sent = tls_conn_alert_sent(stream->tls);
	result->alert_received = tls_conn_alert_received(stream->tls);
	result->tls_version = tls_conn_version(stream->tls);
	(void)snprintf(result->cipher, sizeof(result->cipher), "%s",
	    tls_conn_cipher(stream->tls));
}

int
fetch_shake_hands(struct job *job, struct stream *stream, const char *host,
    const struct addr *address)
{
	uint64_t start = clock_monotonic_us();
	struct error err = { 0 };
	int rc;

	rc = stream_start_tls(stream, job->device->tls, host,
	    job->network->timeout_ms, &err);
	job->result->handshake_us = clock_monotonic_us() - start;
	fetch_note_tls(job, stream);
	if (rc == 0)
		return check_name(job, stream, host, address);
	if (stream->tls != NULL &&
	    tls_conn_peer(stream->tls)->verify_error != 0)
		return fetch_end(job, SIM_UNTRUSTED,
		    "the device refuses the server's certificate: %s",
		    tls_conn_peer(stream->tls)->verify_text);
	return fetch_end(job, SIM_HANDSHAKE, "%.200s", err.text);
}
