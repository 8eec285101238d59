#include "server/announce.h"
#include "base/clock.h"
#include "base/log.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "server/config.h"
#include "server/counters.h"
#include "server/firmware.h"
#include "server/service.h"
#include "server/sockets.h"
#include "server/tftp.h"
#include "server/worker.h"
#include "spa/registry.h"

static void
announce_listener(const struct service *service, const struct listening *socket)
{
	const struct service_listener *listener = service_listener(service,
	    socket->listener);
	const struct config_listener *from =
	    &service_config(service)->listeners[socket->listener];
	const struct ca *ca = listener->issuer.ca;
	char address[ADDR_TEXT_BYTES], until[CLOCK_TEXT_BYTES];
	struct log_line line;

	addr_format(&socket->address, address);
	log_begin(&line, LOG_LEVEL_INFO, "listening");
	log_text(&line, "listener", listener->name);
	log_text(&line, "address", address);
	if (listener->policy.plain) {
		log_text(&line, "tls", "none");
		log_end(&line);
		return;
	}
	clock_format(cert_not_after(chain_certificate(listener->chain, 0)),
	    until);
	log_text(&line, "ca", ca != NULL ? ca->id : "unknown");
	log_text(&line, "tls",
	    from->policy == TLS_LEGACY ? "legacy" : "modern");
	log_text(&line, "certificate-until", until);
	log_end(&line);
}

static void
announce_tftp(const struct addr *from)
{
	char address[ADDR_TEXT_BYTES];
	struct log_line line;

	addr_format(from, address);
	log_begin(&line, LOG_LEVEL_INFO, "listening");
	log_text(&line, "listener", "tftp");
	log_text(&line, "address", address);
	log_end(&line);
}

/* What serves, but not what was meant. */
static void
announce_warnings(const struct config *config)
{
	struct errors warnings = { 0 };

	firmware_warn(config, &warnings);
	for (size_t i = 0; i < warnings.kept; i++)
		log_message(LOG_LEVEL_WARN, "config-warning", "%s",
		    warnings.text[i]);
	errors_clear(&warnings);
}

void
announce(const struct service *service, const struct sockets *sockets,
    const struct tftp_sockets *tftp_sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		announce_listener(service, &sockets->list[i]);
	for (size_t i = 0; i < tftp_sockets->count; i++)
		announce_tftp(&tftp_sockets->list[i].address);
	announce_warnings(service_config(service));
}

void
announce_counters(struct worker *const *workers, size_t count)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "counters");
	for (int which = 0; which < COUNTERS; which++) {
		uint64_t total = 0;

		for (size_t i = 0; i < count; i++)
			total += counters_get(worker_counters(workers[i]),
			    (enum counter)which);
		log_number(&line, counters_name((enum counter)which),
		    (long long)total);
	}
	log_end(&line);
}
