#include "server/selftest.h"
#include "base/log.h"
#include "base/mem.h"
#include "server/config.h"
#include "server/service.h"
#include "server/sockets.h"
#include "server/visits.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

/* What is looked at, or is to be next. */
struct subject {
	struct service *service; /* NULL: nothing */
	struct selftest_place *places;
	size_t count;
};

struct selftest {
	uv_loop_t *loop;
	uv_work_t work;
	selftest_run *run;
	struct visits *visits;
	selftest_ended *ended;
	void *arg;
	bool running;
	atomic_bool stop;
	struct subject now, next;
	size_t looks;
	struct errors errors;
};

static void
clear(struct subject *subject)
{
	service_release(subject->service);
	free(subject->places);
	*subject = (struct subject) { .count = 0 };
}

struct selftest *
selftest_new(uv_loop_t *loop, selftest_run *run, struct visits *visits,
    selftest_ended *ended, void *arg)
{
	struct selftest *selftest = xcalloc(1, sizeof(*selftest));

	selftest->loop = loop;
	selftest->run = run;
	selftest->visits = visits;
	selftest->ended = ended;
	selftest->arg = arg;
	selftest->work.data = selftest;
	atomic_init(&selftest->stop, false);
	return selftest;
}

void
selftest_free(struct selftest *selftest)
{
	if (selftest == NULL)
		return;
	clear(&selftest->now);
	clear(&selftest->next);
	errors_clear(&selftest->errors);
	free(selftest);
}

void
selftest_stop(struct selftest *selftest)
{
	if (selftest == NULL)
		return;
	atomic_store(&selftest->stop, true);
	clear(&selftest->next);
}

/* Where a socket can be reached from here; every address is also one of ours. */
static bool
reach(const struct listening *from, struct selftest_place *place)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&place->address.sockaddr;
	struct sockaddr_in6 *v6 =
	    (struct sockaddr_in6 *)&place->address.sockaddr;

	*place = (struct selftest_place) { .listener = from->listener };
	place->address.len = sizeof(place->address.sockaddr);
	if (getsockname(from->fd, (struct sockaddr *)&place->address.sockaddr,
		&place->address.len) != 0)
		return false;
	if (place->address.sockaddr.ss_family == AF_INET &&
	    v4->sin_addr.s_addr == htonl(INADDR_ANY))
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (place->address.sockaddr.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
	return true;
}

static void
log_outcome(const struct selftest *selftest)
{
	const struct errors *errors = &selftest->errors;

	for (size_t i = 0; i < errors->kept; i++)
		log_message(LOG_LEVEL_ERROR, "self-test-failed", "%s",
		    errors->text[i]);
	if (errors->count == 0)
		log_message(LOG_LEVEL_INFO, "self-test",
		    "%zu looks at %zu addresses: all as configured",
		    selftest->looks, selftest->now.count);
}

static void begin(struct selftest *selftest);

/* In the pool. */
static void
work(uv_work_t *work)
{
	struct selftest *selftest = work->data;
	const struct selftest_plan plan = { selftest->now.service,
		selftest->now.places, selftest->now.count, selftest->visits,
		&selftest->stop };

	selftest->looks = selftest->run(&plan, &selftest->errors);
}

static void
after(uv_work_t *work, int status)
{
	struct selftest *selftest = work->data;

	(void)status;
	selftest->running = false;
	if (selftest->visits != NULL)
		visits_end(selftest->visits);
	/* What is being closed looks broken. */
	if (!atomic_load(&selftest->stop)) {
		if (selftest->ended == NULL)
			log_outcome(selftest);
		else
			selftest->ended(selftest->arg, &selftest->errors);
	}
	errors_clear(&selftest->errors);
	clear(&selftest->now);
	if (selftest->next.service != NULL)
		begin(selftest);
}

static void
begin(struct selftest *selftest)
{
	selftest->now = selftest->next;
	selftest->next = (struct subject) { .count = 0 };
	selftest->running = true;
	(void)uv_queue_work(selftest->loop, &selftest->work, work, after);
}

void
selftest_start(struct selftest *selftest, struct service *service,
    const struct sockets *sockets)
{
	struct subject *next;

	if (selftest == NULL || atomic_load(&selftest->stop))
		return;
	next = &selftest->next;
	clear(next);
	next->service = service_retain(service);
	next->places = xcalloc(sockets->count + 1, sizeof(*next->places));
	for (size_t i = 0; i < sockets->count; i++)
		if (reach(&sockets->list[i], &next->places[next->count]))
			next->count++;
	if (!selftest->running)
		begin(selftest);
}

void
selftest_rehearse(struct config *config)
{
	for (size_t i = 0; i < config->listener_count; i++) {
		struct config_listener *listener = &config->listeners[i];
		struct addr *address = &listener->addresses[0];
		struct sockaddr_in *v4 =
		    (struct sockaddr_in *)&address->sockaddr;

		*address = (struct addr) { .len = sizeof(*v4) };
		v4->sin_family = AF_INET;
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		listener->address_count = 1;
	}
	config->tftp.address_count = 0;
	free(config->inventory);
	config->inventory = xstrdup("memory:");
	config->log_level = LOG_LEVEL_ERROR;
}
