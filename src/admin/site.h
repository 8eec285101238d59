/*
 * site.h -- what the answers of the admin listener are made from: the service
 * and the snapshot of the moment, an index to find devices by, the figures of
 * the workers, and the files of the state directory.
 *
 * The thread of the listener changes it; answers are made in the pool and hold
 * references of what they use.
 */
#ifndef ADMIN_SITE_H
#define ADMIN_SITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <time.h>

#include "base/error.h"
#include "server/guest.h"

struct finder;
struct dependents;
struct refusals;
struct replay;
struct report_cache;
struct pulse;
struct sessions;
struct service;
struct snapshot;

struct site;
void site_free(struct site *site); /* NULL is fine */
struct site *site_new(const char *config_path) MUST_CHECK FREED_BY(site_free);

/* From the server. */
void site_view(struct site *site, const struct guest_view *view);
void site_use_service(struct site *site, struct service *service);
void site_use_snapshot(struct site *site, struct snapshot *snapshot);

const char *site_config_path(const struct site *site);
const struct guest_view *site_guest_view(const struct site *site);
struct report_cache *site_reports(struct site *site);
struct sessions *site_sessions(struct site *site);
struct pulse *site_pulse(struct site *site);
struct dependents *site_dependents(struct site *site);
time_t site_started_at(const struct site *site);
struct replay *site_replay(struct site *site);
struct refusals *site_refusals(struct site *site);

/* Random, of this run. */
#define SITE_TAG_KEY_BYTES 32
const uint8_t *site_tag_key(const struct site *site);

/* Of those who change the inventory here, one at a time. */
void site_write_lock(struct site *site);
void site_write_unlock(struct site *site);

/* References, the caller's to release; any thread may ask. */
struct service *site_service(struct site *site);
struct snapshot *site_snapshot(struct site *site);

/*
 * The index of devices; never NULL, the caller's reference.  It may be some
 * seconds behind the snapshot.  The first call builds it, else site_refresh()
 * does, in the pool, when site_is_stale() says that it is time for it.
 */
struct finder *site_finder(struct site *site);
bool site_is_stale(struct site *site);
void site_refresh(struct site *site);

/* Once a second: what was done until now goes into the pulse. */
void site_sample(struct site *site);

#endif
