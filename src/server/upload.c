#include "server/upload.h"
#include "base/mem.h"
#include "http/body.h"
#include "http/request.h"

#include <stdlib.h>

struct upload {
	struct request request;
	struct body *body;
	size_t reserved;
	size_t *in_use;
};

struct upload *
upload_new(const struct request *request, size_t max, size_t *in_use)
{
	size_t need = request->framing == REQUEST_LENGTH &&
		request->body_length < max ?
	    (size_t)request->body_length :
	    max;
	struct upload *upload;

	if (need > UPLOAD_BYTES_MAX - *in_use)
		return NULL;
	upload = xcalloc(1, sizeof(*upload));
	upload->request = *request;
	upload->body = body_new(request, max);
	upload->reserved = need;
	upload->in_use = in_use;
	*in_use += need;
	return upload;
}

void
upload_free(struct upload *upload)
{
	if (upload == NULL)
		return;
	*upload->in_use -= upload->reserved;
	body_free(upload->body);
	free(upload);
}

const struct request *
upload_request(const struct upload *upload)
{
	return &upload->request;
}

void
upload_greet(const struct upload *upload, const struct buf *in, struct buf *out)
{
	/* out is empty: there is room. */
	if (upload->request.expect == REQUEST_EXPECT_CONTINUE && in->len == 0 &&
	    buf_append_text(out, "HTTP/1.1 100 Continue\r\n\r\n") != 0)
		abort();
}

int
upload_feed(struct upload *upload, struct buf *in, int *status,
    struct error *err)
{
	size_t used = 0;
	int rc = body_feed(upload->body, buf_text(in), in->len, &used, status,
	    err);

	buf_consume(in, used);
	return rc;
}

const char *
upload_bytes(const struct upload *upload, size_t *len)
{
	return body_bytes(upload->body, len);
}
