#include "sim/report.h"
#include "base/buf.h"
#include "base/gzip.h"
#include "base/mem.h"
#include "http/url.h"
#include "sim/internal.h"
#include "spa/flat_profile.h"
#include "spa/profile.h"
#include "spa/registry.h"
#include "spa/rule.h"
#include "spa/salted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

struct sim_parameters {
	struct flat_profile *all;     /* as they are */
	struct flat_profile *changed; /* by users, since the last resync */
};

struct sim_parameters *
sim_parameters_new(void)
{
	struct sim_parameters *parameters = xcalloc(1, sizeof(*parameters));

	parameters->all = flat_profile_new();
	parameters->changed = flat_profile_new();
	return parameters;
}

void
sim_parameters_free(struct sim_parameters *parameters)
{
	if (parameters == NULL)
		return;
	flat_profile_free(parameters->all);
	flat_profile_free(parameters->changed);
	free(parameters);
}

int
sim_parameters_apply(struct sim_parameters *parameters, const char *profile,
    size_t len, struct error *err)
{
	struct flat_profile *given = flat_profile_read(profile, len, err);
	int rc = given != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < flat_profile_count(given); i++) {
		const struct flat_parameter *p = flat_profile_at(given, i);

		/* <X/> leaves the value as it is. */
		if (p->counts && p->has_value)
			rc = flat_profile_add(parameters->all, p, err);
	}
	flat_profile_free(given);
	flat_profile_settle(parameters->all);
	if (rc == 0) {
		flat_profile_free(parameters->changed);
		parameters->changed = flat_profile_new();
	}
	return rc;
}

int
sim_parameters_change(struct sim_parameters *parameters, const char *name,
    const char *value, struct error *err)
{
	const struct flat_parameter p = {
		.name = name, .path = "", .value = value, .has_value = true
	};

	if (flat_profile_add(parameters->all, &p, err) != 0 ||
	    flat_profile_add(parameters->changed, &p, err) != 0)
		return -1;
	flat_profile_settle(parameters->all);
	flat_profile_settle(parameters->changed);
	return 0;
}

const char *
sim_parameters_value(const struct sim_parameters *parameters, const char *name)
{
	return flat_profile_value(parameters->all, name);
}

static bool
is_told(const struct flat_parameter *p)
{
	return p->counts &&
	    !(strlen(p->name) == strlen("GPP_SA") &&
		strncmp(p->name, "GPP_S", 5) == 0 && p->name[5] >= 'A' &&
		p->name[5] <= 'D');
}

static int
write_told(const struct flat_profile *all, struct buf *out, struct error *err)
{
	struct flat_profile *told = flat_profile_new();
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < flat_profile_count(all); i++)
		if (is_told(flat_profile_at(all, i)))
			rc = flat_profile_add(told, flat_profile_at(all, i),
			    err);
	flat_profile_settle(told);
	if (rc == 0)
		rc = flat_profile_write(told, out, err);
	flat_profile_free(told);
	return rc;
}

/* ASSUMED: no document shows what a report with --status looks like. */
static int
write_status(const struct sim_device *device, struct buf *out,
    struct error *err)
{
	if (buf_printf(out,
		"<status><Product_Name>%s</Product_Name>"
		"<MAC_Address>%s</MAC_Address></status>\n",
		device->model->product, device->mau) == 0)
		return 0;
	return error_set(err, ERROR_INPUT, "the report is too long");
}

/* Pack text in place, as the rule and the options say. */
static int
pack(struct buf *text, const char *key, bool gzip, struct error *err)
{
	uint8_t salt[SALTED_SALT_BYTES];
	struct buf packed;
	int rc = 0;

	buf_init(&packed, text->limit);
	if (gzip) {
		rc = gzip_compress(buf_text(text), text->len, &packed, err);
		buf_clear(text);
		*text = packed;
		buf_init(&packed, text->limit);
	}
	if (rc == 0 && key != NULL) {
		rc = RAND_bytes(salt, sizeof(salt)) == 1 ?
		    salted_encrypt(key, salt, buf_text(text), text->len,
			&packed, err) :
		    error_set(err, ERROR_SYSTEM, "no random bytes");
		buf_clear(text);
		*text = packed;
	}
	return rc;
}

static int
make_body(const struct sim_device *device,
    const struct sim_parameters *parameters, const struct rule_result *rule,
    bool gzip, struct buf *body, struct error *err)
{
	int rc;

	if (rule->status)
		rc = write_status(device, body, err);
	else
		rc = write_told(rule->delta ? parameters->changed :
					      parameters->all,
		    body, err);
	return rc == 0 ? pack(body, rule->key, gzip, err) : -1;
}

static void
fail(struct sim_result *result, const struct error *err)
{
	result->outcome = SIM_BAD_RULE;
	(void)snprintf(result->reason, sizeof(result->reason), "%.250s",
	    err->text);
}

/* One report, by a rule with one address. */
static void
report_once(const struct sim_device *device,
    const struct sim_parameters *parameters, const char *text,
    const struct sim_report_options *options, const struct sim_network *network,
    struct sim_result *result)
{
	const struct macros macros = { device->macro, device->macro_count };
	struct sim_upload upload = { .method = options->put ? "PUT" : "POST" };
	struct rule_result evaluated = { 0 };
	struct error err = { 0 };
	struct rule *rule = rule_parse(text, &err);
	struct buf body;

	buf_init(&body, 2 * PROFILE_BYTES_MAX);
	if (rule == NULL ||
	    rule_evaluate(rule, &macros, &evaluated, &err) != 0 ||
	    make_body(device, parameters, &evaluated, options->gzip, &body,
		&err) != 0) {
		fail(result, &err);
	} else {
		upload.data = buf_text(&body);
		upload.len = body.len;
		if (options->gzip && evaluated.key == NULL)
			upload.coding = "gzip";
		sim_send(device, &evaluated, &upload, network, result);
	}
	buf_clear(&body);
	rule_result_clear(&evaluated);
	rule_free(rule);
}

/* Where the second report of a rule begins: "[--delta]url [--status]url". */
static size_t
first_part(const char *text)
{
	const char *url = strstr(text, "://");
	const char *next = url != NULL ? strstr(url, " [") : NULL;

	return next != NULL && strchr(text, '|') == NULL ?
	    (size_t)(next - text) :
	    strlen(text);
}

void
sim_report(const struct sim_device *device,
    const struct sim_parameters *parameters,
    const struct sim_report_options *options, const struct sim_network *network,
    struct sim_result *result)
{
	const char *text = options->rule != NULL ?
	    options->rule :
	    flat_profile_value(parameters->all, "Report_Rule");

	*result = (struct sim_result) {
		.outcome = SIM_NO_RULE, .alert_sent = -1, .alert_received = -1
	};
	(void)snprintf(result->reason, sizeof(result->reason),
	    "the device has no Report_Rule");
	while (text != NULL && *text != '\0') {
		size_t len = first_part(text);
		char *part = xstrndup(text, len);

		sim_result_clear(result);
		*result = (struct sim_result) { .alert_sent = -1,
			.alert_received = -1 };
		report_once(device, parameters, part, options, network, result);
		free(part);
		text += len;
		text += strspn(text, " ");
		if (result->outcome != SIM_PROVISIONED)
			return;
	}
}
