/*
 * web.h -- tell a device by its own web server that it should resync.
 *
 *     http://<device>/admin/resync                  by its own rules
 *     http://<device>/admin/resync?https://host/x   from there
 *
 * The page wants the administrator's login: Basic or Digest (RFC 7617, RFC 7616
 * with MD5, all that these devices know).  A challenge is answered once.
 * Sources: [SPA9000-AG], [NGCP] for the page without URL.
 */
#ifndef REACH_WEB_H
#define REACH_WEB_H

#include "reach/agent.h"

#define WEB_PATH "/admin/resync"

struct web_target {
	struct addr addr;
	const char *path;     /* with query; printable, without blanks */
	const char *login;    /* NULL: a challenge cannot be answered */
	const char *password; /* NULL likewise */
};

/* Ask; waits at most timeout_ms.  AGENT_ACCEPTED: 200, or a redirection to
 * another page of the device's. */
void web_resync(const struct web_target *target, unsigned timeout_ms,
    struct agent_result *result);

/*
 * The Authorization field that answers a challenge (the value of
 * WWW-Authenticate); the caller's to wipe and free().  NULL: none that can be
 * answered.  cnonce is 16 hex digits of randomness.
 */
char *web_authorize(const char *challenge, const char *path, const char *login,
    const char *password, const char *cnonce);

#endif
