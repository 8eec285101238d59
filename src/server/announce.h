/*
 * announce.h -- what is served from now on, as lines of the log.
 */
#ifndef SERVER_ANNOUNCE_H
#define SERVER_ANNOUNCE_H

struct service;
struct sockets;
struct tftp_sockets;

/* Each address with what it shows, and what serves but not as it was meant. */
void announce(const struct service *service, const struct sockets *sockets,
    const struct tftp_sockets *tftp_sockets);

#endif
