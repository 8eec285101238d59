/*
 * fetch_parts.h -- what the files of one fetch share: the work at hand, its
 * end, addresses, and the handshake with its checks (fetch_tls.c).
 */
#ifndef SIM_FETCH_PARTS_H
#define SIM_FETCH_PARTS_H

#include "sim/device.h"

struct sim_upload;
struct stream;

#define FETCH_ADDRESSES_MAX 16

/* What one resync works with. */
struct job {
	const struct sim_device *device;
	const struct sim_network *network;
	struct sim_result *result;
	const struct sim_upload *upload; /* NULL: a file is asked for */
	char *key;			 /* of the rule's --key; NULL: none */
	bool is_image; /* what is asked for is no profile, but firmware */
};

/* Each returns -1, so that "return fetch_end(...)" reads as one sentence. */
int fetch_end(struct job *job, enum sim_outcome outcome, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The addresses of host, which may be one itself. */
size_t fetch_resolve(const struct sim_network *network, const char *host,
    struct addr *list, size_t max);

/* Note what TLS came to, as far as it came. */
void fetch_note_tls(struct job *job, const struct stream *stream);

/* Shake hands, and check name or address; -1: ended. */
int fetch_shake_hands(struct job *job, struct stream *stream, const char *host,
    const struct addr *address) MUST_CHECK;

#endif
