/*
 * answer_profile.h -- the bytes of a device's own profile: from the cache, or
 * rendered and packed.
 */
#ifndef SERVER_ANSWER_PROFILE_H
#define SERVER_ANSWER_PROFILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "server/keystate.h"
#include "server/profile_cache.h"

struct decision;
struct exchange;

/* How much longer than a text the packed one may be. */
#define ANSWER_PROFILE_ROOM 32768

struct answer_profile {
	const char *coding;	/* of Content-Encoding; NULL: none */
	const char *protection; /* "gzip+aes", ...; NULL when from the cache */
	struct profile_cache_note note; /* of the bytes that go out */
	struct buf clear; /* before it was packed; empty when from the cache */
	bool packed;	  /* what goes out is not clear itself */
};
void answer_profile_clear(struct answer_profile *profile);

/* Append them, and fill in profile.  upgrade_only: the profile that leads to
 * newer firmware, packed all the same. */
int answer_profile(const struct exchange *exchange,
    const struct decision *decision, bool upgrade_only, struct buf *body,
    struct answer_profile *profile, struct error *err) MUST_CHECK;

/* Keep what answer_profile() has just made for the next one who asks. */
void answer_profile_cache(const struct exchange *exchange,
    const struct decision *decision, bool upgrade_only, const struct buf *body,
    const struct answer_profile *profile);

/* What has to be on the disk before that profile goes out; all 0: nothing that
 * is not there. */
void answer_profile_wish(const struct exchange *exchange,
    const struct decision *decision, const struct answer_profile *profile,
    struct keystate_wish *wish);

#endif
