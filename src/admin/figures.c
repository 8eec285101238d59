/*
 * GET /metrics: the answer as a whole, and what it says of the server itself.
 */
#include "admin/figures.h"
#include "admin/call.h"
#include "admin/exposition.h"
#include "admin/handlers.h"
#include "admin/site.h"
#include "inventory/snapshot.h"
#include "server/config.h"
#include "server/service.h"
#include "server/standing.h"
#include "server/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The one that Prometheus asks for by default; UTF-8 as all that we say. */
#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

static void
put_number(struct exposition *out, const char *name, const char *type,
    const char *help, uint64_t value)
{
	exposition_family(out, name, type, help);
	exposition_integer(out, "", NULL, 0, value);
}

static uint64_t
as_time(long long when)
{
	return when > 0 ? (uint64_t)when : 0;
}

/* Bytes that are in memory; proc(5), statm: the second number is pages. */
static uint64_t
resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128] = "", *at;
	unsigned long pages = 0;

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL &&
	    (at = strchr(line, ' ')) != NULL)
		pages = strtoul(at + 1, NULL, 10);
	(void)fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
put_process(struct exposition *out, const struct call *call)
{
	struct rusage usage = { 0 };

	put_number(out, "process_start_time_seconds", "gauge",
	    "When the server started, in seconds since 1970.",
	    as_time(site_started_at(call->site)));
	(void)getrusage(RUSAGE_SELF, &usage);
	exposition_family(out, "process_cpu_seconds_total", "counter",
	    "Processor time that was used, in seconds.");
	exposition_real(out, "", NULL, 0,
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		(double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
		    1e6);
	put_number(out, "process_resident_memory_bytes", "gauge",
	    "Memory that is in use.", resident_bytes());
}

/* Who is told nothing cannot be told that. */
static void
put_notices(struct exposition *out, const struct standing *standing)
{
	struct exposition_label label = { "outcome", "taken" };

	exposition_family(out, "sprov_notices_total", "counter",
	    "Attempts to tell a webhook or a command what was noticed.");
	exposition_integer(out, "", &label, 1,
	    atomic_load(&standing->notices_taken));
	label.value = "refused";
	exposition_integer(out, "", &label, 1,
	    atomic_load(&standing->notices_refused));
}

void
figures_server(struct exposition *out, struct call *call)
{
	const struct guest_view *view = site_guest_view(call->site);
	const struct standing *standing = view->standing;
	const struct exposition_label version = { "version", SPROV_VERSION };

	exposition_family(out, "sprov_build_info", "gauge",
	    "Which program this is; the value is always 1.");
	exposition_integer(out, "", &version, 1, 1);
	put_process(out, call);
	put_number(out, "sprov_workers", "gauge", "Threads that serve devices.",
	    view->worker_count);
	put_number(out, "sprov_listeners", "gauge",
	    "Listeners for devices that are configured.",
	    service_listener_count(call->service));
	put_number(out, "sprov_accepting", "gauge",
	    "Whether all listeners are open (1), or the server stops (0).",
	    atomic_load(&standing->accepting));
	put_number(out, "sprov_config_loaded_timestamp_seconds", "gauge",
	    "When the configuration in use was read.",
	    as_time(atomic_load(&standing->configured_at)));
	put_number(out, "sprov_config_reload_refused", "gauge",
	    "Whether the last reload was refused because of mistakes (1).",
	    atomic_load(&standing->reload_refused));
	put_number(out, "sprov_inventory_devices", "gauge",
	    "Devices of the inventory, retired ones included.",
	    snapshot_device_count(call->snapshot));
	put_number(out, "sprov_inventory_change_number", "gauge",
	    "Which state of the inventory is served.",
	    snapshot_change_number(call->snapshot));
	put_number(out, "sprov_inventory_loaded_timestamp_seconds", "gauge",
	    "When the snapshot that is served was loaded.",
	    as_time(atomic_load(&standing->inventory_at)));
	put_number(out, "sprov_inventory_asked_timestamp_seconds", "gauge",
	    "When the store last said that there is nothing newer.",
	    as_time(atomic_load(&standing->inventory_asked_at)));
	put_notices(out, standing);
}

void
api_metrics(struct call *call, const char *text)
{
	struct exposition out = { .out = &call->out };

	(void)text;
	if (!call_sees_all(call) || !call_no_others(call))
		return;
	figures_server(&out, call);
	figures_workers(&out, call);
	figures_fleet(&out, call);
	if (out.failed != 0) {
		buf_clear(&call->out);
		call_problem(call, 503, "there is too much to be said");
		return;
	}
	call->status = 200;
	call->content_type = CONTENT_TYPE;
}
