/*
 * What became of it, by the server's record of whom it answered.
 */
#include "cmd/device_resync.h"

#include <poll.h>

#include "base/clock.h"

#define LOOK_MS 250

struct sum {
	uint64_t answers, profiles;
	time_t last_at;
	int last_status;
};

static int
add(const struct resync_summary *summary, void *arg)
{
	struct sum *sum = arg;

	sum->answers += summary->answers;
	sum->profiles += summary->profiles;
	if (summary->last.at >= sum->last_at) {
		sum->last_at = summary->last.at;
		sum->last_status = summary->last.status;
	}
	return 0;
}

int
resync_look(struct resync_run *run, struct error *err)
{
	for (size_t i = 0; run->resyncs != NULL && i < run->count; i++) {
		struct resync_target *target = &run->targets[i];
		struct sum sum = { 0 };

		if (resyncs_each(run->resyncs, &target->mac, add, &sum, err) !=
		    0)
			return -1;
		target->answers_before = sum.answers;
		target->profiles_before = sum.profiles;
	}
	return 0;
}

/* More answers than before are an event of after: counts do not step as clocks
 * may, and two events of one second stay two. */
static int
look_again(struct resync_run *run, struct resync_target *target,
    struct error *err)
{
	struct sum sum = { 0 };

	if (resyncs_each(run->resyncs, &target->mac, add, &sum, err) != 0)
		return -1;
	if (sum.answers == target->answers_before)
		return 0;
	target->after_s = (unsigned)((clock_monotonic_ms() - target->sent_ms) /
	    1000);
	if (sum.profiles > target->profiles_before) {
		target->follow = FOLLOW_PROFILE;
		target->served_status = 200;
	} else {
		/* Its profile may still come, of the next rule. */
		target->follow = FOLLOW_OTHER;
		target->served_status = sum.last_status;
	}
	return 0;
}

int
resync_follow(struct resync_run *run, struct error *err)
{
	uint64_t deadline = clock_monotonic_ms() + run->wait_s * 1000;
	size_t accepted = 0;

	if (run->resyncs == NULL || run->wait_s == 0)
		return 0;
	for (size_t i = 0; i < run->count; i++)
		if (run->targets[i].sent_ms != 0 &&
		    run->targets[i].result.outcome == AGENT_ACCEPTED) {
			run->targets[i].follow = FOLLOW_WAITING;
			accepted++;
		}
	for (;;) {
		size_t came = 0;

		for (size_t i = 0; i < run->count; i++) {
			struct resync_target *target = &run->targets[i];

			if ((target->follow == FOLLOW_WAITING ||
				target->follow == FOLLOW_OTHER) &&
			    look_again(run, target, err) != 0)
				return -1;
			came += target->follow == FOLLOW_PROFILE;
		}
		resync_progress(run, "came back", came, accepted);
		if (came == accepted || clock_monotonic_ms() >= deadline)
			return 0;
		(void)poll(NULL, 0, LOOK_MS);
	}
}
