#include "cmd/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spa/identify.h"

/* The client anchors of a listener's devices that have expired. */
static int
write_expired_anchors(const struct plan *plan,
    const struct plan_options *options, size_t index, struct buf *out)
{
	const struct plan_listener *listener = &plan->listeners[index];
	bool lab = listener->certificate != NULL &&
	    listener->certificate->is_lab;
	bool *written = xcalloc(registry_ca_count, sizeof(*written));
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];
		const struct ca *anchor =
		    registry_find_ca(one->group->model->client_anchor);

		if (one->listener != index || anchor == NULL ||
		    anchor->not_after == 0 ||
		    anchor->not_after >= options->at ||
		    written[anchor - registry_cas])
			continue;
		written[anchor - registry_cas] = true;
		rc = buf_printf(out, "    allow-expired-anchor \"%s%s\"\n",
		    lab ? IDENTIFY_LAB_PREFIX : "", anchor->common_name);
	}
	free(written);
	return rc;
}

/* A word of the configuration, in quotes where it needs them. */
static int
write_word(const char *word, struct buf *out)
{
	int rc;

	if (strpbrk(word, " \t\"'\\#{}") == NULL)
		return buf_append_text(out, word);
	rc = buf_append_text(out, "\"");
	for (; rc == 0 && *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			rc = buf_append_text(out, "\\");
		if (rc == 0)
			rc = buf_append(out, word, 1);
	}
	return rc == 0 ? buf_append_text(out, "\"") : rc;
}

static int
write_certificate(const struct plan_listener *listener, struct buf *out)
{
	const struct plan_certificate *ours = listener->certificate;
	int rc;

	if (ours == NULL || ours->path == NULL)
		return buf_printf(out, "    certificate %s.crt key %s.key\n",
		    listener->name, listener->name);
	rc = buf_append_text(out, "    certificate ");
	if (rc == 0)
		rc = write_word(ours->path, out);
	if (rc == 0)
		rc = buf_append_text(out, " key ");
	if (rc == 0)
		rc = write_word(ours->key_path, out);
	return rc == 0 ? buf_append_text(out, "\n") : rc;
}

static int
write_listener(const struct plan *plan, const struct plan_options *options,
    size_t index, struct buf *out)
{
	const struct plan_listener *listener = &plan->listeners[index];
	char *supply = plan_supply_text(listener);
	int rc;

	rc = buf_printf(out,
	    "# %s, for %s:\n# %s\n"
	    "listener %s {\n"
	    "    address %s:%u\n",
	    listener->ca->name, listener->host, supply, listener->name,
	    listener->address, listener->port);
	free(supply);
	if (rc == 0)
		rc = write_certificate(listener, out);
	if (rc == 0)
		rc = buf_printf(out,
		    "    tls %s\n"
		    "    client-anchors client-anchors.pem\n",
		    listener->legacy ? "legacy" : "modern");
	if (rc == 0)
		rc = write_expired_anchors(plan, options, index, out);
	return rc == 0 ? buf_append_text(out, "}\n") : rc;
}

int
plan_write_config(const struct plan *plan, const struct plan_options *options,
    size_t machine, struct buf *out)
{
	bool first = true;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan->listener_count; i++) {
		const struct plan_listener *listener = &plan->listeners[i];

		if (machine != SIZE_MAX && listener->machine != machine)
			continue;
		if (!first)
			rc = buf_append_text(out, "\n");
		first = false;
		if (rc == 0 && machine == SIZE_MAX &&
		    options->layout == PLAN_HOSTS)
			rc = buf_printf(out, "# on machine %zu\n",
			    listener->machine + 1);
		if (rc == 0)
			rc = write_listener(plan, options, i, out);
	}
	return rc;
}

int
plan_write_rules(const struct plan *plan, struct buf *out)
{
	int rc = buf_append_text(out,
	    "model\tfirmware\tdevices\tlistener\trule\n");

	for (size_t i = 0; rc == 0 && i < plan->assignment_count; i++) {
		const struct plan_assignment *one = &plan->assignments[i];
		const struct plan_listener *listener = one->listener ==
			PLAN_LEFT_OUT ?
		    NULL :
		    &plan->listeners[one->listener];

		rc = buf_printf(out, "%s\t%s\t%llu\t%s\t%s\n",
		    one->group->model->name,
		    one->group->has_firmware ? one->group->firmware.text : "",
		    (unsigned long long)one->group->count,
		    listener != NULL ? listener->name : "",
		    listener != NULL ? listener->rule : "");
	}
	if (rc == 0 && plan->universal_rule != NULL)
		rc = buf_printf(out, "*\t*\t%llu\t*\t%s\n",
		    (unsigned long long)plan->covered, plan->universal_rule);
	return rc;
}
