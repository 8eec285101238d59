#include "provision/advice.h"
#include "spa/schedule.h"

#include <stdio.h>

#define FIRST_RETRY_S 60	 /* not sooner: a reboot takes its time */
#define LAST_RETRY_S 3600	 /* the factory's: no device waits longer for */
#define JITTER_MAX_S (24 * 3600) /* a device without profile waits so long */

static uint32_t
round_up(uint64_t value, uint32_t step)
{
	return (uint32_t)((value + step - 1) / step * step);
}

static uint32_t
at_least(uint32_t value, uint32_t least)
{
	return value < least ? least : value;
}

/*
 * Three delays, each with the whole jitter: those who fail together come back
 * spread as wide as at first.  The first is not shorter than the wave itself,
 * else retries meet devices that have not been there yet.
 */
static void
write_retry(struct advice *advice)
{
	uint32_t first = at_least(round_up(advice->random_s, 60),
	    FIRST_RETRY_S);
	uint32_t second = at_least(first * 3, 300);
	uint32_t last = at_least(second, LAST_RETRY_S);

	if (second > last)
		second = last;
	(void)snprintf(advice->retry, sizeof(advice->retry),
	    "%u+%u,%u+%u,%u+%u", first, advice->jitter_s, second,
	    advice->jitter_s, last, advice->jitter_s);
}

void
advice_make(struct advice *advice, size_t devices, unsigned capacity_per_s)
{
	const uint32_t factory_s = SCHEDULE_RANDOM_UNITS *
	    SCHEDULE_RANDOM_UNIT_S;
	unsigned capacity = capacity_per_s > 0 ? capacity_per_s :
						 ADVICE_CAPACITY;
	uint64_t load = (uint64_t)capacity * ADVICE_LOAD_PERCENT;
	/* Seconds over which they have to be spread, rounded up. */
	uint64_t spread = ((uint64_t)devices * 100 + load - 1) / load;

	if (spread > JITTER_MAX_S)
		spread = JITTER_MAX_S;
	*advice = (struct advice) {
		.capacity_per_s = capacity,
		.factory_per_s = (double)devices / factory_s,
		.factory_suffices = spread <= factory_s,
		.random_s = at_least(round_up(spread, SCHEDULE_RANDOM_UNIT_S),
		    factory_s),
	};
	advice->random_units = advice->random_s / SCHEDULE_RANDOM_UNIT_S;
	advice->jitter_s = round_up(advice->random_s, 60);
	advice->arrivals_per_s = (double)devices / advice->random_s;
	advice->served_by_s = at_least(advice->random_s,
	    (uint32_t)((devices + capacity - 1) / capacity));
	write_retry(advice);
}
