#include "notice/notice.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "notice/look.h"
#include "notice/reports.h"
#include "notice/said.h"
#include "notice/send.h"
#include "server/config.h"
#include "server/config_notify.h"
#include "server/guest.h"
#include "server/service.h"
#include "server/standing.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PENDING_MAX 32 /* notices for one; others are looked up again later */
#define BACKOFF_MS 1000
#define BACKOFF_MAX_MS 600000
#define GIVE_UP_S 86400
#define NEVER UINT64_MAX   /* there is nothing to wait for */
#define FIRST_LOOK_MS 2000 /* after the start: the listeners come first */

struct pending {
	char key[NOTICE_KEY_MAX + 1];
	enum notify_kind kind; /* NOTIFY_RESOLVED: what has that key is over */
	char *body;
	char *text; /* to be kept, for when it is over; NULL: not */
	time_t since;
};

/* One notify block. */
struct teller {
	const struct config_notify *notify; /* of the service */
	struct secret secret;
	struct pending pending[PENDING_MAX]; /* the oldest first */
	size_t count;
	unsigned failures; /* one after the other */
	uint64_t next_ms;  /* not before */
};

/* All of one configuration. */
struct tellers {
	struct service *service;
	struct teller *list;
	size_t count;
	bool wanted[NOTIFY_KINDS];
	unsigned every_ms;
};

struct noticer {
	struct guest guest;
	const char *config_path;
	struct guest_view view;
	struct tellers *fresh; /* of the main thread: prepared, not used yet */
	pthread_t thread;
	bool started;
	int cancel_fd; /* readable from the stop on */
	/* Of the thread. */
	struct tellers *tellers;
	struct reports *reports;
	struct said *said;
	char *said_path;
	uint64_t next_look_ms;
	/* Under the mutex. */
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct tellers *wanted; /* to be used from now on */
	bool stop;
};

/* ---------------------------------------------------------------- tellers */

static void
drop_pending(struct teller *teller, size_t at)
{
	free(teller->pending[at].body);
	free(teller->pending[at].text);
	teller->count--;
	memmove(&teller->pending[at], &teller->pending[at + 1],
	    (teller->count - at) * sizeof(*teller->pending));
}

static void
tellers_free(struct tellers *tellers)
{
	if (tellers == NULL)
		return;
	for (size_t i = 0; i < tellers->count; i++) {
		while (tellers->list[i].count > 0)
			drop_pending(&tellers->list[i], 0);
		secret_clear(&tellers->list[i].secret);
	}
	free(tellers->list);
	service_release(tellers->service);
	free(tellers);
}

static struct tellers *
tellers_new(struct service *service, struct errors *errors)
{
	const struct config *config = service_config(service);
	struct tellers *tellers = xcalloc(1, sizeof(*tellers));
	size_t before = errors->count;
	struct error err;

	tellers->service = service_retain(service);
	tellers->list = xcalloc(config->notify_count + 1,
	    sizeof(*tellers->list));
	tellers->every_ms = UINT32_MAX;
	send_check(config, errors);
	for (size_t i = 0; i < config->notify_count; i++) {
		struct teller *teller = &tellers->list[tellers->count++];
		const struct config_notify *notify = &config->notifies[i];

		teller->notify = notify;
		if (notify->every_ms < tellers->every_ms)
			tellers->every_ms = notify->every_ms;
		for (size_t k = 0; k < NOTIFY_KINDS; k++)
			tellers->wanted[k] |= notify->kinds[k];
		if (notify->secret_file != NULL &&
		    secret_load(&teller->secret, notify->secret_file, &err) !=
			0 &&
		    errors->count == before)
			errors_add(errors, "%s", err.text);
	}
	if (errors->count == before)
		return tellers;
	tellers_free(tellers);
	return NULL;
}

/* ------------------------------------------------------------------ looking */

/* Where it waits, that it is so or that it is over; or the count. */
static size_t
find_pending(const struct teller *teller, const char *key, bool over)
{
	size_t i = 0;

	while (i < teller->count &&
	    ((teller->pending[i].kind == NOTIFY_RESOLVED) != over ||
		strcmp(teller->pending[i].key, key) != 0))
		i++;
	return i;
}

/* When there is no room, it is looked up again later. */
static void
push_pending(struct teller *teller, const struct notice *notice,
    const char *key, time_t now)
{
	bool can_end = teller->notify->kinds[NOTIFY_RESOLVED];
	enum notify_kind kind;
	struct pending *pending;

	if (teller->count == PENDING_MAX)
		return;
	pending = &teller->pending[teller->count++];
	*pending = (struct pending) { .kind = notice->kind, .since = now };
	(void)snprintf(pending->key, sizeof(pending->key), "%s", key);
	pending->body = look_format(teller->notify, notice, key, now);
	if (can_end && look_can_end(key, &kind))
		pending->text = xstrdup(notice->text);
}

static void
consider(struct noticer *noticer, struct teller *teller,
    const struct notice *notice, time_t now)
{
	char key[NOTICE_KEY_MAX + 1];
	size_t over;

	if (!look_concerns(teller->notify, notice, key))
		return;
	if (!said_is(noticer->said, teller->notify->name, key, now)) {
		if (find_pending(teller, key, false) == teller->count)
			push_pending(teller, notice, key, now);
		return;
	}
	/* Back, before it was said that it is over. */
	over = find_pending(teller, key, true);
	if (over < teller->count)
		drop_pending(teller, over);
}

static void
consider_all(struct noticer *noticer, struct teller *teller,
    const struct notices *notices, time_t now)
{
	for (size_t i = 0; i < notices->count; i++)
		consider(noticer, teller, &notices->list[i], now);
}

/* ---------------------------------------------------------------- what is over */

struct ending {
	struct noticer *noticer;
	struct teller *teller;
	const bool *known; /* by kind: what is not so is known */
	time_t now, before;
};

/* What was said, and has not been so for as long as is asked for. */
static void
consider_over(const char *key, const char *text, time_t at, void *arg)
{
	const struct ending *ending = arg;
	struct teller *teller = ending->teller;
	struct notices notices = { NULL, 0 };
	enum notify_kind kind;

	if (!look_can_end(key, &kind) || !teller->notify->kinds[kind])
		return;
	if (!ending->known[kind]) {
		/* As long as nobody knows, it is so. */
		(void)said_is(ending->noticer->said, teller->notify->name, key,
		    ending->now);
		return;
	}
	if (at > ending->before ||
	    find_pending(teller, key, true) < teller->count)
		return;
	look_over(&notices, key, text, at);
	if (notices.count == 1)
		push_pending(teller, &notices.list[0], key, ending->now);
	notices_clear(&notices);
}

static void
consider_all_over(struct noticer *noticer, struct teller *teller,
    const bool known[static NOTIFY_KINDS], time_t now)
{
	const struct config_notify *notify = teller->notify;
	/* At least one second: what was so right now is not over. */
	time_t after_s = notify->resolved_ms / 1000 + 1;
	struct ending ending = { noticer, teller, known, now, now - after_s };

	if (notify->kinds[NOTIFY_RESOLVED])
		said_each(noticer->said, notify->name, consider_over, &ending);
}

static void
look(struct noticer *noticer)
{
	bool known[NOTIFY_KINDS] = { false };
	struct tellers *tellers = noticer->tellers;
	struct notices notices = { NULL, 0 }, rate;
	uint64_t served = 0, all = 0;
	time_t now = clock_wall();

	reports_look(noticer->reports, tellers->service, tellers->wanted,
	    tellers->every_ms, now, &notices, known);
	reports_rate(noticer->reports, tellers->service, &noticer->view,
	    &served, &all);
	for (size_t i = 0; i < tellers->count; i++) {
		struct teller *teller = &tellers->list[i];

		rate = (struct notices) { NULL, 0 };
		look_success(&rate, served, all,
		    teller->notify->success_percent);
		consider_all(noticer, teller, &rate, now);
		consider_all(noticer, teller, &notices, now);
		notices_clear(&rate);
		known[NOTIFY_SUCCESS_RATE] = look_success_is_good(served, all,
		    teller->notify->success_percent);
		consider_all_over(noticer, teller, known, now);
	}
	notices_clear(&notices);
	noticer->next_look_ms = clock_monotonic_ms() + tellers->every_ms;
}

/* ------------------------------------------------------------------ sending */

static void
log_outcome(const struct teller *teller, const struct pending *pending,
    const char *trouble)
{
	struct log_line line;

	log_begin(&line, trouble == NULL ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	    trouble == NULL ? "notified" : "not-notified");
	log_text(&line, "notify", teller->notify->name);
	log_text(&line, "kind", notify_kind_name(pending->kind));
	log_text(&line, "key", pending->key);
	if (trouble != NULL)
		log_text(&line, "message", trouble);
	log_end(&line);
}

/* Twice as long each time; the first of a row of failures is logged, and then
 * those after which the pause is the longest. */
static void
back_off(struct teller *teller, const struct pending *pending,
    const struct error *err)
{
	uint64_t pause_ms = BACKOFF_MS;

	for (unsigned i = 0; i < teller->failures && pause_ms < BACKOFF_MAX_MS;
	     i++)
		pause_ms *= 2;
	if (pause_ms > BACKOFF_MAX_MS)
		pause_ms = BACKOFF_MAX_MS;
	if (teller->failures == 0 || pause_ms == BACKOFF_MAX_MS)
		log_outcome(teller, pending, err->text);
	teller->failures++;
	teller->next_ms = clock_monotonic_ms() + pause_ms;
}

static void
tell_next(struct noticer *noticer, struct teller *teller)
{
	struct pending *pending = &teller->pending[0];
	time_t now = clock_wall();
	struct error err = { 0 };

	if (send_now(teller->notify, &teller->secret, pending->kind,
		pending->body, now, noticer->cancel_fd, &err) == 0) {
		log_outcome(teller, pending, NULL);
		atomic_fetch_add(&noticer->view.standing->notices_taken, 1);
		if (pending->kind == NOTIFY_RESOLVED)
			said_drop(noticer->said, teller->notify->name,
			    pending->key);
		else
			said_add(noticer->said, teller->notify->name,
			    pending->key, pending->text, now);
		teller->failures = 0;
		drop_pending(teller, 0);
		return;
	}
	atomic_fetch_add(&noticer->view.standing->notices_refused, 1);
	back_off(teller, pending, &err);
	if (now - pending->since > GIVE_UP_S) {
		log_outcome(teller, pending, "given up after a day");
		drop_pending(teller, 0);
	}
}

/* The file follows what was said at once: or a crash would say it again. */
static void
save(struct noticer *noticer)
{
	struct error err;

	if (said_forget(noticer->said, clock_wall()) &&
	    said_save(noticer->said, noticer->said_path, &err) != 0)
		log_message(LOG_LEVEL_WARN, "notices-not-recorded", "%s",
		    err.text);
}

/* Each one in its turn.  Returns when there is more to do. */
static uint64_t
tell_all(struct noticer *noticer)
{
	uint64_t next_ms = noticer->next_look_ms;

	for (size_t i = 0; i < noticer->tellers->count; i++) {
		struct teller *teller = &noticer->tellers->list[i];

		if (teller->count > 0 &&
		    clock_monotonic_ms() >= teller->next_ms) {
			tell_next(noticer, teller);
			save(noticer);
		}
		if (teller->count > 0 && teller->next_ms < next_ms)
			next_ms = teller->next_ms;
	}
	return next_ms;
}

/* ------------------------------------------------------------------- thread */

/* Go on with another configuration. */
static void
change(struct noticer *noticer, struct tellers *tellers)
{
	const char *directory =
	    service_config(tellers->service)->state_directory;
	char *path = file_join(directory, SAID_FILE);
	struct error err = { 0 };

	tellers_free(noticer->tellers);
	noticer->tellers = tellers;
	noticer->next_look_ms = clock_monotonic_ms() +
	    (tellers->every_ms < FIRST_LOOK_MS ? tellers->every_ms :
						 FIRST_LOOK_MS);
	if (noticer->said_path != NULL &&
	    strcmp(noticer->said_path, path) == 0) {
		free(path);
		return;
	}
	said_free(noticer->said);
	free(noticer->said_path);
	noticer->said_path = path;
	noticer->said = said_load(path, &err);
	if (err.kind != ERROR_NONE)
		log_message(LOG_LEVEL_WARN, "notices-not-read", "%s", err.text);
}

/* Until then, or until the main thread wants something; false: the end. */
static bool
wait_until(struct noticer *noticer, uint64_t until_ms, struct tellers **wanted)
{
	struct timespec until = { (time_t)(until_ms / 1000),
		(long)(until_ms % 1000) * 1000000 };
	int rc = 0;
	bool stop;

	(void)pthread_mutex_lock(&noticer->mutex);
	while (!noticer->stop && noticer->wanted == NULL && rc == 0)
		rc = until_ms == NEVER ?
		    pthread_cond_wait(&noticer->wake, &noticer->mutex) :
		    pthread_cond_timedwait(&noticer->wake, &noticer->mutex,
			&until);
	*wanted = noticer->wanted;
	noticer->wanted = NULL;
	stop = noticer->stop;
	(void)pthread_mutex_unlock(&noticer->mutex);
	return !stop;
}

static void *
noticer_main(void *arg)
{
	struct noticer *noticer = arg;
	struct tellers *wanted;
	uint64_t until_ms = NEVER;

	while (wait_until(noticer, until_ms, &wanted)) {
		if (wanted != NULL)
			change(noticer, wanted);
		until_ms = NEVER;
		if (noticer->tellers->count == 0)
			continue;
		if (clock_monotonic_ms() >= noticer->next_look_ms) {
			look(noticer);
			save(noticer);
		}
		until_ms = tell_all(noticer);
	}
	tellers_free(wanted);
	return NULL;
}

/* ----------------------------------------------------------------- guest */

static int
prepare(void *arg, struct service *service, struct errors *errors)
{
	struct noticer *noticer = arg;

	tellers_free(noticer->fresh); /* of a reload that came to nothing */
	noticer->fresh = tellers_new(service, errors);
	return noticer->fresh != NULL ? 0 : -1;
}

static int
start(void *arg, const struct guest_view *view, struct error *err)
{
	struct noticer *noticer = arg;
	sigset_t all, old;
	int rc;

	noticer->view = *view;
	noticer->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (noticer->cancel_fd < 0)
		return error_errno(err, "cannot make an eventfd");
	noticer->reports = reports_new(noticer->config_path,
	    noticer->cancel_fd);
	/* Signals are the main thread's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&noticer->thread, NULL, noticer_main, noticer);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM,
		    "cannot start the thread that notifies");
	noticer->started = true;
	return 0;
}

static void
use(void *arg, struct service *service)
{
	struct noticer *noticer = arg;
	struct tellers *unused;

	(void)service; /* it is the one that was prepared */
	(void)pthread_mutex_lock(&noticer->mutex);
	unused = noticer->wanted;
	noticer->wanted = noticer->fresh;
	noticer->fresh = NULL;
	(void)pthread_cond_signal(&noticer->wake);
	(void)pthread_mutex_unlock(&noticer->mutex);
	tellers_free(unused);
}

static void
update(void *arg, struct snapshot *snapshot)
{
	(void)arg;
	(void)snapshot; /* reports read the inventory themselves */
}

static void
stop(void *arg)
{
	struct noticer *noticer = arg;
	static const uint64_t one = 1;

	if (!noticer->started)
		return;
	(void)pthread_mutex_lock(&noticer->mutex);
	noticer->stop = true;
	(void)!write(noticer->cancel_fd, &one, sizeof(one));
	(void)pthread_cond_signal(&noticer->wake);
	(void)pthread_mutex_unlock(&noticer->mutex);
	(void)pthread_join(noticer->thread, NULL);
	noticer->started = false;
	/* They hold the service. */
	tellers_free(noticer->tellers);
	noticer->tellers = NULL;
}

struct noticer *
noticer_new(const char *config_path)
{
	struct noticer *noticer = xcalloc(1, sizeof(*noticer));
	pthread_condattr_t attributes;

	noticer->guest = (struct guest) { noticer, prepare, start, use, update,
		stop };
	noticer->config_path = config_path;
	noticer->cancel_fd = -1;
	(void)pthread_mutex_init(&noticer->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&noticer->wake, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	return noticer;
}

const struct guest *
noticer_guest(struct noticer *noticer)
{
	return &noticer->guest;
}

void
noticer_free(struct noticer *noticer)
{
	if (noticer == NULL)
		return;
	tellers_free(noticer->fresh);
	tellers_free(noticer->tellers);
	reports_free(noticer->reports);
	said_free(noticer->said);
	free(noticer->said_path);
	if (noticer->cancel_fd >= 0)
		(void)close(noticer->cancel_fd);
	(void)pthread_cond_destroy(&noticer->wake);
	(void)pthread_mutex_destroy(&noticer->mutex);
	free(noticer);
}
