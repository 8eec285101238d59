/*
 * clock.h -- the two clocks.  Only the outer layers (server, sim, lab, cmd)
 * read them; everything below gets the time as an argument.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* For deadlines and durations: never steps. */
uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);

/* For certificates and logs: UTC seconds. */
time_t clock_wall(void);

#define CLOCK_TEXT_BYTES sizeof("9999-12-31T23:59:59Z")

/* RFC 3339 in UTC; "?" for times outside the years 1000 to 9999. */
void clock_format(time_t when, char text[static CLOCK_TEXT_BYTES]);

#endif
