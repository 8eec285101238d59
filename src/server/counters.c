#include "server/counters.h"

const char *
counters_name(enum counter which)
{
	static const char *const names[COUNTERS] = {
		[COUNT_ACCEPTED] = "accepted",
		[COUNT_REFUSED_FULL] = "refused-full",
		[COUNT_DROPPED_FULL] = "dropped-full",
		[COUNT_CLOSED_EARLY] = "closed-early",
		[COUNT_SILENT] = "silent",
		[COUNT_GONE] = "gone",
		[COUNT_LATE] = "late",
		[COUNT_BEGUN] = "begun",
		[COUNT_FAILED] = "failed",
		[COUNT_TIMED_OUT] = "timed-out",
		[COUNT_COMPLETED] = "completed",
		[COUNT_RESUMED] = "resumed",
		[COUNT_REMEMBERED] = "remembered",
		[COUNT_UNASKED] = "unasked",
		[COUNT_ANSWERED] = "answered",
		[COUNT_CUT] = "cut",
	};

	return names[which];
}
