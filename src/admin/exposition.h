/*
 * exposition.h -- figures as Prometheus reads them: its text format 0.0.4.
 *
 *     # HELP sprov_requests_total Requests that were answered.
 *     # TYPE sprov_requests_total counter
 *     sprov_requests_total{listener="csb",reason="own-profile"} 42
 *
 * A family begins with its name; its samples follow at once.
 */
#ifndef ADMIN_EXPOSITION_H
#define ADMIN_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

struct buf;

struct exposition {
	struct buf *out;
	const char *name; /* of the family */
	int failed;	  /* out is full */
};

/* type: "counter", "gauge" or "histogram"; help is one sentence. */
void exposition_family(struct exposition *exposition, const char *name,
    const char *type, const char *help);

struct exposition_label {
	const char *name, *value; /* the value may be any text */
};

/* suffix of the name, "" for none. */
void exposition_integer(struct exposition *exposition, const char *suffix,
    const struct exposition_label *labels, size_t count, uint64_t value);
void exposition_real(struct exposition *exposition, const char *suffix,
    const struct exposition_label *labels, size_t count, double value);

#endif
