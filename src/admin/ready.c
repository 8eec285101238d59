#include "admin/ready.h"
#include "admin/call.h"
#include "admin/site.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "inventory/choices.h"
#include "inventory/documents.h"
#include "inventory/events.h"
#include "inventory/exception_uses.h"
#include "inventory/key_marks.h"
#include "inventory/resyncs.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "server/config.h"
#include "server/keep.h"
#include "server/keystate.h"
#include "server/record.h"
#include "server/service.h"
#include "server/standing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* Less than this, and SQLite may not be able to write a page and its log. */
#define FREE_BYTES_MIN (1024 * 1024)

/* Add {"what": ..., "detail": ...} to the list. */
static void
miss(json_t *missing, const char *what, char *detail)
{
	(void)json_array_append_new(missing,
	    json_pack("{ss ss}", "what", what, "detail", detail));
	free(detail);
}

/* ----------------------------------------------------------- certificates */

static void
check_certificate(json_t *missing, const struct service_listener *listener,
    time_t now)
{
	const X509 *leaf = chain_certificate(listener->chain, 0);
	char date[CLOCK_TEXT_BYTES];

	if (now < cert_not_before(leaf)) {
		clock_format(cert_not_before(leaf), date);
		miss(missing, "certificate",
		    xasprintf("the certificate of listener %s is not valid "
			      "before %s",
			listener->name, date));
	}
	if (now > cert_not_after(leaf)) {
		clock_format(cert_not_after(leaf), date);
		miss(missing, "certificate",
		    xasprintf("the certificate of listener %s ended at %s",
			listener->name, date));
	}
}

static void
check_certificates(json_t *missing, const struct call *call)
{
	for (size_t i = 0; i < service_listener_count(call->service); i++) {
		const struct service_listener *listener =
		    service_listener(call->service, i);

		if (listener->chain == NULL)
			continue; /* plain HTTP */
		check_certificate(missing, listener, call->now);
		for (size_t j = 1; j < listener->alternative_count; j++)
			check_certificate(missing, &listener->alternatives[j],
			    call->now);
	}
}

/* ------------------------------------------------------- state directory */

static void
check_file(json_t *missing, const char *directory, const char *name)
{
	char *path = file_join(directory, name);

	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 && errno != ENOENT)
		miss(missing, "state",
		    xasprintf("%s in the state directory cannot be written: "
			      "%s",
			name, strerror(errno)));
	free(path);
}

static void
check_directory(json_t *missing, const char *directory)
{
	static const char *const files[] = { RESYNCS_FILE, EVENTS_FILE,
		CHOICES_FILE, DOCUMENTS_FILE, KEY_MARKS_FILE,
		EXCEPTION_USES_FILE };
	struct statvfs about;

	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0) {
		miss(missing, "state",
		    xasprintf("the state directory cannot be written: %s",
			strerror(errno)));
		return;
	}
	if (statvfs(directory, &about) == 0 &&
	    (uint64_t)about.f_bavail * about.f_frsize < FREE_BYTES_MIN)
		miss(missing, "state",
		    xstrdup("no space is left for the state directory"));
	for (size_t i = 0; i < LENGTH(files); i++)
		check_file(missing, directory, files[i]);
}

static void
check_writers(json_t *missing, const struct guest_view *view)
{
	const struct record_counts record = record_counts(view->record);
	const struct {
		const char *what;
		struct writer_counts counts;
	} writers[] = {
		{ "resyncs", record.resyncs },
		{ "events", record.events },
		{ "choices between certificates", record.choices },
		{ "documents", keep_counts(record_keep(view->record)) },
		{ "marks of keys", keystate_counts(view->keys) },
	};

	for (size_t i = 0; i < LENGTH(writers); i++)
		if (writers[i].counts.failing)
			miss(missing, "state",
			    xasprintf("%s could not be recorded the last time: "
				      "see the log",
				writers[i].what));
}

/* ----------------------------------------------------------------- answer */

/* Without these nobody is served. */
static bool
can_serve(json_t *missing, const struct call *call)
{
	const struct guest_view *view = site_guest_view(call->site);

	if (call->snapshot == NULL)
		miss(missing, "inventory",
		    xstrdup("the inventory is not loaded yet"));
	if (!atomic_load(&view->standing->accepting))
		miss(missing, "listeners",
		    xstrdup("the listeners are not open: the server starts or "
			    "stops"));
	return json_array_size(missing) == 0;
}

/* With these wrong most or some still are: whoever has no clock (SPA-classic,
 * ASSUMED: it does not check dates) takes an old certificate, and serving waits
 * for no record.  Servers often share what is wrong, too: all of them would be
 * taken out at once. */
static void
find_faults(json_t *missing, const struct call *call)
{
	check_certificates(missing, call);
	check_directory(missing,
	    service_config(call->service)->state_directory);
	check_writers(missing, site_guest_view(call->site));
}

void
ready_answer(struct call *call)
{
	json_t *missing = json_array();
	bool able = can_serve(missing, call);
	const char *detail;

	find_faults(missing, call);
	detail = json_string_value(json_object_get(json_array_get(missing, 0),
	    "detail"));
	if (!able) {
		call_problem_with(call, 503,
		    json_pack("{sO}", "missing", missing), "%s", detail);
	} else if (detail != NULL) {
		call_json(call, 200,
		    json_pack("{ss ss sO}", "status", "degraded", "detail",
			detail, "missing", missing));
	} else {
		call_json(call, 200, json_pack("{ss}", "status", "ready"));
	}
	json_decref(missing);
}
