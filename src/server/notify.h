/*
 * notify.h -- telling the service manager how we are (sd_notify(3)).
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* Send "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=..." or the like
 * to $NOTIFY_SOCKET; does nothing without it. */
void notify_manager(const char *state);

#endif
