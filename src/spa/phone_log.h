/*
 * phone_log.h -- the lines that devices send to a syslog server about their
 * resyncs and upgrades.
 *
 *     SPA-2102 00:0e:08:aa:bb:cc -- Requesting resync https://192.0.2.1:443/x
 *     SPA-2102 00:0e:08:aa:bb:cc -- Successful resync https://... -- OK
 *     SPA-2102 00:0e:08:aa:bb:cc -- Resync failed: http_get failed
 *
 * These are the defaults of Log_Resync_Request_Msg and its kin; who rewrote
 * them on a device is not understood here.  Before them may stand the head of
 * RFC 3164 or RFC 5424, parts of it, and an identifier.  Some manuals print the
 * hyphens as a dash, so dashes are taken, too.  Sources: [ATA-AG],
 * [MPP-AG], [ATA19X-PROV].
 *
 * A hint only: anyone can send such a datagram.  Every text here is fit to be
 * printed.
 */
#ifndef SPA_PHONE_LOG_H
#define SPA_PHONE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mac.h"

#define PHONE_LOG_BYTES_MAX 2048 /* that are read; RFC 5424 6.1 */
#define PHONE_LOG_TEXT_MAX 255
#define PHONE_LOG_PRODUCT_MAX 63

enum phone_log_kind {
	PHONE_LOG_OTHER, /* none of these */
	PHONE_LOG_RESYNC_ASKS,
	PHONE_LOG_RESYNC_DONE,
	PHONE_LOG_RESYNC_FAILED,
	PHONE_LOG_UPGRADE_ASKS,
	PHONE_LOG_UPGRADE_DONE,
	PHONE_LOG_UPGRADE_FAILED,
};
#define PHONE_LOG_KINDS 7
const char *phone_log_kind_name(enum phone_log_kind kind); /* "resync-failed" */

struct phone_log {
	enum phone_log_kind kind;
	bool has_mac; /* of the message, else of an identifier before it */
	struct mac mac;
	char product[PHONE_LOG_PRODUCT_MAX + 1]; /* "" of an other one */
	char url[PHONE_LOG_TEXT_MAX + 1];	 /* "" when there is none */
	char error[PHONE_LOG_TEXT_MAX + 1];	 /* $ERR; "" ditto */
	/* The message; of an other one all behind the priority. */
	char text[PHONE_LOG_TEXT_MAX + 1];
};

/* Read a datagram; what cannot be understood is an other one. */
void phone_log_parse(struct phone_log *line, const void *data, size_t len);

#endif
