/*
 * What devices say themselves, beside what the server saw of them: their syslog
 * lines, each printed when it comes, and a failure with the event that belongs
 * to it.
 *
 * The record is written in batches, so a line waits a moment for its event.
 * That there is none says something, too: the device never came here.
 */
#include "cmd/doctor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "server/config.h"
#include "spa/phone_log.h"

#define PENDING_MAX 256 /* lines that wait for their events */
#define TICK_MS 250
#define BURST_MAX 256	/* datagrams between two looks at the record */
#define EVENT_WAIT_S 1	/* so long the record may be behind */
#define FAILED_WAIT_S 5 /* then there was no event */
#define ASKED_WAIT_S 15
#define BEFORE_S 60 /* how long before its line an event may be */
#define EVENTS_MAX 32

struct pending {
	uint64_t number; /* of the line; 0: free */
	struct phone_log line;
	char source[ADDR_TEXT_BYTES];
	time_t at;
};

struct listening {
	const struct config *config;
	const struct doctor_world *world;
	struct events *events; /* NULL: there is no record yet */
	bool json;
	uint64_t lines;
	size_t next; /* the oldest of pending */
	struct pending pending[PENDING_MAX];
};

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* ---------------------------------------------------------------- printing */

static void
print_json(json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);

	(void)printf("%s\n", text != NULL ? text : "{}");
	free(text);
	json_decref(root);
}

static void
print_line(const struct listening *l, const struct pending *p)
{
	char when[CLOCK_TEXT_BYTES], mac[MAC_TEXT_BYTES] = "-";

	clock_format(p->at, when);
	if (p->line.has_mac)
		mac_format(&p->line.mac, mac);
	if (l->json) {
		print_json(json_pack("{ss sI ss ss ss ss? ss ss ss ss}", "type",
		    "line", "number", (json_int_t)p->number, "time", when,
		    "address", p->source, "kind",
		    phone_log_kind_name(p->line.kind), "mac",
		    p->line.has_mac ? mac : NULL, "product", p->line.product,
		    "url", p->line.url, "error", p->line.error, "text",
		    p->line.text));
		return;
	}
	(void)cmd_wrapf(80, 4, "%s %s %s: %s", when, p->source, mac,
	    p->line.text);
	(void)putchar('\n');
}

/* What a line comes to. */
struct answer {
	bool has_event;
	struct event event;
	const char *joined_by;	    /* "mac" or "address"; "" without event */
	struct diagnosis diagnosis; /* of an event that was not served */
	char text[DIAGNOSE_TEXT_MAX + 64];
	const char *fix;
};

/* "2 s before", of the event. */
static void
tell_distance(const struct pending *p, const struct answer *answer,
    char text[static 32])
{
	long long seconds = (long long)(p->at - answer->event.at);

	(void)snprintf(text, 32, "%lld s %s", seconds < 0 ? -seconds : seconds,
	    seconds < 0 ? "later" : "before");
}

static void
print_answer_json(const struct pending *p, const struct answer *answer)
{
	const struct event *event = answer->has_event ? &answer->event : NULL;
	bool failed = event != NULL && event->kind != EVENT_SERVED;

	print_json(json_pack("{ss sI sb ss so ss? ss? ss ss}", "type", "answer",
	    "line", (json_int_t)p->number, "event", event != NULL, "joined_by",
	    answer->joined_by, "event_time",
	    cmd_json_time(event != NULL ? event->at : 0), "listener",
	    event != NULL ? event->listener : NULL, "cause",
	    failed ? diagnose_cause_name(answer->diagnosis.cause) : NULL,
	    "text", answer->text, "fix", answer->fix));
}

static void
print_answer(const struct listening *l, const struct pending *p,
    const struct answer *answer)
{
	char distance[32], mac[MAC_TEXT_BYTES] = "it";

	if (l->json) {
		print_answer_json(p, answer);
		return;
	}
	if (p->line.has_mac)
		mac_format(&p->line.mac, mac);
	if (answer->has_event) {
		tell_distance(p, answer, distance);
		(void)cmd_wrapf((size_t)printf("    %s,", mac), 6,
		    "%s, on listener %s: %s (known by its %s)", distance,
		    answer->event.listener, answer->text, answer->joined_by);
	} else {
		(void)cmd_wrapf((size_t)printf("    %s:", mac), 6, "%s",
		    answer->text);
	}
	if (*answer->fix != '\0')
		(void)cmd_wrapf((size_t)printf("\n    to do:"), 6, "%s",
		    answer->fix);
	(void)putchar('\n');
}

/* ----------------------------------------------- the event that belongs to it */

struct search {
	const struct pending *pending;
	struct answer *answer;
	const char *by;
};

/* The newest one first: it ends the visit, unless it is another device's. */
static int
take_event(const struct event *event, void *arg)
{
	const struct search *search = arg;
	const struct phone_log *line = &search->pending->line;
	struct answer *answer = search->answer;

	if (event->has_mac && line->has_mac &&
	    !mac_equal(&event->mac, &line->mac))
		return 0;
	if (answer->has_event && answer->event.at >= event->at)
		return 1;
	answer->has_event = true;
	answer->event = *event;
	answer->joined_by = search->by;
	return 1;
}

/* By its certificate, and by its address: a refusal comes before the
 * certificate. */
static int
find_event(struct listening *l, const struct pending *p, struct answer *answer,
    struct error *err)
{
	struct events_query query = { .since = p->at - BEFORE_S,
		.source = p->source,
		.kind = -1,
		.newest_first = true,
		.limit = EVENTS_MAX };
	struct search search = { p, answer, "address" };

	if (events_each(l->events, &query, take_event, &search, err) < 0)
		return -1;
	if (!p->line.has_mac)
		return 0;
	query.source = NULL;
	query.mac = &p->line.mac;
	search.by = "mac";
	return events_each(l->events, &query, take_event, &search, err) < 0 ?
	    -1 :
	    0;
}

static bool
is_failure(enum phone_log_kind kind)
{
	return kind == PHONE_LOG_RESYNC_FAILED ||
	    kind == PHONE_LOG_UPGRADE_FAILED;
}

/* Where an event and a line speak of different devices behind one address, the
 * diagnosis may know better than the event itself. */
static bool
is_anothers(const struct pending *p, const struct diagnosis *diagnosis)
{
	return p->line.has_mac && diagnosis->who.has_mac &&
	    !mac_equal(&p->line.mac, &diagnosis->who.mac);
}

static int
explain_event(struct listening *l, const struct pending *p,
    struct answer *answer, struct error *err)
{
	/* Fresh ones: what they remember of an address is of before. */
	struct doctor_hints *hints = doctor_hints_new(l->events);
	int rc = doctor_diagnose(hints, l->world, &answer->event,
	    &answer->diagnosis, err);

	doctor_hints_free(hints);
	if (rc != 0)
		return -1;
	if (is_anothers(p, &answer->diagnosis)) {
		answer->has_event = false;
		answer->joined_by = "";
		return 0;
	}
	(void)snprintf(answer->text, sizeof(answer->text), "%s",
	    answer->diagnosis.text);
	answer->fix = answer->diagnosis.fix;
	return 0;
}

static void
explain_served(struct answer *answer)
{
	(void)snprintf(answer->text, sizeof(answer->text),
	    "it was sent %.60s, %llu bytes (%s), and did not take it",
	    answer->event.path, (unsigned long long)answer->event.bytes,
	    answer->event.reason);
	answer->fix = "see whether \"sprov profile check\" finds something in "
		      "it and, where it is encrypted, whether the device has "
		      "that key";
}

static void
explain_nothing(const struct pending *p, struct answer *answer)
{
	if (is_failure(p->line.kind))
		(void)snprintf(answer->text, sizeof(answer->text),
		    "nothing came here from it in the last %d s", BEFORE_S);
	else
		(void)snprintf(answer->text, sizeof(answer->text),
		    "it said that it would ask %.150s, and nothing came here",
		    p->line.url);
	answer->fix = "see whether its profile rule names this server, whether "
		      "DNS and routes lead here, and whether something between "
		      "answers in its place";
}

/* True when there is no more to wait for. */
static bool
settle(struct listening *l, const struct pending *p, time_t now)
{
	bool failure = is_failure(p->line.kind);
	struct answer answer = { .joined_by = "", .fix = "" };
	struct error err = { 0 };

	if (now < p->at + EVENT_WAIT_S)
		return false;
	if (l->events != NULL &&
	    (find_event(l, p, &answer, &err) != 0 ||
		(answer.has_event && answer.event.kind != EVENT_SERVED &&
		    explain_event(l, p, &answer, &err) != 0))) {
		(void)cmd_fail(&err);
		return true;
	}
	if (!answer.has_event) {
		if (now < p->at + (failure ? FAILED_WAIT_S : ASKED_WAIT_S))
			return false;
		explain_nothing(p, &answer);
	} else if (!failure) {
		return true; /* it came; what became of it, it will say */
	} else if (answer.event.kind == EVENT_SERVED) {
		explain_served(&answer);
	}
	print_answer(l, p, &answer);
	return true;
}

static void
open_record(struct listening *l)
{
	char *path = file_join(l->config->state_directory, EVENTS_FILE);
	struct error ignored;

	if (l->events == NULL)
		l->events = events_open(path, true, &ignored);
	free(path);
}

static void
settle_all(struct listening *l)
{
	time_t now = clock_wall();

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &l->pending[(l->next + i) % PENDING_MAX];

		if (p->number == 0)
			continue;
		open_record(l);
		if (settle(l, p, now))
			p->number = 0;
	}
}

/* ------------------------------------------------------------- what comes in */

/* The device has said how it ended: its request needs no answer any more. */
static void
forget_request(struct listening *l, const struct pending *of)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &l->pending[i];

		if (p->number != 0 && !is_failure(p->line.kind) &&
		    p->line.has_mac && of->line.has_mac &&
		    mac_equal(&p->line.mac, &of->line.mac))
			p->number = 0;
	}
}

static void
take_line(struct listening *l, const void *data, size_t len,
    const struct addr *source)
{
	struct pending fresh = { .number = ++l->lines, .at = clock_wall() };

	phone_log_parse(&fresh.line, data, len);
	addr_format_host(source, fresh.source);
	print_line(l, &fresh);
	if (fresh.line.kind == PHONE_LOG_OTHER)
		return;
	forget_request(l, &fresh);
	if (fresh.line.kind == PHONE_LOG_RESYNC_DONE ||
	    fresh.line.kind == PHONE_LOG_UPGRADE_DONE)
		return;
	/* When there are too many, the oldest gets no answer. */
	l->pending[l->next] = fresh;
	l->next = (l->next + 1) % PENDING_MAX;
}

static int
receive(struct listening *l, int fd, struct error *err)
{
	struct addr source = { .len = sizeof(source.sockaddr) };
	char data[PHONE_LOG_BYTES_MAX];
	ssize_t n;

	for (int i = 0; i < BURST_MAX; i++) {
		source.len = sizeof(source.sockaddr);
		n = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT,
		    (struct sockaddr *)&source.sockaddr, &source.len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0)
			return error_errno(err, "cannot receive");
		take_line(l, data, (size_t)n, &source);
	}
	return 0;
}

static int
listen_on(const struct addr *address, const char *text, struct error *err)
{
	int fd = socket(address->sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC,
	    0);

	if (fd >= 0 &&
	    bind(fd, (const struct sockaddr *)&address->sockaddr,
		address->len) == 0)
		return fd;
	(void)error_errno(err, "cannot listen on %s", text);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int
loop(struct listening *l, int fd, struct error *err)
{
	struct pollfd wanted = { .fd = fd, .events = POLLIN };
	int rc = 0;

	while (rc == 0 && !stopped) {
		if (poll(&wanted, 1, TICK_MS) > 0)
			rc = receive(l, fd, err);
		settle_all(l);
		(void)fflush(stdout);
	}
	return rc;
}

int
doctor_syslog(const struct config *config, const struct doctor_world *world,
    const char *address, bool json)
{
	struct listening *l = xcalloc(1, sizeof(*l));
	struct error err = { 0 };
	struct addr addr;
	int fd = -1, rc;

	l->config = config;
	l->world = world;
	l->json = json;
	rc = addr_parse(&addr, address, &err);
	if (rc != 0)
		(void)error_prefix(&err, "--phone-syslog: ");
	else
		rc = fd = listen_on(&addr, address, &err);
	if (rc >= 0) {
		(void)signal(SIGINT, on_signal);
		(void)signal(SIGTERM, on_signal);
		cmd_error("listening on %s", address);
		rc = loop(l, fd, &err);
	}
	if (fd >= 0)
		(void)close(fd);
	events_close(l->events);
	free(l);
	return rc == 0 ? CMD_DONE : cmd_fail(&err);
}
