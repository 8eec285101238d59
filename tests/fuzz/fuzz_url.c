/*
 * URLs: what is read, written and read again is the same; so is what is read
 * as an authority.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/authority.h"
#include "http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_url(const char *text)
{
	char written[sizeof("https://") + URL_AUTHORITY_BYTES + URL_PATH_MAX];
	char authority[URL_AUTHORITY_BYTES];
	struct url url, again;
	struct error err = { 0 };

	if (url_parse(&url, text, &err) != 0) {
		assert(err.kind == ERROR_INPUT && err.text[0] != '\0');
		assert(strpbrk(err.text, "\r\n") == NULL);
		return;
	}
	assert(url.path[0] == '/' && url.port != 0);
	assert(strpbrk(url.path, " \t\r\n#") == NULL);
	url_authority(&url, authority);
	assert(strpbrk(authority, " \t\r\n/@") == NULL);
	(void)snprintf(written, sizeof(written), "%s://%s%s",
	    url_scheme_name(url.scheme), authority, url.path);
	assert(url_parse(&again, written, &err) == 0);
	assert(again.scheme == url.scheme && again.port == url.port);
	assert(strcmp(again.host, url.host) == 0);
	assert(strcmp(again.path, url.path) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct authority authority;
	char *text = malloc(size + 1);

	assert(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	check_url(text);
	if (authority_read(&authority, text, size)) {
		assert(authority.host[0] != '\0');
		assert(strlen(authority.host) <= AUTHORITY_HOST_MAX);
	}
	free(text);
	return 0;
}
