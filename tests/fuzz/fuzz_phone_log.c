/* Syslog datagrams: what comes out is short, printable and in the datagram. */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "spa/phone_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *text, size_t max)
{
	assert(strlen(text) <= max);
	for (; *text != '\0'; text++)
		assert(isprint((unsigned char)*text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct phone_log line;

	memset(&line, 0xa5, sizeof(line));
	phone_log_parse(&line, data, size);
	assert(line.kind < PHONE_LOG_KINDS);
	check_text(line.product, PHONE_LOG_PRODUCT_MAX);
	check_text(line.url, PHONE_LOG_TEXT_MAX);
	check_text(line.error, PHONE_LOG_TEXT_MAX);
	check_text(line.text, PHONE_LOG_TEXT_MAX);
	assert((line.kind == PHONE_LOG_OTHER) == (*line.product == '\0'));
	if (line.kind != PHONE_LOG_OTHER)
		assert(line.has_mac);
	return 0;
}
