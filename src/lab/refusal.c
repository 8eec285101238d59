#include "lab/refusal.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "lab/fleet.h"
#include "lab/lab.h"
#include "lab/pki.h"
#include "pki/chain.h"
#include "sim/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_MAX (256UL * 1024 * 1024)
#define LOG_TIMEOUT_MS 5000

enum bearer {
	BEARER_OWN, /* the device's good certificate */
	BEARER_NONE,
	BEARER_GENERIC,
	BEARER_STRANGER, /* right subject, unknown CA */
	BEARER_EXPIRED,
	BEARER_CONTRADICTORY, /* MAC and serial (MIC: product) disagree */
	BEARER_UNKNOWN,	      /* good, of a MAC that is not in the inventory */
	BEARER_RETIRED,	      /* good, of a retired device */
	BEARER_OTHER_SERIAL,  /* the inventory knows another serial */
};

/* In paths, %s is the own MAC and %o another device's. */
static const struct {
	const char *what;
	enum bearer bearer;
	const char *path;
	int status;
	const char *reason;
} trials[] = {
	{ "another device's profile", BEARER_OWN, "/spa%o.cfg", 403,
	    "other-device" },
	{ "another device's, by its other path", BEARER_OWN, "/%o.xml", 403,
	    "other-device" },
	{ "no certificate", BEARER_NONE, "/spa%s.cfg", 403, "no-certificate" },
	{ "generic certificate", BEARER_GENERIC, "/spa%s.cfg", 403,
	    "generic-certificate" },
	{ "certificate of an unknown CA", BEARER_STRANGER, "/spa%s.cfg", 403,
	    "untrusted-certificate" },
	{ "expired certificate", BEARER_EXPIRED, "/spa%s.cfg", 403,
	    "expired-certificate" },
	{ "parts that disagree", BEARER_CONTRADICTORY, "/spa%s.cfg", 403,
	    "contradictory-certificate" },
	{ "serial unlike the inventory's", BEARER_OTHER_SERIAL, "/spa%s.cfg",
	    403, "wrong-serial" },
	{ "unknown MAC", BEARER_UNKNOWN, "/spa%s.cfg", 403, "unknown-device" },
	{ "retired device", BEARER_RETIRED, "/spa%s.cfg", 403,
	    "retired-device" },
	{ "another model's common file", BEARER_OWN, "/spa2102.cfg", 403,
	    "other-model" },
	{ "dot segments", BEARER_OWN, "/../spa%o.cfg", 400, NULL },
	{ "dot segments behind the own path", BEARER_OWN,
	    "/spa%s.cfg/../spa%o.cfg", 400, NULL },
	{ "encoded dots", BEARER_OWN, "/%%2e%%2e/spa%o.cfg", 400, NULL },
	{ "encoded slash", BEARER_OWN, "/%%2fspa%o.cfg", 400, NULL },
	{ "encoded NUL", BEARER_OWN, "/spa%s.cfg%%00", 400, NULL },
	{ "doubled slashes", BEARER_OWN, "//spa%o.cfg", 400, NULL },
	{ "backslash", BEARER_OWN, "/..\\spa%o.cfg", 400, NULL },
	{ "other case of the path", BEARER_OWN, "/SPA%s.CFG", 404,
	    "no-such-path" },
	{ "slash at the end", BEARER_OWN, "/spa%s.cfg/", 404, "no-such-path" },
	{ "text behind the path", BEARER_OWN, "/spa%s.cfg.bak", 404,
	    "no-such-path" },
	{ "template folder", BEARER_OWN, "/templates/device.xml", 404,
	    "no-such-path" },
	{ "server's key", BEARER_OWN, "/servers/ciscosb-prov-2.key", 404,
	    "no-such-path" },
};
#define TRIALS (sizeof(trials) / sizeof(*trials))

/* Devices that stand for their form, and others whose profiles they ask. */
static const struct lab_device *
find_device(const struct lab_fleet *fleet, enum identity_form form,
    const struct lab_device *but)
{
	for (size_t i = 0; i < fleet->count; i++) {
		const struct lab_device *device = &fleet->devices[i];

		if (device != but && device->rule != NULL &&
		    device->model->identity == form)
			return device;
	}
	return NULL;
}

static void
write_path(char *path, size_t size, const char *pattern, const struct mac *own,
    const struct mac *other)
{
	char own_text[MAC_TEXT_BYTES], other_text[MAC_TEXT_BYTES];
	size_t used = 0;

	mac_format(own, own_text);
	mac_format(other, other_text);
	for (const char *p = pattern; *p != '\0' && used + 1 < size; p++) {
		const char *insert = NULL;
		int n;

		if (*p == '%' && p[1] == 's')
			insert = own_text;
		else if (*p == '%' && p[1] == 'o')
			insert = other_text;
		else if (*p == '%' && p[1] == '%')
			insert = "%";
		if (insert == NULL) {
			path[used++] = *p;
			continue;
		}
		n = snprintf(path + used, size - used, "%s", insert);
		used += n > 0 && (size_t)n < size - used ? (size_t)n : 0;
		p++;
	}
	path[used] = '\0';
}

/* The certificate for a trial; NULL with status 0 in *rc for none. */
static struct chain *
make_bearer(const struct lab_pki *pki, const struct lab_device *device,
    enum bearer bearer, const struct mac *mac, const char *directory,
    struct error *err)
{
	struct lab_identity identity = {
		.model = device->model,
		.mac = *mac,
		.second_mac = *mac,
		.serial = device->serial,
		.second_serial = device->serial,
		.generic = bearer == BEARER_GENERIC,
		.stranger = bearer == BEARER_STRANGER,
		.expired = bearer == BEARER_EXPIRED,
	};
	char *base = xasprintf("%s/devices/trial", directory);
	char *cert = xasprintf("%s.crt", base);
	char *key = xasprintf("%s.key", base);
	struct chain *chain = NULL;

	if (bearer == BEARER_CONTRADICTORY) {
		identity.second_mac = lab_retired_mac;
		identity.second_serial = "LAB999999";
	}
	if (bearer == BEARER_OTHER_SERIAL) {
		identity.serial = "LAB888888";
		identity.second_serial = "LAB888888";
	}
	if (lab_pki_write_identity(pki, &identity, base, err) == 0)
		chain = chain_load(cert, key, err);
	(void)unlink(cert);
	(void)unlink(key);
	free(key);
	free(cert);
	free(base);
	return chain;
}

static bool
holds_profile(const struct sim_result *result)
{
	return result->body != NULL &&
	    (strstr(result->body, "flat-profile") != NULL ||
		strstr(result->body, "Password") != NULL);
}

static int
try_one(const struct lab_pki *pki, const struct lab_device *device,
    const struct lab_device *other, const char *directory, size_t trial,
    const char *agent, struct lab_refusal *refusal, struct error *err)
{
	static const struct mac unknown = { { 0x02, 0x1a, 0xb0, 0xee, 0, 1 } };
	enum bearer bearer = trials[trial].bearer;
	const struct mac *mac = bearer == BEARER_UNKNOWN ? &unknown :
	    bearer == BEARER_RETIRED			 ? &lab_retired_mac :
							   &device->mac;
	struct sim_device_options options = {
		.model = device->model,
		.firmware = device->has_firmware ? &device->firmware : NULL,
		.mac = *mac,
		.serial = device->serial,
		.trusted = device->trusted,
		.user_agent = agent,
	};
	struct chain *chain = NULL;
	struct sim_device *sim;
	struct sim_result result;
	char rule[512];
	const char *end;

	if (bearer != BEARER_NONE) {
		chain = make_bearer(pki, device, bearer, mac, directory, err);
		if (chain == NULL)
			return -1;
	}
	options.identity = chain;
	sim = sim_device_new(&options, err);
	if (sim == NULL) {
		chain_free(chain);
		return -1;
	}
	write_path(refusal->path, sizeof(refusal->path), trials[trial].path,
	    mac, &other->mac);
	/* The device's own rule up to the path, then the path of the trial. */
	end = strrchr(device->rule, '/');
	(void)snprintf(rule, sizeof(rule), "%.*s%s", (int)(end - device->rule),
	    device->rule, refusal->path);
	sim_resync(sim, rule, &lab_network, &result);
	refusal->status = result.status;
	refusal->leaked = holds_profile(&result);
	sim_result_clear(&result);
	sim_device_free(sim);
	chain_free(chain);
	return 0;
}

/* Copy the value of " key=" in the line that begins at text. */
static void
copy_field(const char *line, size_t len, const char *key, char *value,
    size_t size)
{
	size_t key_len = strlen(key), n = 0;

	*value = '\0';
	for (size_t i = 0; i + key_len < len; i++) {
		if (strncmp(line + i, key, key_len) != 0)
			continue;
		for (i += key_len; i < len && n + 1 < size && line[i] != ' ' &&
		     line[i] != '\n';
		     i++)
			value[n++] = line[i];
		break;
	}
	value[n] = '\0';
}

/* The log's word for the request with that User-Agent; "" when not there. */
static void
find_reason(const char *log, const char *agent, char *reason, size_t size)
{
	char field[96];
	const char *at, *line, *end;

	*reason = '\0';
	(void)snprintf(field, sizeof(field), " agent=%s ", agent);
	at = strstr(log, field);
	if (at == NULL)
		return;
	line = at;
	while (line > log && line[-1] != '\n')
		line--;
	end = strchr(at, '\n');
	copy_field(line, end != NULL ? (size_t)(end - line) : strlen(line),
	    " reason=", reason, size);
}

static void
agent_name(char *agent, size_t size, size_t index)
{
	(void)snprintf(agent, size, "lab-refusal-%zu-", index);
}

/* The log is written by a thread of its own: wait for the last line. */
static char *
read_log(const char *path, size_t last, struct error *err)
{
	uint64_t deadline = clock_monotonic_ms() + LOG_TIMEOUT_MS;
	char agent[64], reason[8], *log = NULL;
	size_t len;

	agent_name(agent, sizeof(agent), last);
	for (;;) {
		if (file_read(path, LOG_MAX, &log, &len, err) != 0)
			return NULL;
		find_reason(log, agent, reason, sizeof(reason));
		if (*reason != '\0' || clock_monotonic_ms() > deadline)
			return log;
		free(log);
		(void)usleep(20000);
	}
}

/* Requests that are no HTTP have no User-Agent in the log: the status says
 * it. */
static int
judge(struct lab_refusal *list, size_t count, const char *log_path,
    struct error *err)
{
	size_t last = 0;
	char agent[64], *log;

	for (size_t i = 0; i < count; i++)
		if (list[i].expected_reason != NULL)
			last = i;
	log = read_log(log_path, last, err);
	if (log == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct lab_refusal *refusal = &list[i];

		agent_name(agent, sizeof(agent), i);
		find_reason(log, agent, refusal->reason,
		    sizeof(refusal->reason));
		refusal->as_expected = !refusal->leaked &&
		    refusal->status == refusal->expected_status &&
		    (refusal->expected_reason == NULL ||
			strcmp(refusal->reason, refusal->expected_reason) == 0);
	}
	free(log);
	return 0;
}

int
lab_refusals_run(const struct lab_pki *pki, const struct lab_fleet *fleet,
    const char *directory, const char *log_path, struct lab_refusal **list,
    size_t *count, struct error *err)
{
	static const enum identity_form forms[] = { IDENTITY_DOCUMENTED,
		IDENTITY_OBSERVED, IDENTITY_MIC };
	struct lab_refusal *all = xcalloc(3 * TRIALS, sizeof(*all));
	size_t n = 0;

	for (size_t f = 0; f < 3; f++) {
		const struct lab_device *device = find_device(fleet, forms[f],
		    NULL);
		const struct lab_device *other = find_device(fleet, forms[f],
		    device);

		for (size_t t = 0;
		     device != NULL && other != NULL && t < TRIALS; t++, n++) {
			char agent[64];

			agent_name(agent, sizeof(agent), n);
			all[n].form = forms[f];
			all[n].expected_status = trials[t].status;
			all[n].expected_reason = trials[t].reason;
			(void)snprintf(all[n].what, sizeof(all[n].what), "%s",
			    trials[t].what);
			if (try_one(pki, device, other, directory, t, agent,
				&all[n], err) != 0)
				goto fail;
		}
	}
	if (judge(all, n, log_path, err) != 0)
		goto fail;
	*list = all;
	*count = n;
	return 0;
fail:
	free(all);
	return -1;
}
