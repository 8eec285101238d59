#include "cmd/simulate_upgrade.h"
#include "base/mem.h"
#include "pki/seal.h"
#include "sim/report.h"

#include <stdio.h>
#include <stdlib.h>

/* A profile has come: its parameters, and the rule for the next time. */
static int
apply(struct sim_parameters *parameters, const struct sim_result *result,
    char **rule, struct error *err)
{
	const char *next;

	if (sim_parameters_apply(parameters, result->body, result->body_len,
		err) != 0)
		return -1;
	next = sim_parameters_value(parameters, "Profile_Rule");
	if (next != NULL && *next != '\0') {
		seal_wipe(*rule); /* it may hold a --key */
		*rule = xstrdup(next);
	}
	return 0;
}

int
simulate_life(const struct simulate_life *life, const struct sim_device *device,
    struct sim_upgrades *upgrades, struct sim_result *result, struct error *err)
{
	struct sim_parameters *parameters = sim_parameters_new();
	const struct sim_upgrade *upgrade;
	char *rule = xstrdup(life->rule);
	int rc = 0;

	for (;;) {
		sim_resync(device, rule, life->network, result);
		if (result->outcome != SIM_PROVISIONED ||
		    (rc = apply(parameters, result, &rule, err)) != 0)
			break;
		upgrade = sim_upgrade(device, parameters, life->images,
		    life->network, upgrades);
		/* ASSUMED of a failed one: the profile would be the same. */
		if (upgrade == NULL || upgrade->outcome != SIM_PROVISIONED)
			break;
		sim_result_clear(result);
		device = life->become(life->arg, &upgrade->to, err);
		if (device == NULL) {
			rc = -1;
			break;
		}
	}
	if (rc != 0)
		sim_result_clear(result);
	sim_parameters_free(parameters);
	seal_wipe(rule);
	return rc;
}

bool
simulate_upgrades_are_good(const struct sim_upgrades *upgrades)
{
	for (size_t i = 0; i < upgrades->count; i++)
		if (upgrades->list[i].outcome != SIM_PROVISIONED)
			return false;
	return true;
}

void
simulate_upgrades_print(const char *model, const struct sim_upgrades *upgrades)
{
	for (size_t i = 0; i < upgrades->count; i++) {
		const struct sim_upgrade *one = &upgrades->list[i];

		(void)printf("%s%s%s: %s %s%s%s\n", model,
		    *one->from != '\0' ? "@" : "", one->from,
		    one->outcome == SIM_PROVISIONED ? "upgrade:" :
						      "upgrade failed:",
		    one->reason, *one->url != '\0' ? " from " : "", one->url);
	}
}

json_t *
simulate_upgrades_json(const struct sim_upgrades *upgrades)
{
	json_t *array = json_array();

	for (size_t i = 0; i < upgrades->count; i++) {
		const struct sim_upgrade *one = &upgrades->list[i];
		bool good = one->outcome == SIM_PROVISIONED;

		(void)json_array_append_new(array,
		    json_pack("{s:s, s:s, s:s, s:s, s:s*, s:I, s:s*, s:I}",
			"from", one->from, "url", one->url, "outcome",
			sim_outcome_name(one->outcome), "reason", one->reason,
			"to", good ? one->to.text : NULL, "bytes",
			(json_int_t)one->bytes, "sha256",
			*one->sha256 != '\0' ? one->sha256 : NULL, "us",
			(json_int_t)one->total_us));
	}
	return array;
}
