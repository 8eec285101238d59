#include "sim/upgrade.h"
#include "base/text.h"
#include "provision/images.h"
#include "sim/internal.h"
#include "sim/report.h"
#include "spa/registry.h"
#include "spa/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

static void end(struct sim_upgrade *upgrade, enum sim_outcome outcome,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

static void
end(struct sim_upgrade *upgrade, enum sim_outcome outcome, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	upgrade->outcome = outcome;
	(void)vsnprintf(upgrade->reason, sizeof(upgrade->reason), fmt, ap);
	va_end(ap);
}

static bool
is_switched_off(const struct sim_parameters *parameters)
{
	const char *value = sim_parameters_value(parameters, "Upgrade_Enable");

	return value != NULL && strcasecmp(value, "No") == 0;
}

/* The image that has this hash and is for that model. */
static const struct image *
find_image(const struct images *images, const struct model *model,
    const uint8_t sha256[static DIGEST_BYTES])
{
	for (size_t i = 0; i < images->count; i++) {
		const struct image *image = &images->list[i];

		if (memcmp(image->sha256, sha256, DIGEST_BYTES) != 0)
			continue;
		for (size_t k = 0; k < image->model_count; k++)
			if (image->models[k] == model)
				return image;
	}
	return NULL;
}

/* Downgrade_Rev_Limit forbids older ones; one that is no version forbids
 * nothing (ASSUMED). */
static bool
is_below_limit(const struct sim_parameters *parameters,
    const struct firmware *version)
{
	const char *text = sim_parameters_value(parameters,
	    "Downgrade_Rev_Limit");
	struct firmware limit;
	struct error ignored;

	return text != NULL && firmware_parse(&limit, text, &ignored) == 0 &&
	    firmware_compare(version, &limit) < 0;
}

/* An image has arrived: is it one that the device takes? */
static void
judge_image(const struct sim_device *device,
    const struct sim_parameters *parameters, const struct images *images,
    const struct sim_result *result, struct sim_upgrade *upgrade)
{
	uint8_t sha256[DIGEST_BYTES];
	const struct image *image;

	upgrade->bytes = result->body_len;
	if (EVP_Digest(result->body, result->body_len, sha256, NULL,
		EVP_sha256(), NULL) != 1) {
		end(upgrade, SIM_CORRUPT, "the image could not be hashed");
		return;
	}
	text_hex(sha256, DIGEST_BYTES, upgrade->sha256);
	image = find_image(images, device->model, sha256);
	if (image == NULL) {
		end(upgrade, SIM_CORRUPT,
		    "what arrived is no image for %s that the manifest knows "
		    "(%zu bytes)",
		    device->model->name, upgrade->bytes);
	} else if (is_below_limit(parameters, &image->version)) {
		end(upgrade, SIM_CORRUPT,
		    "%s is below the Downgrade_Rev_Limit of the device",
		    image->version.text);
	} else {
		upgrade->to = image->version;
		end(upgrade, SIM_PROVISIONED, "installed %s (%zu bytes)",
		    image->version.text, upgrade->bytes);
	}
}

/* One attempt, which is remembered; NULL: that URL was tried before. */
static const struct sim_upgrade *
attempt(const struct sim_device *device,
    const struct sim_parameters *parameters, const struct images *images,
    const struct rule_result *rule, const struct sim_network *network,
    struct sim_upgrades *upgrades)
{
	struct sim_upgrade *upgrade = &upgrades->list[upgrades->count];
	struct sim_result result = { .alert_sent = -1, .alert_received = -1 };

	if (strlen(rule->url) >= sizeof(upgrade->url))
		return NULL; /* longer than any that a ladder writes */
	for (size_t i = 0; i < upgrades->count; i++)
		if (strcmp(upgrades->list[i].url, rule->url) == 0)
			return NULL;
	*upgrade = (struct sim_upgrade) { .bytes = 0 };
	(void)snprintf(upgrade->url, sizeof(upgrade->url), "%s", rule->url);
	(void)snprintf(upgrade->from, sizeof(upgrade->from), "%s",
	    device->version != NULL ? device->version : "");
	sim_fetch_image(device, rule, network, &result);
	upgrade->total_us = result.total_us;
	if (result.outcome == SIM_PROVISIONED)
		judge_image(device, parameters, images, &result, upgrade);
	else
		end(upgrade, result.outcome, "%.250s", result.reason);
	sim_result_clear(&result);
	upgrades->count++;
	return upgrade;
}

/* A rule that makes no sense is told once, as an attempt without URL. */
static const struct sim_upgrade *
bad_rule(struct sim_upgrades *upgrades, const struct error *err)
{
	struct sim_upgrade *upgrade = &upgrades->list[upgrades->count++];

	*upgrade = (struct sim_upgrade) { .bytes = 0 };
	end(upgrade, SIM_BAD_RULE, "Upgrade_Rule: %.230s", err->text);
	return upgrade;
}

const struct sim_upgrade *
sim_upgrade(const struct sim_device *device,
    const struct sim_parameters *parameters, const struct images *images,
    const struct sim_network *network, struct sim_upgrades *upgrades)
{
	const struct macros macros = { device->macro, device->macro_count };
	const char *text = sim_parameters_value(parameters, "Upgrade_Rule");
	const struct sim_upgrade *upgrade = NULL;
	struct rule_result result = { 0 };
	struct error err = { 0 };
	struct rule *rule;

	if (text == NULL || *text == '\0' || is_switched_off(parameters) ||
	    upgrades->count == SIM_UPGRADES_MAX)
		return NULL;
	rule = rule_parse(text, &err);
	if (rule == NULL || rule_evaluate(rule, &macros, &result, &err) != 0)
		upgrade = bad_rule(upgrades, &err);
	else if (result.matched && result.url != NULL && *result.url != '\0')
		upgrade = attempt(device, parameters, images, &result, network,
		    upgrades);
	rule_result_clear(&result);
	rule_free(rule);
	return upgrade;
}
