#include "spa/schedule.h"

#include <string.h>

/* The number at *p, which must be there; moves *p behind it. */
static int
read_number(const char *text, const char **p, uint32_t *number,
    struct error *err)
{
	const char *start = *p;
	uint32_t value = 0;

	while (**p >= '0' && **p <= '9' && value <= SCHEDULE_SECONDS_MAX) {
		value = value * 10 + (uint32_t)(**p - '0');
		(*p)++;
	}
	if (*p == start)
		return error_set(err, ERROR_INPUT,
		    "delays \"%.100s\": expected a number of seconds at "
		    "column %zu",
		    text, (size_t)(start - text) + 1);
	if (value > SCHEDULE_SECONDS_MAX)
		return error_set(err, ERROR_INPUT,
		    "delays \"%.100s\": more than a year (%d s) at column %zu",
		    text, SCHEDULE_SECONDS_MAX, (size_t)(start - text) + 1);
	*number = value;
	return 0;
}

static int
read_step(const char *text, const char **p, struct schedule_step *step,
    struct error *err)
{
	*step = (struct schedule_step) { 0, 0 };
	if (read_number(text, p, &step->delay_s, err) != 0)
		return -1;
	if (**p != '+')
		return 0;
	(*p)++;
	return read_number(text, p, &step->jitter_s, err);
}

int
schedule_parse(struct schedule *schedule, const char *text, struct error *err)
{
	struct schedule read = { .count = 0 };
	const char *p = text;

	for (;;) {
		if (read.count == SCHEDULE_STEPS_MAX)
			return error_set(err, ERROR_INPUT,
			    "delays \"%.100s\": more than %d of them", text,
			    SCHEDULE_STEPS_MAX);
		if (read_step(text, &p, &read.step[read.count++], err) != 0)
			return -1;
		if (*p == '\0')
			break;
		if (*p != ',')
			return error_set(err, ERROR_INPUT,
			    "delays \"%.100s\": expected \",\" or \"+\" at "
			    "column %zu",
			    text, (size_t)(p - text) + 1);
		p++;
	}
	*schedule = read;
	return 0;
}

bool
schedule_has_zero(const struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->step[i].delay_s == 0)
			return true;
	return false;
}

uint64_t
schedule_delay_ms(const struct schedule *schedule, size_t n, uint64_t random)
{
	const struct schedule_step *step =
	    &schedule->step[n < schedule->count ? n : schedule->count - 1];

	return step->delay_s * UINT64_C(1000) +
	    random % (step->jitter_s * UINT64_C(1000) + 1);
}
