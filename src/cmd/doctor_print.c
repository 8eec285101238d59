#include "cmd/doctor.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "cmd/ca_common.h"
#include "cmd/cmd.h"
#include "cmd/device_common.h"
#include "cmd/print.h"
#include "spa/registry.h"

/* "2 hours ago"; short, because it stands in every group. */
static void
ago(time_t at, time_t now, char text[static 32])
{
	long long s = (long long)(now - at);

	if (s < 120)
		(void)snprintf(text, 32, "%lld s ago", s < 0 ? 0 : s);
	else if (s < 7200)
		(void)snprintf(text, 32, "%lld min ago", s / 60);
	else if (s < 172800)
		(void)snprintf(text, 32, "%lld h ago", s / 3600);
	else
		(void)snprintf(text, 32, "%lld days ago", s / 86400);
}

/* "SPA112, SPA122 and 3 more"; "" when no model is known. */
static void
name_models(const struct doctor_group *group, char *text, size_t size)
{
	size_t len = 0, named = 0;

	*text = '\0';
	for (size_t i = 0; i < group->model_count && named < 6; i++) {
		if (group->models[i].model == NULL)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s",
		    named > 0 ? ", " : "", group->models[i].model->name);
		named++;
		if (len >= size)
			return;
	}
	if (group->model_count > named + 1)
		(void)snprintf(text + len, size - len, " and others");
}

static void
print_who(const struct doctor_group *group)
{
	const struct diagnose_who *who = &group->last.who;
	char mac[MAC_TEXT_BYTES] = "";

	if (who->has_mac)
		mac_format(&who->mac, mac);
	(void)cmd_wrapf((size_t)printf("    who:"), 6, "%s%s%s%s%s at %s, %s%s",
	    mac, *mac != '\0' ? " " : "",
	    who->model != NULL ? who->model->name :
		*mac != '\0'   ? "" :
				 "somebody",
	    *who->firmware != '\0' ? " " : "", who->firmware, group->source,
	    who->why, group->devices > 1 ? " (the last one)" : "");
	(void)putchar('\n');
}

static void
print_line(const char *name, const char *text)
{
	if (*text == '\0')
		return;
	(void)cmd_wrapf((size_t)printf("    %s:", name), 6, "%s", text);
	(void)putchar('\n');
}

static void
print_group(const struct doctor_group *group, time_t now,
    struct ca_sources *sources)
{
	char models[160], last[32];
	size_t column;

	name_models(group, models, sizeof(models));
	ago(group->last_at, now, last);
	column = (size_t)printf("%zu %s", group->devices,
	    group->devices == 1 ? "device" : "devices");
	column = cmd_wrapf(column, 2, "%s%s%son listener %s: %s",
	    *models != '\0' ? "(" : "", models, *models != '\0' ? ") " : "",
	    group->listener, group->last.text);
	if (*group->last.source != '\0')
		(void)cmd_wrapf(column, 2, "[%s]", group->last.source);
	(void)putchar('\n');
	(void)cmd_wrapf((size_t)printf("    seen:"), 6,
	    "%llu %s, last %s; %zu recovered; confidence %s",
	    (unsigned long long)group->events,
	    group->events == 1 ? "time" : "times", last, group->recovered,
	    confidence_name(group->confidence));
	(void)putchar('\n');
	print_who(group);
	print_line("evidence", group->last.evidence);
	print_line("to do", group->last.fix);
	(void)putchar('\n');
	ca_sources_add(sources, group->last.source);
}

void
doctor_print(const struct doctor_group *groups, size_t count,
    const struct doctor_totals *totals, bool all)
{
	struct ca_sources sources = { NULL };
	time_t now = clock_wall();
	size_t hidden = 0;

	for (size_t i = 0; i < count; i++)
		if (all || groups[i].recovered < groups[i].devices)
			print_group(&groups[i], now, &sources);
		else
			hidden++;
	(void)printf("%llu events of %zu %s: %zu served, %zu failing.\n",
	    (unsigned long long)totals->events, DEVICES(totals->devices),
	    totals->served, totals->failing);
	if (hidden > 0)
		(void)printf("%zu more %s over: --all shows %s.\n", hidden,
		    hidden == 1 ? "trouble is" : "troubles are",
		    hidden == 1 ? "it" : "them");
	ca_sources_print(&sources);
	ca_sources_clear(&sources);
}

void
doctor_print_event(const struct event *event, const struct diagnosis *diagnosis)
{
	char when[CLOCK_TEXT_BYTES], mac[MAC_TEXT_BYTES] = "-";

	clock_format(event->at, when);
	if (diagnosis->who.has_mac)
		mac_format(&diagnosis->who.mac, mac);
	(void)printf("%s %s %s %s %s", when, event->listener, event->source,
	    mac, event_kind_name(event->kind));
	(void)cmd_wrapf(80, 4, "%s%s%s%s.", diagnosis->text,
	    *diagnosis->evidence != '\0' ? " (" : "", diagnosis->evidence,
	    *diagnosis->evidence != '\0' ? ")" : "");
	(void)putchar('\n');
}

/* ------------------------------------------------------------ for programs */

static json_t *
who_json(const struct diagnose_who *who)
{
	char mac[MAC_TEXT_BYTES];

	if (who->has_mac)
		mac_format(&who->mac, mac);
	return json_pack("{ss? ss? ss? sb ss ss}", "mac",
	    who->has_mac ? mac : NULL, "model",
	    who->model != NULL ? who->model->name : NULL, "firmware",
	    *who->firmware != '\0' ? who->firmware : NULL, "in_inventory",
	    who->in_inventory, "confidence", confidence_name(who->confidence),
	    "why", who->why);
}

static json_t *
group_json(const struct doctor_group *group)
{
	json_t *models = json_object();

	for (size_t i = 0; i < group->model_count; i++)
		(void)json_object_set_new(models,
		    group->models[i].model != NULL ?
			group->models[i].model->name :
			"unknown",
		    json_integer((json_int_t)group->models[i].devices));
	return json_pack("{ss ss ss ss ss ss ss sI sI sI so so ss so so}",
	    "cause", diagnose_cause_name(group->last.cause), "confidence",
	    confidence_name(group->confidence), "listener", group->listener,
	    "text", group->last.text, "evidence", group->last.evidence, "fix",
	    group->last.fix, "sources", group->last.source, "devices",
	    (json_int_t)group->devices, "recovered",
	    (json_int_t)group->recovered, "events", (json_int_t)group->events,
	    "first", cmd_json_time(group->first_at), "last",
	    cmd_json_time(group->last_at), "address", group->source, "who",
	    who_json(&group->last.who), "models", models);
}

int
doctor_print_json(const struct doctor_group *groups, size_t count,
    const struct doctor_totals *totals, json_t *exceptions)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, group_json(&groups[i]));
	return ca_print_json(json_pack("{sI sI sI sI so so}", "events",
		   (json_int_t)totals->events, "devices",
		   (json_int_t)totals->devices, "served",
		   (json_int_t)totals->served, "failing",
		   (json_int_t)totals->failing, "groups", list, "exceptions",
		   exceptions)) == CMD_DONE ?
	    0 :
	    -1;
}
