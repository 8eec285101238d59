/*
 * config_notify.h -- the blocks "notify" of the configuration: who is told what
 * the server notices (src/notice/).
 *
 *     notify noc {
 *         webhook https://hooks.example.net/sprov
 *         secret-file noc.secret          # signs what is sent
 *         on expiry failure clone         # default: all kinds
 *         expiry 60 30 7 1                # days left at which it is said
 *         devices 1                       # that have to depend on it
 *         success-rate 90                 # percent, of ten minutes
 *         every 5m                        # how often to look
 *         resolved-after 10m              # over for so long: it is said
 *     }
 *     notify pager {
 *         command /usr/local/bin/page oncall # gets the same on its input
 *     }
 */
#ifndef SERVER_CONFIG_NOTIFY_H
#define SERVER_CONFIG_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "server/config.h"

struct config_reader;
struct config_table;
struct scfg_directive;

#define CONFIG_NOTIFIES_MAX 16
#define CONFIG_NOTIFY_NAME_MAX 31
#define CONFIG_NOTIFY_ARGUMENTS_MAX 16
#define CONFIG_NOTIFY_DAYS_MAX 8
#define CONFIG_NOTIFY_URL_MAX 1024

enum notify_kind {
	NOTIFY_EXPIRY,	     /* a certificate or an anchor is near its end */
	NOTIFY_SUCCESS_RATE, /* fewer requests are served than usual */
	NOTIFY_FAILURE,	     /* a new group of the doctor's */
	NOTIFY_MIGRATION,    /* it has stopped by itself */
	NOTIFY_EXCEPTION,    /* it is about to lapse, or has */
	NOTIFY_CLONE,	     /* one certificate, two places */
	NOTIFY_RESOLVED,     /* what was said of a failure or rate is over */
	NOTIFY_KINDS,
};

/* "expiry", "success-rate", ... */
const char *notify_kind_name(enum notify_kind kind);

struct config_notify {
	char name[CONFIG_NOTIFY_NAME_MAX + 1];
	struct config_place place;
	char *url; /* or a command */
	struct config_place url_place;
	char *secret_file; /* of a webhook */
	struct config_place secret_place;
	char *command[CONFIG_NOTIFY_ARGUMENTS_MAX + 2]; /* ends in NULL */
	struct config_place command_place;
	bool kinds[NOTIFY_KINDS];
	unsigned days[CONFIG_NOTIFY_DAYS_MAX];
	size_t day_count;
	unsigned devices_min;
	unsigned success_percent;
	unsigned every_ms;
	unsigned resolved_ms;
};

void config_notify_read(struct config_reader *reader,
    const struct scfg_directive *directive, const struct config_table *outside);
void config_notify_clear(struct config *config);

#endif
