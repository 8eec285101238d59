/*
 * What "sprov device resync" prints.
 */
#include "cmd/device_resync.h"
#include "cmd/print.h"

#include <stdio.h>
#include <unistd.h>

#include <jansson.h>

void
resync_progress(const struct resync_run *run, const char *what, size_t done,
    size_t of)
{
	if (isatty(STDERR_FILENO) != 1 || run->count < 2)
		return;
	(void)fprintf(stderr, "\r\033[K");
	if (done < of)
		(void)fprintf(stderr, "%zu of %zu devices %s", done, of, what);
	(void)fflush(stderr);
}

static const char *
follow_name(const struct resync_run *run, const struct resync_target *target)
{
	switch (target->follow) {
	case FOLLOW_PROFILE:
		return "got its profile";
	case FOLLOW_OTHER:
		return "came, but got no profile";
	case FOLLOW_WAITING:
		return "did not come";
	case FOLLOW_NOT:
		break;
	}
	return target->sent_ms == 0 ||
		target->result.outcome != AGENT_ACCEPTED ?
	    "-" :
	    run->wait_s == 0 ? "not waited for" :
			       "not followed";
}

static bool
is_good(const struct resync_run *run, const struct resync_target *target)
{
	if (target->sent_ms == 0 || target->result.outcome != AGENT_ACCEPTED)
		return false;
	return run->resyncs == NULL || run->wait_s == 0 ||
	    target->follow == FOLLOW_PROFILE;
}

static void
print_target(const struct resync_run *run, const struct resync_target *target)
{
	const struct agent_result *result = &target->result;
	char mac[MAC_TEXT_BYTES], address[ADDR_TEXT_BYTES] = "-";
	char answer[48];

	mac_format(&target->mac, mac);
	if (target->has_address)
		addr_format(&target->addr, address);
	if (target->sent_ms == 0)
		(void)snprintf(answer, sizeof(answer), "%s",
		    target->lacks != NULL ? target->lacks : "stopped");
	else if (result->outcome == AGENT_REFUSED)
		(void)snprintf(answer, sizeof(answer), "refused (%d)",
		    result->status);
	else
		(void)snprintf(answer, sizeof(answer), "%s%s",
		    agent_outcome_name(result->outcome),
		    result->outcome == AGENT_ACCEPTED && result->challenged ?
			" (login)" :
			"");
	(void)printf("%-12s %-20s %-22s %s", mac, address, answer,
	    follow_name(run, target));
	if (target->follow == FOLLOW_PROFILE)
		(void)printf(", %u s", target->after_s);
	if (target->follow == FOLLOW_OTHER)
		(void)printf(" (%d)", target->served_status);
	(void)printf("\n");
}

static json_t *
json_target(const struct resync_run *run, const struct resync_target *target)
{
	const struct agent_result *result = &target->result;
	char mac[MAC_TEXT_BYTES], address[ADDR_TEXT_BYTES] = "";
	bool sent = target->sent_ms != 0;
	json_t *json;

	mac_format(&target->mac, mac);
	if (target->has_address)
		addr_format(&target->addr, address);
	json = json_pack("{s:s, s:o, s:b, s:s, s:o, s:b, s:s, s:b}", "mac", mac,
	    "address", target->has_address ? json_string(address) : json_null(),
	    "sent", sent, "answer",
	    sent		      ? agent_outcome_name(result->outcome) :
		target->lacks != NULL ? target->lacks :
					"stopped",
	    "status",
	    result->status != 0 ? json_integer(result->status) : json_null(),
	    "challenged", result->challenged, "followed",
	    follow_name(run, target), "got_profile",
	    target->follow == FOLLOW_PROFILE);
	if (target->follow == FOLLOW_PROFILE)
		(void)json_object_set_new(json, "after_seconds",
		    json_integer(target->after_s));
	if (target->follow == FOLLOW_OTHER)
		(void)json_object_set_new(json, "served_status",
		    json_integer(target->served_status));
	return json;
}

static void
print_json(const struct resync_run *run, size_t good)
{
	json_t *list = json_array();
	json_t *root;

	for (size_t i = 0; i < run->count; i++)
		(void)json_array_append_new(list,
		    json_target(run, &run->targets[i]));
	root = json_pack("{s:s, s:s, s:I, s:I, s:o}", "by",
	    run->event != NULL ? "NOTIFY" : "web", "event",
	    run->event != NULL ? run->event : run->path, "count",
	    (json_int_t)run->count, "good", (json_int_t)good, "devices", list);
	(void)json_dumpf(root, stdout, JSON_INDENT(2));
	(void)printf("\n");
	json_decref(root);
}

int
resync_print(const struct resync_run *run)
{
	size_t good = 0;

	for (size_t i = 0; i < run->count; i++)
		good += is_good(run, &run->targets[i]);
	if (run->json) {
		print_json(run, good);
	} else {
		(void)printf("%-12s %-20s %-22s %s\n", "MAC", "ADDRESS",
		    run->event != NULL ? "NOTIFY" : "WEB", "RESYNC");
		for (size_t i = 0; i < run->count; i++)
			print_target(run, &run->targets[i]);
		(void)printf("%zu of %zu %s\n", good, DEVICES(run->count));
	}
	return good == run->count ? CMD_DONE : CMD_PROBLEM;
}
