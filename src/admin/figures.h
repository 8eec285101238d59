/*
 * figures.h -- what GET /metrics says: the figures of the workers, the state of
 * the server, and what depends on its certificates.
 *
 * Labels have few values: names of listeners, CAs, reasons; never a device or
 * the address of one.
 */
#ifndef ADMIN_FIGURES_H
#define ADMIN_FIGURES_H

struct call;
struct exposition;

/* The parts of the answer. */
void figures_server(struct exposition *out, struct call *call);
void figures_workers(struct exposition *out, struct call *call);
void figures_fleet(struct exposition *out, struct call *call);

#endif
