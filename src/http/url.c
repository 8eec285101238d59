#include "http/url.h"
#include "http/authority.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum url_scheme scheme;
	uint16_t port;
} schemes[] = {
	{ "tftp", URL_TFTP, 69 },
	{ "http", URL_HTTP, 80 },
	{ "https", URL_HTTPS, 443 },
};

/* As much of a wrong text as its error message shows. */
#define SHOWN_BYTES 64

#define SCHEME_COUNT (sizeof(schemes) / sizeof(*schemes))

const char *
url_scheme_name(enum url_scheme scheme)
{
	return schemes[scheme].name;
}

/* Set scheme and its port; *text then points behind "://". */
static int
parse_scheme(struct url *url, const char **text, struct error *err)
{
	const char *mark = strstr(*text, "://");
	char shown[SHOWN_BYTES];
	size_t len;

	url->scheme = URL_TFTP;
	url->port = schemes[URL_TFTP].port;
	/* A "://" within the path is no scheme: /get?from=http://x */
	if (mark == NULL || mark > strchr(*text, '/'))
		return 0;
	len = (size_t)(mark - *text);
	for (size_t i = 0; i < SCHEME_COUNT; i++) {
		if (len != strlen(schemes[i].name) ||
		    strncasecmp(*text, schemes[i].name, len) != 0)
			continue;
		url->scheme = schemes[i].scheme;
		url->port = schemes[i].port;
		*text = mark + strlen("://");
		return 0;
	}
	text_escape(*text, len, shown, sizeof(shown));
	return error_set(err, ERROR_INPUT,
	    "scheme \"%s\" is not known: "
	    "expected tftp, http or https",
	    shown);
}

static int
parse_host(struct url *url, const char *text, size_t len, struct error *err)
{
	struct authority authority;
	char shown[SHOWN_BYTES];

	if (len == 0)
		return 0;
	if (!authority_read(&authority, text, len)) {
		text_escape(text, len, shown, sizeof(shown));
		return error_set(err, ERROR_INPUT,
		    "\"%s\" is not a host "
		    "with an optional port: expected example.net:443 or "
		    "[2001:db8::1]:443",
		    shown);
	}
	memcpy(url->host, authority.host, strlen(authority.host) + 1);
	if (authority.port != 0)
		url->port = authority.port;
	return 0;
}

static int
parse_path(struct url *url, const char *text, struct error *err)
{
	size_t len = strlen(text);

	if (len > URL_PATH_MAX)
		return error_set(err, ERROR_INPUT,
		    "the path has %zu bytes: "
		    "at most %d are allowed",
		    len, URL_PATH_MAX);
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x21 || text[i] > 0x7e || text[i] == '#')
			return error_set(err, ERROR_INPUT,
			    "byte 0x%02x in "
			    "the path: expected printable ASCII without "
			    "blank and '#'",
			    (unsigned)(unsigned char)text[i]);
	}
	memcpy(url->path, text, len + 1);
	return 0;
}

int
url_parse(struct url *url, const char *text, struct error *err)
{
	struct url parsed = { .host = "" };
	char shown[SHOWN_BYTES];
	const char *path;

	if (parse_scheme(&parsed, &text, err) != 0)
		return -1;
	path = strchr(text, '/');
	if (path == NULL) {
		text_escape(text, strlen(text), shown, sizeof(shown));
		return error_set(err, ERROR_INPUT,
		    "\"%s\" has no path: "
		    "expected one that begins with '/'",
		    shown);
	}
	if (parse_host(&parsed, text, (size_t)(path - text), err) != 0 ||
	    parse_path(&parsed, path, err) != 0)
		return -1;
	*url = parsed;
	return 0;
}

void
url_authority(const struct url *url, char text[static URL_AUTHORITY_BYTES])
{
	const char *open = "", *close = "";

	if (strchr(url->host, ':') != NULL) {
		open = "[";
		close = "]";
	}
	if (url->port == schemes[url->scheme].port)
		(void)snprintf(text, URL_AUTHORITY_BYTES, "%s%s%s", open,
		    url->host, close);
	else
		(void)snprintf(text, URL_AUTHORITY_BYTES, "%s%s%s:%u", open,
		    url->host, close, url->port);
}
