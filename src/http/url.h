/*
 * url.h -- the URLs that profile rules and redirects hold.
 *
 *     [ ("tftp" / "http" / "https") "://" ] [ host [ ":" port ] ] abs-path
 *
 * Sources: [LINKSYS-PROV] p. 38; RFC 3986 for host and port.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdint.h>

#include "base/error.h"

enum url_scheme { URL_TFTP, URL_HTTP, URL_HTTPS };

#define URL_HOST_MAX 253
#define URL_PATH_MAX 2048

struct url {
	enum url_scheme scheme;	     /* tftp when the text names none */
	char host[URL_HOST_MAX + 1]; /* "" when the text names none; an IPv6
				       * address without its brackets */
	uint16_t port;		     /* 69, 80, 443 when the text names none */
	char path[URL_PATH_MAX + 1]; /* with query; begins with '/' */
};

/* Read text; -1 with ERROR_INPUT when it is not of the form above. */
int url_parse(struct url *url, const char *text, struct error *err) MUST_CHECK;

/* "tftp", "http", "https" */
const char *url_scheme_name(enum url_scheme scheme);

/* host, or host:port where the port is not the scheme's own: a Host field. */
#define URL_AUTHORITY_BYTES (URL_HOST_MAX + sizeof("[]:65535"))
void
url_authority(const struct url *url, char text[static URL_AUTHORITY_BYTES]);

#endif
