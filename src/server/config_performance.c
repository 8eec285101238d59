#include "server/config_performance.h"
#include "server/config_reader.h"
#include "tls/verify_cache.h"

static void
read_algorithms(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "reduced", "all" };
	int i = config_choose(reader, &d->words[1], "choice for algorithms",
	    names, 2);

	if (i >= 0)
		reader->config->performance.all_algorithms = i == 1;
}

static void
read_verifications(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 0, VERIFY_CACHE_MAX,
	    &reader->config->performance.verifications);
}

static void
read_sessions(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 0, CONFIG_CONNECTIONS_MAX,
	    &reader->config->performance.sessions);
}

static void
read_handshakes(struct config_reader *reader, const struct scfg_directive *d)
{
	(void)config_number(reader, &d->words[1], 1, CONFIG_CONNECTIONS_MAX,
	    &reader->config->performance.handshakes);
}

static void
read_operations(struct config_reader *reader, const struct scfg_directive *d)
{
	static const char *const names[] = { "single", "together" };
	int i = config_choose(reader, &d->words[1],
	    "choice for private-operations", names, 2);

	if (i >= 0)
		reader->config->performance.together = i == 1;
}

static void
read_device_timeout(struct config_reader *reader,
    const struct scfg_directive *d)
{
	(void)config_duration(reader, &d->words[1],
	    &reader->config->performance.device_timeout_ms);
}

static const struct config_directive directives[] = {
	{ .name = "algorithms",
	    .usage = "reduced|all",
	    .min = 1,
	    .max = 1,
	    .read = read_algorithms },
	{ .name = "device-timeout",
	    .usage = "DURATION",
	    .min = 1,
	    .max = 1,
	    .read = read_device_timeout },
	{ .name = "handshakes",
	    .usage = "NUMBER",
	    .min = 1,
	    .max = 1,
	    .read = read_handshakes },
	{ .name = "private-operations",
	    .usage = "single|together",
	    .min = 1,
	    .max = 1,
	    .read = read_operations },
	{ .name = "sessions",
	    .usage = "NUMBER",
	    .min = 1,
	    .max = 1,
	    .read = read_sessions },
	{ .name = "verifications",
	    .usage = "NUMBER",
	    .min = 1,
	    .max = 1,
	    .read = read_verifications },
};

static const struct config_table table = {
	directives,
	sizeof(directives) / sizeof(*directives),
	"in a performance block",
};

void
config_performance_default(struct config_performance *performance)
{
	*performance = (struct config_performance) {
		.all_algorithms = false,
		.together = false,
		.verifications = 65536,
		.sessions = 2000,
		.handshakes = 2000,
		.device_timeout_ms = 5000,
	};
}

void
config_performance_read(struct config_reader *reader,
    const struct scfg_directive *d, const struct config_table *outside)
{
	config_read_block(reader, d, config_place(&d->words[0]), &table,
	    outside);
}
