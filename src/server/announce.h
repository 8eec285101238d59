/*
 * announce.h -- what is served from now on, and at the end what became of all
 * connections, as lines of the log.
 */
#ifndef SERVER_ANNOUNCE_H
#define SERVER_ANNOUNCE_H

#include <stddef.h>

struct service;
struct sockets;
struct tftp_sockets;
struct worker;

/* Each address with what it shows, and what serves but not as it was meant. */
void announce(const struct service *service, const struct sockets *sockets,
    const struct tftp_sockets *tftp_sockets);

/* The sums of counters.h over all workers, in one line. */
void announce_counters(struct worker *const *workers, size_t count);

#endif
