/*
 * Client and server compared, connection by connection.
 *
 * Each line of the server's log that ends a connection names its source; the
 * client has kept the source of each attempt.  One source may serve several
 * attempts, one after another, so counts are compared, not lines.
 */
#include "cmd/simulate_fleet.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SETTLED_MS 500 /* the log has not grown for so long */
#define SETTLE_MAX_MS 10000

/* One end's view of a connection. */
struct sight {
	uint64_t source; /* address and port */
	bool served;
};

struct sights {
	struct sight *list;
	size_t count, size;
};

static void
add(struct sights *sights, uint64_t source, bool served)
{
	if (sights->count == sights->size) {
		sights->size = 2 * sights->size + 4096;
		sights->list = xrealloc(sights->list,
		    sights->size * sizeof(*sights->list));
	}
	sights->list[sights->count++] = (struct sight) { source, served };
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = ((const struct sight *)a)->source;
	uint64_t y = ((const struct sight *)b)->source;

	return (x > y) - (x < y);
}

/* ------------------------------------------------------------- the log */

/* The value of a field, up to the next blank; NULL when it is not there. */
static const char *
field(const char *line, const char *name, size_t *len)
{
	const char *at = strstr(line, name);

	if (at == NULL || (at != line && at[-1] != ' '))
		return NULL;
	at += strlen(name);
	*len = strcspn(at, " \n");
	return at;
}

static bool
is(const char *value, size_t len, const char *text)
{
	return value != NULL && strlen(text) == len &&
	    memcmp(value, text, len) == 0;
}

static bool
read_source(const char *line, uint64_t *source)
{
	size_t len;
	const char *value = field(line, "source=", &len);
	char text[ADDR_TEXT_BYTES];
	const struct sockaddr_in *in;
	struct error ignored;
	struct addr addr;

	if (value == NULL || len >= sizeof(text))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, value);
	if (addr_parse(&addr, text, &ignored) != 0 ||
	    addr.sockaddr.ss_family != AF_INET)
		return false;
	in = (const struct sockaddr_in *)&addr.sockaddr;
	*source = (uint64_t)in->sin_addr.s_addr << 16 | addr_port(&addr);
	return true;
}

/* What the line says of a connection's end, if anything. */
static void
read_line(const char *line, struct account *account, struct sights *logged)
{
	size_t len, status_len;
	const char *event = field(line, "event=", &len);
	const char *status = field(line, "status=", &status_len);
	bool served = is(status, status_len, "200");
	uint64_t source;

	account->lines++;
	if (is(event, len, "log-dropped")) {
		status = field(line, "lines=", &status_len);
		account->dropped_lines += status != NULL ?
		    strtoul(status, NULL, 10) :
		    0;
		return;
	}
	if (!read_source(line, &source)) {
		account->other++;
		return;
	}
	if (is(event, len, "request")) {
		account->requests++;
		account->answered_200 += served ? 1 : 0;
	} else if (is(event, len, "no-request")) {
		account->no_request++;
	} else if (is(event, len, "handshake-failed")) {
		account->failed_handshakes++;
	} else {
		account->other++;
		return;
	}
	add(logged, source, served);
}

/* The server's writer thread may be behind. */
static void
wait_until_settled(const char *path)
{
	const struct timespec pause = { 0, 50 * 1000000L };
	uint64_t start_ms = clock_monotonic_ms(), grown_ms = start_ms;
	struct stat st;
	off_t size = -1;

	while (clock_monotonic_ms() - grown_ms < SETTLED_MS &&
	    clock_monotonic_ms() - start_ms < SETTLE_MAX_MS &&
	    stat(path, &st) == 0) {
		if (st.st_size != size)
			grown_ms = clock_monotonic_ms();
		size = st.st_size;
		(void)nanosleep(&pause, NULL);
	}
}

static int
read_log(const char *path, uint64_t offset, struct account *account,
    struct sights *logged, struct error *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (file == NULL || fseeko(file, (off_t)offset, SEEK_SET) != 0) {
		if (file != NULL)
			(void)fclose(file);
		return error_errno(err, "%s", path);
	}
	while (getline(&line, &size, file) > 0)
		read_line(line, account, logged);
	free(line);
	(void)fclose(file);
	return 0;
}

/* ---------------------------------------------------------- the comparison */

/* How many from i on have that source, and were served. */
static size_t
run_of(const struct sights *sights, size_t i, uint64_t source, size_t *served)
{
	size_t count = 0;

	*served = 0;
	for (; i < sights->count && sights->list[i].source == source; i++) {
		count++;
		*served += sights->list[i].served ? 1 : 0;
	}
	return count;
}

static size_t
beyond(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

static void
match(struct sights *made, struct sights *logged, struct account *account)
{
	size_t i = 0, k = 0;

	qsort(made->list, made->count, sizeof(*made->list), compare);
	qsort(logged->list, logged->count, sizeof(*logged->list), compare);
	while (i < made->count || k < logged->count) {
		uint64_t source = k >= logged->count ? made->list[i].source :
		    i >= made->count		     ? logged->list[k].source :
		    made->list[i].source < logged->list[k].source ?
				       made->list[i].source :
				       logged->list[k].source;
		size_t served, answered;
		size_t n = run_of(made, i, source, &served);
		size_t m = run_of(logged, k, source, &answered);

		account->served_unlogged += beyond(served, answered);
		account->late += beyond(answered, served);
		account->logged_unknown += beyond(m, n);
		account->unlogged += beyond(n, m);
		i += n;
		k += m;
	}
}

int
crowd_account(const char *log, uint64_t offset,
    const struct swarm_report *report, struct account *account,
    struct error *err)
{
	struct sights made = { NULL, 0, 0 }, logged = { NULL, 0, 0 };
	int rc;

	*account = (struct account) { .kept = true };
	wait_until_settled(log);
	for (size_t i = 0; i < report->traces; i++) {
		const struct swarm_trace *trace = &report->trace[i];

		if (trace->address != 0)
			add(&made, (uint64_t)trace->address << 16 | trace->port,
			    trace->outcome == SWARM_SERVED);
	}
	rc = read_log(log, offset, account, &logged, err);
	if (rc == 0)
		match(&made, &logged, account);
	free(made.list);
	free(logged.list);
	return rc;
}
