/*
 * report.h -- what a simulated device has, and how it tells.
 *
 * A resync applies the parameters of a profile over those it has; a user
 * changes some.  A report, by the rule that is in Report_Rule, has all of them,
 * with --delta those that the user changed since the last resync, with
 * --status a few words.  Two reports may stand in one rule, with a blank
 * between them.  GPP_SA to GPP_SD are never told.
 * Sources: [SPA-PROV] p. 55, [MPP-REPORT].
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sim/device.h"

struct sim_parameters;

void sim_parameters_free(struct sim_parameters *parameters);
struct sim_parameters *
sim_parameters_new(void) MUST_CHECK FREED_BY(sim_parameters_free);

/* A clear profile arrived: what users changed in its parameters is gone. */
int sim_parameters_apply(struct sim_parameters *parameters, const char *profile,
    size_t len, struct error *err) MUST_CHECK;

/* Somebody changes one at the device. */
int sim_parameters_change(struct sim_parameters *parameters, const char *name,
    const char *value, struct error *err) MUST_CHECK;

/* What it holds now; NULL: no profile has set it, nor has anybody else. */
const char *
sim_parameters_value(const struct sim_parameters *parameters, const char *name);

struct sim_report_options {
	const char *rule; /* NULL: the parameter Report_Rule */
	bool put;	  /* HTTP_Report_Method is PUT */
	bool gzip;	  /* not what devices are known to do */
};

/*
 * Report to each address of the rule, up to the first that fails.  *result is
 * of the last one: SIM_PROVISIONED when the server took it.
 */
void sim_report(const struct sim_device *device,
    const struct sim_parameters *parameters,
    const struct sim_report_options *options, const struct sim_network *network,
    struct sim_result *result);

#endif
