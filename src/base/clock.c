#include "base/clock.h"

#include <string.h>

uint64_t
clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

uint64_t
clock_monotonic_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

time_t
clock_wall(void)
{
	return time(NULL);
}

void
clock_format(time_t when, char text[static CLOCK_TEXT_BYTES])
{
	struct tm tm;

	/* Only years of four digits: %Y writes the others as they are. */
	if (gmtime_r(&when, &tm) == NULL || tm.tm_year > 9999 - 1900 ||
	    tm.tm_year < 1000 - 1900 ||
	    strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		memcpy(text, "?", 2);
}
