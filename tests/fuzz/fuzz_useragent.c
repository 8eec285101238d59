/* User-Agent fields: whatever is read stands in the text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spa/registry.h"
#include "spa/useragent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct useragent *ua, const char *text)
{
	char mac[MAC_TEXT_BYTES];

	assert(*ua->product != '\0' && strstr(text, ua->product) != NULL);
	assert(strlen(ua->product) <= USERAGENT_TEXT_MAX);
	assert(strlen(ua->version) <= FIRMWARE_TEXT_MAX);
	assert(strlen(ua->serial) <= USERAGENT_TEXT_MAX);
	assert(strstr(text, ua->version) != NULL);
	assert(strchr(ua->version, ' ') == NULL);
	assert(strstr(text, ua->serial) != NULL);
	if (ua->has_mac) {
		mac_format(&ua->mac, mac);
		assert(strcasestr(text, mac) != NULL);
	}
	if (ua->model != NULL)
		assert(registry_find_model(ua->product, NULL) == ua->model);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct useragent ua, before;
	char *text = xstrndup((const char *)data, size);

	memset(&ua, 0xa5, sizeof(ua));
	memcpy(&before, &ua, sizeof(ua));
	if (useragent_parse(&ua, text))
		check(&ua, text);
	else
		assert(memcmp(&ua, &before, sizeof(ua)) == 0);
	free(text);
	return 0;
}
