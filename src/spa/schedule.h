/*
 * schedule.h -- when a device tries again: lists of delays with jitter.
 *
 *     delay ["+" jitter] { "," delay ["+" jitter] }      all in seconds
 *
 * The delays are used in order, the last one for ever; a jitter of n adds a
 * random 0 to n seconds.  Resync_Periodic, Resync_Error_Retry_Delay and
 * Upgrade_Error_Retry_Delay are of this form.
 * Sources: [SPA-PROV], [MPP-PROV]; the defaults from [LINKSYS-PROV] p. 64 and
 * [MPP-PROV].
 */
#ifndef SPA_SCHEDULE_H
#define SPA_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SCHEDULE_STEPS_MAX 32
#define SCHEDULE_SECONDS_MAX (365 * 86400)

/* What Resync_Error_Retry_Delay is without configuration: on most families,
 * and on late multiplatform phones. */
#define SCHEDULE_RETRY_DEFAULT "3600"
#define SCHEDULE_RETRY_MPP \
	"60,120,240,480,960,1920,3840,7680,15360,30720,61440,86400"

/* The unit of Resync_Random_Delay, and its default in units: a device waits a
 * random time up to that after power-up.  [LINKSYS-PROV] p. 64, [MPP-PROV];
 * one passage of the latter says seconds. */
#define SCHEDULE_RANDOM_UNIT_S 20
#define SCHEDULE_RANDOM_UNITS 2

struct schedule {
	size_t count;
	struct schedule_step {
		uint32_t delay_s, jitter_s;
	} step[SCHEDULE_STEPS_MAX];
};

/*
 * Read text; -1 with ERROR_INPUT, which names the place.  A delay of 0 is
 * read: it means "at once" to some families and "never" to others, so nobody
 * should set it (schedule_has_zero).
 */
int schedule_parse(struct schedule *schedule, const char *text,
    struct error *err) MUST_CHECK;

bool schedule_has_zero(const struct schedule *schedule);

/*
 * How long to wait after the failure number n (0 is the first); random is any
 * number, from which the jitter is taken, to the millisecond.
 */
uint64_t
schedule_delay_ms(const struct schedule *schedule, size_t n, uint64_t random);

#endif
