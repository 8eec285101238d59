#include "cmd/resolve.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"

/* A lookup that runs in a thread of the C library. */
struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char *host;
};

static void
lookup_free(struct lookup *lookup)
{
	if (lookup->request.ar_result != NULL)
		freeaddrinfo(lookup->request.ar_result);
	free(lookup->host);
	free(lookup);
}

static size_t
copy_addresses(const struct addrinfo *from, struct addr *list, size_t max)
{
	size_t count = 0;

	for (; from != NULL && count < max; from = from->ai_next) {
		if (from->ai_addrlen > sizeof(list->sockaddr))
			continue;
		list[count] = (struct addr) { .len = from->ai_addrlen };
		memcpy(&list[count].sockaddr, from->ai_addr, from->ai_addrlen);
		count++;
	}
	return count;
}

static enum resolve_result
result_of(int code)
{
	switch (code) {
	case 0:
		return RESOLVE_FOUND;
	case EAI_NONAME:
	case EAI_NODATA:
		return RESOLVE_NONE;
	default:
		return RESOLVE_NO_ANSWER;
	}
}

enum resolve_result
resolve_host(const char *host, unsigned timeout_ms, struct addr *list,
    size_t max, size_t *count)
{
	const struct timespec timeout = { timeout_ms / 1000,
		(long)(timeout_ms % 1000) * 1000000 };
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	struct gaicb *requests[] = { &lookup->request };
	const struct gaicb *waiting[] = { &lookup->request };
	enum resolve_result result = RESOLVE_NO_ANSWER;

	*count = 0;
	lookup->host = xstrdup(host);
	lookup->hints = (struct addrinfo) { .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM };
	lookup->request.ar_name = lookup->host;
	lookup->request.ar_request = &lookup->hints;
	if (getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL) != 0) {
		lookup_free(lookup);
		return RESOLVE_NO_ANSWER;
	}
	while (gai_suspend(waiting, 1, &timeout) == EAI_INTR)
		continue;
	if (gai_error(&lookup->request) == EAI_INPROGRESS &&
	    gai_cancel(&lookup->request) != EAI_CANCELED)
		/* It works on; what it works on has to stay.  The process
		 * ends soon. */
		return RESOLVE_NO_ANSWER;
	result = result_of(gai_error(&lookup->request));
	if (result == RESOLVE_FOUND)
		*count = copy_addresses(lookup->request.ar_result, list, max);
	lookup_free(lookup);
	return result;
}
