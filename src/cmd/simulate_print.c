#include "cmd/simulate_print.h"
#include "base/file.h"
#include "tls/conn.h"

#include <stdio.h>
#include <string.h>

void
simulate_print_text(const char *label, const struct sim_result *result)
{
	(void)printf("%s: %s (class %c): %s", label,
	    sim_outcome_name(result->outcome),
	    sim_outcome_class(result->outcome), result->reason);
	if (result->alert_sent >= 0)
		(void)printf(" (alert %s)", tls_alert_name(result->alert_sent));
	if (result->tls_version != 0)
		(void)printf(" [%s %s, %.1f ms]",
		    tls_version_name(result->tls_version), result->cipher,
		    (double)result->total_us / 1000);
	(void)printf("\n");
}

void
simulate_print_json(const char *label, const struct sim_result *result,
    json_t *upgrades)
{
	const char class[] = { sim_outcome_class(result->outcome), '\0' };
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s*, s:s*, "
				   "s:s*, s:s, s:i, s:I, "
				   "s:I}",
	    "device", label, "outcome", sim_outcome_name(result->outcome),
	    "class", class, "reason", result->reason, "url", result->url,
	    "status", result->status, "alert_sent",
	    result->alert_sent >= 0 ? tls_alert_name(result->alert_sent) : NULL,
	    "alert_received",
	    result->alert_received >= 0 ?
		tls_alert_name(result->alert_received) :
		NULL,
	    "tls",
	    result->tls_version != 0 ? tls_version_name(result->tls_version) :
				       NULL,
	    "cipher", result->cipher, "redirects", (int)result->redirects,
	    "bytes", (json_int_t)result->body_len, "us",
	    (json_int_t)result->total_us);

	if (upgrades != NULL)
		(void)json_object_set_new(object, "upgrades", upgrades);
	(void)json_dumpf(object, stdout, JSON_INDENT(1));
	(void)printf("\n");
	json_decref(object);
}

int
simulate_write_output(const char *path, const struct sim_result *result,
    struct error *err)
{
	if (result->body == NULL)
		return 0;
	if (strcmp(path, "-") != 0)
		return file_replace(path, 0600, result->body, result->body_len,
		    err);
	if (fwrite(result->body, 1, result->body_len, stdout) !=
	    result->body_len)
		return error_errno(err, "cannot write the profile");
	return 0;
}
