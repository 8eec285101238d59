#include "base/buf.h"
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *buf, size_t limit)
{
	/* Beyond it nothing fits anyhow, and the sums below cannot wrap. */
	if (limit > PTRDIFF_MAX / 2)
		limit = PTRDIFF_MAX / 2;
	*buf = (struct buf) { .limit = limit };
}

void
buf_clear(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->limit);
}

char *
buf_reserve(struct buf *buf, size_t len)
{
	size_t need, size;

	if (len > buf->limit - buf->len)
		return NULL;
	need = buf->len + len + 1;
	if (need > buf->size) {
		size = buf->size != 0 ? buf->size : 64;
		while (size < need)
			size *= 2;
		if (size > buf->limit + 1)
			size = buf->limit + 1;
		buf->data = xrealloc(buf->data, size);
		buf->size = size;
		buf->data[buf->len] = '\0';
	}
	return buf->data + buf->len;
}

int
buf_append(struct buf *buf, const void *data, size_t len)
{
	char *end = buf_reserve(buf, len);

	if (end == NULL)
		return -1;
	if (len > 0)
		memcpy(end, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return 0;
}

int
buf_append_text(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int len, rc;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return -1; /* text is undefined then */
	rc = buf_append(buf, text, (size_t)len);
	free(text);
	return rc;
}

void
buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	if (len == 0)
		return;
	buf->len -= len;
	memmove(buf->data, buf->data + len, buf->len + 1);
}

const char *
buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

char *
buf_take(struct buf *buf)
{
	char *text = buf->data != NULL ? buf->data : xstrdup("");

	buf_init(buf, buf->limit);
	return text;
}
