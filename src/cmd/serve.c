#include "admin/admin.h"
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/selftest.h"
#include "notice/notice.h"
#include "notice/send.h"
#include "pki/anchors.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "server/config.h"
#include "server/firmware.h"
#include "server/guest.h"
#include "server/guests.h"
#include "server/server.h"
#include "server/service.h"
#include "spa/registry.h"
#include "tls/memory.h"

#include <stdio.h>

static void
print_listener(const struct service_listener *listener,
    const struct config_listener *config)
{
	const struct ca *ca = listener->issuer.ca;
	char until[CLOCK_TEXT_BYTES], address[ADDR_TEXT_BYTES];

	if (listener->policy.plain) {
		(void)printf("listener %s:", listener->name);
		for (size_t i = 0; i < config->address_count; i++) {
			addr_format(&config->addresses[i], address);
			(void)printf(" %s", address);
		}
		(void)printf("\n  plain HTTP: encrypted profiles and public "
			     "files\n");
		return;
	}
	clock_format(cert_not_after(chain_certificate(listener->chain, 0)),
	    until);
	(void)printf("listener %s:", listener->name);
	for (size_t i = 0; i < config->address_count; i++) {
		addr_format(&config->addresses[i], address);
		(void)printf(" %s", address);
	}
	(void)printf("\n  certificate of %s%s (%s), until %.10s\n",
	    listener->issuer.lab ? IDENTIFY_LAB_PREFIX : "",
	    ca != NULL ? ca->name : "a CA that no device is known to trust",
	    identify_basis_name(listener->issuer.basis), until);
	(void)printf("  tls %s, client certificate %s, %zu client anchors\n",
	    config->policy == TLS_LEGACY ? "legacy" : "modern",
	    config->certificate_required ? "required" : "optional",
	    anchors_count(listener->anchors));
}

static void
print_warnings(const struct config *config)
{
	struct errors warnings = { 0 };

	firmware_warn(config, &warnings);
	for (size_t i = 0; i < warnings.kept; i++)
		cmd_error("warning: %s", warnings.text[i]);
	errors_clear(&warnings);
}

static int
check(const char *path)
{
	struct errors errors = { 0 };
	struct config *config = config_load(path, &errors);
	struct service *service = config != NULL ?
	    service_new(config, &errors) :
	    NULL;
	int rc = CMD_DONE;

	if (service != NULL)
		send_check(service_config(service), &errors);
	if (errors.count > 0) {
		service_release(service);
		rc = cmd_fail_all(&errors);
		errors_clear(&errors);
		return rc;
	}
	for (size_t i = 0; i < service_listener_count(service); i++)
		print_listener(service_listener(service, i),
		    &service_config(service)->listeners[i]);
	print_warnings(service_config(service));
	(void)printf("%s: good\n", path);
	service_release(service);
	return rc;
}

int
cmd_serve(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	struct server_options how = { .self_test = selftest_look };
	bool only_check = false;
	const struct cmd_option options[] = {
		{ .name = "config",
		    .letter = 'c',
		    .value = "FILE",
		    .help = "the configuration (" CONFIG_DEFAULT_PATH ")",
		    .text = &path },
		{ .name = "check",
		    .flag = &only_check,
		    .help = "read and check everything, serve nothing" },
		{ .name = "self-test",
		    .flag = &how.rehearsal,
		    .help =
			"visit all listeners as devices do, serve nothing" },
	};
	const struct cmd_syntax syntax = {
		.name = "sprov serve",
		.operands = "",
		.help =
		    "Serve profiles over mutual TLS until SIGTERM; SIGHUP "
		    "reads the configuration\nagain.  See sprov-serve(1) and "
		    "sprov.conf(5).\n",
		.options = options,
		.option_count = sizeof(options) / sizeof(*options),
	};
	struct errors errors = { 0 };
	struct noticer *noticer = NULL;
	struct admin *admin = NULL;
	struct guests guests;
	int first, rc;

	rc = cmd_options(&syntax, argc, argv, &first);
	if (rc >= 0)
		return rc;
	if (only_check)
		return check(path);
	/* Before what follows has any memory of OpenSSL's. */
	tls_memory_use_pool();
	if (!how.rehearsal) {
		admin = admin_new(path);
		noticer = noticer_new(path);
		guests_init(&guests,
		    (const struct guest *const[]) {
			noticer_guest(noticer), admin_guest(admin) },
		    2);
		how.guest = &guests.guest;
	}
	rc = server_run(path, &how, &errors) == 0 ? CMD_DONE :
						    cmd_fail_all(&errors);
	if (rc == CMD_DONE && how.rehearsal)
		(void)printf("%s: every listener shows what is configured\n",
		    path);
	admin_free(admin);
	noticer_free(noticer);
	errors_clear(&errors);
	return rc;
}
