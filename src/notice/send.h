/*
 * send.h -- telling somebody: what is sent, how it is signed, and sending it.
 *
 * A webhook gets a POST with the notice as JSON, by curl(1): a process of its
 * own, which knows the proxies, the trusted CAs and the TLS of the world
 * outside, none of which belongs into this one.  It reads all that it is to do
 * from its input; the secret stays here.  The signature is
 *
 *     Sprov-Signature: t=1764081234,v1=HEX
 *
 * HEX being the HMAC-SHA-256 of "t.BODY" with what is in the secret file.  A
 * command gets the same JSON on its standard input, and the kind in its
 * environment.
 */
#ifndef NOTICE_SEND_H
#define NOTICE_SEND_H

#include <stddef.h>
#include <time.h>

#include "base/error.h"
#include "server/config_notify.h"

struct config;
struct errors;

#define SEND_TIMEOUT_MS 15000
#define SEND_SECRET_MIN 16
#define SEND_SECRET_MAX 4096
#define SEND_BODY_MAX 32768

/* What a webhook's requests are signed with. */
struct secret {
	char *data; /* NULL: nothing */
	size_t len;
};
void secret_clear(struct secret *secret); /* wipes it */
/* What is in the file, without newlines at its end.  ERROR_DENIED when its
 * group may write it or others may read it. */
int secret_load(struct secret *secret, const char *path,
    struct error *err) MUST_CHECK;

/* Hex of the signature; t is the time, as the header says it. */
#define SEND_SIGNATURE_BYTES (2 * 32 + 1)
void send_sign(const struct secret *secret, long long t, const char *body,
    char hex[static SEND_SIGNATURE_BYTES]);

/*
 * Send body (one line of JSON) now, and wait for the outcome.  ERROR_SYSTEM:
 * it was not taken.  cancel_fd ends it early when readable; -1: none.
 */
int send_now(const struct config_notify *notify, const struct secret *secret,
    enum notify_kind kind, const char *body, time_t now, int cancel_fd,
    struct error *err) MUST_CHECK;

/* Is there what every block of the configuration names: secrets, commands?
 * All problems go to errors, with their place. */
void send_check(const struct config *config, struct errors *errors);

#endif
