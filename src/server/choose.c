#include "server/choose.h"
#include "base/addr.h"
#include "base/clock.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "provision/trusted_by.h"
#include "server/record.h"
#include "server/service.h"
#include "tls/conn.h"
#include "tls/context.h"
#include "tls/fingerprint.h"
#include "tls/hello.h"
#include "tls/hello_wait.h"

/* RFC 8446 6.2: what a client says of a certificate that it does not take. */
#define ALERT_BAD_CERTIFICATE 42
#define ALERT_UNKNOWN_CA 48

/* The one certificate whose names hold the one that was sent; -1: none, or
 * several. */
static int
by_name(const struct service_listener *listener, const char *sni)
{
	int found = -1;

	for (size_t i = 0; *sni != '\0' && i < listener->alternative_count;
	     i++) {
		X509 *leaf = chain_certificate(listener->alternatives[i].chain,
		    0);

		if (!cert_matches_host(leaf, sni, false))
			continue;
		if (found >= 0)
			return -1;
		found = (int)i;
	}
	return found;
}

bool
choose_session(const struct service_listener **listener,
    const struct addr *source, const uint8_t *data, size_t len,
    struct chosen *chosen)
{
	const struct service_listener *all = *listener;
	struct tls_hello hello;
	char host[ADDR_TEXT_BYTES];

	if (all->alternative_count == 0)
		return tls_context_knows_session(all->tls, data, len);
	for (size_t i = 0; i < all->alternative_count; i++) {
		if (!tls_context_knows_session(all->alternatives[i].tls, data,
			len))
			continue;
		*listener = &all->alternatives[i];
		(void)tls_hello_read(&hello, data, len);
		addr_format_host(source, host);
		*chosen = (struct chosen) { true, CHOICE_SESSION,
			choice_key(host), tls_fingerprint(&hello) };
		return true;
	}
	return false;
}

const struct service_listener *
choose_certificate(struct record *record,
    const struct service_listener *listener, const struct addr *source,
    const uint8_t *data, size_t len, struct chosen *chosen)
{
	struct tls_hello hello = { .seen = false };
	uint64_t cas[CHOICE_CAS_MAX];
	unsigned prior[CHOICE_CAS_MAX];
	struct choice_question question = {
		.cas = cas, .prior = prior, .count = listener->alternative_count
	};
	char host[ADDR_TEXT_BYTES];

	*chosen = (struct chosen) { .made = record != NULL &&
		    question.count > 1 };
	if (question.count < 2)
		return listener;
	(void)tls_hello_read(&hello, data, len);
	question.sni = by_name(listener, hello.sni);
	if (record == NULL) /* no history: what the name says, or the first */
		return &listener
			    ->alternatives[question.sni >= 0 ? question.sni :
							       0];
	for (size_t i = 0; i < question.count; i++) {
		const struct service_listener *one = &listener->alternatives[i];

		cas[i] = one->choice_key;
		prior[i] = trusted_by_hello(one->trusted_by, &hello);
	}
	addr_format_host(source, host);
	question.source = chosen->source = choice_key(host);
	question.class = chosen->class = tls_fingerprint(&hello);
	return &listener->alternatives[choice_make(record_choice(record),
	    &question, &chosen->basis)];
}

/* It was shown our certificate and did not take it, or left without a word. */
static bool
is_refusal(const struct tls_conn *tls)
{
	int received = tls_conn_alert_received(tls);

	if (received >= 0)
		return received >= ALERT_BAD_CERTIFICATE &&
		    received <= ALERT_UNKNOWN_CA;
	return tls_conn_alert_sent(tls) < 0 && tls_conn_hello(tls)->seen;
}

void
choose_learn(struct record *record, const struct service_listener *listener,
    const struct chosen *chosen, const struct tls_conn *tls, bool completed)
{
	if (!chosen->made || (!completed && !is_refusal(tls)))
		return;
	record_learn(record, listener->choice_key, chosen->source,
	    chosen->class, completed, clock_wall());
}
