/*
 * service.h -- everything that answering needs, built from one configuration.
 *
 * Immutable once built and counted by references: a reload builds a new one
 * beside the old, and connections keep the one under which they began.
 */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "provision/decision.h"
#include "spa/identify.h"

struct anchors;
struct chain;
struct config;
struct files;
struct routes;
struct seal_key;
struct templates;
struct tls_context;

struct service_listener {
	const char *name; /* borrowed from the configuration */
	struct tls_context *tls;
	struct decision_policy policy;
	struct chain *chain;
	struct anchors *anchors;
	struct identified issuer; /* whose certificate this listener shows */
	/*
	 * Where it has several certificates: one listener for each, this one
	 * first, which differ in chain, tls and issuer only.  0: it has one.
	 */
	struct service_listener *alternatives;
	size_t alternative_count;
	uint64_t choice_key;  /* of its CA, for server/choice.h */
	uint64_t metrics_key; /* of both: server/metrics.h */
	unsigned *trusted_by; /* by TLS stack: provision/trusted_by.h */
};

struct service;

void service_release(struct service *service); /* NULL is fine */
struct service *service_retain(struct service *service);

/*
 * Load keys, certificates, anchors and templates.  config is taken, also on
 * failure.  Every problem goes to errors with the place in the configuration
 * file that led to it; the result is then NULL.  One reference is the caller's.
 * Without FREED_BY: the compiler would take the first release for the last one.
 */
struct service *
service_new(struct config *config, struct errors *errors) MUST_CHECK;

/* What seals secrets at rest; NULL when nothing names a key. */
struct seal_key *service_secrets_key(const struct service *service);

/* Borrowed while the service is held. */
/* No two services of a process have the same. */
uint64_t service_serial(const struct service *service);
const struct config *service_config(const struct service *service);
size_t service_listener_count(const struct service *service);
const struct service_listener *
service_listener(const struct service *service, size_t index);
const struct routes *service_routes(const struct service *service);
const struct files *service_files(const struct service *service);
const struct templates *service_templates(const struct service *service);

#endif
