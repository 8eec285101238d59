#include "server/service_listener.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "provision/trusted_by.h"
#include "server/choice.h"
#include "server/metrics.h"
#include "server/config.h"
#include "server/service.h"
#include "spa/registry.h"
#include "tls/conn.h"
#include "tls/context.h"

#include <stdlib.h>
#include <sys/stat.h>

static void
complain(struct errors *errors, const struct config *config,
    struct config_place place, const struct error *err)
{
	errors_add(errors, "%s:%u:%u: %s", config->path, place.line,
	    place.column, err->text);
}

static void
load_anchors(struct service_listener *listener, const struct config *config,
    const struct config_listener *from, struct errors *errors)
{
	struct error err;
	struct stat st;

	listener->anchors = anchors_new();
	for (size_t i = 0; i < from->anchor_path_count; i++) {
		const char *path = from->anchor_paths[i];
		bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		int rc = folder ?
		    anchors_add_directory(listener->anchors, path, &err) :
		    anchors_add_file(listener->anchors, path, &err);

		if (rc != 0)
			complain(errors, config, from->anchor_places[i], &err);
	}
	for (size_t i = 0; i < from->expired_anchor_count; i++)
		if (anchors_allow_expired(listener->anchors,
			from->expired_anchors[i], &err) != 0)
			complain(errors, config, from->expired_anchor_places[i],
			    &err);
}

/* Without TLS there is nothing to load: it has no certificate, and no anchors. */
static bool
load_plain(struct service_listener *listener,
    const struct config_listener *from)
{
	listener->name = from->name;
	listener->policy.plain = from->plain;
	listener->metrics_key = metrics_key(listener->name, 0);
	return from->plain;
}

/* The leaf of this one, and whose it is. */
static void
identify(struct service_listener *listener)
{
	X509 *leaf = chain_certificate(listener->chain, 0);
	char *issuer;

	listener->issuer = identify_issuer(leaf,
	    chain_length(listener->chain) > 1 ?
		chain_certificate(listener->chain, 1) :
		NULL);
	if (listener->issuer.ca != NULL) {
		listener->choice_key = choice_key(listener->issuer.ca->id);
	} else {
		issuer = cert_issuer_text(leaf);
		listener->choice_key = choice_key(issuer);
		free(issuer);
	}
	listener->metrics_key = metrics_key(listener->name,
	    listener->choice_key);
}

static void
load_chain(struct service_listener *listener, const struct config *config,
    const struct config_certificate *from, struct errors *errors)
{
	struct error err;

	listener->chain = chain_load(from->path, from->key_path, &err);
	if (listener->chain == NULL)
		complain(errors, config, from->place, &err);
}

static void
make_context(struct service_listener *listener, const struct config *config,
    const struct config_listener *from, struct config_place place,
    struct errors *errors)
{
	const struct tls_server_options options = {
		.policy = from->policy,
		.all_algorithms = config->performance.all_algorithms,
		.together = config->performance.together,
		.verifications = config->performance.verifications,
		.sessions = config->performance.sessions,
		.chain = listener->chain,
		.anchors = listener->anchors,
	};
	struct error err;

	identify(listener);
	listener->tls = tls_context_new_server(&options, &err);
	if (listener->tls == NULL)
		complain(errors, config, place, &err);
	else if (options.together && !tls_context_has_far_key(listener->tls))
		log_message(LOG_LEVEL_WARN, "private-operations",
		    "%s: \"together\" needs a key of RSA-2048 with the public "
		    "exponent 65537, and AVX-512 IFMA; operations of this "
		    "listener are single",
		    listener->name);
}

/* ---------------------------------------------- several certificates */

static void
count_kinds(struct service_listener *listener)
{
	const X509 *leaf = chain_certificate(listener->chain, 0);
	const char *digest = cert_signature_digest(leaf);
	const struct ca *ca = listener->issuer.ca;
	time_t now = clock_wall();
	const struct trusted_by_certificate certificate = {
		.ca = ca,
		.sha2 = text_starts(digest, "sha2") ||
		    text_starts(digest, "sha3") || text_starts(digest, "sha5"),
		.current = cert_not_after(leaf) > now &&
		    (ca == NULL || ca->not_after == 0 || ca->not_after > now),
	};

	listener->trusted_by = xcalloc(registry_stack_count,
	    sizeof(*listener->trusted_by));
	trusted_by_stacks(&certificate, listener->trusted_by);
}

/* Two of one CA: which one was meant would never be known. */
static void
check_different(const struct service_listener *list, size_t count,
    const struct config *config, const struct config_listener *from,
    struct errors *errors)
{
	struct error err;

	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i; j++) {
			if (list[i].choice_key != list[j].choice_key)
				continue;
			(void)error_set(&err, ERROR_INPUT,
			    "a second certificate of the same CA: expected one "
			    "certificate for each CA");
			complain(errors, config, from->others[i - 1].place,
			    &err);
		}
}

static void
load_others(struct service_listener *listener, const struct config *config,
    const struct config_listener *from, struct errors *errors)
{
	size_t count = from->other_count + 1, before = errors->count;
	struct service_listener *list = xcalloc(count, sizeof(*list));

	list[0] = *listener;
	listener->alternatives = list;
	listener->alternative_count = count;
	for (size_t i = 1; i < count; i++) {
		list[i].name = listener->name;
		list[i].policy = listener->policy;
		list[i].anchors = listener->anchors;
		load_chain(&list[i], config, &from->others[i - 1], errors);
		if (list[i].chain != NULL)
			make_context(&list[i], config, from,
			    from->others[i - 1].place, errors);
	}
	if (errors->count > before)
		return;
	for (size_t i = 0; i < count; i++)
		count_kinds(&list[i]);
	check_different(list, count, config, from, errors);
}

void
service_listener_load(struct service_listener *listener,
    const struct config *config, const struct config_listener *from,
    struct errors *errors)
{
	const struct config_certificate first = { from->certificate_path,
		from->key_path, from->certificate_place };
	size_t before = errors->count;

	if (load_plain(listener, from))
		return;
	listener->policy.certificate_required = from->certificate_required;
	listener->policy.allow_expired_devices = from->allow_expired_devices;
	load_chain(listener, config, &first, errors);
	load_anchors(listener, config, from, errors);
	if (errors->count == before)
		make_context(listener, config, from, first.place, errors);
	if (errors->count == before && from->other_count > 0)
		load_others(listener, config, from, errors);
}

void
service_listener_clear(struct service_listener *listener)
{
	for (size_t i = 0; i < listener->alternative_count; i++) {
		free(listener->alternatives[i].trusted_by);
		if (i == 0)
			continue; /* the rest of it is this one's */
		tls_context_free(listener->alternatives[i].tls);
		chain_free(listener->alternatives[i].chain);
	}
	free(listener->alternatives);
	tls_context_free(listener->tls);
	anchors_free(listener->anchors);
	chain_free(listener->chain);
}
