/*
 * tell.h -- what is said of each exchange: a line in the log for people, and an
 * event for the doctor (inventory/events.h).
 */
#ifndef SERVER_TELL_H
#define SERVER_TELL_H

#include <stdbool.h>
#include <stdint.h>

struct exchange;
struct request;

/* A request was answered; request is NULL when the bytes were none.  allowed:
 * the device got what it asked for, if the status says so, too.  sent: SHA-256
 * of the profile that goes out; NULL: none does. */
void tell_answer(const struct exchange *exchange, const struct request *request,
    int status, const char *reason, uint64_t body_len, bool allowed,
    const uint8_t *sent);

/* A client shook hands and then asked for nothing: so ends a device to which
 * the name or address of the certificate is wrong. */
void tell_no_request(const struct exchange *exchange, const char *reason);

/* A connection ended before its handshake was complete.  reason is in words;
 * phase_timeout tells that we gave up waiting. */
void tell_failed_handshake(const struct exchange *exchange, const char *reason,
    bool phase_timeout);

#endif
