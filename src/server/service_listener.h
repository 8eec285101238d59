/*
 * service_listener.h -- keys, certificates and anchors of one listener; a part
 * of service.h.
 */
#ifndef SERVER_SERVICE_LISTENER_H
#define SERVER_SERVICE_LISTENER_H

#include "base/error.h"

struct config;
struct config_listener;
struct service_listener;

/* Every problem goes to errors with the place in the configuration file. */
void service_listener_load(struct service_listener *listener,
    const struct config *config, const struct config_listener *from,
    struct errors *errors);

/* Also of one that could be loaded in part only. */
void service_listener_clear(struct service_listener *listener);

#endif
