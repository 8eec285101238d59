#include "sim/device.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "sim/agent.h"
#include "sim/internal.h"
#include "spa/registry.h"
#include "tls/context.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define USER_AGENT_MAX 512

static void
set_macro(struct sim_device *device, const char *name, const char *value,
    bool secret)
{
	assert(device->macro_count < SIM_MACROS_MAX);
	device->macro[device->macro_count++] = (struct macro) { name, value,
		secret };
}

/*
 * The macros as they stand after power-up, with nothing configured.  Sources:
 * [LINKSYS-PROV] p. 70-71, [SPA-PROV] p. 92.
 */
static void
set_macros(struct sim_device *device, bool has_certificate)
{
	static const char *const empty[] = { "A", "B", "C", "D", "E", "F", "G",
		"H", "I", "J", "K", "L", "M", "N", "O", "P", "UPGERR",
		"EXTIP" };
	static const char *const secrets[] = { "SA", "SB", "SC", "SD" };

	set_macro(device, "MA", device->ma, false);
	set_macro(device, "MAU", device->mau, false);
	set_macro(device, "MAC", device->mac, false);
	set_macro(device, "PN", device->model->product, false);
	set_macro(device, "PSN", device->model->series, false);
	set_macro(device, "SN", device->serial, false);
	/* A version that is not known stays "$SWVER" and compares to nothing. */
	if (device->version != NULL)
		set_macro(device, "SWVER", device->version, false);
	set_macro(device, "CCERT",
	    has_certificate ? "Installed" : "Not Installed", false);
	set_macro(device, "PRVST", "0", false); /* power-up */
	set_macro(device, "PRVTMR", "0", false);
	set_macro(device, "UPGTMR", "0", false);
	set_macro(device, "UPGCOND", "1", false);
	set_macro(device, "ISCUST", "0", false);
	for (size_t i = 0; i < sizeof(empty) / sizeof(*empty); i++)
		set_macro(device, empty[i], "", false);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		set_macro(device, secrets[i], "", true);
}

static int
set_user_agent(struct sim_device *device, const char *pattern,
    struct error *err)
{
	const struct agent agent = { device->version, device->mau, device->ma,
		device->serial };
	struct buf text;
	int rc;

	buf_init(&text, USER_AGENT_MAX);
	rc = agent_write(&agent, pattern, &text);
	if (rc == 0)
		device->user_agent = buf_take(&text);
	else
		(void)error_set(err, ERROR_INPUT,
		    "the User-Agent of a %s is longer than %d bytes",
		    device->model->name, USER_AGENT_MAX);
	buf_clear(&text);
	return rc;
}

static int
set_tls(struct sim_device *device, const struct sim_device_options *options,
    struct error *err)
{
	const struct stack *stack = device->stack;
	const struct tls_client_options tls = {
		.min_version = stack->min_version,
		.max_version = stack->max_version,
		.ciphers = stack->ciphers,
		.extensions = stack->extensions,
		.send_sni = stack->sni,
		.anchors = options->trusted,
		.check_time = stack->check_time,
		.check_sha256 = stack->check_sha256,
		.chain = options->identity,
	};

	device->tls = tls_context_new_client(&tls, err);
	return device->tls != NULL ?
	    0 :
	    error_prefix(err, "TLS stack %s: ", stack->id);
}

struct sim_device *
sim_device_new(const struct sim_device_options *options, struct error *err)
{
	const struct stack *stack = options->stack != NULL ?
	    options->stack :
	    registry_find_stack(options->model, options->firmware);
	struct sim_device *device;

	if (stack == NULL) {
		(void)error_set(err, ERROR_NOT_FOUND,
		    "how a %s speaks TLS is not known", options->model->name);
		return NULL;
	}
	device = xcalloc(1, sizeof(*device));
	device->model = options->model;
	device->stack = stack;
	mac_format(&options->mac, device->ma);
	mac_format_upper(&options->mac, device->mau);
	mac_format_colon(&options->mac, device->mac);
	device->serial = xstrdup(options->serial);
	if (options->ikm != NULL)
		device->ikm = xstrdup(options->ikm);
	if (options->firmware != NULL)
		device->version = xstrdup(options->firmware->text);
	set_macros(device, options->identity != NULL);
	if (set_user_agent(device,
		options->user_agent != NULL ? options->user_agent :
					      options->model->user_agent,
		err) != 0 ||
	    set_tls(device, options, err) != 0) {
		sim_device_free(device);
		return NULL;
	}
	return device;
}

void
sim_device_free(struct sim_device *device)
{
	if (device == NULL)
		return;
	tls_context_free(device->tls);
	free(device->user_agent);
	free(device->serial);
	if (device->ikm != NULL)
		OPENSSL_cleanse(device->ikm, strlen(device->ikm));
	free(device->ikm);
	free(device->version);
	free(device);
}

const struct stack *
sim_device_stack(const struct sim_device *device)
{
	return device->stack;
}

const char *
sim_device_user_agent(const struct sim_device *device)
{
	return device->user_agent;
}

/* Names and classes: the table of [MPP-PROV] p. 46, taken for all families. */
static const struct {
	const char *name;
	char class;
} outcomes[] = {
	[SIM_PROVISIONED] = { "provisioned", 'A' },
	[SIM_NO_RULE] = { "no-rule", 'A' },
	[SIM_NOT_FOUND] = { "not-found", 'B' },
	[SIM_CORRUPT] = { "corrupt", 'B' },
	[SIM_REFUSED] = { "refused", 'C' },
	[SIM_BAD_RULE] = { "bad-rule", 'C' },
	[SIM_NO_ADDRESS] = { "no-address", 'C' },
	[SIM_NO_CONNECT] = { "no-connect", 'C' },
	[SIM_UNTRUSTED] = { "untrusted", 'C' },
	[SIM_WRONG_NAME] = { "wrong-name", 'C' },
	[SIM_HANDSHAKE] = { "handshake", 'C' },
	[SIM_BROKEN_ANSWER] = { "broken-answer", 'C' },
};

const char *
sim_outcome_name(enum sim_outcome outcome)
{
	return outcomes[outcome].name;
}

char
sim_outcome_class(enum sim_outcome outcome)
{
	return outcomes[outcome].class;
}

void
sim_result_clear(struct sim_result *result)
{
	free(result->body);
	*result = (struct sim_result) { .alert_sent = -1,
		.alert_received = -1 };
}
