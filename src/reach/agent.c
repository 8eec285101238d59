#include "reach/agent.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Its headers are not as strict as ours; they take bool from stdbool.h and know
 * IPv6, as the library does, only when told. */
#define HAVE_STDBOOL_H 1
#define HAVE_INTTYPES_H 1
#define HAVE_INET6 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <re/re.h>
#pragma GCC diagnostic pop

#include "base/mem.h"
#include "base/text.h"

#define SOFTWARE "sprov"
#define SOURCES_MAX 32 /* addresses of ours that lead to devices */
#define HASH_SIZE 256
/* The request, with credentials, and once more when the nonce was stale. */
#define TRIES_MAX 3

struct agent;

/* Our side towards some devices: libre writes its address into Via. */
struct source {
	struct sa addr;
	struct sip *sip;
};

struct task {
	struct agent *agent;
	const struct agent_target *target;
	size_t index;
	struct sa addr;
	const struct source *source;
	struct sip_request *request;
	struct sip_auth *auth;
	struct tmr timer;
	struct agent_result result;
	unsigned tries;
	uint64_t call_id, tag;
	bool is_done, asked; /* for our credentials, by libre */
};

struct agent {
	const struct agent_options *options;
	struct task *tasks;
	size_t count, next, done;
	struct source sources[SOURCES_MAX];
	size_t source_count;
	struct tmr pace;
};

const char *
agent_outcome_name(enum agent_outcome outcome)
{
	static const char *const names[] = {
		[AGENT_ACCEPTED] = "accepted",
		[AGENT_REFUSED] = "refused",
		[AGENT_LOGIN] = "wants a login",
		[AGENT_WRONG] = "wrong credentials",
		[AGENT_NO_ANSWER] = "no answer",
		[AGENT_MALFORMED] = "malformed challenge",
		[AGENT_STRANGER] = "answered from elsewhere",
		[AGENT_STOPPED] = "stopped",
		[AGENT_FAILED] = "not sent",
	};

	return names[outcome];
}

/* RFC 3261 section 25.1, user: without what needs an escape. */
bool
agent_is_user(const char *user)
{
	size_t len = strlen(user);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)user[i]) &&
		    strchr("-_.!~*'()&=+$,", user[i]) == NULL)
			return false;
	return len > 0 && len <= 128;
}

static void
finish(struct task *task, enum agent_outcome outcome)
{
	struct agent *agent = task->agent;

	if (task->is_done)
		return;
	task->is_done = true;
	task->result.outcome = outcome;
	tmr_cancel(&task->timer);
	task->auth = mem_deref(task->auth);
	task->request = mem_deref(task->request);
	agent->options->done(task->index, &task->result, agent->options->arg);
	if (++agent->done == agent->count)
		re_cancel();
}

static void
on_timeout(void *arg)
{
	struct task *task = arg;

	finish(task, AGENT_NO_ANSWER);
}

/* libre asks for the credentials of a realm; it owns the copies. */
static int
give_credentials(char **username, char **password, const char *realm, void *arg)
{
	struct task *task = arg;

	(void)realm;
	task->asked = true;
	if (task->target->login == NULL || task->target->password == NULL)
		return EACCES;
	if (str_dup(username, task->target->login) != 0)
		return ENOMEM;
	return str_dup(password, task->target->password);
}

static int send_request(struct task *task);

/* 401: with credentials, if they are wanted for the first time, or if only the
 * nonce was too old (RFC 7616 section 3.3, "stale"). */
static void
answer_challenge(struct task *task, const struct sip_msg *msg)
{
	bool again = task->result.challenged;
	int err;

	task->result.challenged = true;
	if (task->target->login == NULL || task->target->password == NULL) {
		finish(task, AGENT_LOGIN);
		return;
	}
	task->asked = false;
	err = sip_auth_authenticate(task->auth, msg);
	if (err == EAUTH && again) {
		finish(task, AGENT_WRONG);
	} else if (err != 0 || (!again && !task->asked)) {
		finish(task, AGENT_MALFORMED);
	} else if (task->tries >= TRIES_MAX) {
		finish(task, AGENT_WRONG);
	} else if (send_request(task) != 0) {
		finish(task, AGENT_FAILED);
	}
}

static void
on_response(int err, const struct sip_msg *msg, void *arg)
{
	struct task *task = arg;

	/* It is over with the call of this function. */
	task->request = NULL;
	if (task->is_done)
		return;
	if (err != 0 || msg == NULL) {
		finish(task, err == ETIMEDOUT ? AGENT_NO_ANSWER : AGENT_FAILED);
		return;
	}
	if (msg->scode < 200) { /* libre passes on provisional ones */
		return;
	}
	task->result.status = msg->scode;
	if (!sa_cmp(&msg->src, &task->addr, SA_ALL)) {
		finish(task, AGENT_STRANGER);
		return;
	}
	text_escape(msg->reason.p, msg->reason.p != NULL ? msg->reason.l : 0,
	    task->result.reason, sizeof(task->result.reason));
	if (msg->scode == 401 || msg->scode == 407)
		answer_challenge(task, msg);
	else
		finish(task, msg->scode < 300 ? AGENT_ACCEPTED : AGENT_REFUSED);
}

static int
send_request(struct task *task)
{
	const struct agent_target *target = task->target;
	const struct source *source = task->source;
	char uri[256];

	if (re_snprintf(uri, sizeof(uri), "sip:%s@%J", target->user,
		&task->addr) < 0)
		return EINVAL;
	return sip_requestf(&task->request, source->sip, true, "NOTIFY", uri,
	    NULL, task->auth, NULL, on_response, task,
	    "To: <sip:%s@%J>\r\n"
	    "From: <sip:" SOFTWARE "@%j>;tag=%016llx\r\n"
	    "Call-ID: %016llx@" SOFTWARE "\r\n"
	    "CSeq: %u NOTIFY\r\n"
	    "Contact: <sip:" SOFTWARE "@%J>\r\n"
	    "Event: %s\r\n"
	    "Subscription-State: terminated\r\n"
	    "User-Agent: " SOFTWARE "\r\n"
	    "Content-Length: 0\r\n"
	    "\r\n",
	    target->user, &task->addr, &source->addr, task->tag, task->call_id,
	    ++task->tries, &source->addr, target->event);
}

/* The address of ours from which the kernel would send. */
static int
find_local(const struct addr *to, struct sa *local)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int fd = socket(to->sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = -1;

	if (fd < 0)
		return -1;
	/* Nothing is sent: it only looks for the route. */
	if (connect(fd, (const struct sockaddr *)&to->sockaddr, to->len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
	    sa_set_sa(local, (const struct sockaddr *)&addr) == 0)
		rc = 0;
	(void)close(fd);
	return rc;
}

/* A socket of ours on the address from which a device is reached. */
static const struct source *
find_source(struct agent *agent, const struct task *task)
{
	const struct sa *to = &task->addr;
	struct sa addr, bound;
	struct source *source;

	if (find_local(&task->target->addr, &addr) != 0)
		return NULL;
	for (size_t i = 0; i < agent->source_count; i++)
		if (sa_cmp(&agent->sources[i].addr, &addr, SA_ADDR))
			return &agent->sources[i];
	if (agent->source_count == SOURCES_MAX)
		return NULL;
	source = &agent->sources[agent->source_count];
	sa_set_port(&addr, 0);
	if (sip_alloc(&source->sip, NULL, HASH_SIZE, HASH_SIZE, 1, SOFTWARE,
		NULL, NULL) != 0)
		return NULL;
	if (sip_transp_add(source->sip, SIP_TRANSP_UDP, &addr) != 0 ||
	    sip_transp_laddr(source->sip, &bound, SIP_TRANSP_UDP, to) != 0) {
		source->sip = mem_deref(source->sip);
		return NULL;
	}
	source->addr = bound;
	agent->source_count++;
	return source;
}

static void
start(struct task *task)
{
	struct agent *agent = task->agent;

	if (agent->options->started != NULL)
		agent->options->started(task->index, agent->options->arg);
	tmr_start(&task->timer, agent->options->timeout_ms, on_timeout, task);
	task->source = find_source(agent, task);
	task->tag = rand_u64();
	task->call_id = rand_u64();
	if (task->source == NULL ||
	    sip_auth_alloc(&task->auth, give_credentials, task, false) != 0 ||
	    send_request(task) != 0)
		finish(task, AGENT_FAILED);
}

static void
on_pace(void *arg)
{
	struct agent *agent = arg;

	if (agent->next == agent->count)
		return;
	tmr_start(&agent->pace, 1000 / agent->options->rate, on_pace, agent);
	start(&agent->tasks[agent->next++]);
}

static void
on_signal(int number)
{
	(void)number;
	re_cancel();
}

static int
set_addr(struct sa *sa, const struct addr *addr)
{
	return sa_set_sa(sa, (const struct sockaddr *)&addr->sockaddr);
}

static struct task *
make_tasks(struct agent *agent, const struct agent_target *targets,
    size_t count)
{
	struct task *tasks = xcalloc(count, sizeof(*tasks));

	for (size_t i = 0; i < count; i++) {
		tasks[i].agent = agent;
		tasks[i].target = &targets[i];
		tasks[i].index = i;
		(void)set_addr(&tasks[i].addr, &targets[i].addr);
		tmr_init(&tasks[i].timer);
	}
	return tasks;
}

int
agent_notify(const struct agent_target *targets, size_t count,
    const struct agent_options *options, struct error *err)
{
	struct agent agent = { .options = options, .count = count };
	struct sigaction interrupt, terminate;
	int rc = libre_init();

	if (count == 0)
		return 0;
	if (rc != 0)
		return error_set(err, ERROR_SYSTEM,
		    "the SIP library cannot begin: %s", strerror(rc));
	agent.tasks = make_tasks(&agent, targets, count);
	tmr_init(&agent.pace);
	tmr_start(&agent.pace, 0, on_pace, &agent);
	/* libre sets handlers, and leaves them behind. */
	(void)sigaction(SIGINT, NULL, &interrupt);
	(void)sigaction(SIGTERM, NULL, &terminate);
	rc = re_main(on_signal);
	(void)sigaction(SIGINT, &interrupt, NULL);
	(void)sigaction(SIGTERM, &terminate, NULL);
	if (rc != 0)
		(void)error_set(err, ERROR_SYSTEM, "the SIP library's loop: %s",
		    strerror(rc));
	/* After a signal: what had not ended. */
	for (size_t i = 0; i < count; i++)
		finish(&agent.tasks[i], AGENT_STOPPED);
	tmr_cancel(&agent.pace);
	for (size_t i = 0; i < agent.source_count; i++) {
		sip_close(agent.sources[i].sip, true);
		mem_deref(agent.sources[i].sip);
	}
	free(agent.tasks);
	libre_close();
	return rc == 0 ? 0 : -1;
}
